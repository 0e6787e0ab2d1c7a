/** The rest of the story: the notifier, as `integratedb notify` runs it, and a webhook receiver at the reporter's. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { configurationFrom } from '../notifier/configuration.ts'
import { kinds } from '../notifier/deliver/index.ts'
import { jsonLog } from '../notifier/log.ts'
import { notify } from '../notifier/notifier.ts'

/** Where the story says that the reporter listens: a port that is free takes its place. */
const TOLD = '127.0.0.1:8400'

export class StoryNotifier {
  readonly #secret = `whsec_${randomBytes(32).toString('base64')}`
  readonly #received: string[] = []
  readonly #stopping = new AbortController()
  #running: Promise<void> | null = null
  #wake = () => {}
  readonly #receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const isVerified = verify(body, request.headers, this.#secret)
    response.writeHead(isVerified ? 204 : 401).end()
    this.#received.push(describe(`POST ${request.url}`, request.headers, isVerified, body))
    this.#wake()
  })

  static async start(): Promise<StoryNotifier> {
    const story = new StoryNotifier()
    story.#receiver.listen(0, '127.0.0.1')
    await once(story.#receiver, 'listening')
    return story
  }

  /** SQL as the story has it, with the address where we listen. */
  known(sql: string): string {
    return sql.replaceAll(TOLD, this.#address)
  }

  told(text: string): string {
    return text.replaceAll(this.#address, TOLD)
  }

  /** Answers what it says when it has come so far. */
  async run(url: string): Promise<string> {
    return await new Promise((resolve, reject) => {
      const log = jsonLog((line) => {
        if (line.includes('"message":"streaming"')) resolve(line.trimEnd())
      })
      const environment = {
        INTEGRATEDB_NOTIFIER_URL: url,
        INTEGRATEDB_NOTIFIER_LISTEN: '127.0.0.1:0',
        INTEGRATEDB_NOTIFIER_ALLOW_PRIVATE: '1',
        INTEGRATEDB_SECRET_REPORTER: this.#secret,
      }
      this.#running = notify({ configuration: configurationFrom(environment), log, kinds, signal: this.#stopping.signal })
      this.#running.catch(reject)
    })
  }

  /** The next webhook. */
  async receive(): Promise<string> {
    while (true) {
      const next = this.#received.shift()
      if (next !== undefined) return next
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running?.catch(() => {})
    this.#receiver.close()
    this.#receiver.closeAllConnections()
  }

  get #address(): string {
    return `127.0.0.1:${(this.#receiver.address() as AddressInfo).port}`
  }
}

/** docs/notifications.md has it for receivers. */
function verify(body: Buffer, headers: IncomingHttpHeaders, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signed = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`).update(body)
  const expected = Buffer.from(`v1,${signed.digest('base64')}`)
  const given = Buffer.from(String(headers['webhook-signature']))
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** A line for each member of the event, and of its data. */
function describe(request: string, headers: IncomingHttpHeaders, isVerified: boolean, body: Buffer): string {
  const { data, ...event } = JSON.parse(body.toString())
  const members = (value: object, indent: string) =>
    Object.entries(value).map(([name, each]) => `${indent}${JSON.stringify(name)}: ${JSON.stringify(each)}`)
  const signature = `webhook-signature: ${headers['webhook-signature']} (${isVerified ? 'verified' : 'WRONG'})`
  const lines = [...members(event, '  '), `  "data": {\n${members(data, '    ').join(',\n')}\n  }`]
  return [request, `webhook-id: ${headers['webhook-id']}`, signature, '', `{\n${lines.join(',\n')}\n}`].join('\n')
}
