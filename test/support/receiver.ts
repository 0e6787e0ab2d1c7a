/**
 * A webhook receiver as there are many: it checks signatures, writes down what came, and is at times slow, broken or not there.
 * What it wrote down it may still answer with an error: that is how events come twice.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Webhook } from 'standardwebhooks'

export interface CloudEvent {
  id: string
  type: string
  subject?: string
  time: string
  source: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it knows to be there
  data: any
}

export interface Delivery {
  headers: IncomingMessage['headers']
  path: string
  body: string
  events: CloudEvent[]
  at: number
}

export interface Behaviour {
  /** Milliseconds before the answer. */
  delay?: number
  status?: number
  headers?: Record<string, string>
  answer?: string
  /** Ends the connection instead of an answer, in the middle of one, or never answers. */
  close?: 'before' | 'midway' | 'never'
}

export const SECRET = `whsec_${Buffer.from('a secret of twenty-four b').toString('base64')}`

export class Receiver {
  /** Each request whose signature was right, in the order of their ends. */
  readonly deliveries: Delivery[] = []
  /** Are they kept? A million need not be. */
  keeps = true
  /** Of the others: why. */
  readonly complaints: string[] = []
  /** Called for each request, with its number from 1. */
  behave: (number: number, events: CloudEvent[]) => Behaviour = () => ({})
  /** Called for each that is written down. */
  received: (delivery: Delivery) => void = () => {}
  atOnce = 0
  mostAtOnce = 0
  connections = 0
  /** Answers that nobody read to their end. */
  unread = 0
  #requests = 0
  #server: Server | null = null
  #port = 0
  readonly #webhooks: Webhook[]

  constructor(secrets = [SECRET]) {
    this.#webhooks = secrets.map((secret) => new Webhook(secret))
  }

  static async start(secrets?: string[]): Promise<Receiver> {
    const receiver = new Receiver(secrets)
    await receiver.up()
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`
  }

  get events(): CloudEvent[] {
    return this.deliveries.flatMap(({ events }) => events)
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    this.#server = createServer((request, response) => void this.#receive(request, response))
    this.#server.on('connection', () => this.connections++)
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Nobody listens, and what was open is cut. */
  async down(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = null
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.atOnce++
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce)
    try {
      await this.#answer(request, response)
    } catch {
      response.destroy() // the other side is gone
    } finally {
      this.atOnce--
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    let parsed: unknown
    try {
      for (const webhook of this.#webhooks) parsed = webhook.verify(body, request.headers as Record<string, string>)
    } catch (error) {
      this.complaints.push(String(error))
      response.writeHead(401).end()
      return
    }
    const events = (Array.isArray(parsed) ? parsed : [parsed]) as CloudEvent[]
    const delivery = { headers: request.headers, path: request.url ?? '', body, events, at: Date.now() }
    const { delay = 0, status = 200, headers = {}, answer = '', close } = this.behave(++this.#requests, events)
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay))
    if (this.keeps) this.deliveries.push(delivery)
    this.received(delivery)
    if (close === 'never') await once(response, 'close')
    else if (close === 'before') request.socket.destroy()
    else if (close === 'midway') {
      response.writeHead(status, { ...headers, 'content-length': 100 })
      response.write('the beginning')
      setImmediate(() => request.socket.destroy())
    } else if (answer) {
      response.writeHead(status, headers)
      await pipeline(Readable.from(slices(answer)), response).catch(() => this.unread++)
    } else response.writeHead(status, headers).end()
  }
}

/** Of what a connection takes at a time, so that one that is cut shows. */
function* slices(answer: string): Iterable<string> {
  for (let at = 0; at < answer.length; at += 65_536) yield answer.slice(at, at + 65_536)
}
