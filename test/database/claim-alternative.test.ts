import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, privilegesOf, refusal, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reporter'), integratedb.add_stakeholder('billing')`)
})
afterAll(() => database.drop())

beforeEach(async () => {
  await database.rows(`
    select integratedb.remove_claims('reporter'), integratedb.remove_claims('billing');
    drop schema if exists v1, v2, v3 cascade;
    create schema v1;
    create table v1.orders (id int not null, total int, amount int)`)
})

const statuses = async () =>
  (await database.rows(`select path, field, status from integratedb.claims where stakeholder = 'reporter'`)).map(
    ({ path, field, status }) => `${path} ${field ?? '-'} ${status}`,
  )

/** Runs a migration that has to be accepted, and looks at everything. */
async function migrate(sql: string): Promise<void> {
  await database.rows(sql)
  await expectAllWell(database)
}

/** Runs a migration that has to be rejected; answers the lines of DETAIL. */
async function rejected(sql: string): Promise<string[]> {
  const failure = await database.failure(sql)
  expect(failure.code).toBe('IDB01')
  await expectAllWell(database)
  return (failure.detail as string).split('\n')
}

describe('an optional field', () => {
  const claimed = [{ path: 'v1.orders', fields: ['id', { name: 'note', type: 'text', optional: true }] }]

  test('is observed and granted when it appears, must fit while it is there, and may vanish again', async () => {
    await setClaims(database, 'reporter', claimed)
    expect(await statuses()).toEqual(['v1.orders id met', 'v1.orders note absent'])
    await expectAllWell(database)
    await migrate('alter table v1.orders add note text')
    expect(await statuses()).toEqual(['v1.orders id met', 'v1.orders note met'])
    expect(await privilegesOf(database, 'reporter')).toContain('SELECT on v1.orders.note')
    expect(await rejected(`alter table v1.orders alter note type int using 1`)).toEqual([
      'IDB203 reporter needs v1.orders.note (text): the type was changed to integer',
    ])
    await migrate('alter table v1.orders drop note')
    expect(await statuses()).toEqual(['v1.orders id met', 'v1.orders note absent'])
  })

  test('that is of another type when it appears: a warning, and nobody is blocked', async () => {
    await setClaims(database, 'reporter', claimed)
    database.notices.length = 0
    await database.rows('alter table v1.orders add note int')
    expect(database.notices).toMatchObject([
      { severity: 'WARNING', detail: expect.stringContaining('IDB203 reporter needs v1.orders.note (text): the type is integer') },
    ])
    expect(await database.rows('select code, path, field from integratedb.unmet_claims()')).toEqual([
      { code: 'IDB203', path: 'v1.orders', field: 'note' },
    ])
    await database.rows('alter table v1.orders alter note type bigint')
    await migrate('alter table v1.orders alter note type text')
    expect(await statuses()).toEqual(['v1.orders id met', 'v1.orders note met'])
  })

  test('that is there and does not fit is refused', async () => {
    expect(await refusal(database, 'reporter', [{ path: 'v1.orders', fields: [{ name: 'id', type: 'text', optional: true }] }])).toEqual([
      '/match/0/fields/0: needs v1.orders.id (text): the type is integer',
    ])
  })
})

describe('an optional match', () => {
  test('is observed and granted when it appears, and may vanish again with all that was granted', async () => {
    await setClaims(database, 'reporter', [
      { path: 'v2.orders', fields: ['id'], optional: true },
      { path: 'v2.*', fields: '*', optional: true },
    ])
    expect(await statuses()).toEqual(['v2.orders id absent'])
    await expectAllWell(database)
    await migrate('create schema v2; create table v2.orders (id int, a int)')
    expect(await statuses()).toEqual(['v2.orders id met', 'v2.orders id met', 'v2.orders a met'])
    await rejected('alter table v2.orders drop a')
    await migrate('create view v2.recent as select id from v2.orders')
    await migrate('drop schema v2 cascade')
    expect(await privilegesOf(database, 'reporter')).toEqual([])
    await migrate('create schema v2; create table v2.orders (id int, a int)')
    await migrate('alter table v2.orders rename to bills')
    await migrate('alter schema v2 rename to v3')
    expect(await privilegesOf(database, 'reporter')).toEqual([])
  })

  test('whose relation is there has to fit', async () => {
    expect(await refusal(database, 'reporter', [{ path: 'v1.orders', fields: ['nothing'], optional: true }])).toHaveLength(1)
  })
})

