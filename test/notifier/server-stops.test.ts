/** The server stops (fast, at once) and starts again while the slot is read; and gives a slot up. On a server of its own. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/embedded/index.ts'
import { startReplication } from '../../src/notifier/replication.ts'
import { control } from '../support/control.ts'
import { connect } from '../support/database.ts'
import { Reader } from './reader.ts'

let server: EmbeddedServer
let data: string

async function run(sql: string): Promise<void> {
  const session = await connect(server.url)
  await session.rows(sql)
  await session.end()
}

async function stream(maxWaiting?: number, options = ''): Promise<Reader> {
  const connection = { connectionString: server.url, ...(options && { options }) }
  // A walsender that lost its client takes a moment to see it.
  for (let attempt = 1; ; attempt++) {
    try {
      return new Reader(
        await startReplication({ connection, slot: 'notifier', publications: ['notifier'], ...(maxWaiting ? { maxWaiting } : {}) }),
      )
    } catch (error) {
      if ((error as { kind?: string }).kind !== 'slot active' || attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => null,
    (error) => error,
  )
}

beforeAll(async () => {
  server = await startEmbeddedServer({
    settings: { synchronous_commit: 'on', fsync: 'on', autovacuum: 'off', max_slot_wal_keep_size: '32MB' },
  })
  const admin = await connect(server.url)
  data = await admin.value<string>('show data_directory')
  await admin.rows('create table t (id int primary key, body text); create publication notifier for table t')
  await admin.rows(`select pg_create_logical_replication_slot('notifier', 'pgoutput')`)
  await admin.end()
})
afterAll(async () => {
  await server?.stop()
})

test('a fast stop does not wait for a consumer that has acknowledged nothing; all comes again', async () => {
  const reader = await stream()
  await run(`insert into t values (1, 'a')`)
  await run(`insert into t values (2, 'b')`)
  const [first] = await reader.units(2, false)
  // One is acknowledged and one is not: the harder case, since a position has been told.
  reader.stream.acknowledge(first?.end ?? 0n)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const ended = failure(reader.unit())
  expect(await control(data, 'stop', '-m', 'fast')).toBeLessThan(5000)
  expect(await ended).toMatchObject({ kind: 'unavailable' })
  expect(await failure(stream())).toMatchObject({ kind: 'unavailable', code: 'ECONNREFUSED' })
  await control(data, 'start')
  const again = await stream()
  expect((await again.unit()).lines).toEqual(['relation public.t (id,body) default (id)', 'insert t (2, b)'])
  await again.stream.stop()
})

test('killed with unacknowledged transactions and in the middle of one: nothing is missing', async () => {
  const reader = await stream(64 << 10)
  await run(`insert into t select n, repeat('x', 100) from generate_series(10, 20000) n`)
  const [before] = await reader.units(1)
  expect(before?.lines.at(-1)).toBe('insert t (2, b)')
  const ended = failure(reader.units(2, false))
  await control(data, 'stop', '-m', 'immediate')
  const outcome = await ended
  await control(data, 'start')
  await run(`insert into t values (3, 'c')`)
  const again = await stream()
  const lines: string[] = []
  while (lines.at(-1) !== 'insert t (3, c)') lines.push(...(await again.lines()))
  expect(outcome).toMatchObject({ kind: 'unavailable' })
  expect(new Set(lines.filter((line) => line.endsWith(', 100 characters)'))).size).toBe(19_991)
  await again.stream.stop()
})

test('nor for one that has not even taken what was sent: when the server takes nobody in any more, the stream ends', async () => {
  const reader = await stream(64 << 10, '-c wal_sender_timeout=900')
  await run(`insert into t select n, repeat('x', 1000) from generate_series(100000, 120000) n`)
  for (let i = 0; i < 200 && !reader.stream.progress.paused; i++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(reader.stream.progress.paused).toBe(true)
  expect(await control(data, 'stop', '-m', 'fast')).toBeLessThan(5000)
  expect(await failure(reader.unit())).toMatchObject({ kind: 'unavailable', code: '57P03' })
  await control(data, 'start')
  const again = await stream()
  expect((await again.unit()).lines.length).toBeGreaterThan(20_000)
  await again.stream.stop()
})

test('a slot that the server gave up is told as that, with its wal_status', async () => {
  const admin = await connect(server.url)
  const status = () => admin.value<string>(`select wal_status from pg_replication_slots`)
  for (let i = 0; i < 20 && (await status()) !== 'lost'; i++) {
    await admin.rows(`select pg_logical_emit_message(false, 'fill', repeat('x', 1000000)) from generate_series(1, 16)`)
    await admin.rows('select pg_switch_wal()')
    await admin.rows('checkpoint')
  }
  await admin.end()
  expect(await failure(stream())).toMatchObject({ kind: 'slot invalidated', code: '55000', walStatus: 'lost' })
})
