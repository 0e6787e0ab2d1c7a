/**
 * PostgreSQL refuses UPDATE and DELETE of what it publishes and could not tell a subscriber: of the claimed table, and of whatever
 * is written with it. What each form of a command comes to is in docs/ddl.md; here, what it takes more than one command for.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create schema shop; create schema parts;
    create table shop.item (id integer primary key, name text);
    create table parts.line (id integer primary key, item integer constraint of_item references shop.item on delete cascade on update cascade);
    create table parts.note (line integer);
    create view shop.label as select id as number, name from shop.item;
    insert into shop.item values (1, 'a'); insert into parts.line values (1, 1); insert into parts.note values (1);
    select integratedb.add_stakeholder('desk')`)
})
afterEach(() => database.drop())

const access = ['select', 'insert', 'update', 'delete']
const everything = { path: 'shop.item', fields: '*', access }
const cannotDelete = 'IDB213 desk needs shop.item (delete): it can no longer be deleted from'

async function rejection(sql: string): Promise<string[] | undefined> {
  const { code, detail } = await database.failure(sql)
  expect(code).toBe('IDB01')
  return detail?.split('\n')
}

const behind = async () => await database.value<number[]>(`select behind from integratedb.claim where relation_name = 'item'`)
const oids = async (...tables: string[]) =>
  await database.value<number[]>('select array(select t::regclass::oid::bigint from unnest($1::text[]) t order by 1)', [tables])

test('where a rule is in the place of an update, nothing is updated and nothing refused', async () => {
  await database.rows('create rule quiet as on update to shop.item do instead nothing; alter table shop.item replica identity nothing')
  await setClaims(database, 'desk', [{ ...everything, access: ['select', 'update'] }])
  await database.rows('create publication feed for table shop.item')
  await database.rows('begin; set local role desk; update shop.item set name = name; rollback')
  await expectAllWell(database)
  expect(await rejection('drop rule quiet on shop.item')).toEqual(['IDB213 desk needs shop.item (update): it can no longer be updated'])
})

test('of what can be updated in no claimed column, a publication takes nothing', async () => {
  await database.rows('create table shop.kind (name text, length integer generated always as (length(name)) stored, note text)')
  await setClaims(database, 'desk', [
    { path: 'shop.kind', fields: [{ name: 'note', optional: true }, 'length'], access: ['select', 'update'] },
  ])
  expect(await rejection('create publication feed for table shop.kind')).toEqual([
    'IDB213 desk needs shop.kind (update): it can no longer be updated',
  ])
  await database.rows('alter table shop.kind drop note')
  await database.rows('create publication feed for table shop.kind')
  await expectAllWell(database)
})

describe('what is written with a claimed table', () => {
  const note = 'alter table parts.note add constraint of_line foreign key (line) references parts.line on delete set null'
  const publish = 'create publication feed for table parts.note'

  test('is behind it whatever is published', async () => {
    await setClaims(database, 'desk', [everything])
    expect(await behind()).toEqual(await oids('parts.line'))
    await database.rows(note)
    expect(await behind()).toEqual(await oids('parts.line', 'parts.note'))
    await database.rows("create publication feed for table parts.note with (publish = 'insert')")
    expect(await behind()).toEqual(await oids('parts.line', 'parts.note'))
    await expectAllWell(database)
  })

  test.each([
    ['the publication comes last', [note], publish],
    ['the foreign key comes last', [publish], note],
    [
      'the replica identity goes last',
      ['alter table parts.note add primary key (line)', publish, note.replace('set null', 'cascade')],
      'alter table parts.note drop constraint note_pkey',
    ],
    [
      'a partition comes last',
      ['drop table parts.note; create table parts.note (line integer) partition by range (line)', publish, note],
      'create table parts.any partition of parts.note default',
    ],
    [
      'triggers were disabled',
      ['alter table parts.line disable trigger all', note, 'alter table parts.line disable trigger all', publish],
      'alter table parts.line enable trigger all',
    ],
    [
      'it is logged last',
      ['alter table parts.note set unlogged', note, 'create publication feed for all tables'],
      'alter table parts.note set logged',
    ],
  ])('through two foreign keys: %s', async (_, before, last) => {
    await setClaims(database, 'desk', [everything])
    for (const sql of before) await database.rows(sql)
    await expectAllWell(database)
    expect(await rejection(last)).toEqual([cannotDelete])
    await expectAllWell(database)
  })

  test('only the key that others follow cannot be updated, also through a view', async () => {
    await setClaims(database, 'desk', [everything, { path: 'shop.label', fields: ['number', 'name'], access: ['select', 'update'] }])
    await database.rows('alter table parts.line drop constraint line_pkey')
    expect(await rejection("create publication feed for table parts.line with (publish = 'update')")).toEqual([
      'IDB213 desk needs shop.item.id (update): the column can no longer be updated',
      'IDB213 desk needs shop.label.number (update): the column can no longer be updated',
    ])
  })

  test('a key that is computed is updated with what it is computed from', async () => {
    await database.rows(`
      alter table shop.item add code text generated always as (lower(name)) stored unique;
      create table parts.price (code text references shop.item (code) on update set null)`)
    await setClaims(database, 'desk', [{ path: 'shop.item', fields: ['id', 'name'], access: ['select', 'update'] }])
    expect(await rejection('create publication feed for table parts.price')).toEqual([
      'IDB213 desk needs shop.item.name (update): the column can no longer be updated',
    ])
  })

  test('what refers to itself ends', async () => {
    await database.rows('alter table shop.item add parent integer references shop.item on delete cascade on update cascade')
    await setClaims(database, 'desk', [everything])
    await database.rows('create publication feed for table shop.item')
    await expectAllWell(database)
  })

  test('what inherits from what refers stays as it is', async () => {
    await database.rows('create table parts.long_line () inherits (parts.line)')
    await setClaims(database, 'desk', [everything])
    await database.rows('create publication feed for table parts.line')
    await expectAllWell(database)
  })
})

test('what a publication refuses is known at once to who only inserts, and so is that it is gone', async () => {
  await database.rows('alter table shop.item replica identity nothing')
  await setClaims(database, 'desk', [{ ...everything, access: ['select', 'insert'] }])
  const update = async () => await database.value(`select observed->'update' from integratedb.claim where relation_name = 'item'`)
  await database.rows('create publication feed for table shop.item')
  expect(await update()).toBe(false)
  await expectAllWell(database)
  await database.rows('drop publication feed')
  expect(await update()).toBe(true)
  await expectAllWell(database)
})

test('a publication that is dropped is told to whom it refused something, also for what is written with it', async () => {
  await database.rows('alter table parts.line drop constraint line_pkey')
  await database.rows('create publication feed for table parts.line')
  await setClaims(database, 'desk', [{ ...everything, access: ['select', 'insert', 'update'] }])
  const key = async () =>
    await database.value(`select f->'observed'->'update' from integratedb.claim, jsonb_array_elements(fields) f where f->>'name' = 'id'`)
  expect(await key()).toBe(false)
  await database.rows('drop publication feed')
  expect(await key()).toBe(true)
  await expectAllWell(database)
})

describe('the index that a replica identity rests on', () => {
  beforeEach(async () => {
    await database.rows(`
      create collation shop.plain from "C";
      create table shop.tag (name text not null, note text); create unique index tag_name on shop.tag (name collate shop.plain);
      alter table shop.tag replica identity using index tag_name;
      create publication feed for table shop.tag`)
    await setClaims(database, 'desk', [{ path: 'shop.tag', fields: '*', access: ['select', 'update'] }])
  })
  const lines = ['IDB213 desk needs shop.tag (update): it can no longer be updated']

  test('is dropped, made anew before', async () => {
    await database.rows('reindex index concurrently shop.tag_name')
    expect(await rejection('drop index shop.tag_name')).toEqual(lines)
  })

  test('is dropped CONCURRENTLY, which nothing can undo: a warning, and what is broken is known', async () => {
    database.notices.length = 0
    await database.rows('drop index concurrently shop.tag_name')
    expect(database.notices).toMatchObject([
      { severity: 'WARNING', code: 'IDB01', detail: lines[0], hint: expect.stringContaining('done CONCURRENTLY cannot be undone') },
    ])
    expect(await database.value('select code from integratedb.unmet_claims()')).toBe('IDB213')
    expect((await database.failure(`update shop.tag set note = 'x'`)).code).toBe('55000')
    await database.rows('alter table shop.tag replica identity full')
    await expectAllWell(database)
  })

  test('is dropped with what it rests on', async () => {
    expect(await rejection('drop collation shop.plain cascade')).toEqual(lines)
  })

  test('may go where the table goes, or is published no more', async () => {
    await database.rows('begin; drop index shop.tag_name; alter table shop.tag replica identity full; commit')
    await expectAllWell(database)
    await database.rows('create unique index tag_name on shop.tag (name); alter table shop.tag replica identity using index tag_name')
    await database.rows('drop publication feed')
    await database.rows('drop index shop.tag_name')
    await expectAllWell(database)
  })
})
