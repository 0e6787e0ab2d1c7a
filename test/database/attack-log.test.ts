/**
 * Can a password be read where statements are seen: the server's log with everything on, pg_stat_statements,
 * pg_stat_activity, a replication stream? On a server of its own, because what watches is loaded at its start.
 */
import { createHmac, pbkdf2Sync } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/embedded/index.ts'
import { Session } from '../support/database.ts'
import { installFile } from '../support/installation.ts'

let server: EmbeddedServer
let admin: Session
/** What was answered, with the verifier that the server kept. */
const secrets: { password: string; verifier: string }[] = []
let activity = ''
const failures: string[] = []

async function connect(): Promise<Session> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  return new Session(client)
}

beforeAll(async () => {
  server = await startEmbeddedServer({
    settings: {
      shared_preload_libraries: 'auto_explain,pg_stat_statements',
      log_statement: 'all',
      log_min_duration_statement: '0',
      log_duration: 'on',
      log_error_verbosity: 'verbose',
      log_min_messages: 'debug1',
      log_min_error_statement: 'debug5',
      log_parameter_max_length: '-1',
      log_parameter_max_length_on_error: '-1',
      log_lock_waits: 'on',
      log_replication_commands: 'on',
      debug_print_parse: 'on',
      debug_print_rewritten: 'on',
      debug_print_plan: 'on',
      'auto_explain.log_min_duration': '0',
      'auto_explain.log_nested_statements': 'on',
      'auto_explain.log_analyze': 'on',
      'auto_explain.log_verbose': 'on',
      'auto_explain.log_triggers': 'on',
      'pg_stat_statements.track': 'all',
      'pg_stat_statements.track_utility': 'on',
    },
  })
  admin = await connect()
  await admin.rows('set log_statement = none; set debug_print_parse = off; set debug_print_rewritten = off; set debug_print_plan = off')
  await admin.rows(installFile)
  await admin.rows('reset all; create extension pg_stat_statements; create publication everything for all tables')
  await admin.rows(`select pg_create_logical_replication_slot('decoded', 'test_decoding')`)
  await admin.rows(`select pg_create_logical_replication_slot('published', 'pgoutput')`)

  const call = async (sql: string, values: unknown[] = []): Promise<void> => {
    const { credentials } = await admin.value<{ credentials: { username: string; password: string } }>(sql, values)
    const quiet = await connect()
    await quiet.rows('set log_statement = none; set log_min_duration_statement = -1; set auto_explain.log_min_duration = -1')
    const verifier = await quiet.value<string>('select rolpassword from pg_authid where rolname = $1', [credentials.username])
    await quiet.end()
    secrets.push({ password: credentials.password, verifier })
  }
  await call(`select integratedb.add_stakeholder('simple')`)
  await call('select integratedb.add_stakeholder($1)', ['extended'])
  await call(`select integratedb.rename_stakeholder('simple', 'renamed')`)
  await call('select x from (select integratedb.rename_stakeholder($1, $2) as x) y', ['extended', 'renamed_2'])
  await call('select integratedb.rotate_credentials($1)', ['renamed'])
  await call(`select x from (select integratedb.issue_credentials('renamed_2', '1 hour') as x) y`)

  // In flight: it waits for a lock after the password was made.
  const other = await connect()
  await other.rows('begin; lock table integratedb.stakeholder in share mode')
  const adding = call(`select integratedb.add_stakeholder('waiting')`)
  for (let waits = 0; waits === 0; ) {
    waits = await other.value<number>(`select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%waiting%'`)
    // One look a transaction, else.
    await other.rows('select pg_stat_clear_snapshot()')
  }
  activity = await other.value<string>(`select string_agg(to_jsonb(a)::text, ' ') from pg_stat_activity a`)
  await other.rows('commit')
  await adding
  await other.end()

  // A nested statement that fails puts its text into the log, with that of all around it.
  await admin.rows(`create function public.refuse() returns event_trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
    create event trigger refuse on ddl_command_start when tag in ('CREATE SCHEMA', 'ALTER SCHEMA') execute function public.refuse()`)
  for (const sql of [`select integratedb.add_stakeholder('failed')`, `select integratedb.rename_stakeholder('renamed', 'failed')`]) {
    const error = await admin.failure(sql)
    failures.push(JSON.stringify({ ...error, message: error.message }))
  }
  await admin.rows('drop event trigger refuse')
})
afterAll(async () => {
  await admin.end()
  await server.stop()
})

