/** A server of a test's own with IntegrateDB, a shop in it, and a stakeholder whose channels write down what they get. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import type pg from 'pg'
import { findAccount } from '../../src/embedded/account.ts'
import { findBinaries } from '../../src/embedded/binaries.ts'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/embedded/index.ts'
import type { ChannelKind, Event, Outcome } from '../../src/notifier/channel/sink.ts'
import { jsonLog } from '../../src/notifier/log.ts'
import { notify } from '../../src/notifier/notifier.ts'
import { installFile } from '../../src/sql-file.ts'
import { connect, type Session } from '../support/database.ts'

export interface CloudEvent {
  specversion: string
  id: string
  source: string
  type: string
  subject?: string
  time?: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  data: any
}

export class Shop {
  readonly server: EmbeddedServer
  admin: Session
  readonly data: string

  private constructor(server: EmbeddedServer, admin: Session, data: string) {
    this.server = server
    this.admin = admin
    this.data = data
  }

  static async open(settings: Record<string, string> = {}): Promise<Shop> {
    const server = await startEmbeddedServer({ settings: { synchronous_commit: 'on', ...settings } })
    const admin = await connect(server.url)
    await admin.rows(readFileSync(installFile, 'utf8'))
    await admin.rows(`
      create table orders (id int primary key, status text, total numeric, note text);
      create table items (id int primary key, quantity int);
      create table hidden (id int primary key);
      select integratedb.add_stakeholder('reporter');
      select integratedb.add_notifier('notifier')`)
    await admin.rows(`select integratedb.set_claims('reporter', '{"match": [{"path": "public.*", "fields": "*"}]}')`)
    await admin.end()
    const other = await connect(server.url)
    return new Shop(server, other, await other.value<string>('show data_directory'))
  }

  /** As webhooks, which in these tests are recorders. */
  async subscribe(match: object[], channels: (string | object)[] = ['hook'], stakeholder = 'reporter'): Promise<void> {
    const webhook = { kind: 'WEBHOOK', url: 'http://127.0.0.1:1/', secrets: ['INTEGRATEDB_SECRET_X'] }
    const document = {
      match: match.map((each) => ({ events: ['*'], channels: ['*'], ...each })),
      channels: channels.map((channel) => (typeof channel === 'string' ? { ...webhook, name: channel } : { ...webhook, ...channel })),
    }
    // A session that has used pljs would make a fast stop wait until it ends.
    const session = await this.connect()
    try {
      await session.rows('select integratedb.set_notifications($1, $2)', [stakeholder, JSON.stringify(document)])
    } catch (error) {
      throw new Error(`${(error as pg.DatabaseError).message}: ${(error as pg.DatabaseError).detail}`)
    } finally {
      await session.end()
    }
  }

  get url(): string {
    const url = new URL(this.server.url)
    url.username = 'notifier'
    return url.href
  }

  async connect(): Promise<Session> {
    return await connect(this.server.url)
  }

  /** pg_ctl, with our own timers running meanwhile. */
  async control(...args: string[]): Promise<void> {
    const bin = findBinaries()
    const [program = '', ...rest] = [...findAccount(bin, bin, '/tmp'), join(bin, 'pg_ctl'), ...args, '-D', this.data, '-w', '-t', '30']
    await new Promise<void>((resolve, reject) => {
      const child = spawn(program, [...rest, '-l', join(dirname(this.data), 'log')], { cwd: '/', stdio: 'ignore' })
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl ${args} ended with ${code}`))))
    })
  }

  async close(): Promise<void> {
    await this.admin.end().catch(() => {})
    await this.server.stop()
  }
}

export interface Received {
  channel: string
  event: CloudEvent
  at: number
}

/** A kind of channel that writes down what it gets, and is as told. */
export class Recorder implements ChannelKind {
  readonly received: Received[] = []
  /** Before it is written down: an outcome other than delivered, and it is not. */
  behave: (channel: string, events: readonly Event[]) => Outcome | Promise<Outcome> | undefined = () => undefined
  concurrency = 4
  maxBatch = 10
  opened = 0

  async open({ name }: { name: string }) {
    this.opened++
    const { concurrency, maxBatch } = this
    return {
      concurrency,
      maxBatch,
      maxBatchBytes: 1 << 20,
      deliver: async (events: readonly Event[], signal: AbortSignal): Promise<Outcome> => {
        const outcome = (await this.behave(name, events)) ?? { outcome: 'delivered' }
        if (signal.aborted) throw new Error('aborted')
        const at = Date.now()
        if (outcome.outcome === 'delivered') {
          for (const { body } of events) this.received.push({ channel: name, event: JSON.parse(body.toString()), at })
        }
        return outcome
      },
      async close() {},
    }
  }

  of(channel: string): CloudEvent[] {
    return this.received.filter((each) => each.channel === channel).map(({ event }) => event)
  }

  /** Until a channel has so many, or what `isSo` says. */
  async until(channel: string, count: number | ((events: CloudEvent[]) => boolean), most = 30_000): Promise<CloudEvent[]> {
    const isSo = typeof count === 'number' ? (events: CloudEvent[]) => events.length >= count : count
    await eventually(
      () => isSo(this.of(channel)),
      most,
      () => `${channel} has ${this.of(channel).length} events`,
    )
    return this.of(channel)
  }
}

export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  most = 30_000,
  what: () => string = () => 'it never came',
): Promise<void> {
  for (const end = Date.now() + most; !(await isSo()); ) {
    if (Date.now() > end) throw new Error(what())
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export interface Running {
  port: number
  // biome-ignore lint/suspicious/noExplicitAny: log lines are what they are
  log: any[]
  stop(): Promise<void>
  /** Its end, good or bad. */
  ended: Promise<void>
}

/** The notifier in this process. */
export async function start(shop: Pick<Shop, 'url'>, kind: ChannelKind, patience = 1_000): Promise<Running> {
  const ending = new AbortController()
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const log: any[] = []
  let ended: Promise<void> | undefined
  const port = await new Promise<number>((resolve, reject) => {
    ended = notify({
      configuration: {
        connection: { connectionString: shop.url },
        host: '127.0.0.1',
        port: 0,
        allowPrivate: true,
        patience,
        environment: {},
      },
      log: jsonLog((line) => log.push(JSON.parse(line))),
      kinds: { WEBHOOK: kind },
      signal: ending.signal,
      onListening: resolve,
    })
    ended.catch(reject)
  })
  return {
    port,
    log,
    ended: ended as Promise<void>,
    async stop() {
      ending.abort()
      await ended
    },
  }
}

export async function ready(running: Running): Promise<void> {
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${running.port}/readyz`)).ok,
    30_000,
    () => JSON.stringify(running.log.slice(-5)),
  )
}

