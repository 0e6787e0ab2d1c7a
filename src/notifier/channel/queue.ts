/**
 * What may be delivered now, and what when it has failed? The rules of one channel, without a network or a clock.
 *
 * Events of one key are a lane: in order, one request at a time. Different lanes overlap, as many as the sink takes. An event without a key is a
 * barrier: everything before it is done first, and nothing behind it starts before it is done. A sink that takes one request at
 * a time gets everything in order, as one lane.
 */
import type { Event, Outcome, Sink } from './sink.ts'

/** What an event belongs to: acknowledged when all of its events are safe. */
export interface Unit {
  hold(): void
  release(): void
}

export interface Entry {
  readonly event: Event
  /** Milliseconds: since when it waits. */
  readonly since: number
  /** What may not be acknowledged before it is safe; null: it is parked, or was delivered. */
  unit: Unit | null
  /** On its way into the database. */
  isParking: boolean
  /** How often it was rejected, alone. */
  rejections: number
  /** Out of the queue. */
  done: boolean
  /** It was in a batch that was rejected: who was meant shows when they go one by one. */
  alone: boolean
}

export function newEntry(event: Event, since: number, unit: Unit | null): Entry {
  return { event, since, unit, isParking: false, rejections: 0, done: false, alone: false }
}

/** One request's worth. */
export interface Delivery {
  entries: Entry[]
  events: Event[]
  lanes: Lane[]
  /** Since the queue was last cleared. */
  generation: number
}

export interface Settled {
  /** Out of the queue: delivered, or given up. */
  delivered: Entry[]
  dead: Entry[]
  /** To be tried again. */
  failed: Entry[]
}

interface Lane {
  key: string
  entries: Entry[]
  /** Those before are done. */
  head: number
  /** So many behind head are on their way. */
  taken: number
  failures: number
  notBefore: number
}

/** Everything behind a barrier waits outside the lanes. */
interface Segment {
  barrier: Entry
  behind: Entry[]
}

const FIRST_DELAY = 1_000
const LONGEST_DELAY = 60_000
/** Then it is a dead letter. */
const MOST_REJECTIONS = 5
/** What an event costs beside its body. */
const OVERHEAD = 300
/** So many done entries may stay in the middle of a list. */
const COMPACT = 32

/** After so many failures: 1 s, 2 s, 4 s … 60 s, and by chance up to a quarter less, so that not everybody comes back at once. */
export function backoff(failures: number, random: number): number {
  return Math.min(FIRST_DELAY * 2 ** Math.min(failures - 1, 10), LONGEST_DELAY) * (1 - random / 4)
}

export function costOf({ body }: Event): number {
  return body.length + OVERHEAD
}

type Limits = Pick<Sink, 'concurrency' | 'maxBatch' | 'maxBatchBytes'>

export class Queue {
  #limits: Limits
  readonly #random: () => number
  readonly #lanes = new Map<string, Lane>()
  /** Lanes with something to deliver, in the order of waiting. */
  #ready: Lane[] = []
  #readyHead = 0
  /** Lanes that have failed and wait for their time. */
  #delayed: Lane[] = []
  #segments: Segment[] = []
  /** All entries, in the order of the stream. */
  #order: Entry[] = []
  #orderHead = 0
  #done = 0
  #bytes = 0
  #deliveries = 0
  #generation = 0
  /** Without a success in between. */
  #failures = 0
  #notBefore = 0

  constructor(limits: Limits, random: () => number = Math.random) {
    this.#limits = limits
    this.#random = random
  }

  get size(): number {
    return this.#order.length - this.#orderHead - this.#done
  }

  get bytes(): number {
    return this.#bytes
  }

  get deliveries(): number {
    return this.#deliveries
  }

