// What every object in src/sql has to state. A test and not a habit: one function without a search_path is a way in.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadOrder } from '../../build/load-order.ts'
import { operations } from '../../src/core/index.ts'

const files = readdirSync('src/sql', { recursive: true, encoding: 'utf8' })
  .filter((path) => /[.](sql|plpgsql)$/.test(path))
  .sort()
const texts = new Map(files.map((path) => [path, readFileSync(`src/sql/${path}`, 'utf8')]))
const everything = [...texts.values()].join('\n')

test('the load order has every file, once', () => {
  expect([...loadOrder].sort()).toEqual(files.filter((path) => path !== 'installation/uninstall.sql'))
})

interface Definition {
  path: string
  name: string
  /** From "create" to the body. */
  head: string
}

const functions: Definition[] = [...texts].flatMap(([path, text]) =>
  [...text.matchAll(/create (?:or replace )?(?:function|procedure) integratedb[.](\w+|%I)\s*\([\s\S]*?\bas (?:\$|%L)/g)].map(
    ([head, name = '']): Definition => ({ path, name, head }),
  ),
)

describe('every function', () => {
  test('is found', () => {
    expect(functions.length).toBe(everything.match(/create (or replace )?(function|procedure) /g)?.length)
  })

  test.each(functions)('$name states language, volatility, security and search_path', ({ name, head }) => {
    expect(head).toMatch(/\blanguage (sql|plpgsql|%I)\b/)
    expect(head).toMatch(/\b(immutable|stable|volatile)\b/)
    expect(head).toMatch(/\bsecurity (definer|invoker)\b/)
    if (name === 'check_migration') {
      // It runs the caller's DDL as the caller would; so it must not run with anybody else's rights.
      expect(head).toMatch(/\bsecurity invoker\b/)
      expect(head).not.toMatch(/search_path/)
    } else expect(head).toMatch(/\bset search_path = pg_catalog, pg_temp\b/)
  })
})

test('every function, view, table, type and trigger has a comment', () => {
  const made = [
    ...everything.matchAll(
      /create (?:or replace )?(?:constraint )?(function|view|table|type|trigger) (?:if not exists )?(?:integratedb[.])?(\w+)(?![.\w])/g,
    ),
  ]
  const said = new Set(
    [...everything.matchAll(/comment on (function|view|table|type|trigger) (?:integratedb[.])?(\w+)/g)].map(
      ([, kind, name]) => `${kind} ${name}`,
    ),
  )
  const silent = made.map(([, kind, name]) => `${kind} ${name}`).filter((each) => !said.has(each))
  expect(silent).toEqual([])
  expect(made.length).toBeGreaterThan(50)
})

test('what is internal says so, and nothing else does', () => {
  const comments = [...everything.matchAll(/comment on function integratedb[.](\w+)\([^)]*\) is\s+'(internal)?/g)]
  const misnamed = comments.filter(([, name, internal]) => name?.startsWith('_') !== (internal !== undefined)).map(([, name]) => name)
  expect(misnamed).toEqual([])
})

test('every operation of the core is called from SQL, and what SQL calls is one', () => {
  const called = [...everything.matchAll(/integratedb[.]_(?:call|core)\('(\w+)'/g)].map(([, operation]) => operation)
  expect([...new Set(called)].sort()).toEqual(Object.keys(operations).sort())
})

test('the core holds no SQL', () => {
  const words = 'select|insert into|update|delete from|create|alter|drop|grant|revoke|set|lock|truncate|comment on'
  const statement = new RegExp(`['"\`](${words}|${words.toUpperCase()}) .*`, 'g')
  const found = readdirSync('src/core', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => readFileSync(`src/core/${path}`, 'utf8').match(statement) ?? [])
  expect(found).toEqual([])
})
