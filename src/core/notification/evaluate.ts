/**
 * Does a change meet a condition? SQL's logic of three values, and a fourth: a value that is not in the stream, because
 * it is large and did not change, or because the replica identity does not have it. It could be anything, so each part of
 * a condition comes to what it could be: a set of true, false and null. For the notifier; nothing of it is in the database.
 */
import type { Comparison, Condition, Operand } from './where.ts'

/** As Postgres writes it; null; undefined: not in the stream. */
export type Value = string | null | undefined

export interface Change {
  operation: string
  /** The new row; of DELETE the old one. */
  row: (field: string) => Value
  /** The row before, where the stream has it. Without it an UPDATE left the replica identity as it was. */
  old: ((field: string) => Value) | null
}

const TRUE = 1
const FALSE = 2
const NULL = 4
const ANY = TRUE | FALSE | NULL

/** What both could come to together. */
function combine(one: number, other: number, of: (one: number, other: number) => number): number {
  let result = 0
  for (const a of [TRUE, FALSE, NULL]) {
    for (const b of [TRUE, FALSE, NULL]) if (one & a && other & b) result |= of(a, b)
  }
  return result
}

const and = (a: number, b: number): number => (a === FALSE || b === FALSE ? FALSE : a === NULL || b === NULL ? NULL : TRUE)
const or = (a: number, b: number): number => (a === TRUE || b === TRUE ? TRUE : a === NULL || b === NULL ? NULL : FALSE)
const not = (set: number): number => (set & NULL) | (set & TRUE ? FALSE : 0) | (set & FALSE ? TRUE : 0)

/** Sign, exponent and digits of a number, which compare one after the other; digits without zeros at either end. */
function numberKey(text: string): [sign: number, exponent: number, digits: string] {
  const lower = text.toLowerCase()
  if (lower.includes('nan')) return [1, Number.POSITIVE_INFINITY, '2'] // above everything, and equal to itself
  const sign = lower.startsWith('-') ? -1 : 1
  if (lower.includes('inf')) return [sign, Number.POSITIVE_INFINITY, '1']
  const [mantissa = '', exponent = '0'] = lower.replace(/^[-+]/, '').split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = whole + fraction
  const leading = all.length - all.replace(/^0+/, '').length
  const digits = all.replace(/^0+|0+$/g, '')
  return digits === '' ? [0, 0, ''] : [sign, whole.length - leading + Number(exponent), digits]
}

function compareNumbers(one: string, other: string): number {
  const [signOne, exponentOne, digitsOne] = numberKey(one)
  const [signOther, exponentOther, digitsOther] = numberKey(other)
  if (signOne !== signOther) return signOne - signOther
  if (exponentOne !== exponentOther) return (exponentOne < exponentOther ? -1 : 1) * signOne
  return (digitsOne < digitsOther ? -1 : digitsOne > digitsOther ? 1 : 0) * signOne
}

/** Microseconds since 1970 in UTC, as DateStyle ISO writes it; beyond every date for infinity. */
function timeKey(text: string): bigint {
  if (text.includes('infinity')) return text.startsWith('-') ? -(1n << 80n) : 1n << 80n
  const match = /^(\d+)-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?: ?(Z|[-+]\d\d(?::?\d\d){0,2}))?( BC)?$/.exec(text)
  if (match === null) throw new Error(`not a time as Postgres writes it: ${text}`)
  const [, year = '', month, day, hour = 0, minute = 0, second = 0, fraction = '', zone = 'Z', bc] = match
  const astronomical = bc === undefined ? Number(year) : 1 - Number(year)
  // Days by a proleptic Gregorian calendar that begins in March (Date ends in the year 275760, Postgres later).
  const m = Number(month)
  const y = BigInt(astronomical - (m <= 2 ? 1 : 0))
  const era = (y >= 0n ? y : y - 399n) / 400n
  const yearOfEra = y - era * 400n
  const dayOfYear = BigInt(Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5) + Number(day) - 1)
  const days = era * 146_097n + yearOfEra * 365n + yearOfEra / 4n - yearOfEra / 100n + dayOfYear - 719_468n
  const [, sign = '+', zoneHour = '0', zoneMinute = '0', zoneSecond = '0'] = /^([-+])(\d\d):?(\d\d)?:?(\d\d)?$/.exec(zone) ?? []
  const offset = (Number(zoneHour) * 3600 + Number(zoneMinute) * 60 + Number(zoneSecond)) * (sign === '-' ? -1 : 1)
  const seconds = days * 86_400n + BigInt(Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset)
  return seconds * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}

/** By code point, as COLLATE "C" does in UTF-8. `<` on strings goes by UTF-16, where what is beyond U+FFFF comes before U+E000. */
function compareText(one: string, other: string): number {
  const most = Math.min(one.length, other.length)
  for (let at = 0; at < most; at++) {
    if (one[at] !== other[at]) return place(one.charCodeAt(at)) - place(other.charCodeAt(at))
  }
  return one.length - other.length
}

function place(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit
}

const comparisons: Readonly<Record<string, (one: string, other: string) => number>> = {
  number: compareNumbers,
  text: compareText,
  padded: (one, other) => compareText(one.replace(/ +$/, ''), other.replace(/ +$/, '')),
  boolean: compareText,
  time: (one, other) => {
    const [first, second] = [timeKey(one), timeKey(other)]
    return first < second ? -1 : first > second ? 1 : 0
  },
}

const isSo: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

function outcome(isTrue: boolean): number {
  return isTrue ? TRUE : FALSE
}

function read(operand: Operand, { row }: Change): Value {
  return 'field' in operand ? row(operand.field) : operand.literal
}

function compare(operator: Comparison, of: string, one: Value, other: Value): number {
  if (one === undefined || other === undefined) return ANY
  if (one === null || other === null) return NULL
  const order = comparisons[of]
  if (order === undefined) throw new Error(`no class ${of}`)
  return outcome(isSo[operator](order(one, other)))
}

function changed(field: string, { operation, row, old }: Change): number {
  if (operation !== 'UPDATE') return TRUE
  if (old === null) return FALSE // nothing of the replica identity did
  const [now, before] = [row(field), old(field)]
  if (now === undefined) return FALSE // that is why it is not in the stream
  return before === undefined ? TRUE | FALSE : outcome(now !== before)
}

/** What it could come to. */
function evaluate(condition: Condition, change: Change): number {
  switch (condition[0]) {
    case 'and':
    case 'or': {
      const [operator, ...operands] = condition
      return operands.map((each) => evaluate(each, change)).reduce((one, other) => combine(one, other, operator === 'and' ? and : or))
    }
    case 'not':
      return not(evaluate(condition[1], change))
    case 'null': {
      const value = read(condition[1], change)
      // What is too large to be in the stream is not null.
      return value === undefined ? (change.operation === 'UPDATE' ? FALSE : TRUE | FALSE) : outcome(value === null)
    }
    case 'changed':
      return changed(condition[1], change)
    case 'in': {
      const [, of, operand, literals] = condition
      const value = read(operand, change)
      return literals.map(({ literal }) => compare('=', of, value, literal)).reduce((one, other) => combine(one, other, or))
    }
    default: {
      const [operator, of, left, right] = condition
      return compare(operator, of, read(left, change), read(right, change))
    }
  }
}

/** Is a change to be sent? What it might meet is: nobody can tell that it does not. TRUNCATE has no row, and always is. */
export function holds(condition: Condition | null, change: Change): boolean {
  return condition === null || change.operation === 'TRUNCATE' || (evaluate(condition, change) & TRUE) !== 0
}
