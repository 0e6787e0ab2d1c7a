// What did add_stakeholder, rotate_credentials, issue_credentials or rename_stakeholder answer?
// No error here quotes what was read: it may be the password, or near it.

import { InputError } from '../input-error.ts'

export interface Credentials {
  username: string
  /** Not there if the call was given a verifier: then only who made that knows it. */
  password?: string
  /** As Postgres writes a timestamptz in JSON; not there if it does not expire. */
  valid_until?: string
}

export interface Answer {
  stakeholder: string
  schema: string
  credentials: Credentials
}

/**
 * The answer as text, the line that `psql -At` prints (between other lines, if there are any), or as a driver gives it, parsed.
 *
 * What is not known is left out: a later server may answer more.
 */
export function readAnswer(answer: unknown): Answer {
  const value = typeof answer === 'string' ? parse(answer) : answer
  if (!isObject(value))
    throw new InputError(`this is no answer of a call that gives credentials: an object is expected, not ${kindOf(value)}`)
  const { stakeholder, schema, credentials } = value
  if (credentials === undefined && stakeholder !== undefined) {
    throw new InputError('the answer has no credentials: that call left those that there were as they are')
  }
  if (!isObject(credentials)) throw new InputError('this is no answer of a call that gives credentials: it has no object "credentials"')
  const password = optional(credentials, 'password')
  const validUntil = optional(credentials, 'valid_until')
  return {
    stakeholder: text(stakeholder, 'stakeholder'),
    schema: text(schema, 'schema'),
    credentials: {
      username: text(credentials['username'], 'credentials.username'),
      ...(password === undefined ? {} : { password }),
      ...(validUntil === undefined ? {} : { valid_until: validUntil }),
    },
  }
}

function parse(answer: string): unknown {
  const whole = answer.replace(/^\uFEFF/, '').trim()
  if (whole === '')
    throw new InputError('there is nothing to read: the answer of add_stakeholder, rotate_credentials or issue_credentials is expected')
  const parsed = parseJson(whole)
  if (parsed !== undefined) return parsed
  // psql without -q says SET, BEGIN and so on as well.
  const answers = whole
    .split('\n')
    .map((line) => (line.trim().startsWith('{') ? parseJson(line) : undefined))
    .filter((line) => line !== undefined)
  if (answers.length > 1) throw new InputError(`there are ${answers.length} answers: give one at a time`)
  if (answers.length === 0)
    throw new InputError('this is not JSON: the answer as the call gives it is expected (psql -At, without a heading and a frame)')
  return answers[0]
}

/** Not the engine's message: that quotes what it read. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function optional(credentials: Record<string, unknown>, name: string): string | undefined {
  const value = credentials[name]
  return value === undefined || value === null ? undefined : text(value, `credentials.${name}`)
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw new InputError(`"${name}" of the answer has to be text that is not empty`)
  if (/[\0\p{Surrogate}]/u.test(value)) throw new InputError(`"${name}" of the answer has a character that no text in Postgres has`)
  return value
}
