/**
 * Two sessions at once, in the orders of their steps: afterwards every claim holds, or one of the two has failed
 * cleanly.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { type Actor, interleave, levels, schedulesAt } from '../support/interleave.ts'
import { expectClaimsToHold, expectSyncToChangeNothing } from '../support/oracle.ts'

// Hundreds of small histories; each takes moments, and more on a busy machine.
vi.setConfig({ testTimeout: 300_000 })

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reporter'), integratedb.add_stakeholder('billing')`)
})
afterEach(() => database.drop())

/** Everything as before, so that one database serves all schedules. */
async function reset(setup: string): Promise<void> {
  await database.rows(`select integratedb.remove_claims('reporter'), integratedb.remove_claims('billing')`)
  await database.rows('drop schema if exists shop, moved, other cascade')
  for (const statement of setup.split(';')) await database.rows(statement)
}

/** Rejected, or to be run again. The last is Postgres's own: two transactions changed one row of the catalogue. */
const clean = /^(done|IDB01|IDB03|40001|40P01|XX000 tuple concurrently (updated|deleted))/

/** After every schedule, and after a retry of what was to be retried, all that is claimed holds. */
async function survives(setup: string, a: Actor, b: Actor): Promise<void> {
  for (const schedule of schedulesAt(a.level, b.level)) {
    await reset(setup)
    const outcomes = await interleave(database, a, b, schedule)
    const told = `${schedule}: ${outcomes.join(', ')}`
    for (const [at, outcome] of outcomes.entries()) {
      expect(outcome, told).toMatch(clean)
      // Our own calls say so in a way that tools retry.
      if (/integratedb/.test(([a, b][at] as Actor).sql)) expect(outcome, told).not.toMatch(/^XX000/)
    }
    for (const [at, outcome] of outcomes.entries()) {
      if (!/^(40|XX)/.test(outcome)) continue
      const retry = await database.connect()
      const { sql, level } = [a, b][at] as Actor
      const result = await retry.rows(`begin isolation level ${level}; ${sql}; commit`).then(
        () => 'done',
        (error) => `${error.code} ${error.message}`,
      )
      expect(result, `${told}; again: ${result}`).toMatch(/^(done|IDB01|IDB03)/)
    }
    expect(await database.rows('select stakeholder, path, field, message from integratedb.unmet_claims()'), told).toEqual([])
    try {
      await expectClaimsToHold(database)
      await expectSyncToChangeNothing(database)
    } catch (error) {
      throw new Error(`${told}\n${(error as Error).message}`, { cause: error })
    }
  }
}

function claimOf(stakeholder: string, ...match: unknown[]): string {
  return `select from integratedb.set_claims('${stakeholder}', '${JSON.stringify({ match })}')`
}

const orders = `create schema shop; create schema other; create type other.mood as enum ('good'); create domain other.code as text not null;
  create table shop.orders (id int not null, total numeric, mood other.mood, code other.code);
  create view shop.v as select id from shop.orders; create materialized view shop.m as select id from shop.orders`

