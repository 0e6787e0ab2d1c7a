// Where does pljs, the server's JavaScript, come from? From the Debian package postgresql-18-pljs, fetched once by the
// machine's own apt, signature checked, and unpacked (not installed) into node_modules/.cache.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { WAY_OUT } from './way-out.ts'

const PACKAGE = 'postgresql-18-pljs'
const SUITE = 'sid' // the package is in no stable release; it asks for nothing but libc ≥ 2.17, so any Debian will do
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.pgp', '/usr/share/keyrings/debian-archive-keyring.gpg']
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/integratedb/pljs', import.meta.url))

export interface PljsPackage {
  /** For extension_control_path: where pljs.control is (in its subfolder `extension`). */
  share: string
  /** For dynamic_library_path: where pljs.so is. */
  lib: string
}

export async function findPljs(onProgress: (line: string) => void): Promise<PljsPackage> {
  if (!existsSync(CACHE)) {
    onProgress(`fetching the Debian package ${PACKAGE} (once)`)
    try {
      await fetchPackage()
    } catch (error) {
      throw new Error(`cannot get the Debian package ${PACKAGE}: ${reason(error)}; ${WAY_OUT}`)
    }
  }
  return { share: join(CACHE, 'usr/share/postgresql/18'), lib: join(CACHE, 'usr/lib/postgresql/18/lib') }
}

async function fetchPackage(): Promise<void> {
  const keyring = KEYRINGS.find((file) => existsSync(file))
  if (!keyring) throw new Error('no debian-archive-keyring on this machine to check its signature with')

  // Everything happens in a sibling of the cache folder and appears there by one rename: a killed download leaves
  // nothing that looks finished, and of two processes at once the second finds the place taken.
  const parent = dirname(CACHE)
  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  const work = await mkdtemp(`${CACHE}-`)
  try {
    const apt = await privateApt(work)
    const mirror = await findMirror(apt)
    await writeFile(
      join(work, 'sources', 'debian.sources'),
      `Types: deb\nURIs: ${mirror}\nSuites: ${SUITE}\nComponents: main\nTargets: Packages\nSigned-By: ${keyring}\n`,
    )
    const ours = ['-o', 'Dir::Etc::sourcelist=/dev/null', '-o', `Dir::Etc::sourceparts=${join(work, 'sources')}`]
    await apt('update', ...ours)
    await apt('download', ...ours, PACKAGE)

    const deb = (await readdir(work)).find((file) => file.endsWith('.deb'))
    if (!deb) throw new Error('apt-get downloaded nothing')
    const unpacked = join(work, 'unpacked')
    await run('dpkg-deb', ['-x', join(work, deb), unpacked], work)
    await rename(unpacked, CACHE).catch((error: unknown) => {
      if (!existsSync(CACHE)) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

type Apt = (command: string, ...args: string[]) => Promise<string>

/** apt-get with lists, cache and package status of its own. What the machine says of proxies still holds. */
async function privateApt(work: string): Promise<Apt> {
  for (const folder of ['sources', 'lists/partial', 'cache/archives/partial']) await mkdir(join(work, folder), { recursive: true })
  await writeFile(join(work, 'status'), '') // nothing is installed, so nothing hinders the choice of a version
  // Hooks of the machine (Debian's container images have some) are for its own lists, and fail when we are not root.
  const hooks = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success'].map((hook) => `#clear APT::Update::${hook};\n`)
  await writeFile(join(work, 'apt.conf'), hooks.join(''))

  const settings = {
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::preferences': '/dev/null', // a machine pinned to stable must still see this one package
    'Dir::Etc::preferencesparts': '/dev/null',
    'Acquire::Languages': 'none',
    'APT::Update::Error-Mode': 'any', // or a mirror that does not answer looks like a package that does not exist
    'APT::Sandbox::User': 'root', // apt's own account could not enter a project folder of root's
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return (command, ...args) => run('apt-get', ['-q', '-c', join(work, 'apt.conf'), ...options, command, ...args], work)
}

/** The Debian mirror this machine uses. Any mirror has every suite, so the package's is there too. */
async function findMirror(apt: Apt): Promise<string> {
  const ask = ['--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian', 'Label: Debian']
  const known = await run('apt-get', ['indextargets', ...ask], '/')
  if (known.trim()) return firstLine(known)
  // A fresh container has sources but no lists, and without lists apt does not know which source is Debian's own.
  await apt('update').catch(() => {}) // other people's sources may fail
  const fetched = await apt('indextargets', ...ask)
  if (fetched.trim()) return firstLine(fetched)
  throw new Error('apt on this machine has no Debian mirror')
}

/** What killed downloads left behind. An hour old: a younger one may be another process at work. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    if (!folder.startsWith(`${CACHE}-`)) continue
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > 3_600_000) await rm(folder, { recursive: true, force: true })
  }
}

async function run(program: string, args: string[], cwd: string): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  const { stdout } = await promisify(execFile)(program, args, { cwd, env, maxBuffer: 16 << 20 })
  return stdout
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? ''
}

/** One line for a person: apt's first complaint, or what this file or the system said. */
function reason(error: unknown): string {
  const { code, path, stderr, message } = error as { code?: unknown; path?: string; stderr?: string; message: string }
  if (code === 'ENOENT' && path) return `${path} is not on this machine`
  return stderr?.match(/^E: (.*)$/m)?.[1] ?? firstLine(stderr || message)
}