  push(entry: Entry): void {
    this.#bytes += costOf(entry.event)
    this.#order.push(entry)
    const segment = this.#segments.at(-1)
    if (entry.event.key === null && this.#limits.concurrency > 1) this.#segments.push({ barrier: entry, behind: [] })
    else if (segment) segment.behind.push(entry)
    else this.#intoLane(entry)
  }

  /** What may go now, or null. */
  take(now: number): Delivery | null {
    // Nothing but failures: one tries for all.
    const most = this.#failures > this.#limits.concurrency ? 1 : this.#limits.concurrency
    if (this.#deliveries >= most || now < this.#notBefore) return null
    if (this.#delayed.length > 0) this.#wake(now)
    if (this.#readyHead === this.#ready.length && !this.#passBarrier()) return null
    const delivery: Delivery = { entries: [], events: [], lanes: [], generation: this.#generation }
    let room = this.#limits.maxBatchBytes
    while (this.#readyHead < this.#ready.length && delivery.entries.length < this.#limits.maxBatch) {
      const lane = this.#ready[this.#readyHead] as Lane
      const before = delivery.entries.length
      room = this.#fill(delivery, lane, room)
      if (delivery.entries.length === before) break
      delivery.lanes.push(lane)
      this.#readyHead++
      if (delivery.entries[0]?.alone) break
    }
    if (this.#readyHead * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyHead)
      this.#readyHead = 0
    }
    // As the stream has them, whichever lanes they are of.
    if (delivery.lanes.length > 1) delivery.entries.sort((a, b) => (a.event.id < b.event.id ? -1 : 1))
    delivery.events = delivery.entries.map(({ event }) => event)
    this.#deliveries++
    return delivery
  }

  /** How a delivery ended. After 'gone' nothing is to be delivered any more. */
  settle({ entries, lanes, generation }: Delivery, outcome: Outcome, now: number): Settled {
    this.#deliveries--
    const settled: Settled = { delivered: [], dead: [], failed: [] }
    if (generation !== this.#generation) {
      if (outcome.outcome === 'delivered') settled.delivered = entries
      for (const entry of settled.delivered) entry.done = true
      return settled
    }
    if (outcome.outcome === 'delivered') {
      this.#failures = 0
      settled.delivered = entries
    } else if (outcome.outcome === 'rejected') this.#reject(entries, lanes, settled, now)
    else {
      settled.failed = entries
      this.#failures++
      const after = outcome.outcome === 'retry' ? outcome.after : undefined
      for (const lane of lanes) this.#delay(lane, now, after)
      if (after !== undefined) this.#notBefore = Math.max(this.#notBefore, now + after)
      const beyond = this.#failures - this.#limits.concurrency
      if (beyond > 0) this.#notBefore = Math.max(this.#notBefore, now + backoff(beyond, this.#random()))
    }
    for (const entry of settled.delivered) this.#finish(entry)
    for (const entry of settled.dead) this.#finish(entry)
    for (const lane of lanes) this.#release(lane, settled.delivered.length + settled.dead.length > 0)
    return settled
  }

  /** When something may go that may not now; null: not by waiting. */
  wakeAt(): number | null {
    const delayed = this.#delayed.reduce<number | null>((first, { notBefore }) => Math.min(first ?? notBefore, notBefore), null)
    if (this.#readyHead < this.#ready.length) return this.#notBefore
    return delayed === null ? null : Math.max(delayed, this.#notBefore)
  }

  /** What is not done, in order. */
  *waiting(): Generator<Entry> {
    for (let i = this.#orderHead; i < this.#order.length; i++) {
      const entry = this.#order[i] as Entry
      if (!entry.done) yield entry
    }
  }

  /** Tried anew, by another sink: nothing that failed before counts. Not while anything is on its way. */
  restart(limits: Limits): void {
    const entries = [...this.waiting()]
    this.clear()
    this.#limits = limits
    for (const entry of entries) this.push(entry)
  }

  /** What is on its way is settled all the same; if it failed, it is nobody's any more. */
  clear(): void {
    this.#generation++
    this.#lanes.clear()
    this.#ready = []
    this.#readyHead = 0
    this.#delayed = []
    this.#segments = []
    this.#order = []
    this.#orderHead = 0
    this.#done = 0
    this.#bytes = 0
    this.#failures = 0
    this.#notBefore = 0
  }

  #intoLane(entry: Entry): void {
    const key = this.#limits.concurrency === 1 ? '' : (entry.event.key ?? '')
    const lane = this.#lanes.get(key)
    if (lane) {
      lane.entries.push(entry)
      return
    }
    const made: Lane = { key, entries: [entry], head: 0, taken: 0, failures: 0, notBefore: 0 }
    this.#lanes.set(key, made)
    this.#ready.push(made)
  }

  #fill({ entries }: Delivery, lane: Lane, room: number): number {
    for (let at = lane.head; at < lane.entries.length && entries.length < this.#limits.maxBatch; at++) {
      const entry = lane.entries[at] as Entry
      const size = entry.event.body.length
      if (entries.length > 0 && (size > room || entry.alone)) break
      entries.push(entry)
      lane.taken++
      room -= size
      if (entry.alone) break
    }
    return room
  }

  #reject(entries: Entry[], lanes: Lane[], settled: Settled, now: number): void {
    this.#failures = 0 // somebody is there
    const [entry] = entries
    if (entries.length > 1 || !entry) {
      settled.failed = entries
      for (const each of entries) each.alone = true
      return
    }
    entry.rejections++
    if (entry.rejections >= MOST_REJECTIONS) settled.dead = entries
    else {
      settled.failed = entries
      for (const lane of lanes) this.#delay(lane, now)
    }
  }

  #delay(lane: Lane, now: number, after?: number): void {
    lane.failures++
    lane.notBefore = now + (after ?? backoff(lane.failures, this.#random()))
  }

  #wake(now: number): void {
    const due = this.#delayed.filter(({ notBefore }) => notBefore <= now)
    if (due.length === 0) return
    this.#delayed = this.#delayed.filter(({ notBefore }) => notBefore > now)
    this.#ready.push(...due)
  }

  #release(lane: Lane, isDone: boolean): void {
    if (isDone) {
      lane.head += lane.taken
      lane.failures = 0
      lane.notBefore = 0
      if (lane.head * 2 > lane.entries.length) {
        lane.entries = lane.entries.slice(lane.head)
        lane.head = 0
      }
    }
    lane.taken = 0
    if (lane.head === lane.entries.length) this.#lanes.delete(lane.key)
    else if (lane.notBefore > 0) this.#delayed.push(lane)
    else this.#ready.push(lane)
  }

  /** If everything before the next barrier is done, it is what is ready. */
  #passBarrier(): boolean {
    const [segment] = this.#segments
    if (!segment || this.#lanes.size > 0 || this.#deliveries > 0) return false
    if (!segment.barrier.done) {
      this.#intoLane(segment.barrier)
      return true
    }
    this.#segments.shift()
    for (const entry of segment.behind) this.#intoLane(entry)
    return this.#readyHead < this.#ready.length || this.#passBarrier()
  }

  #finish(entry: Entry): void {
    if (entry.done) return
    entry.done = true
    this.#bytes -= costOf(entry.event)
    this.#done++
    while (this.#orderHead < this.#order.length && this.#order[this.#orderHead]?.done) {
      this.#orderHead++
      this.#done--
    }
    if (this.#orderHead * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#orderHead)
      this.#orderHead = 0
    }
    // One that nobody takes does not keep all the others in memory.
    if (this.#done > COMPACT && this.#done * 2 > this.#order.length - this.#orderHead) {
      this.#order = this.#order.slice(this.#orderHead).filter(({ done }) => !done)
      this.#orderHead = 0
      this.#done = 0
    }
  }
}
