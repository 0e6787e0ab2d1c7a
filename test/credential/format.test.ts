// Does whoever reads a format get what was written? Each is read again by another's reader.

import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Answer, type Connection, type Format, type FormatOptions, formatCredentials, formats } from '../../src/credential/index.ts'

const answer: Answer = { stakeholder: 'reporter', schema: 'reporter', credentials: { username: 'reporter', password: 'hunter2' } }
const place = { host: 'db.example', port: 6432, database: 'shop', sslmode: 'verify-full' } as const
const lease: Answer = { ...answer, credentials: { ...answer.credentials, valid_until: '2026-11-22T20:00:00+00:00' } }

const login = (username: string, password: string): Answer => ({ ...answer, credentials: { username, password } })

/** What Postgres can hold: no NUL, no half of a pair. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
    fc.string({ unit: fc.constantFrom(...`'"\\#&*!|>%@\`:{}[],?- \t\n\r\v\u0007\u007f\u0085\u00a0\u2028\ufeff$~🦆é=/.+`), minLength: 1 }),
  )
  .filter((each) => !each.includes('\0'))

const odd = [
  '🦆',
  `'; drop table x; --`,
  'a"b',
  'back\\slash',
  '- no: {yaml}',
  '  spaces  ',
  'null',
  'yes',
  '0x10',
  '~',
  '1e3',
  '',
  '\u2028\u0085\ufeff',
]
  .filter((each) => each !== '')
  .concat('line\nfeed', '\r\n', '%41', '$(id)', '$HOME', '`id`', 'größe', '!', "'", 'p@ss:w/rd?#[]')

describe('k8s', () => {
  const manifest = (given: Answer, options: FormatOptions = {}) => parse(formatCredentials('k8s', given, options), { version: '1.1' })

  test('is a Secret', () => {
    expect(manifest(lease, { connection: place, name: 'reporter-db', namespace: 'reports' })).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'reporter-db',
        namespace: 'reports',
        annotations: { 'integratedb/stakeholder': 'reporter', 'integratedb/valid-until': '2026-11-22T20:00:00+00:00' },
      },
      type: 'kubernetes.io/basic-auth',
      stringData: {
        username: 'reporter',
        password: 'hunter2',
        host: 'db.example',
        port: '6432',
        dbname: 'shop',
        sslmode: 'verify-full',
        uri: 'postgresql://reporter:hunter2@db.example:6432/shop?sslmode=verify-full',
      },
    })
  })

  test('has nothing of what is not known', () => {
    expect(manifest(answer)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'reporter', annotations: { 'integratedb/stakeholder': 'reporter' } },
      type: 'kubernetes.io/basic-auth',
      stringData: { username: 'reporter', password: 'hunter2' },
    })
  })

  test.each(odd)('reads %j again as it was', (value) => {
    const given: Answer = { ...login(value, value), stakeholder: value }
    const { stringData, metadata } = manifest(given, { name: 'x', connection: { database: value } })
    expect(stringData).toEqual({ username: value, password: value, dbname: value })
    expect(metadata.annotations['integratedb/stakeholder']).toBe(value)
  })

  test('reads any text again as it was, in YAML 1.1 and 1.2, and is ASCII', () => {
    fc.assert(
      fc.property(text, text, (username, password) => {
        const written = formatCredentials('k8s', login(username, password))
        expect(written).toMatch(/^[\n -~]*$/)
        for (const version of ['1.1', '1.2'] as const) expect(parse(written, { version }).stringData).toEqual({ username, password })
      }),
    )
  })

  test.each(['reporter', 'a', '0', 'reporter-db.v2', 'a'.repeat(253)])('takes the name %s', (name) => {
    expect(manifest(answer, { name }).metadata.name).toBe(name)
  })

  test.each(['', 'Reporter', 'a_b', '-a', 'a-', '.a', 'a..b', 'a.-b', 'größe', 'a b', 'a\n', 'a'.repeat(254)])(
    'refuses the name %j',
    (name) => {
      expect(() => manifest(answer, { name })).toThrow(/Secret/)
      expect(() => manifest({ ...answer, stakeholder: name })).toThrow(/--name/)
    },
  )

  test.each(['', 'a.b', 'A', 'a'.repeat(64)])('refuses the namespace %j', (namespace) => {
    expect(() => manifest(answer, { namespace })).toThrow(/namespace/)
  })
})

describe('url', () => {
  const url = (given: Answer, connection: Connection) => formatCredentials('url', given, { connection }).trimEnd()
  /** As node-postgres reads it. */
  const read = (connectionString: string) => new pg.Client({ connectionString })

  test.each<[Connection, string]>([
    [place, 'postgresql://reporter:hunter2@db.example:6432/shop?sslmode=verify-full'],
    [{ host: 'db.example', database: 'shop' }, 'postgresql://reporter:hunter2@db.example/shop'],
    [{ host: '127.0.0.1', database: 'shop' }, 'postgresql://reporter:hunter2@127.0.0.1/shop'],
    [{ host: '::1', port: 6432, database: 'shop' }, 'postgresql://reporter:hunter2@[::1]:6432/shop'],
    [{ host: 'fe80::1%eth0', database: 'shop' }, 'postgresql://reporter:hunter2@[fe80::1%25eth0]/shop'],
    [
      { host: '/run/postgresql', port: 6432, database: 'shop', sslmode: 'disable' },
      'postgresql://reporter:hunter2@/shop?host=%2Frun%2Fpostgresql&port=6432&sslmode=disable',
    ],
  ])('of %j', (connection, expected) => {
    expect(url(answer, connection)).toBe(expected)
  })

  test('is read again as it was, by drivers and by the URL of the web, whatever the names are', () => {
    fc.assert(
      fc.property(text, text, text, (username, password, database) => {
        fc.pre(!/^[.]{1,2}$/.test(database))
        const written = url(login(username, password), { host: 'db.example', port: 6432, database })
        const { user, password: passwordRead, database: databaseRead, host, port } = read(written)
        expect([user, passwordRead, host, port]).toEqual([username, password, 'db.example', 6432])
        // Not these, which it leaves encoded (decodeURI).
        if (!/[/?#]/.test(database)) expect(databaseRead).toBe(database)
        const web = new URL(written)
        expect([web.username, web.password, web.pathname.slice(1)].map(decodeURIComponent)).toEqual([username, password, database])
      }),
    )
    const { host, port, user, database } = read(url(answer, { host: '/run/postgresql', port: 6432, database: 'shop' }))
    expect([host, port, user, database]).toEqual(['/run/postgresql', 6432, 'reporter', 'shop'])
  })

  test.each<Connection>([{}, { host: 'db.example' }, { database: 'shop' }, { host: 'db.example', database: '..' }])(
    'of %j cannot be',
    (connection) => {
      expect(() => url(answer, connection)).toThrow(/URL/)
    },
  )
})

