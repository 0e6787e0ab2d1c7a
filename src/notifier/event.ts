/**
 * From a change to an event: a CloudEvent in JSON, one line. What does not depend on the row is made once for each relation, operation, stakeholder and
 * choice of fields (EventWriter), what depends on the transaction once for each transaction; the rest goes byte by byte.
 */
import { createHmac } from 'node:crypto'
import { quoteName } from '../core/index.ts'
import type { Event } from './channel/sink.ts'
import { type Form, formOf, JsonWriter } from './json.ts'
import { type Begin, type Delete, type Insert, NOT_SENT, type Relation, type Tuple, type Update } from './pgoutput.ts'
import { formatLsn } from './unacknowledged.ts'

/** What all events of one transaction have in common. */
export interface Transaction {
  /** The first 17 characters of their ids: the end LSN and a hyphen. */
  prefix: string
  /** ISO 8601, microseconds. */
  time: string
  /** `},"transaction":{…}}}` */
  tail: Buffer
}

export function transactionOf(begin: Begin, end: bigint): Transaction {
  const transaction = JSON.stringify({ id: begin.xid, lsn: formatLsn(end) })
  return { prefix: idPrefix(end), time: formatTime(begin.committedAt), tail: Buffer.from(`,"transaction":${transaction}}}`) }
}

