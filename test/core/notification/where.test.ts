// Conditions: read, typed, evaluated; and what is wrong with them, told.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/core/notification/evaluate.ts'
import { type ColumnClass, type Condition, fieldsOf, parseWhere, typed } from '../../../src/core/notification/where.ts'

const columns: Record<string, ColumnClass> = {
  total: 'number',
  tax: 'number',
  status: 'text',
  code: 'padded',
  paid: 'boolean',
  at: 'time',
  day: 'time',
  mood: 'label',
  data: 'other',
  'Größe "x"': 'text',
}

function read(text: string): { condition: Condition; problems: string[] } {
  const parsed = parseWhere(text)
  if (typeof parsed === 'string') return { condition: ['null', { literal: '' }], problems: [parsed] }
  const problems: string[] = []
  const condition = typed(
    parsed,
    (field) => columns[field],
    (message) => problems.push(message),
  )
  return { condition, problems }
}

type Value = string | null | undefined

function predicate(condition: Condition): (row: Record<string, Value>) => boolean {
  const fields = Object.keys(columns)
  const may = compile(condition, (field) => fields.indexOf(field))
  return (row) => may({ value: (column) => row[fields[column] ?? ''], changed: () => undefined })
}

function meets(text: string, row: Record<string, Value>): boolean {
  const { condition, problems } = read(text)
  expect(problems).toEqual([])
  return predicate(condition)(row)
}

test('a condition is read to a tree, with the class of each comparison', () => {
  expect(read(`total > 100 and (status in ('paid', 'failed') or not mood is null) and changed(status)`)).toEqual({
    problems: [],
    condition: [
      'and',
      ['>', 'number', { field: 'total' }, { literal: '100' }],
      ['or', ['in', 'text', { field: 'status' }, [{ literal: 'paid' }, { literal: 'failed' }]], ['not', ['null', { field: 'mood' }]]],
      ['changed', 'status'],
    ],
  })
})

test.each<[string, Condition]>([
  ['a = 1 or a = 2 and a = 3', ['or', eq('1'), ['and', eq('2'), eq('3')]]],
  ['NOT a = 1 AND a = 2', ['and', ['not', eq('1')], eq('2')]],
  ['not not a = 1', ['not', ['not', eq('1')]]],
  ['(a = 1)', eq('1')],
  ["a='it''s'", eq("it's")],
  ['a != -1.5e3', ['<>', 'text', { field: 'a' }, { literal: '-1.5e3' } as never]],
  ['"A ""b""" = true', ['=', 'text', { field: 'A "b"' }, { literal: 't' } as never]],
  ['a not in (1)', ['not', ['in', 'text', { field: 'a' }, [{ literal: '1' } as never]]]],
  ['a is not null', ['not', ['null', { field: 'a' }]]],
  ['changed = 1', ['=', 'text', { field: 'changed' }, { literal: '1' } as never]],
])('%s', (text, expected) => {
  const plain = JSON.parse(JSON.stringify(parseWhere(text)), (key, value) => (key === 'kind' ? undefined : value))
  expect(plain).toEqual(expected)
})

function eq(literal: string): Condition {
  return ['=', 'text', { field: 'a' }, { literal }]
}

test.each([
  ['', 'ends where a field should follow'],
  ['total >', 'ends where a field should follow'],
  ['total > 1 total', 'has total at character 11, where "and", "or" or the end should stand'],
  ['total = null', 'compares with null, which is never true; write "is null"'],
  ['Total > 1', 'has the name Total, which needs double quotes'],
  ['total > 1;', 'cannot be read from character 10: ;'],
  ["status = 'x", "cannot be read from character 10: 'x"],
  ['status = "', 'cannot be read from character 10: "'],
  ['total in ()', 'has ) at character 11, where a literal should stand'],
  ['total in (tax)', 'has tax at character 11, where a literal should stand'],
  ['lower(status) = 1', 'has ( at character 6, where a comparison should stand'],
  ['total', 'ends where a comparison should follow'],
  [`${'('.repeat(60)}total = 1${')'.repeat(60)}`, 'is nested deeper than 50 levels'],
  [`total = 1${' or total = 1'.repeat(1000)}`, 'is longer than 10000 characters'],
])('%s: cannot be read', (text, problem) => {
  expect(parseWhere(text)).toBe(problem)
})

test.each([
  ["total > 'a'", "compares total with 'a', which is not a number"],
  ['status = 1', 'compares status with 1, which must be in single quotes: the field is no number'],
  ['paid = 1', 'compares paid with 1, which is not true or false'],
  ['status = true', 'compares status with true, which must be in single quotes: the field is no boolean'],
  ["at > 'yesterday'", "compares at with 'yesterday', which is not a date or time like '2026-11-26' or '2026-11-26 19:00:00+00'"],
  ['total = status', 'compares total with status, which is of another kind'],
  ["mood < 'sad'", 'asks for the order of mood, of a type that has none here: use =, <> or in'],
  ["data = '{}'", 'compares data, of a type that can only be null or not, or changed'],
  ['1 = 1', 'compares nothing with a field'],
  ['1 is null', 'compares nothing with a field'],
])('%s: means nothing', (text, problem) => {
  expect(read(text).problems).toEqual([problem])
})

