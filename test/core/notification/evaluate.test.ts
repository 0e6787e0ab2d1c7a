/** Conditions without a database; condition.test.ts compares with Postgres. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareNumbers, compareText, compile, readNumber, readTime } from '../../../src/core/notification/evaluate.ts'
import type { Condition } from '../../../src/core/notification/where.ts'

const fields = ['a', 'b', 'c']

/** Undecided fields are undefined. */
function holds(condition: Condition, values: (string | null | undefined)[], changed: (boolean | undefined)[] = []): boolean {
  const predicate = compile(condition, (field) => fields.indexOf(field))
  return predicate({ value: (column) => values[column], changed: (column) => changed[column] })
}

const field = fc.constantFrom(...fields).map((name) => ({ field: name }))
const literal = fc.constantFrom('1', '2', '3').map((text) => ({ literal: text }))
const comparison = fc.tuple(
  fc.constantFrom('=' as const, '<>' as const, '<' as const, '>=' as const),
  fc.constant('number' as const),
  field,
  fc.oneof(field, literal),
)
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    comparison as fc.Arbitrary<Condition>,
    fc.tuple(fc.constant('null' as const), field) as fc.Arbitrary<Condition>,
    fc.tuple(fc.constant('not' as const), tie('condition')) as fc.Arbitrary<Condition>,
    fc.tuple(fc.constantFrom('and' as const, 'or' as const), tie('condition'), tie('condition')) as fc.Arbitrary<Condition>,
  ),
}))

/** Each comparison once, so that what is undecided is so independently of everything else. */
function readsOnce(condition: Condition): boolean {
  const read = JSON.stringify(condition).match(/"field":"\w"/g) ?? []
  return new Set(read).size === read.length
}

describe('what is not in the stream', () => {
  test('decides nothing: it is sent exactly if some value would have it sent', () => {
    let undecided = 0
    fc.assert(
      fc.property(
        condition.filter(readsOnce),
        fc.tuple(...fields.map(() => fc.constantFrom('1', '2', '3', null, undefined))),
        (where, row) => {
          const values = ['0', '1', '2', '3', '4']
          const rows = row.reduce<(string | null)[][]>(
            (all, value) => all.flatMap((one) => (value === undefined ? values : [value]).map((each) => [...one, each])),
            [[]],
          )
          if (rows.length > 1) undecided++
          expect(holds(where, row)).toBe(rows.some((one) => holds(where, one)))
        },
      ),
      { numRuns: 3000, seed: 1 },
    )
    expect(undecided).toBeGreaterThan(1000)
  })

  test('is not null, and has not changed unless nobody knows', () => {
    expect(holds(['null', { field: 'a' }], [undefined])).toBe(false)
    expect(holds(['changed', 'a'], ['1'], [undefined])).toBe(true)
    expect(holds(['not', ['changed', 'a']], ['1'], [undefined])).toBe(true)
    expect(holds(['changed', 'a'], ['1'], [false])).toBe(false)
    expect(holds(['changed', 'a'], ['1'], [true])).toBe(true)
  })

  test('nor is a field that the relation has no more', () => {
    expect(holds(['=', 'number', { field: 'gone' }, { literal: '1' }], [])).toBe(true)
    expect(holds(['and', ['=', 'number', { field: 'a' }, { literal: '2' }], ['changed', 'gone']], ['1'])).toBe(false)
  })
})

describe('numbers', () => {
  const number = fc
    .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: 0, max: 45 }))
    .chain(([value, scale]) => fc.constantFrom(value, value / 10n ** 30n).map((digits) => ({ digits, scale })))
  const text = ({ digits, scale }: { digits: bigint; scale: number }) => {
    const all = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
    return `${digits < 0n ? '-' : ''}${all.slice(0, all.length - scale)}${scale > 0 ? `.${all.slice(all.length - scale)}` : ''}`
  }

  test('of any size compare exactly', () => {
    fc.assert(
      fc.property(number, number, fc.integer({ min: -1, max: 1 }), (a, other, near) => {
        const b = near === 0 ? other : { digits: a.digits + BigInt(near), scale: a.scale }
        const expected = a.digits * 10n ** BigInt(b.scale) - b.digits * 10n ** BigInt(a.scale)
        const order = compareNumbers(readNumber(text(a)) ?? 0, readNumber(text(b)) ?? 0)
        expect(Math.sign(order)).toBe(expected > 0n ? 1 : expected < 0n ? -1 : 0)
      }),
      { numRuns: 5000, seed: 1 },
    )
  })

  test.each<[string, string, number]>([
    ['1e3', '1000', 0],
    ['1.50', '1.5', 0],
    ['-0', '0', 0],
    ['0.1', '1e-1', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['NaN', 'NaN', 0],
    ['NaN', 'Infinity', 1],
    ['-Infinity', '-1e300', -1],
    ['1e+20', '99999999999999999999', 1],
  ])('%s and %s', (a, b, order) => {
    expect(Math.sign(compareNumbers(readNumber(a) ?? 7, readNumber(b) ?? 7)) === order).toBe(true)
  })

  test('what is none is undecided', () => {
    for (const text of ['', '-', '.', '1.2.3', 'one', '$1']) expect(readNumber(text)).toBe(undefined)
    expect(holds(['=', 'number', { field: 'a' }, { literal: '1' }], ['one'])).toBe(true)
  })
})

test('text compares by code point', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
    { seed: 1 },
  )
  expect(compareText('\u{ff21}', '\u{1f600}')).toBeLessThan(0)
})

test('what is no time is undecided', () => {
  for (const text of ['', 'soon', '2026-13', 'P1D']) expect(readTime(text)).toBe(undefined)
})
