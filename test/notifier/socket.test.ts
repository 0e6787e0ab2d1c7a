/** Server-sent events and WebSocket, with real logins: the database asks for passwords here. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Event, Sink } from '../../src/notifier/channel/sink.ts'
import { Database } from '../../src/notifier/database.ts'
import { socket } from '../../src/notifier/deliver/socket.ts'
import { jsonLog } from '../../src/notifier/log.ts'
import { Server } from '../../src/notifier/server.ts'
import { requirePasswords } from '../support/access.ts'
import { Session, TestDatabase } from '../support/database.ts'

interface Login {
  username: string
  password: string
}

let db: TestDatabase
let trustAgain: (() => Promise<void>) | null
let database: Database
let server: Server
let origin: string
let reporter: Login
let auditor: Login
const logged: string[] = []
const open: (() => void)[] = []
const sinks: Sink[] = []

async function credentials(call: string): Promise<Login> {
  return (await db.value<{ credentials: Login }>(`select integratedb.${call}`)).credentials
}

async function sinkOf(stakeholder: string, name: string): Promise<Sink> {
  const id = await db.value<number>('select id from integratedb.channel where stakeholder = $1 and name = $2', [stakeholder, name])
  const log = jsonLog((line) => void logged.push(line))
  const context = { database, environment: {}, log, server, source: '/integratedb/shop', allowPrivate: false, patience: 10_000 }
  const sink = await socket.open({ id, name, kind: 'SOCKET', stakeholder, configuration: { retention: 10 } }, context)
  sinks.push(sink)
  return sink
}

beforeAll(async () => {
  db = await TestDatabase.create()
  await db.rows('create table public.orders (id int primary key)')
  const document = { match: [{ path: 'public.orders', fields: '*' }] }
  const notifications = {
    match: [{ path: 'public.orders', events: ['*'], channels: ['*'] }],
    channels: [
      { name: 'feed', kind: 'SOCKET', retention: 10 },
      { name: 'other feed', kind: 'SOCKET' },
    ],
  }
  reporter = await credentials(`add_stakeholder('reporter')`)
  auditor = await credentials(`add_stakeholder('auditor')`)
  for (const name of ['reporter', 'auditor']) {
    await db.rows('select * from integratedb.set_claims($1, $2)', [name, document])
    await db.rows('select * from integratedb.set_notifications($1, $2)', [name, notifications])
  }
  const notifier = await credentials(`add_notifier('notifier')`)
  trustAgain = await requirePasswords(db)
  const url = new URL(db.url(notifier.username))
  url.password = notifier.password
  database = new Database({ connectionString: url.href })
  server = new Server(jsonLog((line) => void logged.push(line)))
  const { port } = await server.listen('127.0.0.1', 0)
  origin = `http://127.0.0.1:${port}`
})
afterEach(async () => {
  for (const close of open.splice(0)) close()
  for (const sink of sinks.splice(0)) await sink.close()
  await db.rows('delete from integratedb.kept; update integratedb.channel set kept = 0')
})
afterAll(async () => {
  await server.close()
  await database.close()
  await trustAgain?.()
  await db.drop()
})

let last = 0
function events(count: number, size = 0): Event[] {
  return Array.from({ length: count }, () => {
    const id = `${(++last).toString(16).padStart(16, '0').toUpperCase()}-00000000`
    return { id, key: null, body: Buffer.from(JSON.stringify({ specversion: '1.0', id, data: 'ö'.padEnd(size, 'x') })) }
  })
}

async function deliver(sink: Sink, batch: Event[]): Promise<void> {
  expect(await sink.deliver(batch, new AbortController().signal)).toEqual({ outcome: 'delivered' })
}

function basic({ username, password }: Login): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

interface Received {
  /** Ids, and of what has none its type. */
  ids: string[]
  bodies: string[]
  ended: boolean
}

async function stream(path: string, headers: Record<string, string>): Promise<Received> {
  const stop = new AbortController()
  open.push(() => stop.abort())
  const response = await fetch(origin + path, { headers, signal: stop.signal })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const received: Received = { ids: [], bodies: [], ended: false }
  const read = async () => {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      const messages = text.split('\n\n')
      text = messages.pop() ?? ''
      for (const message of messages) {
        const fields = Object.fromEntries(
          message.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
        )
        if (fields['data'] === undefined) continue
        received.bodies.push(fields['data'])
        received.ids.push(fields['id'] ?? JSON.parse(fields['data']).type)
      }
    }
  }
  void read()
    .catch(() => {})
    .then(() => {
      received.ended = true
    })
  return received
}

