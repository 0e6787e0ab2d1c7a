/**
 * What does a message of pgoutput, protocol version 1, say? Pure: bytes in, a message out.
 *
 * Nothing is copied and no value becomes a string before it is asked for: a tuple is one list of positions in the bytes it came
 * in. Whoever keeps a tuple keeps those bytes. Every length is checked, also that nothing is left over.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */

/** The value is a long one that the UPDATE did not touch: it is not in the stream. Not null, and not the old one either. */
export const UNCHANGED: unique symbol = Symbol('unchanged')

export type Value = string | null | typeof UNCHANGED

export type Message = Begin | Commit | Origin | Relation | Type | Insert | Update | Delete | Truncate | Emitted

export interface Begin {
  kind: 'begin'
  /** Where the commit record begins. */
  commitLsn: bigint
  /** Microseconds since 1970. */
  committedAt: bigint
  xid: number
}

export interface Commit {
  kind: 'commit'
  commitLsn: bigint
  /** What there is to acknowledge: with commitLsn the server would send the transaction again. */
  endLsn: bigint
  committedAt: bigint
}

interface Origin {
  kind: 'origin'
  lsn: bigint
  name: string
}

export interface Relation {
  kind: 'relation'
  oid: number
  schema: string
  name: string
  identity: 'default' | 'nothing' | 'full' | 'index'
  columns: Column[]
}

interface Column {
  name: string
  /** Part of the replica identity. With FULL, every column is. */
  key: boolean
  typeOid: number
  typeModifier: number
}

/** Comes before the relation that uses it, for types that are not built in. */
interface Type {
  kind: 'type'
  oid: number
  schema: string
  name: string
}

export interface Insert {
  kind: 'insert'
  relation: number
  row: Tuple
}

export interface Update {
  kind: 'update'
  relation: number
  /** The replica identity's columns as they were, the others null: only if one of them changed (or is a long value). */
  key: Tuple | null
  /** The whole row as it was: REPLICA IDENTITY FULL only. */
  old: Tuple | null
  row: Tuple
}

export interface Delete {
  kind: 'delete'
  relation: number
  key: Tuple | null
  old: Tuple | null
}

interface Truncate {
  kind: 'truncate'
  relations: number[]
  cascade: boolean
  restartIdentity: boolean
}

/** By pg_logical_emit_message(). */
interface Emitted {
  kind: 'message'
  /** If not, it is in no transaction, and has come although its own may have rolled back. */
  transactional: boolean
  /** The end of its record: what there is to acknowledge if it is not transactional. */
  lsn: bigint
  prefix: string
  content: Buffer
}

/** A message that is cut off, too long, or of a kind that protocol 1 does not have. */
export class MalformedMessage extends Error {
  constructor(what: string, position: number) {
    super(`malformed pgoutput message: ${what} at byte ${position}`)
    this.name = 'MalformedMessage'
  }
}

export const NULL = -1
export const NOT_SENT = -2

/** The columns of a row, in the order of its relation message. */
export class Tuple {
  readonly #bytes: Buffer
  /** Where each value begins (its length is in the four bytes before), or NULL, or NOT_SENT. */
  readonly #positions: number[]

  constructor(bytes: Buffer, positions: number[]) {
    this.#bytes = bytes
    this.#positions = positions
  }

  /** What positions are in. */
  get source(): Buffer {
    return this.#bytes
  }

  /** Where the value begins in the source, or NULL, or NOT_SENT: for those that make nothing of it. */
  start(column: number): number {
    return this.#position(column)
  }

