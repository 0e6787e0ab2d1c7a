/** A value for any type that a history makes: what an application would write. Texts are digits, so that other types may read them too. */
import type { Types } from './catalogue.ts'

const day = (n: number): string => new Date(Date.UTC(2001, 0, 1 + n)).toISOString().slice(0, 10)

/** By the type's name without modifier. */
const builtIn: Record<string, (n: number) => string> = {
  smallint: String,
  integer: String,
  bigint: String,
  real: String,
  'double precision': String,
  numeric: String,
  text: String,
  name: String,
  character: String,
  'character varying': String,
  boolean: (n) => (n % 2 === 0 ? 'true' : 'false'),
  date: day,
  'timestamp without time zone': day,
  'timestamp with time zone': day,
  interval: (n) => `${n} days`,
  uuid: (n) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`,
  json: (n) => `{"n": ${n}}`,
  jsonb: (n) => `{"n": ${n}}`,
  bytea: (n) => `\\x${n.toString(16).padStart(4, '0')}`,
  inet: (n) => `10.0.0.${n % 256}`,
  int4range: (n) => `[${n},${n + 1})`,
  tstzrange: (n) => `[${day(n)},${day(n + 1)})`,
}

/** Text that the type reads, another for each n below 100; null where none is known. */
export function sampleOf(types: Types, type: string, n: number): string | null {
  if (type.endsWith('[]')) {
    const element = sampleOf(types, type.slice(0, -2), n)
    return element === null ? null : `{${JSON.stringify(element)}}`
  }
  const made = types.byName.get(type)
  if (made?.kind === 'd') return sampleOf(types, made.base as string, n)
  if (made?.kind === 'r') {
    const [lower, upper] = [sampleOf(types, made.subtype ?? '', n), sampleOf(types, made.subtype ?? '', n + 1)]
    return lower === null ? null : `[${lower},${upper})`
  }
  if (made?.kind === 'e') return made.labels?.at(n % made.labels.length) ?? null
  if (made?.kind === 'c') {
    const parts = made.attributes?.map((attribute) => sampleOf(types, attribute.type, n)) ?? []
    return `(${parts.map((part) => (part === null ? '' : JSON.stringify(part))).join(',')})`
  }
  const modifier = /\((\d+)/.exec(type)?.[1]
  const text = builtIn[type.replace(/\([\d,]+\)/, '')]?.(n) ?? null
  return modifier === '1' && text !== null ? text.slice(-1) : text
}