const pairs: { title: string; match: unknown; migrations: string[] }[] = [
  {
    title: 'columns',
    match: { path: 'shop.orders', fields: ['id', 'total', 'mood', 'code'] },
    migrations: [
      'alter table shop.orders drop column total',
      'alter table shop.orders rename total to amount',
      'drop table shop.orders cascade',
      'alter table shop.orders rename to purchase',
      'alter table shop.orders set schema other',
      // These take no lock on the relation.
      'alter schema shop rename to moved',
      'alter type other.mood rename to feeling',
      'alter domain other.code drop not null',
      'alter schema other rename to moved',
    ],
  },
  {
    title: 'the relation alone',
    match: { path: 'shop.orders' },
    migrations: ['drop table shop.orders cascade', 'alter schema shop rename to moved'],
  },
  {
    title: 'optional things',
    match: { path: 'shop.orders', fields: ['id', { name: 'total', optional: true }, { name: 'later', optional: true }], optional: true },
    migrations: [
      'alter table shop.orders add column later int',
      'alter table shop.orders drop column total',
      'alter table shop.orders rename to t',
    ],
  },
  {
    title: 'a wildcard',
    match: { path: 'shop.*', fields: '*' },
    migrations: [
      'create table shop.t (a int)',
      'create view shop.w as select 1 as a',
      'alter table other.t set schema shop',
      'alter table shop.u rename to t',
      'alter table shop.orders add column later int',
      'alter schema shop rename to moved',
    ],
  },
  {
    title: 'an optional wildcard',
    match: { path: 'moved.*', fields: '*', optional: true },
    migrations: ['alter schema shop rename to moved', 'create schema moved create table t (a int)'],
  },
  {
    title: 'a column of the row type of another table',
    match: { path: 'other.person', fields: '*' },
    migrations: [
      'alter table shop.orders rename to purchase',
      'alter table shop.orders set schema other',
      'alter schema shop rename to moved',
    ],
  },
  {
    title: 'a view or a materialized view',
    match: {
      alternatives: [
        { path: 'shop.v', fields: ['id'] },
        { path: 'shop.m', fields: ['id'] },
      ],
    },
    migrations: [
      'drop view shop.v; alter materialized view shop.m rename id to key',
      'create or replace view shop.v as select id, total from shop.orders',
    ],
  },
]

describe.each(levels)('a claim against a migration at %s', (level) => {
  const setup = `${orders}; create table other.t (a int); create table shop.u (a int); create table other.person (whole shop.orders)`
  // What SERIALIZABLE adds to REPEATABLE READ is Postgres's own; a sample is enough.
  const tried = level === 'serializable' ? pairs.map((pair) => ({ ...pair, migrations: pair.migrations.slice(0, 1) })) : pairs
  test.each(tried)('$title', async ({ match, migrations }) => {
    for (const migration of migrations) {
      await survives(setup, { sql: claimOf('reporter', match), level: 'read committed' }, { sql: migration, level })
    }
  })

  test('a privilege granted by hand before, and revoked', async () => {
    const granted = `${orders}; grant usage on schema shop to reporter; grant select (id) on shop.orders to reporter`
    const claim: Actor = { sql: claimOf('reporter', { path: 'shop.orders', fields: ['id'] }), level: 'read committed' }
    await survives(granted, claim, { sql: 'revoke select (id) on shop.orders from reporter', level })
    await survives(granted, claim, { sql: 'revoke usage on schema shop from reporter', level })
    await survives(granted, claim, { sql: 'revoke all on all tables in schema shop from reporter', level })
  })

  test('a publication that updates fail with', async () => {
    const setup = 'drop publication if exists whole; create schema shop; create schema other; create table shop.t (a int)'
    const claim: Actor = {
      sql: claimOf('reporter', { path: 'shop.t', fields: ['a'], access: ['select', 'update'] }),
      level: 'read committed',
    }
    await survives(setup, claim, { sql: 'create publication whole for all tables', level })
    await survives(setup, claim, { sql: 'create publication whole for tables in schema shop', level })
  })

  test('a partition that is detached into the wildcard', async () => {
    const partitions = `create schema shop; create schema other; create table shop.t (a int);
      create table other.p (a int) partition by list (a); create table shop.p1 partition of other.p for values in (1)`
    const claim: Actor = { sql: claimOf('reporter', { path: 'shop.*', fields: '*' }), level: 'read committed' }
    await survives(partitions, claim, { sql: 'alter table other.p detach partition shop.p1', level })
    await survives(partitions, claim, {
      sql: 'create table shop.p2 (a int); alter table other.p attach partition shop.p2 for values in (2)',
      level,
    })
  })
})

/** A pending request, and its approval. */
function requestOf(...match: unknown[]): string {
  return `set role reporter; select integratedb.request_claims('${JSON.stringify({ match })}', 'x'); reset role`
}

describe.each(levels)('an approval against a migration at %s', (level) => {
  const approval: Actor = { sql: `select integratedb.approve_claims('reporter')`, level: 'read committed' }
  const tried = pairs.filter(({ title }) => title === 'columns' || title === 'a wildcard')
  test.each(tried)('$title', async ({ match, migrations }) => {
    const setup = `${orders}; create table other.t (a int); create table shop.u (a int); ${requestOf(match)}`
    for (const migration of level === 'read committed' ? migrations : migrations.slice(0, 1))
      await survives(setup, approval, { sql: migration, level })
  })
})

