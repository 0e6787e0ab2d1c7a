/** A migration in every shape that a tool or a person gives it: judged once, as a whole, whatever the statements were. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectClaimsToHold, expectSyncToChangeNothing } from '../support/oracle.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create schema shop;
    create table shop.orders (id int primary key, total numeric not null, note text);
    insert into shop.orders values (1, 10, 'first');
  `)
  await database.rows(`
    select integratedb.add_stakeholder('reporter');
    select from integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["id", "total"]}]}');
  `)
})
afterEach(() => database.drop())

/** What a stakeholder claims from now on. */
async function claim(...match: unknown[]): Promise<void> {
  await database.rows(`select from integratedb.set_claims('reporter', $1)`, [JSON.stringify({ match })])
}

/** Accepted, followed, and everything is as a full expansion would have it. */
async function accepted(...transactions: string[]): Promise<void> {
  for (const sql of transactions) await database.rows(sql)
  await expectClaimsToHold(database)
  await expectSyncToChangeNothing(database)
}

/** Rejected with these lines, and nothing of it is there. */
async function rejected(sql: string, ...lines: string[]): Promise<void> {
  const error = await database.failure(sql)
  expect({ code: error.code, lines: error.detail?.split('\n') }).toEqual({ code: 'IDB01', lines })
  await database.rows('rollback')
  await expectClaimsToHold(database)
  await expectSyncToChangeNothing(database)
}

/** `path.field`s that are claimed and met. */
async function met(): Promise<string[]> {
  const rows = await database.rows<{ claim: string }>(
    `select concat_ws('.', path, field) as claim from integratedb.claims where status = 'met' order by 1`,
  )
  return rows.map((row) => row.claim)
}

const totalDropped = 'IDB201 reporter needs shop.orders.total (numeric): the column was dropped'

test('a table that inherits from what somebody reads comes and goes, and is noticed each time', async () => {
  const isUnique = () => database.value(`select fields->0->'observed'->'unique' from integratedb.claim`)
  for (const [sql, unique] of [
    ['create table shop.more () inherits (shop.orders)', false],
    ['alter table shop.more no inherit shop.orders', true],
    ['alter table shop.more inherit shop.orders', false],
    ['create table shop.most () inherits (shop.more); alter table shop.more no inherit shop.orders', true],
    ['alter table shop.more inherit shop.orders; drop table shop.more cascade', true],
  ] as const) {
    await accepted(sql)
    expect(await isUnique(), sql).toBe(unique)
  }
})

test('a temporary table that inherits is its session’s alone', async () => {
  await claim({ path: 'shop.orders', fields: [{ name: 'id', unique: true, is_nullable: false }] })
  await database.rows('create temporary table mine () inherits (shop.orders)')
  await accepted('alter table shop.orders add column more int')
})