  /** Where a value that begins at `start` ends. */
  end(start: number): number {
    return start + uint32(this.#bytes, start - 4)
  }

  get length(): number {
    return this.#positions.length
  }

  /** As Postgres writes the type: numbers, dates and arrays are text too. */
  value(column: number): Value {
    const position = this.#position(column)
    if (position === NULL) return null
    if (position === NOT_SENT) return UNCHANGED
    return this.#bytes.toString('utf8', position, this.end(position))
  }

  /** The value's own bytes, not copied; null if it is null or not sent. */
  bytes(column: number): Buffer | null {
    const position = this.#position(column)
    return position < 0 ? null : this.#bytes.subarray(position, this.end(position))
  }

  isNull(column: number): boolean {
    return this.#position(column) === NULL
  }

  isUnchanged(column: number): boolean {
    return this.#position(column) === NOT_SENT
  }

  #position(column: number): number {
    const position = this.#positions[column]
    if (position === undefined) throw new RangeError(`column ${column} of a tuple of ${this.#positions.length}`)
    return position
  }
}

/**
 * The relation that a row's message is about, without decoding the row; null for other messages.
 * For rows that nobody wants: this is all that they cost.
 */
export function relationOf(bytes: Buffer, start = 0, end = bytes.length): number | null {
  const kind = bytes[start]
  if (kind !== 0x49 && kind !== 0x55 && kind !== 0x44) return null
  if (start + 5 > end) throw new MalformedMessage('cut off', end - start)
  return uint32(bytes, start + 1)
}

/** The message in bytes[start, end). */
export function decode(bytes: Buffer, start = 0, end = bytes.length): Message {
  if (start < 0 || end > bytes.length) throw new RangeError(`a message from ${start} to ${end} in ${bytes.length} bytes`)
  const reader = new Reader(bytes, start, end)
  const message = read(reader)
  reader.finish()
  return message
}

function read(reader: Reader): Message {
  const kind = reader.byte()
  switch (kind) {
    case 0x49: // I
      return { kind: 'insert', relation: reader.uint32(), row: readNew(reader, reader.byte()) }
    case 0x55: // U
      return readUpdate(reader)
    case 0x44: // D
      return readDelete(reader)
    case 0x42: // B
      return { kind: 'begin', commitLsn: reader.uint64(), committedAt: reader.time(), xid: reader.uint32() }
    case 0x43: // C
      reader.unused()
      return { kind: 'commit', commitLsn: reader.uint64(), endLsn: reader.uint64(), committedAt: reader.time() }
    case 0x52: // R
      return readRelation(reader)
    case 0x59: // Y
      return { kind: 'type', oid: reader.uint32(), schema: schemaName(reader.string()), name: reader.string() }
    case 0x54: // T
      return readTruncate(reader)
    case 0x4d: // M
      return readEmitted(reader)
    case 0x4f: // O
      return { kind: 'origin', lsn: reader.uint64(), name: reader.string() }
    default:
      return reader.fail(`unknown kind ${describe(kind)}`)
  }
}

function readNew(reader: Reader, marker: number): Tuple {
  return marker === 0x4e ? reader.tuple() : reader.fail(`${describe(marker)} where N (the new row) belongs`)
}

function readUpdate(reader: Reader): Update {
  const relation = reader.uint32()
  const marker = reader.byte()
  const key = marker === 0x4b ? reader.tuple() : null
  const old = marker === 0x4f ? reader.tuple() : null
  return { kind: 'update', relation, key, old, row: readNew(reader, key || old ? reader.byte() : marker) }
}

function readDelete(reader: Reader): Delete {
  const relation = reader.uint32()
  const marker = reader.byte()
  if (marker === 0x4b) return { kind: 'delete', relation, key: reader.tuple(), old: null }
  if (marker === 0x4f) return { kind: 'delete', relation, key: null, old: reader.tuple() }
  return reader.fail(`${describe(marker)} where K (the key) or O (the old row) belongs`)
}

const IDENTITIES: Record<number, Relation['identity']> = { 100: 'default', 110: 'nothing', 102: 'full', 105: 'index' }

