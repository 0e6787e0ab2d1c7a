/**
 * Does a condition hold for a change? SQL's three-valued logic, exact numbers.
 *
 * One thing SQL does not have: a long value that the UPDATE did not touch is not in the stream. What depends on it is not
 * null but undecided, and the event is sent. So an expression has a set of values that it may have, and true is sent.
 * Values are text, as Postgres writes them (ISO, UTC). The notifier runs this; it is not in the bundle.
 */

import type { Class, Comparison, Condition, Operand } from './where.ts'

/** What a change says of its row, by the column's place in the relation. */
export interface Row {
  /** The new value, or of a DELETE the old one. undefined: it is not in the stream, and not null. */
  value(column: number): string | null | undefined
  /** undefined: nobody knows. */
  changed(column: number): boolean | undefined
}

/** May it be true? */
export type Predicate = (row: Row) => boolean

/** A set of what it may be. */
type Truth = number
const TRUE = 1
const FALSE = 2
const NULL = 4
const ANY = 7

type Expression = (row: Row) => Truth

/** @param columnOf where a field is, or -1: then everything that depends on it is undecided */
export function compile(condition: Condition, columnOf: (field: string) => number): Predicate {
  const expression = expressionOf(condition, columnOf)
  return (row) => (expression(row) & TRUE) !== 0
}

function expressionOf(condition: Condition, columnOf: (field: string) => number): Expression {
  switch (condition[0]) {
    case 'and':
    case 'or': {
      const [operator, ...parts] = condition as ['and' | 'or', ...Condition[]]
      const expressions = parts.map((part) => expressionOf(part, columnOf))
      const combine = operator === 'and' ? and : or
      const decided = operator === 'and' ? FALSE : TRUE
      return (row) => {
        let truth = decided === FALSE ? TRUE : FALSE
        for (const expression of expressions) {
          truth = combine(truth, expression(row))
          if (truth === decided) break
        }
        return truth
      }
    }
    case 'not': {
      const negated = expressionOf(condition[1], columnOf)
      return (row) => not(negated(row))
    }
    case 'null': {
      const value = textOf(condition[1], columnOf)
      return (row) => (value(row) === null ? TRUE : FALSE)
    }
    case 'changed': {
      const column = columnOf(condition[1])
      return (row) => {
        const changed = column < 0 ? undefined : row.changed(column)
        return changed === undefined ? TRUE | FALSE : changed ? TRUE : FALSE
      }
    }
    case 'in': {
      const [, type, operand, literals] = condition
      const equal = literals.map((literal) => comparison('=', type, operand, literal, columnOf))
      return (row) => equal.reduce((truth, expression) => or(truth, expression(row)), FALSE)
    }
    default:
      return comparison(condition[0], condition[1], condition[2], condition[3], columnOf)
  }
}

function and(a: Truth, b: Truth): Truth {
  return (a & b & TRUE) | ((a | b) & FALSE) | ((a & NULL && b & (TRUE | NULL)) || (b & NULL && a & (TRUE | NULL)) ? NULL : 0)
}

function or(a: Truth, b: Truth): Truth {
  return ((a | b) & TRUE) | (a & b & FALSE) | ((a & NULL && b & (FALSE | NULL)) || (b & NULL && a & (FALSE | NULL)) ? NULL : 0)
}

function not(a: Truth): Truth {
  return (a & TRUE ? FALSE : 0) | (a & FALSE ? TRUE : 0) | (a & NULL)
}

type Read<T> = (row: Row) => T | null | undefined

function textOf(operand: Operand, columnOf: (field: string) => number): Read<string> {
  if ('literal' in operand) return () => operand.literal
  const column = columnOf(operand.field)
  return column < 0 ? () => undefined : (row) => row.value(column)
}

function comparison(operator: Comparison, type: Class, left: Operand, right: Operand, columnOf: (field: string) => number): Expression {
  switch (type) {
    case 'number':
      return compared(operator, reader(left, columnOf, readNumber), reader(right, columnOf, readNumber), compareNumbers)
    case 'time':
      return compared(operator, reader(left, columnOf, readTime), reader(right, columnOf, readTime), compareTimes)
    case 'boolean':
      return compared(operator, reader(left, columnOf, readBoolean), reader(right, columnOf, readBoolean), (a, b) => a - b)
    case 'padded':
      return compared(operator, reader(left, columnOf, withoutPadding), reader(right, columnOf, withoutPadding), compareText)
    case 'text':
      return compared(operator, textOf(left, columnOf), textOf(right, columnOf), compareText)
  }
}

/** A literal is read once. */
function reader<T>(operand: Operand, columnOf: (field: string) => number, read: (text: string) => T | undefined): Read<T> {
  if ('literal' in operand) {
    const literal = read(operand.literal)
    return () => literal
  }
  const value = textOf(operand, columnOf)
  return (row) => {
    const text = value(row)
    return typeof text === 'string' ? read(text) : text
  }
}

