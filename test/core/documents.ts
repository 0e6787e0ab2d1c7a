// Documents for the fuzz and the parity tests: from right to anything at all.

import fc from 'fast-check'

type Arbitrary = fc.Arbitrary<unknown>

const names = ['a', 'id', 'Order Items', 'größe', '😀', 'say "hi"', "o'clock", 'two\nlines', '?', 'constructor']
const wrongNames = ['', '*', 'nul\0', '__proto__', 'a'.repeat(64)]
const labels = ['open', 'paid', '', 'größe', "o'clock"]
const privileges = ['select', 'insert', 'update', 'delete']
const paths = ['public.orders', 'public.later', 'shop."Order Items"', '😀.größe', '"two\nlines".x', 'a."constructor"']
const wrongPaths = ['orders', 'a.b.c', 'pg_catalog.x', 'public.Orders', 'x."', '.', 'public."two\nlines']

/** A document, and one in `noise` of its parts something else (0: none). */
function documents(noise: number): Arbitrary {
  const sometimes = (right: Arbitrary, wrong: Arbitrary): Arbitrary =>
    noise === 0 ? right : fc.oneof({ arbitrary: right, weight: noise - 1 }, { arbitrary: wrong, weight: 1 })
  const mostly = (right: Arbitrary): Arbitrary => sometimes(right, fc.jsonValue({ maxDepth: 1 }))

  /** Its required members and some others, and now and then one that does not belong or is missing. */
  const members = (required: Record<string, Arbitrary>, optional: Record<string, Arbitrary>): Arbitrary => {
    const right = fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) })
    const wrongKeys = fc.constantFrom(...Object.keys(required), 'x', 'a/b', '~', '__proto__', 'constructor', 'toString', '', 'two\nlines')
    const wrong = fc.tuple(right, wrongKeys, fc.jsonValue({ maxDepth: 1 })).map(([members, key, value]) => {
      const { [key]: without, ...rest } = members
      // As JSON.parse makes it: an own member, whatever its name.
      const defined = { value, enumerable: true, configurable: true, writable: true }
      return without === undefined ? Object.defineProperty(rest, key, defined) : rest
    })
    return mostly(sometimes(right, wrong))
  }
  const someOf = (element: Arbitrary, key: (element: unknown) => unknown): Arbitrary =>
    mostly(
      sometimes(
        fc.uniqueArray(element, { minLength: 1, maxLength: 4, selector: (each) => JSON.stringify(key(each)) }),
        fc.array(element, { maxLength: 4 }),
      ),
    )

  const memberOf = (key: string) => (value: unknown) =>
    typeof value === 'object' && value !== null && key in value ? (value as Record<string, unknown>)[key] : value
  const flag = mostly(fc.boolean())
  const name = sometimes(fc.constantFrom(...names), fc.oneof(fc.constantFrom(...wrongNames), fc.string({ unit: 'binary', maxLength: 8 })))
  const path = sometimes(fc.constantFrom(...paths), fc.constantFrom(...wrongPaths))
  const type = mostly(fc.oneof(fc.constantFrom('integer', 'text'), fc.constant(['text', 'integer'])))
  const values = mostly(sometimes(fc.uniqueArray(fc.constantFrom(...labels)), fc.array(fc.constantFrom(...labels))))
  const ofField = { type, min_length: mostly(fc.integer({ min: 1, max: 40 })), is_nullable: flag, values, unique: flag }
  const option = fc.oneof(name, members({ name }, ofField))
  const field = fc.oneof(
    { arbitrary: option, weight: 3 },
    { arbitrary: members({ name }, { ...ofField, optional: fc.constant(true) }), weight: 3 },
    { arbitrary: members({ alternatives: someOf(option, memberOf('name')) }, { optional: flag }), weight: 1 },
  )
  const fields = mostly(fc.oneof(fc.constantFrom<unknown[]>('*', ['*'], [], null), someOf(field, memberOf('name'))))
  /** Whoever writes names what. */
  const named = mostly(fc.oneof(fc.constantFrom<unknown[]>('*', ['*']), someOf(field, memberOf('name'))))
  const reading = { optional: flag, access: fc.constant(['select']) }
  const access = mostly(
    sometimes(fc.uniqueArray(fc.constantFrom(...privileges), { minLength: 1 }), fc.array(fc.constantFrom(...privileges, 'usage'))),
  )
  const match = fc.oneof(
    { arbitrary: members({ path }, { fields, ...reading }), weight: 4 },
    { arbitrary: members({ path, fields: named, access }, { optional: flag }), weight: 3 },
    {
      arbitrary: members({ path: fc.constantFrom('public.*', 'none.*'), fields: fc.constant('*') }, { optional: flag, access }),
      weight: 1,
    },
    { arbitrary: members({ alternatives: someOf(members({ path }, { fields }), memberOf('path')) }, reading), weight: 1 },
    {
      arbitrary: members({ alternatives: someOf(members({ path, fields: named }, {}), memberOf('path')), access }, { optional: flag }),
      weight: 1,
    },
  )
  return members({ match: someOf(match, memberOf('path')) }, {})
}

export const anyDocument: Arbitrary = fc.oneof(
  { arbitrary: documents(0), weight: 4 },
  { arbitrary: documents(40), weight: 4 },
  { arbitrary: documents(6), weight: 2 },
  { arbitrary: fc.jsonValue(), weight: 1 },
)