function readRelation(reader: Reader): Relation {
  const oid = reader.uint32()
  const schema = schemaName(reader.string())
  const name = reader.string()
  const mark = reader.byte()
  const identity = IDENTITIES[mark] ?? reader.fail(`unknown replica identity ${describe(mark)}`)
  const columns: Column[] = []
  for (let left = reader.uint16(); left > 0; left--) {
    const flags = reader.byte()
    if (flags > 1) reader.fail(`unknown flags ${flags} of a column`)
    columns.push({ key: flags === 1, name: reader.string(), typeOid: reader.uint32(), typeModifier: reader.uint32() | 0 })
  }
  return { kind: 'relation', oid, schema, name, identity, columns }
}

function readTruncate(reader: Reader): Truncate {
  const count = reader.uint32()
  const flags = reader.byte()
  if (flags > 3) reader.fail(`unknown flags ${flags} of a TRUNCATE`)
  const relations: number[] = []
  // A count that is wrong ends at the first oid that is not there.
  for (let left = count; left > 0; left--) relations.push(reader.uint32())
  return { kind: 'truncate', relations, cascade: (flags & 1) !== 0, restartIdentity: (flags & 2) !== 0 }
}

function readEmitted(reader: Reader): Emitted {
  const flags = reader.byte()
  if (flags > 1) reader.fail(`unknown flags ${flags} of a message`)
  return { kind: 'message', transactional: flags === 1, lsn: reader.uint64(), prefix: reader.string(), content: reader.counted() }
}

/** The protocol leaves pg_catalog out. */
function schemaName(name: string): string {
  return name === '' ? 'pg_catalog' : name
}

/** Microseconds from 1970 to 2000, where Postgres begins to count. */
const POSTGRES_EPOCH = 946_684_800_000_000n

class Reader {
  readonly #bytes: Buffer
  readonly #start: number
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#at = start
  }

  fail(what: string): never {
    throw new MalformedMessage(what, this.#at - this.#start)
  }

  /** Where the next `size` bytes are. */
  #take(size: number): number {
    const at = this.#at
    if (at + size > this.#end) this.fail('cut off')
    this.#at = at + size
    return at
  }

  finish(): void {
    if (this.#at !== this.#end) this.fail(`${this.#end - this.#at} bytes too many`)
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number
  }

  unused(): void {
    const flags = this.byte()
    if (flags !== 0) this.fail(`unknown flags ${flags}`)
  }

  uint16(): number {
    const at = this.#take(2)
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number)
  }

  uint32(): number {
    return uint32(this.#bytes, this.#take(4))
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8))
  }

  time(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8)) + POSTGRES_EPOCH
  }

  string(): string {
    const zero = this.#bytes.indexOf(0, this.#at)
    if (zero < 0 || zero >= this.#end) this.fail('a string without an end')
    const text = this.#bytes.toString('utf8', this.#at, zero)
    this.#at = zero + 1
    return text
  }

  counted(): Buffer {
    const size = this.uint32()
    const at = this.#take(size)
    return this.#bytes.subarray(at, at + size)
  }

  tuple(): Tuple {
    const bytes = this.#bytes
    const end = this.#end
    const count = this.uint16()
    if (this.#at + count > end) this.fail('cut off') // before the list is made
    const positions = new Array<number>(count)
    let at = this.#at
    for (let column = 0; column < count; column++) {
      const kind = at < end ? bytes[at] : -1
      at++
      if (kind === 0x74) {
        // t
        if (at + 4 > end) this.fail('cut off')
        positions[column] = at + 4
        at += 4 + uint32(bytes, at)
        if (at > end) this.fail('cut off')
      } else if (kind === 0x6e) positions[column] = NULL
      else if (kind === 0x75) positions[column] = NOT_SENT
      else this.fail(kind === -1 ? 'cut off' : `${describe(kind as number)} where a column's n, u or t belongs (column ${column})`)
    }
    this.#at = at
    return new Tuple(bytes, positions)
  }
}

function uint32(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0
  )
}

function describe(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `0x${byte.toString(16).padStart(2, '0')}`
}