async function webSocket(path: string, headers: Record<string, string>): Promise<Received & { client: WebSocket }> {
  const client = new WebSocket(origin.replace('http', 'ws') + path, { headers })
  open.push(() => client.terminate())
  const received = { ids: [] as string[], bodies: [] as string[], ended: false, client }
  client.on('message', (data, isBinary) => {
    expect(isBinary).toBe(false)
    const body = String(data)
    received.bodies.push(body)
    const { id, type } = JSON.parse(body)
    received.ids.push(type ?? id)
  })
  client.on('close', () => {
    received.ended = true
  })
  await once(client, 'open')
  return received
}

async function until(condition: () => boolean, what = 'it'): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`${what} did not come about`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const ids = (batch: Event[]) => batch.map(({ id }) => id)

describe('events', () => {
  test.each([
    ['server-sent events', stream],
    ['WebSocket', webSocket],
  ] as const)('%s: live, resumed, all that is kept', async (_, connect) => {
    const sink = await sinkOf('reporter', 'feed')
    const missed = events(3)
    await deliver(sink, missed)
    const now = await connect('/events/feed', basic(reporter))
    const all = await connect('/events/feed?last_event_id=0', basic(reporter))
    const some = await connect(`/events/feed?last_event_id=${missed[1]?.id}`, basic(reporter))
    await until(() => all.ids.length === 3 && some.ids.length === 1)
    const more = events(2)
    await deliver(sink, more)
    await until(() => now.ids.length === 2 && all.ids.length === 5 && some.ids.length === 3)
    expect(now.ids).toEqual(ids(more))
    expect(now.bodies).toEqual(more.map(({ body }) => body.toString()))
    expect(all.ids).toEqual(ids([...missed, ...more]))
    expect(some.ids).toEqual(ids([...missed.slice(2), ...more]))
    // The notifier was restarted: what a client has does not come again.
    await deliver(sink, more)
    const next = events(1)
    await deliver(sink, next)
    await until(() => all.ids.length === 6)
    expect(now.ids).toEqual(ids([...more, ...next]))
  })

  test('what is not kept any more is told as a gap', async () => {
    const sink = await sinkOf('reporter', 'feed')
    const first = events(5)
    await deliver(sink, first)
    const later = events(10)
    await deliver(sink, later)
    const [received, fine] = [
      await stream('/events/feed', { ...basic(reporter), 'last-event-id': first[2]?.id ?? '' }),
      await stream('/events/feed', { ...basic(reporter), 'last-event-id': later[0]?.id ?? '' }),
    ]
    await until(() => received.ids.length === 11 && fine.ids.length === 9)
    expect(received.ids).toEqual(['integratedb.gap', ...ids(later)])
    expect(JSON.parse(received.bodies[0] ?? '')).toMatchObject({
      source: '/integratedb/shop',
      data: { stakeholder: 'reporter', channel: 'feed', reason: 'retention', after: first[2]?.id, before: later[0]?.id },
    })
    expect(fine.ids).toEqual(ids(later.slice(1)))
  })

  test('between what is kept and what happens nothing is lost and nothing comes twice', async () => {
    const sink = await sinkOf('reporter', 'other feed')
    const sent = events(300)
    await deliver(sink, sent)
    const readers: Received[] = []
    const deliveries = (async () => {
      for (let i = 0; i < 60; i++) {
        const batch = events(5)
        sent.push(...batch)
        await deliver(sink, batch)
      }
    })()
    for (const connect of [stream, webSocket, stream, webSocket])
      readers.push(await connect('/events/other%20feed?last_event_id=0', basic(reporter)))
    await deliveries
    await until(() => readers.every((reader) => reader.ids.length >= 600))
    for (const reader of readers) expect(reader.ids).toEqual(ids(sent))
  })

  test('a slow client is cut and loses nothing, and a quick one does not wait for it', async () => {
    const sink = await sinkOf('reporter', 'feed')
    const quick = await stream('/events/feed', basic(reporter))
    const { port } = new URL(origin)
    const slow: Socket = connectTcp(Number(port), '127.0.0.1')
    open.push(() => slow.destroy())
    slow.on('error', () => {})
    slow.write(`GET /events/feed HTTP/1.1\r\nhost: x\r\nauthorization: ${basic(reporter)['authorization']}\r\n\r\n`)
    await once(slow, 'readable')
    const sent: Event[] = []
    // Until the kernel's buffers and ours are full; never more than ours is held.
    for (let i = 0; i < 100; i++) {
      const batch = events(1, 200_000)
      sent.push(...batch)
      await deliver(sink, batch)
    }
    await until(() => quick.ids.length === 100)
    expect(quick.ids).toEqual(ids(sent))
    slow.resume()
    await until(() => slow.closed, 'the end of the slow client')
    expect(slow.bytesRead).toBeLessThan(100 * 200_000)
    const again = await stream(`/events/feed?last_event_id=${sent[95]?.id}`, basic(reporter))
    await until(() => again.ids.length === 4)
    expect(again.ids).toEqual(ids(sent.slice(96)))
  })
})

