/** The same rows and the same conditions: Postgres and the notifier's evaluation answer the same. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from '../../../src/core/notification/evaluate.ts'
import type { Class, Condition, Operand } from '../../../src/core/notification/where.ts'
import { TestDatabase } from '../../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create(null)
  await database.rows(`set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set extra_float_digits = 1`)
})
afterAll(() => database.drop())

const columns: [name: string, type: string, Class, values: string[]][] = [
  ['n', 'numeric', 'number', ['0', '1.50', '-1.5', '1e40', '1.00000000000000000000000001', 'NaN', 'Infinity', '-Infinity']],
  ['b', 'bigint', 'number', ['0', '1', '-1', '9007199254740993', '9007199254740992', '-9223372036854775808']],
  ['f', 'float8', 'number', ['0', '0.5', '1e300', '-1e-300', 'NaN', 'Infinity', '0.1']],
  ['t', 'text', 'text', ['', 'a', 'A', 'ab', 'ä', '\u{ff21}', '\u{1f600}', "o'clock", 'a ']],
  ['u', 'text', 'text', ['a', 'b', 'B', '\u{1f601}', '0']],
  ['p', 'character(4)', 'padded', ['a', 'a  ', '', 'ab', 'a\t']],
  ['q', 'varchar', 'padded', ['a', 'a  ', '', 'ab', 'a\t', ' a']],
  ['o', 'boolean', 'boolean', ['t', 'f']],
  ['d', 'date', 'time', ['2026-11-26', '0001-01-01 BC', 'infinity', '-infinity', '12026-01-01', '2000-02-29', '1999-12-31']],
  [
    's',
    'timestamp',
    'time',
    ['2026-11-26 00:00:00', '2026-11-26 00:00:00.000001', '0044-03-15 12:00:00 BC', '1999-12-31 23:59:59.999999', 'infinity'],
  ],
  [
    'z',
    'timestamptz',
    'time',
    [
      '2026-11-26 00:00:00+00',
      '2026-11-26 00:00Z',
      '2026-11-25T10:30 -05:30',
      '2026-11-26 02:00:00+02',
      '2026-11-25 23:30:00-00:30',
      '2000-02-29 00:00:00+00',
    ],
  ],
]

/** Types that Postgres compares with each other without a cast of our own. */
const groups: Record<Class, string[]> = {
  number: ['n', 'b', 'f'],
  text: ['t', 'u'],
  padded: ['p', 'q'],
  boolean: ['o'],
  time: ['d', 's', 'z'],
}

function sqlOperand(operand: Operand, type: Class): string {
  if ('literal' in operand) {
    const cast = { number: 'numeric', text: 'text', padded: 'bpchar', boolean: 'boolean', time: 'timestamptz' }[type]
    return `'${operand.literal.replaceAll("'", "''")}'::${cast}${type === 'text' || type === 'padded' ? ' collate "C"' : ''}`
  }
  // Exactly as written: Postgres would make a float of a numeric that it compares with one.
  return type === 'number'
    ? `${operand.field}::text::numeric`
    : type === 'text'
      ? `${operand.field} collate "C"`
      : type === 'padded'
        ? `${operand.field}::bpchar collate "C"`
        : operand.field
}

function sql(condition: Condition): string {
  switch (condition[0]) {
    case 'and':
    case 'or':
      return `(${condition
        .slice(1)
        .map((part) => sql(part as Condition))
        .join(` ${condition[0]} `)})`
    case 'not':
      return `(not ${sql(condition[1])})`
    case 'null':
      return `(${sqlOperand(condition[1], 'boolean')} is null)`
    case 'in':
      return `(${sqlOperand(condition[2], condition[1])} in (${condition[3].map((literal) => sqlOperand(literal, condition[1]))}))`
    case 'changed':
      throw new Error('has no SQL')
    default:
      return `(${sqlOperand(condition[2], condition[1])} ${condition[0]} ${sqlOperand(condition[3], condition[1])})`
  }
}

const literalsOf = (type: Class) => columns.filter(([, , group]) => group === type).flatMap(([, , , values]) => values)
const operand = (type: Class) =>
  fc.oneof(
    fc.constantFrom(...groups[type]).map((field): Operand => ({ field })),
    fc.constantFrom(...literalsOf(type)).map((literal): Operand => ({ literal })),
  )
const type = fc.constantFrom<Class>('number', 'text', 'padded', 'boolean', 'time')
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(fc.constantFrom('=', '<>', '<', '<=', '>', '>='), type)
      .chain(([operator, each]) => fc.tuple(operand(each), operand(each)).map(([a, b]) => [operator, each, a, b] as Condition)),
    type.chain((each) =>
      fc
        .tuple(operand(each), fc.array(fc.constantFrom(...literalsOf(each)), { minLength: 1, maxLength: 3 }))
        .map(([a, literals]): Condition => ['in', each, a, literals.map((literal) => ({ literal }))]),
    ),
    fc.constantFrom(...columns).map(([field]): Condition => ['null', { field }]),
    fc.tuple(fc.constant('not' as const), tie('condition')) as fc.Arbitrary<Condition>,
    fc.tuple(fc.constantFrom('and' as const, 'or' as const), tie('condition'), tie('condition')) as fc.Arbitrary<Condition>,
  ),
}))

test('2,000 random conditions on 60 rows', async () => {
  await database.rows(`create table t (id int, ${columns.map(([name, each]) => `${name} ${each}`)})`)
  const row = fc.tuple(...columns.map(([, , , values]) => fc.option(fc.constantFrom(...values), { freq: 6 })))
  for (const [id, values] of fc.sample(row, { numRuns: 60, seed: 1 }).entries()) {
    await database.rows(`insert into t values ($1, ${columns.map((_, i) => `$${i + 2}`)})`, [id, ...values])
  }
  const rows = await database.rows<Record<string, string | null>>(`select ${columns.map(([name]) => `${name}::text`)} from t order by id`)
  const names = columns.map(([name]) => name)
  const conditions = fc.sample(condition, { numRuns: 2000, seed: 1 })
  let [yes, no] = [0, 0]
  for (let at = 0; at < conditions.length; at += 50) {
    const some = conditions.slice(at, at + 50)
    const answers = await database.rows(`select ${some.map((each, i) => `${sql(each)} as c${i}`)} from t order by id`)
    for (const [i, each] of some.entries()) {
      const predicate = compile(each, (field) => names.indexOf(field))
      for (const [id, values] of rows.entries()) {
        const got = predicate({ value: (column) => values[names[column] ?? ''] ?? null, changed: () => undefined })
        const expected = answers[id]?.[`c${i}`] === true
        if (got) yes++
        else no++
        if (got !== expected)
          expect({ condition: sql(each), values, holds: got }).toEqual({ condition: sql(each), values, holds: expected })
      }
    }
  }
  expect(yes).toBeGreaterThan(10_000)
  expect(no).toBeGreaterThan(10_000)
})
