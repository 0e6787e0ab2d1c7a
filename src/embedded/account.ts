// As whom may the server run? postgres refuses root, and another account may not be able to enter root's folders.

import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { WAY_OUT } from './way-out.ts'

const NOBODY = 65534

/** The words to put before a command so that it runs as the server's account: none unless we are root. */
export function findAccount(bin: string, readable: string, writable: string): string[] {
  const postgres = join(bin, 'postgres')
  const candidates = process.getuid?.() === 0 ? unprivileged(postgres) : [[]]
  const complaints: string[] = []
  for (const prefix of candidates) {
    // Trying is the only reliable way: access depends on every folder above, on the container, on the kernel's settings.
    const check = 'test -r "$1" && test -w "$2" && test -x "$2" && exec "$3" --version'
    const [program = 'sh', ...args] = [...prefix, 'sh', '-c', check, 'check', readable, writable, postgres]
    const { status, stderr } = spawnSync(program, args, { cwd: '/', encoding: 'utf8' })
    if (status === 0) return prefix
    const what = prefix[0] ?? 'directly'
    complaints.push(`${what}: ${stderr?.trim() || `cannot reach ${readable}, ${writable} or ${postgres}`}`)
  }
  throw new Error(`PostgreSQL cannot be run from ${bin} (${complaints.join('; ')}); ${WAY_OUT}`)
}

function unprivileged(postgres: string): string[][] {
  const setpriv = (uid: number, gid: number) => ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--']
  const { uid, gid } = statSync(postgres)
  return [
    ...(uid === 0 ? [] : [setpriv(uid, gid)]), // root in somebody's clone
    setpriv(NOBODY, NOBODY),
    // Under a folder only root may enter: still root to the file system, but not in its own eyes.
    // Last, because files of root's are then within the server's reach.
    ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'],
  ]
}