describe('alternatives of a field', () => {
  const claimed = [{ path: 'v1.orders', fields: [{ alternatives: ['sum', { name: 'amount', type: ['int', 'bigint'] }, 'total'] }] }]

  test('one is enough; every one that is there is granted; the last may not go', async () => {
    await setClaims(database, 'reporter', claimed)
    expect(await statuses()).toEqual(['v1.orders sum absent', 'v1.orders amount met', 'v1.orders total met'])
    await expectAllWell(database)
    await migrate('alter table v1.orders drop total')
    await migrate('alter table v1.orders add sum int')
    await migrate('alter table v1.orders drop amount')
    expect(await rejected('alter table v1.orders drop sum')).toEqual([
      'IDB201 reporter needs v1.orders.sum (integer): the column was dropped',
    ])
    expect(await rejected('alter table v1.orders rename sum to total2')).toEqual([
      'IDB202 reporter needs v1.orders.sum (integer): the column was renamed to total2',
    ])
    await migrate('alter table v1.orders rename sum to total')
    await migrate('begin; alter table v1.orders drop total; alter table v1.orders add amount bigint; commit')
  })

  test('to insert, the one that has to be filled stays necessary', async () => {
    const writer = { path: 'v1.orders', fields: [{ alternatives: ['id', 'total'] }], access: ['select', 'insert'] }
    await setClaims(database, 'reporter', [writer])
    const lines = ['IDB211 reporter needs v1.orders.id (null or a default): an insert has to fill the column, and the claim does not']
    expect(await rejected('revoke insert (id) on v1.orders from reporter')).toEqual(lines)
    await database.rows('alter table v1.orders alter id set default 1; revoke insert (id) on v1.orders from reporter')
    expect(await statuses()).toEqual(['v1.orders id unmet', 'v1.orders total met'])
  })

  test('to insert, two that both have to be filled are none', async () => {
    const claimed = [{ path: 'v1.orders', fields: ['id', { alternatives: ['total', 'sum'] }], access: ['select', 'insert'] }]
    await database.rows('alter table v1.orders alter total set not null')
    await setClaims(database, 'reporter', claimed)
    const told = 'IDB211 reporter needs v1.orders.sum (null or a default): an insert has to fill the column, and the claim does not'
    expect(await rejected('alter table v1.orders add sum int not null')).toEqual([told])
    await migrate('alter table v1.orders add sum int not null default 1')
    expect(await rejected('alter table v1.orders alter sum drop default')).toContainEqual(expect.stringContaining('IDB211 reporter'))
  })

  test('none: each is told of', async () => {
    expect(
      await refusal(database, 'reporter', [{ path: 'v1.orders', fields: [{ alternatives: ['a', { name: 'id', type: 'text' }] }] }]),
    ).toEqual([
      '/match/0/fields/0/alternatives/0: needs v1.orders.a: there is no such column',
      '/match/0/fields/0/alternatives/1: needs v1.orders.id (text): the type is integer',
    ])
  })

  test('none, and optional', async () => {
    await setClaims(database, 'reporter', [{ path: 'v1.orders', fields: [{ alternatives: ['a', 'b'], optional: true }] }])
    expect(await privilegesOf(database, 'reporter')).toEqual([])
    await expectAllWell(database)
    await migrate('alter table v1.orders add b int')
    await migrate('alter table v1.orders drop b')
  })

  test('the same column in two groups', async () => {
    await setClaims(database, 'reporter', [
      { path: 'v1.orders', fields: ['total', { alternatives: ['total', 'amount'] }, { alternatives: ['amount', 'id'] }] },
    ])
    await migrate('alter table v1.orders drop amount')
    expect(await rejected('alter table v1.orders drop id')).toHaveLength(1)
  })
})