describe.each(levels)('a migration against a migration at %s', (level) => {
  test('each drops one of two alternatives: one of them stays', async () => {
    const setup = `create schema shop; create table shop.one (a int); create table shop.two (a int); ${claimOf('reporter', {
      alternatives: [
        { path: 'shop.one', fields: ['a'] },
        { path: 'shop.two', fields: ['a'] },
      ],
    })}`
    await survives(setup, { sql: 'drop table shop.one', level }, { sql: 'alter table shop.two rename a to b', level })
    await survives(setup, { sql: 'drop table shop.one', level }, { sql: 'drop table shop.two', level: 'read committed' })
  })

  test('both are followed', async () => {
    const setup = `${orders}; ${claimOf('reporter', { path: 'shop.*', fields: '*' })}; ${claimOf('billing', { path: 'shop.orders', fields: ['id'] })}`
    await survives(setup, { sql: 'create table shop.one (a int)', level }, { sql: 'create table shop.two (a int)', level })
    await survives(setup, { sql: 'alter table shop.orders add one int', level }, { sql: 'alter table shop.orders add two int', level })
    await survives(
      setup,
      { sql: 'alter schema shop rename to moved; alter schema moved rename to shop', level },
      { sql: 'alter table shop.orders add two int', level },
    )
  })

  test('one revokes what the other grants on', async () => {
    const setup = `${orders}; ${claimOf('reporter', { path: 'shop.*', fields: '*' })}`
    await survives(setup, { sql: 'revoke usage on schema shop from reporter', level }, { sql: 'create table shop.two (a int)', level })
  })
})

describe.each(levels)('a new table against what its columns are of, at %s', (level) => {
  const setup = `create schema shop; create schema other; create type other.mood as enum ('good'); create type other.pair as (mood other.mood);
    create domain other.code as text; ${claimOf('reporter', { path: 'shop.*', fields: '*', optional: true })}`
  const table: Actor = {
    sql: `do $$ begin create table shop.t (mood other.mood, pair other.pair, code other.code);
      exception when undefined_object or invalid_schema_name then null; end $$`, // the other one was first
    level: 'read committed',
  }
  test.each([
    "alter type other.mood rename value 'good' to 'fine'",
    'alter type other.mood rename to feeling',
    'alter type other.pair add attribute more int',
    'alter domain other.code set not null',
    'alter schema other rename to moved',
  ])('%s', async (sql) => await survives(setup, table, { sql, level }))
})

describe('a claim against a claim', () => {
  const orderClaim = claimOf('reporter', { path: 'shop.orders', fields: ['id'] })
  test('of the same stakeholder: the last one counts', async () => {
    await survives(
      orders,
      { sql: orderClaim, level: 'read committed' },
      { sql: claimOf('reporter', { path: 'shop.*', fields: '*' }), level: 'read committed' },
    )
  })
  test('of another stakeholder', async () => {
    await survives(
      orders,
      { sql: orderClaim, level: 'read committed' },
      { sql: claimOf('billing', { path: 'shop.*', fields: '*' }), level: 'read committed' },
    )
  })
  test('taken back', async () => {
    const setup = `${orders}; ${orderClaim}`
    for (const level of levels) {
      await survives(
        setup,
        { sql: `select integratedb.remove_claims('reporter')`, level },
        { sql: 'drop table shop.orders cascade', level },
      )
      await survives(
        setup,
        { sql: `select integratedb.remove_claims('reporter')`, level },
        { sql: 'alter schema shop rename to moved', level },
      )
    }
  })

  test.each(['repeatable read', 'serializable'])('is made at READ COMMITTED only, not at %s', async (level) => {
    await reset(orders)
    await database.rows(`begin isolation level ${level}`)
    expect(await database.failure(orderClaim)).toMatchObject({
      code: 'IDB08',
      message: `set_claims cannot run in a ${level.toUpperCase()} transaction`,
    })
    await database.rows('rollback')
  })
})
