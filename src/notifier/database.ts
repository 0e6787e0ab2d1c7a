/**
 * What the notifier asks of the database: its functions, typed. LSNs are bigint here, and text there.
 */
import pg from 'pg'
import { formatLsn } from './unacknowledged.ts'

/** Of the database and of this notifier in it. */
export interface Start {
  version: string
  database: string
  slot: string
  publication: string
  /** Of every event: /integratedb/<database> */
  source: string
  /** Hex: alerts are signed with it. */
  secret: string
  /** Was there a slot once? */
  slot_made: boolean
  /** How far we were, as far as it was told. */
  confirmed: string | null
  /** Is this a copy of the database that the slot was made in? */
  restored: boolean
}

export interface Slot {
  /** Somebody reads it. */
  active: boolean
  wal_status: string | null
  /** How far it is acknowledged. */
  flush: string | null
}

export interface Version {
  version: string
  stakeholder: string
  state: unknown
}

export interface Stored {
  id: string
  key: string | null
  body: string
  attempts: number
}

export interface SocketLogin {
  stakeholder: string
  channels: { id: number; name: string }[]
  valid_until: string | null
}

export interface Report {
  instance: string
  received: string
  flush: string
  channels: {
    id: number
    status: 'direct' | 'parked' | 'disabled' | 'broken'
    reason: string | null
    queued: number
    oldest_at: string | null
  }[]
}

/** No call of ours takes longer unless something is wrong; then it is tried again. */
const STATEMENT_TIMEOUT = 30_000
const CONNECT_TIMEOUT = 10_000
const LOGIN_TIMEOUT = 5_000
const MOST_CONNECTIONS = 4

/** Every call stands alone: another connection, or another server after a failover, will do as well. */
export class Database {
  readonly #pool: pg.Pool
  readonly #connection: pg.ClientConfig

