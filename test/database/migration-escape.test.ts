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
      'composite of a text, b integer',
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
      'IDB203 reporter needs shop.customer.pair (shop.pair): the type shop.pair is another now: composite of a integer',
    )
  })
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