export function idPrefix(end: bigint): string {
  return `${end.toString(16).toUpperCase().padStart(16, '0')}-`
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'))

export function eventId(prefix: string, index: number): string {
  return `${prefix}${HEX[index >>> 24]}${HEX[(index >>> 16) & 255]}${HEX[(index >>> 8) & 255]}${HEX[index & 255]}`
}

/** Microseconds since 1970 as 2026-11-26T19:00:00.123456Z. */
function formatTime(micros: bigint): string {
  const millis = Number(micros / 1000n)
  return `${new Date(millis).toISOString().slice(0, -1)}${String(micros % 1000n).padStart(3, '0')}Z`
}

export interface Subject {
  source: string
  stakeholder: string
  operation: 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'
  relation: Relation
  /** Places of the columns that make its key: the replica identity's, or with FULL the primary key's, if that is known. */
  key: readonly number[]
  /** Places of the columns that may be told. */
  columns: readonly number[]
  /** Hides key values that may not be told. */
  secret: string
}

interface Member {
  column: number
  form: Form
  /** `"name":` */
  name: Buffer
  /** `,"name":` */
  next: Buffer
  quoted: Buffer
}

const RECORD = Buffer.from(',"record":')
const OLD = Buffer.from(',"old":')
const CHANGED = Buffer.from(',"changed":[')
const UNCHANGED = Buffer.from(',"unchanged":[')
const NO_KEY = Buffer.from('"key":null')
const KEY = Buffer.from('"key":')
const COMMA = 0x2c
const OPEN = 0x7b
const CLOSE = 0x7d
const END_OF_LIST = 0x5d

/** Only one event is written at a time. */
const output = new JsonWriter()

export class EventWriter {
  readonly #subject: Subject
  readonly #members: Member[]
  readonly #keyMembers: Member[]
  /** Of FULL the whole row is known as it was, of others the key. */
  readonly #oldMembers: Member[]
  /** Is there more in the key than may be told? */
  readonly #hidden: boolean
  #transaction: Transaction | undefined
  #head = Buffer.alloc(0)
  #middle = Buffer.alloc(0)

  constructor(subject: Subject) {
    this.#subject = subject
    const { relation, key, columns } = subject
    this.#members = columns.map((column) => memberOf(relation, column))
    this.#keyMembers = key.filter((column) => columns.includes(column)).map((column) => memberOf(relation, column))
    const known = (column: number) => relation.columns[column]?.key === true
    this.#oldMembers = columns.filter(known).map((column) => memberOf(relation, column))
    this.#hidden = this.#keyMembers.length < key.length
  }

  insert(transaction: Transaction, index: number, { row }: Insert): Event {
    this.#begin(transaction, index, row)
    output.raw(RECORD)
    object(this.#members, row, null)
    return this.#finish(transaction, index, this.#key(row))
  }

  update(transaction: Transaction, index: number, { row, key, old }: Update): Event {
    const before = old ?? key
    this.#begin(transaction, index, row, before)
    output.raw(RECORD)
    const left = object(this.#members, row, old)
    if (before) {
      output.raw(OLD)
      object(this.#oldMembers, before, null)
      list(CHANGED, this.#oldMembers, (column) => isDifferent(before, row, column))
    }
    if (left) list(UNCHANGED, this.#members, (column) => row.start(column) === NOT_SENT && (old === null || old.start(column) === NOT_SENT))
    // A new key: after all of the old one's, and before all of the new one's.
    const moved = before !== null && this.#subject.key.some((column) => isDifferent(before, row, column))
    return this.#finish(transaction, index, moved ? null : this.#key(row, before))
  }

  delete(transaction: Transaction, index: number, message: Delete): Event {
    const before = (message.old ?? message.key) as Tuple
    this.#begin(transaction, index, before)
    output.raw(OLD)
    object(this.#oldMembers, before, null)
    return this.#finish(transaction, index, this.#key(before))
  }

  truncate(transaction: Transaction, index: number): Event {
    this.#begin(transaction, index, null)
    return this.#finish(transaction, index, null)
  }

  #begin(transaction: Transaction, index: number, row: Tuple | null, before: Tuple | null = null): void {
    if (this.#transaction !== transaction) this.#enter(transaction)
    output.raw(this.#head)
    hexadecimal(index)
    output.raw(this.#middle)
    if (row === null || this.#subject.key.length === 0) output.raw(NO_KEY)
    else {
      output.raw(KEY)
      object(this.#keyMembers, row, before)
    }
  }

  #enter(transaction: Transaction): void {
    const { source, stakeholder, operation, relation } = this.#subject
    const { schema, name } = relation
    const text = JSON.stringify
    this.#transaction = transaction
    this.#head = Buffer.from(`{"specversion":"1.0","id":"${transaction.prefix}`)
    this.#middle = Buffer.from(
      `","source":${text(source)},"type":"integratedb.${operation.toLowerCase()}","subject":${text(`${quoteName(schema)}.${quoteName(name)}`)},` +
        `"time":"${transaction.time}","datacontenttype":"application/json",` +
        `"data":{"stakeholder":${text(stakeholder)},"operation":"${operation}","relation":${text({ schema, name })},`,
    )
  }

  #finish(transaction: Transaction, index: number, key: string | null): Event {
    output.raw(transaction.tail)
    return { id: eventId(transaction.prefix, index), key, body: output.take() }
  }

  /**
   * Rows of one key have one lane, and those without a key (FULL). Of whichever relation: one that is renamed, or made anew under its name,
   * goes on with the same rows, and they stay in order.
   */
  #key(row: Tuple, before: Tuple | null = null): string {
    const { key, secret } = this.#subject
    let values = ''
    for (const column of key) {
      let tuple = row
      let start = row.start(column)
      if (start === NOT_SENT && before) {
        tuple = before
        start = before.start(column)
      }
      if (values !== '') values += ','
      if (start >= 0) values += tuple.source.toString('utf8', start, tuple.end(start))
    }
    // It goes with the event into the queue's table, which the stakeholder reads.
    if (this.#hidden) values = createHmac('sha256', secret).update(values).digest('base64url').slice(0, 22)
    return values
  }
}

function memberOf({ columns }: Relation, column: number): Member {
  const found = columns[column]
  if (!found) throw new RangeError(`column ${column} of a relation of ${columns.length}`)
  const quoted = JSON.stringify(found.name)
  return {
    column,
    form: formOf(found.typeOid),
    name: Buffer.from(`${quoted}:`),
    next: Buffer.from(`,${quoted}:`),
    quoted: Buffer.from(quoted),
  }
}

/** What is not sent, and not in `otherwise` either, is left out. Was there any such? */
function object(members: readonly Member[], row: Tuple, otherwise: Tuple | null): boolean {
  let first = true
  let left = false
  output.byte(OPEN)
  for (const { column, form, name, next } of members) {
    let tuple = row
    let start = row.start(column)
    if (start === NOT_SENT && otherwise) {
      tuple = otherwise
      start = otherwise.start(column)
    }
    if (start === NOT_SENT) {
      left = true
      continue
    }
    output.raw(first ? name : next)
    output.value(tuple, start, form)
    first = false
  }
  output.byte(CLOSE)
  return left
}

function list(begin: Buffer, members: readonly Member[], belongs: (column: number) => boolean): void {
  let first = true
  output.raw(begin)
  for (const { column, quoted } of members) {
    if (!belongs(column)) continue
    if (!first) output.byte(COMMA)
    output.raw(quoted)
    first = false
  }
  output.byte(END_OF_LIST)
}

/** What was not sent has not changed. */
export function isDifferent(before: Tuple, row: Tuple, column: number): boolean {
  const a = before.start(column)
  const b = row.start(column)
  if (a === NOT_SENT || b === NOT_SENT) return false
  if (a < 0 || b < 0) return a !== b
  const length = before.end(a) - a
  if (row.end(b) - b !== length) return true
  for (let i = 0; i < length; i++) if (before.source[a + i] !== row.source[b + i]) return true
  return false
}

function hexadecimal(index: number): void {
  for (let shift = 28; shift >= 0; shift -= 4) output.byte(DIGITS[(index >>> shift) & 15] as number)
}

const DIGITS = Buffer.from('0123456789ABCDEF')