describe('the transaction', () => {
  test('is judged at its end: what is wrong in between does not matter', async () => {
    await accepted(`
      begin;
      alter table shop.orders rename to old_orders;
      create table shop.orders (id int primary key, total numeric not null);
      insert into shop.orders select id, total from shop.old_orders;
      drop table shop.old_orders;
      commit`)
  })

  test('fails at COMMIT, not before', async () => {
    await database.rows('begin')
    await database.rows('alter table shop.orders drop column total')
    expect((await database.failure('commit')).detail).toBe(totalDropped)
    expect(await database.value('select total from shop.orders')).toBe('10')
  })

  test('is not judged by what a savepoint has undone', async () => {
    await accepted(`
      begin; create table shop.unrelated (id int);
      savepoint before; alter table shop.orders drop column total; rollback to before;
      alter table shop.orders add column vat int; commit`)
    await rejected(
      `begin; savepoint outer_one; alter table shop.orders drop column total; savepoint inner_one;
       drop table shop.orders; rollback to inner_one; release outer_one; commit`,
      totalDropped,
    )
  })

  test('can be a DO block, with exceptions caught', async () => {
    await rejected(`do $$ begin alter table shop.orders drop column total; end $$`, totalDropped)
    await accepted(`
      do $$ begin
        begin drop table shop.orders; raise exception 'no'; exception when raise_exception then null; end;
        alter table shop.orders add column vat int;
      end $$`)
  })

  test('can be a function that somebody else calls, or a procedure that commits', async () => {
    await database.rows(`
      create function shop.migrate() returns void language plpgsql security definer as $$ begin alter table shop.orders drop column total; end $$;
      create procedure shop.migrate_in_steps() language plpgsql as $$ begin
        alter table shop.orders add column vat int; commit;
        alter table shop.orders drop column total; commit;
      end $$;
      create role clerk login; grant usage on schema shop to clerk`)
    const clerk = await database.connect('clerk')
    expect((await clerk.failure('select shop.migrate()')).detail).toBe(totalDropped)
    expect((await database.failure('call shop.migrate_in_steps()')).detail).toBe(totalDropped)
    expect(
      await database.value(
        `select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = 'shop.orders'::regclass and attnum > 0`,
      ),
    ).toBe('id total note vat')
  })

  test('can be prepared: rejected then, or accepted and committed later by another session', async () => {
    await rejected(`begin; alter table shop.orders drop column total; prepare transaction 'bad'`, totalDropped)
    expect(await database.rows('select gid from pg_prepared_xacts')).toEqual([])
    await database.rows(`begin; alter table shop.orders drop column note; alter table shop.orders add vat int; prepare transaction 'good'`)
    const other = await database.connect()
    await other.rows(`commit prepared 'good'`)
    await accepted('select 1')
    expect(await database.value('select array_agg(verdict) from integratedb.migrations')).toEqual(['accept'])
  })

  test('by an owner who has no right on integratedb', async () => {
    await database.rows(`create role owner login; grant usage, create on schema shop to owner; alter table shop.orders owner to owner`)
    const owner = await database.connect('owner')
    expect((await owner.failure('alter table shop.orders drop column total')).detail).toBe(totalDropped)
    await owner.rows('alter table shop.orders add vat int; alter table shop.orders drop note')
    await accepted('select 1')
    expect(
      await database.rows('select username, commands, touched, verdict, overridden from integratedb.migrations order by id desc limit 1'),
    ).toEqual([{ username: 'owner', commands: ['ALTER TABLE'], touched: ['shop.orders'], verdict: 'accept', overridden: false }])
  })

  test('with the settings that a person might try', async () => {
    const session = await database.connect(undefined, { application_name: 'deploy' })
    await session.rows(`set search_path = ''; set session_replication_role = replica; set row_security = off; set standard_conforming_strings = off;
      set quote_all_identifiers = on; set datestyle = 'German'; set bytea_output = 'escape'; set default_transaction_deferrable = on`)
    expect((await session.failure('alter table shop.orders drop column total')).detail).toBe(totalDropped)
    await session.rows('alter table shop.orders add column vat int')
    await accepted('select 1')
    expect(await database.value('select application_name from integratedb.migrations order by id desc limit 1')).toBe('deploy')
  })

  test('500 statements are judged once', async () => {
    await claim({ path: 'shop.*', fields: '*' })
    const judgements = 'select number from integratedb.epoch'
    const before = await database.value<number>(judgements)
    const started = Date.now()
    await database.rows(`begin; ${Array.from({ length: 500 }, (_, i) => `alter table shop.orders add column c${i} int`).join(';')}; commit`)
    const milliseconds = Date.now() - started
    console.log(`500 ALTER TABLE, judged once: ${milliseconds} ms`)
    expect(await database.value(judgements)).toBe(before + 1)
    expect(await met()).toHaveLength(503)
    await accepted('select 1')
  })
})

