/**
 * Whatever fails, nothing is lost: the real command as a process, a real server, a receiver that writes down what came. Each test
 * ends with every event there, in order of its row, and what came twice with the id that it had.
 *
 * Short in `make test`; `make soak` takes its time and prints what it saw.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Ledger, Notified, sleep } from '../support/notified.ts'
import type { Notifier } from '../support/notifier.ts'
import { Receiver } from '../support/receiver.ts'

const soak = process.env['INTEGRATEDB_SOAK'] === '1'
const TIMEOUT = soak ? 900_000 : 180_000
/** Kilobytes: a bound, whatever happens. */
const MOST_MEMORY = 120 * 1024

/** Seconds that an event waits before it is parked. */
const PATIENCE = { INTEGRATEDB_NOTIFIER_PATIENCE: '1' }

let world: Notified
beforeAll(async () => {
  world = await Notified.create()
  world.receiver.keeps = false
  // With the slot it begins.
  await (await (await world.notify()).ready()).stop()
})
afterAll(async () => {
  await world?.stop()
})

beforeEach(async () => {
  world.ledger.problems.length = 0 // the last test has told them
  world.receiver.behave = () => ({})
})
afterEach(async (context) => {
  await world.stopLoad()
  const peaks = world.notifiers.map(({ peak }) => peak)
  if (context.task.result?.state === 'fail') console.error(world.notifiers.at(-1)?.tail(40))
  for (const notifier of world.notifiers.splice(0)) if (notifier.child.exitCode === null) await notifier.stop()
  const { ledger } = world
  if (soak)
    console.log(
      `${context.task.name}: ${ledger.first} events in all, ${ledger.again} again; resident at most ${Math.round(Math.max(...peaks) / 1024)} MB`,
    )
  expect(Math.max(...peaks)).toBeLessThan(MOST_MEMORY)
})

test('the notifier is killed, again and again', { timeout: TIMEOUT * 2 }, async () => {
  const kills = soak ? 50 : 12
  const load = world.load({ pause: 5 })
  for (let i = 0; i < kills; i++) {
    const notifier = await world.notify()
    // Before it reads, in its first events, or when it runs: some live long enough to get on.
    if (i % 5 === 4) await notifier.ready()
    await sleep(Math.random() * (soak ? 3000 : 300) + (i % 5) * 100)
    await notifier.kill()
  }
  await (await world.notify()).ready()
  await load.more(50)
  await load.stop()
  expect(await world.problems()).toEqual([])
})

describe('the database is restarted', () => {
  test.each(['fast', 'immediate'] as const)('%s', { timeout: TIMEOUT }, async (mode) => {
    const notifier = await (await world.notify()).ready()
    const load = world.load()
    for (let i = 0; i < (soak ? 10 : 1); i++) {
      await load.more(soak ? 500 : 100)
      await world.restart(mode)
    }
    await load.more(100)
    await load.stop()
    expect(await world.problems()).toEqual([])
    expect(notifier.child.exitCode).toBe(null)
  })
})

describe('the receiver', () => {
  test('is down until events are parked, and back', { timeout: TIMEOUT }, async () => {
    const notifier = await (await world.notify(PATIENCE)).ready()
    const load = world.load()
    await load.more(50)
    await world.receiver.down()
    const parked = () => world.admin.value<number>('select count(*) from integratedb.parked')
    while ((await parked()) < 100) await sleep(100)
    await sleep(soak ? 120_000 : 1000)
    // The slot has not waited.
    const lag = await world.admin.value<number>(
      `select pg_current_wal_lsn() - confirmed_flush_lsn from pg_replication_slots where slot_name like 'integratedb%'`,
    )
    expect(Number(lag)).toBeLessThan(4 << 20)
    await world.receiver.up()
    await load.more(50)
    await load.stop()
    expect(await world.problems()).toEqual([])
    while ((await parked()) > 0) await sleep(50)
    expect(notifier.child.exitCode).toBe(null)
  })

  test('is slow, so that events are parked and drained all the time', { timeout: TIMEOUT }, async () => {
    await (await world.notify(PATIENCE)).ready()
    world.receiver.behave = () => ({ delay: 40 })
    const load = world.load({ keys: 20, pause: 1 })
    await sleep(soak ? 60_000 : 4000)
    await load.stop()
    world.receiver.behave = () => ({ delay: 2 })
    expect(await world.problems()).toEqual([])
  })

  test('answers 500 one time in a hundred', { timeout: TIMEOUT }, async () => {
    await (await world.notify()).ready()
    world.receiver.behave = (number) => (number % 100 === 0 ? { status: 500 } : {})
    const load = world.load()
    await load.more(soak ? 10_000 : 400)
    await load.stop()
    expect(await world.problems()).toEqual([])
  })

  test('closes before or in the middle of its answer, or never answers', { timeout: TIMEOUT }, async () => {
    await world.subscribe([world.hook({ timeout: 1 })])
    await (await world.notify()).ready()
    const ways = ['before', 'midway', 'never'] as const
    world.receiver.behave = (number) => {
      const close = number % 50 === 0 ? ways[(number / 50) % 3] : undefined
      return close ? { close } : {}
    }
    const load = world.load()
    await load.more(soak ? 5000 : 200)
    await load.stop()
    world.receiver.behave = () => ({})
    expect(await world.problems()).toEqual([])
    await world.subscribe([world.hook()])
  })

  test('answers 429 with Retry-After', { timeout: TIMEOUT }, async () => {
    await (await world.notify()).ready()
    let until = 0
    const early: number[] = []
    world.receiver.behave = (number) => {
      if (number % 60 === 0) until = Date.now() + 1000
      else if (Date.now() < until - 50) early.push(until - Date.now())
      return Date.now() < until ? { status: 429, headers: { 'retry-after': '1' } } : {}
    }
    const load = world.load()
    await load.more(soak ? 2000 : 100)
    await load.stop()
    expect(await world.problems()).toEqual([])
  })
})

