/**
 * Who asks for events? Either with the name and password of a database login, which the database itself is asked to check, or with
 * a token that issue_socket_token() gave. Neither is kept longer than the connection, and neither is ever logged.
 */
import type { IncomingMessage } from 'node:http'
import type { Database, SocketLogin } from '../database.ts'

export interface Identity {
  /** The same for the same login or token. */
  key: string
  login: SocketLogin
  /** What it may do by now; null: nothing any more. */
  ask(): Promise<SocketLogin | null>
}

export type Admission = Identity | Refusal

export interface Refusal {
  status: 401 | 429 | 503
  reason: string
}

export const UNAVAILABLE: Refusal = { status: 503, reason: 'the database cannot be asked now' }
const NOBODY: Refusal = {
  status: 401,
  reason: 'a database login of a stakeholder (Basic), or a token of issue_socket_token() (Bearer), is needed',
}
const WRONG: Refusal = { status: 401, reason: 'no stakeholder has such a login or token, or it has ended' }
const TOO_MANY: Refusal = { status: 429, reason: 'too many failed tries, wait a minute' }
const BUSY: Refusal = { status: 503, reason: 'too many log in at once' }

/** Failures in a minute: of one name at one address, and of one address whatever the name. */
const MOST_FAILURES = 5
const MOST_FAILURES_OF_ADDRESS = 60
/** Each try is a connection to the database. */
const MOST_AT_ONCE = 4
const MOST_WAITING = 200
const MOST_TEXT = 1024

export class Logins {
  readonly #database: Database
  readonly #failures = new Failures()
  #trying = 0
  readonly #waiting: (() => void)[] = []

  constructor(database: Database) {
    this.#database = database
  }

  async admit(request: IncomingMessage): Promise<Admission> {
    const [, scheme = '', given = ''] = /^(\S+) +(\S+)$/.exec(request.headers.authorization ?? '') ?? []
    const claim = scheme.toLowerCase() === 'basic' ? readBasic(given) : scheme.toLowerCase() === 'bearer' ? { token: given } : null
    if (!claim) return NOBODY
    const address = request.socket.remoteAddress ?? ''
    const counted = [
      { key: `${address} ${'username' in claim ? claim.username : ''}`, most: MOST_FAILURES },
      { key: address, most: MOST_FAILURES_OF_ADDRESS },
    ]
    if (this.#waiting.length >= MOST_WAITING) return BUSY
    if (this.#trying >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#trying++
    try {
      if (counted.some(({ key, most }) => this.#failures.count(key) >= most)) return TOO_MANY
      const admission = await ('token' in claim ? this.#withToken(claim.token) : this.#withPassword(claim.username, claim.password))
      if (admission === WRONG) for (const { key } of counted) this.#failures.add(key)
      return admission
    } catch {
      return UNAVAILABLE
    } finally {
      this.#trying--
      this.#waiting.shift()?.()
    }
  }

  async #withPassword(username: string, password: string): Promise<Admission> {
    const answer = await this.#database.tryLogin(username, password)
    if (answer === 'unavailable') return UNAVAILABLE
    if (answer === 'no') return WRONG
    return await this.#identity(`login ${username}`, () => this.#database.socketLogin(username))
  }

  #withToken(token: string): Promise<Admission> {
    return this.#identity(`token ${token}`, () => this.#database.socketToken(token))
  }

  async #identity(key: string, ask: Identity['ask']): Promise<Admission> {
    const login = await ask()
    return login ? { key, login, ask } : WRONG
  }
}

function readBasic(given: string): { username: string; password: string } | null {
  const text = Buffer.from(given, 'base64').toString()
  const colon = text.indexOf(':')
  // Without a password pg would look for one of the notifier's own.
  if (colon < 1 || colon === text.length - 1 || text.length > MOST_TEXT || text.includes('\0')) return null
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Of the last minute; when there are too many to remember, the oldest are forgotten. */
class Failures {
  readonly #times = new Map<string, number[]>()

  count(key: string): number {
    const recent = (this.#times.get(key) ?? []).filter((time) => time > Date.now() - 60_000)
    if (recent.length === 0) this.#times.delete(key)
    else this.#times.set(key, recent)
    return recent.length
  }

  add(key: string): void {
    this.#times.set(key, [...(this.#times.get(key) ?? []).slice(-MOST_FAILURES_OF_ADDRESS), Date.now()])
    const [oldest] = this.#times.keys()
    if (this.#times.size > 10_000 && oldest !== undefined) this.#times.delete(oldest)
  }
}
