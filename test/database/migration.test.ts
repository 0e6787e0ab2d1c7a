/**
 * Every way in which a migration breaks a claim: the error that its author sees, and what passes when the author
 * follows the hint.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectClaimsToHold, expectSyncToChangeNothing } from '../support/oracle.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create schema archive;
    create table public.orders (id int primary key, total numeric(10,2) not null, note varchar(50), placed_at date);
    create table public.customer (id int primary key, email text);
  `)
  // A script is one transaction, and what it claims would be part of its own migration: another one.
  await database.rows(`
    select integratedb.add_stakeholder('reporter');
    select from integratedb.set_claims('reporter', '{"match": [
      {"path": "public.orders", "fields": ["id", "total", "note"]},
      {"path": "public.customer", "fields": []}]}');
  `)
})
afterEach(() => database.drop())

interface Case {
  title: string
  rejected: string
  code: string
  line: string
  hint: string
  table?: string
  column?: string
  /** What the hint says to do instead. */
  instead: string
}

const release = 'or let reporter give it up first (integratedb.set_claims).'
/** What "let reporter give it up first" means. */
const withoutTotal = `select from integratedb.set_claims('reporter', '{"match": [{"path": "public.orders", "fields": ["id"]}]}');`

const cases: Case[] = [
  {
    title: 'the relation is dropped',
    rejected: 'drop table public.orders',
    code: 'IDB101',
    line: 'IDB101 reporter needs public.orders: the relation was dropped',
    hint: `Keep public.orders (or bring it back), put a view of that name in its place in the same transaction, ${release}`,
    instead: `begin; drop table public.orders;
      create view public.orders as select 1 as id, 2.5::numeric(10,2) as total, 'x'::varchar(50) as note; commit`,
  },
  {
    title: 'a relation of which no column is claimed is dropped',
    rejected: 'drop table public.customer',
    code: 'IDB101',
    line: 'IDB101 reporter needs public.customer: the relation was dropped',
    hint: `Keep public.customer (or bring it back), put a view of that name in its place in the same transaction, ${release}`,
    table: 'customer',
    instead: `${withoutTotal} drop table public.customer`,
  },
  {
    title: 'the relation is renamed',
    rejected: 'alter table public.orders rename to purchase',
    code: 'IDB102',
    line: 'IDB102 reporter needs public.orders: the relation was renamed to purchase',
    hint: `Create a view public.orders over the relation's new name in the same transaction, ${release}`,
    instead: 'begin; alter table public.orders rename to purchase; create view public.orders as select * from public.purchase; commit',
  },
  {
    title: 'the relation is moved',
    rejected: 'alter table public.orders set schema archive',
    code: 'IDB103',
    line: 'IDB103 reporter needs public.orders: the relation was moved to archive.orders',
    hint: `Create a view public.orders over the relation's new name in the same transaction, ${release}`,
    instead: 'begin; alter table public.orders set schema archive; create view public.orders as select * from archive.orders; commit',
  },
  {
    title: 'something else has its name',
    rejected: 'begin; drop table public.orders; create sequence public.orders; commit',
    code: 'IDB104',
    line: 'IDB104 reporter needs public.orders: the name now belongs to a sequence',
    hint: `Give public.orders back to a table or view in the same transaction, ${release}`,
    instead: `begin; alter table public.orders rename to orders_table; create sequence public.orders; drop sequence public.orders;
      create materialized view public.orders as select * from public.orders_table; commit`,
  },
  {
    title: 'a column is dropped',
    rejected: 'alter table public.orders drop column total',
    code: 'IDB201',
    line: 'IDB201 reporter needs public.orders.total (numeric(10,2)): the column was dropped',
    hint: `Keep total (or bring it back) until nobody claims it, ${release}`,
    column: 'total',
    instead: `${withoutTotal} alter table public.orders drop column total`,
  },
  {
    title: 'a column is renamed',
    rejected: 'alter table public.orders rename total to amount',
    code: 'IDB202',
    line: 'IDB202 reporter needs public.orders.total (numeric(10,2)): the column was renamed to amount',
    hint: `Add the new name beside total (a generated column, or a view public.orders that shows both), ${release}`,
    column: 'total',
    instead: 'alter table public.orders add column amount numeric(10,2) generated always as (total) stored',
  },
  {
    title: 'a type is changed',
    rejected: 'alter table public.orders alter total type text',
    code: 'IDB203',
    line: 'IDB203 reporter needs public.orders.total (numeric(10,2)): the type was changed to text',
    hint: `Add a new column of the new type beside total and move readers over, ${release.slice(0, -1)}; a claim can list both types.`,
    column: 'total',
    instead: `select from integratedb.set_claims('reporter', '{"match": [{"path": "public.orders", "fields": [{"name": "total", "type": ["numeric", "text"]}]}]}');
      alter table public.orders alter total type text`,
  },
  {
    title: 'a scale is changed',
    rejected: 'alter table public.orders alter total type numeric(12,4)',
    code: 'IDB203',
    line: 'IDB203 reporter needs public.orders.total (numeric(10,2)): the type was changed to numeric(12,4)',
    hint: `Add a new column of the new type beside total and move readers over, ${release.slice(0, -1)}; a claim can list both types.`,
    column: 'total',
    instead: 'alter table public.orders alter total type numeric(12,2)',
  },
  {
    title: 'a column is narrowed',
    rejected: 'alter table public.orders alter note type varchar(20)',
    code: 'IDB204',
    line: 'IDB204 reporter needs public.orders.note (character varying(50)): the type was narrowed to character varying(20)',
    hint: `Keep room for character varying(50), ${release}`,
    column: 'note',
    instead: `alter table public.orders alter note type varchar(80);
      alter table public.orders alter note type text`,
  },
  {
    title: 'a column may now be null',
    rejected: 'alter table public.orders alter total drop not null',
    code: 'IDB205',
    line: 'IDB205 reporter needs public.orders.total (not null): the column may now be null',
    hint: 'Keep total not null, or let reporter accept null ("is_nullable": true) in its claims first. A view\'s columns are never known to be not null.',
    column: 'total',
    instead: `select from integratedb.set_claims('reporter', '{"match": [{"path": "public.orders", "fields": [{"name": "total", "is_nullable": true}]}]}');
      alter table public.orders alter total drop not null`,
  },
  {
    title: 'a privilege is revoked',
    rejected: 'revoke select (total) on public.orders from reporter',
    code: 'IDB401',
    line: 'IDB401 reporter needs public.orders.total (select): the privilege to read it was revoked',
    hint: `Grant it back in the same transaction, ${release.slice(0, -1)}; integratedb.sync() restores what claims need.`,
    column: 'total',
    instead: 'begin; revoke all on public.orders from reporter; grant select (id, total, note) on public.orders to reporter; commit',
  },
  {
    title: 'usage of the schema is revoked',
    rejected: 'revoke usage on schema public from public, reporter',
    code: 'IDB402',
    line: 'IDB402 reporter needs public.orders (usage): usage of schema public was revoked',
    hint: `Grant usage of the schema to reporter in the same transaction, ${release}`,
    instead: 'begin; revoke usage on schema public from public, reporter; grant usage on schema public to reporter; commit',
  },
]

