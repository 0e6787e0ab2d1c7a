import type { Login } from './login.ts'
import { url } from './url.ts'

/** The keys of a secret, all text, by the names that CloudNativePG gives them; only what is known. */
export function fields(login: Login): Record<string, string> {
  const { host, port, database, sslmode } = login.connection
  return {
    username: login.username,
    password: login.password,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: String(port) }),
    ...(database === undefined ? {} : { dbname: database }),
    ...(sslmode === undefined ? {} : { sslmode }),
    ...(host === undefined || database === undefined ? {} : { uri: url(login) }),
  }
}
