/**
 * The claims document: what may be written in it, and what it says.
 *
 *   document = { "match": [ match, … ] }
 *   match    = { "path", "fields"?, "optional"?, "access"? }
 *            | { "alternatives": [ { "path", "fields"? }, … ], "optional"?, "access"? }
 *   fields   = "*" | ["*"] | [] | null | [ field, … ]
 *   field    = "name" | { "name", "type"?, "min_length"?, "is_nullable"?, "optional"? }
 *            | { "alternatives": [ field without optional, … ], "optional"? }
 *
 * Every issue is reported, each with its pointer; nothing here looks at a database.
 */
import * as z from 'zod/mini'
import { count, lines, OperationError } from '../errors.ts'
import { child, type Issue, issueLine, type Report, validate } from './issue.ts'
import { byteLength, formatPath, nameProblem, type Path, parsePath } from './path.ts'

// `new Function` is not for a database server: zod must interpret its schemas.
z.config({ jitless: true })

/** What a document says of one column. `field` and `alternative` are its indexes in the document. */
export interface FieldSpecification {
  name: string
  field: number
  alternative: number | null
  optional: boolean
  /** Spellings of acceptable types; empty when none was declared. */
  types: string[]
  min_length: number | null
  is_nullable: boolean | null
}

/** What a document says of one path. `match` and `alternative` are its indexes in the document. */
export interface MatchSpecification extends Path {
  match: number
  alternative: number | null
  optional: boolean
  access: string[]
  /** '*' for all fields, and whatever fields are added later. */
  fields: '*' | FieldSpecification[]
}

export const maxDocumentBytes = 1024 * 1024
export const maxDocumentDepth = 20

const flag = z.optional(z.boolean())
const anything = z.optional(z.unknown())
const privileges = ['select', 'insert', 'update', 'delete']
const access = z.optional(z.array(z.enum(privileges)).check(z.minLength(1)))
const list = z.array(z.unknown()).check(z.minLength(1))

const documentSchema = z.strictObject({ match: list })
const pathMatchSchema = z.strictObject({ path: z.string(), fields: anything, optional: flag, access })
const alternativesMatchSchema = z.strictObject({ alternatives: list, optional: flag, access })
const matchAlternativeSchema = z.strictObject({ path: z.string(), fields: anything })

const fieldAlternative = {
  name: z.string(),
  type: anything,
  min_length: z.optional(z.int().check(z.minimum(1), z.maximum(1_000_000_000))),
  is_nullable: flag,
  values: anything,
  unique: anything,
}
const fieldSchema = z.strictObject({ ...fieldAlternative, optional: flag })
const fieldAlternativeSchema = z.strictObject(fieldAlternative)
const alternativesFieldSchema = z.strictObject({ alternatives: list, optional: flag })

function hasAlternatives(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'alternatives' in value
}

/** Deepest nesting of a JSON text, found without parsing it: a parser would recurse. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth--
  }
  return deepest
}

/** Tells of what stands more than once: `seen` keeps where a key stood first. */
function reportDuplicate(seen: Map<string, string>, key: string, pointer: string, report: Report): void {
  const first = seen.get(key)
  if (first === undefined) seen.set(key, pointer)
  else report(pointer, `is the same as ${first}`)
}

function readTypes(value: unknown, pointer: string, report: Report): string[] {
  if (value === undefined) return []
  const list: unknown = typeof value === 'string' ? [value] : value
  const types: string[] = []
  if (!Array.isArray(list) || list.length === 0) {
    report(pointer, 'must be a type, or an array of the types that will do')
    return types
  }
  const seen = new Map<string, string>()
  list.forEach((type: unknown, index) => {
    const where = typeof value === 'string' ? pointer : child(pointer, index)
    if (typeof type !== 'string' || type.trim() === '') {
      report(where, 'must be the name of a type')
      return
    }
    reportDuplicate(seen, type, where, report)
    types.push(type)
  })
  return types
}

type Place = Pick<FieldSpecification, 'field' | 'alternative' | 'optional'>

function readField(value: unknown, place: Place, pointer: string, report: Report): FieldSpecification | null {
  const named = typeof value === 'string' ? { name: value } : value
  const schema = place.alternative === null ? fieldSchema : fieldAlternativeSchema
  const field = validate(schema as typeof fieldSchema, named, pointer, report)
  if (field === null) return null
  const { name = '?' } = field // a missing one is told of already
  const namePointer = typeof value === 'string' ? pointer : child(pointer, 'name')
  const problem = nameProblem(name)
  if (problem !== null) report(namePointer, `is a name that ${problem}`)
  else if (name === '*') report(namePointer, '"*" stands alone: "fields": ["*"] claims all fields')
  for (const later of ['values', 'unique'] as const) {
    if (field[later] !== undefined) report(child(pointer, later), 'is not supported by this version of IntegrateDB')
  }
  return {
    ...place,
    name,
    optional: place.optional || field.optional === true,
    types: readTypes(field.type, child(pointer, 'type'), report),
    min_length: field.min_length ?? null,
    is_nullable: field.is_nullable ?? null,
  }
}

