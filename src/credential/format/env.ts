import type { Login } from './login.ts'

/** Plain values as they stand, which Docker's and systemd's files take too; others in a shell's single quotes. */
function quote(value: string): string {
  return /^[\w@%+:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}

/** PGUSER=… lines, as libpq and most drivers read them from the environment. */
export function env({ username, password, connection: { host, port, database, sslmode } }: Login): string {
  const variables: [string, string | number | undefined][] = [
    ['PGHOST', host],
    ['PGPORT', port],
    ['PGDATABASE', database],
    ['PGUSER', username],
    ['PGPASSWORD', password],
    ['PGSSLMODE', sslmode],
  ]
  return variables.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(String(value))}\n`])).join('')
}
