/**
 * Is there a slot, and can it be read? If not it is made; and if there was one before, what happened in between is missing, which every channel
 * is told before it hears anything else: never silently.
 */
import pg from 'pg'
import type { Database, Slot, Start } from './database.ts'
import { eventId, idPrefix } from './event.ts'
import type { Log } from './log.ts'
import { kindOf, ReplicationError } from './replication-error.ts'
import { parseLsn } from './unacknowledged.ts'

const CONNECT_TIMEOUT = 30_000
/** A slot begins when all transactions that are open have ended. Then others get a turn, and it is tried again. */
const LOCK_TIMEOUT = 30_000
/** Of two notifiers that start at once, one makes the slot. Any number will do, if it is the same. */
const ADVISORY_LOCK = 4_919_820_245

/** What the notifier has to know, with a slot that can be read; and was that made just now? */
export async function readySlot(connection: pg.ClientConfig, database: Database, log: Log): Promise<{ start: Start; isNew: boolean }> {
  const start = await database.start()
  if (start.restored) {
    throw new ReplicationError(
      'failed',
      'this database is a copy of the one that IntegrateDB was installed in: SELECT integratedb.sync() says that it stands for itself; its stakeholders would be called for the other one',
    )
  }
  const slot = await database.slot(start.slot)
  if (slot && isUsable(slot, start)) return { start, isNew: false }
  await withReplication(connection, async (client) => {
    await client.query(`select pg_catalog.pg_advisory_lock(${ADVISORY_LOCK})`)
    await makeIfNeeded(client, connection, await database.start(), database, log)
  })
  return { start: await database.start(), isNew: true }
}

/** The slot is given up, because what it points to cannot be read: a new one is made with the next readySlot(). */
export async function dropSlot(connection: pg.ClientConfig, slot: string): Promise<void> {
  await withReplication(connection, async (client) => {
    await client.query(`DROP_REPLICATION_SLOT ${client.escapeIdentifier(slot)}`)
  })
}

async function makeIfNeeded(client: pg.Client, connection: pg.ClientConfig, start: Start, database: Database, log: Log): Promise<void> {
  const slot = await database.slot(start.slot)
  if (slot?.active)
    throw new ReplicationError('slot active', `replication slot ${start.slot} is read by another notifier`, { code: '55006' })
  if (slot && isUsable(slot, start)) return // another notifier was faster
  if (slot) {
    log.warn('the slot cannot be used and is dropped', { slot: start.slot, wal_status: slot.wal_status })
    await client.query(`DROP_REPLICATION_SLOT ${client.escapeIdentifier(start.slot)}`)
  }
  if (start.slot_made) {
    log.error('the slot is gone, and with it changes that nobody was told of: a gap', { slot: start.slot })
    // A mark: if we end before the database is told of the new slot, the next one sees that it was not finished.
    await client.query('select integratedb._notifier_slot_made(null)')
  }
  await make(client, connection, start, log)
}

async function make(client: pg.Client, connection: pg.ClientConfig, start: Start, log: Log): Promise<void> {
  const name = client.escapeIdentifier(start.slot)
  const version = Number((await client.query('show server_version_num')).rows[0]?.server_version_num)
  const failover = version >= 170_000 ? ', FAILOVER true' : ''
  const { rows } = await client.query<{ consistent_point: string; snapshot_name: string }>(
    `CREATE_REPLICATION_SLOT ${name} LOGICAL pgoutput (SNAPSHOT 'export'${failover})`,
  )
  const { consistent_point: point = '', snapshot_name: snapshot = '' } = rows[0] ?? {}
  try {
    // In the slot's own snapshot: what is not in it comes in the stream. It lasts until the next command of the connection that made it.
    await withConnection(connection, async (other) => {
      await other.query(`begin isolation level repeatable read; set transaction snapshot ${other.escapeLiteral(snapshot)}`)
      await other.query(`select integratedb._notifier_slot_made(${other.escapeLiteral(point)})`)
      if (start.slot_made) await tellGap(other, start, point)
      await other.query('commit')
    })
    log.info('the slot is made', { slot: start.slot, lsn: point })
  } catch (error) {
    await client.query(`DROP_REPLICATION_SLOT ${name}`)
    throw error
  }
}

async function tellGap(client: pg.Client, { confirmed }: Start, point: string): Promise<void> {
  const last = eventId(idPrefix(parseLsn(point)), 0)
  const first = confirmed === null ? last : eventId(idPrefix(parseLsn(confirmed)), 0xffffffff)
  await client.query(`
    select integratedb._gap((c.channel->>'id')::bigint, ${client.escapeLiteral(first)}, ${client.escapeLiteral(last)}, null, 'slot lost')
      from integratedb._notifier_versions(${client.escapeLiteral(point)}) v
      cross join lateral pg_catalog.jsonb_array_elements(v.state->'channels') c (channel)`)
}

/** Not if the server gave it up, or the database was never told of it. */
function isUsable({ wal_status }: Slot, { slot_made, confirmed }: Start): boolean {
  return wal_status !== 'lost' && slot_made && confirmed !== null
}

/** A connection that can make slots, and ask as well. */
function withReplication(connection: pg.ClientConfig, work: (client: pg.Client) => Promise<void>): Promise<void> {
  return withConnection({ ...connection, replication: 'database' } as pg.ClientConfig, work)
}

async function withConnection(connection: pg.ClientConfig, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionTimeoutMillis: CONNECT_TIMEOUT, application_name: 'integratedb notifier', ...connection })
  client.on('error', () => {}) // comes with the query that fails
  try {
    await client.connect()
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT}`)
    await work(client)
  } catch (error) {
    if (error instanceof ReplicationError) throw error
    const { code, message } = error as { code?: string; message: string }
    throw new ReplicationError(kindOf(code), message, { code, cause: error })
  } finally {
    await client.end().catch(() => {})
  }
}
