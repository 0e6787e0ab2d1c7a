/**
 * One channel at work: takes events from the reader without ever holding it up, delivers them, and sets aside in the database what
 * does not go out in time. What to deliver when is the queue's (queue.ts), what is written to the database the store's (store.ts).
 *
 * An event is safe, and its transaction may be acknowledged, when it is delivered or parked. One that waits for long is parked and stays in
 * memory as well. When the memory is full, events are only parked, until the queue has been filled from there and nothing is left.
 */
import type { ChannelState } from '../../core/index.ts'
import { type Log, reasonOf } from '../log.ts'
import { backoff, costOf, type Delivery, type Entry, newEntry, Queue, type Unit } from './queue.ts'
import type { ChannelKind, Context, Event, Outcome, Sink } from './sink.ts'
import { Store } from './store.ts'

/** In memory, for delivery. */
const MOST_BYTES = 4 << 20
/** In memory, on the way into the database. */
const MOST_TO_PARK = 2 << 20
/** Milliseconds: a full queue is given such a moment, and another as long as it goes down by so much. */
const MOMENT = 20
const PROGRESS = 256 << 10
/** Read from the database at a time. */
const PAGE_BYTES = 512 << 10
const MOST_ROWS = 500
/** Of an event's id; a gap's is that of the first event that is missing, and more. */
const ID_LENGTH = 25

/** What is in the database and not in memory. */
interface Backlog {
  /** Behind this id; null: from the start. */
  after: string | null
  /** Ids that are in memory as well. */
  known: Set<string> | null
}

export interface Counts {
  delivered: number
  retried: number
  rejected: number
  parked: number
  dead: number
}

export class ChannelRunner {
  readonly id: number
  #stakeholder: string
  readonly counts: Counts = { delivered: 0, retried: 0, rejected: 0, parked: 0, dead: 0 }
  #state: ChannelState
  readonly #kind: ChannelKind | undefined
  readonly #context: Context
  readonly #log: Log
  readonly #store: Store
  readonly #aborting = new AbortController()
  readonly #queue = new Queue({ concurrency: 1, maxBatch: 1, maxBatchBytes: 0 })
  #sink: Sink | null = null
  /** Why there is no sink, or the last failure. */
  #reason: string | null = null
  #opening = false
  #attempts = 0
  /** There is more in the database, behind this id, and what comes goes there. */
  #backlog: Backlog | null = { after: null, known: null }
  /**
   * The stream is past this id, and what it brought is written. Behind it the database may hold what the notifier before us parked, while what that still had in memory comes
   * again, from before it: read now, the later would go out first, and the earlier be parked where nobody looks any more.
   */
  #past = ''
  #reading = false
  #page = 20
  #last: string | null = null
  #scheduled = false
  #timer: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  /** No subscription names it any more: what is in memory goes out, if it can at once. */
  #retired: number | null = null
  #closed = false
  #waiters: (() => void)[] = []

