// Whatever is written in a document: an answer, and a pointer to each problem. Always the same documents; others:
// INTEGRATEDB_TEST_SEED=… npx vitest run test/core/fuzz.test.ts

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { child } from '../../src/core/specification/issue.ts'
import { anyDocument } from './documents.ts'
import { ask, catalogOf, declaration, withColumn, writable } from './fixture.ts'

const runs = { numRuns: 2000, seed: Number(process.env['INTEGRATEDB_TEST_SEED'] ?? 1) }

/** A pointer as DETAIL shows it. */
function shown(pointer: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are shown escaped
  const escaped = pointer.replace(/[\u0000-\u001f\u007f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return escaped === '' ? '(document)' : escaped
}

/** Everything in the document that can be pointed at; what an object has not, but could, among it. */
function pointersInto(value: unknown, pointer = ''): string[] {
  if (typeof value !== 'object' || value === null) return [pointer]
  const missing = Array.isArray(value)
    ? []
    : ['match', 'path', 'name', 'fields', 'alternatives'].filter((key) => !Object.hasOwn(value, key))
  return [
    pointer,
    ...missing.map((key) => child(pointer, key)),
    ...Object.entries(value).flatMap(([key, member]) => pointersInto(member, child(pointer, key))),
  ]
}

test('a document is read or refused, with pointers to what is there or is missing', () => {
  let read = 0
  fc.assert(
    fc.property(anyDocument, (document) => {
      const { ok, error } = ask('read_specification', JSON.stringify(document))
      if (error === undefined) {
        read++
        expect(ok).toBeInstanceOf(Array)
        return
      }
      expect(error.code).toBe('IDB02')
      expect(error.message).toMatch(/^invalid claims document: \d+ problems?$/)
      const pointers = new Set(pointersInto(document).map(shown))
      for (const line of error.detail.split('\n').filter((each) => !/^… and \d+ more$/.test(each))) {
        const starts = [...line.matchAll(/: /g)].map(({ index }) => line.slice(0, index))
        expect(
          starts.some((start) => pointers.has(start)),
          line,
        ).toBe(true)
      }
    }),
    runs,
  )
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(read).toBeGreaterThan(100)
})

test('a document that is right is declared or refused', () => {
  const catalog = catalogOf([
    withColumn(writable(1, 'public.orders', ['1 id integer not null unique default', '2 a text']), 'a', { labels: ['open', 'paid', ''] }),
    { ...writable(2, 'shop.x', ['1 a integer', '2 😀 text']), name: 'Order Items' },
    writable(3, '😀.größe', ['1 größe integer always']),
  ])
  let declared = 0
  fc.assert(
    fc.property(anyDocument, (document) => {
      if (ask('read_specification', document).error !== undefined) return
      const { match } = document as { match: unknown[] }
      const { ok, error } = ask('declare_claims', declaration(match, catalog))
      if (ok !== undefined) declared++
      else expect(error?.code).toBe('IDB03')
    }),
    runs,
  )
  expect(declared).toBeGreaterThan(50)
})

test('text that is no document is refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { error } = ask('read_specification', text)
      expect(error?.code).toBe('IDB02')
    }),
    runs,
  )
})
