// Does the embedded server start with JavaScript in it, and is it gone afterwards, whatever became of its owner?

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/embedded/index.ts'

const running: EmbeddedServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()))
})

async function start(settings: Record<string, string> = {}): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ settings })
  running.push(server)
  return server
}

async function ask(server: EmbeddedServer, ...statements: string[]): Promise<unknown> {
  const client = new pg.Client(server.url)
  await client.connect()
  try {
    let answer: unknown
    for (const statement of statements) {
      const { rows } = await client.query({ text: statement, rowMode: 'array' })
      answer = rows[0]?.[0]
    }
    return answer
  } finally {
    await client.end()
  }
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

const cold = 120_000 // the first run downloads pljs

test('a server runs JavaScript, and leaves neither port nor folder when stopped', { timeout: cold }, async () => {
  const server = await start()
  expect(
    await ask(
      server,
      'create extension pljs',
      "create function shout(word text) returns text language pljs as $$ return word.toUpperCase() + '!' $$",
      "select shout('hello')",
    ),
  ).toBe('HELLO!')
  const folder = (await ask(server, 'show data_directory')) as string
  expect(existsSync(folder)).toBe(true)

  await server.stop()
  await server.stop()
  expect(existsSync(folder)).toBe(false)
  expect(await takesConnections(server.port)).toBe(false)
})

test('two servers at once do not meet', { timeout: cold }, async () => {
  const [one, two] = await Promise.all([start(), start()])
  await ask(one, 'create table only_here ()')
  expect(await ask(one, "select to_regclass('only_here')::text")).toBe('only_here')
  expect(await ask(two, "select to_regclass('only_here')::text")).toBe(null)
})

test('settings win over the defaults', { timeout: cold }, async () => {
  const server = await start({ max_connections: '23', application_name: "it's \\ here" })
  expect(await ask(server, 'show max_connections')).toBe('23')
  expect(await ask(server, "select reset_val from pg_settings where name = 'application_name'")).toBe("it's \\ here")
  expect(await ask(server, 'show wal_level')).toBe('logical')
})

test('a server that cannot start says why', { timeout: cold }, async () => {
  await expect(start({ shared_buffers: 'many' })).rejects.toThrow(/invalid value for parameter "shared_buffers": "many"/)
})

test('an endless JavaScript function does not hold up stop()', { timeout: cold }, async () => {
  const server = await start()
  const client = new pg.Client(server.url)
  client.on('error', () => {})
  await client.connect()
  await client.query('create extension pljs')
  await client.query('create function spin() returns int language pljs as $$ for (;;); $$')
  const spinning = client.query('select spin()').catch((error: Error) => error)
  await sleep(200)
  await server.stop()
  expect(await spinning).toBeInstanceOf(Error)
  expect(await takesConnections(server.port)).toBe(false)
})

test('an owner killed with SIGKILL leaves nothing behind', { timeout: cold }, async () => {
  const owner = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--input-type=module',
      '--eval',
      `import { startEmbeddedServer } from ${JSON.stringify(new URL('../../src/embedded/index.ts', import.meta.url).href)};
       import pg from "pg";
       const { url, port } = await startEmbeddedServer();
       const client = new pg.Client(url);
       await client.connect(); // and stays: an open session does not delay the end
       const { rows } = await client.query("select current_setting('data_directory') as folder");
       console.log(JSON.stringify({ port, folder: rows[0].folder }));`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  const { port, folder } = JSON.parse(String(line)) as { port: number; folder: string }
  expect(await takesConnections(port)).toBe(true)
  expect(existsSync(folder)).toBe(true)

  owner.kill('SIGKILL')
  await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false)
  expect(await takesConnections(port)).toBe(false)
})
