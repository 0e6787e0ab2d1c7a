import { readFileSync } from 'node:fs'
import { type Connection, connectionFrom, type Format, formatCredentials, formats, readAnswer, sslmodes } from '../../credential/index.ts'
import { command, decode, readInput, UsageError, withoutLineEnd } from '../command.ts'

/** These are for the machine at hand, so where its psql connects is where they lead; a Secret's reader is elsewhere. */
const local: readonly Format[] = ['url', 'env']

export const credentials = command({
  summary: 'writes the login that a call answered as a URL, a Kubernetes Secret, …',
  help: `integratedb credentials: writes the login that a call answered in another form

  psql -XAtc "select integratedb.add_stakeholder('reporter')" | integratedb credentials --format k8s | kubectl apply -f -

Reads the answer of add_stakeholder, rotate_credentials, issue_credentials or rename_stakeholder (JSON) on standard
input. Writes to standard output and nowhere else.

  --format FORMAT       json (default), or one of
                          url    postgresql://user:password@host:port/database
                          env    PGUSER=… lines, for a shell or an env file
                          k8s    a Kubernetes Secret, for kubectl apply -f -
                          vault  the body for Vault's KV version 2, for vault write secret/data/reporter -
  --host HOST           where the application reaches the database: a name, an address, or the folder of a socket
  --port PORT
  --database NAME
  --sslmode MODE        ${sslmodes.join(', ')}
  --name NAME           of the Secret (default: the stakeholder's)
  --namespace NAME      of the Secret
  --password-file FILE  for an answer without a password, since the call was given a verifier

url and env take PGHOST, PGPORT, PGDATABASE and PGSSLMODE for what is not given; the others only what is given.
`,
  options: {
    format: true,
    host: true,
    port: true,
    database: true,
    sslmode: true,
    name: true,
    namespace: true,
    'password-file': true,
  },
  async run(values, terminal) {
    const format = (values.format ?? 'json') as Format
    if (!formats.includes(format)) throw new UsageError(`--format has to be one of ${formats.join(', ')}`)
    if (format !== 'k8s' && (values.name ?? values.namespace) !== undefined) {
      throw new UsageError('--name and --namespace are for --format k8s')
    }
    const { name, namespace, 'password-file': file } = values
    const answer = readAnswer(await readInput(terminal, 'the answer of the call'))
    const password = file === undefined ? undefined : withoutLineEnd(decode(readFileSync(file), 'the password file'))
    await terminal.print(
      formatCredentials(format, answer, {
        connection: { ...(local.includes(format) ? connectionFrom(terminal.environment) : {}), ...given(values) },
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(password === undefined ? {} : { password }),
      }),
    )
  },
})

function given(values: { host?: string; port?: string; database?: string; sslmode?: string }): Connection {
  const { host: PGHOST, port: PGPORT, database: PGDATABASE, sslmode: PGSSLMODE } = values
  for (const [name, value] of Object.entries(values)) if (value === '') throw new UsageError(`--${name} is empty`)
  return connectionFrom({ PGHOST, PGPORT, PGDATABASE, PGSSLMODE })
}
