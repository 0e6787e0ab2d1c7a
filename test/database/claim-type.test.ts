import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, refusal, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    select integratedb.add_stakeholder('reporter');
    create schema shop;
    create type shop.mood as enum ('sad');
    create domain shop.code as varchar(12) not null;
  `)
})
afterAll(() => database.drop())

beforeEach(async () => {
  await database.rows(`
    select integratedb.remove_claims('reporter');
    drop view if exists shop.order_view;
    drop table if exists shop.orders;
    create table shop.orders (
      id int primary key, total numeric(10,2) not null, note varchar(50), title char(8), body text,
      feeling shop.mood, code shop.code, tags text[], at timestamptz(3), valid daterange, double_total numeric generated always as (total * 2) stored);
    create view shop.order_view as select * from shop.orders;
  `)
})

const claim = (field: unknown, path = 'shop.orders') => setClaims(database, 'reporter', [{ path, fields: [field] }])
const refused = (field: unknown, path = 'shop.orders') => refusal(database, 'reporter', [{ path, fields: [field] }])

describe('type', () => {
  test.each([
    ['id', 'int4', 'integer'],
    ['total', 'decimal(10,2)', 'numeric(10,2)'],
    ['total', 'numeric', 'numeric(10,2)'],
    ['total', 'numeric(8,2)', 'numeric(10,2)'],
    ['note', 'varchar', 'character varying(50)'],
    ['note', 'character varying(50)', 'character varying(50)'],
    ['note', 'varchar(20)', 'character varying(50)'],
    ['note', ['money', 'varchar(20)'], 'character varying(50)'],
    ['title', 'char(8)', 'character(8)'],
    ['title', 'char', 'character(8)'],
    ['body', 'text', 'text'],
    ['body', 'varchar(9)', 'text'],
    ['feeling', 'mood', 'shop.mood'],
    ['feeling', 'shop."mood"', 'shop.mood'],
    ['code', 'code', 'shop.code'],
    ['tags', '_text', 'text[]'],
    ['tags', 'text[]', 'text[]'],
    ['at', 'timestamptz', 'timestamp(3) with time zone'],
    ['at', 'timestamp(3) with time zone', 'timestamp(3) with time zone'],
    ['valid', 'daterange', 'daterange'],
    ['double_total', 'numeric', 'numeric'],
  ])('%s as %j', async (name, type, observed) => {
    expect((await claim({ name, type })).map((row) => [row.type, row.status])).toEqual([[observed, 'met']])
    await expectAllWell(database)
  })

  test.each([
    ['id', 'bigint', 'needs shop.orders.id (bigint): the type is integer'],
    ['total', 'numeric(12,2)', 'needs shop.orders.total (numeric(12,2)): the type is numeric(10,2)'],
    ['total', 'numeric(10,3)', 'needs shop.orders.total (numeric(10,3)): the type is numeric(10,2)'],
    ['note', 'varchar(51)', 'needs shop.orders.note (character varying(51)): the type is character varying(50)'],
    ['note', 'text', 'needs shop.orders.note (text): the type is character varying(50)'],
    ['note', ['text', 'int'], 'needs shop.orders.note (text or integer): the type is character varying(50)'],
    ['title', 'char(9)', 'needs shop.orders.title (character(9)): the type is character(8)'],
    ['tags', 'text', 'needs shop.orders.tags (text): the type is text[]'],
    ['at', 'timestamptz(6)', 'needs shop.orders.at (timestamp(6) with time zone): the type is timestamp(3) with time zone'],
  ])('%s is no %j', async (name, type, line) => {
    expect(await refused({ name, type })).toEqual([`/match/0/fields/0: ${line}`])
  })

  test('that the database does not know: each, with its pointer, and nothing else yet', async () => {
    const lines = await refusal(database, 'reporter', [
      { path: 'shop.orders', fields: [{ name: 'id', type: 'nothing' }, { alternatives: ['a', { name: 'b', type: ['int', 'int5'] }] }] },
      { alternatives: [{ path: 'shop.orders', fields: [{ name: 'id', type: 'int(3)' }] }] },
    ])
    expect(lines).toEqual([
      '/match/0/fields/0/type: this database has no type "nothing"',
      '/match/0/fields/1/alternatives/1/type: this database has no type "int5"',
      '/match/1/alternatives/0/fields/0/type: this database has no type "int(3)"',
    ])
  })
})

describe('min_length', () => {
  test.each([
    ['note', 50, true],
    ['note', 51, false],
    ['title', 8, true],
    ['title', 9, false],
    ['total', 10, true],
    ['total', 11, false],
    ['body', 1_000_000, true],
    ['double_total', 1_000, true],
    ['code', 12, true],
    ['code', 13, false],
    ['id', 32, true],
    ['id', 33, false],
  ])('%s holds %d: %s', async (name, min_length, holds) => {
    if (holds) expect((await claim({ name, min_length })).map((row) => row.min_length)).toEqual([min_length])
    else
      expect((await refused({ name, min_length }))[0]).toMatch(
        `/match/0/fields/0: needs shop.orders.${name} (length ${min_length} or more):`,
      )
    await expectAllWell(database)
  })
})

describe('is_nullable', () => {
  test.each([
    ['id', false, true],
    ['total', false, true],
    ['note', false, false],
    ['note', true, true],
    ['total', true, true],
    ['code', false, true],
  ])('%s: %s: %s', async (name, is_nullable, holds) => {
    if (holds) expect((await claim({ name, is_nullable })).map((row) => row.is_nullable)).toEqual([is_nullable])
    else
      expect(await refused({ name, is_nullable })).toEqual([
        `/match/0/fields/0: needs shop.orders.${name} (not null): the column may be null`,
      ])
    await expectAllWell(database)
  })

  test('of a view nobody knows it', async () => {
    expect(await refused({ name: 'total', is_nullable: false }, 'shop.order_view')).toEqual([
      '/match/0/fields/0: needs shop.order_view.total (not null): the column may be null',
    ])
    expect((await claim('total', 'shop.order_view')).map((row) => row.is_nullable)).toEqual([null])
    await expectAllWell(database)
  })

  test('of a domain over a domain comes from the innermost', async () => {
    await database.rows(`
      create domain shop.plain as text;
      create domain shop.strict as shop.plain not null;
      create domain shop.stricter as shop.strict;
      alter table shop.orders add strict shop.stricter default ''`)
    expect((await claim({ name: 'strict', is_nullable: false })).map((row) => row.status)).toEqual(['met'])
    await expectAllWell(database)
    expect(await database.failure('alter domain shop.strict drop not null')).toMatchObject({
      code: 'IDB01',
      detail: 'IDB205 reporter needs shop.orders.strict (not null): the column may now be null',
    })
    await database.rows(`select integratedb.remove_claims('reporter'); drop domain shop.plain cascade`)
  })

  test('a NOT NULL that was never validated promises nothing', async ({ skip }) => {
    if (Number(await database.value('show server_version_num')) < 180000) skip()
    await database.rows('alter table shop.orders add constraint has_note not null note not valid')
    expect(await refused({ name: 'note', is_nullable: false })).toHaveLength(1)
    await database.rows('alter table shop.orders validate constraint has_note')
    await claim({ name: 'note', is_nullable: false })
    await expectAllWell(database)
  })
})

describe('ratchet', () => {
  const narrower = 'needs shop.orders.note (character varying(80)): the type was narrowed to character varying(50)'

  test('what was widened may not be narrowed again', async () => {
    await database.rows('drop view shop.order_view')
    await claim('note')
    await database.rows('alter table shop.orders alter note type varchar(80)')
    await expectAllWell(database)
    expect(await database.failure('alter table shop.orders alter note type varchar(50)')).toMatchObject({
      code: 'IDB01',
      detail: `IDB204 reporter ${narrower}`,
    })
    await database.rows('alter table shop.orders alter note type text')
    expect(await database.failure('alter table shop.orders alter note type varchar(80)')).toMatchObject({ code: 'IDB01' })
    await expectAllWell(database)
  })

  test('what became NOT NULL may not be null again', async () => {
    await claim('note')
    await database.rows('alter table shop.orders alter note set not null')
    await expectAllWell(database)
    expect(await database.failure('alter table shop.orders alter note drop not null')).toMatchObject({
      code: 'IDB01',
      detail: 'IDB205 reporter needs shop.orders.note (not null): the column may now be null',
    })
  })

  test('a rejected migration moves nothing', async () => {
    await claim('note')
    await database.failure('alter table shop.orders alter note set not null, drop id cascade; drop table shop.orders cascade')
    await database.rows('alter table shop.orders alter note set not null')
    await database.rows('begin; alter table shop.orders add x int; rollback')
    await expectAllWell(database)
  })

  test('what the document declares stays as declared', async () => {
    await database.rows('drop view shop.order_view')
    await claim({ name: 'note', type: 'varchar(20)', is_nullable: true })
    await database.rows('alter table shop.orders alter note type varchar(80)')
    await database.rows('alter table shop.orders alter note type varchar(20)')
    await database.rows('alter table shop.orders alter note set not null')
    await database.rows('alter table shop.orders alter note drop not null')
    await expectAllWell(database)
    expect(await database.failure('alter table shop.orders alter note type varchar(19)')).toMatchObject({ code: 'IDB01' })

    await claim({ name: 'note', min_length: 5 })
    await database.rows('alter table shop.orders alter note type varchar(5)')
    expect(await database.failure('alter table shop.orders alter note type varchar(4)')).toMatchObject({
      detail: 'IDB204 reporter needs shop.orders.note (length 5 or more): the type was narrowed to character varying(4)',
    })
    await expectAllWell(database)
  })

  test('sync() reads what was observed anew, and does not lose it', async () => {
    await database.rows('drop view shop.order_view')
    await claim('note')
    await database.rows(`alter event trigger integratedb_note_ddl disable; alter table shop.orders alter note type varchar(80), add extra int;
      alter event trigger integratedb_note_ddl enable always`)
    await database.rows('select * from integratedb.sync()')
    expect(await database.value(`select type from integratedb.claims where field = 'note'`)).toBe('character varying(80)')
    await expectAllWell(database)
  })
})
