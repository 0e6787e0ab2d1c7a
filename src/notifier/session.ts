/**
 * From the stream to the channels, while one connection lasts: unit by unit, changes become events, and what is safe everywhere is
 * acknowledged. A session that fails is thrown away whole, with what is in memory: what was not acknowledged comes again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelState, State } from '../core/index.ts'
import { ALERT, type Alert, alertEvent, readAlert } from './alert.ts'
import { ChannelRunner } from './channel/channel.ts'
import type { Unit } from './channel/queue.ts'
import type { ChannelKind, Context, Event } from './channel/sink.ts'
import type { Report, Start, Version } from './database.ts'
import { eventId, idPrefix, type Transaction, transactionOf } from './event.ts'
import { Ledger } from './ledger.ts'
import { reasonOf } from './log.ts'
import { type Begin, type Commit, decode, type Relation, relationOf } from './pgoutput.ts'
import type { Batch, Replication } from './replication.ts'
import { ChangedRow, type Routes, routesOf } from './route.ts'
import { Spool } from './spool.ts'
import { formatLsn } from './unacknowledged.ts'

const BEGIN = 0x42
const COMMIT = 0x43
const RELATION = 0x52
const TRUNCATE = 0x54
const EMITTED = 0x4d
const INSERT = 0x49
const UPDATE = 0x55

/** Then others have a turn: timers, the network. Milliseconds, looked at after so many messages. */
const TURN = 10
const MESSAGES = 128
const TICK = 1_000
const REPORT_EVERY = 10
const CHORES_EVERY = 60

export interface Totals {
  units: number
  changes: number
  events: number
}

interface Known {
  relation: Relation
  routes: Routes
  /** Is it integratedb.subscription_version? */
  isVersions: boolean
}

export interface SessionOptions {
  stream: Replication
  start: Start
  versions: Version[]
  /** Where the slot is. */
  flush: bigint
  context: Context
  kinds: Readonly<Record<string, ChannelKind>>
  instance: string
  totals: Totals
}

export class Session {
  readonly #stream: Replication
  readonly #start: Start
  readonly #context: Context
  readonly #kinds: Readonly<Record<string, ChannelKind>>
  readonly #instance: string
  readonly #totals: Totals
  readonly #ledger: Ledger
  readonly #spool = new Spool()
  readonly #row = new ChangedRow()
  readonly #states = new Map<string, State>()
  readonly #channels = new Map<number, ChannelRunner>()
  /** No subscription names them any more. */
  readonly #retired = new Set<ChannelRunner>()
  readonly #relations = new Map<number, Relation>()
  readonly #known = new Map<number, Known>()
  /** Channels that the reader has to wait for. */
  readonly #pressed = new Set<ChannelRunner>()
  #ticks: NodeJS.Timeout | undefined
  #turn = 0
  #tickNumber = 0
  #closed = false
  #draining = false

  private constructor({ stream, start, context, kinds, instance, totals }: SessionOptions) {
    this.#stream = stream
    this.#start = start
    this.#context = context
    this.#kinds = kinds
    this.#instance = instance
    this.#totals = totals
    this.#ledger = new Ledger((end) => stream.acknowledge(end))
  }

