/** The test servers trust whoever connects. Here one database asks for passwords, as a server in earnest does. */
import pg from 'pg'
import { inject } from 'vitest'
import type { TestDatabase } from './database.ts'

/**
 * From now on everybody but the tests' own superuser needs a password (SCRAM) for this database.
 *
 * @returns the way back; null if this server does not let its pg_hba.conf be written
 */
export async function requirePasswords(database: TestDatabase): Promise<(() => Promise<void>) | null> {
  const file = await database.value<string>(`select current_setting('hba_file')`)
  const write = async (lines: string[]) => {
    // As CSV that quotes nothing: what COPY can write without changing a character. It would quote an empty line.
    const text = lines.map((line) => line.trimEnd() || ' ').join('\n')
    const rows = `select unnest(string_to_array(${pg.escapeLiteral(text)}, chr(10)))`
    await database.rows(`copy (${rows}) to ${pg.escapeLiteral(file)} with (format csv, quote e'\\x01', delimiter e'\\x02')`)
  }
  let before: string[]
  try {
    before = (await database.value<string>('select pg_read_file($1)', [file])).trimEnd().split('\n')
    await write(before)
  } catch (error) {
    if (error instanceof pg.DatabaseError) return null
    throw error
  }
  const superuser = decodeURIComponent(new URL(inject('serverUrl')).username)
  await write([`host ${database.name} "${superuser}" all trust`, `host ${database.name} all all scram-sha-256`, ...before])
  await reload(database)
  return async () => {
    await write(before)
    await reload(database)
  }
}

/** Until those who connect from now on meet what the file says. */
async function reload(database: TestDatabase): Promise<void> {
  const mistakes = await database.rows('select line_number, error from pg_hba_file_rules where error is not null')
  if (mistakes.length > 0) throw new Error(`pg_hba.conf: ${JSON.stringify(mistakes)}`)
  const loaded = async () => {
    const session = await database.connect()
    const time = await session.value<string>('select pg_conf_load_time()::text')
    await session.end()
    return time
  }
  const before = await loaded()
  await database.rows('select pg_reload_conf()')
  while ((await loaded()) === before) await new Promise((resolve) => setTimeout(resolve, 10))
}