describe('the statements', () => {
  beforeEach(() => claim({ path: 'shop.*', fields: '*' }))

  test.each([
    ['CREATE TABLE', 'create table shop.t (a int)'],
    ['CREATE TABLE AS', 'create table shop.t as select 1 as a'],
    ['SELECT INTO', 'select 1 as a into shop.t'],
    ['CREATE VIEW', 'create view shop.t as select 1 as a'],
    ['CREATE MATERIALIZED VIEW', 'create materialized view shop.t as select 1 as a'],
    [
      'CREATE TABLE, partitioned',
      'create table shop.t (a int) partition by list (a); create table shop.t1 partition of shop.t for values in (1)',
    ],
    ['ALTER TABLE SET SCHEMA', 'create table public.t (a int); alter table public.t set schema shop'],
    ['ALTER TABLE RENAME COLUMN', 'create table shop.t (b int); alter table shop.t rename b to a'],
    [
      'CREATE FOREIGN TABLE',
      `create extension file_fdw; create server files foreign data wrapper file_fdw; create foreign table shop.t (a int) server files options (filename '/dev/null')`,
    ],
    ['CREATE RECURSIVE VIEW', 'create recursive view shop.t (a) as select 1'],
    ['CREATE TABLE LIKE', 'create table public.like_this (a int); create table shop.t (like public.like_this)'],
    ['CREATE TABLE OF a type', 'create type public.shape as (a int); create table shop.t of public.shape'],
  ])('%s: a wildcard takes it in', async (_, sql) => {
    await accepted(sql)
    expect(await met()).toEqual(['shop.orders.id', 'shop.orders.note', 'shop.orders.total', 'shop.t.a'])
    await rejected(
      sql.includes('foreign')
        ? 'drop foreign table shop.t'
        : /materialized/.test(sql)
          ? 'drop materialized view shop.t'
          : /view/.test(sql)
            ? 'drop view shop.t'
            : 'drop table shop.t',
      'IDB101 reporter needs shop.t: the relation was dropped',
    )
  })

  test('CREATE SCHEMA with elements', async () => {
    await claim({ path: 'later.*', fields: '*', optional: true })
    await accepted('create schema later create table t (a int) create view v as select a from t')
    expect(await met()).toEqual(['later.t.a', 'later.v.a'])
  })

  test('IMPORT FOREIGN SCHEMA', async () => {
    await database.rows('create schema remote; create table remote.t (a int)')
    await accepted(`
      create extension postgres_fdw;
      create server loopback foreign data wrapper postgres_fdw options (dbname '${database.name}');
      create user mapping for current_user server loopback options (user 'postgres')`)
    // The server's way to itself.
    await database.rows(`do $$ begin execute format('alter server loopback options (add port %L, add host %L)',
      current_setting('port'), coalesce(nullif(split_part(current_setting('unix_socket_directories'), ', ', 1), ''), '127.0.0.1')); end $$`)
    await database.rows('import foreign schema remote from server loopback into shop')
    expect(await met()).toContain('shop.t.a')
  })

  test('columns of all kinds of relations', async () => {
    await database.rows(`
      create view shop.v as select id from shop.orders;
      create materialized view shop.m as select id from shop.orders`)
    await accepted(
      'create or replace view shop.v as select id, total from shop.orders',
      'alter view shop.v rename id to order_id; alter view shop.v rename order_id to id',
    )
    expect(await met()).toContain('shop.v.total')
    await rejected(
      'alter view shop.v rename total to amount',
      'IDB202 reporter needs shop.v.total (numeric): the column was renamed to amount',
    )
    await rejected(
      'alter materialized view shop.m rename id to key',
      'IDB202 reporter needs shop.m.id (integer): the column was renamed to key',
    )
    await rejected('alter materialized view shop.m rename to n', 'IDB102 reporter needs shop.m: the relation was renamed to n')
  })

  test('ALTER INDEX renames tables too', async () => {
    await rejected(
      'alter index shop.orders rename to purchases',
      'IDB102 reporter needs shop.orders: the relation was renamed to purchases',
    )
  })

  test('what touches nobody leaves no row', async () => {
    const statements = `create temp table t (a int); alter table t add b int; drop table t;
      create index on shop.orders (total); comment on table shop.orders is 'orders'; analyze shop.orders; truncate shop.orders;
      create function public.f() returns int language sql as 'select 1'; revoke execute on function public.f() from public;
      create schema elsewhere; create table elsewhere.t (a int); alter table elsewhere.t add b int; grant select on elsewhere.t to public;
      revoke all on elsewhere.t from public; create type elsewhere.mood as enum ('good'); alter type elsewhere.mood add value 'bad';
      alter schema elsewhere rename to nowhere; drop table if exists public.nothing; drop schema nowhere cascade;
      create role visitor; grant reporter to visitor; revoke reporter from visitor; drop role visitor`
    await accepted(...statements.split(';'))
    expect(await database.rows('select * from integratedb.migration')).toEqual([])
  })
})