  /** With the subscriptions of where the slot is. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options)
    await session.#follow(options.versions, options.flush)
    session.#ticks = setInterval(() => session.#tick(), TICK)
    return session
  }

  get channels(): ChannelRunner[] {
    return [...this.#channels.values()]
  }

  get progress(): Replication['progress'] & { unacknowledged: number; oldest: bigint | null } {
    return { ...this.#stream.progress, unacknowledged: this.#ledger.size, oldest: this.#ledger.oldest }
  }

  /** Until the stream ends, or throws. */
  async run(): Promise<void> {
    let begin: Begin | null = null
    this.#turn = performance.now()
    for await (const batch of this.#stream) {
      const { bytes, positions } = batch
      const count = positions.length / 2
      let from = 0
      for (let i = 0; i < count; i++) {
        if (this.#draining && !begin) return
        const start = positions[i * 2] as number
        const kind = bytes[start]
        if (kind === BEGIN) {
          begin = decode(bytes, start, positions[i * 2 + 1]) as Begin
          from = i + 1
        } else if (kind === COMMIT && begin) {
          const kept = this.#spool.add(batch, from, i)
          if (kept) await kept
          await this.#transaction(begin, decode(bytes, start, positions[i * 2 + 1]) as Commit)
          begin = null
        } else if (!begin) this.#outside(batch, i)
      }
      if (begin) {
        const kept = this.#spool.add(batch, from, count)
        if (kept) await kept
      }
    }
  }

  /** What has been read goes out, if it does before the deadline. Nothing more is read. */
  async drain(deadline: number): Promise<void> {
    this.#draining = true
    await Promise.all([...this.#channels.values(), ...this.#retired].map((channel) => channel.drain(deadline)))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#ticks)
    // First the stream: what is let go below is not delivered.
    await this.#stream.stop()
    await Promise.all([...this.#channels.values(), ...this.#retired].map((channel) => channel.close()))
    await this.#spool.clear()
  }

  report(): Report {
    const { received, flush } = this.#stream.progress
    const channels = this.channels.map(({ status }) => status)
    return { instance: this.#instance, received: formatLsn(received), flush: formatLsn(flush), channels }
  }

  async #transaction(begin: Begin, { endLsn, committedAt }: Commit): Promise<void> {
    const unit = this.#ledger.open(endLsn, committedAt)
    const transaction = transactionOf(begin, endLsn)
    const versions: Version[] = []
    let index = 0
    let messages = 0
    for await (const { bytes, positions } of this.#spool.batches()) {
      for (let i = 0; i < positions.length; i += 2) {
        index += this.#message(bytes, positions[i] as number, positions[i + 1] as number, transaction, index, unit, versions)
        if (++messages % MESSAGES === 0 && performance.now() - this.#turn > TURN) await this.#yield()
        if (this.#pressed.size > 0) await this.#makeRoom()
      }
    }
    await this.#spool.clear()
    this.#totals.units++
    this.#totals.changes += index
    if (versions.length > 0) {
      await this.#follow(versions, endLsn)
      for (const { version } of versions) {
        unit.hold()
        void this.#applied(version, endLsn).then(() => unit.release())
      }
    }
    unit.release()
  }

  /** Of a transaction. Answers how many places it takes in the order of the transaction's events. */
  #message(bytes: Buffer, start: number, end: number, transaction: Transaction, index: number, unit: Unit, versions: Version[]): number {
    const kind = bytes[start]
    const oid = relationOf(bytes, start, end)
    if (oid !== null) {
      const known = this.#known.get(oid) ?? this.#know(oid)
      const { relation, routes, isVersions } = known
      const interests = kind === INSERT ? routes.INSERT : kind === UPDATE ? routes.UPDATE : routes.DELETE
      if (interests.length === 0 && !isVersions) return 1
      const change = decode(bytes, start, end)
      if (change.kind !== 'insert' && change.kind !== 'update' && change.kind !== 'delete') return 0
      if (isVersions && change.kind === 'insert') versions.push(versionOf(relation, change.row))
      for (const interest of interests) {
        for (const { writer, channels } of interest.events(this.#row.set(relation, change))) {
          const event =
            change.kind === 'insert'
              ? writer.insert(transaction, index, change)
              : change.kind === 'update'
                ? writer.update(transaction, index, change)
                : writer.delete(transaction, index, change)
          this.#offer(channels, event, unit)
        }
      }
      return 1
    }
    if (kind === RELATION) {
      const relation = decode(bytes, start, end) as Relation
      this.#relations.set(relation.oid, relation)
      this.#known.delete(relation.oid)
      return 0
    }
    if (kind === TRUNCATE) return this.#truncate(bytes, start, end, transaction, index, unit)
    if (kind === EMITTED) {
      const alert = this.#alert(bytes, start, end)
      if (alert) this.#alarm(alert, eventId(transaction.prefix, index), unit, transaction.time)
      return alert ? 1 : 0
    }
    return 0
  }

  #truncate(bytes: Buffer, start: number, end: number, transaction: Transaction, index: number, unit: Unit): number {
    const message = decode(bytes, start, end)
    if (message.kind !== 'truncate') return 0
    for (const [i, oid] of message.relations.entries()) {
      const { routes } = this.#known.get(oid) ?? this.#know(oid)
      for (const interest of routes.TRUNCATE) {
        for (const { writer, channels } of interest.events(null)) this.#offer(channels, writer.truncate(transaction, index + i), unit)
      }
    }
    return message.relations.length
  }

  /** A message that is in no transaction: it is a unit by itself. */
  #outside({ bytes, positions }: Batch, i: number): void {
    const start = positions[i * 2] as number
    const end = positions[i * 2 + 1] as number
    const message = decode(bytes, start, end)
    if (message.kind !== 'message' || message.transactional) return
    const unit = this.#ledger.open(message.lsn, BigInt(Date.now()) * 1000n)
    const alert = this.#alert(bytes, start, end)
    if (alert) this.#alarm(alert, eventId(idPrefix(message.lsn), 0), unit)
    this.#totals.units++
    unit.release()
  }

  #alert(bytes: Buffer, start: number, end: number): Alert | null {
    const message = decode(bytes, start, end)
    if (message.kind !== 'message' || message.prefix !== ALERT) return null
    const alert = readAlert(message.content, this.#start.secret)
    if (!alert) this.#context.log.warn('a message that looks like an alert is not ours', { lsn: formatLsn(message.lsn) })
    return alert
  }

  #alarm(alert: Alert, id: string, unit: Unit, time?: string): void {
    const takers = this.channels.filter(({ stakeholder, takesAlerts }) => takesAlerts && stakeholder === alert.stakeholder)
    this.#offer(takers, alertEvent(this.#start.source, id, alert, time), unit)
  }

  #offer(channels: ChannelRunner[], event: Event, unit: Unit): void {
    for (const channel of channels) {
      this.#totals.events++
      if (channel.offer(event, unit)) this.#pressed.add(channel)
    }
  }

  #know(oid: number): Known {
    const relation = this.#relations.get(oid)
    if (!relation) throw new Error(`the stream speaks of relation ${oid}, which it has not described`)
    const routes = routesOf(relation, {
      states: this.#states.values(),
      channels: this.#channels,
      source: this.#start.source,
      secret: this.#start.secret,
    })
    const known = { relation, routes, isVersions: relation.schema === 'integratedb' && relation.name === 'subscription_version' }
    this.#known.set(oid, known)
    return known
  }

  async #makeRoom(): Promise<void> {
    const pressed = [...this.#pressed]
    this.#pressed.clear()
    await Promise.all(pressed.map((channel) => channel.room()))
    this.#turn = performance.now()
  }

  async #yield(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#turn = performance.now()
  }

  /** From here on. Of all that one commit changed: a channel may go from one stakeholder's state to another's. */
  async #follow(versions: readonly Version[], end: bigint): Promise<void> {
    const asBefore = new Set<string>()
    for (const { stakeholder, state } of versions) {
      // The database says the same again: there is something else to see.
      if (JSON.stringify(this.#states.get(stakeholder)) === JSON.stringify(state)) asBefore.add(stakeholder)
      if (state === null) this.#states.delete(stakeholder)
      else this.#states.set(stakeholder, state as State)
    }
    const wanted = new Map<number, { channel: ChannelState; stakeholder: string }>()
    for (const { stakeholder, channels } of this.#states.values()) {
      for (const channel of channels) wanted.set(channel.id, { channel, stakeholder })
    }
    for (const [id, runner] of this.#channels) {
      if (wanted.has(id)) continue
      this.#channels.delete(id)
      this.#retired.add(runner)
      runner.retire()
    }
    const made: ChannelRunner[] = []
    for (const [id, { channel, stakeholder }] of wanted) {
      const runner = this.#channels.get(id)
      if (runner) {
        runner.update(channel, stakeholder)
        if (asBefore.has(stakeholder)) runner.lookAgain()
      } else {
        const kind = Object.hasOwn(this.#kinds, channel.kind) ? this.#kinds[channel.kind] : undefined
        made.push(new ChannelRunner(channel, stakeholder, kind, this.#context))
      }
    }
    for (const runner of made) this.#channels.set(runner.id, runner)
    await Promise.all(made.map((runner) => runner.start(lastIdOf(end))))
    this.#known.clear()
    this.#context.log.info('following subscriptions', { stakeholders: this.#states.size, channels: this.#channels.size })
  }

  /** Not acknowledged before the database knows: a restart asks for what holds where the slot is. */
  async #applied(version: string, end: bigint): Promise<void> {
    for (let pause = 100; !this.#closed; pause = Math.min(pause * 2, 5_000)) {
      try {
        await this.#context.database.applied(version, end)
        return
      } catch (error) {
        this.#context.log.warn('the database cannot be told what is followed', { reason: reasonOf(error) })
        await sleep(pause)
      }
    }
    await new Promise(() => {}) // never released: it comes again
  }

  #tick(): void {
    const now = Date.now()
    const past = lastIdOf(this.#stream.progress.flush)
    for (const channel of this.#channels.values()) {
      channel.pass(past)
      channel.tick(now)
    }
    for (const channel of this.#retired) {
      channel.tick(now)
      if (!channel.isFinished) continue
      this.#retired.delete(channel)
      void channel.close()
    }
    const { database, log } = this.#context
    const complain = (error: unknown) => log.warn('a chore failed', { reason: reasonOf(error) })
    this.#tickNumber++
    if (this.#tickNumber % REPORT_EVERY === 1) database.report(this.report()).catch(complain)
    if (this.#tickNumber % CHORES_EVERY === 2) {
      database.expireCredentials().catch(complain)
      database.announceExpiring().catch(complain)
    }
  }
}

/** Of what ends there. */
function lastIdOf(end: bigint): string {
  return eventId(idPrefix(end), 0xffffffff)
}

function versionOf({ columns }: Relation, row: { value(column: number): unknown }): Version {
  const value = (name: string) => row.value(columns.findIndex((column) => column.name === name))
  const state = value('state')
  return {
    version: String(value('version')),
    stakeholder: String(value('stakeholder')),
    state: typeof state === 'string' ? JSON.parse(state) : null,
  }
}