describe('a migration is rejected, and what its hint says passes', () => {
  test.each(cases)('$code: $title', async ({ rejected, code, line, hint, table = 'orders', column, instead }) => {
    const error = await database.failure(rejected)
    expect(error).toMatchObject({
      severity: 'ERROR',
      code: 'IDB01',
      message: 'migration breaks 1 claim of 1 stakeholder',
      detail: line,
      hint,
      constraint: 'claims_hold',
      schema: 'public',
      table,
    })
    // Postgres sends no field at all where there is no column; some versions send an empty one.
    expect(error.column || undefined).toBe(column)
    expect(line.startsWith(code)).toBe(true)
    // Nothing of it happened, and nobody need know.
    await expectClaimsToHold(database)
    expect(await database.rows('select * from integratedb.migrations')).toEqual([])
    expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])

    await database.rows(instead)
    await expectClaimsToHold(database)
    await expectSyncToChangeNothing(database)
  })

  test('psql would print all of them, claim by claim', async () => {
    await database.rows(`
      select integratedb.add_stakeholder('billing');
      select from integratedb.set_claims('billing', '{"match": [{"path": "public.orders", "fields": ["total"]}]}');
    `)
    const error = await database.failure(`
      begin; alter table public.orders drop column total; alter table public.orders rename note to remark; drop table public.customer; commit`)
    expect(error.message).toBe('migration breaks 4 claims of 2 stakeholders')
    expect(error.detail?.split('\n')).toEqual([
      'IDB201 billing needs public.orders.total (numeric(10,2)): the column was dropped',
      'IDB201 reporter needs public.orders.total (numeric(10,2)): the column was dropped',
      'IDB202 reporter needs public.orders.note (character varying(50)): the column was renamed to remark',
      'IDB101 reporter needs public.customer: the relation was dropped',
    ])
    expect(error.hint?.split('\n')).toHaveLength(3)
  })

  test('at most 20 lines, then how many more', async () => {
    await database.rows(`
      do $$ begin execute 'create table wide (' || (select string_agg('c' || i || ' int', ',') from generate_series(1, 30) i) || ')'; end $$;
      select * from integratedb.set_claims('reporter', '{"match": [{"path": "public.wide", "fields": "*"}]}');
    `)
    const error = await database.failure(
      "do $$ begin for i in 1 .. 30 loop execute format('alter table wide drop c%s', i); end loop; end $$",
    )
    expect(error.message).toBe('migration breaks 30 claims of 1 stakeholder')
    expect(error.detail?.split('\n')).toHaveLength(21)
    expect(error.detail?.split('\n').at(-1)).toBe('… and 10 more')
  })
})