describe('replacing what is claimed', () => {
  test('drop and recreate: the grants are back, and only those', async () => {
    await accepted('begin; drop table shop.orders; create table shop.orders (note text, total numeric not null, id int not null); commit')
    const reporter = await database.connect('reporter')
    expect(await reporter.rows('select id, total from shop.orders')).toEqual([])
    expect((await reporter.failure('select note from shop.orders')).code).toBe('42501')
  })

  test('rename plus view: grants on the view, none left on the table', async () => {
    await accepted(
      'begin; alter table shop.orders rename to purchase; create view shop.orders as select id, total from shop.purchase; commit',
    )
    const reporter = await database.connect('reporter')
    expect(await reporter.rows('select id, total from shop.orders')).toEqual([{ id: 1, total: '10' }])
    expect((await reporter.failure('select id from shop.purchase')).code).toBe('42501')
    await accepted('begin; drop view shop.orders; alter table shop.purchase rename to orders; commit')
  })

  test('a table moved behind a view: no usage left on the schema that nothing is claimed in', async () => {
    await database.rows('create schema inside')
    await accepted(
      'begin; alter table shop.orders set schema inside; create view shop.orders as select id, total from inside.orders; commit',
    )
    await accepted('begin; drop view shop.orders; alter table inside.orders set schema shop; commit')
  })

  test('two tables swap names', async () => {
    await database.rows('create table shop.next (id bigint, id2 int, total numeric not null)')
    await rejected(
      'begin; alter table shop.orders rename to old; alter table shop.next rename to orders; commit',
      'IDB203 reporter needs shop.orders.id (integer): the type was changed to bigint',
      'IDB205 reporter needs shop.orders.id (not null): the column may now be null',
    )
    await accepted(`begin; alter table shop.orders rename to old; alter table shop.next rename to orders;
      alter table shop.orders alter id type int, alter id set not null; commit`)
  })

  test('schemas swap: blue and green', async () => {
    await database.rows(
      'create schema green; create table green.orders (id int not null, total numeric not null); create table green.more (a int)',
    )
    await rejected('alter schema shop rename to blue', 'IDB103 reporter needs shop.orders: the relation was moved to blue.orders')
    await accepted('begin; alter schema shop rename to blue; alter schema green rename to shop; commit')
    await accepted('drop schema blue cascade')
  })

  test('DROP SCHEMA CASCADE, DROP OWNED', async () => {
    await rejected('drop schema shop cascade', 'IDB101 reporter needs shop.orders: the relation was dropped')
    await database.rows('create role leaving; alter table shop.orders owner to leaving')
    await rejected('drop owned by leaving', 'IDB101 reporter needs shop.orders: the relation was dropped')
    await rejected(
      'drop owned by reporter cascade',
      'IDB402 reporter needs shop.orders (usage): usage of schema shop was revoked',
      'IDB401 reporter needs shop.orders.id (select): the privilege to read it was revoked',
      'IDB401 reporter needs shop.orders.total (select): the privilege to read it was revoked',
    )
  })

  test('PostgreSQL 15: CREATE RULE makes a view of a table', async () => {
    if ((await database.value<number>(`select current_setting('server_version_num')::int`)) >= 160000) return
    await database.rows('create table shop.plain (total numeric not null); create table shop.source (total numeric)')
    await claim({ path: 'shop.plain', fields: [{ name: 'total', is_nullable: false }] })
    await rejected(
      'create rule "_RETURN" as on select to shop.plain do instead select * from shop.source',
      'IDB205 reporter needs shop.plain.total (not null): the column may now be null',
    )
  })
})

