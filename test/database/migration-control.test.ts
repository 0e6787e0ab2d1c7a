/** When is a migration judged, what becomes of the verdict, and what can nobody do about it? */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { expectClaimsToHold, expectSyncToChangeNothing, stateOf } from '../support/oracle.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create schema shop;
    create table shop.orders (id int, total numeric);
    create role owner login;
    alter schema shop owner to owner;
    alter table shop.orders owner to owner;
  `)
  await database.rows(`
    select integratedb.add_stakeholder('reporter');
    select from integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["id", "total"]}]}');
  `)
})
afterEach(() => database.drop())

const totalDropped = 'IDB201 reporter needs shop.orders.total (numeric): the column was dropped'
const findingsOf = 'select code, severity, stakeholder, path, field, expected, actual, message from integratedb.check_migration($1)'

async function columns(): Promise<string> {
  return await database.value(`select string_agg(attname, ' ' order by attnum) from pg_attribute
    where attrelid = 'shop.orders'::regclass and attnum > 0 and not attisdropped`)
}

describe('when', () => {
  test('SET CONSTRAINTS … IMMEDIATE judges at once, and every statement after it', async () => {
    for (const constraints of ['integratedb.claims_hold', 'all']) {
      await database.rows('begin; alter table shop.orders drop column total')
      expect((await database.failure(`set constraints ${constraints} immediate`)).detail).toBe(totalDropped)
      await database.rows('rollback')
      await database.rows(`begin; set constraints ${constraints} immediate; alter table shop.orders add column vat int`)
      expect((await database.failure('alter table shop.orders drop column total')).detail).toBe(totalDropped)
      await database.rows('rollback')
    }
  })

  test('judged early and then deferred again is judged again', async () => {
    await database.rows(`begin; alter table shop.orders add column vat int; set constraints all immediate; set constraints all deferred;
      alter table shop.orders drop column total`)
    expect((await database.failure('commit')).detail).toBe(totalDropped)
  })

  test('a judgement in a savepoint that is undone counts for nothing', async () => {
    await database.rows(`begin; alter table shop.orders drop column total; savepoint s; alter table shop.orders add column total numeric;
      set constraints all immediate; rollback to s`)
    expect((await database.failure('commit')).detail).toBe(totalDropped)
  })

  test('validate_migration judges so far; what follows is judged at the end', async () => {
    await database.rows('begin; alter table shop.orders add column vat int; select integratedb.validate_migration()')
    await database.rows('alter table shop.orders drop column total')
    expect((await database.failure('select integratedb.validate_migration()')).detail).toBe(totalDropped)
    await database.rows(
      'rollback; begin; alter table shop.orders add column vat int; select integratedb.validate_migration(); alter table shop.orders drop column total',
    )
    expect((await database.failure('commit')).detail).toBe(totalDropped)
    await database.rows('select integratedb.validate_migration()') // nothing to judge
    await database.rows(
      'begin; alter table shop.orders add vat int; select integratedb.validate_migration(); alter table shop.orders drop vat; commit',
    )
    expect(await database.value('select count(*) from integratedb.migrations')).toBe(1)
  })

  test('check_timing statement: the statement that breaks a claim fails itself', async () => {
    await database.rows(`select integratedb.set_check_timing('statement')`)
    await database.rows('begin; alter table shop.orders add column vat int')
    expect((await database.failure('alter table shop.orders drop column total')).detail).toBe(totalDropped)
    await database.rows('rollback')
    expect((await database.failure('begin; revoke select on shop.orders from reporter; commit')).code).toBe('IDB01')
    await database.rows('rollback')
    expect((await database.failure('begin; drop table shop.orders')).code).toBe('IDB01')
    await database.rows(`rollback; select integratedb.set_check_timing('commit')`)
    await database.rows('begin; drop table shop.orders; create table shop.orders (total numeric, id int); commit')
    await expectClaimsToHold(database)
    expect(await database.failure(`select integratedb.set_check_timing('never')`)).toMatchObject({
      code: 'IDB08',
      message: `check_timing cannot be 'never'`,
      detail: 'It is one of: commit, statement.',
    })
  })
})

describe('enforcement', () => {
  test('warn lets it through, tells, and remembers; the claim protects again when it is met again', async () => {
    await database.rows(`select integratedb.set_enforcement('warn')`)
    database.notices.length = 0
    await database.rows('alter table shop.orders drop column total')
    expect(database.notices).toEqual([
      {
        severity: 'WARNING',
        code: 'IDB01',
        message: 'migration breaks 1 claim of 1 stakeholder',
        detail: totalDropped,
        hint: 'It went through because enforcement is warn. integratedb.unmet_claims() lists what no longer holds.',
      },
    ])
    expect(
      await database.rows('select verdict, enforcement, overridden, touched, findings->0->>$1 as code from integratedb.migrations', [
        'code',
      ]),
    ).toEqual([{ verdict: 'reject', enforcement: 'warn', overridden: true, touched: ['shop.orders'], code: 'IDB201' }])
    expect(await database.rows('select code, path, field from integratedb.unmet_claims()')).toEqual([
      { code: 'IDB201', path: 'shop.orders', field: 'total' },
    ])
    expect(await database.value(`select status from integratedb.claims where field = 'total'`)).toBe('unmet')

    // Unmet already, it is in nobody's way…
    await database.rows(`select integratedb.set_enforcement('enforce')`)
    await database.rows('alter table shop.orders add column vat int', [])
    expect((await database.failure('alter table shop.orders drop column id')).message).toBe('migration breaks 1 claim of 1 stakeholder')
    // …until it is met again.
    await database.rows('alter table shop.orders add column total numeric')
    await expectClaimsToHold(database)
    await expectSyncToChangeNothing(database)
    expect((await database.failure('alter table shop.orders drop column total')).detail).toBe(totalDropped)
  })

  test('a relation dropped under warn protects again when it is back', async () => {
    await database.rows(`select integratedb.set_enforcement('warn')`)
    await database.rows('drop table shop.orders')
    await database.rows(`select integratedb.set_enforcement('enforce')`)
    await database.rows('create table shop.orders (id int)')
    expect((await database.failure('drop table shop.orders')).detail).toBe('IDB101 reporter needs shop.orders: the relation was dropped')
    await database.rows('alter table shop.orders add total numeric')
    await expectClaimsToHold(database)
    await expectSyncToChangeNothing(database)
    expect((await database.failure('alter table shop.orders drop total')).detail).toBe(totalDropped)
  })

  test.each([
    ['select on shop.orders', 'select (id, total) on shop.orders', 'IDB401'],
    ['usage on schema shop', 'usage on schema shop', 'IDB402'],
  ])('%s revoked under warn protects again when it is granted again', async (revoked, granted, code) => {
    await database.rows(`select integratedb.set_enforcement('warn')`)
    await database.rows(`revoke ${revoked} from reporter`)
    await database.rows(`select integratedb.set_enforcement('enforce')`)
    expect(await database.value('select code from integratedb.unmet_claims() limit 1')).toBe(code)
    // Not ours to give back unasked.
    await database.rows('alter table shop.orders add column vat int')
    expect(await database.value('select code from integratedb.unmet_claims() limit 1')).toBe(code)
    await database.rows(`grant ${granted} to reporter`)
    expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])
    await expectClaimsToHold(database)
    expect((await database.failure(`revoke ${revoked} from reporter`)).detail).toMatch(code)
  })

  test('a table that others know by two names: nobody is judged by what another remembers', async () => {
    await database.rows(`select integratedb.add_stakeholder('billing')`)
    await database.rows(`select from integratedb.set_claims('billing', '{"match": [{"path": "shop.*", "fields": "*"}]}')`)
    await database.rows(`select integratedb.set_enforcement('warn')`)
    await database.rows('alter table shop.orders rename to old')
    await database.rows('create table shop.orders (id int, total text)')
    await database.rows(`select integratedb.set_enforcement('enforce')`)
    await database.rows('alter table shop.orders add vat int', [])
    await database.rows('alter table shop.old add vat int')
    expect(await database.rows('select stakeholder, code, path, field from integratedb.unmet_claims() order by 1, 3, 4')).toEqual([
      { stakeholder: 'billing', code: 'IDB203', path: 'shop.orders', field: 'total' },
      { stakeholder: 'reporter', code: 'IDB203', path: 'shop.orders', field: 'total' },
    ])
  })

  test('off judges nothing; leaving it looks at what is there and blames nobody later', async () => {
    await database.rows(`select integratedb.set_enforcement('off')`)
    database.notices.length = 0
    await database.rows('alter table shop.orders drop column total')
    await database.rows('alter table shop.orders rename id to key')
    expect(database.notices).toEqual([])
    expect(await database.value('select array_agg(verdict) from integratedb.migrations')).toEqual(['unjudged', 'unjudged'])
    await database.rows(`select integratedb.set_enforcement('enforce')`)
    expect(await database.value('select count(*) from integratedb.unmet_claims()')).toBe(2)
    await database.rows('alter table shop.orders add column vat int')
    await database.rows('alter table shop.orders rename key to id')
    expect((await database.failure('alter table shop.orders rename id to key')).detail).toMatch(/^IDB202/)
    expect((await database.failure(`select integratedb.set_enforcement(null)`)).message).toBe('enforcement cannot be null')
  })
})

describe('check_migration', () => {
  test('tells what would break, and leaves nothing behind', async () => {
    const before = await stateOf(database)
    const owner = await database.connect('owner')
    await owner.rows('begin')
    expect(await owner.rows(findingsOf, ['alter table shop.orders drop column total; alter table shop.orders rename id to key'])).toEqual([
      {
        code: 'IDB202',
        severity: 'breaking',
        stakeholder: 'reporter',
        path: 'shop.orders',
        field: 'id',
        expected: 'integer',
        actual: 'key',
        message: 'the column was renamed to key',
      },
      {
        code: 'IDB201',
        severity: 'breaking',
        stakeholder: 'reporter',
        path: 'shop.orders',
        field: 'total',
        expected: 'numeric',
        actual: null,
        message: 'the column was dropped',
      },
    ])
    // Not even a lock beyond the look: others go on while this transaction is open.
    expect(await database.rows(`select mode from pg_locks where relation = 'shop.orders'::regclass and mode like '%Exclusive%'`)).toEqual(
      [],
    )
    await database.rows('alter table shop.orders add column vat int; alter table shop.orders drop column vat')
    await owner.rows('commit')
    expect(await stateOf(database)).toEqual(before)
    expect(await columns()).toBe('id total')
    await expectSyncToChangeNothing(database)
  })

  test('no rows if all is well, or nobody cares', async () => {
    const owner = await database.connect('owner')
    for (const ddl of ['alter table shop.orders add vat int', 'create table shop.t (a int)']) {
      expect(await owner.rows(findingsOf, [ddl])).toEqual([])
    }
    expect(await owner.rows(findingsOf, ['drop table shop.orders; create table shop.orders (id int, total numeric)'])).toEqual([])
  })

  test("runs with the caller's rights, search_path and nothing more", async () => {
    const owner = await database.connect('owner')
    await owner.rows('set search_path = shop')
    expect(await owner.rows('select code from integratedb.check_migration($1)', ['alter table orders rename to purchase'])).toEqual([
      { code: 'IDB102' },
    ])
    expect((await owner.failure('select integratedb.check_migration($1)', ['alter table integratedb.claim rename to c'])).code).toBe(
      '42501',
    )
    expect((await owner.failure('select integratedb.check_migration($1)', ['alter role owner superuser'])).code).toBe('42501')
    const reporter = await database.connect('reporter')
    expect((await reporter.failure('select integratedb.check_migration($1)', ['drop table shop.orders'])).code).toBe('42501')
  })

  test("the DDL's own errors are raised as they are", async () => {
    expect(await database.failure('select integratedb.check_migration($1)', ['alter table shop.nothing drop column a'])).toMatchObject({
      code: '42P01',
    })
    expect((await database.failure('select integratedb.check_migration($1)', ['altr table'])).code).toBe('42601')
    expect((await database.failure('select integratedb.check_migration($1)', ['create index concurrently on shop.orders (id)'])).code).toBe(
      '25001',
    )
    expect((await database.failure('select integratedb.check_migration($1)', [null])).code).toBe('IDB08')
    expect(await columns()).toBe('id total')
  })

  test('what begins or ends a transaction is none of its DDL', async () => {
    for (const ddl of ['begin; alter table shop.orders drop total; commit', 'alter table shop.orders drop total; commit', 'savepoint s'])
      expect(await database.failure('select integratedb.check_migration($1)', [ddl])).toMatchObject({
        code: 'IDB08',
        message: 'check_migration tries one transaction, and the DDL begins, ends or divides one',
      })
    // Postgres has other things that it does not support.
    const used = 'create view shop.w as select total from shop.orders; alter table shop.orders alter total type text'
    expect((await database.failure('select integratedb.check_migration($1)', [used])).code).toBe('0A000')
    expect(await columns()).toBe('id total')
  })

  test('judges at the end, whatever the timing is', async () => {
    const fine = 'drop table shop.orders; create table shop.orders (id int, total numeric)'
    const broken = 'alter table shop.orders drop total'
    await database.rows(`select integratedb.set_check_timing('statement')`)
    expect(await database.rows(findingsOf, [fine])).toEqual([])
    expect(await database.rows('select code from integratedb.check_migration($1)', [broken])).toEqual([{ code: 'IDB201' }])
    await database.rows(`select integratedb.set_check_timing('commit'); begin; set constraints all immediate`)
    expect(await database.rows(findingsOf, [fine])).toEqual([])
    expect(await database.rows('select code from integratedb.check_migration($1)', [broken])).toEqual([{ code: 'IDB201' }])
    await database.rows('commit')
  })

  test('revoked privileges too, and in the middle of a migration', async () => {
    expect(
      await database.rows('select code from integratedb.check_migration($1)', ['revoke select (id) on shop.orders from reporter']),
    ).toEqual([{ code: 'IDB401' }])
    await database.rows('begin; alter table shop.orders rename to purchase')
    expect(
      await database.rows('select code from integratedb.check_migration($1)', ['create view shop.orders as select * from shop.purchase']),
    ).toEqual([])
    expect(await database.rows('select code from integratedb.check_migration($1)', ['create table shop.t (a int)'])).toEqual([
      { code: 'IDB102' },
    ])
    expect((await database.failure('commit')).code).toBe('IDB01')
  })
})

describe('there is no way round it', () => {
  let owner: Session
  beforeEach(async () => {
    owner = await database.connect('owner')
  })
  afterEach(async () => {
    await owner.rows('rollback')
    expect(await columns()).toBe('id total')
    await expectClaimsToHold(database)
  })

  test('by what check_migration calls, on its own', async () => {
    await owner.rows(
      'begin; alter table shop.orders drop column total; select integratedb._begin_check(); select integratedb._judge_check()',
    )
    expect((await owner.failure('commit')).detail).toBe(totalDropped)
    await owner.rows(
      'begin; select integratedb._begin_check(); alter table shop.orders drop column total; select integratedb._begin_check()',
    )
    expect((await owner.failure('commit')).detail).toBe(totalDropped)
  })

  test('by settings', async () => {
    for (const setting of ['session_replication_role = replica', 'event_triggers = off']) {
      expect((await owner.failure(`set ${setting}`)).code).toMatch(/42501|42704/)
    }
    const superuser = await database.connect()
    await superuser.rows('set session_replication_role = replica')
    expect((await superuser.failure('alter table shop.orders drop column total')).detail).toBe(totalDropped)
    // Each of the two event triggers alone: a rename drops nothing, and DROP is no ddl_command_end.
    for (const sql of ['alter table shop.orders rename column total to amount', 'drop table shop.orders cascade'])
      expect([sql, (await superuser.failure(sql)).code]).toEqual([sql, 'IDB01'])
  })

  test('by DDL on what is ours', async () => {
    for (const sql of [
      'alter event trigger integratedb_note_ddl disable',
      'drop event trigger integratedb_note_drop',
      'alter table integratedb.migration disable trigger claims_hold',
      'alter table integratedb.migration disable trigger all',
      'drop trigger claims_hold on integratedb.migration',
      'delete from integratedb.migration',
      'update integratedb.epoch set working = pg_current_xact_id()',
      `update integratedb.setting set value = 'off'`,
      'select from integratedb.epoch for update',
      'do $$ begin lock table integratedb.epoch; end $$',
      `select integratedb.set_enforcement('off')`,
      'select integratedb._begin_work()',
      `select integratedb._note('X', '{}')`,
      'select integratedb._judge_migration(1)',
      'create function integratedb.f() returns int language sql as $$ select 1 $$',
    ]) {
      expect({ sql, code: (await owner.failure(sql)).code }).toEqual({ sql, code: '42501' })
    }
  })

  test("by operators and functions of one's own", async () => {
    await owner.rows(`
      create function shop.yes(oid, oid) returns boolean language sql immutable as 'select false';
      create operator shop.= (leftarg = oid, rightarg = oid, function = shop.yes);
      create function shop.now() returns timestamptz language sql as 'select null::timestamptz';
      set search_path = shop, pg_catalog`)
    expect((await owner.failure('alter table shop.orders drop column total')).detail).toBe(totalDropped)
  })

  test("by a view that runs the owner's function as whoever claims it", async () => {
    await owner.rows(`
      create table shop.seen (who text);
      create function shop.spy(int) returns boolean language plpgsql immutable as $$ begin raise warning 'as %', current_user; return true; end $$;
      create view shop.trap as select 1 as a where shop.spy(1);
      create materialized view shop.trap_too as select 1 as a;
      create index on shop.trap_too ((a + 1)) where shop.spy(1)`)
    database.notices.length = 0
    await database.rows(`select from integratedb.set_claims('reporter', '{"match": [
      {"path": "shop.orders", "fields": ["id", "total"]}, {"path": "shop.trap", "fields": "*"}, {"path": "shop.trap_too", "fields": "*"}]}')`)
    expect(database.notices).toEqual([])
  })
})
