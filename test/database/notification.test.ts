// What a stakeholder is told of: declared, published, and read by the notifier's functions.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'

let database: TestDatabase
/** Logged in as a notifier: EXECUTE on its functions, and no more. */
let bell: Session
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create table public.orders (id bigint primary key, total numeric, status text, note text);
    create table public.bare (id bigint, total numeric);
    select integratedb.add_stakeholder('notified');
    select integratedb.set_claims('notified', '{"match": [
      {"path": "public.orders", "fields": ["id", "total", "status"]}, {"path": "public.bare", "fields": "*"}]}');
    select integratedb.add_notifier('bell')`)
  bell = await database.connect('bell')
})
afterAll(() => database.drop())

const queue = { name: 'events', kind: 'QUEUE' }

async function set(...match: Record<string, unknown>[]): Promise<Record<string, unknown>[]> {
  const document = { match: match.map((each) => ({ path: 'public.orders', events: ['*'], channels: ['*'], ...each })), channels: [queue] }
  return await database.rows('select * from integratedb.set_notifications($1, $2)', ['notified', JSON.stringify(document)])
}

async function published(): Promise<string[]> {
  const rows = await database.rows<{ tablename: string }>(
    `select schemaname || '.' || tablename as tablename from pg_publication_tables where pubname = 'integratedb' order by 1`,
  )
  return rows.map(({ tablename }) => tablename)
}

describe('notifications', () => {
  test('are what was declared; the publication holds their tables; a version tells of them', async () => {
    expect(await set({})).toEqual([
      {
        path: 'public.orders',
        events: ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'],
        fields: ['id', 'total', 'status'],
        channels: ['events'],
        where: null,
        status: 'met',
      },
    ])
    expect(await published()).toEqual(['integratedb.subscription_version', 'public.orders'])
    const [version] = await database.rows<{ version: number; state: Record<string, unknown> }>(
      'select version, state from integratedb.subscription_version order by version desc limit 1',
    )
    expect(version?.state).toMatchObject({
      stakeholder: 'notified',
      channels: [{ name: 'events', kind: 'QUEUE', alerts: true, max_parked: 100000, disabled: false, configuration: {} }],
      subscriptions: [{ path: 'public.orders', fields: ['id', 'total', 'status'], where: null }],
    })
    await bell.rows(`select integratedb._notifier_applied($1, '0/10')`, [version?.version])
    expect(await bell.rows(`select stakeholder from integratedb._notifier_versions('0/F')`)).toEqual([])
    expect(await bell.rows(`select stakeholder from integratedb._notifier_versions('0/10')`)).toEqual([{ stakeholder: 'notified' }])
  })

  test('the last subscription leaves no table in the publication', async () => {
    await database.rows(`select integratedb.remove_notifications('notified')`)
    expect(await published()).toEqual(['integratedb.subscription_version'])
    expect(await database.value('select state from integratedb.subscription_version order by version desc limit 1')).toBeNull()
  })
})