describe('env', () => {
  const names = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGPASSWORD', 'PGSSLMODE']
  /** As a shell reads it, and the programs that it starts. */
  const sourced = (written: string): (string | null)[] => {
    const script = `set -a\n${written}exec "$0" -p 'JSON.stringify(process.argv.slice(1).map((name) => process.env[name] ?? null))' "$@"`
    return JSON.parse(execFileSync('sh', ['-c', script, process.execPath, ...names], { encoding: 'utf8', env: {} }))
  }

  test('has plain values as they stand, for readers that know no quotes', () => {
    expect(formatCredentials('env', answer, { connection: place })).toBe(
      'PGHOST=db.example\nPGPORT=6432\nPGDATABASE=shop\nPGUSER=reporter\nPGPASSWORD=hunter2\nPGSSLMODE=verify-full\n',
    )
    expect(formatCredentials('env', answer)).toBe('PGUSER=reporter\nPGPASSWORD=hunter2\n')
  })

  test.each(odd)('a shell reads %j again as it was', (value) => {
    const written = formatCredentials('env', login(value, value), { connection: { database: value } })
    expect(sourced(written)).toEqual([null, null, value, value, value, null])
  })

  test('a shell reads any text again as it was', () => {
    fc.assert(
      fc.property(text, text, (username, password) => {
        expect(sourced(formatCredentials('env', login(username, password)))).toEqual([null, null, null, username, password, null])
      }),
      { numRuns: 20 },
    )
  })
})

test('vault is the body of a write to KV version 2', () => {
  expect(JSON.parse(formatCredentials('vault', lease, { connection: { host: 'db.example', database: 'shop' } }))).toEqual({
    data: {
      username: 'reporter',
      password: 'hunter2',
      host: 'db.example',
      dbname: 'shop',
      uri: 'postgresql://reporter:hunter2@db.example/shop',
      valid_until: '2026-11-22T20:00:00+00:00',
    },
  })
})

test('json is the answer, with where the database is', () => {
  expect(JSON.parse(formatCredentials('json', lease))).toEqual(lease)
  expect(JSON.parse(formatCredentials('json', answer, { connection: { port: 6432 } }))).toEqual({
    ...answer,
    credentials: { ...answer.credentials, port: '6432' },
  })
})

describe('every format', () => {
  const without: Answer = { ...answer, credentials: { username: 'reporter' } }

  test.each(formats)('%s takes the password that the answer has not, and none beside one that it has', (format) => {
    const options = { connection: place, password: 'hunter2' }
    expect(formatCredentials(format, without, options)).toBe(formatCredentials(format, answer, { connection: place }))
    expect(() => formatCredentials(format, without, { connection: place })).toThrow(/no password/)
    expect(() => formatCredentials(format, answer, options)).toThrow(/has a password/)
  })

  test.each<[Connection, RegExp]>([
    ...['', 'a b', 'a,b', 'a/b', 'a@b', 'a?b', '-a', 'größe'].map((host): [Connection, RegExp] => [{ host }, /host/]),
    ...[0, 65536, 1.5, Number.NaN].map((port): [Connection, RegExp] => [{ port }, /port/]),
    ...['', '\uD83E', '\0'].map((database): [Connection, RegExp] => [{ database }, /database/]),
    [{ sslmode: 'on' as 'require' }, /sslmode/],
  ])('refuses %j', (connection, problem) => {
    for (const format of formats)
      expect(() => formatCredentials(format, answer, { connection: { ...place, ...connection } })).toThrow(problem)
  })

  test('is one that there is', () => {
    expect(() => formatCredentials('toString' as Format, answer)).toThrow(/json, url, env, k8s, vault/)
  })
})