describe('alternatives of a path', () => {
  const claimed = [
    {
      alternatives: [
        { path: 'v2.orders', fields: ['id', { alternatives: ['sum', 'total'] }] },
        { path: 'v1.orders', fields: ['id', 'total'] },
      ],
    },
  ]

  test('expand, move, contract', async () => {
    await setClaims(database, 'reporter', claimed)
    await expectAllWell(database)
    expect(await rejected('drop table v1.orders')).toEqual(['IDB101 reporter needs v1.orders: the relation was dropped'])
    await migrate('create schema v2')
    await migrate('create table v2.orders (id int)') // not yet what is claimed
    expect(await rejected('drop table v1.orders')).not.toEqual([])
    await migrate('alter table v2.orders add total int')
    await migrate('drop table v1.orders')
    expect(await rejected('alter table v2.orders drop total')).toEqual([
      'IDB201 reporter needs v2.orders.total (integer): the column was dropped',
    ])
    await migrate('alter table v2.orders add sum int; alter table v2.orders drop total')
    await migrate('begin; create table v1.orders (id int, total int); drop schema v2 cascade; commit')
  })

  test('none: what each lacks is told', async () => {
    expect(
      await refusal(database, 'reporter', [
        { alternatives: [{ path: 'v2.orders' }, { path: 'v1.orders', fields: ['a', 'b'] }, { path: 'v3.*', fields: '*' }] },
      ]),
    ).toEqual([
      '/match/0/alternatives/0/path: needs v2.orders: there is no such relation',
      '/match/0/alternatives/1/fields/0: needs v1.orders.a: there is no such column',
      '/match/0/alternatives/1/fields/1: needs v1.orders.b: there is no such column',
      '/match/0/alternatives/2/path: needs v3.*: schema v3 has no table or view to claim',
    ])
  })

  test('with wildcards', async () => {
    await setClaims(database, 'reporter', [
      {
        alternatives: [
          { path: 'v2.*', fields: '*' },
          { path: 'v1.*', fields: '*' },
        ],
      },
    ])
    await expectAllWell(database)
    await migrate('create schema v2; create table v2.a (x int)')
    await migrate('create table v2.b (y int)')
    await migrate('drop schema v1 cascade')
    await migrate('alter table v2.a add z int')
    expect(await rejected('drop table v2.b')).toEqual(['IDB101 reporter needs v2.b: the relation was dropped'])
  })

  test('overlapping with another match on the same relation', async () => {
    await setClaims(database, 'reporter', [
      ...claimed,
      { path: 'v1.orders', fields: ['amount'] },
      { path: 'v1.*', fields: '*', optional: true },
    ])
    await expectAllWell(database)
    await setClaims(database, 'reporter', [...claimed, { path: 'v1.orders', fields: ['amount'] }])
    expect(await privilegesOf(database, 'reporter')).toEqual([
      'SELECT on v1.orders.amount',
      'SELECT on v1.orders.id',
      'SELECT on v1.orders.total',
      'USAGE on schema v1',
    ])
    await expectAllWell(database)
  })

  test('optional: none need be there', async () => {
    await setClaims(database, 'reporter', [{ ...claimed[0], optional: true }])
    await migrate('drop schema v1 cascade')
    expect(await privilegesOf(database, 'reporter')).toEqual([])
    await migrate('create schema v2; create table v2.orders (id int, sum int)')
    expect(await privilegesOf(database, 'reporter')).toEqual(['SELECT on v2.orders.id', 'SELECT on v2.orders.sum', 'USAGE on schema v2'])
  })
})

