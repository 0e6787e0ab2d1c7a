import { InputError } from '../../input-error.ts'
import type { Login } from './login.ts'

/** RFC 3986: everything but its unreserved characters, so that no shell, no YAML and no URL reader stumbles either. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** node-postgres takes what is reserved in a URL but not in its path as it stands only (decodeURI); all others take both. */
function encodeInPath(text: string): string {
  return encode(text).replace(/%(24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)
}

/** postgresql://user:password@host:port/database?sslmode=… */
export function url({ username, password, connection: { host, port, database, sslmode } }: Login): string {
  if (host === undefined || database === undefined) {
    throw new InputError('a URL needs the host and the database (--host, --database, or PGHOST, PGDATABASE)')
  }
  if (/^[.]{1,2}$/.test(database)) throw new InputError('a database of that name cannot stand in a URL')
  // A socket's folder stands among the parameters: as host in its place, many readers of URLs refuse it.
  const isFolder = host.startsWith('/')
  const place = isFolder ? '' : host.includes(':') ? `[${host.replace('%', '%25')}]` : host
  const parameters = [
    ...(isFolder ? [`host=${encode(host)}`] : []),
    ...(isFolder && port !== undefined ? [`port=${port}`] : []),
    ...(sslmode === undefined ? [] : [`sslmode=${sslmode}`]),
  ]
  return [
    `postgresql://${encode(username)}:${encode(password)}@${place}`,
    isFolder || port === undefined ? '' : `:${port}`,
    `/${encodeInPath(database)}`,
    parameters.length === 0 ? '' : `?${parameters.join('&')}`,
  ].join('')
}
