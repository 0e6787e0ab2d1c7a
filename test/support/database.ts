/**
 * A database of a test's own, with IntegrateDB installed, and short ways to ask it things.
 * Gone afterwards, with every role that was made meanwhile.
 */
import pg from 'pg'
import { inject } from 'vitest'

export type Row = Record<string, unknown>

/** Counts are numbers here; no test counts beyond 2^53. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

let made = 0

/** One connection: `rows` and `value` answer, `failure` wants an error. */
export class Session {
  readonly client: pg.Client
  /** NOTICE and WARNING messages, in order. */
  readonly notices: {
    severity: string
    message: string
    detail: string | undefined
    hint: string | undefined
    code: string | undefined
  }[] = []

  constructor(client: pg.Client) {
    this.client = client
    client.on('notice', ({ severity = '', message = '', detail, hint, code }) =>
      this.notices.push({ severity, message, detail, hint, code }),
    )
    // The server may end the session (that is tested); without a listener Node would end too.
    client.on('error', () => {})
  }

  async rows<T extends Row = Row>(sql: string, values: unknown[] = []): Promise<T[]> {
    // Told by the client, too: is it the server that does not answer (see watchdog.ts), or did the answer not arrive?
    const silence = setTimeout(() => console.log(`no answer for 45 s: ${sql.slice(0, 300)}`), 45_000)
    // Without values a script of several statements may run; the last one's rows are the answer.
    const result = await (values.length > 0 ? this.client.query(sql, values) : this.client.query(sql)).finally(() => clearTimeout(silence))
    const last: pg.QueryResult = Array.isArray(result) ? result.at(-1) : result
    return last.rows as T[]
  }

  async value<T = unknown>(sql: string, values: unknown[] = []): Promise<T> {
    const [row] = await this.rows(sql, values)
    if (row === undefined) throw new Error(`no row: ${sql}`)
    return Object.values(row)[0] as T
  }

  /** Runs what must fail, and answers the error. */
  async failure(sql: string, values: unknown[] = []): Promise<pg.DatabaseError> {
    try {
      await this.rows(sql, values)
    } catch (error) {
      if (error instanceof pg.DatabaseError) return error
      throw error
    }
    throw new Error(`this should have failed: ${sql}`)
  }

  async end(): Promise<void> {
    await this.client.end()
  }
}

export class TestDatabase extends Session {
  readonly name: string
  private readonly rolesBefore: string[]
  private readonly sessions: Session[] = []

  private constructor(client: pg.Client, name: string, rolesBefore: string[]) {
    super(client)
    this.name = name
    this.rolesBefore = rolesBefore
  }

  /**
   * @param template null: an empty database, without IntegrateDB
   * @param options more of CREATE DATABASE
   */
  static async create(template: string | null = inject('templateDatabase'), options = ''): Promise<TestDatabase> {
    const name = `integratedb_test_${process.pid}_${++made}`
    const server = await connect(inject('serverUrl'))
    await server.rows(`create database ${name} template ${template ?? 'template0'} ${options}`)
    const roles = await server.rows<{ rolname: string }>('select rolname from pg_roles')
    await server.end()
    const client = new pg.Client({ connectionString: urlFor(name) })
    await client.connect()
    return new TestDatabase(
      client,
      name,
      roles.map((role) => role.rolname),
    )
  }

  /** Another session in this database, as this user (the test servers trust everybody). */
  async connect(user?: string, options: pg.ClientConfig = {}): Promise<Session> {
    const session = await connect(urlFor(this.name, user), options)
    this.sessions.push(session)
    return session
  }

  url(user?: string): string {
    return urlFor(this.name, user)
  }

  /** For afterEach: a test that fails midway leaves sessions open, and their locks would let the next one wait for ever. */
  async endSessions(): Promise<void> {
    for (const session of this.sessions.splice(0)) await session.end().catch(() => {})
  }

  async drop(): Promise<void> {
    await this.endSessions()
    await this.end().catch(() => {})
    const server = await connect(inject('serverUrl'))
    for (const { gid } of await server.rows<{ gid: string }>('select gid from pg_prepared_xacts where database = $1', [this.name])) {
      const inside = await connect(urlFor(this.name))
      await inside.rows(`rollback prepared '${gid}'`)
      await inside.end()
    }
    await server.rows(`drop database if exists ${this.name} with (force)`)
    const added = await server.rows<{ role: string }>(
      `select quote_ident(rolname) as role from pg_roles where rolname <> all ($1) and rolname not like 'pg\\_%' and rolname not in ('integratedb_admin', 'integratedb_notifier')`,
      [this.rolesBefore],
    )
    // A role that granted a membership cannot go before that membership's member.
    for (let left = added.map(({ role }) => role); left.length > 0; ) {
      const failed: string[] = []
      let reason: unknown
      for (const role of left) {
        await server.rows(`drop role ${role}`).catch((error) => {
          failed.push(role)
          reason = error
        })
      }
      if (failed.length === left.length) throw reason
      left = failed
    }
    await server.end()
  }
}

function urlFor(database: string, user?: string): string {
  const url = new URL(inject('serverUrl'))
  url.pathname = database
  if (user !== undefined) url.username = encodeURIComponent(user)
  return url.href
}

/** A session anywhere, which whoever asks for it ends. */
export async function connect(url: string, options: pg.ClientConfig = {}): Promise<Session> {
  const client = new pg.Client({ connectionString: url, ...options })
  await client.connect()
  return new Session(client)
}
