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
    drop schema if exists app, store cascade;
    create schema app`)
})

const everything = [{ path: 'app.*', fields: '*' }]

async function migrate(sql: string): Promise<void> {
  await database.rows(sql)
  await expectAllWell(database)
}

const paths = async () =>
  (await database.rows(`select distinct path from integratedb.claims where stakeholder = 'reporter' order by 1`)).map(({ path }) => path)

describe('schema.*', () => {
  test('takes in whatever one can select from, and neither partitions nor what an extension owns', async () => {
    await database.rows(`
      create extension if not exists file_fdw;
      create server if not exists files foreign data wrapper file_fdw;
      create table app.t (a int);
      create view app.v as select * from app.t;
      create view app.uncertain as select 1 / a as x from app.t;
      create materialized view app.m as select * from app.t with no data;
      create foreign table app.f (line text) server files options (filename '/nowhere');
      create table app.parted (a int) partition by range (a);
      create table app.part_1 partition of app.parted for values from (0) to (9);
      create table app.child (b int) inherits (app.t);
      create sequence app.s;
      create type app.c as (a int);
      create extension pg_stat_statements schema app;`)
    await setClaims(database, 'reporter', everything)
    expect(await paths()).toEqual(['app.child', 'app.f', 'app.m', 'app.parted', 'app.t', 'app.uncertain', 'app.v'])
    await expectAllWell(database)
    await migrate('drop table app.part_1')
    await migrate('create table app.part_2 partition of app.parted for values from (9) to (20)')
    await migrate('alter table app.parted add b int')
    await migrate('alter table app.t add later int')
    await migrate('drop extension pg_stat_statements')
    expect(await privilegesOf(database, 'reporter')).toContain('SELECT on app.child.later')
  })

  test('a foreign table that nobody can write, its wrapper has no handler, is taken in all the same', async () => {
    await database.rows('create foreign data wrapper hollow; create server hollow foreign data wrapper hollow; create table app.t (a int)')
    const written = { path: 'app.*', fields: '*', access: ['select', 'insert', 'update', 'delete'] }
    await setClaims(database, 'reporter', [written])
    await database.rows('create foreign table app.f (a int) server hollow; create view app.v as select a from app.f')
    await database.rows('alter foreign table app.f add b int; alter table app.t add b int')
    expect(await paths()).toEqual(['app.f', 'app.t', 'app.v'])
    expect(await privilegesOf(database, 'reporter')).toContain('INSERT on app.t.b')
    await setClaims(database, 'reporter', [written])
    await database.rows(`select integratedb.remove_claims('reporter'); drop foreign data wrapper hollow cascade`)
  })

  test('a materialized view that holds no data may go on like that, until it holds some', async () => {
    await database.rows(`
      create table app.t (a int);
      create materialized view app.m as select * from app.t with no data`)
    await setClaims(database, 'reporter', everything)
    await migrate('refresh materialized view app.m with no data')
    await migrate('refresh materialized view app.m')
    expect((await database.failure('refresh materialized view app.m with no data')).detail).toContain('IDB104 reporter needs app.m')
  })

  test('so may a view over one', async () => {
    await database.rows(`
      create schema store;
      create table app.t (a int);
      create materialized view store.m as select * from app.t;
      create view app.v as select * from store.m;
      refresh materialized view store.m with no data`)
    await setClaims(database, 'reporter', everything)
    await migrate('create view app.later as select * from app.v')
    await migrate('refresh materialized view store.m with no data')
    await migrate('refresh materialized view store.m')
    const { detail, hint } = await database.failure('refresh materialized view store.m with no data')
    expect(detail).toContain('IDB104 reporter needs app.later (data): a materialized view behind it holds no data')
    expect(detail).toContain('IDB104 reporter needs app.v (data): a materialized view behind it holds no data')
    expect(hint).toContain('Refresh the materialized view with data')
    await expectAllWell(database)
  })

  test('a view that nobody can read is met when something behind it, in another schema, makes it readable', async () => {
    await database.rows(`
      create schema store;
      create table store.t (a int);
      create view store.v with (security_invoker = true) as select a from store.t;
      create table app.t (a int)`)
    await setClaims(database, 'reporter', [{ path: 'app.*', fields: '*', access: ['select', 'insert', 'update'] }])
    // What computes all its columns can be inserted into by nobody, which is none of a wildcard's business.
    await database.rows('create view app.v as select to_jsonb(t) as row from store.v t')
    expect(await database.rows('select path from integratedb.unmet_claims()')).toEqual([{ path: 'app.v' }])
    await migrate('alter view store.v set (security_invoker = false)')
    expect(await database.rows('select path from integratedb.unmet_claims()')).toEqual([])
    expect((await database.failure('alter view store.v set (security_invoker = true)')).detail).toContain('IDB404 reporter needs app.v')
  })

  test('a view that cannot be planned or read can be claimed all the same', async () => {
    await database.rows(`
      create table app.t (a int);
      create function app.f() returns int language sql stable as 'select a from app.t';
      create view app.broken as select app.f() as x, 1/0 as y;
      set check_function_bodies = off; drop table app.t; create role nobody_much; alter view app.broken owner to nobody_much`)
    await setClaims(database, 'reporter', [{ path: 'app.broken', fields: ['x'] }])
    await database.rows(`select integratedb.remove_claims('reporter'); drop view app.broken`)
  })

  test('new tables and columns are granted when they are made, in whatever shape', async () => {
    await database.rows('create table app.first (a int)')
    await setClaims(database, 'reporter', everything)
    await setClaims(database, 'billing', [{ path: 'app.first', fields: '*' }])
    await migrate('create table app.second (a int); alter table app.first add b text')
    expect(await database.value('select touched from integratedb.migrations order by id desc limit 1')).toEqual(['app.first', 'app.second'])
    await migrate('create table app.third as select * from app.first')
    await migrate('select * into app.fourth from app.first')
    await migrate('create view app.fifth as select a from app.first')
    await migrate('create or replace view app.fifth as select a, b from app.first')
    await migrate('create table public.sixth (a int); alter table public.sixth set schema app')
    await migrate('begin; savepoint s; create table app.seventh (a int); rollback to s; create table app.eighth (a int); commit')
    await migrate('begin; drop table app.third; create table app.third (a int, b text, c int); commit')
    await migrate('begin; alter table app.second rename to old_second; create view app.second as select * from app.old_second; commit')
    expect(await paths()).toEqual(
      ['eighth', 'fifth', 'first', 'fourth', 'old_second', 'second', 'sixth', 'third'].map((name) => `app.${name}`),
    )
  })

  test('an empty schema, or none', async () => {
    expect(await refusal(database, 'reporter', [...everything, { path: 'nowhere.*', fields: '*' }])).toEqual([
      '/match/0/path: needs app.*: schema app has no table or view to claim',
      '/match/1/path: needs nowhere.*: schema nowhere has no table or view to claim',
    ])
    await setClaims(database, 'reporter', [{ ...everything[0], optional: true }])
    await expectAllWell(database)
    await migrate('create table app.t (a int)')
    await migrate('drop table app.t')
    await migrate('create table app.t (b int)')
  })

  test('a table is not dropped, renamed or moved away from under it', async () => {
    await database.rows('create table app.t (a int); create table app.u (a int)')
    await setClaims(database, 'reporter', everything)
    for (const [sql, code] of [
      ['drop table app.t', 'IDB101'],
      ['alter table app.t rename to s', 'IDB102'],
      ['alter table app.t set schema public', 'IDB103'],
      ['alter schema app rename to app2', 'IDB103'],
      ['drop schema app cascade', 'IDB101'],
      ['begin; drop table app.t; create sequence app.t; commit', 'IDB104'],
    ] as const) {
      const failure = await database.failure(sql)
      await database.rows('rollback')
      expect(failure.detail).toMatch(`${code} reporter needs app.t`)
      await expectAllWell(database)
    }
  })

  test('a view none of whose columns an insert can name loses nothing when none goes in at all', async () => {
    await database.rows(`
      create table app.t (id serial primary key, n int generated always as (2 + 3) stored);
      create schema store; create view store.v as select n, n + 1 as later from app.t`)
    await setClaims(database, 'reporter', [{ path: 'store.*', fields: '*', access: ['select', 'insert', 'update', 'delete'] }])
    // Postgres fills the column then, which it computes itself: "cannot insert into column".
    await migrate(`alter view store.v alter later set default 7`)
    expect((await database.failure('alter view store.v rename later to sooner')).code).toBe('IDB01')
  })

  test('nor when a view takes the place of a table of which that is so', async () => {
    await database.rows('create table app.t (id int generated always as identity)')
    await setClaims(database, 'reporter', [{ path: 'app.*', fields: '*', access: ['select', 'insert'] }])
    await migrate('begin; alter table app.t rename to u; create view app.t as select * from app.u; commit')
    // Now it takes some: of that column only.
    await migrate('create or replace view app.t as select id, null::text as name from app.u; alter table app.u add name text')
    await migrate('create or replace view app.t as select id, name from app.u where false')
    expect(await privilegesOf(database, 'reporter')).toContain('INSERT on app.t.name')
    expect((await database.failure('drop view app.t; alter table app.u drop name; alter table app.u rename to t')).code).toBe('IDB01')
  })

  test('a view that leaves out what an insert has to fill takes none, also after a migration that touches only what is behind it', async () => {
    await database.rows(`
      create schema base;
      create table base.t (id int not null, name text, total int);
      create view app.v as select name, total from base.t`)
    try {
      await setClaims(database, 'reporter', [{ path: 'app.*', fields: '*', access: ['select', 'insert'] }])
      await migrate('alter table base.t add check (total > 0)')
      await migrate('alter table base.t add check (total < 9)')
      await migrate('alter table base.t alter id set default 1')
      expect(await database.failure('alter table base.t alter id drop default')).toMatchObject({
        code: 'IDB01',
        detail: expect.stringMatching(/^IDB211 reporter needs app\.v\.id /),
      })
    } finally {
      await database.rows(`select integratedb.remove_claims('reporter'); drop schema base cascade`)
    }
  })

  test('a table whose checks the stakeholder may not execute is read all the same, and protected for that', async () => {
    await migrate(`create schema store; create table app.t (id int);
      create function store.ok(text) returns boolean immutable language plpgsql as $$ begin return true; end $$; revoke execute on function store.ok from public`)
    await setClaims(database, 'reporter', [{ path: 'app.*', fields: '*', access: ['select', 'insert', 'update', 'delete'] }])
    await migrate('create table app.checked (id int, note text check (store.ok(note)))')
    await database.rows('set role reporter; select note from app.checked; reset role')
    expect((await database.failure('alter table app.checked drop note')).detail).toContain('IDB201 reporter needs app.checked.note')
    expect((await database.failure('drop table app.checked')).detail).toContain('IDB101 reporter needs app.checked')
    // By name it has to be writable.
    expect(await refusal(database, 'billing', [{ path: 'app.checked', fields: '*', access: ['insert', 'update'] }])).toEqual([
      expect.stringContaining('needs app.checked (execute): billing may not execute store.ok(text)'),
    ])
    await migrate('grant execute on function store.ok to reporter')
    await database.rows(`set role reporter; insert into app.checked values (1, 'a'); reset role`)
    await expectAllWell(database)
  })

  test('a column that could not be written becomes one that can, in a migration that moves privileges', async () => {
    await database.rows('create table app.t (a int generated always as (1) stored)')
    await setClaims(database, 'reporter', [{ path: 'app.*', fields: '*', access: ['insert'] }])
    expect(await privilegesOf(database, 'reporter')).toEqual([])
    await database.rows('begin; alter table app.t alter a drop expression; revoke insert (a) on app.t from public; commit')
    expect(await privilegesOf(database, 'reporter')).toEqual(['INSERT on app.t.a', 'USAGE on schema app'])
  })

  test('what never could be read and goes is not followed under another name', async () => {
    await database.rows('create schema base; create table base.t (a int); create table app.t (a int)')
    try {
      await setClaims(database, 'reporter', everything)
      await database.rows('create view app.v with (security_invoker = true) as select a from base.t')
      await database.rows('alter view app.v rename to w')
      const rows = async () =>
        await database.rows(`select relation_name, relid is null as is_forgotten from integratedb.claim where status = 'unmet' order by 1`)
      const unmet = [
        { relation_name: 'v', is_forgotten: true },
        { relation_name: 'w', is_forgotten: false },
      ]
      expect(await rows()).toEqual(unmet)
      await database.rows('select from integratedb.sync()')
      expect(await rows()).toEqual(unmet)
    } finally {
      await database.rows(`select integratedb.remove_claims('reporter'); drop schema base cascade`)
    }
  })
})

describe('unmet_claims and sync', () => {
  const silently = (sql: string) =>
    database.rows(`
      alter event trigger integratedb_note_ddl disable; alter event trigger integratedb_note_drop disable;
      ${sql};
      alter event trigger integratedb_note_ddl enable always; alter event trigger integratedb_note_drop enable always`)

  test('tell and repair what happened with the triggers off', async () => {
    await database.rows('create table app.t (a int, b int, c int); create table app.u (a int)')
    await setClaims(database, 'reporter', everything)
    await setClaims(database, 'billing', [{ path: 'app.t', fields: ['a', { name: 'b', type: 'int' }] }])
    await silently(`
      create table app.fresh (a int); alter table app.t add d int; revoke select (a) on app.t from billing; revoke usage on schema app from reporter`)
    expect(await database.rows('select code, stakeholder, path, field from integratedb.unmet_claims()')).toEqual([
      { code: 'IDB401', stakeholder: 'billing', path: 'app.t', field: 'a' },
      { code: 'IDB402', stakeholder: 'reporter', path: 'app.fresh', field: null },
      { code: 'IDB401', stakeholder: 'reporter', path: 'app.fresh', field: 'a' },
      { code: 'IDB402', stakeholder: 'reporter', path: 'app.t', field: null },
      { code: 'IDB401', stakeholder: 'reporter', path: 'app.t', field: 'd' },
      { code: 'IDB402', stakeholder: 'reporter', path: 'app.u', field: null },
    ])
    expect(await database.rows('select * from integratedb.sync()')).toEqual([])
    await expectAllWell(database)

    await silently('alter table app.t drop a, alter b type text, drop c; drop table app.u')
    const unmet = [
      'IDB201 billing app.t a',
      'IDB203 billing app.t b',
      'IDB201 reporter app.t a',
      'IDB203 reporter app.t b',
      'IDB201 reporter app.t c',
      'IDB101 reporter app.u null',
    ]
    const told = (rows: Record<string, unknown>[]) =>
      rows.map((row) => [row['code'], row['stakeholder'], row['path'], String(row['field'])].join(' '))
    expect(told(await database.rows('select * from integratedb.unmet_claims()'))).toEqual(unmet)
    expect(told(await database.rows('select * from integratedb.sync()'))).toEqual(unmet)
    expect(told(await database.rows('select * from integratedb.sync()'))).toEqual(unmet)
    for (const [most, rows] of [
      [1, 1],
      [3, 3],
      [6, 6],
      [7, 6],
      [null, 6],
    ]) {
      expect(await database.rows('select * from integratedb.unmet_claims($1)', [most])).toHaveLength(rows as number)
    }
    // What is unmet blocks nobody until it is met again.
    await database.rows('alter table app.t alter b type bigint using 1')
    await database.rows('create table app.u (a int)')
    await database.rows('alter table app.t alter b type int, add a int, add c int')
    expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])
    await expectAllWell(database)
    expect(await database.failure('alter table app.t drop a')).toMatchObject({ code: 'IDB01' })
  })

  test('what was let through and comes back under its name is usable again', async () => {
    await database.rows('create table app.t (a int)')
    await setClaims(database, 'reporter', [{ path: 'app.t', fields: ['a'] }])
    for (const [away, back] of [
      ['alter table app.t rename to u', 'create view app.t as select a from app.u'],
      ['drop table app.u cascade', 'create table app.t (a int)'],
    ] as const) {
      await database.rows(`select integratedb.set_enforcement('warn')`)
      await database.rows(away)
      await database.rows(`select integratedb.set_enforcement('enforce')`)
      expect(await privilegesOf(database, 'reporter')).toEqual([])
      await migrate(back)
      expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])
    }
    await database.rows(`select integratedb.set_enforcement('warn')`)
    await database.rows('alter table app.t enable row level security')
    await database.rows(`select integratedb.set_enforcement('enforce')`)
    await database.rows('alter table app.t rename to u')
    expect(await privilegesOf(database, 'reporter')).toEqual([])
  })
})
