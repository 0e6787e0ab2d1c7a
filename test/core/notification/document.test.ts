// The notifications document: what it says, and each of its problems with a pointer.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operate } from '../../../src/core/index.ts'
import { child } from '../../../src/core/specification/issue.ts'
import { failure, ok } from '../fixture.ts'

interface Read {
  notifications: Record<string, unknown>[]
  channels: Record<string, unknown>[]
}

const queue = { name: 'q', kind: 'QUEUE' }
const hook = { name: 'h', kind: 'WEBHOOK', url: 'https://example.org/in', secrets: ['INTEGRATEDB_SECRET_A'] }
const match = { path: 'public.orders', events: ['*'], channels: ['*'] }

function problems(document: unknown): string[] {
  const { code, message, detail, hint } = failure('read_notifications', document)
  const found = detail.split('\n')
  expect(code).toBe('IDB02')
  expect(message).toBe(`invalid notifications document: ${found.length} problem${found.length === 1 ? '' : 's'}`)
  expect(hint).toMatch(/JSON pointer.*Nothing was changed/)
  return found
}

describe('what a document says', () => {
  test.each<[string, object, object]>([
    ['all', {}, { events: ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'], fields: null, channels: ['q', 'h'], where: null }],
    ['some events', { events: ['DELETE', 'INSERT'] }, { events: ['DELETE', 'INSERT'] }],
    ['fields', { fields: ['id', 'Größe'] }, { fields: ['id', 'Größe'] }],
    ['all fields', { fields: ['*'] }, { fields: null }],
    ['a channel', { channels: ['h'] }, { channels: ['h'] }],
    ['a kind', { channels: ['QUEUE'] }, { channels: ['q'] }],
    ['a kind and a channel', { channels: ['QUEUE', 'q'] }, { channels: ['q'] }],
    ['a wildcard', { path: 'public.*' }, { schema_name: 'public', relation_name: '' }],
    ['a condition', { where: 'id > 1' }, { where: 'id > 1' }],
  ])('%s', (_, part, expected) => {
    const { notifications } = ok<Read>('read_notifications', { match: [{ ...match, ...part }], channels: [queue, hook] })
    expect(notifications).toEqual([
      {
        ...{ match: 0, schema_name: 'public', relation_name: 'orders', where: null, fields: null },
        ...{ events: ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'], channels: ['q', 'h'] },
        ...expected,
      },
    ])
  })

  test.each<[string, object, object]>([
    ['a queue', queue, { ...queue, alerts: true, max_parked: 100_000, configuration: {} }],
    ['without alerts', { ...queue, alerts: false, max_parked: 5 }, { ...queue, alerts: false, max_parked: 5, configuration: {} }],
    [
      'a webhook',
      { ...hook, batch: 10, concurrency: 2, timeout: 5, headers: { 'X-Key': 'INTEGRATEDB_SECRET_B' } },
      {
        ...{ name: 'h', kind: 'WEBHOOK', alerts: true, max_parked: 100_000 },
        configuration: {
          ...{ url: 'https://example.org/in', secrets: ['INTEGRATEDB_SECRET_A'] },
          ...{ batch: 10, concurrency: 2, timeout: 5, headers: { 'X-Key': 'INTEGRATEDB_SECRET_B' } },
        },
      },
    ],
    [
      'a socket',
      { name: 's', kind: 'SOCKET', retention: 7 },
      { name: 's', kind: 'SOCKET', alerts: true, max_parked: 100_000, configuration: { retention: 7 } },
    ],
  ])('%s', (_, channel, expected) => {
    expect(ok<Read>('read_notifications', { match: [], channels: [channel] }).channels).toEqual([expected])
  })
})

describe('what is wrong with a document', () => {
  test.each<[unknown, string[]]>([
    [[], ['(document): must be an object, not an array']],
    [{}, ['/match: is required', '/channels: is required']],
    [{ match: {}, channels: 1 }, ['/match: must be an array, not an object', '/channels: must be an array, not a number']],
    [{ match: [], channels: [], more: 1 }, ['/more: is not a known key']],
    ['{', ['(document): is not JSON']],
    [' '.repeat(1024 * 1024 + 1), ['(document): is larger than 1048576 bytes']],
    ['['.repeat(30), ['(document): is nested deeper than 20 levels']],
  ])('%j', (document, expected) => {
    expect(problems(document)).toEqual(expected)
  })

  test.each<[object, string[]]>([
    [{ path: undefined }, ['/path: is required']],
    [{ path: 'orders' }, ['/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)']],
    [{ path: 'pg_catalog.x' }, ['/path: is in pg_catalog, which is not application data and cannot be claimed']],
    [{ path: 'integratedb.x' }, ['/path: is in integratedb, which is not application data and cannot be claimed']],
    [{ events: [] }, ['/events: must not be empty']],
    [{ events: ['insert'] }, ['/events/0: must be one of "INSERT", "UPDATE", "DELETE", "TRUNCATE"']],
    [{ events: ['INSERT', 'INSERT'] }, ['/events/1: names again what /match/0/events/0 names; put both into one']],
    [{ channels: ['x', 1] }, ['/channels/0: is no channel of this document', '/channels/1: is no channel of this document']],
    [{ fields: [] }, ['/fields: must not be empty']],
    [{ fields: null }, ['/fields: must be an array, not null']],
    [
      { fields: ['a', 'a', '*'] },
      [
        '/fields/1: names again what /match/0/fields/0 names; put both into one',
        '/fields/2: "*" stands alone: "fields": ["*"] claims all fields',
      ],
    ],
    [{ where: 1 }, ['/where: must be a string, not a number']],
    [{ where: 'id >' }, ['/where: ends where a field should follow']],
    [{ where: 'exists (select 1)' }, ['/where: has ( at character 8, where a comparison should stand']],
    [
      { path: 'a.*', where: 'id = 1', fields: ['id'] },
      [
        '/fields: cannot be with a path of "schema.*", whose tables have different fields',
        '/where: cannot be with a path of "schema.*", whose tables have different fields',
      ],
    ],
    [{ optional: true }, ['/optional: is not a known key']],
  ])('a match: %j', (part, expected) => {
    const found = problems({ match: [{ ...match, ...part }], channels: [queue] })
    expect(found.map((line) => line.replace(/^\/match\/0/, '')).sort()).toEqual(expected.sort())
  })

  test.each<[object, string[]]>([
    [{ kind: 'QUEUE' }, ['/name: is required']],
    [{ name: 'x' }, ['/kind: is required']],
    [{ name: 'x', kind: 'REDIS', url: 1 }, ['/kind: must be one of "WEBHOOK", "SOCKET", "QUEUE"']],
    [{ name: 'x', kind: 'constructor' }, ['/kind: must be one of "WEBHOOK", "SOCKET", "QUEUE"']],
    [{ name: 'QUEUE', kind: 'QUEUE' }, ['/name: must not be "*" or a kind, or nobody could tell which is meant']],
    [{ name: 'a'.repeat(64), kind: 'QUEUE' }, ['/name: is a name that is 64 bytes long; a Postgres name has at most 63']],
    [{ ...queue, url: 'https://x' }, ['/url: is not a known key']],
    [{ ...queue, max_parked: 0 }, ['/max_parked: must be at least 1']],
    [{ ...queue, max_parked: 10_000_001 }, ['/max_parked: must be at most 10000000']],
    [{ ...queue, alerts: 'yes' }, ['/alerts: must be true or false, not a string']],
    [{ name: 'x', kind: 'WEBHOOK' }, ['/url: is required', '/secrets: is required']],
    ...[
      ['ftp://example.org'],
      ['https://user:secret@example.org'],
      ['https://'],
      ['https://exa mple.org'],
      ['http:\\\\example.org'],
      [`https://example.org/${'x'.repeat(2000)}`],
      ['HTTPS://example.org\n'],
    ].map(([url]): [object, string[]] => [
      { ...hook, url },
      ['/url: must be a URL that starts with http:// or https:// and holds no credentials'],
    ]),
    [{ ...hook, secrets: [] }, ['/secrets: must not be empty']],
    [{ ...hook, secrets: ['whsec_abc'] }, ['/secrets/0: must be the name of a variable of the notifier, INTEGRATEDB_SECRET_ and capitals']],
    [{ ...hook, secrets: ['PATH'] }, ['/secrets/0: must be the name of a variable of the notifier, INTEGRATEDB_SECRET_ and capitals']],
    [
      { ...hook, secrets: [...'ABCDEF'].map((each) => `INTEGRATEDB_SECRET_${each}`) },
      ['/secrets: must not have more than 5: two are enough to change one'],
    ],
    [
      { ...hook, batch: 1001, concurrency: 33, timeout: 0.5 },
      ['/batch: must be at most 1000', '/concurrency: must be at most 32', '/timeout: must be a whole number, not 0.5'],
    ],
    [{ ...hook, headers: { 'X Key': 'INTEGRATEDB_SECRET_B' } }, ['/headers/X Key: is not the name of a header']],
    [
      { ...hook, headers: { 'Content-Type': 'INTEGRATEDB_SECRET_B' } },
      ['/headers/Content-Type: is a header that the notifier sets itself'],
    ],
    [
      { ...hook, headers: { 'X-Key': 'secret' } },
      ['/headers/X-Key: must be the name of a variable of the notifier, INTEGRATEDB_SECRET_ and capitals'],
    ],
    [{ name: 's', kind: 'SOCKET', retention: 1_000_001 }, ['/retention: must be at most 1000000']],
  ])('a channel: %j', (channel, expected) => {
    const found = problems({ match: [], channels: [channel] })
    expect(found.map((line) => line.replace(/^\/channels\/0/, '')).sort()).toEqual(expected.sort())
  })

  test('a name that stands twice', () => {
    expect(problems({ match: [], channels: [queue, { ...hook, name: 'q' }] })).toEqual([
      '/channels/1/name: names again what /channels/0/name names; put both into one',
    ])
  })

  test('a channel that is wrong is told of once, and not by the matches that name it', () => {
    expect(problems({ match: [{ ...match, channels: ['h'] }], channels: [{ ...hook, url: 1 }] })).toEqual([
      '/channels/0/url: must be a URL that starts with http:// or https:// and holds no credentials',
    ])
  })
})

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
    : ['match', 'channels', 'path', 'events', 'name', 'kind', 'url', 'secrets'].filter((key) => !Object.hasOwn(value, key))
  return [
    pointer,
    ...missing.map((key) => child(pointer, key)),
    ...Object.entries(value).flatMap(([key, member]) => pointersInto(member, child(pointer, key))),
  ]
}

test('whatever is written in it: an answer, and a pointer to each problem', () => {
  const often = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc.oneof({ arbitrary: right, weight: 12 }, { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 })
  const some = (...values: unknown[]): fc.Arbitrary<unknown> => fc.constantFrom(...values)
  const record = (members: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[]): fc.Arbitrary<unknown> =>
    often(fc.record<Record<string, unknown>>({ ...members, 'a/b~': fc.constant(undefined) }, { requiredKeys }))
  const channel = record(
    {
      name: often(some('q', 'größe', '*', 'QUEUE')),
      kind: often(some('QUEUE', 'SOCKET', 'WEBHOOK')),
      url: often(some('https://example.org', 'x')),
      secrets: often(some(['INTEGRATEDB_SECRET_A'], ['x'])),
      alerts: often(fc.boolean()),
      max_parked: often(fc.integer()),
      retention: often(fc.integer()),
      headers: often(some({ 'X-Key': 'INTEGRATEDB_SECRET_A' }, { '': '' })),
    },
    ['name', 'kind'],
  )
  const one = record(
    {
      path: often(some('public.orders', 'a.*', 'x')),
      events: often(some(['*'], ['INSERT'], ['x'])),
      channels: often(some(['*'], ['q'], ['QUEUE'])),
      fields: often(some('*', ['id'], [])),
      where: often(some('id = 1', "x in ('a')", ')')),
    },
    ['path', 'events', 'channels'],
  )
  const document = record({ match: often(fc.array(one, { maxLength: 3 })), channels: often(fc.array(channel, { maxLength: 3 })) }, [
    'match',
    'channels',
  ])
  let read = 0
  fc.assert(
    fc.property(document, (value) => {
      const { ok: found, error } = ask(value)
      if (error === undefined) {
        read++
        expect(found).toMatchObject({ notifications: expect.any(Array), channels: expect.any(Array) })
        return
      }
      expect(error.code).toBe('IDB02')
      const pointers = new Set(pointersInto(JSON.parse(JSON.stringify(value))).map(shown))
      for (const line of error.detail.split('\n').filter((each) => !/^… and \d+ more$/.test(each))) {
        const starts = [...line.matchAll(/: /g)].map(({ index }) => line.slice(0, index))
        expect(
          starts.some((start) => pointers.has(start)),
          line,
        ).toBe(true)
      }
    }),
    { numRuns: 2000, seed: Number(process.env['INTEGRATEDB_TEST_SEED'] ?? 1) },
  )
  expect(read).toBeGreaterThan(50)
})

function ask(document: unknown): { ok?: unknown; error?: { code: string; detail: string } } {
  return JSON.parse(operate('read_notifications', JSON.stringify(document)))
}
