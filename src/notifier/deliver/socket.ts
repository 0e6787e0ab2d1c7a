/**
 * Server-sent events and WebSocket, on the notifier's HTTP server: GET /events/<channel>, or an upgrade of it.
 *
 * An event is kept in the database before anybody is sent it, so that whoever was away, was too slow or comes to another notifier goes
 * on after the last one it has: from what is kept until it has caught up, then live.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Channel, ChannelKind, Context, Event, Outcome, Sink } from '../channel/sink.ts'
import type { SocketLogin } from '../database.ts'
import { reasonOf } from '../log.ts'
import { type Server, sendJson } from '../server.ts'
import { type Connection, EventStream, WebSocketConnection } from './socket-connection.ts'
import { type Identity, Logins } from './socket-login.ts'

/** What a client may leave lying: then it is cut. */
const MAX_WAITING = 1 << 20
/** So often credentials are looked at again; and no proxy ends what looks idle. */
const HEARTBEAT = 5_000
/** Of what is kept, at a time. */
const PAGE = 100
const MOST_CLIENTS = 1000
/** For a client that catches up to take a page. */
const PATIENCE = 30_000
/** Also of a gap that was delivered as an event. */
const ID = /^[0-9A-F]{16}-[0-9A-F]{8}(-gap)?$/

/** One for each HTTP server: it answers for all channels, since their names are only unique within a stakeholder. */
const doors = new WeakMap<Server, Door>()

export const socket: ChannelKind = {
  async open(channel, context) {
    const door = doors.get(context.server) ?? new Door(context)
    doors.set(context.server, door)
    return new Hub(channel, context, door)
  },
}

/** A channel's clients. */
class Hub implements Sink {
  readonly concurrency = 1
  readonly maxBatch = 500
  readonly maxBatchBytes = 1 << 20
  readonly channel: Channel
  readonly context: Context
  readonly clients = new Set<Client>()
  readonly #door: Door

  constructor(channel: Channel, context: Context, door: Door) {
    this.channel = channel
    this.context = context
    this.#door = door
    door.add(this)
  }

  async deliver(events: readonly Event[]): Promise<Outcome> {
    await this.context.database.keep(this.channel.id, events)
    for (const client of this.clients) client.offer(events)
    return { outcome: 'delivered' }
  }

  async close(): Promise<void> {
    this.#door.remove(this)
    for (const client of this.clients) client.cut('the channel is not served any more')
  }
}

/** A connection that follows a channel. */
class Client {
  readonly identity: Identity
  readonly connection: Connection
  /** When its credentials end, in milliseconds since 1970. */
  #end = Number.POSITIVE_INFINITY
  readonly #hub: Hub
  /** The last event it was sent; '' before the first. */
  #last: string
  /** Is it sent what happens, or still what is kept? */
  #live = false
  /** Has something happened since the last look at what is kept? */
  #missed = false

