/** Channels that fail, block, refuse, are slow or gone: nobody else waits, nothing is lost, everything comes in order. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Outcome } from '../../src/notifier/channel/sink.ts'
import { type CloudEvent, distinct, eventually, Recorder, type Running, ready, Shop, start } from './shop.ts'

let shop: Shop
let running: Running
let recorder: Recorder

const delivered: Outcome = { outcome: 'delivered' }

beforeAll(async () => {
  shop = await Shop.open()
})
afterAll(async () => {
  await shop?.close()
})
beforeEach(async () => {
  await shop.admin.rows('truncate orders')
  await shop.subscribe([{ path: 'public.orders', events: ['INSERT', 'UPDATE', 'DELETE'] }], ['good', 'bad'])
  recorder = new Recorder()
  running = await start(shop, recorder)
  await ready(running)
})
afterEach(async () => {
  await running.stop()
  const session = await shop.connect()
  await session.rows(`select integratedb.remove_notifications('reporter')`)
  await session.end()
})

async function isAcknowledged(): Promise<boolean> {
  const here = await shop.admin.value<string>('select pg_current_wal_lsn()::text')
  await eventually(() => shop.admin.value<boolean>('select confirmed_flush_lsn >= $1::pg_lsn from pg_replication_slots', [here]))
  return true
}

function numbers(events: CloudEvent[]): number[] {
  return distinct(events).map(({ data }) => data.record?.id ?? data.old?.id ?? data.reason)
}

/** Of each key in the order of the stream. */
function expectInOrder(events: CloudEvent[]): void {
  const last = new Map<string, string>()
  for (const { id, data } of distinct(events)) {
    const key = JSON.stringify(data.key)
    if ((last.get(key) ?? '') > id) throw new Error(`${id} comes after ${last.get(key)}`)
    last.set(key, id)
  }
}