describe('what is wide enough passes, and is the new measure', () => {
  test('a varchar that became longer may not go back', async () => {
    await database.rows('alter table public.orders alter note type varchar(80)')
    expect((await database.failure('alter table public.orders alter note type varchar(50)')).detail).toBe(
      'IDB204 reporter needs public.orders.note (character varying(80)): the type was narrowed to character varying(50)',
    )
  })

  test('a column that became NOT NULL may not go back', async () => {
    await database.rows('alter table public.orders alter note set not null')
    expect((await database.failure('alter table public.orders alter note drop not null')).detail).toMatch(
      /^IDB205 reporter needs public.orders.note/,
    )
  })

  test('a column dropped and added again as it was', async () => {
    await database.rows(
      `begin; alter table public.orders drop column total; alter table public.orders add total numeric(10,2) not null; commit`,
    )
    await expectClaimsToHold(database)
  })

  test('new columns and unclaimed ones are free', async () => {
    await database.rows(`
      alter table public.orders add column discount int;
      alter table public.orders rename placed_at to ordered_at;
      alter table public.orders drop column ordered_at;
      alter table public.customer drop column email;
      revoke all on public.orders from public;
      create index on public.orders (total);
      alter table public.orders add constraint positive check (total >= 0);
    `)
    await expectClaimsToHold(database)
    expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])
  })

  test('a declared type without modifiers may change its length, as far as min_length', async () => {
    await database.rows(`select from integratedb.set_claims('reporter', '{"match": [{"path": "public.orders",
      "fields": [{"name": "note", "type": "varchar", "min_length": 20}, {"name": "total", "is_nullable": false}]}]}')`)
    await database.rows('alter table public.orders alter note type varchar(20)')
    expect((await database.failure('alter table public.orders alter note type varchar(19)')).detail).toBe(
      'IDB204 reporter needs public.orders.note (length 20 or more): the type was narrowed to character varying(19)',
    )
    // A view cannot promise NOT NULL.
    expect(
      (
        await database.failure(
          'begin; alter table public.orders rename to orders_table; create view public.orders as select * from public.orders_table; commit',
        )
      ).detail,
    ).toBe('IDB205 reporter needs public.orders.total (not null): the column may now be null')
  })
})

