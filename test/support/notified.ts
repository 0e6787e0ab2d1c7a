/**
 * A server of its own with one stakeholder that is notified of a table under load, and a way to say whether everything came.
 *
 * Each row counts how often it was written, so the table itself is what is expected: of each row every number up to the one it has,
 * once, in order.
 */
import pg from 'pg'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/embedded/index.ts'
import { control } from './control.ts'
import { connect, type Session } from './database.ts'
import { installFile } from './installation.ts'
import { Notifier } from './notifier.ts'
import { type CloudEvent, Receiver, SECRET } from './receiver.ts'

export async function sleep(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
}

export class Notified {
  readonly server: EmbeddedServer
  readonly receiver: Receiver
  readonly ledger: Ledger
  readonly notifiers: Notifier[] = []
  admin: Session
  #notifierUrl = ''
  #data = ''
  #channels: Record<string, unknown>[] = []
  #load: Load | null = null

  private constructor(server: EmbeddedServer, admin: Session, receiver: Receiver) {
    this.server = server
    this.admin = admin
    this.receiver = receiver
    this.ledger = new Ledger(receiver)
  }

  static async create(settings: Record<string, string> = {}): Promise<Notified> {
    const server = await startEmbeddedServer({
      // What is committed has to be there after the server was stopped.
      settings: { synchronous_commit: 'on', fsync: 'on', full_page_writes: 'on', ...settings },
    })
    const admin = await connect(server.url)
    const notified = new Notified(server, admin, await Receiver.start())
    await admin.rows(installFile)
    await admin.rows('create table public.item (id int primary key, sequence int not null, note text)')
    await admin.value(`select integratedb.add_stakeholder('reporter')`)
    await admin.rows(
      `select * from integratedb.set_claims('reporter', '{"match": [{"path": "public.item", "fields": ["id", {"name": "sequence", "type": ["int4", "int8"]}]}]}')`,
    )
    const { credentials } = await admin.value<{ credentials: { username: string; password: string } }>(
      `select integratedb.add_notifier('notifier')`,
    )
    const url = new URL(server.url)
    url.username = credentials.username
    url.password = credentials.password
    notified.#notifierUrl = url.href
    notified.#data = await admin.value('show data_directory')
    await notified.subscribe([notified.hook()])
    return notified
  }

  /** A WEBHOOK channel to a receiver. */
  hook(more: Record<string, unknown> = {}, receiver = this.receiver): Record<string, unknown> {
    return {
      name: 'hook',
      kind: 'WEBHOOK',
      url: receiver.url,
      secrets: ['INTEGRATEDB_SECRET_HOOK'],
      concurrency: 8,
      alerts: false,
      ...more,
    }
  }

