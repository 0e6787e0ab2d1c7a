/** Killed, stopped, taken over: each id arrives, and in order. Servers and processes of its own. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type CloudEvent, distinct, eventually, Process, Recorder, ready, Shop, start } from './shop.ts'

let shop: Shop
let processes: Process[] = []

beforeAll(async () => {
  shop = await Shop.open({ fsync: 'on', autovacuum: 'off', wal_sender_timeout: '3s', max_slot_wal_keep_size: '64MB' })
  await shop.subscribe([{ path: 'public.orders' }], ['one', 'two'])
})
afterAll(async () => {
  await shop?.close()
})
afterEach(async () => {
  for (const each of processes) await each.kill('SIGKILL')
  processes = []
})

function run(options: ConstructorParameters<typeof Process>[1] = {}): Process {
  const process = new Process(shop.url, options)
  processes.push(process)
  return process
}

let next = 1

/** Rows, numbered as they are committed; until told to end. Answers how many there were. */
async function load(isOver: () => boolean, pause = 2): Promise<{ first: number; last: number }> {
  const first = next
  const session = await shop.connect()
  while (!isOver()) {
    try {
      // It may be there: committed when the server was stopped, and nobody was told.
      await session.rows(`insert into orders (id, status, total) values ($1::int, 'new', $1::int) on conflict do nothing`, [next])
      next++
    } catch (error) {
      if ((error as { severity?: string }).severity === 'ERROR') throw error
      break // the server stops
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
  await session.end().catch(() => {})
  return { first, last: next - 1 }
}

/** Each number once at least, and the first of each id in the order of the stream. */
function expectAll(events: CloudEvent[], { first, last }: { first: number; last: number }): void {
  const numbers = distinct(events).map(({ data }) => data.record.id as number)
  const missing = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((number) => !numbers.includes(number))
  expect(missing).toEqual([])
}

test('killed at random under load: each event arrives, and what comes again has the same id and is the same', async () => {
  let over = false
  let loading: ReturnType<typeof load> | undefined
  const seen: { channel: string; event: CloudEvent }[] = []
  for (let i = 0; i < 6; i++) {
    const process = run({ delay: 3 })
    await eventually(() => process.log.includes('streaming'))
    loading ??= load(() => over)
    await eventually(() => process.events.length > 20)
    await new Promise((resolve) => setTimeout(resolve, (i * 97) % 400))
    await process.kill('SIGKILL')
    seen.push(...process.events)
  }
  over = true
  const range = (await loading) ?? expect.fail('nothing was loaded')
  const last = run()
  await eventually(() => ['one', 'two'].every((channel) => last.of(channel).some(({ data }) => data.record.id === range.last)))
  seen.push(...last.events)
  for (const channel of ['one', 'two']) {
    const events = seen.filter((each) => each.channel === channel).map(({ event }) => event)
    expectAll(events, range)
    const first = new Map<string, string>()
    for (const event of events) {
      const text = JSON.stringify(event)
      expect(first.get(event.id) ?? text).toBe(text)
      first.set(event.id, text)
    }
  }
})

test.each(['fast', 'immediate'])('the database stops (%s) under load and starts again: the notifier goes on by itself', async (mode) => {
  const process = run({ delay: 2 })
  await eventually(() => process.log.includes('streaming'))
  const range = { first: next, last: 0 }
  for (let i = 0; i < 2; i++) {
    const loading = load(() => false)
    await eventually(() => process.of('one').at(-1)?.data.record.id > range.first + 50 * (i + 1))
    await shop.control('stop', '-m', mode)
    await loading
    await shop.control('start')
  }
  // What the server was committing when it was stopped may be there or not.
  const admin = await shop.connect()
  next = (await admin.value<number>('select max(id) from orders')) + 1
  await admin.rows(`insert into orders (id) values ($1)`, [next++])
  await admin.end()
  range.last = next - 1
  await eventually(() => ['one', 'two'].every((channel) => process.of(channel).some(({ data }) => data.record.id === range.last)))
  for (const channel of ['one', 'two']) expectAll(process.of(channel), range)
})

test('two notifiers: one reads, the other waits, and takes over when the first is gone, killed or told to end', async () => {
  const first = run({ delay: 2 })
  await eventually(() => first.log.includes('streaming'))
  const second = run({ delay: 2 })
  await eventually(() => second.log.some((line) => line.startsWith('another notifier reads the slot')))
  let over = false
  const loading = load(() => over)
  await eventually(() => first.events.length > 50)
  expect(second.events).toEqual([])
  await first.kill('SIGKILL')
  await eventually(() => second.events.length > 50)
  const third = run({ delay: 2 })
  await eventually(() => third.log.some((line) => line.startsWith('another notifier reads the slot')))
  expect(await second.kill('SIGTERM')).toBe(0)
  await eventually(() => third.events.length > 50)
  over = true
  const range = await loading
  await eventually(() => third.of('two').some(({ data }) => data.record.id === range.last))
  expectAll([...first.of('one'), ...second.of('one'), ...third.of('one')], range)
  // The second was told: what it had read it delivered, and the third begins behind it.
  const again = new Set(second.of('one').map(({ id }) => id))
  expect(third.of('one').filter(({ id }) => again.has(id))).toEqual([])
})

test('killed with later events parked and earlier ones only in memory: the next one delivers all of them, in order', async () => {
  const blocked = run({ delay: 2 ** 30 })
  await eventually(() => blocked.log.includes('streaming'))
  const admin = await shop.connect()
  const first = next
  const last = first + 999
  next += 1000
  // Twice what a channel has in memory: of most rows the insert stays there, and the update is parked.
  await admin.rows(`insert into orders (id, status, note) select n, 'new', repeat('x', 4000) from generate_series($1::int, $2) n`, [
    first,
    last,
  ])
  await admin.rows(`update orders set status = 'paid' where id between $1 and $2`, [first, last])
  const parked = () => admin.value<number>(`select count(*) from integratedb.parked where body like '%"paid"%'`)
  await eventually(async () => (await parked()) === 2 * 1000)
  await blocked.kill('SIGKILL')
  expect(await admin.value(`select count(*) from integratedb.parked where body like '%"new"%'`)).toBeLessThan(2 * 900)
  const recorder = new Recorder()
  const running = await start(shop, recorder)
  for (const channel of ['one', 'two']) {
    const ours = (all: CloudEvent[]) => distinct(all).filter(({ data }) => data.record.id >= first)
    const events = ours(await recorder.until(channel, (all) => ours(all).length >= 2000))
    const statuses = new Map<number, string[]>()
    for (const { data } of events) statuses.set(data.record.id, [...(statuses.get(data.record.id) ?? []), data.record.status])
    const wrong = [...statuses].filter(([, each]) => each.join() !== 'new,paid')
    expect([statuses.size, wrong]).toEqual([1000, []])
  }
  await eventually(async () => (await admin.value('select count(*) from integratedb.parked')) === 0)
  await running.stop()
  await admin.end()
})

test('a slot that is gone, or that the server gave up: every channel is told of the gap before anything else, and it goes on', async () => {
  const admin = await shop.connect()
  for (const how of ['dropped', 'given up']) {
    const before = run()
    await eventually(() => before.log.includes('streaming'))
    expect(await before.kill('SIGTERM')).toBe(0)
    await admin.rows(`insert into orders (id) values ($1)`, [next++])
    if (how === 'dropped') await admin.rows(`select pg_drop_replication_slot(slot_name) from pg_replication_slots`)
    for (let i = 0; i < 20 && how === 'given up'; i++) {
      if ((await admin.value(`select wal_status from pg_replication_slots`)) === 'lost') break
      await admin.rows(`select pg_logical_emit_message(false, 'fill', repeat('x', 1000000)) from generate_series(1, 20)`)
      await admin.rows('select pg_switch_wal()')
      await admin.rows('checkpoint')
    }
    const recorder = new Recorder()
    const running = await start(shop, recorder)
    await ready(running)
    const number = next++
    await admin.rows(`insert into orders (id) values ($1)`, [number])
    for (const channel of ['one', 'two']) {
      const events = await recorder.until(channel, 2)
      expect(events.map(({ type }) => type)).toEqual(['integratedb.gap', 'integratedb.insert'])
      expect(events[0]?.data).toMatchObject({ stakeholder: 'reporter', channel, reason: 'slot lost' })
      expect(events[1]?.data.record.id).toBe(number)
      expect((events[0]?.id ?? '') < (events[1]?.id ?? '')).toBe(true)
    }
    await running.stop()
  }
  // Once: it is not told again.
  const after = run()
  await eventually(() => after.log.includes('streaming'))
  await admin.rows(`insert into orders (id) values ($1)`, [next++])
  await eventually(() => after.events.length >= 2)
  expect(after.events.map(({ event }) => event.type)).toEqual(['integratedb.insert', 'integratedb.insert'])
  await admin.end()
})
