/**
 * HTTP POST, signed after Standard Webhooks (https://www.standardwebhooks.com), the body a CloudEvent.
 * A receiver that keeps the ids it has seen can leave out what comes again: an event's id never changes.
 */
import { createHmac } from 'node:crypto'
import dns from 'node:dns'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import { z } from 'zod'
import { version } from '../../version.ts'
import type { Channel, ChannelKind, Context, Event, Outcome, Sink } from '../channel/sink.ts'
import { isPublic } from './webhook-address.ts'

const configuration = z.object({
  url: z.url({ protocol: /^https?$/ }),
  secrets: z.array(z.string()).min(1),
  batch: z.int().min(1).default(1),
  concurrency: z.int().min(1).default(4),
  timeout: z.number().positive().default(15),
  headers: z.record(z.string(), z.string()).default({}),
})

const MAX_BATCH_BYTES = 1 << 20
/** What is read of an answer, which nobody looks at; one that is longer costs its connection. */
const MAX_ANSWER = 64 << 10
/** The longest that a receiver can put us off. */
const MAX_RETRY_AFTER = 3_600_000
const SECRET_NAME = /^INTEGRATEDB_SECRET_[A-Z0-9_]+$/
/** Headers that say how the request itself is to be read. */
const OURS = /^(host|connection|expect|keep-alive|te|trailer|transfer-encoding|upgrade|user-agent|content-.*|webhook-.*)$/

export const webhook: ChannelKind = {
  async open(channel, context) {
    return new Webhook(channel, context)
  },
}

class Webhook implements Sink {
  readonly concurrency: number
  readonly maxBatch: number
  readonly maxBatchBytes = MAX_BATCH_BYTES
  readonly #keys: Buffer[]
  readonly #headers: Record<string, string>
  readonly #path: string
  readonly #timeout: number
  readonly #batched: boolean
  readonly #pool: Pool

  constructor(channel: Channel, { environment, allowPrivate }: Context) {
    const { url, secrets, batch, concurrency, timeout, headers } = configuration.parse(channel.configuration)
    const { origin, pathname, search } = new URL(url)
    this.concurrency = concurrency
    this.maxBatch = batch
    // Whoever asked for batches gets a list each time, also of one.
    this.#batched = batch > 1
    this.#keys = secrets.map((name) => readKey(name, environment))
    this.#path = pathname + search
    this.#timeout = timeout * 1000
    this.#headers = {
      ...readHeaders(headers, environment),
      'content-type': `application/cloudevents${batch > 1 ? '-batch' : ''}+json`,
      'user-agent': `IntegrateDB/${version}`,
    }
    this.#pool = new Pool(origin, {
      connections: concurrency,
      pipelining: 1,
      connect: allowPrivate ? { timeout: this.#timeout } : publicOnly(this.#timeout),
      // The one timeout is of the whole exchange.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  async deliver(events: readonly Event[], signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return { outcome: 'retry', reason: describe(signal.reason) }
    const body = this.#batched ? list(events) : (events[0] as Event).body
    const id = (events[0] as Event).id
    const timestamp = String(Math.floor(Date.now() / 1000))
    const headers = {
      ...this.#headers,
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': sign(this.#keys, id, timestamp, body),
    }
    return await new Promise((resolve) => {
      const exchange = new Exchange(this.#timeout, signal, resolve)
      this.#pool.dispatch({ method: 'POST', path: this.#path, headers, body }, exchange)
    })
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** One request and its answer, without the streams and signals that undici's request() makes for each, an eighth of what it costs. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (outcome: Outcome) => void
  readonly #signal: AbortSignal
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = () => this.#giveUp(this.#signal.reason)
  #controller: Dispatcher.DispatchController | null = null
  #reason: Error | null = null
  #status = 0
  #retryAfter: string | string[] | undefined
  #length = 0

  constructor(timeout: number, signal: AbortSignal, resolve: (outcome: Outcome) => void) {
    this.#resolve = resolve
    this.#signal = signal
    this.#timer = setTimeout(() => this.#giveUp(new Error(`no whole answer within ${timeout / 1000} s`)), timeout)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#reason) controller.abort(this.#reason)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#retryAfter = headers['retry-after']
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#length <= MAX_ANSWER) return
    this.#end(judge(this.#status, this.#retryAfter))
    controller.abort(new Error('the answer is too long'))
  }

  onResponseEnd(): void {
    this.#end(judge(this.#status, this.#retryAfter))
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end({ outcome: 'retry', reason: describe(error) })
  }

  #giveUp(reason: Error): void {
    this.#reason = reason
    this.#end({ outcome: 'retry', reason: describe(reason) })
    this.#controller?.abort(reason)
  }

  #end(outcome: Outcome): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#resolve(outcome)
  }
}