test('one fails for long: the other has its events at once, the slot moves, and later all comes, in order', async () => {
  let isUp = false
  recorder.behave = (channel) => (channel === 'bad' && !isUp ? { outcome: 'retry', reason: 'nobody there' } : delivered)
  const times: number[] = []
  for (let i = 1; i <= 200; i++) {
    const before = Date.now()
    await shop.admin.rows(i % 3 === 0 ? `update orders set total = ${i} where id = 1` : `insert into orders values (${i})`)
    await recorder.until('good', i)
    times.push(Date.now() - before)
  }
  expect(times.sort((a, b) => a - b)[100]).toBeLessThan(100)
  expect(await isAcknowledged()).toBe(true)
  expect(recorder.of('bad')).toEqual([])
  expect(await shop.admin.value('select count(*) from integratedb.parked')).toBe(200)
  isUp = true
  const events = await recorder.until('bad', (all) => distinct(all).length >= 200, 60_000)
  expect(
    distinct(events)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(
    distinct(recorder.of('good'))
      .map(({ id }) => id)
      .sort(),
  )
  expectInOrder(events)
  await eventually(async () => (await shop.admin.value('select count(*) from integratedb.parked')) === 0)
})

test('one blocks: it is parked, a new notifier has all of it, and what the old one was told in time does not come again', async () => {
  recorder.behave = (channel) => (channel === 'bad' ? new Promise(() => {}) : delivered)
  await shop.admin.rows('insert into orders select n from generate_series(1, 50) n')
  await recorder.until('good', 50)
  expect(await isAcknowledged()).toBe(true)
  const stopping = running.stop()
  await stopping
  recorder.behave = () => delivered
  running = await start(shop, recorder)
  const events = await recorder.until('bad', 50)
  expect(numbers(events).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  expect(recorder.of('good').length).toBe(50)
})

test('one refuses an event, in whatever batch: after five times it is a dead letter, the others have come, and it can be sent again', async () => {
  let isFixed = false
  recorder.behave = (channel, events) =>
    channel === 'bad' && !isFixed && events.some(({ body }) => body.includes('poison'))
      ? { outcome: 'rejected', reason: 'poison' }
      : delivered
  await shop.admin.rows(`insert into orders select n, case n when 7 then 'poison' end from generate_series(1, 30) n`)
  await recorder.until('bad', 29)
  expect(await isAcknowledged()).toBe(true)
  await eventually(async () => (await shop.admin.value('select count(*) from integratedb.dead_letters')) === 1, 40_000)
  expect(numbers(recorder.of('bad'))).not.toContain(7)
  isFixed = true
  const session = await shop.connect()
  await session.rows(`select integratedb.replay_dead_letters('reporter', 'bad')`)
  await session.end()
  await recorder.until('bad', 30)
  expect(numbers(recorder.of('bad')).at(-1)).toBe(7)
})

test('one is gone: its channel is disabled, and when it is enabled it is told how many it missed, before it goes on', async () => {
  let isGone = true
  recorder.behave = (channel) => (channel === 'bad' && isGone ? { outcome: 'gone', reason: '410' } : delivered)
  for (let i = 1; i <= 20; i++) await shop.admin.rows(`insert into orders values (${i})`)
  await recorder.until('good', 20)
  expect(await isAcknowledged()).toBe(true)
  expect(await shop.admin.value(`select disabled_reason from integratedb.channel where name = 'bad'`)).toBe('410')
  isGone = false
  const session = await shop.connect()
  await session.rows(`select integratedb.enable_channel('reporter', 'bad')`)
  await session.end()
  await shop.admin.rows('insert into orders values (21)')
  const events = await recorder.until('bad', 2)
  expect(events.map(({ type }) => type)).toEqual(['integratedb.gap', 'integratedb.insert'])
  expect(events[0]?.data).toMatchObject({ reason: 'disabled', number: 20 })
  expect(numbers(events)[1]).toBe(21)
})

test('one is slow and gets more than there is memory for: it is parked, nobody waits, and it has all in order', async () => {
  recorder.behave = async (channel) => {
    // 400 events in so long: less than what a full queue has to go down by, on any machine.
    if (channel === 'bad') await new Promise((resolve) => setTimeout(resolve, 50))
    return delivered
  }
  await shop.admin.rows(`insert into orders select n, 'new', n, repeat('x', 500) from generate_series(1, 20000) n`)
  await shop.admin.rows(`update orders set total = 0 where id % 4 = 0`)
  await recorder.until('good', 25_000, 60_000)
  expect(running.log.some(({ message }) => message.startsWith('the channel does not keep up'))).toBe(true)
  const events = await recorder.until('bad', (all) => distinct(all).length >= 25_000, 100_000)
  expectInOrder(events)
  await eventually(() => running.log.some(({ message }) => message.startsWith('nothing is parked any more')))
  expect(await isAcknowledged()).toBe(true)
}, 180_000)

test('one may keep so many and no more: the rest is told as a gap, in its place', async () => {
  await shop.subscribe([{ path: 'public.orders', events: ['INSERT'] }], ['good', { name: 'bad', max_parked: 10 }])
  let isUp = false
  recorder.behave = (channel) => (channel === 'bad' && !isUp ? { outcome: 'retry', reason: 'nobody there' } : delivered)
  await shop.admin.rows('insert into orders select n from generate_series(1, 30) n')
  await recorder.until('good', 30)
  expect(await isAcknowledged()).toBe(true)
  isUp = true
  await shop.admin.rows('insert into orders values (31)')
  const events = await recorder.until('bad', (all) => all.some(({ data }) => data.record?.id === 31), 60_000)
  const gap = events.find(({ type }) => type === 'integratedb.gap')
  expect(gap?.data).toMatchObject({ reason: 'quota', number: 20 })
  expect(
    numbers(events)
      .filter((each) => typeof each === 'number')
      .sort((a, b) => a - b),
  ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 31])
})

test('one cannot be opened: it is parked, and goes on when it can', async () => {
  await running.stop()
  let isThere = false
  const open = recorder.open.bind(recorder)
  recorder.open = async (channel: { name: string }) => {
    if (channel.name === 'bad' && !isThere) throw new Error('INTEGRATEDB_SECRET_X is not set')
    return await open(channel)
  }
  running = await start(shop, recorder)
  await ready(running)
  await shop.admin.rows('insert into orders values (1)')
  await recorder.until('good', 1)
  expect(await isAcknowledged()).toBe(true)
  const status = await (await fetch(`http://127.0.0.1:${running.port}/readyz/reporter/bad`)).json()
  expect(status).toMatchObject({ status: 'broken', reason: 'INTEGRATEDB_SECRET_X is not set', queued: 1 })
  isThere = true
  expect(numbers(await recorder.until('bad', 1))).toEqual([1])
})

test('one is removed while events wait: those that it was to have it still gets, and nothing holds up the slot', async () => {
  let isSlow = true
  recorder.behave = async (channel) => {
    if (channel === 'bad' && isSlow) await new Promise((resolve) => setTimeout(resolve, 300))
    return delivered
  }
  await shop.admin.rows('insert into orders select n from generate_series(1, 100) n')
  await shop.subscribe([{ path: 'public.orders' }], ['good'])
  await shop.admin.rows('insert into orders values (101)')
  await recorder.until('good', 101)
  expect(await isAcknowledged()).toBe(true)
  expect(numbers(recorder.of('bad')).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
  isSlow = false
})
