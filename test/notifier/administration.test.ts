/** What administrators do around a notifier that runs: what it says, and that nothing is missing silently. On a server of its own. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { uninstallFile } from '../../src/sql-file.ts'
import { connect, type Session } from '../support/database.ts'
import { type CloudEvent, eventually, Process, Recorder, ready, Shop, start } from './shop.ts'

let shop: Shop
/** The next order's id. */
let next = 1
beforeAll(async () => {
  shop = await Shop.open()
  await shop.subscribe([{ path: 'public.orders', events: ['INSERT'] }])
})
let dying: Process | undefined
afterAll(async () => {
  await dying?.kill('SIGKILL')
  await shop?.close()
})

async function order(session: Session = shop.admin): Promise<number> {
  await session.rows('insert into orders (id) values ($1)', [next])
  return next++
}

/** Event triggers off: as DDL that a superuser meant, or a restore of a part. */
async function unjudged(session: Session, ddl: string): Promise<void> {
  const each = (state: string) =>
    session.rows(`alter event trigger integratedb_note_ddl ${state}; alter event trigger integratedb_note_drop ${state}`)
  await each('disable')
  await session.rows(ddl)
  await each('enable always')
}

async function doctor(session: Session, check: string): Promise<{ status: string; detail: string; fix: string }> {
  const [row] = await session.rows<{ status: string; detail: string; fix: string }>(
    `select status, detail, fix from integratedb.doctor() where check_name = $1`,
    [`notifications: ${check}`],
  )
  if (!row) throw new Error(check)
  return row
}

const types = (events: CloudEvent[]): unknown[] => events.map(({ type, data }) => [type, data.reason ?? data.record.id])

test('the publication is dropped by hand: doctor() and the notifier say so, and the way back is a gap that all are told of', async () => {
  const recorder = new Recorder()
  const running = await start(shop, recorder)
  await ready(running)
  const first = await order()
  await recorder.until('hook', 1)
  await unjudged(shop.admin, 'drop publication integratedb')
  const lost = await order()
  await eventually(() => running.log.some(({ kind }) => kind === 'publication missing'))
  // It tries again and again, and each time for a moment seems to stream.
  await eventually(async () => (await fetch(`http://127.0.0.1:${running.port}/readyz`)).status === 503)
  const { status, detail, fix } = await doctor(shop.admin, 'publication')
  expect([status, detail]).toEqual(['problem', 'there is none'])
  await shop.admin.rows(fix)
  await eventually(() =>
    running.log.some(({ message }) => message === 'the publication was made anew behind the slot: the slot is dropped'),
  )
  await eventually(() => running.log.filter(({ message }) => message === 'the slot is made').length === 2)
  await ready(running)
  const last = await order()
  const events = await recorder.until('hook', (each) => each.at(-1)?.data.record?.id === last)
  expect(types(events)).toEqual([
    ['integratedb.insert', first],
    ['integratedb.gap', 'slot lost'],
    ['integratedb.insert', last],
  ])
  expect(lost).toBe(first + 1)
  expect((await doctor(shop.admin, 'publication')).status).toBe('ok')
  await running.stop()
})

test('ended between the slot that it makes and its note of it: the next one sees the mark, and tells the gap', async () => {
  await shop.admin.rows(`select pg_drop_replication_slot(slot_name) from pg_replication_slots`)
  const lost = await order()
  const [open, holding] = [await shop.connect(), await shop.connect()]
  // A slot begins when what is open has ended.
  await open.rows('begin; select pg_current_xact_id()')
  dying = new Process(shop.url)
  await eventually(() => shop.admin.value<boolean>('select confirmed is null from integratedb.notifier_state'))
  await holding.rows('begin; lock table integratedb.notifier_state in share row exclusive mode')
  await open.rows('commit')
  await eventually(() =>
    shop.admin.value<boolean>(`select count(*) = 1 from pg_locks where relation = 'integratedb.notifier_state'::regclass and not granted`),
  )
  await dying.kill('SIGKILL')
  await holding.rows('rollback')
  await open.end()
  await holding.end()
  const slots = () => shop.admin.value('select count(*) from pg_replication_slots where not active')
  await eventually(async () => (await slots()) === 1)
  expect(await shop.admin.value('select confirmed is null from integratedb.notifier_state')).toBe(true)
  const recorder = new Recorder()
  const running = await start(shop, recorder)
  await ready(running)
  const last = await order()
  const events = await recorder.until('hook', (each) => each.at(-1)?.data.record?.id === last)
  expect(types(events)).toEqual([
    ['integratedb.gap', 'slot lost'],
    ['integratedb.insert', last],
  ])
  expect(lost).toBeLessThan(last)
  await running.stop()
})

test('a copy of the database (TEMPLATE): its notifier calls nobody until sync(), and then tells a gap first', async () => {
  const name = await shop.admin.value<string>('select current_database()')
  await shop.admin.end()
  const elsewhere = new URL(shop.server.url)
  elsewhere.pathname = 'template1'
  const maker = await connect(elsewhere.href)
  await maker.rows(`create database copied template ${name}`)
  await maker.end()
  shop.admin = await shop.connect()
  const url = new URL(shop.url)
  url.pathname = 'copied'
  const recorder = new Recorder()
  const running = await start({ url: url.href }, recorder)
  const there = new URL(shop.server.url)
  there.pathname = 'copied'
  const copy = await connect(there.href)
  try {
    await eventually(() => running.log.some(({ reason }) => /this database is a copy/.test(reason ?? '')))
    await order(copy)
    expect(await copy.value(`select count(*) from pg_replication_slots where database = 'copied'`)).toBe(0)
    await copy.rows('select * from integratedb.sync()')
    await ready(running)
    const id = await order(copy)
    expect(types(await recorder.until('hook', 2))).toEqual([
      ['integratedb.gap', 'slot lost'],
      ['integratedb.insert', id],
    ])
  } finally {
    await running.stop()
    await copy.end()
  }
})

test('uninstalled while it runs: slot, publication and roles go, and the application goes on', async () => {
  const running = await start(shop, new Recorder())
  await ready(running)
  const session = await shop.connect()
  // What another database uses stays.
  await session.rows(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = 'copied'`)
  await session.rows('drop database copied')
  await session.rows(readFileSync(uninstallFile, 'utf8'))
  expect(session.notices.at(-1)).toMatchObject({ message: expect.stringContaining('IntegrateDB is gone') })
  expect(
    await session.rows(
      `select 'slot' as left from pg_replication_slots union all select 'publication' from pg_publication
       union all select rolname from pg_roles where rolname in ('notifier', 'reporter', 'integratedb_notifier')`,
    ),
  ).toEqual([])
  await order(session)
  await session.rows('update orders set status = $1; delete from orders'.replace('$1', "'x'"))
  await session.end()
  // It says why it has no stream, and ends when it is told to.
  await eventually(() => running.log.some(({ message, kind }) => message === 'no stream; trying again' && kind === 'not permitted'))
  await running.stop()
})
