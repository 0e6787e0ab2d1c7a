// A migration costs what it touches, never what there is: no statement of it reads all claims, or a whole catalogue.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reporter'), integratedb.add_stakeholder('billing');
    create schema app;
    create schema other;
    create table other.thing (id bigint primary key, name text);
    do $$ begin for i in 1..400 loop execute format('create table app.t%s (id bigint primary key, name text)', i); end loop; end $$`)
  await setClaims(database, 'reporter', [{ path: 'app.*', fields: '*' }])
  await setClaims(database, 'billing', [{ path: 'app.t7', fields: ['id'] }])
  // Without statistics, and on few rows, reading a table from its start to its end is right.
  await database.rows('vacuum analyze')
})
afterAll(() => database.drop())

/** Which of these tables, or indexes of claims, did the transaction read from start to end? (With scans switched off, an index is read instead.) */
async function wholeReads(sql: string): Promise<string[]> {
  const read = async () =>
    await database.rows<{ relname: string; reads: number }>(`
      select relname, seq_scan as reads from pg_stat_xact_all_tables
       where relid in ('integratedb.claim'::regclass, 'pg_class'::regclass, 'pg_type'::regclass, 'pg_attribute'::regclass, 'pg_depend'::regclass)
      union all
      select indexrelid::regclass::text, pg_stat_get_xact_tuples_returned(indexrelid) / 100 from pg_index where indrelid = 'integratedb.claim'::regclass
       order by 1`)
  await database.rows('begin')
  try {
    const before = new Map((await read()).map(({ relname, reads }) => [relname, reads]))
    await database.rows(`${sql}; set constraints all immediate`)
    const after = await read()
    return after.filter(({ relname, reads }) => reads > (before.get(relname) ?? 0)).map(({ relname }) => relname)
  } finally {
    await database.rows('rollback')
  }
}

test.each([
  'alter table other.thing alter name set default 1',
  'alter table other.thing add column price numeric',
  'create table other.new (id bigint primary key)',
  'create view other.seen as select id from other.thing',
  'create index on other.thing (name)',
  'drop table other.thing',
  "comment on table other.thing is 'a thing'",
  'alter table app.t7 add column price numeric',
  'alter table app.t8 alter name set default 1',
  'create table app.new (id bigint primary key)',
  'create view app.seen as select id from app.t9',
])('%s reads no whole table of claims, and no whole catalogue', async (sql) => {
  expect(await wholeReads(sql)).toEqual([])
})

test('that is seen: a count of all claims is such a read', async () => {
  expect(await wholeReads('do $$ begin perform count(fields) from integratedb.claim; end $$')).toEqual(['claim'])
})

// Where scans are switched off and one is needed all the same, PostgreSQL 15 to 17 give the plan a cost of 10^10 and compile it, each time: 30 ms for DDL
// that concerns nobody, as packages have it (jit = on, and LLVM; the server of these tests has none).
test('no function that switches scans off has its plans compiled', async () => {
  const functions = await database.rows<{ name: string; compiles: boolean }>(`
    select proname as name, 'jit=off' <> all (proconfig) as compiles from pg_proc
     where pronamespace = 'integratedb'::regnamespace and 'enable_seqscan=off' = any (proconfig)`)
  expect(functions.length).toBeGreaterThan(3)
  expect(functions.filter(({ compiles }) => compiles)).toEqual([])
})

/** What the transaction adds to a count that Postgres keeps of a catalogue. */
async function counted(counter: 'idx_scan' | 'idx_tup_fetch', catalogue: string, sql: string): Promise<number> {
  const read = async () =>
    await database.value<number>(`select coalesce(sum(${counter}), 0) from pg_stat_xact_all_tables where relid = '${catalogue}'::regclass`)
  await database.rows('select pg_stat_force_next_flush()') // or what was done in the last second counts as well
  await database.rows('begin')
  try {
    const before = await read()
    await database.rows(`${sql}; set constraints all immediate`)
    return (await read()) - before
  } finally {
    await database.rows('rollback')
  }
}

test('a claimed view costs what it reads: no other view is looked at', async () => {
  await database.rows(
    `create view other.first as select id, name from other.thing; create view other.second as select id, name from other.first`,
  )
  await setClaims(database, 'billing', [
    { path: 'other.second', fields: '*', access: ['select', 'insert'] },
    { path: 'app.t7', fields: ['id'] },
  ])
  // Beside those that Postgres has of its own, some 160.
  await database.rows(
    `do $$ begin for i in 1..100 loop execute format('create view app.v%s as select id from app.t%1$s', i); end loop; end $$; analyze`,
  )
  const alter = 'alter table other.thing alter name set default 1'
  await counted('idx_tup_fetch', 'pg_rewrite', alter) // what the catalogue's caches are filled with is read once
  expect(await counted('idx_tup_fetch', 'pg_rewrite', alter)).toBeLessThan(150)
})

describe('a REVOKE', () => {
  const during = async (sql: string) => await counted('idx_scan', 'pg_attribute', sql)

  test('that changed the privileges of no column looks at no columns of the relations that are claimed', async () => {
    await during('revoke select on other.thing from public') // what the catalogue's caches are filled with is read once
    expect(await during('revoke select on other.thing from public')).toBeLessThan(100)
  })

  test('that did looks at all of them, and so does any where the server does not count what a transaction writes', async () => {
    await database.rows('grant select (name) on other.thing to public')
    expect(await during('revoke select (name) on other.thing from public')).toBeGreaterThan(400)
    expect(await database.failure('set track_counts = off; revoke select (id) on app.t7 from billing')).toMatchObject({ code: 'IDB01' })
    await database.rows('reset track_counts')
  })
})
