/**
 * Which Postgres is measured, and in which databases? The one at INTEGRATEDB_BENCH_URL (a superuser's, on a server that trusts
 * whoever connects), else the embedded one with pljs. As it would be used: fsync, and commits that wait for it.
 */
import { existsSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { startEmbeddedServer } from '../src/embedded/index.ts'
import type { Session } from './stopwatch.ts'

export class BenchServer {
  readonly url: string
  private readonly stopServer: () => Promise<void>
  private readonly admin: pg.Client
  private readonly databases: string[] = []
  private readonly clients = new Set<pg.Client>()
  private readonly rolesBefore: string[] = []
  private readonly isOurs: boolean
  private stopping: Promise<void> | undefined

  private constructor(url: string, isOurs: boolean, stopServer: () => Promise<void>) {
    this.url = url
    this.isOurs = isOurs
    this.stopServer = stopServer
    this.admin = new pg.Client({ connectionString: url })
  }

  static async start(): Promise<BenchServer> {
    const given = process.env['INTEGRATEDB_BENCH_URL']
    const settings = {
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      max_wal_size: '8GB',
      shared_buffers: '512MB',
      'pljs.memory_limit': '2048',
    }
    const isOurs = given === undefined || given === ''
    const server = isOurs
      ? await startEmbeddedServer({ settings, onProgress: (line) => console.error(line) })
      : { url: given, stop: async () => {} }
    const bench = new BenchServer(server.url, isOurs, server.stop)
    await bench.admin.connect()
    const { rows } = await bench.admin.query<{ rolname: string }>('select rolname from pg_roles')
    bench.rolesBefore.push(...rows.map(({ rolname }) => rolname))
    return bench
  }

  /** What is measured: which engine will IntegrateDB take, and what are the versions? */
  async versions(): Promise<{ engine: string; versions: string; fsync: string }> {
    const database = await this.createDatabase('versions')
    const session = await this.connect(database)
    const { client } = session
    await this.install(session)
    const { rows } = await client.query<{ component: string; version: string }>('select component, version from integratedb.version()')
    const { rows: settings } = await client.query<{ fsync: string }>("select current_setting('fsync') as fsync")
    await client.end()
    const engine = rows.find(({ component }) => component === 'plv8' || component === 'pljs')?.component
    if (engine === undefined) throw new Error('integratedb.version() names no engine')
    return { engine, versions: rows.map(({ component, version }) => `${component} ${version}`).join(', '), fsync: settings[0]?.fsync ?? '' }
  }

  /** What is not measured need not wait for the disk. */
  async prepare<T>(work: () => Promise<T>): Promise<T> {
    const setFsync = async (value: string) => {
      if (!this.isOurs) return
      await this.admin.query(`alter system set fsync = ${value}`)
      await this.admin.query('select pg_reload_conf()')
    }
    await setFsync('off')
    const result = await work()
    await setFsync('on')
    await this.admin.query('checkpoint')
    return result
  }

  async createDatabase(name: string, template = 'template0'): Promise<string> {
    const database = `integratedb_bench_${process.pid}_${name}`
    await this.admin.query(`create database ${database} template ${template} strategy file_copy`)
    this.databases.push(database)
    return database
  }

  urlOf(database: string): string {
    const url = new URL(this.url)
    url.pathname = database
    return url.href
  }

  /** Can a logical slot be read? */
  async isLogical(): Promise<boolean> {
    const { rows } = await this.admin.query<{ level: string }>(`select current_setting('wal_level') as level`)
    return rows[0]?.level === 'logical'
  }

  /** With one, a database cannot be dropped. Whoever still reads it is ended. */
  async dropSlots(database: string): Promise<void> {
    const slots = (columns: string) =>
      this.admin.query<{ active: boolean }>(`select ${columns} from pg_replication_slots where database = $1`, [database])
    await slots('pg_terminate_backend(active_pid)')
    for (const end = Date.now() + 10_000; Date.now() < end && (await slots('active')).rows.some(({ active }) => active); ) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await slots('pg_drop_replication_slot(slot_name)')
  }

  /** A session: hasty ones do not wait for their commits to be on disk. */
  async connect(database: string, { hasty = false } = {}): Promise<Session> {
    const url = new URL(this.urlOf(database))
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    this.clients.add(client)
    client.once('end', () => this.clients.delete(client))
    await client.query(`set client_min_messages = error; set synchronous_commit = ${hasty ? 'off' : 'on'}`)
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const pid = rows[0]?.pid ?? null
    const isHere = ['127.0.0.1', 'localhost'].includes(url.hostname) && existsSync(`/proc/${pid}/schedstat`)
    return { client, pid: isHere ? pid : null }
  }

  async install({ client }: Session): Promise<void> {
    await client.query(readFileSync('dist-sql/integratedb.sql', 'utf8'))
  }

  /** Also when it is interrupted: again is fine. */
  stop(): Promise<void> {
    this.stopping ??= this.clear()
    return this.stopping
  }

  private async clear(): Promise<void> {
    for (const client of this.clients) await client.end()
    // Whoever was reading would come again.
    for (const database of this.databases) await this.admin.query(`alter database ${database} allow_connections false`)
    for (const database of this.databases) await this.dropSlots(database)
    for (const database of this.databases) await this.admin.query(`drop database if exists ${database} with (force)`)
    const { rows } = await this.admin.query<{ role: string }>(
      `select quote_ident(rolname) as role from pg_roles where rolname <> all ($1) and rolname not like 'pg\\_%' and rolname <> 'integratedb_admin'`,
      [this.rolesBefore],
    )
    for (const { role } of rows) await this.admin.query(`drop role ${role}`)
    await this.admin.end()
    await this.stopServer()
  }
}
