/** What may be acknowledged? Units of the stream, in order: the first that has an event which is neither delivered nor parked holds up the rest. */
import type { Unit } from './channel/queue.ts'

export class Ledger {
  readonly #acknowledge: (end: bigint) => void
  #units: Transaction[] = []
  #first = 0

  constructor(acknowledge: (end: bigint) => void) {
    this.#acknowledge = acknowledge
  }

  /** Held by whoever opens it, until all of its events are handed out. */
  open(end: bigint, committedAt: bigint): Unit {
    const unit = new Transaction(end, committedAt, () => this.#advance())
    this.#units.push(unit)
    return unit
  }

  /** So many are not acknowledged. */
  get size(): number {
    return this.#units.length - this.#first
  }

  /** Microseconds since 1970: of the oldest that is not acknowledged. */
  get oldest(): bigint | null {
    return this.#units[this.#first]?.committedAt ?? null
  }

  #advance(): void {
    let end: bigint | undefined
    for (let unit = this.#units[this.#first]; unit && unit.holders === 0; unit = this.#units[this.#first]) {
      end = unit.end
      this.#first++
    }
    if (this.#first * 2 > this.#units.length) {
      this.#units = this.#units.slice(this.#first)
      this.#first = 0
    }
    if (end !== undefined) this.#acknowledge(end)
  }
}

class Transaction implements Unit {
  readonly end: bigint
  readonly committedAt: bigint
  holders = 1
  readonly #onFree: () => void

  constructor(end: bigint, committedAt: bigint, onFree: () => void) {
    this.end = end
    this.committedAt = committedAt
    this.#onFree = onFree
  }

  hold(): void {
    this.holders++
  }

  release(): void {
    if (--this.holders === 0) this.#onFree()
  }
}