describe('types', () => {
  beforeEach(async () => {
    await database.rows(`
      create schema type;
      create type type.mood as enum ('good', 'bad');
      create domain type.email as varchar(80) not null;
      create type type.shape as (width int, height int);
      create schema depot;
      create table depot.part (id int);
      create table shop.person (mood type.mood, moods type.mood[], email type.email, shape type.shape, whole shop.orders, parts depot.part[]);
      create table shop.box of type.shape;
    `)
    await claim({ path: 'shop.person', fields: '*' }, { path: 'shop.box', fields: '*' })
  })

  test('renamed, moved, or in a schema that is', async () => {
    await rejected(
      'alter type type.mood rename to feeling',
      'IDB203 reporter needs shop.person.mood (type.mood): the type was changed to type.feeling',
      'IDB203 reporter needs shop.person.moods (type.mood[]): the type was changed to type.feeling[]',
    )
    await rejected(
      'alter domain type.email rename to address',
      'IDB203 reporter needs shop.person.email (type.email): the type was changed to type.address',
    )
    await rejected(
      'alter type type.shape set schema public',
      'IDB203 reporter needs shop.person.shape (type.shape): the type was changed to public.shape',
    )
    await rejected(
      'alter schema type rename to types',
      'IDB203 reporter needs shop.person.mood (type.mood): the type was changed to types.mood',
      'IDB203 reporter needs shop.person.moods (type.mood[]): the type was changed to types.mood[]',
      'IDB203 reporter needs shop.person.email (type.email): the type was changed to types.email',
      'IDB203 reporter needs shop.person.shape (type.shape): the type was changed to types.shape',
    )
    await rejected(
      'alter table depot.part set schema public',
      'IDB203 reporter needs shop.person.parts (depot.part[]): the type was changed to public.part[]',
    )
    await rejected(
      'alter schema depot rename to store',
      'IDB203 reporter needs shop.person.parts (depot.part[]): the type was changed to store.part[]',
    )
    await rejected(
      'alter table shop.orders rename to purchase',
      'IDB203 reporter needs shop.person.whole (shop.orders): the type was changed to shop.purchase',
    )
  })

  test('dropped with its columns', async () => {
    await rejected(
      'drop type type.mood cascade',
      'IDB201 reporter needs shop.person.mood (type.mood): the column was dropped',
      'IDB201 reporter needs shop.person.moods (type.mood[]): the column was dropped',
    )
  })

  test('a domain that takes null', async () => {
    await rejected(
      'alter domain type.email drop not null',
      'IDB205 reporter needs shop.person.email (not null): the column may now be null',
    )
    await accepted(`alter domain type.email add check (value like '%@%')`)
  })

  test('the type of a typed table', async () => {
    await rejected(
      'alter type type.shape rename attribute width to breadth cascade',
      'IDB203 reporter needs shop.person.shape (type.shape): the type type.shape is another now: composite of 1: breadth integer, 2: height integer',
      'IDB202 reporter needs shop.box.width (integer): the column was renamed to breadth',
    )
    await rejected(
      'alter type type.shape drop attribute width cascade',
      'IDB203 reporter needs shop.person.shape (type.shape): the type type.shape is another now: composite of 1: height integer',
      'IDB201 reporter needs shop.box.width (integer): the column was dropped',
    )
    await accepted('alter type type.shape add attribute depth int cascade')
    expect(await met()).toContain('shop.box.depth')
  })
})

