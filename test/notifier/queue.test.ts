/** A queue, from the sink to whoever takes events, as docs/notifications.md tells it. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context, Event, Sink } from '../../src/notifier/channel/sink.ts'
import { Database } from '../../src/notifier/database.ts'
import { queue } from '../../src/notifier/deliver/queue.ts'
import { type Session, TestDatabase } from '../support/database.ts'

let db: TestDatabase
let database: Database
let reporter: Session
let sink: Sink

beforeAll(async () => {
  db = await TestDatabase.create()
  await db.rows(
    `create table public.orders (id int primary key); select integratedb.add_stakeholder('reporter'), integratedb.add_notifier('notifier')`,
  )
  await db.rows(`select * from integratedb.set_claims('reporter', '{"match": [{"path": "public.orders", "fields": "*"}]}')`)
  await db.rows(`select * from integratedb.set_notifications('reporter', '{
    "match": [{"path": "public.orders", "events": ["*"], "channels": ["events"]}], "channels": [{"name": "events", "kind": "QUEUE", "max_parked": 5}]}')`)
  database = new Database({ connectionString: db.url('notifier') })
  reporter = await db.connect('reporter')
  const id = await db.value<number>('select id from integratedb.channel')
  const channel = { id, name: 'events', kind: 'QUEUE', stakeholder: 'reporter', configuration: {} }
  sink = await queue.open(channel, { database } as Partial<Context> as Context)
})
afterAll(async () => {
  await database.close()
  await db.drop()
})

function event(number: number, key: string | null): Event {
  const id = `${number.toString(16).padStart(16, '0').toUpperCase()}-00000000`
  return { id, key, body: Buffer.from(JSON.stringify({ id, data: 'ö' })) }
}

async function deliver(...events: Event[]): Promise<void> {
  expect(await sink.deliver(events, new AbortController().signal)).toEqual({ outcome: 'delivered' })
}

test('taken in order of each row, acknowledged, given back; the reader is woken', async () => {
  const woken: unknown[] = []
  await reporter.rows('listen reporter')
  reporter.client.on('notification', ({ payload }) => woken.push(payload))
  await deliver(event(1, 'a'), event(2, 'a'), event(3, 'b'))
  await deliver(event(1, 'a')) // the notifier was not sure
  const page = readFileSync('docs/notifications.md', 'utf8')
  const [take = '', ack = '', release = ''] = /```sql\n(select id, event[\s\S]*?)```/.exec(page)?.[1]?.match(/^select [^;]*;/gm) ?? []
  const ids = async () => (await reporter.rows<{ id: string }>(take)).map(({ id }) => id)
  expect(await ids()).toEqual([event(1, '').id, event(3, '').id])
  expect(await ids()).toEqual([])
  const of = (sql: string, number: number) => sql.replace('00000000016B3748-00000000', event(number, '').id)
  await reporter.rows(of(ack, 1))
  await reporter.rows(of(release, 3))
  expect(await reporter.rows(take)).toEqual([
    { id: event(2, '').id, event: { id: event(2, '').id, data: 'ö' }, attempt: 1 },
    { id: event(3, '').id, event: { id: event(3, '').id, data: 'ö' }, attempt: 2 },
  ])
  expect(woken.slice(0, 2)).toEqual(['events', 'events'])
})

test('a queue that is full takes nothing more: events are parked, and come when there is room', async () => {
  await deliver(event(4, 'c'), event(5, 'd'), event(6, 'e'))
  await expect(deliver(event(7, 'f'))).rejects.toThrow('the queue events of reporter is full')
  const { rowCount } = await reporter.client.query(`select integratedb.ack_events('events', array(select id from reporter.events))`)
  expect(rowCount).toBe(1)
  await deliver(event(7, 'f'))
})
