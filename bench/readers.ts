/**
 * Who reads the stream, and at which cost? IntegrateDB's reader, the same in about 30 lines around each of three npm packages (peer/), and
 * pg_recvlogical, which writes the bytes away and is the floor. The same transaction's rows, the same publication, to the same JSON text; each
 * in a process of its own, whose CPU and memory are its own. Of postgres.js alone the slot is its own, so each transaction is made when its reader is ready.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { findBinaries } from '../src/embedded/binaries.ts'
import { type Figure, inWords, median } from './figure.ts'
import type { Reading } from './peer/reader.ts'
import type { BenchServer } from './server.ts'
import type { Session } from './stopwatch.ts'

const readers = ['integratedb', 'pg-logical-replication', 'pgwire', 'postgres'] as const
type Reader = (typeof readers)[number]

const ours: Reader = 'integratedb'
const names: Record<Reader, string> = {
  integratedb: 'IntegrateDB',
  'pg-logical-replication': 'pg-logical-replication',
  pgwire: 'pgwire',
  postgres: 'postgres.js',
}

/** Milliseconds. Then a reader is given up. */
const PATIENCE = 600_000

/** Six columns, about 150 bytes. */
const table = 't (id int8 primary key, n int, name text, price numeric, at timestamptz, note text)'

export function rowsOf(from: number, to: number): string {
  return `select n, n % 1000, 'customer "' || n || '"', n / 100.0, timestamptz '2026-11-26 12:00:00.123456Z' + n * interval '1 ms', repeat('note ', 8) from generate_series(${from}, ${to}) n`
}

/** How values look as text is the session's, and what a walsender writes goes by the database. */
const settings = { timezone: 'UTC', datestyle: 'ISO, YMD', intervalstyle: 'iso_8601' }

export async function prepareTable(server: BenchServer, name: string): Promise<{ database: string; session: Session; url: string }> {
  const database = await server.createDatabase(name)
  const first = await server.connect(database)
  for (const [setting, value] of Object.entries(settings)) {
    await first.client.query(`alter database ${database} set ${setting} = '${value}'`)
  }
  await first.client.end()
  const session = await server.connect(database)
  await session.client.query(`create table ${table}`)
  return { database, session, url: server.urlOf(database) }
}

export async function measureReaders(server: BenchServer, { rows, runs }: { rows: number; runs: number }): Promise<Figure[]> {
  const { database, session, url } = await prepareTable(server, 'readers')
  const { client } = session
  await client.query('create publication p for table t')
  const floor = findFloor()
  const readings = Object.fromEntries(readers.map((reader) => [reader, [] as Reading[]])) as Record<Reader, Reading[]>
  const floors: { cpu: number; milliseconds: number }[] = []
  const insert = async () => {
    await client.query(`insert into t ${rowsOf(1, rows)}`)
  }
  const slot = `integratedb_bench_${process.pid}`
  const createSlot = async () => {
    await client.query('truncate t')
    await client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slot])
  }
  for (let run = 0; run < runs; run++) {
    for (const reader of readers) {
      console.error(`${names[reader]} reads a transaction of ${rows.toLocaleString('en-GB')} rows`)
      await createSlot()
      readings[reader].push(await read(reader, [url, slot, 'p', String(rows)], insert))
      await server.dropSlots(database)
    }
    const expected = readings.integratedb[run] as Reading
    for (const reader of readers) assertSame(reader, readings[reader][run] as Reading, expected)
    if (floor === null) continue
    await createSlot()
    await insert()
    const { rows: ends } = await client.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
    floors.push(await receive(floor, ['--dbname', url, '--slot', slot, '--endpos', ends[0]?.lsn ?? '']))
    await server.dropSlots(database)
  }
  await client.end()

  const where = `one transaction of ${rows.toLocaleString('en-GB')} rows`
  const cpu = (reader: Reader) => readings[reader].map((reading) => reading.cpu / rows)
  const figures = readers.map((reader): Figure => {
    const wall = median(readings[reader].map(({ milliseconds }) => milliseconds))
    const resident = median(readings[reader].map((reading) => reading.resident / 1024))
    return {
      key: `notifier/read/${reader}`,
      what: `CPU a change, from the socket to JSON bytes: ${names[reader]}`,
      where,
      unit: 'µs',
      runs: cpu(reader),
      ...(reader === ours && { goal: { at: 'most' as const, figure: 5 } }),
      detail: `${inWords((rows / wall) * 1000, '/s')} by the wall; ${inWords(resident, 'MB')} resident at most`,
    }
  })
  if (floors.length > 0) {
    const wall = median(floors.map(({ milliseconds }) => milliseconds))
    figures.push({
      key: 'notifier/read/pg_recvlogical',
      what: 'CPU a change, from the socket to nowhere: pg_recvlogical, its start included',
      where,
      unit: 'µs',
      runs: floors.map((each) => each.cpu / rows),
      detail: `${inWords((rows / wall) * 1000, '/s')} by the wall, the server's decoding included`,
    })
  }
  for (const reader of readers.filter((each) => each !== ours)) {
    const theirs = cpu(reader)
    figures.push({
      key: `notifier/against/${reader}`,
      what: `IntegrateDB's reader against ${names[reader]}`,
      where: `${where}; CPU`,
      unit: '×',
      runs: cpu(ours).map((duration, run) => duration / (theirs[run] as number)),
      ...(reader === 'pg-logical-replication' && { goal: { at: 'most' as const, figure: 0.5 } }),
      detail: `${inWords(median(cpu(ours)), 'µs')} against ${inWords(median(theirs), 'µs')}`,
    })
  }
  return figures
}