describe('alternatives and options', () => {
  test('one alternative may go, the last may not', async () => {
    await database.rows(`
      create table public.purchase (id int, total numeric(10,2));
      select from integratedb.set_claims('reporter', '{"match": [{"alternatives": [
        {"path": "public.orders", "fields": ["id", "total"]}, {"path": "public.purchase", "fields": ["id", "total"]}]}]}');
      alter table public.orders rename to orders_old;
    `)
    await expectClaimsToHold(database)
    expect((await database.failure('drop table public.purchase')).detail).toBe(
      'IDB101 reporter needs public.purchase: the relation was dropped',
    )
    await database.rows('alter table public.orders_old rename to orders; drop table public.purchase')
    await expectClaimsToHold(database)
    await expectSyncToChangeNothing(database)
  })

  test('one alternative field may go, the last may not', async () => {
    await database.rows(`
      select from integratedb.set_claims('reporter', '{"match": [{"path": "public.orders", "fields": [
        "id", {"alternatives": [{"name": "total"}, {"name": "amount"}]}]}]}');
      alter table public.orders add column amount int;
      alter table public.orders drop column total;
    `)
    await expectClaimsToHold(database)
    expect((await database.failure('alter table public.orders rename amount to total_amount')).detail).toBe(
      'IDB202 reporter needs public.orders.amount (integer): the column was renamed to total_amount',
    )
    await database.rows('alter table public.orders rename amount to total')
    await expectClaimsToHold(database)
  })

  test('optional things come and go, and are granted when they are there', async () => {
    await database.rows(`
      select from integratedb.set_claims('reporter', '{"match": [
        {"path": "public.refund", "fields": ["id"], "optional": true},
        {"path": "public.orders", "fields": ["id", {"name": "vat", "optional": true, "type": "int"}]}]}');
      create table public.refund (id int, reason text);
      alter table public.orders add column vat int;
    `)
    await expectClaimsToHold(database)
    expect(await database.value(`select string_agg(status, ' ') from integratedb.claims`)).toBe('met met met')
    await database.rows('drop table public.refund; alter table public.orders drop column vat')
    await expectClaimsToHold(database)
    expect(await database.value(`select string_agg(status, ' ' order by path, field) from integratedb.claims`)).toBe('met absent absent')
    await expectSyncToChangeNothing(database)
  })

  test('what comes is not what was declared: a warning, and the claim holds without it', async () => {
    await database.rows(`
      select from integratedb.set_claims('reporter', '{"match": [{"path": "public.orders", "fields": ["id", {"name": "vat", "optional": true, "type": "int"}]}]}');
    `)
    database.notices.length = 0
    await database.rows('alter table public.orders add column vat text')
    expect(database.notices).toMatchObject([
      {
        severity: 'WARNING',
        message: 'migration accepted, with something to look at',
        detail: expect.stringMatching(/IDB203 reporter needs public\.orders\.vat/),
      },
    ])
  })
})

describe('privileges', () => {
  const revoked = ['id', 'note', 'total'].map((field) =>
    expect.stringMatching(`^IDB401 reporter needs public.orders.${field} \\(select\\)`),
  )

  test.each([
    'revoke select on public.orders from reporter',
    'revoke all on public.orders from reporter, public',
    'revoke select on all tables in schema public from reporter',
  ])('%s', async (sql) => {
    const { detail } = await database.failure(sql)
    expect(detail?.split('\n').sort()).toEqual(revoked)
    await expectClaimsToHold(database)
  })

  test("what was never the claim's is free", async () => {
    for (const sql of [
      'revoke all on public.orders from public',
      'revoke all on schema public from public',
      'revoke select (placed_at) on public.orders from reporter',
      'revoke insert, update on public.orders from reporter',
      'grant select on public.orders to public',
      'revoke select on public.orders from public',
      'revoke grant option for select on public.orders from reporter',
      'alter default privileges revoke select on tables from reporter',
    ]) {
      await database.rows(sql)
    }
    await expectClaimsToHold(database)
    await expectSyncToChangeNothing(database)
  })

  test('the owner may change; what is granted stays', async () => {
    await database.rows('create role clerk; alter table public.orders owner to clerk')
    await expectClaimsToHold(database)
    expect(
      (await database.failure('begin; set local role clerk; revoke select on public.orders from reporter; commit')).detail
        ?.split('\n')
        .sort(),
    ).toEqual(revoked)
    await database.rows('alter table public.orders add column vat int')
    await expectClaimsToHold(database)
  })
})

describe('the claim and the migration in one transaction', () => {
  test.each([
    `begin; ${withoutTotal} alter table public.orders drop column total; commit`,
    `begin; alter table public.orders drop column total; ${withoutTotal} commit`,
    `begin; drop table public.orders, public.customer; select integratedb.remove_claims('reporter'); commit`,
  ])('%s', async (sql) => {
    await database.rows(sql)
    await expectClaimsToHold(database)
    await expectSyncToChangeNothing(database)
  })
})