test('what is subscribed to changes under load', { timeout: TIMEOUT }, async () => {
  const other = await Receiver.start()
  const theirs = new Ledger(other)
  await (await world.notify()).ready()
  const load = world.load()
  for (let i = 0; i < (soak ? 50 : 5); i++) {
    await load.more(20)
    // The channel itself stays: nothing of it may be missing.
    await world.subscribe([world.hook({ concurrency: 1 + (i % 4), batch: 1 + (i % 3) }), world.hook({ name: 'other' }, other)])
    await load.more(20)
    await world.subscribe([world.hook(), world.hook({ name: `other${i}` }, other)], { where: 'id >= 0' })
  }
  await load.stop()
  expect(await world.problems()).toEqual([])
  expect(theirs.first).toBeGreaterThan(0)
  await world.subscribe([world.hook()])
  await other.down()
})

test('migrations under load', { timeout: TIMEOUT }, async () => {
  await (await world.notify()).ready()
  const load = world.load()
  for (let i = 0; i < (soak ? 20 : 3); i++) {
    await load.more(20)
    await world.admin.rows(`alter table public.item add column extra${i} text default 'x'; alter table public.item rename note to note${i}`)
    await load.more(20)
    await world.admin.rows(`alter table public.item alter column sequence type ${i % 2 === 0 ? 'bigint' : 'integer'}`)
    await load.more(20)
    await world.admin.rows(`alter table public.item drop column extra${i}; alter table public.item rename note${i} to note`)
    expect((await world.admin.failure('alter table public.item rename to item_v2')).code).toBe('IDB01')
  }
  await load.more(20)
  await load.stop()
  await world.admin.rows('alter table public.item alter column sequence type integer')
  expect(await world.problems()).toEqual([])
})

test('a table is made anew, and renamed with a view in its place, under load', { timeout: TIMEOUT }, async () => {
  await (await world.notify()).ready()
  const load = world.load()
  const document = (match: unknown[]): string => JSON.stringify({ match, channels: [world.hook()] })
  const set = (path: string) =>
    `select from integratedb.set_notifications('reporter', '${document([{ path, events: ['INSERT', 'UPDATE'], channels: ['*'] }])}')`
  const claim = (...match: unknown[]) => `select from integratedb.set_claims('reporter', '${JSON.stringify({ match })}')`
  const fields = ['id', { name: 'sequence', type: ['int4', 'int8'] }]
  /** With its claims, in one transaction: no event is missing, although in between nothing is subscribed to. A view locks what is behind it. */
  const rename = (after: string, ddl: string) =>
    `begin; lock table public.item; select from integratedb.set_notifications('reporter', '${document([])}');
     select integratedb.remove_claims('reporter'); ${ddl}; ${claim({ path: `public.${after}`, fields })}; ${set(`public.${after}`)}; commit`
  const later = ['drop view public.item', 'alter table public.item_v2 rename to item'].join('; ')
  for (let i = 0; i < (soak ? 20 : 2); i++) {
    await load.more(20)
    // Its claims and subscriptions as they are, on the table that now has the name.
    await world.admin.rows(
      `begin; lock table public.item; create table public.item_new (like public.item including all); insert into public.item_new select * from public.item;
       drop table public.item; alter table public.item_new rename to item; commit`,
    )
    await load.more(20)
    await world.admin.rows(
      rename('item_v2', 'alter table public.item rename to item_v2; create view public.item as select * from public.item_v2'),
    )
    await load.more(20)
    await world.admin.rows(rename('item', later))
  }
  await load.more(20)
  await load.stop()
  expect(await world.problems()).toEqual([])
})

