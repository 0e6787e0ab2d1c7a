/**
 * From commit to receipt: how long does an event take, to a webhook that is alone, to one beside others that are dead or slow, to a socket and to whoever
 * takes it out of a queue? And how fast does the notifier catch up to a webhook, how much memory does one large transaction take?
 *
 *   npx tsx bench/notifier-latency.ts [seconds of each round, 10] [rounds, 3] [rows of the large transaction, 1000000] [events a second, 1000]
 *
 * The notifier, the receiver and the server are processes of their own, on one machine: the commit's time and the receipt's are of one
 * clock. The load is one session on the server that commits ten rows at a time. `make bench` takes its figures from here too.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startEmbeddedServer } from '../src/embedded/index.ts'
import { Notifier } from '../test/support/notifier.ts'

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
/** Roles are of the whole server: no others' names. */
const [STAKEHOLDER, NOTIFIER] = ['bench_listener', 'bench_courier']

/** What the receiver tells. */
interface Counts {
  count: number
  /** Milliseconds, sorted. */
  latencies: number[]
}

let latencies: number[] = []
let count = 0

/** What has come, as text, perhaps more than one event. Without parsing: the receiver must not be what is measured. */
function note(text: string): void {
  const now = performance.timeOrigin + performance.now()
  for (const [, time = '', micros = ''] of text.matchAll(/"time":\s?"([^"]{19})\.?(\d*)Z"/g)) {
    latencies.push(now - Date.parse(`${time}Z`) - Number(`0.${micros || 0}`) * 1000)
    count++
  }
}

/** In a process of its own, webhooks. `delay`: before each answer. */
function receive(delay: number): void {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      note(body)
      setTimeout(() => response.writeHead(204).end(), delay)
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
}

/** The same of a socket's server-sent events. */
async function listen(url: string, token: string): Promise<void> {
  const { status, body } = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  if (status !== 200 || !body) throw new Error(`${url} answers with ${status}`)
  process.send?.(url)
  let rest = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const text = rest + chunk
    // Up to the end of an event.
    const end = text.lastIndexOf('\n') + 1
    note(text.slice(0, end))
    rest = text.slice(end)
  }
}

/** The same of a queue, as docs/notifications.md tells it: woken by NOTIFY, a hundred at a time. */
async function takeFrom(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', ({ message }) => {
    console.error(`the queue's connection: ${message}`)
    process.exit(1)
  })
  await client.connect()
  let wake = () => {}
  let woken = false
  client.on('notification', () => {
    woken = true
    wake()
  })
  await client.query(`listen ${STAKEHOLDER}`)
  process.send?.(url)
  while (true) {
    woken = false
    const { rows } = await client.query<{ id: string; event: string }>(
      `select id, event::text from integratedb.take_events('queue', 100, '30 seconds')`,
    )
    for (const { event } of rows) note(event)
    if (rows.length > 0) await client.query(`select integratedb.ack_events('queue', $1)`, [rows.map(({ id }) => id)])
    else if (!woken)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
}

/** Tells what it has when it is asked, and ends with whoever started it. */
async function receiver(kind: string, first = '', second = ''): Promise<void> {
  process.on('message', () => {
    process.send?.({ count, latencies: latencies.sort((a, b) => a - b) } satisfies Counts)
    latencies = []
    count = 0
  })
  process.on('disconnect', () => process.exit())
  if (kind === 'webhook') receive(Number(first))
  else if (kind === 'socket') await listen(first, second)
  else await takeFrom(first)
}

