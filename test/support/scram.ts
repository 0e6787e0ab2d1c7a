/** SCRAM-SHA-256 verifiers as Postgres stores them, told without our code; and a server that asks for passwords. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Session, TestDatabase } from './database.ts'

export interface Verifier {
  iterations: number
  salt: Buffer
  storedKey: Buffer
  serverKey: Buffer
}

export function readVerifier(text: string): Verifier {
  const [, iterations, salt, storedKey, serverKey] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(text) as unknown as string[]
  const bytes = (base64: string | undefined) => Buffer.from(base64 as string, 'base64')
  return { iterations: Number(iterations), salt: bytes(salt), storedKey: bytes(storedKey), serverKey: bytes(serverKey) }
}

function keys(password: string, salt: Buffer, iterations: number): { storedKey: Buffer; serverKey: Buffer } {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const key = (name: string) => createHmac('sha256', salted).update(name).digest()
  return { storedKey: createHash('sha256').update(key('Client Key')).digest(), serverKey: key('Server Key') }
}

export function matches(password: string, { iterations, salt, storedKey, serverKey }: Verifier): boolean {
  const made = keys(password, salt, iterations)
  return made.storedKey.equals(storedKey) && made.serverKey.equals(serverKey)
}

/** What a client makes of its own password. */
export function makeVerifier(password: string, iterations = 4096): string {
  const salt = randomBytes(16)
  const { storedKey, serverKey } = keys(password, salt, iterations)
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`
}

/** What pg_authid holds. */
export async function storedVerifier(session: Session, role: string): Promise<Verifier> {
  return readVerifier(await session.value<string>('select rolpassword from pg_authid where rolname = $1', [role]))
}

/** Over the network, as an application does. */
export async function logIn(database: TestDatabase, user: string, password: string): Promise<pg.Client> {
  const url = new URL(database.url(user))
  url.password = encodeURIComponent(password)
  const client = new pg.Client({ connectionString: url.href })
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/** Puts lines before those of pg_hba.conf, for as long as the work lasts. False: this server cannot write its own. */
export async function withHba(database: TestDatabase, lines: string[], work: () => Promise<void>): Promise<boolean> {
  let before: string[]
  try {
    before = (await database.value<string>(`select pg_read_file(current_setting('hba_file'))`)).split('\n')
    await writeHba(database, before)
  } catch {
    return false
  }
  try {
    await writeHba(database, [...lines, ...before])
    await work()
  } finally {
    await writeHba(database, before)
  }
  return true
}

/** Line by line, as CSV that quotes nothing: what COPY can write without changing a character. */
async function writeHba(database: TestDatabase, lines: string[]): Promise<void> {
  const file = await database.value<string>(`select quote_literal(current_setting('hba_file'))`)
  const content = lines.map((line) => line.trimEnd() || ' ').join('\n')
  const literal = await database.value<string>('select quote_literal($1)', [content])
  await database.rows(
    `copy (select unnest(string_to_array(${literal}, e'\\n'))) to ${file} with (format csv, quote e'\\x01', delimiter e'\\x02')`,
  )
  await database.rows('select pg_reload_conf()')
  await new Promise((resolve) => setTimeout(resolve, 300))
}
