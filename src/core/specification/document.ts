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
import { count, OperationError } from '../errors.ts'
import { anything, child, flag, type Issue, issueLine, list, type Reader, type Report, readMembers, text, wholeNumber } from './issue.ts'
import { byteLength, formatPath, nameProblem, type Path, parsePath } from './path.ts'

/** What a document says of one column. `field` and `alternative` are its indexes in the document. */
interface FieldSpecification {
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

const privileges = ['select', 'insert', 'update', 'delete']

const access: Reader<string[]> = (value, pointer, report) => {
  const seen = new Map<string, string>()
  const elements = list(value, pointer, report)
  elements?.forEach((privilege, index) => {
    const where = child(pointer, index)
    if (typeof privilege !== 'string' || !privileges.includes(privilege)) {
      report(where, `must be one of ${privileges.map((each) => JSON.stringify(each)).join(', ')}`)
      return
    }
    if (privilege !== 'select') report(where, `"${privilege}" is not supported by this version of IntegrateDB`)
    reportDuplicate(seen, privilege, where, report)
  })
  return elements as string[] | undefined
}

const documentShape = { required: { match: list }, optional: {} }
const pathMatchShape = { required: { path: text }, optional: { fields: anything, optional: flag, access } }
const alternativesMatchShape = { required: { alternatives: list }, optional: { optional: flag, access } }
const matchAlternativeShape = { required: { path: text }, optional: { fields: anything } }

const fieldMembers = {
  type: anything,
  min_length: wholeNumber(1, 1_000_000_000),
  is_nullable: flag,
  values: anything,
  unique: anything,
}
const ofTheGroup: Reader<boolean> = (_, pointer, report) => {
  report(pointer, 'belongs beside "alternatives", for all of them')
  return undefined
}
const fieldShape = { required: { name: text }, optional: { ...fieldMembers, optional: flag } }
const fieldAlternativeShape = { required: { name: text }, optional: { ...fieldMembers, optional: ofTheGroup } }
const alternativesFieldShape = { required: { alternatives: list }, optional: { optional: flag } }

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

/** The database hands over what it has parsed itself; whoever calls the core elsewhere may not. */
function parse(text: string, report: Report): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) }
  } catch {
    report('', 'is not JSON')
    return null
  }
}

/** Tells of what stands more than once: `seen` keeps where a key stood first. */
function reportDuplicate(seen: Map<string, string>, key: string, pointer: string, report: Report): void {
  const first = seen.get(key)
  if (first === undefined) seen.set(key, pointer)
  else report(pointer, `names again what ${first} names; put both into one`)
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
  const field = readMembers(place.alternative === null ? fieldShape : fieldAlternativeShape, named, pointer, report)
  if (field === null) return null
  const { name } = field
  if (name !== undefined) {
    const namePointer = typeof value === 'string' ? pointer : child(pointer, 'name')
    const problem = nameProblem(name)
    if (problem !== null) report(namePointer, `is a name that ${problem}`)
    else if (name === '*') report(namePointer, '"*" stands alone: "fields": ["*"] claims all fields')
  }
  for (const later of ['values', 'unique'] as const) {
    if (field[later] !== undefined) report(child(pointer, later), 'is not supported by this version of IntegrateDB')
  }
  const types = readTypes(field.type, child(pointer, 'type'), report)
  if (name === undefined) return null // told of already
  return {
    ...place,
    name,
    optional: place.optional || field.optional === true,
    types,
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
    const group = readMembers(alternativesFieldShape, each, where, report)
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
  value: { path: string | undefined; fields: unknown },
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

function readMatches(matches: unknown[], report: Report): MatchSpecification[] {
  const found: MatchSpecification[] = []
  const seen = new Map<string, string>()
  matches.forEach((each, match) => {
    const pointer = child('/match', match)
    if (!hasAlternatives(each)) {
      const valid = readMembers(pathMatchShape, each, pointer, report)
      if (valid === null) return
      const place = { match, alternative: null, optional: valid.optional === true, access: valid.access ?? ['select'] }
      const specification = readPath(valid, place, pointer, report)
      if (specification === null) return
      reportDuplicate(seen, formatPath(specification.schema, specification.relation), child(pointer, 'path'), report)
      found.push(specification)
      return
    }
    const valid = readMembers(alternativesMatchShape, each, pointer, report)
    if (valid === null) return
    const seenHere = new Map<string, string>()
    valid.alternatives?.forEach((option, alternative) => {
      const optionPointer = child(child(pointer, 'alternatives'), alternative)
      const path = readMembers(matchAlternativeShape, option, optionPointer, report)
      if (path === null) return
      const place = { match, alternative, optional: valid.optional === true, access: valid.access ?? ['select'] }
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
    const document = parse(text, report)
    matches = readMatches((document && readMembers(documentShape, document.value, '', report)?.match) ?? [], report)
  }
  if (issues.length > 0) {
    throw new OperationError(
      {
        code: 'IDB02',
        message: `invalid claims document: ${count(issues.length, 'problem')}`,
        hint: 'Each line starts with a JSON pointer into the document. Nothing was changed.',
      },
      issues.map((issue) => ({ line: issueLine(issue) })),
    )
  }
  return matches
}
