// Where is the database? Not in the answer: how applications reach the server, it does not know itself.

import { InputError } from '../input-error.ts'

export const sslmodes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

export interface Connection {
  /** A name, an address, or the folder of a Unix socket. */
  host?: string
  port?: number
  database?: string
  sslmode?: (typeof sslmodes)[number]
}

export function checkConnection({ host, port, database, sslmode }: Connection): Connection {
  if (host !== undefined && !/^([a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?|[0-9a-f:.]*:[0-9a-f:.]*(%[a-z0-9_.-]+)?|\/[^\0]*)$/i.test(host)) {
    throw new InputError('the host has to be one name, one address, or the folder of a Unix socket')
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65535)) {
    throw new InputError('the port has to be a number from 1 to 65535')
  }
  if (database !== undefined && (database === '' || /[\0\p{Surrogate}]/u.test(database))) {
    throw new InputError('the name of the database is empty, or has a character that no name in Postgres has')
  }
  if (sslmode !== undefined && !sslmodes.includes(sslmode)) throw new InputError(`sslmode has to be one of ${sslmodes.join(', ')}`)
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(database === undefined ? {} : { database }),
    ...(sslmode === undefined ? {} : { sslmode }),
  }
}

/** What psql and every libpq client would take from the environment: PGHOST, PGPORT, PGDATABASE, PGSSLMODE. */
export function connectionFrom(environment: Record<string, string | undefined>): Connection {
  const { PGHOST: host, PGPORT: port, PGDATABASE: database, PGSSLMODE: sslmode } = environment
  return {
    ...(host ? { host } : {}),
    ...(port ? { port: Number(port) } : {}),
    ...(database ? { database } : {}),
    ...(sslmode ? { sslmode: sslmode as NonNullable<Connection['sslmode']> } : {}),
  }
}