/** Of each id the first: what comes again is the same again. */
export function distinct(events: CloudEvent[]): CloudEvent[] {
  const seen = new Map<string, CloudEvent>()
  for (const event of events) if (!seen.has(event.id)) seen.set(event.id, event)
  return [...seen.values()]
}

let bundled: string | undefined

/** As in the npm package: plain JavaScript, which starts at once and takes no more memory than it would there. */
function bundle(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const outfile = `${root}node_modules/.cache/integratedb/recording-notifier-${process.pid}.js`
  const options = { bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20.19' } as const
  buildSync({ ...options, absWorkingDir: root, entryPoints: ['test/notifier/recording-notifier.ts'], outfile })
  process.once('exit', () => rmSync(outfile, { force: true }))
  return outfile
}

/** A notifier in a process of its own. */
export class Process {
  readonly events: { channel: string; event: CloudEvent }[] = []
  readonly log: string[] = []
  /** Of `count`: events, kilobytes at most, microseconds. */
  counted = { events: 0, maxRss: 0, cpu: 0 }
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess

  constructor(url: string, { delay = 0, detail = 'all' }: { delay?: number; detail?: 'all' | 'count' } = {}) {
    bundled ??= bundle()
    this.#child = spawn(process.execPath, [bundled, url, String(delay), detail], { stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout as Readable }).on('line', (line) => this.#read(line))
    this.ended = new Promise((resolve) => this.#child.once('close', resolve))
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal)
    return this.ended
  }

  of(channel: string): CloudEvent[] {
    return this.events.filter((each) => each.channel === channel).map(({ event }) => event)
  }

  #read(line: string): void {
    const [, kind, rest = ''] = /^(\w+) (.*)$/.exec(line) ?? []
    if (kind === 'log') this.log.push(rest)
    else if (kind === 'count') {
      const [, events, rss, cpu = '{}'] = /^(\d+) (\d+) (.*)$/.exec(rest) ?? []
      const { user, system } = JSON.parse(cpu)
      this.counted = { events: Number(events), maxRss: Number(rss), cpu: user + system }
    } else if (kind === 'event') {
      const at = rest.indexOf(' ')
      // The last line of one that was killed may be cut off.
      if (rest.endsWith('}}}')) this.events.push({ channel: rest.slice(0, at), event: JSON.parse(rest.slice(at + 1)) })
    }
  }
}
