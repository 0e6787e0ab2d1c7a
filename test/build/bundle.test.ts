// Does the bundle run where there is nothing but ES2020? Neither plv8 nor pljs has more.

import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { transform } from 'esbuild'
import { expect, test } from 'vitest'
import { operate } from '../../src/core/index.ts'
import { recorded } from '../core/corpus.ts'

const installation = readFileSync('dist-sql/integratedb.sql', 'utf8')
const sources = ['$core$', '$notification_core$'].map((quote) => installation.split(quote)[1] ?? '')
const [source = '', notificationSource = ''] = sources

/** Global names of ES2020 and Annex B; everything else that Node's V8 has is taken away. */
const es2020 = new Set(
  `globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI encodeURIComponent
  escape unescape AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError Float32Array Float64Array
  Function Int8Array Int16Array Int32Array Map Number Object Promise Proxy RangeError ReferenceError RegExp Set String Symbol
  SyntaxError TypeError Uint8Array Uint8ClampedArray Uint16Array Uint32Array URIError WeakMap WeakSet Atomics JSON Math Reflect`
    .split(/\s+/)
    .filter((name) => name !== 'AggregateError'),
)
const laterMethods: Record<string, string[]> = {
  Array: ['fromAsync'],
  'Array.prototype': ['at', 'findLast', 'findLastIndex', 'toReversed', 'toSorted', 'toSpliced', 'with'],
  Object: ['groupBy', 'hasOwn'],
  Map: ['groupBy'],
  'String.prototype': ['at', 'replaceAll', 'isWellFormed', 'toWellFormed'],
  Promise: ['any', 'withResolvers', 'try'],
}

/** The function as the database has it, in an engine without host globals where code cannot be made of strings. */
function coreInEmptyEngine(source: string): (operation: string, input: string) => string {
  const context = createContext({ es2020, laterMethods }, { codeGeneration: { strings: false, wasm: false } })
  runInContext(
    `for (const [owner, names] of Object.entries(laterMethods)) {
       const object = owner.split('.').reduce((found, name) => found[name], globalThis)
       for (const name of names) delete object[name]
     }
     const keep = es2020
     for (const name of Object.getOwnPropertyNames(globalThis)) if (!keep.has(name)) delete globalThis[name]`,
    context,
  )
  return runInContext(`(function _core(op, input) {${source}})`, context)
}

test('it answers without host globals, and without making code of strings', () => {
  const core = coreInEmptyEngine(source)
  const notificationCore = coreInEmptyEngine(notificationSource)
  expect(() => runInContext('console', createContext({}))).not.toThrow() // V8 has one of its own: it had to be taken away
  for (const { operation, input } of recorded) {
    const part = /notifications$/.test(operation) ? notificationCore : core
    expect(part(operation, input)).toBe(operate(operation, input))
  }
})

test.each(sources)('it is ES2020: there is nothing to lower', async (source) => {
  const wrapped = `function _core(op, input) {${source}}`
  const [lowered, asIs] = await Promise.all(['es2020', 'esnext'].map((target) => transform(wrapped, { target })))
  expect(lowered?.code).toBe(asIs?.code)
})

test.each(sources)('it is small enough to start with a session', (source) => {
  expect(source.length).toBeGreaterThan(1000)
  expect(Buffer.byteLength(source)).toBeLessThanOrEqual(64 * 1024)
})

test.each(sources)('nothing of it comes from elsewhere, or there would have to be a licence', (source) => {
  expect(source).not.toMatch(/\/\/ node_modules\//)
})

test('a session that has one version takes the next, and all hold their ground on globalThis', () => {
  const keys = sources.map((each) => /if \(globalThis\[("integratedb [^"]+")\] === undefined\)/.exec(each)?.[1])
  expect(keys[0]).toMatch(/^"integratedb \d+\.\d+\.\d+ [0-9a-f]{16}"$/)
  expect(keys[1]).toBe(keys[0]?.replace(/"$/, ' notifications"'))
})
