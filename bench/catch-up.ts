/**
 * The whole notifier in a process of its own, to a channel that does nothing: one transaction of so many rows, then as many in transactions of 100,
 * each waiting in the slot when it starts. What a change costs, how many a second that makes, and the most memory it took.
 */
import { eventually, Process } from '../test/notifier/shop.ts'
import { type Figure, inWords, median } from './figure.ts'
import { prepareTable, rowsOf } from './readers.ts'
import type { BenchServer } from './server.ts'

const [STAKEHOLDER, NOTIFIER] = ['bench_reporter', 'bench_notifier']

interface CatchUp {
  /** Microseconds for a change. */
  cpu: number
  perSecond: number
  /** Megabytes, at most. */
  resident: number
}

export async function measureCatchUp(server: BenchServer, { rows, runs }: { rows: number; runs: number }): Promise<Figure[]> {
  const { database, session, url } = await prepareTable(server, 'catch_up')
  const { client } = session
  await server.install(session)
  await client.query(`select integratedb.add_stakeholder('${STAKEHOLDER}'), integratedb.add_notifier('${NOTIFIER}')`)
  await client.query(`select * from integratedb.set_claims('${STAKEHOLDER}', '{"match": [{"path": "public.t", "fields": "*"}]}')`)
  const document = {
    match: [{ path: 'public.t', events: ['INSERT'], channels: ['*'] }],
    // The process puts one that does nothing in its place.
    channels: [{ name: 'nowhere', kind: 'WEBHOOK', url: 'http://127.0.0.1:1/', secrets: ['INTEGRATEDB_SECRET_X'] }],
  }
  await client.query('select * from integratedb.set_notifications($1, $2)', [STAKEHOLDER, JSON.stringify(document)])
  // What waits in the slot need not have waited for the disk.
  await client.query('set synchronous_commit = off')
  const login = new URL(url)
  login.username = NOTIFIER
  const start = async () => {
    const notifier = new Process(login.href, { detail: 'count' })
    const ended = notifier.ended.then(() => {
      throw new Error(`the notifier has ended: ${notifier.log.slice(-3).join('; ')}`)
    })
    ended.catch(() => {})
    await Promise.race([eventually(() => notifier.log.includes('streaming'), 60_000), ended])
    return notifier
  }
  // It makes its slot.
  await (await start()).kill('SIGTERM')

  async function catchUp(insert: () => Promise<void>): Promise<CatchUp> {
    await client.query('truncate t')
    await insert()
    const { rows: written } = await client.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
    const notifier = await start()
    try {
      const started = performance.now()
      const { cpu } = notifier.counted
      await eventually(
        () => notifier.counted.events >= rows,
        600_000,
        () => `of ${rows} events the notifier has made ${notifier.counted.events} in ten minutes`,
      )
      const seconds = (performance.now() - started) / 1000
      const reached: CatchUp = {
        cpu: (notifier.counted.cpu - cpu) / rows,
        perSecond: rows / seconds,
        resident: notifier.counted.maxRss / 1024,
      }
      // Nothing of this comes again in the next.
      await eventually(async () => {
        const { rows: slots } = await client.query<{ done: boolean }>(
          'select confirmed_flush_lsn >= $1::pg_lsn as done from pg_replication_slots where database = $2',
          [written[0]?.lsn, database],
        )
        return slots[0]?.done === true
      })
      return reached
    } finally {
      await notifier.kill('SIGTERM')
    }
  }

  const few: CatchUp[] = []
  const many: CatchUp[] = []
  for (let run = 0; run < runs; run++) {
    console.error(`the notifier catches up with ${rows.toLocaleString('en-GB')} rows, twice`)
    few.push(
      await catchUp(async () => {
        await client.query(`insert into t ${rowsOf(1, rows)}`)
      }),
    )
    many.push(
      await catchUp(async () => {
        for (let from = 1; from <= rows; from += 100) await client.query(`insert into t ${rowsOf(from, from + 99)}`)
      }),
    )
  }
  await server.dropSlots(database)
  await client.end()

  const count = rows.toLocaleString('en-GB')
  const oneTransaction = `one transaction of ${count} rows`
  const rate = (key: string, where: string, all: readonly CatchUp[]): Figure => ({
    key: `notifier/catch-up/${key}`,
    what: 'changes a second and core, the whole notifier to a channel that does nothing',
    where,
    unit: '/s',
    runs: all.map(({ cpu }) => 1e6 / cpu),
    goal: { at: 'least', figure: 100_000 },
    detail: `${inWords(median(all.map(({ cpu }) => cpu)), 'µs')} of CPU; ${inWords(median(all.map(({ perSecond }) => perSecond)), '/s')} by the wall`,
  })
  return [
    rate('one', oneTransaction, few),
    rate('many', `${(rows / 100).toLocaleString('en-GB')} transactions of 100 rows`, many),
    {
      key: 'notifier/memory',
      what: 'the notifier resident, at most',
      where: oneTransaction,
      unit: 'MB',
      runs: few.map(({ resident }) => resident),
      ...(rows >= 1_000_000 && { goal: { at: 'most' as const, figure: 120 } }),
      detail: `transactions of 100 rows: ${inWords(median(many.map(({ resident }) => resident)), 'MB')}`,
    },
  ]
}
