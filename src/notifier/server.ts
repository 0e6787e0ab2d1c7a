/**
 * The one HTTP server: a table of routes. /healthz, /readyz and /metrics are in it, and whatever a kind of channel adds.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Log, reasonOf } from './log.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>
/** Of a WebSocket, say: the socket is the handler's from here on, its end too. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer, url: URL) => void

/** So long may a client take for its headers, and be idle between two requests. */
const HEADERS_TIMEOUT = 10_000

export class Server {
  readonly #http = createServer({ headersTimeout: HEADERS_TIMEOUT, maxHeaderSize: 16 << 10 })
  readonly #routes = new Map<string, Handler>()
  readonly #upgrades = new Map<string, UpgradeHandler>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
    this.#http.on('request', (request, response) => void this.#answer(request, response))
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** `path` is exact, or ends in "/*" for everything beneath; the longest wins. Answers what takes it out again. */
  route(method: string, path: string, handler: Handler): () => void {
    return add(this.#routes, `${method} ${path}`, handler)
  }

  /** Requests for another protocol. */
  upgrade(path: string, handler: UpgradeHandler): () => void {
    return add(this.#upgrades, path, handler)
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject)
      this.#http.listen({ host, port }, () => {
        this.#http.off('error', reject)
        resolve()
      })
    })
    return this.#http.address() as AddressInfo
  }

  /** Also what is open: whoever holds a connection has had its own close() by then. */
  async close(): Promise<void> {
    if (!this.#http.listening) return
    const closed = new Promise((resolve) => this.#http.close(resolve))
    this.#http.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = urlOf(request)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const handler = url && find(this.#routes, url.pathname, `${method} `)
    if (!url || !handler) {
      const other = url && [...this.#routes.keys()].some((route) => find(this.#routes, url.pathname, `${route.split(' ')[0]} `))
      sendJson(response, other ? 405 : 404, { error: other ? 'method not allowed' : 'not found' })
      return
    }
    try {
      await handler(request, response, url)
    } catch (error) {
      this.#log.error('a request failed', { path: url.pathname, reason: reasonOf(error) })
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { error: 'internal error' })
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {}) // the client went away
    const url = urlOf(request)
    const handler = url && find(this.#upgrades, url.pathname, '')
    if (url && handler) handler(request, socket, head, url)
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, 'cache-control': 'no-store' })
  response.end(bytes)
}

function add<T>(table: Map<string, T>, key: string, value: T): () => void {
  if (table.has(key)) throw new Error(`there is a route ${key} already`)
  table.set(key, value)
  return () => {
    if (table.get(key) === value) table.delete(key)
  }
}

function find<T>(table: Map<string, T>, path: string, prefix: string): T | undefined {
  const exact = table.get(prefix + path)
  if (exact) return exact
  for (let end = path.lastIndexOf('/'); end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
    const found = table.get(`${prefix}${path.slice(0, end)}/*`)
    if (found) return found
  }
  return undefined
}

/** Only the path and the query count: the host is whatever the client says. */
function urlOf(request: IncomingMessage): URL | undefined {
  return URL.canParse(request.url ?? '', 'http://notifier') ? new URL(request.url ?? '', 'http://notifier') : undefined
}
