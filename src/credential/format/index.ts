// In which form does a login leave? One file a form, and one line here.

import { InputError } from '../../input-error.ts'
import type { Answer } from '../answer.ts'
import { type Connection, checkConnection } from '../connection.ts'
import { env } from './env.ts'
import { json } from './json.ts'
import { k8s, type Manifest } from './k8s.ts'
import type { Login } from './login.ts'
import { url } from './url.ts'
import { vault } from './vault.ts'

const writers = {
  json,
  url: (login) => `${url(login)}\n`,
  env,
  k8s,
  vault,
} satisfies Record<string, (login: Login, manifest: Manifest) => string>

export type Format = keyof typeof writers

export const formats = Object.keys(writers) as Format[]

export interface FormatOptions extends Manifest {
  /** Where the database is, as the application will reach it. A URL needs host and database. */
  connection?: Connection
  /** For an answer without one, because the call was given a verifier. */
  password?: string
}

/** Text that ends with a line feed, the password in it. */
export function formatCredentials(format: Format, answer: Answer, options: FormatOptions = {}): string {
  const { connection = {}, password: given, ...manifest } = options
  const { username, password: answered, valid_until } = answer.credentials
  if (!formats.includes(format)) throw new InputError(`the format has to be one of ${formats.join(', ')}`)
  if (answered !== undefined && given !== undefined) throw new InputError('the answer has a password: another one is not needed')
  const password = answered ?? given
  if (password === undefined) {
    throw new InputError('the answer has no password, since the call was given a verifier: add the password (--password-file)')
  }
  const login: Login = {
    stakeholder: answer.stakeholder,
    schema: answer.schema,
    username,
    password,
    ...(valid_until === undefined ? {} : { valid_until }),
    connection: checkConnection(connection),
  }
  return writers[format](login, manifest)
}