  /** Each channel gets all of public.item, unless `match` says otherwise. */
  async subscribe(channels: Record<string, unknown>[], match: Record<string, unknown> = {}): Promise<void> {
    this.#channels = channels
    const document = { match: [{ path: 'public.item', events: ['INSERT', 'UPDATE'], channels: ['*'], ...match }], channels: this.#channels }
    await this.admin.rows('select * from integratedb.set_notifications($1, $2)', ['reporter', document])
  }

  async notify(environment: Record<string, string> = {}): Promise<Notifier> {
    const notifier = await Notifier.start(this.#notifierUrl, { INTEGRATEDB_SECRET_HOOK: SECRET, ...environment })
    this.notifiers.push(notifier)
    return notifier
  }

  async restart(mode: 'fast' | 'immediate'): Promise<void> {
    // A session that has run pljs would make a fast stop wait for its end.
    await this.admin.end().catch(() => {})
    await control(this.#data, 'stop', '-m', mode)
    await control(this.#data, 'start')
    this.admin = await connect(this.server.url)
  }

  load(options: { keys?: number; pause?: number } = {}): Load {
    this.#load = new Load(this.server.url, options)
    return this.#load
  }

  async stopLoad(): Promise<void> {
    await this.#load?.stop()
    this.#load = null
  }

  async truth(): Promise<Map<number, number>> {
    const rows = await this.admin.rows<{ id: number; sequence: number }>('select id, sequence from public.item')
    return new Map(rows.map(({ id, sequence }) => [id, sequence]))
  }

  /** Waits until what is in the table has come, and answers what is wrong with how it came. */
  async problems(ledger = this.ledger, patience = 60_000): Promise<string[]> {
    const truth = await this.truth()
    let first = -1
    for (let end = Date.now() + patience; ledger.missing(truth) > 0 && Date.now() < end; await sleep(50)) {
      if (ledger.first > first) end = Date.now() + patience
      first = ledger.first
    }
    await sleep(200) // what comes too much
    const missing = ledger.missing(truth)
    const lost = missing > 0 ? [`${missing} are missing; the notifier:\n${this.notifiers.at(-1)?.tail()}`] : []
    return [...ledger.problems, ...lost, ...this.receiver.complaints]
  }

  async stop(): Promise<void> {
    await this.stopLoad().catch(() => {})
    for (const notifier of this.notifiers) if (notifier.child.exitCode === null) await notifier.kill()
    await this.receiver.down()
    await this.admin.end().catch(() => {})
    await this.server.stop()
  }
}

/** What came, the first time that each event did: of each row every number, in order; and one id is one event. */
export class Ledger {
  /** How many events came for the first time, and how many again. */
  first = 0
  again = 0
  readonly problems: string[] = []
  readonly #known = new Map<string, string>()
  readonly #last = new Map<number, { sequence: number; id: string }>()

  constructor(receiver: Receiver) {
    receiver.received = ({ events }) => {
      for (const event of events) this.take(event)
    }
  }

  take({ id, type, data }: CloudEvent): void {
    if (type !== 'integratedb.insert' && type !== 'integratedb.update') {
      this.#complain(`${type} ${JSON.stringify(data)}`)
      return
    }
    const key = Number(data.record.id)
    const sequence = Number(data.record.sequence)
    const what = `${key}:${sequence}`
    const before = this.#known.get(id)
    if (before !== undefined) {
      this.again++
      if (before !== what) this.#complain(`${id} is ${before} and ${what}`)
      return
    }
    this.first++
    this.#known.set(id, what)
    const previous = this.#last.get(key) ?? { sequence: 0, id: '' }
    if (sequence !== previous.sequence + 1) this.#complain(`of row ${key} came ${sequence} after ${previous.sequence}`)
    if (id <= previous.id) this.#complain(`${id} came after ${previous.id}`)
    this.#last.set(key, { sequence, id })
  }

  missing(truth: ReadonlyMap<number, number>): number {
    let missing = 0
    for (const [key, sequence] of truth) missing += Math.max(0, sequence - (this.#last.get(key)?.sequence ?? 0))
    return missing
  }

  #complain(problem: string): void {
    if (this.problems.length < 20) this.problems.push(problem)
  }
}

/** Writes, until it is stopped, in transactions of a few rows each; goes on after the server was away. */
export class Load {
  transactions = 0
  readonly #url: string
  readonly #keys: number
  readonly #pause: number
  #going = true
  readonly #done: Promise<void>

  constructor(url: string, { keys = 50, pause = 2 }: { keys?: number; pause?: number } = {}) {
    this.#url = url
    this.#keys = keys
    this.#pause = pause
    this.#done = this.#run()
    this.#done.catch(() => {}) // told by stop()
  }

  /** So many transactions more. */
  async more(count: number): Promise<void> {
    const until = this.transactions + count
    while (this.transactions < until) await Promise.race([sleep(20), this.#done])
  }

  async stop(): Promise<void> {
    this.#going = false
    await this.#done
  }

  async #run(): Promise<void> {
    let session: Session | null = null
    while (this.#going) {
      try {
        session ??= await connect(this.#url)
        await session.rows(
          `insert into public.item (id, sequence) select distinct (random() * $1)::int, 1 from generate_series(1, 3) order by 1
           on conflict (id) do update set sequence = item.sequence + 1`,
          [this.#keys],
        )
        this.transactions++
        await sleep(this.#pause)
      } catch (error) {
        await session?.end().catch(() => {})
        session = null
        // The server may be away in any way; what it says of the statement is a mistake of the test.
        if (error instanceof pg.DatabaseError && !/^(57P|08|53)/.test(error.code ?? '')) throw error
        await sleep(50)
      }
    }
    await session?.end()
  }
}
