/**
 * What a channel writes to the database, one call after the other: an event that is parked and then delivered is to be gone in the end.
 * What fails is tried again: the connection to the stream ends as well if the database is gone, and then all of it comes again.
 */
import type { Database } from '../database.ts'
import { type Log, reasonOf } from '../log.ts'
import { backoff, costOf, type Entry } from './queue.ts'

/** For one call. */
const MOST_EVENTS = 500
const MOST_BYTES = 1 << 20
/** SQLSTATE of IntegrateDB: there is no such channel. */
const NO_CHANNEL = 'IDB08'

interface Listener {
  /** Something was written. */
  onProgress(): void
  /** The stakeholder has given the channel up. The stream will say so as well, later. */
  onGone(): void
  /** So many, all of them safe: kept, or, if not all were, counted into a gap that is kept in their place. `last`: the id of the last one. */
  onParked(number: number, isAll: boolean, last: string): void
}

export class Store {
  readonly #channel: number
  readonly #database: Database
  readonly #log: Log
  readonly #listener: Listener
  #toPark: Entry[] = []
  #bytes = 0
  #failures = new Map<string, string[]>()
  #toBury: { entry: Entry; reason: string }[] = []
  #toUnpark: string[] = []
  #toDisable: string | null = null
  #written = 0
  #isWorking = false
  #stopped = false

  constructor(channel: number, database: Database, log: Log, listener: Listener) {
    this.#channel = channel
    this.#database = database
    this.#log = log
    this.#listener = listener
  }

  /** Of what is to be parked. */
  get bytes(): number {
    return this.#bytes
  }

  /** How often something was parked. */
  get written(): number {
    return this.#written
  }

  get isIdle(): boolean {
    return !this.#isWorking && !this.#hasWork
  }

  park(entry: Entry): void {
    if (this.#stopped) {
      entry.unit?.release()
      entry.unit = null
      return
    }
    entry.isParking = true
    this.#toPark.push(entry)
    this.#bytes += costOf(entry.event)
    this.#start()
  }

  delivered(entry: Entry): void {
    if (entry.unit) this.#release(entry)
    // Parked, or about to be; if it has not begun, it is left out.
    else this.#toUnpark.push(entry.event.id)
    this.#start()
  }

  failed(entries: Entry[], reason: string): void {
    const parked = entries.filter(({ unit }) => unit === null).map(({ event }) => event.id)
    if (parked.length === 0 || this.#stopped) return
    this.#failures.set(reason, [...(this.#failures.get(reason) ?? []), ...parked])
    this.#start()
  }

  /** Its unit waits until it is buried. */
  bury(entry: Entry, reason: string): void {
    if (this.#stopped) {
      this.#release(entry)
      return
    }
    this.#toBury.push({ entry, reason })
    this.#start()
  }

  disable(reason: string): void {
    this.#toDisable = reason
    this.#start()
  }

  /** The channel is gone: what was to be written for it is let go. */
  letGo(): void {
    for (const entry of this.#toPark) this.#release(entry)
    for (const { entry } of this.#toBury) this.#release(entry)
    this.stop()
  }

  /** We are gone: what is not written is not safe, and comes again. */
  stop(): void {
    this.#stopped = true
    this.#toPark = []
    this.#toBury = []
    this.#toUnpark = []
    this.#toDisable = null
    this.#failures.clear()
    this.#bytes = 0
  }

  get #hasWork(): boolean {
    return (
      this.#toPark.length > 0 || this.#toUnpark.length > 0 || this.#toBury.length > 0 || this.#failures.size > 0 || this.#toDisable !== null
    )
  }

  #start(): void {
    if (this.#isWorking || this.#stopped || !this.#hasWork) return
    this.#isWorking = true
    void this.#work()
  }

  async #work(): Promise<void> {
    for (let attempt = 1; this.#hasWork && !this.#stopped; ) {
      try {
        await this.#writeSome()
        attempt = 1
      } catch (error) {
        if ((error as { code?: string }).code === NO_CHANNEL) {
          this.#log.info('the channel is not there any more')
          this.#isWorking = false
          this.#listener.onGone()
          return
        }
        if (this.#stopped) break
        this.#log.warn('a channel cannot write to the database', { reason: reasonOf(error) })
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt++, Math.random())))
      }
      this.#listener.onProgress()
    }
    this.#isWorking = false
    this.#listener.onProgress()
  }

  async #writeSome(): Promise<void> {
    // First of all, so that what is parked after it is counted as it should be.
    if (this.#toDisable !== null) {
      await this.#database.disable(this.#channel, this.#toDisable)
      this.#toDisable = null
    }
    if (this.#toPark.length > 0) await this.#park()
    for (const [reason, ids] of this.#failures) {
      await this.#database.failed(this.#channel, ids, reason)
      this.#failures.delete(reason)
    }
    const [dead] = this.#toBury
    if (dead) {
      const { entry, reason } = dead
      if (entry.unit) await this.#database.park(this.#channel, [entry.event])
      await this.#database.bury(this.#channel, [entry.event.id], reason)
      this.#release(entry)
      this.#toBury.shift()
    }
    if (this.#toUnpark.length > 0) {
      const ids = this.#toUnpark.slice(0, MOST_EVENTS)
      await this.#database.unpark(this.#channel, ids)
      this.#toUnpark.splice(0, ids.length)
    }
  }

  async #park(): Promise<void> {
    let count = 0
    for (let size = 0; count < this.#toPark.length && count < MOST_EVENTS && size < MOST_BYTES; count++) {
      size += (this.#toPark[count] as Entry).event.body.length
    }
    const entries = this.#toPark.slice(0, count)
    const waiting = entries.filter(({ done }) => !done)
    let kept = 0
    if (waiting.length > 0)
      kept = await this.#database.park(
        this.#channel,
        waiting.map(({ event }) => event),
      )
    if (this.#stopped) return
    this.#toPark.splice(0, count)
    this.#written++
    for (const entry of entries) this.#bytes -= costOf(entry.event)
    for (const entry of waiting) {
      entry.isParking = false
      // Delivered meanwhile: it was released then, and is there for nothing.
      if (entry.done) this.#toUnpark.push(entry.event.id)
      else this.#release(entry)
    }
    this.#listener.onParked(waiting.length, kept === waiting.length, (entries.at(-1) as Entry).event.id)
  }

  #release(entry: Entry): void {
    entry.unit?.release()
    entry.unit = null
  }
}