test('what it speaks of, and of what it needs the value before', () => {
  expect(fieldsOf(parseWhere(`total > tax or not (changed(status) and 'x' in ('x') or data is null)`) as Condition)).toEqual({
    valued: ['total', 'tax', 'data'],
    changed: ['status'],
  })
})

describe('is met', () => {
  test.each<[string, string, Value, boolean]>([
    ['numbers by value', 'total = 1.50', '1.5', true],
    ['numbers of any size', 'total > 123456789012345678901234567890.1', '123456789012345678901234567890.11', true],
    ['negative numbers', 'total < -10', '-9.99', false],
    ['negative numbers', 'total < -10', '-10.01', true],
    ['zero', 'total = -0.0', '0', true],
    ['small numbers', 'total > 0.009', '0.01', true],
    ['exponents', 'total = 1e3', '1000.000', true],
    ['NaN is above everything, as in Postgres', 'total > 1e9', 'NaN', true],
    ['NaN equals itself', `total = 'NaN'`, 'NaN', true],
    ['infinity', 'total > 1e9', 'Infinity', true],
    ['-infinity', 'total < -1e9', '-Infinity', true],
    ['text exactly', "status = 'Paid'", 'paid', false],
    ['text by code point', "status > '\uffee'", '\u{1f600}', true],
    ['a prefix is less', "status < 'ab'", 'a', true],
    ['padded', "code = 'DE'", 'DE   ', true],
    ['boolean', 'paid = true', 't', true],
    ['time', "at >= '2026-11-26 19:00:00+01'", '2026-11-26 18:00:00+00', true],
    ['fractions', "at > '2026-11-26 18:00:00'", '2026-11-26 18:00:00.000001+00', true],
    ['dates', "day < '2026-12-01'", '2026-11-30', true],
    ['before Christ', "day < '0001-01-01'", '0044-03-15 BC', true],
    ['far away', "day > '9999-12-31'", '294276-12-31', true],
    ['infinity of time', "at < '2026-01-01'", '-infinity', true],
    ['null is not equal', "status = 'x'", null, false],
    ['null is not unequal', "status <> 'x'", null, false],
    ['nor in, nor not in', "status not in ('x')", null, false],
    ['is null', 'status is null', null, true],
    ['not null', 'not status is null', null, false],
    ['labels', "mood in ('ok', 'sad')", 'sad', true],
    ['what is not in the stream might be', "status = 'x'", undefined, true],
    ['and might not be', "not status = 'x'", undefined, true],
    ['but not together with what is false', "status = 'x' and total = 1", undefined, false],
  ])('%s: %s of %s', (_, where, value, expected) => {
    const field = fieldsOf(parseWhere(where) as Condition).valued[0] as string
    expect(meets(where, { total: '2', [field]: value })).toBe(expected)
  })
})

test('numbers and dates are ordered as JavaScript orders what it can hold', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true, noDefaultInfinity: true }), (one, other) => {
      expect(meets(`total < ${String(one)}`, { total: String(other) })).toBe(other < one)
    }),
    { numRuns: 500, seed: 1 },
  )
  const moment = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(moment, moment, (one, other) => {
      expect(meets(`at < '${one.toISOString()}'`, { at: other.toISOString().replace('T', ' ').replace('Z', '+00') })).toBe(other < one)
    }),
    { numRuns: 500, seed: 1 },
  )
})

test('whatever the text: an answer, and never a slow one', () => {
  const words = [
    'total',
    'status',
    '"x"',
    '""',
    "'",
    "'a'",
    '1',
    '1e9999',
    '(',
    ')',
    ',',
    '=',
    '<>',
    'and',
    'or',
    'not',
    'in',
    'is',
    'null',
    'changed',
    '\u0000',
    '😀',
  ]
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(fc.constantFrom(...words)).map((each) => each.join(' ')),
      ),
      (text) => {
        const { condition, problems } = read(text)
        if (problems.length === 0) expect(typeof predicate(condition)({ total: '1', status: '1' })).toBe('boolean')
      },
    ),
    { numRuns: 3000, seed: 1 },
  )
  for (const text of ['"'.repeat(9999), "'".repeat(9999), '('.repeat(9999), 'not '.repeat(2499), '1'.repeat(9999), 'a'.repeat(9999)]) {
    const start = performance.now()
    expect(typeof parseWhere(text)).toBe('string')
    expect(performance.now() - start).toBeLessThan(1000)
  }
})
