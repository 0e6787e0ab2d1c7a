/**
 * Paths: `schema.table`, `schema.*`, and SQL quoting for every other name (`public."Order Items"`).
 *
 * An unquoted part is what Postgres would leave as it is: lowercase letters, digits, `_`, `$`, and anything
 * beyond ASCII. Capitals without quotes are refused rather than folded, so that `public.Orders` never
 * quietly means another table than the one its author looked at.
 */

import { keywords } from './keyword.ts'

export interface Path {
  schema: string
  /** null stands for `*`: every relation of the schema. */
  relation: string | null
}

/** Postgres truncates longer identifiers (NAMEDATALEN - 1), which would make two names one. */
const maxNameBytes = 63

/** Length in UTF-8, without TextEncoder: the engines have none. */
export function byteLength(text: string): number {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) as number
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}

/** Why this cannot be the name of anything in Postgres, or null if it can. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'is empty'
  if (name.includes('\0')) return 'contains a NUL character'
  if (byteLength(name) > maxNameBytes) {
    return `is ${byteLength(name)} bytes long; a Postgres name has at most ${maxNameBytes}`
  }
  return null
}

function inQuotes(name: string): string {
  return `"${name.replace(/"/g, '""')}"`
}

/** A name as SQL and the views show it (`quote_ident`): quoted where it has to be. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !keywords.has(name) ? name : inQuotes(name)
}

export function formatPath(schema: string, relation: string | null): string {
  return `${quoteName(schema)}.${relation === null ? '*' : quoteName(relation)}`
}

/** Splits a path at its dots, honouring quotes. A string answers what is wrong with it. */
export function parsePath(text: string): Path | string {
  const parts: { name: string; quoted: boolean }[] = []
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      let name = ''
      let end = at + 1
      for (; ; end++) {
        if (end >= text.length) return 'has a quote that is not closed'
        if (text[end] !== '"') name += text[end]
        else if (text[end + 1] === '"') name += text[end++]
        else break
      }
      parts.push({ name, quoted: true })
      at = end + 1
      if (at < text.length && text[at] !== '.') return 'has text after a closing quote'
    } else {
      const dot = text.indexOf('.', at)
      const end = dot === -1 ? text.length : dot
      parts.push({ name: text.slice(at, end), quoted: false })
      at = end
    }
    if (at >= text.length) break
    at++ // the dot; a path that ends in one has an empty last part
  }

  const [schema, relation] = parts
  if (parts.length !== 2 || schema === undefined || relation === undefined) {
    return 'must be "schema.table" or "schema.*" (put a name with a dot in double quotes)'
  }
  const star = !relation.quoted && relation.name === '*'
  for (const part of star ? [schema] : parts) {
    const problem = nameProblem(part.name)
    if (problem !== null) return `has a name that ${problem}`
    if (!part.quoted && !/^[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*$/.test(part.name)) {
      // As it stands in JSON, to be copied.
      const quoted = JSON.stringify(inQuotes(part.name)).slice(1, -1)
      const star = part.name.includes('*') ? '; only "schema.*" is a wildcard' : ''
      return `has the name ${part.name}, which needs double quotes: ${quoted}${star}`
    }
  }
  if (/^pg_/.test(schema.name) || schema.name === 'information_schema' || schema.name === 'integratedb') {
    return `is in ${schema.name}, which is not application data and cannot be claimed`
  }
  return { schema: schema.name, relation: star ? null : relation.name }
}
