// How does a throw-away PostgreSQL start, and how is it certain to end? Its own port, its own folder under the
// system's temporary folder, and a watcher that outlives us and clears both away, however we end.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { findAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { findPljs, type PljsPackage } from './pljs-package.ts'

export interface EmbeddedServer {
  /** postgresql://postgres@127.0.0.1:PORT/postgres */
  url: string
  port: number
  /** Ends the server and removes its folder; calling it again is fine. */
  stop(): Promise<void>
}

export interface EmbeddedServerOptions {
  /** For postgresql.conf; they win over the defaults below. */
  settings?: Record<string, string>
  onProgress?: (line: string) => void
}

export async function startEmbeddedServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const onProgress = options.onProgress ?? (() => {})
  const bin = findBinaries()
  const pljs = await findPljs(onProgress)
  const account = findAccount(bin, pljs.lib, tmpdir())

  onProgress('starting PostgreSQL')
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const settings = { ...defaultSettings(pljs), ...options.settings, port: String(port) }
    const watcher = startWatcher([bin, tmpdir(), configuration(settings), ...account])
    const failure = await readyOrFailure(watcher)
    if (failure === null) return embeddedServer(watcher, port)
    // The port was free when we looked, a second before the server wanted it.
    if (attempt < 3 && failure.includes('Address already in use')) continue
    throw new Error(`the embedded PostgreSQL did not start:\n${failure}`)
  }
}

function defaultSettings({ share, lib }: PljsPackage): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1', // trust authentication: never beyond this machine
    unix_socket_directories: '', // the path of a socket may have 107 bytes, temporary folders are often longer
    extension_control_path: `${share}:$system`,
    dynamic_library_path: `${lib}:$libdir`,
    // Nothing here needs to survive a crash.
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    wal_level: 'logical', // for the notifier's slot
    max_prepared_transactions: '10', // claims are judged under PREPARE TRANSACTION too
    max_connections: '100',
    max_locks_per_transaction: '256', // tests make and drop schemas of thousands of relations in one transaction
    shared_buffers: '128MB',
    io_method: 'sync', // no I/O workers to wait for: what is read here lies in memory
    timezone: 'UTC', // the same results on every machine
    log_timezone: 'UTC',
  }
}

function configuration(settings: Record<string, string>): string {
  const quote = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${quote(value)}\n`)
    .join('')
}

/**
 * A shell that starts the server, then waits for the end of its standard input, a pipe of which we alone hold the other
 * end. The kernel closes it when we stop, exit, crash or are killed with SIGKILL; no handler of ours has to run. The shell
 * also makes the folder, so that there is no moment at which we could die and leave one, and goes through with
 * a start that nobody waits for any more: it reaches the end of its input, and the way out, a second later.
 *
 * The stop is immediate: a session that has loaded pljs makes any milder one wait until it closes. SIGKILL
 * is for a postmaster that does not react to that either.
 */
const WATCHER = `
trap '' PIPE # there may be nobody left to read what we write
trap 'exit 1' HUP INT TERM
bin=$1 parent=$2 configuration=$3
shift 3 # what is left, perhaps nothing, runs a command as the server's account

folder=$("$@" mktemp -d "$parent/integratedb-XXXXXX") || exit 1
data=$folder/data log=$folder/log
trap '
  if [ -e "$data/postmaster.pid" ]; then
    "$@" "$bin/pg_ctl" stop -D "$data" -m immediate -t 30 || kill -9 "$(head -n 1 "$data/postmaster.pid")"
  fi >/dev/null 2>&1
  rm -rf "$folder"
' EXIT

# The built-in locale and not the C library's: the same on Linux and macOS. Sorted by bytes, all of Unicode in lower().
"$@" "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-sync --no-instructions \\
  --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; exit 1; }
printf '%s' "$configuration" >>"$data/postgresql.conf"
"$@" "$bin/pg_ctl" start -D "$data" -l "$log" -w -t 60 >/dev/null 2>&1 ||
  { tail -n 30 "$log" >&2; exit 1; }
echo ready
read -r _
`

type Watcher = ChildProcessByStdio<Writable, Readable, Readable>

function startWatcher(args: string[]): Watcher {
  const watcher = spawn('sh', ['-c', WATCHER, 'integratedb-watcher', ...args], {
    cwd: '/', // ours may be one that the server's account cannot enter
    detached: true, // a session of its own: Ctrl-C in our terminal is not for the watcher
    env: { PATH: process.env.PATH, LC_ALL: 'C' }, // no PGPORT, PGDATA and the like of the user's own
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  watcher.stdin.on('error', () => {}) // EPIPE, if somebody killed the watcher
  return watcher
}

/** null when the server takes connections, else what it said last. */
async function readyOrFailure(watcher: Watcher): Promise<string | null> {
  let said = ''
  watcher.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  return await new Promise((resolve, reject) => {
    watcher.stdout.once('data', () => resolve(null))
    watcher.once('error', reject) // there is no sh
    watcher.once('close', (code, signal) => resolve(said.trim() || `its watcher ended with ${signal ?? code}`))
  })
}

function embeddedServer(watcher: Watcher, port: number): EmbeddedServer {
  // From here on only the pipe matters. It must not keep us alive: a script that forgets to stop its server can end.
  watcher.stdout.destroy()
  watcher.stderr.destroy()
  watcher.unref()
  ;(watcher.stdin as Socket).unref()

  let stopped: Promise<unknown> | undefined
  const stop = async () => {
    if (!stopped) {
      watcher.ref()
      stopped = (watcher.exitCode ?? watcher.signalCode) ? Promise.resolve() : once(watcher, 'exit')
      watcher.stdin.end()
    }
    await stopped
  }
  return { url: `postgresql://postgres@127.0.0.1:${port}/postgres`, port, stop }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