describe('who may', () => {
  async function status(path: string, headers: Record<string, string> = {}): Promise<number> {
    const response = await fetch(origin + path, { headers })
    await response.body?.cancel()
    return response.status
  }

  async function upgradeStatus(path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
    const client = new WebSocket(origin.replace('http', 'ws') + path, { headers })
    client.on('error', () => {})
    const [, response] = await once(client, 'unexpected-response')
    return (response as { statusCode?: number }).statusCode
  }

  test('nobody without a login, nobody to what is not its own', async () => {
    await sinkOf('reporter', 'feed')
    expect((await fetch(`${origin}/events/feed`)).headers.get('www-authenticate')).toMatch(/^Basic realm=/)
    for (const ask of [status, upgradeStatus]) {
      expect(await ask('/events/feed')).toBe(401)
      expect(await ask('/events/feed', { authorization: 'Basic !!!' })).toBe(401)
      expect(await ask('/events/feed', basic({ username: 'reporter', password: '' }))).toBe(401)
      expect(await ask('/events/feed', basic({ username: 'reporter', password: `${reporter.password}x` }))).toBe(401)
      expect(await ask('/events/feed', { authorization: 'Bearer of-nothing' })).toBe(401)
      expect(await ask('/events/none', basic(reporter))).toBe(404)
      expect(await ask('/events/%E0%A4%A', basic(reporter))).toBe(404)
      expect(await ask('/events/feed?last_event_id=yesterday', basic(reporter))).toBe(400)
      // Its own channel of that name is not open here.
      expect(await ask('/events/feed', basic(auditor))).toBe(503)
    }
    expect(await upgradeStatus('/events/feed', { ...basic(reporter), origin: 'https://elsewhere.example' })).toBe(403)
  })

  test('the same name is another channel of another stakeholder', async () => {
    const theirs = await sinkOf('auditor', 'feed')
    const ours = await sinkOf('reporter', 'feed')
    const [one, other] = [await stream('/events/feed', basic(reporter)), await webSocket('/events/feed', basic(auditor))]
    const [first, second] = [events(1), events(1)]
    await deliver(ours, first)
    await deliver(theirs, second)
    await until(() => one.ids.length === 1 && other.ids.length === 1)
    expect([one.ids, other.ids]).toEqual([ids(first), ids(second)])
  })

  test('a login that the database lets in without a password proves nothing', async () => {
    await sinkOf('reporter', 'feed')
    await trustAgain?.()
    const answer = await status('/events/feed', basic(reporter))
    trustAgain = await requirePasswords(db)
    expect(answer).toBe(401)
  })

  test('tries are limited for each login, and nothing of them is logged', async () => {
    await sinkOf('auditor', 'feed')
    const answers: number[] = []
    for (let i = 0; i < 7; i++) answers.push(await status('/events/feed', basic({ username: 'auditor', password: `wrong-${i}` })))
    expect(answers).toEqual([401, 401, 401, 401, 401, 429, 429])
    expect(await status('/events/feed', basic(auditor))).toBe(429)
    await sinkOf('reporter', 'feed')
    const received = await stream('/events/feed', basic(reporter))
    expect(received.ended).toBe(false)
    expect(logged.join('')).not.toMatch(/wrong-|Basic/)
    expect(logged.join('')).not.toContain(reporter.password)
  })

  test('a token; and when it ends, or its login does, or the channel, the client is cut', async () => {
    const sink = await sinkOf('reporter', 'feed')
    const { username, password } = await credentials(`issue_credentials('reporter', '1 hour')`)
    const url = new URL(db.url(username))
    url.password = password
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    const session = new Session(client)
    const issue = (ttl: string) => session.value<{ token: string }>('select integratedb.issue_socket_token($1)', [ttl])
    const { token: brief } = await issue('2 seconds')
    const { token } = await issue('1 hour')
    await session.end()
    const [ending, lasting, login] = [
      await stream('/events/feed', { authorization: `Bearer ${brief}` }),
      await webSocket('/events/feed', { authorization: `Bearer ${token}` }),
      await stream('/events/feed', basic({ username, password })),
    ]
    await deliver(sink, events(1))
    await until(() => [ending, lasting, login].every(({ ids }) => ids.length === 1))
    await new Promise((resolve) => setTimeout(resolve, 2000))
    await deliver(sink, events(1))
    await until(() => ending.ended && lasting.ids.length === 2)
    expect(ending.ids).toHaveLength(1)
    expect(await status('/events/feed', { authorization: `Bearer ${brief}` })).toBe(401)
    await db.rows('select integratedb.revoke_credentials($1)', [username])
    // Looked at with each heartbeat.
    for (const end = Date.now() + 25_000; !(lasting.ended && login.ended) && Date.now() < end; )
      await new Promise((r) => setTimeout(r, 100))
    expect([lasting.ended, login.ended]).toEqual([true, true])
    const last = await webSocket('/events/feed', basic(reporter))
    await sink.close()
    await until(() => last.ended)
  }, 60_000)
})
