/**
 * How far may the slot move? The rules of acknowledging, without a socket.
 *
 * A unit is what is acknowledged as a whole: a transaction, by its END LSN (its commit LSN would bring it back), or a message
 * emitted outside of any, by its own. The server sends units in the order of their ends, so everything before a unit's end
 * has been sent when the unit has. A keepalive says how far the server has read: behind the last unit, and nothing of
 * ours is in between. So it moves the flush if no unit is waiting, and otherwise what the last one is worth, once that is acknowledged.
 * In an open transaction it says nothing.
 */
export class Unacknowledged {
  /** In order; those before #first are acknowledged. */
  #units: { end: bigint; worth: bigint }[] = []
  #first = 0
  #inTransaction = false
  #flush = 0n
  #received = 0n

  /** What the slot may forget. 0 until something is known. */
  get flush(): bigint {
    return this.#flush
  }

  /** How far the server has come, as far as we heard. */
  get received(): bigint {
    return this.#received
  }

  /** Units that came and are not acknowledged. */
  get size(): number {
    return this.#units.length - this.#first
  }

  /** Is there anything that was not acknowledged, complete or not? */
  get inFlight(): boolean {
    return this.#inTransaction || this.size > 0
  }

  begin(): void {
    this.#inTransaction = true
  }

  /** The end of a transaction, or a message that is in none. */
  unit(end: bigint): void {
    this.#inTransaction = false
    if (end > this.#received) this.#received = end
    this.#units.push({ end, worth: end })
  }

  keepalive(walEnd: bigint): void {
    if (walEnd > this.#received) this.#received = walEnd
    if (this.#inTransaction) return
    const last = this.#units.at(-1)
    if (last && this.size > 0) last.worth = walEnd > last.worth ? walEnd : last.worth
    else if (walEnd > this.#flush) this.#flush = walEnd
  }

  /** Everything up to and including the unit that ends at `end`, which must have come; what is acknowledged already may be again. */
  acknowledge(end: bigint): void {
    let next = this.#first
    while (next < this.#units.length && (this.#units[next] as { end: bigint }).end <= end) next++
    const unit = next > this.#first ? this.#units[next - 1] : undefined
    if (unit?.end !== end) {
      if (end <= this.#flush && next === this.#first) return
      throw new RangeError(`nothing that was received ends at ${formatLsn(end)}`)
    }
    if (unit.worth > this.#flush) this.#flush = unit.worth
    this.#first = next
    if (next === this.#units.length || next > 1024) {
      this.#units = this.#units.slice(next)
      this.#first = 0
    }
  }
}

/** As Postgres writes it: 16/B374D848. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`
}

export function parseLsn(text: string): bigint {
  const [high = '', low = ''] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
