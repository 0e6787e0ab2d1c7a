/** One client's connection, whichever protocol it speaks: events go out, nothing comes in. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import type { Event } from '../channel/sink.ts'

const CLOSE_TIMEOUT = 5_000

export interface Connection {
  readonly closed: AbortSignal
  /** What the client has not taken yet, in bytes. */
  readonly waiting: number
  send(event: Pick<Event, 'id' | 'body'>): void
  /** An event that is not to be resumed from. */
  tell(body: Buffer): void
  heartbeat(): void
  /** Resolves when the client has taken what was sent, or is gone. */
  drained(): Promise<void>
  /** `abrupt`: what it has not taken is thrown away. */
  close(reason: string, abrupt?: boolean): void
}

/** Server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export class EventStream implements Connection {
  readonly #response: ServerResponse
  readonly #closed = new AbortController()

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('close', () => this.#closed.abort())
    response.on('error', () => {}) // close follows
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // nginx would hold events back
    })
    response.write(':\n\n') // headers are sent with the first byte
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  get waiting(): number {
    return this.#response.writableLength
  }

  send({ id, body }: Pick<Event, 'id' | 'body'>): void {
    this.#write(frameOf(id, body))
  }

  tell(body: Buffer): void {
    this.#write(frame('', body))
  }

  heartbeat(): void {
    this.#write(':\n\n')
  }

  async drained(): Promise<void> {
    if (this.#response.writableNeedDrain) await once(this.#response, 'drain', { signal: this.closed }).catch(() => {})
  }

  close(reason: string, abrupt = false): void {
    if (abrupt) this.#response.destroy()
    else this.#response.end(`: ${reason}\n\n`)
    // It need not take the rest.
    setTimeout(() => this.#response.destroy(), CLOSE_TIMEOUT).unref()
  }

  #write(bytes: Buffer | string): void {
    if (!this.#response.writableEnded && !this.#response.destroyed) this.#response.write(bytes)
  }
}

/** The same bytes for all that get an event. */
const frames = new WeakMap<Buffer, Buffer>()

function frameOf(id: string, body: Buffer): Buffer {
  const known = frames.get(body)
  if (known) return known
  const made = frame(`id: ${id}\n`, body)
  frames.set(body, made)
  return made
}

function frame(head: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${head}data: `), body, Buffer.from('\n\n')])
}

/** One message an event; the id to resume from is the event's own. */
export class WebSocketConnection implements Connection {
  readonly #socket: WebSocket
  readonly #closed = new AbortController()
  #answered = true

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('close', () => this.#closed.abort())
    socket.on('error', () => {}) // close follows
    socket.on('pong', () => {
      this.#answered = true
    })
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  get waiting(): number {
    return this.#socket.bufferedAmount
  }

  send({ body }: Pick<Event, 'id' | 'body'>): void {
    this.tell(body)
  }

  tell(body: Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(body, { binary: false })
  }

  /** Whoever did not answer the last one is gone. */
  heartbeat(): void {
    if (!this.#answered) this.#socket.terminate()
    else this.#socket.ping()
    this.#answered = false
  }

  async drained(): Promise<void> {
    while (this.#socket.bufferedAmount > 0 && !this.closed.aborted) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  close(reason: string, abrupt = false): void {
    if (abrupt) this.#socket.terminate()
    else this.#socket.close(1001, reason)
  }
}