function compared<T>(operator: Comparison, left: Read<T>, right: Read<T>, order: (a: T, b: T) => number): Expression {
  const holds = holdsFor(operator)
  return (row) => {
    const a = left(row)
    const b = right(row)
    if (a === null || b === null) return NULL
    if (a === undefined || b === undefined) return ANY ^ NULL
    return holds(order(a, b)) ? TRUE : FALSE
  }
}

function holdsFor(operator: Comparison): (order: number) => boolean {
  switch (operator) {
    case '=':
      return (order) => order === 0
    case '<>':
      return (order) => order !== 0
    case '<':
      return (order) => order < 0
    case '<=':
      return (order) => order <= 0
    case '>':
      return (order) => order > 0
    case '>=':
      return (order) => order >= 0
  }
}

/** By code point, as "C" sorts UTF-8; JavaScript's own order is that of UTF-16. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

/** Of `character`: as if they were not there. */
function withoutPadding(text: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === ' ') end--
  return text.slice(0, end)
}

function readBoolean(text: string): number | undefined {
  return text[0] === 't' ? 1 : text[0] === 'f' ? 0 : undefined
}

/** Short ones are numbers of JavaScript's: up to 15 digits those are exact, in their order too. */
export type ExactNumber = number | LongNumber

interface LongNumber {
  /** -1, 0, 1; of infinities and NaN (the greatest, equal to itself) as Postgres orders them: -2, 2, 3. */
  sign: number
  /** 0.digits × 10^exponent, without zeros at either end. */
  digits: string
  exponent: number
}

const SHORT = 15

export function readNumber(text: string): ExactNumber | undefined {
  return text.length <= SHORT && /^-?[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : readLong(text)
}

function readLong(text: string): LongNumber | undefined {
  const word = /^([+-]?)(?:nan|(infinity))$/i.exec(text)
  if (word) return { sign: word[2] === undefined ? 3 : word[1] === '-' ? -2 : 2, digits: '', exponent: 0 }
  const found = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,9}))?$/.exec(text)
  if (!found) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = found
  const all = whole + fraction
  if (all === '') return undefined
  let first = 0
  while (all[first] === '0') first++
  let last = all.length
  while (last > first && all[last - 1] === '0') last--
  if (first === last) return { sign: 0, digits: '', exponent: 0 }
  return { sign: sign === '-' ? -1 : 1, digits: all.slice(first, last), exponent: whole.length - first + Number(power) }
}

export function compareNumbers(a: ExactNumber, b: ExactNumber): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const x = typeof a === 'number' ? (readLong(String(a)) as LongNumber) : a
  const y = typeof b === 'number' ? (readLong(String(b)) as LongNumber) : b
  if (x.sign !== y.sign) return x.sign - y.sign
  if (x.exponent !== y.exponent) return (x.exponent - y.exponent) * x.sign
  return x.digits === y.digits ? 0 : x.digits < y.digits ? -x.sign : x.sign
}

/** Days since 1970, and microseconds of the day. */
interface Time {
  day: number
  micros: number
}

const DAY = 86_400_000_000

/** A date, a timestamp with or without time zone, or a time of day. */
export function readTime(text: string): Time | undefined {
  if (/^-?infinity$/i.test(text)) return { day: text[0] === '-' ? -Infinity : Infinity, micros: 0 }
  const found =
    /^(?:([0-9]{4,})-([0-9]{2})-([0-9]{2}))?(?:[ T]?([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?)?(?: ?(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?(?::?([0-9]{2}))?))?( BC)?$/i.exec(
      text,
    )
  if (!found || text === '') return undefined
  const [, year, month, date, hour = '0', minute = '0', second = '0', fraction = '', sign, hours = '0', minutes = '0', seconds = '0', bc] =
    found
  const day = year === undefined ? 0 : dayOf(bc === undefined ? Number(year) : 1 - Number(year), Number(month), Number(date))
  const time = Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1 : 1)
  const micros = (time - offset) * 1_000_000 + Number(`${fraction}000000`.slice(0, 6))
  // A time of day stays in its day: 24:00:00 is later than 23:59:59.
  const over = year === undefined ? 0 : Math.floor(micros / DAY)
  return { day: day + over, micros: micros - over * DAY }
}

function compareTimes(a: Time, b: Time): number {
  return a.day === b.day ? a.micros - b.micros : a.day < b.day ? -1 : 1
}

/** Of the proleptic Gregorian calendar, as Postgres counts; the year before 1 is 0. */
function dayOf(year: number, month: number, date: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const ofEra = y - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + date - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
}
