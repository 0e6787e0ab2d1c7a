import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, privilegesOf, setClaims, stateOf } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    select integratedb.add_stakeholder('reporter'), integratedb.add_stakeholder('billing');
    create table public.orders (id int primary key, total numeric(10,2) not null, note varchar(50), internal text);
    create table public.customer (id int primary key, email text not null);
    create schema sales;
    create table sales.lead (id int, name text);
  `)
})
afterEach(() => database.endSessions())
afterAll(() => database.drop())

describe('set_claims', () => {
  test('answers what is claimed, as the view claims has it', async () => {
    const rows = await setClaims(database, 'reporter', [
      { path: 'public.orders', fields: ['id', { name: 'note', min_length: 20, optional: true }] },
    ])
    expect(rows).toEqual([
      {
        stakeholder: 'reporter',
        path: 'public.orders',
        field: 'id',
        type: 'integer',
        min_length: 32,
        is_nullable: false,
        optional: false,
        alternative: null,
        status: 'met',
        access: ['select'],
      },
      {
        stakeholder: 'reporter',
        path: 'public.orders',
        field: 'note',
        type: 'character varying(50)',
        min_length: 20,
        is_nullable: true,
        optional: true,
        alternative: null,
        status: 'met',
        access: ['select'],
      },
    ])
    expect(await database.rows('select * from integratedb.claims')).toEqual(rows)
    expect(await privilegesOf(database, 'reporter')).toEqual([
      'SELECT on public.orders.id',
      'SELECT on public.orders.note',
      'USAGE on schema public',
    ])
    await expectAllWell(database)
  })

  test('keeps the document as it was written', async () => {
    const document = {
      match: [{ path: '"public"."orders"', fields: [{ name: 'total', type: ['decimal(10,2)', 'money'] }], optional: false }],
    }
    await database.rows('select integratedb.set_claims($1, $2)', ['reporter', JSON.stringify(document)])
    expect(await database.value(`select integratedb.get_claims('reporter')`)).toEqual(document)
    await expectAllWell(database)
  })

  test('replaces by difference: what is claimed before and after is not touched, the rest is gone', async () => {
    await setClaims(database, 'reporter', [
      { path: 'public.orders', fields: ['id', 'total'] },
      { path: 'sales.lead', fields: '*' },
    ])
    await setClaims(database, 'billing', [{ path: 'public.orders', fields: ['id'] }])
    const versions = `select attname, xmin::text from pg_attribute where attrelid = 'public.orders'::regclass and attname in ('id', 'note', 'total')`
    const before = new Map((await database.rows(versions)).map((row) => [row['attname'], row['xmin']]))
    await setClaims(database, 'reporter', [{ path: 'public.orders', fields: ['id', 'note'] }])
    const after = new Map((await database.rows(versions)).map((row) => [row['attname'], row['xmin']]))
    expect(after.get('id')).toBe(before.get('id'))
    expect(after.get('total')).not.toBe(before.get('total'))
    expect(await privilegesOf(database, 'reporter')).toEqual([
      'SELECT on public.orders.id',
      'SELECT on public.orders.note',
      'USAGE on schema public',
    ])
    expect(await privilegesOf(database, 'billing')).toEqual(['SELECT on public.orders.id', 'USAGE on schema public'])
    await expectAllWell(database)
  })

  test('the same document again changes nothing but the time', async () => {
    const match = [{ path: 'public.orders', fields: ['id', 'note'] }]
    await setClaims(database, 'reporter', match)
    const before = await stateOf(database)
    await setClaims(database, 'reporter', match)
    expect(await stateOf(database)).toEqual(before)
  })

  test.each([
    ['"*"', '*', ['id', 'email']],
    ['["*"]', ['*'], ['id', 'email']],
    ['[]', [], [null]],
    ['null', null, [null]],
    ['no fields', undefined, [null]],
  ])('fields: %s', async (_, fields, claimed) => {
    const rows = await setClaims(database, 'reporter', [{ path: 'public.customer', fields }])
    expect(rows.map((row) => row.field)).toEqual(claimed)
    expect(rows.every((row) => row.status === 'met')).toBe(true)
    await expectAllWell(database)
  })

  test('two matches on one relation: the union is granted, and what one of them gave up stays with the other', async () => {
    await setClaims(database, 'reporter', [
      { path: 'public.*', fields: '*' },
      { path: 'public.orders', fields: ['id', { name: 'total', type: 'numeric' }] },
    ])
    await expectAllWell(database)
    await setClaims(database, 'reporter', [
      { path: 'public.orders', fields: ['id', { name: 'total', type: 'numeric' }] },
      { path: 'public.customer', fields: [{ alternatives: ['email', 'mail'] }] },
      {
        alternatives: [
          { path: 'public.orders_v2', fields: ['id'] },
          { path: 'public.orders', fields: ['note'] },
        ],
      },
    ])
    await expectAllWell(database)
    expect(await privilegesOf(database, 'reporter')).toEqual([
      'SELECT on public.customer.email',
      'SELECT on public.orders.id',
      'SELECT on public.orders.note',
      'SELECT on public.orders.total',
      'USAGE on schema public',
    ])
  })

  test('a privilege that somebody granted by hand on a claimed relation is taken away', async () => {
    await database.rows('grant select, insert on public.orders to reporter; grant update (note) on public.orders to reporter')
    await setClaims(database, 'reporter', [{ path: 'public.orders', fields: ['id'] }])
    await expectAllWell(database)
  })
})

describe('remove_claims', () => {
  test('revokes and forgets', async () => {
    await setClaims(database, 'reporter', [
      { path: 'public.*', fields: '*' },
      { path: 'sales.lead', fields: ['id'] },
    ])
    await database.rows(`select integratedb.remove_claims('reporter')`)
    expect(await privilegesOf(database, 'reporter')).toEqual([])
    expect(await database.rows(`select * from integratedb.claims where stakeholder = 'reporter'`)).toEqual([])
    expect(await database.value(`select integratedb.get_claims('reporter')`)).toBeNull()
    await database.rows(`select integratedb.remove_claims('reporter')`)
    await expectAllWell(database)
  })

  test('takes back the usage of a schema in which it owned what it claims, when that is somebody else’s', async () => {
    await database.rows('create table sales.own (id int); alter table sales.own owner to billing')
    const mayUse = async () => await database.value(`select has_schema_privilege('billing', 'sales', 'usage')`)
    await setClaims(database, 'billing', [{ path: 'sales.own', fields: '*' }])
    await setClaims(database, 'billing', [{ path: 'sales.own', fields: [] }])
    expect(await mayUse()).toBe(true)
    await database.rows('alter table sales.own owner to current_user')
    expect(await mayUse()).toBe(false)
    await expectAllWell(database)
    await database.rows(`select integratedb.remove_claims('billing'); drop table sales.own`)
  })

  test('takes back the usage of schemas of which nothing is left to read', async () => {
    await database.rows('create schema brief; create table brief.t (a int)')
    await setClaims(database, 'reporter', [{ path: 'brief.t', fields: ['a'], optional: true }])
    await database.rows('drop table brief.t')
    await expectAllWell(database)
    await database.rows(`select integratedb.remove_claims('reporter')`)
    await expectAllWell(database)
    await database.rows('drop schema brief')
  })
})

describe('whose schema', () => {
  test("a stakeholder's own: nothing to grant, nothing to revoke", async () => {
    const reporter = await database.connect('reporter')
    await reporter.rows('create table reporter.mine (a int, b text)')
    await setClaims(database, 'reporter', [{ path: 'reporter.mine', fields: ['a'] }])
    await expectAllWell(database)
    await database.rows(`select integratedb.remove_claims('reporter')`)
    expect(await reporter.rows('select b from reporter.mine')).toEqual([])
    await setClaims(database, 'reporter', [{ path: 'reporter.*', fields: '*' }])
    await reporter.rows('alter table reporter.mine add c int')
    await expectAllWell(database)
    await setClaims(database, 'reporter', [{ path: 'public.orders', fields: ['id'] }])
    expect(await reporter.rows('select c from reporter.mine')).toEqual([])
    await expectAllWell(database)
  })

  test("another stakeholder's: granted, and the owner's migrations are judged", async () => {
    const billing = await database.connect('billing')
    await billing.rows('create table billing.invoice (id int, total int)')
    await setClaims(database, 'reporter', [{ path: 'billing.invoice', fields: ['total'] }])
    await expectAllWell(database)
    const failure = await billing.failure('alter table billing.invoice drop total')
    expect(failure).toMatchObject({
      code: 'IDB01',
      detail: 'IDB201 reporter needs billing.invoice.total (integer): the column was dropped',
    })
    await billing.rows('alter table billing.invoice drop id')
    await expectAllWell(database)
  })
})

describe('check_claims', () => {
  test.each([
    [
      'an invalid document',
      { match: [{ path: 'orders' }, { path: 'public.orders', fields: [{ name: 'id', type: 'no_such_type', x: 1 }] }] },
    ],
    ['an unknown type', { match: [{ path: 'public.orders', fields: [{ name: 'id', type: 'no_such_type' }] }] }],
    ['what is not there', { match: [{ path: 'public.nothing' }, { path: 'public.orders', fields: ['id', 'a', 'b'] }] }],
    ['odd names', { match: [{ path: 'public."a\nb"' }, { path: 'public.orders', fields: ['c\nd'] }] }],
    ['more than DETAIL tells of', { match: [{ path: 'public.orders', fields: Array.from({ length: 30 }, (_, at) => `c${at}`) }] }],
  ])('says what set_claims would: %s', async (_, document) => {
    const before = await stateOf(database)
    const failure = await database.failure(`select integratedb.set_claims('reporter', $1)`, [JSON.stringify(document)])
    const findings = await database.rows<{ code: string; message: string }>('select * from integratedb.check_claims($1)', [
      JSON.stringify(document),
    ])
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set([failure.code]))
    expect(failure.message).toContain(`: ${findings.length} problem`)
    const lines = (failure.detail as string).split('\n')
    expect(findings.slice(0, 20).map(({ message }) => message)).toEqual(lines.slice(0, 20))
    expect(await stateOf(database)).toEqual(before)
  })

  test('has nothing to say of a document that set_claims would take', async () => {
    const before = await stateOf(database)
    const document = JSON.stringify({ match: [{ path: 'public.*', fields: '*' }] })
    expect(await database.rows('select * from integratedb.check_claims($1)', [document])).toEqual([])
    expect(await stateOf(database)).toEqual(before)
  })
})

describe('dependents', () => {
  test('tells who depends on a relation or a column, however its name is written', async () => {
    await database.rows('create table public."Order Items" ("a.b" int, "select" int)')
    await setClaims(database, 'reporter', [{ path: 'public."Order Items"', fields: ['a.b', 'select'] }])
    await setClaims(database, 'billing', [{ path: 'public."Order Items"' }])
    const of = async (path: string, field: string | null = null) =>
      (await database.rows('select stakeholder, claimed_field from integratedb.dependents($1, $2)', [path, field])).map(
        (row) => `${row['stakeholder']} ${row['claimed_field']}`,
      )
    expect(await of('public."Order Items"')).toEqual(['billing null', 'reporter a.b', 'reporter select'])
    expect(await of('"public" . "Order Items"', 'a.b')).toEqual(['billing null', 'reporter a.b'])
    expect(await of('public."Order Items"', 'nothing')).toEqual(['billing null'])
    expect(await of('public.nothing')).toEqual([])
    expect(await of('PUBLIC.Orders', 'id')).toEqual([])
    for (const path of ['orders', 'public.*', 'a.b.c', '', null, 'public."Order', "'; drop table x"]) {
      const failure = await database.failure('select integratedb.dependents($1)', [path])
      expect(failure).toMatchObject({ code: 'IDB08', hint: expect.stringContaining('dependents') })
    }
  })
})

describe('who calls', () => {
  test('there has to be such a stakeholder', async () => {
    for (const call of [
      `set_claims('nobody', '{"match": []}')`,
      `get_claims('nobody')`,
      `remove_claims('nobody')`,
      `get_claims(null)`,
      `set_claims(null, '{"match": [{"path": "public.orders"}]}')`,
    ]) {
      const failure = await database.failure(`select integratedb.${call}`)
      expect(failure).toMatchObject({ code: 'IDB04', detail: 'Stakeholders of this database: billing, reporter.' })
    }
  })

  test('not in a transaction that sees the catalogue as it was', async () => {
    for (const level of ['repeatable read', 'serializable']) {
      await database.rows(`begin isolation level ${level}`)
      const failure = await database.failure(`select integratedb.set_claims('reporter', '{"match": [{"path": "public.orders"}]}')`)
      await database.rows('rollback')
      expect(failure).toMatchObject({ code: 'IDB08', message: `set_claims cannot run in a ${level.toUpperCase()} transaction` })
    }
  })
})

describe('while a migration holds a table', () => {
  test('set_claims waits for it, and then claims what there is', async () => {
    await database.rows('create schema busy; create table busy.a (x int); create table busy.b (x int); create table busy.c (x int)')
    const migration = await database.connect()
    const other = await database.connect()
    await migration.rows('begin; drop table busy.a; alter table busy.b drop x, add y int; create table busy.d (x int)')
    const claiming = setClaims(other, 'reporter', [{ path: 'busy.*', fields: '*' }])
    const named = setClaims(await database.connect(), 'billing', [{ path: 'busy.a' }]).catch((error) => error)
    await expect
      .poll(() =>
        database.value(
          `select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%set_claims%' and datname = current_database()`,
        ),
      )
      .toBe(2)
    await migration.rows('commit')
    expect((await claiming).map((row) => `${row.path}.${row.field}`)).toEqual(['busy.b.y', 'busy.c.x', 'busy.d.x'])
    expect(await named).toMatchObject({ code: 'IDB03', detail: '/match/0/path: needs busy.a: there is no such relation' })
    await expectAllWell(database)
  })
})