describe('two stakeholders on one relation', () => {
  test('are judged and granted each for itself', async () => {
    await setClaims(database, 'reporter', [{ path: 'v1.*', fields: '*' }])
    await setClaims(database, 'billing', [
      {
        alternatives: [
          { path: 'v1.orders', fields: ['total'] },
          { path: 'v1.orders_v2', fields: ['amount'] },
        ],
      },
    ])
    await expectAllWell(database)
    await migrate('create table v1.orders_v2 (amount int); alter table v1.orders add later int')
    expect(await rejected('alter table v1.orders drop total')).toEqual([
      'IDB201 reporter needs v1.orders.total (integer): the column was dropped',
    ])
    await setClaims(database, 'reporter', [{ path: 'v1.orders', fields: ['id'] }])
    await migrate('alter table v1.orders drop total')
    expect(await rejected('drop table v1.orders, v1.orders_v2')).toEqual([
      'IDB101 reporter needs v1.orders: the relation was dropped',
      'IDB101 billing needs v1.orders_v2: the relation was dropped',
    ])
  })
})

test('what a wildcard takes in does not hide what the same migration breaks in that alternative', async () => {
  await database.rows('create schema v9; create table v9.orders (id int primary key, total int); create schema v8')
  await setClaims(database, 'reporter', [
    {
      alternatives: [
        { path: 'v8.*', fields: '*' },
        { path: 'v9.*', fields: '*' },
      ],
    },
  ])
  const error = await database.failure('begin; create table v9.other (id int); alter table v9.orders drop total; commit')
  expect(error.detail).toContain('IDB201 reporter needs v9.orders.total')
  await database.rows('rollback')
})

test('a sequence that was used by what is gone is not used any more', async () => {
  await database.rows('create table v1.numbered (id serial primary key); create table v1.entry (note text) inherits (v1.numbered)')
  const access = ['select', 'insert']
  await setClaims(database, 'reporter', [{ path: 'v1.entry', fields: ['id', 'note'], access, optional: true }])
  const mayUse = () => database.value(`select has_sequence_privilege('reporter', 'v1.numbered_id_seq', 'usage')`)
  expect(await mayUse()).toBe(true)
  await migrate('drop table v1.entry')
  expect(await mayUse()).toBe(false)
  await database.rows('create table v1.entry (note text) inherits (v1.numbered)')
  expect(await mayUse()).toBe(true)
  await database.rows(`
    select integratedb.remove_claims('billing');
    select integratedb.set_enforcement('warn')`)
  await setClaims(database, 'reporter', [{ path: 'v1.entry', fields: ['id', 'note'], access }])
  await database.rows(`drop table v1.entry; select integratedb.set_enforcement('enforce')`)
  expect(await mayUse()).toBe(false)
})

test('usage of a schema goes with the last that is held in it, of what no longer holds too', async () => {
  await database.rows('create schema v2; create table v2.orders (id int, total int)')
  await setClaims(database, 'reporter', [
    {
      alternatives: [
        { path: 'v1.orders', fields: ['amount'] },
        { path: 'v2.orders', fields: ['total'] },
      ],
    },
  ])
  await migrate('alter table v1.orders alter amount type text')
  const usage = () => database.value(`select has_schema_privilege('reporter', 'v1', 'usage')`)
  expect(await usage()).toBe(true)
  await migrate('alter table v1.orders drop amount')
  expect(await usage()).toBe(false)
})

test('usage of a sequence goes with what no longer has the claimed name, too', async () => {
  await database.rows('create table v1.numbered (id serial primary key)')
  await setClaims(database, 'reporter', [{ path: 'v1.numbered', fields: '*', access: ['select', 'insert'] }])
  await database.rows(`select integratedb.set_enforcement('warn')`)
  await database.rows(`alter schema v1 rename to v3; select integratedb.set_enforcement('enforce')`)
  expect(await database.value(`select has_sequence_privilege('reporter', 'v3.numbered_id_seq', 'usage')`)).toBe(false)
  await migrate('alter schema v3 rename to v1')
  expect(await database.value(`select has_sequence_privilege('reporter', 'v1.numbered_id_seq', 'usage')`)).toBe(true)
})
