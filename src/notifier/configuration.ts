/** What the notifier is told by its environment. */
import type pg from 'pg'
import { InputError } from '../input-error.ts'

export interface Configuration {
  connection: pg.ClientConfig
  host: string
  port: number
  allowPrivate: boolean
  /** Milliseconds that an event waits for its channel before it is parked. */
  patience: number
  /** For the names of secrets. */
  environment: Record<string, string | undefined>
}

const URL_NAME = 'INTEGRATEDB_NOTIFIER_URL'
const LISTEN = 'INTEGRATEDB_NOTIFIER_LISTEN'
const ALLOW_PRIVATE = 'INTEGRATEDB_NOTIFIER_ALLOW_PRIVATE'
const PATIENCE = 'INTEGRATEDB_NOTIFIER_PATIENCE'
const known = [URL_NAME, LISTEN, ALLOW_PRIVATE, PATIENCE]

/** Errors name a variable but never repeat its value: there is a password in one. */
export function configurationFrom(environment: Record<string, string | undefined>): Configuration {
  const strange = Object.keys(environment).find((name) => name.startsWith('INTEGRATEDB_NOTIFIER_') && !known.includes(name))
  if (strange) throw new InputError(`${strange} is none of the notifier's variables: ${known.join(', ')}`)
  const url = environment[URL_NAME]
  if (url !== undefined && !/^postgres(ql)?:\/\//.test(url)) throw new InputError(`${URL_NAME} has to begin with postgresql://`)
  const [, host, port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(environment[LISTEN] ?? '127.0.0.1:8080')?.filter((part) => part !== undefined) ??
    []
  if (!host || Number(port) > 65_535) throw new InputError(`${LISTEN} has to be host:port, such as 127.0.0.1:8080 or [::1]:8080`)
  const allow = environment[ALLOW_PRIVATE] ?? '0'
  if (allow !== '0' && allow !== '1') throw new InputError(`${ALLOW_PRIVATE} has to be 1 or 0`)
  const patience = environment[PATIENCE] ?? '10'
  if (!/^\d{1,4}$/.test(patience) || Number(patience) < 1) throw new InputError(`${PATIENCE} has to be a number of seconds, 1 to 9999`)
  return {
    connection: url === undefined ? {} : { connectionString: url },
    host,
    port: Number(port),
    allowPrivate: allow === '1',
    patience: Number(patience) * 1000,
    environment,
  }
}
