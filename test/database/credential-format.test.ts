// From add_stakeholder's answer, through each format, into the database; and does the server take our verifiers for its own?

import { execFileSync } from 'node:child_process'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  type Answer,
  type Connection,
  type Format,
  formatCredentials,
  generatePassword,
  readAnswer,
  scramVerifier,
} from '../../src/credential/index.ts'
import { requirePasswords } from '../support/access.ts'
import { TestDatabase } from '../support/database.ts'

let database: TestDatabase
let connection: Connection
/** null: this server cannot be made to ask for passwords. */
let trustAgain: (() => Promise<void>) | null

beforeAll(async () => {
  database = await TestDatabase.create()
  const { hostname: host, port } = new URL(database.url())
  connection = { host, port: Number(port || 5432), database: database.name, sslmode: 'disable' }
  trustAgain = await requirePasswords(database)
})
afterAll(async () => {
  await trustAgain?.()
  await database.drop()
})

/** Who logged in, or the SQLSTATE. */
async function logIn(config: string | pg.ClientConfig): Promise<string> {
  const client = new pg.Client(config)
  try {
    await client.connect()
    const { rows } = await client.query<{ user: string }>('select session_user as user')
    return rows[0]?.user ?? ''
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error.code ?? ''
    throw error
  } finally {
    await client.end()
  }
}

interface Secret {
  host: string
  port: string
  dbname: string
  username: string
  password: string
  uri: string
}

/** As an application logs in to which somebody gave the keys of a secret. */
async function logInWith({ host, port, dbname, username, password, uri }: Secret): Promise<string[]> {
  return [await logIn(uri), await logIn({ host, port: Number(port), database: dbname, user: username, password })]
}

/** As an application logs in that was started from a shell which read the file. */
function logInFromShell(written: string): string {
  const application = `
    import pg from 'pg'
    const client = new pg.Client()
    await client.connect()
    const { rows } = await client.query('select session_user as user')
    process.stdout.write(rows[0].user)
    await client.end()`
  const script = `set -a\n${written}exec "$0" --input-type=module --eval "$1"`
  return execFileSync('sh', ['-c', script, process.execPath, application], { encoding: 'utf8', env: {} })
}

const written = (format: Format, answer: Answer) =>
  formatCredentials(format, answer, { connection, ...(format === 'k8s' ? { name: 'x' } : {}) })

/** By every way out, who logged in. */
async function everyWay(answer: Answer): Promise<string[]> {
  return [
    await logIn(written('url', answer).trimEnd()),
    logInFromShell(written('env', answer)),
    ...(await logInWith(parse(written('k8s', answer)).stringData)),
    ...(await logInWith(JSON.parse(written('vault', answer)).data)),
    ...(await logInWith(JSON.parse(written('json', answer)).credentials)),
  ]
}

describe('the answer of add_stakeholder', () => {
  test.each(['reporter', `größe 🦆 '"\\ %41@/?#:`])('of %j logs in by every way out', async (name) => {
    const answer = readAnswer(await database.value('select integratedb.add_stakeholder($1)', [name]))
    expect(answer).toMatchObject({ stakeholder: name, schema: name, credentials: { username: name } })
    expect(await everyWay(answer)).toEqual(Array(8).fill(name))
  })

  test('is read as psql prints it', async () => {
    const line = await database.value<string>(`select integratedb.add_stakeholder('from_psql')::text`)
    expect(line).not.toContain('\n')
    expect(await logIn(written('url', readAnswer(`SET\n${line}\n`)).trimEnd())).toBe('from_psql')
  })

  test('another password does not log in', async ({ skip }) => {
    if (trustAgain === null) return skip('this server cannot write its own pg_hba.conf')
    const answer = readAnswer(await database.value(`select integratedb.add_stakeholder('wrong')`))
    const other: Answer = { ...answer, credentials: { ...answer.credentials, password: generatePassword() } }
    expect(await logIn(written('url', other).trimEnd())).toBe('28P01')
  })
})

describe('a verifier', () => {
  const passwords = [
    'x',
    'pencil',
    ` !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`,
    'p'.repeat(64),
    'p'.repeat(65),
    'p'.repeat(200),
    'gq-W9vQ2HcXkYl6u_0aJtR4sZe8fNmB1pDoIxVw7TyE',
  ]

  test.each(passwords)('of %j is what the server makes', async (password) => {
    for (const [salt, iterations] of [
      [Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096],
      [Buffer.from([0]), 4097],
      [Buffer.alloc(65, 255), 5000],
    ] as const) {
      const ofServer = await database.value<string>('select integratedb._scram_verifier($1, $2, $3)', [password, salt, iterations])
      // encode(…, 'base64') breaks lines after 76 characters; only salts that nobody has are as long.
      expect(scramVerifier(password, { salt, iterations })).toBe(ofServer.replace(/\n/g, ''))
    }
  })

  test.each(passwords)('of %j is stored as it is, and its password logs in', async (password) => {
    const verifier = scramVerifier(password, { iterations: 4321 })
    await database.rows(`drop role if exists own_secret; create role own_secret login password ${pg.escapeLiteral(verifier)}`)
    expect(await database.value(`select rolpassword from pg_authid where rolname = 'own_secret'`)).toBe(verifier)
    expect(await everyWay({ stakeholder: 'own_secret', schema: 'own_secret', credentials: { username: 'own_secret', password } })).toEqual(
      Array(8).fill('own_secret'),
    )
  })

  test('of another password does not let this one in', async ({ skip }) => {
    if (trustAgain === null) return skip('this server cannot write its own pg_hba.conf')
    await database.rows(`create role other_secret login password ${pg.escapeLiteral(scramVerifier('pencil'))}`)
    expect(await logIn({ ...connection, ssl: false, user: 'other_secret', password: 'pencil2' })).toBe('28P01')
    expect(await logIn({ ...connection, ssl: false, user: 'other_secret', password: 'pencil' })).toBe('other_secret')
  })
})
