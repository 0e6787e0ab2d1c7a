/**
 * From commit to webhook: how long does an event take when a channel is alone, and when others beside it are dead or slow? And how fast
 * does the notifier catch up, how much memory does one large transaction take?
 *
 *   npx tsx bench/notifier-latency.ts [seconds of each round, 10] [rounds, 3] [rows of the large transaction, 1000000] [events a second, 1000]
 *
 * The notifier, the receiver and the server are processes of their own, on one machine: the commit's time and the receipt's are of one
 * clock. The load is one session on the server that commits ten rows at a time.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { startEmbeddedServer } from '../src/embedded/index.ts'
import { Notifier } from '../test/support/notifier.ts'

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const PER_SECOND = Number(process.argv[5] ?? 1000)

/** What the receiver tells. */
interface Counts {
  count: number
  /** Milliseconds, sorted. */
  latencies: number[]
}

/** A process of its own. `delay`: before each answer. */
function receive(delay: number): void {
  let latencies: number[] = []
  let count = 0
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const now = performance.timeOrigin + performance.now()
      // Without parsing: the receiver must not be what is measured.
      for (const [, time = '', micros = ''] of body.matchAll(/"time":"([^"]{19})\.?(\d*)Z"/g)) {
        latencies.push(now - Date.parse(`${time}Z`) - Number(`0.${micros || 0}`) * 1000)
        count++
      }
      setTimeout(() => response.writeHead(204).end(), delay)
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
  process.on('message', () => {
    process.send?.({ count, latencies: latencies.sort((a, b) => a - b) } satisfies Counts)
    latencies = []
    count = 0
  })
  process.on('disconnect', () => process.exit())
}

class Receiver {
  readonly #child: ChildProcess
  readonly url: string

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}/`
  }

  static async start(delay: number): Promise<Receiver> {
    const child = fork(new URL(import.meta.url), ['receiver', String(delay)], { execArgv: ['--import', 'tsx'] })
    const [port] = await once(child, 'message')
    return new Receiver(child, port as number)
  }

  /** Since it was asked last. */
  async counts(): Promise<Counts> {
    this.#child.send('counts')
    const [counts] = await once(this.#child, 'message')
    return counts as Counts
  }

  stop(): void {
    this.#child.disconnect()
  }
}

async function main(seconds: number, rounds: number, rows: number): Promise<void> {
  const server = await startEmbeddedServer({
    settings: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', max_wal_size: '8GB', shared_buffers: '512MB' },
  })
  const [healthy, slow] = [await Receiver.start(0), await Receiver.start(5000)]
  const admin = new pg.Client({ connectionString: server.url })
  let notifier: Notifier | null = null
  try {
    await admin.connect()
    await admin.query(readFileSync('dist-sql/integratedb.sql', 'utf8'))
    await admin.query('create table public.item (id bigint primary key, customer text, total numeric)')
    await admin.query(`select integratedb.add_stakeholder('reporter'), integratedb.add_notifier('notifier')`)
    await admin.query(`select * from integratedb.set_claims('reporter', '{"match": [{"path": "public.item", "fields": "*"}]}')`)
    const hook = (name: string, url: string, more = {}) => ({ name, kind: 'WEBHOOK', url, secrets: ['INTEGRATEDB_SECRET_HOOK'], ...more })
    const alone = [hook('healthy', healthy.url, { concurrency: 8 })]
    const beside = [...alone, hook('dead', 'http://127.0.0.1:9/'), hook('slow', slow.url)]
    const subscribe = async (channels: object[]) => {
      const document = { match: [{ path: 'public.item', events: ['*'], channels: ['*'] }], channels }
      await admin.query('select * from integratedb.set_notifications($1, $2)', ['reporter', JSON.stringify(document)])
    }
    const url = new URL(server.url)
    url.username = 'notifier'
    const start = async () => await (await Notifier.start(url.href, { INTEGRATEDB_SECRET_HOOK: SECRET })).ready()

    await subscribe(alone)
    notifier = await start()
    let next = 1
    const load = async (duration: number) => {
      const count = duration * PER_SECOND
      await admin.query(`
        do $$
        declare start constant timestamptz := clock_timestamp();
        begin
          for n in 0 .. ${count - 1} loop
            insert into public.item values (${next} + n, 'customer ' || n, n / 100.0);
            continue when n % 10 <> 9;
            commit;
            perform pg_sleep(extract(epoch from start + n * interval '${1000 / PER_SECOND} ms' - clock_timestamp()));
          end loop;
        end $$`)
      next += count
      return count
    }
    const received = async (count: number) => {
      const all: number[] = []
      for (let total = 0; total < count; await new Promise((resolve) => setTimeout(resolve, 100))) {
        const counts = await healthy.counts()
        total += counts.count
        all.push(...counts.latencies)
      }
      return all.sort((a, b) => a - b)
    }
    await received(await load(3)) // warms up

    const measured: Record<string, number[]> = { alone: [], beside: [] }
    for (let round = 0; round < rounds; round++)
      for (const [name, channels] of [
        ['alone', alone],
        ['beside', beside],
      ] as const) {
        await subscribe(channels)
        await received(await load(1))
        const started = Date.now()
        const count = await load(seconds)
        const rate = count / ((Date.now() - started) / 1000)
        const latencies = await received(count)
        measured[name]?.push(...latencies)
        console.log(`round ${round + 1}, ${name}: ${describe(latencies)}; ${Math.round(rate)} events/s`)
      }
    for (const [name, latencies] of Object.entries(measured)) console.log(`all, ${name}: ${describe(latencies.sort((a, b) => a - b))}`)
    console.log(`resident at most ${megabytes(notifier)}`)
    await subscribe([hook('healthy', healthy.url, { concurrency: 4, batch: 500 })])
    await received(await load(1))
    await notifier.stop()

    const before = Date.now()
    await admin.query(`insert into public.item select n, 'customer ' || n, n / 100.0 from generate_series(${next}, ${next + rows - 1}) n`)
    console.log(`${rows} rows in one transaction, committed in ${Date.now() - before} ms`)
    const began = Date.now()
    notifier = await start()
    await received(rows)
    const cpu = cpuOf(notifier)
    const took = Date.now() - began
    console.log(
      `received in ${took} ms from the notifier's start: ${Math.round(rows / (took / 1000))}/s in batches of 500; ${((cpu * 1000) / rows).toFixed(1)} µs of CPU each, its start included; resident at most ${megabytes(notifier)}`,
    )
  } finally {
    await notifier?.stop()
    healthy.stop()
    slow.stop()
    await admin.end()
    await server.stop()
  }
}

function describe(latencies: readonly number[]): string {
  const at = (share: number) =>
    `${(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN).toFixed(1)} ms`
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

if (process.argv[2] === 'receiver') receive(Number(process.argv[3]))
else await main(Number(process.argv[2] ?? 10), Number(process.argv[3] ?? 3), Number(process.argv[4] ?? 1_000_000))
