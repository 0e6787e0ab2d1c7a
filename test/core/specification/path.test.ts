import { describe, expect, test } from 'vitest'
import { formatPath, parsePath, quoteName } from '../../../src/core/specification/path.ts'

const name63 = 'a'.repeat(63)

describe('a path that is right', () => {
  test.each([
    ['public.orders', 'public', 'orders'],
    ['public.*', 'public', null],
    ['public."*"', 'public', '*'],
    ['public."Order Items"', 'public', 'Order Items'],
    ['"Sales".orders', 'Sales', 'orders'],
    ['"a.b"."c.d"', 'a.b', 'c.d'],
    ['public."say ""hi"""', 'public', 'say "hi"'],
    ['público.größe', 'público', 'größe'],
    ['public.😀', 'public', '😀'],
    ['_x.a$1', '_x', 'a$1'],
    [`${name63}.${name63}`, name63, name63],
    ['"integratedb x".t', 'integratedb x', 't'],
    ['pgx.t', 'pgx', 't'],
  ])('%s', (text, schema, relation) => {
    expect(parsePath(text)).toEqual({ schema, relation })
    expect(parsePath(formatPath(schema, relation))).toEqual({ schema, relation })
  })
})

describe('a path that is wrong', () => {
  const shape = 'must be "schema.table" or "schema.*" (put a name with a dot in double quotes)'
  test.each([
    ['', shape],
    ['orders', shape],
    ['a.b.c', shape],
    ['*', shape],
    ['.', 'has a name that is empty'],
    ['public.', 'has a name that is empty'],
    ['.orders', 'has a name that is empty'],
    ['public.""', 'has a name that is empty'],
    ['public."orders', 'has a quote that is not closed'],
    ['public."orders"s', 'has text after a closing quote'],
    ['public.Orders', 'has the name Orders, which needs double quotes: \\"Orders\\"'],
    ['public.say "hi"', 'has the name say "hi", which needs double quotes: \\"say \\"\\"hi\\"\\"\\"'],
    ['public.1st', 'has the name 1st, which needs double quotes: \\"1st\\"'],
    ['public.a-b', 'has the name a-b, which needs double quotes: \\"a-b\\"'],
    ['*.orders', 'has the name *, which needs double quotes: \\"*\\"; only "schema.*" is a wildcard'],
    [' public.orders', 'has the name  public, which needs double quotes: \\" public\\"'],
    [`public.${name63}a`, 'has a name that is 64 bytes long; a Postgres name has at most 63'],
    [`public.${'😀'.repeat(16)}`, 'has a name that is 64 bytes long; a Postgres name has at most 63'],
    ['public."a\0b"', 'has a name that contains a NUL character'],
    ['pg_catalog.pg_class', 'is in pg_catalog, which is not application data and cannot be claimed'],
    ['information_schema.*', 'is in information_schema, which is not application data and cannot be claimed'],
    ['integratedb.claim', 'is in integratedb, which is not application data and cannot be claimed'],
  ])('%s', (text, problem) => {
    expect(parsePath(text)).toBe(problem)
  })
})

test.each([
  ['orders', 'orders'],
  ['Orders', '"Orders"'],
  ['a"b', '"a""b"'],
  ['1a', '"1a"'],
  ['é', '"é"'],
  ['order', '"order"'],
  ['total', 'total'],
  ['', '""'],
])('the name %s is shown as %s', (name, shown) => {
  expect(quoteName(name)).toBe(shown)
})
