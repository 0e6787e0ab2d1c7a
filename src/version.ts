import { readFileSync } from 'node:fs'

const { version: ours } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** Of the npm package, and of the SQL in it. */
export const version = ours