function readFields(value: unknown, pointer: string, report: Report): '*' | FieldSpecification[] {
  if (value === undefined || value === null) return []
  if (value === '*') return '*'
  if (!Array.isArray(value)) {
    report(pointer, 'must be "*", null or an array of fields')
    return []
  }
  if (value.length === 1 && value[0] === '*') return '*'
  const fields: FieldSpecification[] = []
  const seen = new Map<string, string>()
  value.forEach((each: unknown, index) => {
    const where = child(pointer, index)
    if (!hasAlternatives(each)) {
      const field = readField(each, { field: index, alternative: null, optional: false }, where, report)
      if (field === null) return
      reportDuplicate(seen, field.name, where, report)
      fields.push(field)
      return
    }
    const group = validate(alternativesFieldSchema, each, where, report)
    if (group === null) return
    const seenHere = new Map<string, string>()
    group.alternatives?.forEach((option, alternative) => {
      const place = { field: index, alternative, optional: group.optional === true }
      const optionPointer = child(child(where, 'alternatives'), alternative)
      const field = readField(option, place, optionPointer, report)
      if (field === null) return
      reportDuplicate(seenHere, field.name, optionPointer, report)
      fields.push(field)
    })
  })
  return fields
}

type MatchPlace = Pick<MatchSpecification, 'match' | 'alternative' | 'optional' | 'access'>

function readPath(
  value: { path?: string; fields?: unknown },
  place: MatchPlace,
  pointer: string,
  report: Report,
): MatchSpecification | null {
  const fields = readFields(value.fields, child(pointer, 'fields'), report)
  if (value.path === undefined) return null // told of already
  const path = parsePath(value.path)
  if (typeof path === 'string') {
    report(child(pointer, 'path'), path)
    return null
  }
  if (path.relation === null && fields !== '*') {
    report(child(pointer, 'fields'), 'must be "*": a path of "schema.*" claims all fields')
  }
  return { ...place, ...path, fields }
}

function readAccess(value: string[] | undefined, pointer: string, report: Report): string[] {
  const seen = new Map<string, string>()
  value?.forEach((privilege, index) => {
    const where = child(child(pointer, 'access'), index)
    if (privilege !== 'select') report(where, `"${privilege}" is not supported by this version of IntegrateDB`)
    reportDuplicate(seen, privilege, where, report)
  })
  return value ?? ['select']
}

function readMatches(matches: unknown[], report: Report): MatchSpecification[] {
  const found: MatchSpecification[] = []
  const seen = new Map<string, string>()
  matches.forEach((each, match) => {
    const pointer = child('/match', match)
    if (!hasAlternatives(each)) {
      const valid = validate(pathMatchSchema, each, pointer, report)
      if (valid === null) return
      const place = { match, alternative: null, optional: valid.optional === true, access: readAccess(valid.access, pointer, report) }
      const specification = readPath(valid, place, pointer, report)
      if (specification === null) return
      reportDuplicate(seen, formatPath(specification.schema, specification.relation), child(pointer, 'path'), report)
      found.push(specification)
      return
    }
    const valid = validate(alternativesMatchSchema, each, pointer, report)
    if (valid === null) return
    const grants = readAccess(valid.access, pointer, report)
    const seenHere = new Map<string, string>()
    valid.alternatives?.forEach((option, alternative) => {
      const optionPointer = child(child(pointer, 'alternatives'), alternative)
      const path = validate(matchAlternativeSchema, option, optionPointer, report)
      if (path === null) return
      const place = { match, alternative, optional: valid.optional === true, access: grants }
      const specification = readPath(path, place, optionPointer, report)
      if (specification === null) return
      reportDuplicate(seenHere, formatPath(specification.schema, specification.relation), child(optionPointer, 'path'), report)
      found.push(specification)
    })
  })
  return found
}

/**
 * Reads a claims document, given as JSON text.
 *
 * @returns one specification per path, in the document's order
 * @throws OperationError IDB02 with every issue of the document
 */
export function readDocument(text: string): MatchSpecification[] {
  const issues: Issue[] = []
  const report: Report = (pointer, message) => issues.push({ pointer, message })
  let matches: MatchSpecification[] = []
  if (byteLength(text) > maxDocumentBytes) report('', `is larger than ${maxDocumentBytes} bytes`)
  else if (depthOf(text) > maxDocumentDepth) report('', `is nested deeper than ${maxDocumentDepth} levels`)
  else {
    const document = validate(documentSchema, JSON.parse(text), '', report)
    matches = readMatches(document?.match ?? [], report)
  }
  if (issues.length > 0) {
    throw new OperationError({
      code: 'IDB02',
      message: `invalid claims document: ${count(issues.length, 'problem')}`,
      detail: lines(issues.map(issueLine)),
      hint: 'Each line starts with a JSON pointer into the document. Nothing was changed.',
    })
  }
  return matches
}