/** As in an npm package: plain JavaScript, which takes no more time and memory than it would there. */
function bundle(reader: Reader): string {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const outfile = `${root}node_modules/.cache/integratedb/bench/${reader}.mjs`
  const options = { bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20.19' } as const
  buildSync({ ...options, absWorkingDir: root, entryPoints: [`bench/peer/${reader}.ts`], outfile })
  return outfile
}

async function read(reader: Reader, args: string[], insert: () => Promise<void>): Promise<Reading> {
  const child = fork(bundle(reader), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    await answerOf(child, reader)
    const reading = answerOf(child, reader)
    // What the insert throws is told, and not that the reader then ends.
    reading.catch(() => {})
    await insert()
    return (await reading) as Reading
  } finally {
    if (child.connected) child.disconnect()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
}

/** The next one. It does not come from one that ends. */
async function answerOf(child: ChildProcess, reader: Reader): Promise<unknown> {
  const ending = new AbortController()
  const { signal } = ending
  const timer = setTimeout(() => child.kill(), PATIENCE)
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message),
      once(child, 'exit', { signal }).then(([code, by]) => {
        throw new Error(`the reader with ${names[reader]} has ended with ${by ?? code} before it had read everything`)
      }),
    ])
  } finally {
    clearTimeout(timer)
    ending.abort()
  }
}

/** It says nothing of itself; the shell does, of what it has run. */
async function receive(program: string, args: string[]): Promise<{ cpu: number; milliseconds: number }> {
  const options = [
    '--start',
    '--no-loop',
    '--fsync-interval',
    '0',
    '--file',
    '-',
    '--option',
    'proto_version=1',
    '--option',
    'publication_names=p',
  ]
  const started = performance.now()
  const child = spawn('sh', ['-c', '"$@" >/dev/null || exit; times', 'sh', program, ...args, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = () => child.kill()
  process.once('exit', end)
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = await once(child, 'close')
  const milliseconds = performance.now() - started
  process.off('exit', end)
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
  // Of the shell's own in the first line, of its children in the second: 0m0.123456s 0m0.012345s
  const times = [...(said.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  if (times.length !== 2) throw new Error(`the shell's times cannot be read: ${said}`)
  return { cpu: times.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1e6, 0), milliseconds }
}

/** But for what is of the transaction, it is the same text: else they do not do the same. */
function assertSame(reader: Reader, { first, bytes, changes }: Reading, expected: Reading): void {
  const [text, ourText] = [first, expected.first].map((each) =>
    each
      .replace(/"id":"[0-9A-F]{16}-/, '')
      .replace(/"time":"[^"]{27}"/, '')
      .replace(/"transaction":.*/, ''),
  )
  if (text !== ourText) throw new Error(`${names[reader]} makes another text: ${first}\nIntegrateDB makes: ${expected.first}`)
  // A transaction's id and place in the log may have a digit more.
  if (changes !== expected.changes || Math.abs(bytes - expected.bytes) > changes * 8) {
    throw new Error(`${names[reader]} makes ${changes} texts of ${bytes} bytes, IntegrateDB ${expected.changes} of ${expected.bytes}`)
  }
}

/** Beside the server, or the one that is named, or in PATH. */
export function findFloor(): string | null {
  const named = process.env['INTEGRATEDB_BENCH_RECVLOGICAL'] ?? ''
  if (named !== '') {
    if (!existsSync(named)) throw new Error(`INTEGRATEDB_BENCH_RECVLOGICAL names ${named}, which is not there`)
    return named
  }
  const folders = [
    ...((process.env['INTEGRATEDB_BENCH_URL'] ?? '') === '' ? [findBinaries()] : []),
    ...(process.env['PATH'] ?? '').split(':'),
  ]
  const candidates = folders.filter((folder) => folder !== '').map((folder) => join(folder, 'pg_recvlogical'))
  return candidates.find((candidate) => existsSync(candidate)) ?? null
}