function list(events: readonly Event[]): Buffer {
  return Buffer.concat([
    Buffer.from('['),
    ...events.flatMap(({ body }, i) => (i === 0 ? [body] : [Buffer.from(','), body])),
    Buffer.from(']'),
  ])
}

/** One signature for each secret: while they are rotated, a receiver has one or the other. */
export function sign(keys: readonly Buffer[], id: string, timestamp: string, body: Buffer): string {
  return keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`).join(' ')
}

/** Only of names that say what they are for: a document cannot have the notifier's other secrets sent anywhere. */
function readSecret(name: string, environment: Context['environment']): string {
  if (!SECRET_NAME.test(name)) throw new Error(`${name} is not the name of a secret: those begin with INTEGRATEDB_SECRET_`)
  const value = environment[name]
  if (!value) throw new Error(`the notifier's environment has no ${name}`)
  return value
}

function readHeaders(headers: Record<string, string>, environment: Context['environment']): Record<string, string> {
  const entries = Object.entries(headers).map(([header, name]) => {
    if (OURS.test(header.toLowerCase())) throw new Error(`the header ${header} is not for a channel to set`)
    return [header.toLowerCase(), readSecret(name, environment)]
  })
  return Object.fromEntries(entries)
}

function readKey(name: string, environment: Context['environment']): Buffer {
  const value = readSecret(name, environment)
  const encoded = value.replace(/^whsec_/, '')
  const key = Buffer.from(encoded, 'base64')
  if (
    !value.startsWith('whsec_') ||
    key.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '') ||
    key.length < 24 ||
    key.length > 64
  )
    throw new Error(`${name} is not a key of Standard Webhooks: whsec_ and 24 to 64 random bytes in base64`)
  return key
}

function publicOnly(timeout: number): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, callback) => {
    dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      const problem = error ?? addresses.map(({ address }) => privateAddress(hostname, address)).find((each) => each !== null)
      if (problem) callback(problem, '')
      else if (options.all) callback(null, addresses)
      else callback(null, first?.address ?? '', first?.family)
    })
  }
  const connect = buildConnector({ timeout, lookup } as buildConnector.BuildOptions)
  return (options, callback) => {
    // An address is not looked up.
    const problem = isIP(options.hostname) === 0 ? null : privateAddress(options.hostname, options.hostname)
    if (problem) callback(problem, null)
    else connect(options, callback)
  }
}

function privateAddress(hostname: string, address: string): Error | null {
  if (isPublic(address)) return null
  const where = hostname === address ? address : `${hostname} (${address})`
  return new Error(`${where} is no public address; INTEGRATEDB_NOTIFIER_ALLOW_PRIVATE=1 allows it`)
}

function judge(status: number, retryAfter: string | string[] | undefined): Outcome {
  if (status >= 200 && status < 300) return { outcome: 'delivered' }
  const reason = `the receiver answered ${status}`
  if (status === 410) return { outcome: 'gone', reason }
  if ([400, 413, 415, 422].includes(status)) return { outcome: 'rejected', reason }
  if (status >= 300 && status < 400) return { outcome: 'retry', reason: `${reason}; redirects are not followed` }
  const after = [429, 502, 503, 504].includes(status) ? readRetryAfter(retryAfter) : null
  return { outcome: 'retry', reason, ...(after === null ? {} : { after }) }
}

/** Seconds, or a date as HTTP writes it. Milliseconds from now. */
function readRetryAfter(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null
  const after = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(after) ? null : Math.min(Math.max(after, 0), MAX_RETRY_AFTER)
}

/** Undici hides what happened to each address in `errors`, and much else in `cause`. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause
  return error.message || (inner === undefined ? error.name : describe(inner))
}