describe('extensions', () => {
  test("a claim on an extension's view: there with CREATE EXTENSION, kept from DROP EXTENSION", async () => {
    await claim({ path: 'public.pg_stat_statements', fields: ['query'], optional: true })
    await accepted('create extension pg_stat_statements')
    expect(await met()).toEqual(['public.pg_stat_statements.query'])
    await accepted('drop extension pg_stat_statements')
    expect(await met()).toEqual([])
    await accepted('create extension pg_stat_statements')
    await claim({ path: 'public.pg_stat_statements', fields: ['query'] })
    await rejected('drop extension pg_stat_statements', 'IDB101 reporter needs public.pg_stat_statements: the relation was dropped')
    await database.rows('create schema extension')
    await rejected(
      'alter extension pg_stat_statements set schema extension',
      'IDB103 reporter needs public.pg_stat_statements: the relation was moved to extension.pg_stat_statements',
    )
  })

  test("a wildcard leaves an extension's view alone; its types are watched", async () => {
    await claim({ path: 'shop.*', fields: '*' })
    await accepted('create extension pg_stat_statements schema shop')
    expect(await met()).toEqual(['shop.orders.id', 'shop.orders.note', 'shop.orders.total'])
    await database.rows(
      'create schema kit; create extension citext schema kit; alter table shop.orders add name kit.citext; create schema extension',
    )
    await rejected(
      'alter extension citext set schema extension',
      'IDB203 reporter needs shop.orders.name (kit.citext): the type was changed to extension.citext',
    )
  })
})

describe('families', () => {
  test('partitions: through the parent, attached, detached', async () => {
    await database.rows(`
      create table shop.event (id int not null, at date not null, total numeric) partition by range (at);
      create table shop.event_1 partition of shop.event for values from ('2026-01-01') to ('2026-02-01')`)
    await claim({ path: 'shop.*', fields: '*' })
    expect((await met()).filter((each) => each.includes('event_1'))).toEqual([])
    await accepted(
      `create table shop.event_2 partition of shop.event for values from ('2026-02-01') to ('2026-03-01')`,
      'drop table shop.event_1',
    )
    await accepted('alter table shop.event add column kind text')
    expect(await met()).toContain('shop.event.kind')
    // A detached partition is a table like any other.
    await accepted('alter table shop.event detach partition shop.event_2')
    expect(await met()).toContain('shop.event_2.kind')
    await rejected('alter table shop.event_2 drop column kind', 'IDB201 reporter needs shop.event_2.kind (text): the column was dropped')
    // Attached again it is its parent's, and retention may drop it.
    await accepted(`alter table shop.event attach partition shop.event_2 for values from ('2026-02-01') to ('2026-03-01')`)
    expect(await database.value('select findings->0->>$1 from integratedb.migrations order by id desc limit 1', ['message'])).toMatch(
      /^it became a partition/,
    )
    expect((await met()).filter((each) => each.includes('event_2'))).toEqual([])
    await rejected(
      'alter table shop.event rename kind to sort',
      'IDB202 reporter needs shop.event.kind (text): the column was renamed to sort',
    )
    await accepted('drop table shop.event_2')
  })

  test('a partition that is claimed by name', async () => {
    await database.rows(`
      create table shop.event (id int, at date) partition by range (at);
      create table shop.event_1 partition of shop.event for values from ('2026-01-01') to ('2026-02-01')`)
    await claim({ path: 'shop.event_1', fields: ['id'] })
    await rejected(
      'alter table shop.event rename id to key',
      'IDB202 reporter needs shop.event_1.id (integer): the column was renamed to key',
    )
    await rejected('alter table shop.event drop column id', 'IDB201 reporter needs shop.event_1.id (integer): the column was dropped')
    await rejected('drop table shop.event', 'IDB101 reporter needs shop.event_1: the relation was dropped')
    await database.rows('alter table shop.event detach partition shop.event_1 concurrently')
    await accepted('select 1')
  })

  test('inheritance: the parent changes its children', async () => {
    await database.rows(
      'create table shop.base (id int, note varchar(20)); create table shop.child (more int) inherits (shop.base); create table shop.grandchild () inherits (shop.child)',
    )
    await claim({ path: 'shop.grandchild', fields: '*' })
    await rejected(
      'alter table shop.base drop column note',
      'IDB201 reporter needs shop.grandchild.note (character varying(20)): the column was dropped',
    )
    await rejected(
      'alter table shop.base alter note type varchar(10)',
      'IDB204 reporter needs shop.grandchild.note (character varying(20)): the type was narrowed to character varying(10)',
    )
    await accepted('alter table shop.base add column kind text')
    expect(await met()).toContain('shop.grandchild.kind')
    await accepted('alter table shop.grandchild no inherit shop.child', 'alter table shop.base drop column note')
  })
})
