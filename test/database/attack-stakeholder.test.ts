/** What can a stakeholder do with what it has: its privileges, its schema, its role, its open sessions? And two administrators at once. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { complaints } from '../support/installation.ts'
import { expectAllWell, privilegesOf, setClaims } from '../support/oracle.ts'

let db: TestDatabase
let reporter: Session
beforeEach(async () => {
  db = await TestDatabase.create()
  await db.rows(`
    create role nobody login; create role owner login; grant connect on database ${db.name} to nobody; create schema shop authorization owner;
    create table shop.orders (id serial primary key, total numeric, note text); alter table shop.orders owner to owner;
    insert into shop.orders (total, note) values (1, 'secret');
    select integratedb.add_stakeholder('reporter'); select integratedb.add_stakeholder('billing')`)
  await setClaims(db, 'reporter', [{ path: 'shop.orders', fields: ['id', 'total'], access: ['select', 'insert'] }])
  reporter = await db.connect('reporter')
})
afterEach(() => db.drop())

describe('a stakeholder that grants on', () => {
  test('cannot, unless somebody gave it a grant option: then all that it granted goes with its own', async () => {
    await reporter.rows('grant select (id) on shop.orders to nobody')
    expect(reporter.notices).toEqual([expect.objectContaining({ message: expect.stringContaining('no privileges were granted') })])
    for (const call of [
      'select * from integratedb.sync()',
      `select * from integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["id"]}]}')`,
      `select * from integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["note"]}]}')`,
      `select integratedb.remove_claims('reporter')`,
      `select integratedb.remove_stakeholder('reporter')`,
    ]) {
      await setClaims(db, 'reporter', [{ path: 'shop.orders', fields: ['id', 'total'], access: ['select', 'insert'] }])
      await db.rows(`
        grant usage on schema shop to reporter with grant option; grant usage on sequence shop.orders_id_seq to reporter with grant option;
        grant select, delete on shop.orders to reporter with grant option; grant insert (total) on shop.orders to reporter with grant option`)
      await reporter.rows(`
        grant usage on schema shop to nobody; grant usage on sequence shop.orders_id_seq to nobody; grant select, delete on shop.orders to nobody;
        grant insert (total) on shop.orders to nobody`)
      expect((await privilegesOf(db, 'nobody')).length).toBe(5)
      await db.rows(call)
      const left = (await privilegesOf(db, 'nobody')).filter(
        (privilege) => privilege.includes('shop.orders.') || privilege.endsWith('shop.orders'),
      )
      expect([call, left]).toEqual([call, []])
      if (call.includes('remove')) expect(await privilegesOf(db, 'nobody')).toEqual([])
    }
  })

  test('cannot hand on its role, or take another', async () => {
    for (const statement of [
      'grant reporter to nobody',
      'grant billing to reporter',
      'grant owner to reporter',
      'grant integratedb_admin to reporter',
      'grant pg_read_all_data to reporter',
      'set role billing',
      'set role owner',
      'set session authorization owner',
      'create role mine',
      'alter role reporter createrole',
      'alter role reporter bypassrls',
      `alter role billing password 'x'`,
      `alter role billing set search_path = reporter`,
      `alter database ${db.name} set search_path = reporter`,
      'alter schema reporter owner to nobody',
      'alter schema reporter rename to billing_2',
      'create schema billing_2',
      `alter default privileges for role owner grant select on tables to reporter`,
    ])
      expect([statement, (await reporter.failure(statement)).code]).toEqual([statement, '42501'])
  })
})

describe('a stakeholder that owns', () => {
  test('drops nothing that others claim', async () => {
    await reporter.rows('create table reporter.shared (id int); create view reporter.over as select id from reporter.shared')
    await setClaims(db, 'billing', [{ path: 'reporter.shared', fields: '*' }])
    for (const statement of [
      'drop table reporter.shared cascade',
      'drop schema reporter cascade',
      'drop view reporter.over; drop table reporter.shared',
      'revoke all on reporter.shared from billing; revoke all (id) on reporter.shared from billing',
      'revoke usage on schema reporter from billing',
      'alter table reporter.shared rename to mine',
      'alter table reporter.shared enable row level security',
      'do $$ begin drop table reporter.shared cascade; create table reporter.shared (id text); end $$',
    ])
      expect([statement, (await reporter.failure(statement)).code]).toEqual([statement, 'IDB01'])
    await expectAllWell(db)
  })

  test('drops its own schema, and nothing of ours fails for it', async () => {
    await reporter.rows('drop schema reporter cascade')
    await setClaims(db, 'reporter', [{ path: 'shop.orders', fields: ['id'] }])
    await db.rows(`select * from integratedb.sync(); select * from integratedb.audit_access(); alter table shop.orders add column more int`)
    const doctor = await db.rows<{ check_name: string; detail: string; fix: string }>(
      `select * from integratedb.doctor() where status <> 'ok'`,
    )
    expect(doctor).toMatchObject([{ check_name: 'stakeholders', detail: 'reporter has no schema' }])
    for (const { fix } of doctor) await db.rows(fix)
    expect(await complaints(db)).toEqual([])
  })

  test('gives away what it cannot hold: nothing is left of it after its removal', async () => {
    await reporter.rows(`
      create table reporter.bait (id int); grant all on schema reporter to public; grant all on reporter.bait to public;
      create function reporter.f() returns int language sql security definer as 'select count(*)::int from shop.orders'; grant execute on function reporter.f() to public;
      alter default privileges grant all on tables to public; alter default privileges grant all on functions to nobody;
      select lo_create(4712); alter role reporter set search_path = reporter`)
    const nobody = await db.connect('nobody')
    await nobody.rows('create table reporter.planted (id int)')
    await db.rows(`select integratedb.remove_stakeholder('reporter')`)
    expect(
      await db.rows(
        `select * from pg_shdepend s where refclassid = 'pg_authid'::regclass and not exists (select from pg_authid where oid = refobjid)`,
      ),
    ).toEqual([])
    expect(await db.rows('select * from pg_default_acl')).toEqual([])
    // What was open to PUBLIC reads nothing of others' any more.
    expect((await nobody.failure('select reporter.f()')).code).toBe('42501')
    // A stakeholder of the same name is another one.
    await db.rows('alter schema reporter rename to reporter_before')
    await db.rows(`select integratedb.add_stakeholder('reporter')`)
    expect(await privilegesOf(db, 'reporter')).toEqual([])
    expect((await (await db.connect('reporter')).failure('select * from reporter_before.planted')).code).toBe('42501')
  })
})

describe('a session that goes on', () => {
  const prepared = `set plan_cache_mode = force_generic_plan; prepare q as select total from shop.orders;
    create function pg_temp.f() returns numeric language plpgsql as 'begin return (select sum(total) from shop.orders); end'`

  test('has what was prepared before no longer run when it is no longer claimed', async () => {
    await reporter.rows(prepared)
    await reporter.rows('execute q; execute q; select pg_temp.f()')
    await setClaims(db, 'reporter', [{ path: 'shop.orders', fields: ['id'] }])
    for (const statement of ['execute q', 'select pg_temp.f()', 'select total from shop.orders'])
      expect([statement, (await reporter.failure(statement)).code]).toEqual([statement, '42501'])
  })

  test.each(['read committed', 'repeatable read', 'serializable'])(
    'at %s has it at most until the end of its transaction',
    async (level) => {
      await reporter.rows(prepared)
      await reporter.rows(
        `begin isolation level ${level}; execute q; select pg_temp.f(); declare c cursor with hold for select total from shop.orders`,
      )
      await setClaims(db, 'reporter', [{ path: 'shop.orders', fields: ['id'] }])
      await reporter.rows('commit')
      for (const statement of ['execute q', 'select pg_temp.f()', 'select total from shop.orders'])
        expect([statement, (await reporter.failure(statement)).code]).toEqual([statement, '42501'])
    },
  )

  test('ends when the stakeholder is removed, and logs in no more', async () => {
    const busy = reporter.client.query('select pg_sleep(60)').then(
      () => 'slept',
      (error) => error.code,
    )
    const idle = await db.connect('reporter')
    await idle.rows('begin; select id from shop.orders; create table reporter.t (id int)')
    await db.rows(`select integratedb.remove_stakeholder('reporter')`)
    expect(await busy).toBe('57P01')
    await expect(idle.rows('select 1')).rejects.toThrow()
    await expect(db.connect('reporter')).rejects.toThrow('does not exist')
    // What was told that it ends may not have ended yet.
    await expect
      .poll(() => db.value(`select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`))
      .toBe(0)
  })
})

describe('two administrators at once', () => {
  const calls = {
    add: `select integratedb.add_stakeholder('raced')`,
    rename: `select integratedb.rename_stakeholder('reporter', 'raced')`,
    remove: `select integratedb.remove_stakeholder('reporter')`,
    drop: `select integratedb.remove_stakeholder('reporter', false)`,
    claim: `select * from integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["note"]}]}')`,
    sync: 'select * from integratedb.sync()',
  }
  const pairs = Object.keys(calls).flatMap((a) => Object.keys(calls).map((b) => [a, b] as [keyof typeof calls, keyof typeof calls]))

  test.each(pairs)('%s, and %s: as if one came after the other, or one is told', async (a, b) => {
    const [one, two] = [await db.connect(), await db.connect()]
    await one.rows('begin')
    await one.rows(calls[a])
    await two.rows(`set deadlock_timeout = '50ms'`)
    let outcome = ''
    const second = two.rows(calls[b]).then(
      () => {
        outcome = 'done'
      },
      (error) => {
        outcome = error.code
      },
    )
    const pid = (two.client as unknown as { processID: number }).processID
    while (outcome === '' && (await db.value<number>('select count(*) from pg_locks where pid = $1 and not granted', [pid])) === 0)
      await new Promise((resolve) => setImmediate(resolve))
    await one.rows('commit')
    await second
    // IDB04: it is gone, or has another name; IDB05: the name is taken; a retry cures 40P01 and 40001.
    expect(['done', 'IDB04', 'IDB05', '40P01', '40001']).toContain(outcome)
    expect(await complaints(db)).toEqual([])
    // Each stakeholder has its role and schema, and no role is left without one.
    expect(
      await db.rows(
        `select s.name, r.rolname, n.nspname from integratedb.stakeholder s full join pg_roles r on r.rolname = s.name left join pg_namespace n on n.nspname = r.rolname and n.nspowner = r.oid
          where (s.name is not null or r.rolname in ('reporter', 'raced', 'billing')) and (s.name is null or r.rolname is null or n.nspname is null)`,
      ),
    ).toEqual([])
    await expectAllWell(db)
  })
})