class Receiver {
  readonly #child: ChildProcess
  readonly url: string

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(kind: 'webhook' | 'socket' | 'queue', ...args: string[]): Promise<Receiver> {
    const child = fork(new URL(import.meta.url), ['receiver', kind, ...args], { execArgv: ['--import', 'tsx'] })
    const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the receiver of a ${kind} has ended with ${code}`)))
    failed.catch(() => {})
    const [url] = await Promise.race([once(child, 'message'), failed])
    return new Receiver(child, url as string)
  }

  /** Since it was asked last. */
  async counts(): Promise<Counts> {
    this.#child.send('counts')
    const [counts] = await once(this.#child, 'message')
    return counts as Counts
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}

/** To what, and how many events a second. beside: to a webhook, beside one that is dead and one that is slow. */
export interface Series {
  to: 'webhook' | 'beside' | 'socket' | 'queue'
  rate: number
}

export interface LatencyPlan {
  series: Series[]
  /** Of each round. */
  seconds: number
  rounds: number
  /** Of the large transaction, to a webhook in batches of 500. */
  rows: number
}

export interface Latency extends Series {
  /** Of each round: milliseconds, sorted; and the notifier's CPU for an event, in microseconds. */
  rounds: { latencies: number[]; cpu: number }[]
}

export interface LargeTransaction {
  perSecond: number
  /** Microseconds for an event, the notifier's start included. */
  cpu: number
  /** Megabytes, at most. */
  resident: number
}

/** In a database with nothing in it yet, on this machine. */
export async function measureLatency(
  url: string,
  { series, seconds, rounds, rows }: LatencyPlan,
  tell: (line: string) => void,
): Promise<{ latencies: Latency[]; resident: number; large: LargeTransaction[] }> {
  const as = (user: string) => {
    const login = new URL(url)
    login.username = user
    return login.href
  }
  const [healthy, slow] = [await Receiver.start('webhook', '0'), await Receiver.start('webhook', '5000')]
  const others: Receiver[] = []
  const admin = new pg.Client({ connectionString: url })
  let notifier: Notifier | null = null
  // It would go on trying when we are gone.
  const end = () => void notifier?.child.kill('SIGKILL')
  process.once('exit', end)
  try {
    await admin.connect()
    await admin.query(readFileSync('dist-sql/integratedb.sql', 'utf8'))
    await admin.query('set synchronous_commit = on; create table public.item (id bigint primary key, customer text, total numeric)')
    await admin.query(`select integratedb.add_stakeholder('${STAKEHOLDER}'), integratedb.add_notifier('${NOTIFIER}')`)
    await admin.query(`select * from integratedb.set_claims('${STAKEHOLDER}', '{"match": [{"path": "public.item", "fields": "*"}]}')`)
    const hook = (name: string, to: string, more = {}) => ({
      name,
      kind: 'WEBHOOK',
      url: to,
      secrets: ['INTEGRATEDB_SECRET_HOOK'],
      ...more,
    })
    const webhook = [hook('healthy', healthy.url, { concurrency: 8 })]
    const channels = {
      webhook,
      beside: [...webhook, hook('dead', 'http://127.0.0.1:9/'), hook('slow', slow.url)],
      socket: [{ name: 'socket', kind: 'SOCKET' }],
      queue: [{ name: 'queue', kind: 'QUEUE' }],
    }
    const subscribe = async (to: object[]) => {
      const document = { match: [{ path: 'public.item', events: ['*'], channels: ['*'] }], channels: to }
      await admin.query('select * from integratedb.set_notifications($1, $2)', [STAKEHOLDER, JSON.stringify(document)])
    }
    const start = async () => await (await Notifier.start(as(NOTIFIER), { INTEGRATEDB_SECRET_HOOK: SECRET })).ready()

    await subscribe(webhook)
    notifier = await start()
    let next = 1
    const load = async (duration: number, rate: number) => {
      const count = duration * rate
      await admin.query(`
        do $$
        declare start constant timestamptz := clock_timestamp();
        begin
          for n in 0 .. ${count - 1} loop
            insert into public.item values (${next} + n, 'customer ' || n, n / 100.0);
            continue when n % 10 <> 9;
            commit;
            perform pg_sleep(extract(epoch from start + n * interval '${1000 / rate} ms' - clock_timestamp()));
          end loop;
        end $$`)
      next += count
      return count
    }
    const received = async (receiver: Receiver, count: number) => {
      const all: number[] = []
      const end = Date.now() + 300_000
      for (let total = 0; total < count; await new Promise((resolve) => setTimeout(resolve, 100))) {
        const counts = await receiver.counts()
        total += counts.count
        all.push(...counts.latencies)
        if (Date.now() > end) throw new Error(`of ${count} events ${total} have come in five minutes`)
      }
      return all.sort((a, b) => a - b)
    }
    await received(healthy, await load(3, 1000)) // warms up

    const receivers = new Map<Series['to'], Receiver>()
    const receiverOf = async (to: Series['to']): Promise<Receiver> => {
      if (to === 'webhook' || to === 'beside') return healthy
      let made = receivers.get(to)
      if (made) return made
      if (to === 'queue') made = await Receiver.start('queue', as(STAKEHOLDER))
      else {
        const login = new pg.Client({ connectionString: as(STAKEHOLDER) })
        await login.connect()
        const { rows: tokens } = await login.query<{ token: string }>(
          `select integratedb.issue_socket_token('1 hour') ->> 'token' as token`,
        )
        await login.end()
        made = await Receiver.start('socket', `${notifier?.origin}/events/socket`, tokens[0]?.token ?? '')
      }
      receivers.set(to, made)
      others.push(made)
      return made
    }

    const measured: Latency[] = series.map((each) => ({ ...each, rounds: [] }))
    for (let round = 0; round < rounds; round++)
      for (const each of measured) {
        const { to, rate } = each
        await subscribe(channels[to])
        // A channel that is new is there once an event of the next transaction is.
        if (to === 'socket') await load(1, 10)
        const receiver = await receiverOf(to)
        if (to === 'socket') await receiver.counts()
        await received(receiver, await load(1, rate))
        const before = cpuOf(notifier)
        const started = Date.now()
        const count = await load(seconds, rate)
        const real = count / ((Date.now() - started) / 1000)
        const latencies = await received(receiver, count)
        const cpu = ((cpuOf(notifier) - before) * 1000) / count
        each.rounds.push({ latencies, cpu })
        tell(`round ${round + 1}, ${to}: ${describe(latencies)}; ${Math.round(real)} events/s; ${cpu.toFixed(0)} µs of CPU each`)
        // It ends with its channel.
        if (to === 'socket') {
          receiver.stop()
          receivers.delete(to)
        }
      }
    const resident = notifier.peak / 1024
    await subscribe([hook('healthy', healthy.url, { concurrency: 4, batch: 500 })])
    await received(healthy, await load(1, 1000))

    const large: LargeTransaction[] = []
    for (let round = 0; round < rounds && rows > 0; round++) {
      await notifier.stop()
      const before = Date.now()
      await admin.query(`insert into public.item select n, 'customer ' || n, n / 100.0 from generate_series(${next}, ${next + rows - 1}) n`)
      next += rows
      const committed = Date.now() - before
      const began = Date.now()
      notifier = await start()
      await received(healthy, rows)
      const perSecond = rows / ((Date.now() - began) / 1000)
      const cpu = (cpuOf(notifier) * 1000) / rows
      large.push({ perSecond, cpu, resident: notifier.peak / 1024 })
      tell(
        `${rows} rows in one transaction, committed in ${committed} ms; from the notifier's start ${Math.round(perSecond)}/s in batches of 500; ${cpu.toFixed(1)} µs of CPU each, its start included; resident at most ${megabytes(notifier)}`,
      )
    }
    return { latencies: measured, resident, large }
  } finally {
    await notifier?.stop()
    process.off('exit', end)
    for (const each of [healthy, slow, ...others]) each.stop()
    await admin.end()
  }
}