  constructor(identity: Identity, connection: Connection, hub: Hub, after: string | null) {
    this.identity = identity
    this.connection = connection
    this.#hub = hub
    this.#last = after ?? ''
    hub.clients.add(this)
    this.renew(identity.login)
    connection.closed.addEventListener('abort', () => hub.clients.delete(this))
    if (after === null) this.#live = true
    else
      this.#catchUp(after).catch((error) => {
        hub.context.log.warn('a client could not catch up', { channel: hub.channel.id, reason: reasonOf(error) })
        this.cut('what is kept cannot be read now', true)
      })
  }

  /** What is now kept. */
  offer(events: readonly Event[]): void {
    this.#missed = true
    if (this.#live) for (const event of events) this.#send(event)
  }

  cut(reason: string, abrupt = false): void {
    this.#hub.clients.delete(this)
    this.connection.close(reason, abrupt)
  }

  /** As the database says now; null: not any more. */
  renew(login: SocketLogin | null): void {
    if (!login?.channels.some(({ id }) => id === this.#hub.channel.id)) this.#end = 0
    else this.#end = login.valid_until === null ? Number.POSITIVE_INFINITY : Date.parse(login.valid_until)
    if (this.hasEnded()) this.cut('the credentials have ended')
  }

  hasEnded(): boolean {
    return this.#end <= Date.now()
  }

  #send(event: Pick<Event, 'id' | 'body'>): void {
    // After a restart the notifier gets events again; a client that has them does not.
    if (event.id <= this.#last || !this.#hub.clients.has(this)) return
    if (this.hasEnded()) this.cut('the credentials have ended')
    else if (this.connection.waiting > MAX_WAITING) this.cut('too slow', true)
    else {
      this.connection.send(event)
      this.#last = event.id
    }
  }

  async #catchUp(after: string): Promise<void> {
    const { database } = this.#hub.context
    const { id } = this.#hub.channel
    const oldest = await database.keptFrom(id)
    if (after !== '0' && (oldest === null || after < oldest)) this.connection.tell(this.#gap(after, oldest))
    while (this.#hub.clients.has(this)) {
      this.#missed = false
      const page = await database.kept(id, this.#last === '0' ? null : this.#last, PAGE)
      for (const event of page) this.#send({ id: event.id, body: Buffer.from(event.body) })
      const impatient = setTimeout(() => this.cut('too slow', true), PATIENCE)
      await this.connection.drained()
      clearTimeout(impatient)
      if (page.length === 0 && !this.#missed) {
        this.#live = true
        return
      }
    }
  }

  #gap(after: string, before: string | null): Buffer {
    const { channel, context } = this.#hub
    const gap = {
      specversion: '1.0',
      id: `${after}-gap`,
      source: context.source,
      type: 'integratedb.gap',
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data: { stakeholder: channel.stakeholder, channel: channel.name, after, before, reason: 'retention' },
    }
    return Buffer.from(JSON.stringify(gap))
  }
}

/** Lets clients in, and out again when they may not stay. */
class Door {
  readonly #hubs = new Map<number, Hub>()
  readonly #logins: Logins
  readonly #webSockets = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: 4096 })
  #rounds: NodeJS.Timeout | undefined

  constructor({ database, server }: Context) {
    this.#logins = new Logins(database)
    server.route('GET', '/events/*', (request, response, url) => this.#stream(request, response, url))
    server.upgrade('/events/*', (request, socket, head, url) => void this.#upgrade(request, socket, head, url))
  }

  add(hub: Hub): void {
    this.#hubs.set(hub.channel.id, hub)
    this.#rounds ??= setInterval(() => void this.#lookAround(), HEARTBEAT)
  }

  remove(hub: Hub): void {
    if (this.#hubs.get(hub.channel.id) === hub) this.#hubs.delete(hub.channel.id)
    if (this.#hubs.size > 0) return
    clearInterval(this.#rounds)
    this.#rounds = undefined
  }

  async #stream(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const visit = await this.#admit(request, url)
    if ('status' in visit) {
      for (const [name, value] of Object.entries(headersOf(visit.status))) response.setHeader(name, value)
      sendJson(response, visit.status, { error: visit.reason })
    } else if (response.closed)
      return // it did not wait for the answer
    else if (request.method === 'HEAD') response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
    else new Client(visit.identity, new EventStream(response), visit.hub, visit.after)
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): Promise<void> {
    const visit = isForeign(request) ? { status: 403, reason: 'a page of another origin' } : await this.#admit(request, url)
    if ('status' in visit) {
      const body = `${JSON.stringify({ error: visit.reason })}\n`
      const headers = {
        ...headersOf(visit.status),
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      }
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.end(`HTTP/1.1 ${visit.status} Refused\r\n${lines.join('')}\r\n${body}`)
      return
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      new Client(visit.identity, new WebSocketConnection(webSocket), visit.hub, visit.after)
    })
  }

  async #admit(
    request: IncomingMessage,
    url: URL,
  ): Promise<{ identity: Identity; hub: Hub; after: string | null } | { status: number; reason: string }> {
    const after = request.headers['last-event-id'] || url.searchParams.get('last_event_id')
    if (after !== null && after !== '0' && !ID.test(String(after)))
      return { status: 400, reason: 'last_event_id is the id of an event, or 0 for all that is kept' }
    let clients = 0
    for (const hub of this.#hubs.values()) clients += hub.clients.size
    if (clients >= MOST_CLIENTS) return { status: 503, reason: 'too many clients' }
    const identity = await this.#logins.admit(request)
    if ('status' in identity) return identity
    const name = decodeName(url)
    const channel = identity.login.channels.find((each) => each.name === name)
    if (!channel) return { status: 404, reason: `${identity.login.stakeholder} has no such channel of kind SOCKET` }
    const hub = this.#hubs.get(channel.id)
    // A notifier that stands by, or has not opened it yet.
    return hub
      ? { identity, hub, after: after === null ? null : String(after) }
      : { status: 503, reason: 'the channel is not served here now' }
  }

  async #lookAround(): Promise<void> {
    const asked = new Map<string, Promise<SocketLogin | null>>()
    for (const hub of this.#hubs.values())
      for (const client of [...hub.clients]) {
        client.connection.heartbeat()
        const { key, ask } = client.identity
        const answer = asked.get(key) ?? ask()
        asked.set(key, answer)
        // While the database cannot be asked, nobody is cut but by the time that is known.
        await answer.then(
          (login) => client.renew(login),
          () => client.hasEnded() && client.cut('the credentials have ended'),
        )
      }
  }
}

function decodeName(url: URL): string | null {
  try {
    return decodeURIComponent(url.pathname.slice('/events/'.length))
  } catch {
    return null
  }
}

function headersOf(status: number): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Basic realm="IntegrateDB", charset="UTF-8"' }
  return status === 429 ? { 'retry-after': '60' } : status === 503 ? { 'retry-after': '5' } : {}
}

/** A browser sends the login it knows along with what any page asks for, and lets that page read what comes. */
function isForeign({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)
}