/** However it is written: text, hexadecimal, base64, bits, or the bytes of a plan's constant. */
function spellings(secret: Buffer): string[] {
  const bytes = [...secret]
  return [
    secret.toString('hex'),
    secret.toString('base64').replace(/=+$/, ''),
    bytes.map((byte) => byte.toString(2).padStart(8, '0')).join(''),
    bytes.join(' '),
    bytes.map((byte) => (byte > 127 ? byte - 256 : byte)).join(' '),
  ]
}

/** The password, and what is as good as it: a client proves itself with the salted password or the client key. */
function secretsOf({ password, verifier }: (typeof secrets)[number]): string[] {
  const [, iterations, salt = ''] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  return [password, ...spellings(Buffer.from(password)), ...spellings(salted), ...spellings(clientKey)]
}

function expectNoSecret(where: string): void {
  expect(secrets.length).toBeGreaterThan(4)
  for (const secret of secrets) expect(secretsOf(secret).filter((spelling) => where.includes(spelling))).toEqual([])
  // Nor one that nobody was ever told, of a call that failed: 43 characters, or 256 bits.
  // A parse tree breaks a verifier's lines before its "=", and without that its keys look like passwords.
  const passwords = where
    .replace(/\s*\n\s*=/g, '=')
    .match(/(?<![A-Za-z0-9_+/=.-])(?=[A-Za-z0-9_-]*[A-Z])(?=[A-Za-z0-9_-]*[0-9])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_+/=-])/g)
  expect(passwords ?? []).toEqual([])
  expect(where).not.toMatch(/[01]{256}/)
}

describe('the password is not in', () => {
  test('the log, with every statement, parameter, nested plan and parse tree in it', async () => {
    const log = await admin.value<string>(`select pg_read_file(current_setting('data_directory') || '/../log')`)
    expect(log).toContain('create role failed login password') // the statement that failed, or was undone
    expect(log).toContain('Query Text')
    expect(log).toContain('parse tree')
    expect(log).toContain('SCRAM-SHA-256$4096')
    expectNoSecret(log)
  })

  test('what the client is told of a failure', () => {
    expect(failures.join(' ')).toContain('refused')
    expectNoSecret(failures.join('\n'))
  })

  test('pg_stat_statements', async () => {
    const statements = await admin.value<string>(`select string_agg(query, ' ') from pg_stat_statements`)
    expect(statements).toContain('create role')
    expectNoSecret(statements)
  })

  test('pg_stat_activity, while the call runs', () => {
    expect(activity).toContain(`add_stakeholder('waiting')`)
    expectNoSecret(activity)
  })

  test('a replication stream, decoded or published', async () => {
    const decoded = await admin.value<string>(
      `select string_agg(data, ' ') from pg_logical_slot_get_changes('decoded', null, null, 'include-xids', '0')`,
    )
    const published = (
      await admin.rows<{ data: Buffer }>(
        `select data from pg_logical_slot_get_binary_changes('published', null, null, 'proto_version', '1', 'publication_names', 'everything')`,
      )
    )
      .map(({ data }) => data.toString('utf8'))
      .join(' ')
    for (const stream of [decoded, published]) {
      expect(stream).toContain('waiting')
      expectNoSecret(stream)
      // Nor the verifier: who may subscribe need not be able to try passwords at home.
      expect(stream).not.toContain('SCRAM-SHA-256')
    }
  })

  test('any table, but for the verifier in pg_authid', async () => {
    const tables = await admin.rows<{ path: string }>(
      `select format('%I.%I', n.nspname, c.relname) as path from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm') and c.oid <> 'pg_largeobject'::regclass`,
    )
    expect(tables.length).toBeGreaterThan(50)
    for (const { path } of tables) {
      const rows = await admin.value<string | null>(`select string_agg(t::text, ' ') from ${path} t`)
      expectNoSecret(rows ?? '')
      if (path !== 'pg_catalog.pg_authid') expect(rows ?? '').not.toMatch(/SCRAM-SHA-256\$4096:[A-Za-z0-9]/)
    }
  })
})