  constructor(connection: pg.ClientConfig) {
    this.#connection = connection
    this.#pool = new pg.Pool({
      application_name: 'integratedb notifier',
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      statement_timeout: STATEMENT_TIMEOUT,
      keepAlive: true,
      max: MOST_CONNECTIONS,
      ...connection,
    })
    this.#pool.on('error', () => {}) // an idle connection that ended: the next call makes another
  }

  start(): Promise<Start> {
    return this.#value('select integratedb._notifier_start()', [])
  }

  async slot(name: string): Promise<Slot | null> {
    const [row] = await this.#rows<Slot>(
      'select active, wal_status, confirmed_flush_lsn::text as flush from pg_catalog.pg_replication_slots where slot_name = $1',
      [name],
    )
    return row ?? null
  }

  async hasPublication(name: string): Promise<boolean> {
    return (await this.#rows('select from pg_catalog.pg_publication where pubname = $1', [name])).length > 0
  }

  versions(flush: string): Promise<Version[]> {
    return this.#rows('select version::text, stakeholder, state from integratedb._notifier_versions($1)', [flush])
  }

  async applied(version: string, lsn: bigint): Promise<void> {
    await this.#rows('select integratedb._notifier_applied($1, $2)', [version, formatLsn(lsn)])
  }

  async report(report: Report): Promise<void> {
    await this.#rows('select integratedb._notifier_report($1)', [JSON.stringify(report)])
  }

  /** How many were kept; the rest is counted into the channel's gap. All of them are safe. */
  park(channel: number, events: readonly { id: string; key: string | null; body: Buffer }[]): Promise<number> {
    return this.#value('select integratedb._park($1, $2, $3, $4)', [channel, ids(events), keys(events), bodies(events)])
  }

  parked(channel: number, after: string | null, most: number): Promise<Stored[]> {
    return this.#rows('select id, key, body, attempts from integratedb._parked($1, $2, $3)', [channel, after, most])
  }

  async unpark(channel: number, ids: string[]): Promise<void> {
    await this.#rows('select integratedb._unpark($1, $2)', [channel, ids])
  }

  async failed(channel: number, ids: string[], reason: string): Promise<void> {
    await this.#rows('select integratedb._failed($1, $2, $3)', [channel, ids, reason])
  }

  /** Dead letters. What is not parked has to be, before. */
  async bury(channel: number, ids: string[], reason: string): Promise<void> {
    await this.#rows('select integratedb._bury($1, $2, $3)', [channel, ids, reason])
  }

  async gap(channel: number, first: string | null, last: string | null, number: number | null, reason: string): Promise<void> {
    await this.#rows('select integratedb._gap($1, $2, $3, $4, $5)', [channel, first, last, number, reason])
  }

  async disable(channel: number, reason: string): Promise<void> {
    await this.#rows('select integratedb._disable_channel($1, $2)', [channel, reason])
  }

  /** QUEUE: into the stakeholder's table. */
  async enqueue(channel: number, events: readonly { id: string; key: string | null; body: Buffer }[]): Promise<void> {
    await this.#rows('select integratedb._enqueue($1, $2, $3, $4)', [channel, ids(events), keys(events), bodies(events)])
  }

  /** SOCKET: for those that come back. */
  async keep(channel: number, events: readonly { id: string; body: Buffer }[]): Promise<void> {
    await this.#rows('select integratedb._keep($1, $2, $3)', [channel, ids(events), bodies(events)])
  }

  kept(channel: number, after: string | null, most: number): Promise<{ id: string; body: string }[]> {
    return this.#rows('select id, body from integratedb._kept($1, $2, $3)', [channel, after, most])
  }

  keptFrom(channel: number): Promise<string | null> {
    return this.#value('select integratedb._kept_from($1)', [channel])
  }

  /**
   * Does the database let somebody in with this password? A connection of its own, opened and closed. One that is let in unasked
   * (trust, peer) has proved nothing.
   */
  async tryLogin(user: string, password: string): Promise<'yes' | 'no' | 'unavailable'> {
    const { host, port, database, ssl } = new pg.Client(this.#connection)
    const application_name = 'integratedb notifier: a login'
    const client = new pg.Client({ host, port, database, ssl, user, password, application_name, connectionTimeoutMillis: LOGIN_TIMEOUT })
    client.on('error', () => {})
    let asked = false
    for (const method of ['CleartextPassword', 'MD5Password', 'SASL'])
      client.connection.once(`authentication${method}`, () => {
        asked = true
      })
    try {
      await client.connect()
      return asked ? 'yes' : 'no'
    } catch (error) {
      const { code = '' } = error as { code?: string }
      // 42501: may not connect to this database.
      return code.startsWith('28') || code === '42501' ? 'no' : 'unavailable'
    } finally {
      await client.end().catch(() => {})
    }
  }

  socketLogin(username: string): Promise<SocketLogin | null> {
    return this.#value('select integratedb._socket_login($1)', [username])
  }

  socketToken(token: string): Promise<SocketLogin | null> {
    return this.#value('select integratedb._socket_token($1)', [token])
  }

  async expireCredentials(): Promise<void> {
    await this.#rows('select integratedb.expire_credentials()', [])
  }

  announceExpiring(): Promise<number> {
    return this.#value('select integratedb._announce_expiring()', [])
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #rows<T extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<T[]> {
    return (await this.#pool.query<T>(text, values)).rows
  }

  async #value<T>(text: string, values: unknown[]): Promise<T> {
    const [row] = await this.#rows<Record<string, T>>(text, values)
    if (!row) throw new Error(`no row: ${text}`)
    return Object.values(row)[0] as T
  }
}

function ids(events: readonly { id: string }[]): string[] {
  return events.map(({ id }) => id)
}

function keys(events: readonly { key: string | null }[]): (string | null)[] {
  return events.map(({ key }) => key)
}

function bodies(events: readonly { body: Buffer }[]): string[] {
  return events.map(({ body }) => body.toString())
}