test('a column that is told of is given up and dropped, comes back, and changes its type, under load', { timeout: TIMEOUT }, async () => {
  const claimed = await world.admin.value<object>(`select integratedb.get_claims('reporter')`)
  const claim = (fields: unknown[]) =>
    world.admin.rows(`select from integratedb.set_claims('reporter', $1)`, [JSON.stringify({ match: [{ path: 'public.item', fields }] })])
  const sequence = { name: 'sequence', type: ['int4', 'int8'] }
  const shapes = new Set<string>()
  const take = world.receiver.received
  onTestFinished(() => {
    world.receiver.received = take
  })
  world.receiver.received = (delivery) => {
    for (const { data } of delivery.events) shapes.add(Object.keys(data.record).join())
    take(delivery)
  }
  await (await world.notify()).ready()
  const load = world.load()
  for (let i = 0; i < (soak ? 20 : 2); i++) {
    await claim(['id', sequence, 'note'])
    await load.more(20)
    expect((await world.admin.failure('alter table public.item drop column note')).code).toBe('IDB01')
    await world.admin.rows('begin')
    await claim(['id', sequence])
    await world.admin.rows('alter table public.item drop column note; commit')
    await load.more(20)
    await world.admin.rows(`alter table public.item add column note text, alter column sequence type ${i % 2 ? 'int' : 'bigint'}`)
    await load.more(20)
  }
  await load.stop()
  expect(await world.problems()).toEqual([])
  expect([...shapes].sort()).toEqual(['id,sequence', 'id,sequence,note'])
  await world.admin.rows('alter table public.item alter column sequence type int')
  await world.admin.rows(`select from integratedb.set_claims('reporter', $1)`, [JSON.stringify(claimed)])
})

test('two notifiers: one waits, and takes over', { timeout: TIMEOUT }, async () => {
  const notifiers: Notifier[] = [await (await world.notify()).ready(), await world.notify()]
  const load = world.load()
  await load.more(50)
  for (let i = 0; i < (soak ? 10 : 2); i++) {
    const [first, second] = notifiers as [Notifier, Notifier]
    while ((await second.ask('/healthz'))?.status !== 200) await sleep(50)
    expect((await second.ask('/readyz'))?.status).toBe(503)
    if (i % 2 === 0) await first.kill()
    else await first.stop()
    await second.ready()
    await load.more(50)
    notifiers.splice(0, 2, second, await world.notify())
  }
  await load.stop()
  expect(await world.problems()).toEqual([])
})

test('one transaction of many rows', { timeout: TIMEOUT }, async () => {
  const rows = soak ? 1_000_000 : 30_000
  // A receiver that does not keep up may leave all of them to be parked.
  await world.subscribe([world.hook({ batch: 500, concurrency: 4, max_parked: rows })])
  const notifier = await (await world.notify()).ready()
  const started = Date.now()
  await world.admin.rows(
    `insert into public.item (id, sequence, note) select n, 1, repeat('n', 20) from generate_series(1000001, 1000000 + $1) n`,
    [rows],
  )
  const committed = Date.now()
  expect(await world.problems(world.ledger, TIMEOUT / 2)).toEqual([])
  const ended = Date.now()
  if (soak)
    console.log(
      `${rows} rows in ${committed - started} ms; all received ${ended - committed} ms after the commit: ${Math.round(rows / ((ended - committed) / 1000))}/s; resident at most ${Math.round(notifier.peak / 1024)} MB`,
    )
  await world.admin.rows('delete from public.item where id > 1000000')
  await world.subscribe([world.hook()])
})

test('a slot that the server gave up: a gap is told, and it goes on', { timeout: TIMEOUT }, async () => {
  const lost = await Notified.create({ max_slot_wal_keep_size: '32MB' })
  try {
    await (await lost.notify()).ready()
    const load = lost.load()
    await load.more(20)
    await load.stop()
    expect(await lost.problems()).toEqual([])
    await lost.notifiers[0]?.kill()
    await lost.admin.rows('insert into public.item values (1000, 1)')
    const status = () => lost.admin.value<string>(`select wal_status from pg_replication_slots where slot_name like 'integratedb%'`)
    while ((await status()) !== 'lost') {
      await lost.admin.rows(`select pg_logical_emit_message(false, 'fill', repeat('x', 1000000)) from generate_series(1, 16)`)
      await lost.admin.rows('select pg_switch_wal()')
      await lost.admin.rows('checkpoint')
    }
    const gaps: unknown[] = []
    const ids = new Set<number>()
    lost.receiver.received = ({ events }) => {
      for (const { type, data } of events) {
        if (type === 'integratedb.gap') gaps.push(data)
        else ids.add(data.record.id)
      }
    }
    await (await lost.notify()).ready()
    await lost.admin.rows('insert into public.item values (1001, 1)')
    for (let i = 0; i < 200 && !(ids.has(1001) && gaps.length > 0); i++) await sleep(50)
    expect(gaps).toMatchObject([{ stakeholder: 'reporter', channel: 'hook', reason: 'slot lost' }])
    expect([ids.has(1000), ids.has(1001)]).toEqual([false, true])
  } finally {
    await lost.stop()
  }
})
