/** What a hostile reader once got past the judgement, or had blamed on the wrong migration. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, expectClaimsToHold, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    select integratedb.add_stakeholder('reporter');
    create schema shop;
    create table shop.orders (id int primary key, total numeric(10,2) not null)`)
})
afterEach(() => database.drop())

describe('a type made anew under its name', () => {
  const claimed = { path: 'shop.customer', fields: '*' }
  test.each([
    ['another domain', 'create domain shop.kind as varchar(80)', 'create domain shop.kind as int', 'domain over integer'],
    [
      'a shorter domain',
      'create domain shop.kind as varchar(80)',
      'create domain shop.kind as varchar(3)',
      'domain over character varying(3)',
    ],
    ['a domain where an enum was', "create type shop.kind as enum ('a')", 'create domain shop.kind as text', 'domain over text'],
    [
      'another composite type',
      'create type shop.kind as (a int)',
      'create type shop.kind as (a text, b int)',
      'composite of 1: a text, 2: b integer',
    ],
  ])('%s', async (_, was, is, content) => {
    await database.rows(`${was}; create table shop.customer (mail shop.kind, mails shop.kind[])`)
    await setClaims(database, 'reporter', [claimed])
    const error = await database.failure(`begin;
      alter table shop.customer drop mail, drop mails; drop ${was.includes('domain') ? 'domain' : 'type'} shop.kind; ${is};
      alter table shop.customer add mail shop.kind, add mails shop.kind[]; commit`)
    await database.rows('rollback')
    expect(error.detail?.split('\n')).toEqual([
      `IDB203 reporter needs shop.customer.mail (shop.kind): the type shop.kind is another now: ${content}`,
      `IDB203 reporter needs shop.customer.mails (shop.kind[]): the type shop.kind[] is another now: ${content}`,
    ])
    await database.rows(`begin;
      alter table shop.customer drop mail, drop mails; drop ${was.includes('domain') ? 'domain' : 'type'} shop.kind; ${was};
      alter table shop.customer add mail shop.kind, add mails shop.kind[]; commit`)
    await expectAllWell(database)
  })

  test('a composite type whose attributes change', async () => {
    await database.rows('create type shop.pair as (a int, b text); create table shop.customer (pair shop.pair)')
    await setClaims(database, 'reporter', [claimed])
    expect((await database.failure('alter type shop.pair drop attribute b')).detail).toBe(
      'IDB203 reporter needs shop.customer.pair (shop.pair): the type shop.pair is another now: composite of 1: a integer',
    )
  })
})

describe('types within a type, made anew under their names', () => {
  const kinds = `create type shop.mood as enum ('sad', 'glad'); create domain shop.code as varchar(9);
    create type shop.part as (mood shop.mood, code shop.code, rate numeric(8,2)); create type shop.span as range (subtype = shop.code);
    create type shop.kind as (a int, parts shop.part[], span shop.span)`
  const anew = (
    made: string,
  ) => `begin; alter table shop.customer drop kind, drop spans; drop type shop.kind, shop.span, shop.part, shop.mood; drop domain shop.code;
    ${made}; alter table shop.customer add kind shop.kind, add spans shop.span[]; commit`
  const whole = 'composite of 1: a integer, 2: parts array of composite of'
  const [mood, code, rate] = ['2.1: mood enum', '2.2: code domain over character varying(9)', '2.3: rate numeric(8,2)']
  const span = '3: span range of domain over character varying(9)'
  beforeEach(async () => {
    await database.rows(`${kinds}; create table shop.customer (kind shop.kind, spans shop.span[])`)
    await setClaims(database, 'reporter', [{ path: 'shop.customer', fields: '*' }])
  })

  test.each([
    ['with other names', `${kinds}; alter type shop.mood rename to feeling; alter domain shop.code set schema public`],
    ['with other names, and more at the end', `${kinds}; alter type shop.part rename to piece; alter type shop.piece add attribute b text`],
  ])('%s: no other type', async (_, made) => {
    await database.rows(anew(made))
    await expectAllWell(database)
  })

  test.each([
    [
      'a shorter domain',
      kinds.replace('(9)', '(3)'),
      `${whole} ${mood}, 2.2: code domain over character varying(3), ${rate}, 3: span range of domain over character varying(3)`,
    ],
    [
      'an attribute in the middle',
      kinds.replace('code shop', 'x int, code shop'),
      `${whole} ${mood}, 2.2: x integer, 2.3: code domain over character varying(9), 2.4: rate numeric(8,2), ${span}`,
    ],
    [
      'another order',
      kinds.replace('(mood shop.mood, code shop.code', '(code shop.code, mood shop.mood'),
      `${whole} 2.1: code domain over character varying(9), 2.2: mood enum, ${rate}, ${span}`,
    ],
    [
      'no longer an array',
      kinds.replace('part[]', 'part'),
      `composite of 1: a integer, 2: parts composite of ${mood}, ${code}, ${rate}, ${span}`,
    ],
    ['another enum', kinds.replace("enum ('sad', 'glad')", "enum ('glad')"), null],
  ])('%s: another type', async (_, made, content) => {
    const { detail } = await database.failure(anew(made))
    expect(detail?.split('\n')[0]).toBe(
      content === null
        ? 'IDB303 reporter needs shop.customer.kind ("parts.mood.sad"): shop.kind has no label "parts.mood.sad"'
        : `IDB203 reporter needs shop.customer.kind (shop.kind): the type shop.kind is another now: ${content}`,
    )
    await database.rows('rollback')
    await expectAllWell(database)
  })
})

test('a type that holds another ten thousand times over is not looked into', async () => {
  const doubled = Array.from({ length: 14 }, (_, at) => `create type shop.c${at + 1} as (a shop.c${at}, b shop.c${at})`)
  await database.rows(`create type shop.c0 as (a int); ${doubled.join(';')}; create table shop.customer (kind shop.c14)`)
  await setClaims(database, 'reporter', [{ path: 'shop.customer', fields: '*' }])
  expect(await database.value('select max(length(fields::text)) from integratedb.claim')).toBeLessThan(2_000)
  await database.rows('alter type shop.c0 rename to c; alter type shop.c13 add attribute c int; alter table shop.customer add b int')
  expect((await database.failure('alter table shop.customer alter kind type shop.c13 using (kind).a')).code).toBe('IDB01')
  await expectAllWell(database)
})

describe('DROP OWNED', () => {
  test('that drops something of the stakeholder as well', async () => {
    const reporter = await database.connect('reporter')
    await reporter.rows('create table reporter.cache (a int)')
    await setClaims(database, 'reporter', [
      { path: 'shop.orders', fields: '*' },
      { path: 'reporter.cache', fields: '*', optional: true },
    ])
    expect((await database.failure('drop owned by reporter')).code).toBe('IDB01')
    await expectAllWell(database)
  })
})

describe('in the transaction that breaks a claim', () => {
  test.each([
    'select * from integratedb.sync()',
    "select integratedb.set_enforcement('off'), integratedb.set_enforcement('enforce')",
    "select integratedb.set_enforcement('warn')",
  ])('%s judges it first', async (call) => {
    await setClaims(database, 'reporter', [{ path: 'shop.orders', fields: '*' }])
    expect((await database.failure(`begin; alter table shop.orders drop total; ${call}; commit`)).code).toBe('IDB01')
    await database.rows('rollback')
    await expectAllWell(database)
  })
})

test('a claim that was let go does not take the grants of one that holds', async () => {
  await setClaims(database, 'reporter', [
    { path: 'shop.orders', fields: ['id', 'total'] },
    { path: 'shop.old_orders', fields: ['id'], optional: true },
  ])
  await database.rows(`
    select integratedb.set_enforcement('warn'); alter table shop.orders rename to old_orders; select integratedb.set_enforcement('enforce')`)
  await database.rows('create table shop.orders (id int primary key, total numeric(10,2) not null)')
  await expectClaimsToHold(database)
  expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])
})