async function main(seconds: number, rounds: number, rows: number, rate: number): Promise<void> {
  const server = await startEmbeddedServer({
    settings: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', max_wal_size: '8GB', shared_buffers: '512MB' },
  })
  try {
    const series: Series[] = (['webhook', 'beside', 'socket', 'queue'] as const).map((to) => ({ to, rate }))
    const { latencies, resident } = await measureLatency(server.url, { series, seconds, rounds, rows }, console.log)
    for (const { to, rounds: all } of latencies)
      console.log(`all, ${to}: ${describe(all.flatMap((each) => each.latencies).sort((a, b) => a - b))}`)
    console.log(`resident at most ${Math.round(resident)} MB`)
  } finally {
    await server.stop()
  }
}

/** Of what is sorted. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function describe(latencies: readonly number[]): string {
  const at = (share: number) => `${percentile(latencies, share).toFixed(1)} ms`
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)} of ${latencies.length}`
}

/** Milliseconds. */
function cpuOf({ child }: Notifier): number {
  const [, rest = ''] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')
  const fields = rest.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function megabytes(notifier: Notifier): string {
  return `${Math.round(notifier.peak / 1024)} MB`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , first, second, third, fourth] = process.argv
  if (first === 'receiver') await receiver(second ?? '', third, fourth)
  else await main(Number(first ?? 10), Number(second ?? 3), Number(third ?? 1_000_000), Number(fourth ?? 1000))
}