  constructor(state: ChannelState, stakeholder: string, kind: ChannelKind | undefined, context: Context) {
    this.id = state.id
    this.#stakeholder = stakeholder
    this.#state = state
    this.#kind = kind
    this.#context = context
    const fields = { channel: state.name, stakeholder }
    const { log } = context
    this.#log = {
      info: (message, more) => log.info(message, { ...fields, ...more }),
      warn: (message, more) => log.warn(message, { ...fields, ...more }),
      error: (message, more) => log.error(message, { ...fields, ...more }),
    }
    this.#store = new Store(state.id, context.database, this.#log, {
      onProgress: () => this.#schedule(),
      onGone: () => this.retire(),
      onParked: (number, isAll, last) => {
        this.counts.parked += number
        this.pass(last)
        if (!isAll) this.#missed()
      },
    })
  }

  get stakeholder(): string {
    return this.#stakeholder
  }

  get name(): string {
    return this.#state.name
  }

  get takesAlerts(): boolean {
    return this.#state.alerts
  }

  /** Ready to take events. What is in the database from before has been looked for. `past`: see pass(). */
  async start(past: string): Promise<void> {
    this.pass(past)
    this.#open()
    await this.#refill()
  }

  /** Nothing up to this id comes again: it was acknowledged, or has come and is in the database. */
  pass(id: string): void {
    if (id > this.#past) this.#past = id
  }

  /** Takes an event. true: the reader should wait for room(). */
  offer(event: Event, unit: Unit): boolean {
    if (this.#closed) return false
    unit.hold()
    const entry = newEntry(event, Date.now(), unit)
    if (this.#retired !== null || !(this.#backlog || this.#state.disabled)) {
      this.#queue.push(entry)
      this.#last = event.id
      this.#schedule()
      return this.#queue.bytes > MOST_BYTES
    }
    this.#store.park(entry)
    return this.#store.bytes > MOST_TO_PARK
  }

  /** Until there is some, but never for long: then what comes is parked, which is only as slow as the database. */
  async room(): Promise<void> {
    while (!this.#backlog && this.#retired === null && this.#queue.bytes > MOST_BYTES && !this.#closed) {
      const before = this.#queue.bytes
      await this.#settled(MOMENT, () => this.#queue.bytes < MOST_BYTES / 2)
      if (this.#queue.bytes > MOST_BYTES && before - this.#queue.bytes < PROGRESS) {
        this.#log.warn('the channel does not keep up: events are parked', { queued: this.#queue.size, reason: this.#reason })
        this.#backlog = { after: this.#last, known: null }
      }
    }
    while (this.#store.bytes > MOST_TO_PARK && !this.#closed) await this.#settled(1000, () => this.#store.bytes <= MOST_TO_PARK)
  }

  /** The subscription's own word on it, from a later commit. */
  update(state: ChannelState, stakeholder: string): void {
    const before = this.#state
    const isSame = stakeholder === this.#stakeholder && JSON.stringify(before.configuration) === JSON.stringify(state.configuration)
    this.#state = state
    this.#stakeholder = stakeholder
    if (isSame && before.disabled === state.disabled) return
    if (state.disabled) this.#disable()
    else {
      if (before.disabled) this.#backlog = { after: null, known: null }
      void this.#reopen()
    }
  }

  /** There may be something in the database that did not come from here: dead letters that are to be sent again. */
  lookAgain(): void {
    if (this.#state.disabled || this.#retired !== null) return
    this.#backlog = { after: null, known: new Set([...this.#queue.waiting()].map(({ event }) => event.id)) }
    this.#schedule()
  }

  /** Nothing more comes. What is in memory is delivered, if that works at once; what is parked is gone with the channel. */
  retire(): void {
    if (this.#retired !== null) return
    this.#retired = Date.now()
    this.#backlog = null
    this.#store.letGo()
    this.#schedule()
  }

  get isFinished(): boolean {
    return this.#closed || (this.#retired !== null && this.#queue.size === 0)
  }

  /** Once a second. */
  tick(now: number): void {
    if (this.#retired !== null) {
      if (now - this.#retired > this.#context.patience && this.#queue.size > 0) {
        this.#log.warn('the channel is gone, and did not take what was left', { events: this.#queue.size })
        this.#drop((entry) => entry.unit?.release())
      }
      return
    }
    for (const entry of this.#queue.waiting()) {
      if (now - entry.since < this.#context.patience) break
      if (entry.unit && !entry.isParking) this.#store.park(entry)
    }
    this.#schedule()
  }

  get status(): {
    id: number
    status: 'direct' | 'parked' | 'disabled' | 'broken'
    reason: string | null
    queued: number
    oldest_at: string | null
  } {
    const [oldest] = this.#queue.waiting()
    const isParked = this.#backlog !== null || this.#store.bytes > 0 || oldest?.unit === null
    const status = this.#state.disabled ? 'disabled' : !this.#sink ? 'broken' : isParked ? 'parked' : 'direct'
    const since = oldest ? new Date(oldest.since).toISOString() : null
    return { id: this.id, status, reason: status === 'direct' ? null : this.#reason, queued: this.#queue.size, oldest_at: since }
  }

  get queuedBytes(): number {
    return this.#queue.bytes + this.#store.bytes
  }

  /** Until nothing waits, or it is time. */
  async drain(deadline: number): Promise<void> {
    const isEmpty = () => (this.#queue.size === 0 && !this.#backlog && this.#store.isIdle) || this.#closed
    while (!isEmpty() && Date.now() < deadline) await this.#settled(Math.min(50, deadline - Date.now()), isEmpty)
  }

  /** At once: what is on its way is given up, and comes again. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#retry)
    this.#aborting.abort()
    this.#store.stop()
    this.#wake()
    await this.#sink?.close().catch((error) => this.#log.warn('a channel did not close', { reason: reasonOf(error) }))
    this.#sink = null
  }

  /** After what is running: a slice of the reader's is one batch. */
  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#closed) return
    this.#wake()
    void this.#refill()
    if (!this.#sink || this.#opening) return
    const now = Date.now()
    for (let delivery = this.#queue.take(now); delivery; delivery = this.#queue.take(now)) void this.#deliver(this.#sink, delivery)
    clearTimeout(this.#timer)
    const wakeAt = this.#queue.wakeAt()
    if (wakeAt !== null && wakeAt > now) this.#timer = setTimeout(() => this.#pump(), wakeAt - now)
  }

  async #deliver(sink: Sink, delivery: Delivery): Promise<void> {
    let outcome: Outcome
    try {
      outcome = await sink.deliver(delivery.events, this.#aborting.signal)
    } catch (error) {
      outcome = { outcome: 'retry', reason: reasonOf(error) }
    }
    if (this.#closed) return
    const { delivered, dead, failed } = this.#queue.settle(delivery, outcome, Date.now())
    this.counts.delivered += delivered.length
    for (const entry of delivered) this.#store.delivered(entry)
    if (outcome.outcome === 'delivered') this.#reason = null
    else {
      this.#reason = outcome.reason
      if (outcome.outcome === 'rejected') this.counts.rejected += delivery.entries.length
      else this.counts.retried += failed.length
      this.#store.failed(failed, outcome.reason)
      for (const entry of dead) {
        this.counts.dead++
        this.#log.error('an event was refused and is a dead letter', { id: entry.event.id, reason: outcome.reason })
        this.#store.bury(entry, outcome.reason)
      }
    }
    if (outcome.outcome === 'gone' && !this.#state.disabled && this.#retired === null) {
      this.#log.error('the receiver is gone: the channel is disabled', { reason: outcome.reason })
      this.#store.disable(outcome.reason)
      this.#state = { ...this.#state, disabled: true }
      this.#disable()
    }
    this.#schedule()
  }

  /** There is a gap in the database: what is in memory may be what it speaks of. From here on all comes from there, in order. */
  #missed(): void {
    if (this.#backlog || this.#state.disabled || this.#retired !== null) return
    this.#backlog = { after: null, known: null }
    this.#drop((entry) => {
      if (entry.unit && !entry.isParking) this.#store.park(entry)
    })
    this.#schedule()
  }

  /** What is in memory goes to where it is counted, or stays where it is parked. */
  #disable(): void {
    this.#drop((entry) => {
      if (entry.unit && !entry.isParking) this.#store.park(entry)
    })
    clearTimeout(this.#retry)
    const sink = this.#sink
    this.#sink = null
    void sink?.close().catch(() => {})
  }

  #drop(each: (entry: Entry) => void): void {
    const entries = [...this.#queue.waiting()]
    this.#queue.clear()
    for (const entry of entries) each(entry)
    this.#wake()
  }

  #open(): void {
    if (this.#state.disabled || this.#opening || this.#closed || this.#sink) return
    this.#opening = true
    this.#opened().then(
      (sink) => {
        this.#opening = false
        if (this.#closed || this.#state.disabled) {
          void sink.close()
          return
        }
        this.#sink = sink
        this.#attempts = 0
        this.#reason = null
        this.#queue.restart(sink)
        this.#schedule()
      },
      (error) => {
        this.#opening = false
        this.#reason = reasonOf(error)
        this.#attempts++
        this.#log.error('the channel cannot be opened', { reason: this.#reason })
        if (!this.#closed) this.#retry = setTimeout(() => this.#open(), backoff(this.#attempts, Math.random()))
      },
    )
  }

  async #opened(): Promise<Sink> {
    const { id, name, kind, configuration } = this.#state
    if (!this.#kind) throw new Error(`this notifier has no channels of kind ${kind}`)
    return await this.#kind.open({ id, name, kind, configuration, stakeholder: this.stakeholder }, this.#context)
  }

  /** With what it is told now; what is on its way ends first. */
  async #reopen(): Promise<void> {
    clearTimeout(this.#retry)
    const sink = this.#sink
    this.#sink = null
    while (this.#queue.deliveries > 0 && !this.#closed) await this.#settled(1000, () => this.#queue.deliveries === 0)
    await sink?.close().catch(() => {})
    this.#attempts = 0
    this.#open()
  }

  /** From the database, in order. When nothing is there, and nothing on the way to there, events come directly again. */
  async #refill(): Promise<void> {
    const backlog = this.#backlog
    if (!backlog || this.#reading || this.#closed || this.#state.disabled || this.#queue.bytes > MOST_BYTES / 2) return
    this.#reading = true
    const { written, isIdle } = this.#store
    try {
      const found = await this.#context.database.parked(this.id, backlog.after, this.#page)
      if (this.#closed || this.#backlog !== backlog || this.#state.disabled) return
      const rows = found.filter(({ id }) => id.slice(0, ID_LENGTH) <= this.#past)
      const now = Date.now()
      let size = 0
      for (const { id, key, body } of rows) {
        const event = { id, key, body: Buffer.from(body) }
        size += costOf(event)
        backlog.after = id
        if (backlog.known?.has(id)) continue
        this.#queue.push(newEntry(event, now, null))
        if (this.#last === null || id > this.#last) this.#last = id
      }
      if (rows.length > 0) this.#page = Math.max(1, Math.min(MOST_ROWS, Math.floor(PAGE_BYTES / (size / rows.length))))
      else if (found.length === 0 && isIdle && this.#store.isIdle && this.#store.written === written) {
        this.#backlog = null
        if (backlog.after !== null) this.#log.info('nothing is parked any more: the channel takes events directly')
      }
      if (rows.length > 0 || (found.length === 0 && this.#store.isIdle)) this.#schedule()
    } catch (error) {
      this.#log.warn('parked events cannot be read', { reason: reasonOf(error) })
    } finally {
      this.#reading = false
    }
  }

  #wake(): void {
    const waiters = this.#waiters
    if (waiters.length === 0) return
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /** Until `isSo`, looked at whenever something happens, or so many milliseconds. */
  async #settled(most: number, isSo: () => boolean): Promise<void> {
    const end = Date.now() + most
    while (!isSo() && !this.#closed) {
      const left = end - Date.now()
      if (left <= 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiters.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }
}
