/**
 * Which Postgres do the tests run on? The one at INTEGRATEDB_TEST_URL (a superuser's, on a server that trusts whoever
 * connects; that is how plv8 servers are tested), else Docker with plv8 where an engine answers, else the embedded server with pljs.
 *
 * Installs IntegrateDB once, into a template that each test's database is a copy of.
 */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { getContainerRuntimeClient } from 'testcontainers'
import type { TestProject } from 'vitest/node'
import { startEmbeddedServer } from '../../src/embedded/index.ts'
import { startWatchdog } from './watchdog.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    serverUrl: string
    templateDatabase: string
  }
}

interface Server {
  url: string
  stop(): Promise<void>
}

async function startDocker(): Promise<Server> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const image = await GenericContainer.fromDockerfile(process.cwd()).build('integratedb-plv8', { deleteOnExit: false })
  const container = await image
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' }) // tests log in as stakeholders
    .withCommand([
      'postgres',
      '-c',
      'fsync=off',
      '-c',
      'wal_level=logical',
      '-c',
      'max_prepared_transactions=10',
      '-c',
      'max_locks_per_transaction=256',
    ])
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start()
  const url = `postgresql://postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`
  return { url, stop: async () => void (await container.stop()) }
}

async function hasDocker(): Promise<boolean> {
  try {
    await getContainerRuntimeClient()
    return true
  } catch {
    return false
  }
}

async function startServer(): Promise<Server> {
  const url = process.env['INTEGRATEDB_TEST_URL']
  if (url !== undefined && url !== '') return { url, stop: async () => {} }
  if (await hasDocker()) {
    try {
      return await startDocker()
    } catch (error) {
      console.log(`Docker answers, but Postgres with plv8 did not start in it; going on with the embedded server. ${error}`)
    }
  }
  return await startEmbeddedServer({ onProgress: (line) => console.log(line) })
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer()
  const templateDatabase = `integratedb_template_${process.pid}`
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`create database ${templateDatabase}`)
  const url = new URL(server.url)
  url.pathname = templateDatabase
  const template = new pg.Client({ connectionString: url.href })
  await template.connect()
  await template.query(readFileSync('dist-sql/integratedb.sql', 'utf8'))
  const { rows } = await template.query('select component, version from integratedb.version()')
  console.log(rows.map((row: { component: string; version: string }) => `${row.component} ${row.version}`).join(', '))
  await template.end()
  project.provide('serverUrl', server.url)
  project.provide('templateDatabase', templateDatabase)
  const stopWatchdog = await startWatchdog(server.url)

  return async () => {
    await stopWatchdog()
    await client.query(`drop database ${templateDatabase} with (force)`)
    // Another run on the same server may still need it.
    for (const role of ['integratedb_admin', 'integratedb_notifier']) await client.query(`drop role if exists ${role}`).catch(() => {})
    await client.end()
    await server.stop()
  }
}
