/** Reads a stream message by message, and writes down what it says in a line each. */
import { decode, type Tuple, UNCHANGED } from '../../src/notifier/pgoutput.ts'
import type { Batch, Replication } from '../../src/notifier/replication.ts'

export interface Unit {
  /** What there is to acknowledge. */
  end: bigint
  lines: string[]
}

export class Reader {
  readonly stream: Replication
  readonly #batches: AsyncIterator<Batch>
  #batch: Batch | undefined
  #next = 0
  readonly #relations = new Map<number, { name: string; line: string }>()

  constructor(stream: Replication) {
    this.stream = stream
    this.#batches = stream[Symbol.asyncIterator]()
  }

  /** The next transaction, or message that is in none. */
  async unit(): Promise<Unit> {
    const lines: string[] = []
    while (true) {
      const message = await this.#message()
      switch (message.kind) {
        case 'begin':
        case 'type':
          continue
        case 'commit':
          return { end: message.endLsn, lines }
        case 'message':
          if (!message.transactional) return { end: message.lsn, lines: [`outside ${message.prefix} ${message.content}`] }
          lines.push(`message ${message.prefix} ${message.content}`)
          continue
        case 'origin':
          lines.push(`origin ${message.name}`)
          continue
        case 'relation': {
          const keys = message.columns.filter(({ key }) => key).map(({ name }) => name)
          const line = `relation ${message.schema}.${message.name} (${message.columns.map(({ name }) => name)}) ${message.identity} (${keys})`
          // The server repeats itself whenever it forgot what it knew of a table.
          if (line !== this.#relations.get(message.oid)?.line) lines.push(line)
          this.#relations.set(message.oid, { name: message.name, line })
          continue
        }
        case 'truncate':
          lines.push(`truncate ${message.relations.map((oid) => this.#name(oid)).sort()}`)
          continue
        case 'insert':
          lines.push(`insert ${this.#name(message.relation)} ${show(message.row)}`)
          continue
        case 'update': {
          const before = message.key ? `key ${show(message.key)} ` : message.old ? `old ${show(message.old)} ` : ''
          lines.push(`update ${this.#name(message.relation)} ${before}new ${show(message.row)}`)
          continue
        }
        case 'delete':
          lines.push(
            `delete ${this.#name(message.relation)} ${message.key ? `key ${show(message.key)}` : `old ${show(message.old as Tuple)}`}`,
          )
      }
    }
  }

  /** So many units; acknowledged, if wished, one after the other. */
  async units(count: number, acknowledge = true): Promise<Unit[]> {
    const units: Unit[] = []
    while (units.length < count) {
      const unit = await this.unit()
      if (acknowledge) this.stream.acknowledge(unit.end)
      units.push(unit)
    }
    return units
  }

  async lines(count = 1): Promise<string[]> {
    return (await this.units(count)).flatMap(({ lines }) => lines)
  }

  #name(oid: number): string {
    const relation = this.#relations.get(oid)
    if (!relation) throw new Error(`no relation message of ${oid}`)
    return relation.name
  }

  async #message(): Promise<ReturnType<typeof decode>> {
    while (!this.#batch || this.#next >= this.#batch.positions.length) {
      const { value, done } = await this.#batches.next()
      if (done) throw new Error('the stream has ended')
      this.#batch = value as Batch
      this.#next = 0
    }
    const { bytes, positions } = this.#batch
    const message = decode(bytes, positions[this.#next], positions[this.#next + 1])
    this.#next += 2
    return message
  }
}

function show(tuple: Tuple): string {
  const values = Array.from({ length: tuple.length }, (_, column) => {
    const value = tuple.value(column)
    if (value === UNCHANGED) return 'unchanged'
    return value === null ? 'null' : value.length > 40 ? `${value.length} characters` : value
  })
  return `(${values.join(', ')})`
}
