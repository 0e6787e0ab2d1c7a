/** The notifier: what a change costs, step by step and in all, beside what others' readers cost; how fast it catches up; how long an event takes. */
import { measureCatchUp } from './catch-up.ts'
import { measureDecoding } from './decode.ts'
import { type Figure, inWords, median } from './figure.ts'
import { type Latency, type LatencyPlan, measureLatency, percentile, type Series } from './notifier-latency.ts'
import { findFloor, measureReaders } from './readers.ts'
import type { BenchServer } from './server.ts'

export interface NotifierPlan {
  /** Of a large transaction. */
  rows: number
  /** Of each round at a fixed rate. */
  seconds: number
  runs: number
}

const missingFloor =
  'pg_recvlogical is not compared: there is none beside the embedded server or in PATH; set INTEGRATEDB_BENCH_RECVLOGICAL to one.'
const notLogical = 'The notifier is not measured: the server needs wal_level = logical.'

/** Beside the figures, what there is to say of them. */
export async function measureNotifier(
  server: BenchServer,
  { rows, seconds, runs }: NotifierPlan,
): Promise<{ figures: Figure[]; notes: string[] }> {
  if (!(await server.isLogical())) return { figures: [], notes: [notLogical] }
  const figures = [
    ...(await measureDecoding(server, { runs })),
    ...(await measureReaders(server, { rows, runs })),
    ...(await measureCatchUp(server, { rows, runs })),
    ...(await measureDelivery(server, { series, seconds, rounds: runs, rows })),
  ]
  return { figures, notes: findFloor() === null ? [missingFloor] : [] }
}

const series: Series[] = [
  { to: 'webhook', rate: 100 },
  { to: 'webhook', rate: 300 },
  { to: 'webhook', rate: 1000 },
  { to: 'beside', rate: 1000 },
  { to: 'socket', rate: 300 },
  { to: 'queue', rate: 300 },
]

const names: Record<Series['to'], string> = {
  webhook: 'a webhook',
  beside: 'a webhook beside a dead and a slow one',
  socket: 'a socket',
  queue: 'who takes it from a queue',
}

/** Per thousand; the goals are of 1,000 events a second to a webhook that is alone. */
const shares: { share: number; goal?: number }[] = [{ share: 500, goal: 3 }, { share: 990, goal: 25 }, { share: 999 }]

async function measureDelivery(server: BenchServer, plan: LatencyPlan): Promise<Figure[]> {
  const database = await server.createDatabase('latency')
  const { latencies, resident, large } = await measureLatency(server.urlOf(database), plan, (line) => console.error(line))
  await server.dropSlots(database)
  const batches = `one transaction of ${plan.rows.toLocaleString('en-GB')} rows, to a webhook in batches of 500`
  return [
    ...latencies.flatMap(figuresOf),
    {
      key: 'notifier/memory/latency',
      what: 'the notifier resident, at most',
      where: 'all of these rates',
      unit: 'MB',
      runs: [resident],
    },
    {
      key: 'notifier/webhook/rate',
      what: 'events a second and core, the whole notifier, its start included',
      where: batches,
      unit: '/s',
      runs: large.map(({ cpu }) => 1e6 / cpu),
      detail: `${inWords(median(large.map(({ cpu }) => cpu)), 'µs')} of CPU; ${inWords(median(large.map(({ perSecond }) => perSecond)), '/s')} by the wall; ${inWords(median(large.map((each) => each.resident)), 'MB')} resident at most`,
    },
  ]
}

function figuresOf({ to, rate, rounds }: Latency): Figure[] {
  const where = `${rate.toLocaleString('en-GB')} events/s`
  const key = `notifier/${to}/${rate}`
  const times = shares.map(
    ({ share, goal }): Figure => ({
      key: `${key}/p${share}`,
      what: `commit to receipt by ${names[to]}, p${share / 10}`,
      where,
      unit: 'ms',
      runs: rounds.map(({ latencies }) => percentile(latencies, share / 1000)),
      ...(goal !== undefined && to === 'webhook' && rate === 1000 && { goal: { at: 'most' as const, figure: goal } }),
      detail: `of ${rounds[0]?.latencies.length} events a run`,
    }),
  )
  return [
    ...times,
    { key: `${key}/cpu`, what: `CPU an event, the whole notifier, to ${names[to]}`, where, unit: 'µs', runs: rounds.map(({ cpu }) => cpu) },
  ]
}
