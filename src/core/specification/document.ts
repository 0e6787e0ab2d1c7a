/**
 * The claims document: what may be written in it, and what it says.
 *
 *   document = { "match": [ match, … ] }
 *   match    = { "path", "fields"?, "optional"?, "access"? }
 *            | { "alternatives": [ { "path", "fields"? }, … ], "optional"?, "access"? }
 *   fields   = "*" | ["*"] | [] | null | [ field, … ]
 *   field    = "name" | { "name", "type"?, "min_length"?, "is_nullable"?, "values"?, "unique"?, "optional"? }
 *            | { "alternatives": [ field without optional, … ], "optional"? }
 *   access   = ["select"] (default) and any of "insert", "update", "delete"
 *
 * Every issue is reported, each with its pointer; nothing here looks at a database.
 */
import { type Privilege, privileges } from '../catalog/catalog.ts'
import { failAt, listed } from '../errors.ts'
import {
  anything,
  array,
  flag,
  type Issue,
  isObject,
  issueLine,
  type Members,
  nonEmpty,
  Place,
  type Reader,
  type Readers,
  readMembers,
  setOf,
  string,
  wholeNumber,
} from './issue.ts'
import { byteLength, formatPath, nameProblem, type Path, parsePath } from './path.ts'

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
  /** Enum labels that have to be there; null: those that are. */
  values: string[] | null
  unique: boolean | null
}

/** What a document says of one path. `match` and `alternative` are its indexes in the document. */
export interface MatchSpecification extends Path {
  match: number
  alternative: number | null
  optional: boolean
  access: Privilege[]
  /** '*' for all fields, and whatever fields are added later. */
  fields: '*' | FieldSpecification[]
}

export const maxDocumentBytes = 1024 * 1024
export const maxDocumentDepth = 20

export const columnName: Reader<string> = (value, at) => {
  const written = string(value, at)
  if (written === undefined) return undefined
  if (written === '*') return at.report('"*" stands alone: "fields": ["*"] claims all fields')
  const problem = nameProblem(written)
  return problem === null ? written : at.report(`is a name that ${problem}`)
}

const privilegeName: Reader<Privilege> = (value, at) =>
  privileges.find((each) => each === value) ?? at.report(`must be one of ${listed(privileges)}`)

const typeName: Reader<string> = (value, at) =>
  typeof value === 'string' && value.trim() !== '' ? value : at.report('must be the name of a type')

const typeList: Reader<unknown[]> = (value, at) =>
  Array.isArray(value) && value.length > 0 ? value : at.report('must be a type, or an array of the types that will do')

const typeNames = setOf(typeList, typeName)

const pathMembers = { path: string, fields: anything }
const fieldMembers = {
  name: columnName,
  type: anything,
  min_length: wholeNumber(1, 1_000_000_000),
  is_nullable: flag,
  values: setOf(array, string),
  unique: flag,
}

/** What an entry with alternatives says once, for all of them. */
const ofMatch = { optional: flag, access: setOf(nonEmpty, privilegeName) }
const ofField = { optional: flag }
const ofAlternatives = { alternatives: nonEmpty }

const ofTheGroup: Reader<never> = (_, at) => at.report('belongs beside "alternatives", for all of them')

/** An entry of a list, or one of its alternatives. */
interface Option<Group> {
  value: unknown
  at: Place
  /** Its index in the list, and in the entry's alternatives. */
  index: number
  alternative: number | null
  /** What is said beside the alternatives. */
  group: Group | undefined
  /** What must not stand twice: in the list, or among the alternatives. */
  seen: Map<string, Place>
}

/** Reads every entry of a list; of one that has alternatives, each of them. */
function readOptions<OfAll extends Readers, Found>(
  entries: readonly unknown[],
  at: Place,
  ofAll: OfAll,
  read: (option: Option<Members<OfAll>>) => Found | undefined,
): Found[] {
  const seen = new Map<string, Place>()
  const found = entries.flatMap((value, index) => {
    const here = at.child(index)
    if (!isObject(value) || !('alternatives' in value)) return [read({ value, at: here, index, alternative: null, group: undefined, seen })]
    const group = readMembers<OfAll & typeof ofAlternatives>(['alternatives'], { ...ofAlternatives, ...ofAll }, value, here)
    const seenHere = new Map<string, Place>()
    return (group?.alternatives ?? []).map((each, alternative) =>
      read({ value: each, at: here.child('alternatives').child(alternative), index, alternative, group, seen: seenHere }),
    )
  })
  return found.filter((each) => each !== undefined)
}

function readTypes(value: unknown, at: Place): string[] {
  if (value === undefined) return []
  const types = typeof value === 'string' ? [typeName(value, at)] : typeNames(value, at)
  return (types ?? []).filter((type) => type !== undefined)
}

function readField({ value, at, index, alternative, group, seen }: Option<Members<typeof ofField>>): FieldSpecification | undefined {
  const members = { ...fieldMembers, optional: group === undefined ? flag : ofTheGroup }
  const own: Partial<Members<typeof members>> | undefined =
    typeof value === 'string' ? { name: columnName(value, at) } : readMembers(['name'], members, value, at)
  if (own === undefined) return undefined
  const types = readTypes(own.type, at.child('type'))
  if (own.name === undefined) return undefined // told of already
  at.reportDuplicate(seen, own.name)
  const { min_length = null, is_nullable = null, values = null, unique = null } = own
  const { optional = false } = group ?? own
  return { name: own.name, field: index, alternative, optional, types, min_length, is_nullable, values, unique }
}

function readFields(value: unknown, at: Place): '*' | FieldSpecification[] {
  if (value === undefined || value === null) return []
  if (value === '*' || (Array.isArray(value) && value.length === 1 && value[0] === '*')) return '*'
  if (Array.isArray(value)) return readOptions(value, at, ofField, readField)
  at.report('must be "*", null or an array of fields')
  return []
}

/** Said to have no fields, rather than wrong ones. */
function isNone(fields: unknown): boolean {
  return fields === undefined || fields === null || (Array.isArray(fields) && fields.length === 0)
}

function readMatch({ value, at, index, alternative, group, seen }: Option<Members<typeof ofMatch>>): MatchSpecification | undefined {
  const members = group === undefined ? { ...pathMembers, ...ofMatch } : pathMembers
  const own: Partial<Members<typeof pathMembers & typeof ofMatch>> | undefined = readMembers<Readers>(['path'], members, value, at)
  if (own === undefined) return undefined
  const fields = readFields(own.fields, at.child('fields'))
  if (own.path === undefined) return undefined // told of already
  const path = parsePath(own.path)
  if (typeof path === 'string') return at.child('path').report(path)
  const { optional = false, access = ['select'] } = group ?? own
  if (path.relation === null && fields !== '*') {
    at.child('fields').report('must be "*": a path of "schema.*" claims all fields')
  } else if (isNone(own.fields) && access.some((privilege) => privilege !== 'select')) {
    at.child('fields').report('must name the fields to write: without fields the relation has only to be there, and nothing is granted')
  }
  at.child('path').reportDuplicate(seen, formatPath(path.schema, path.relation))
  return { match: index, alternative, optional, access, ...path, fields }
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

/** What a document says, given as JSON text; nothing if it is none. */
function parse(text: string, at: Place): unknown {
  if (byteLength(text) > maxDocumentBytes) return at.report(`is larger than ${maxDocumentBytes} bytes`)
  if (depthOf(text) > maxDocumentDepth) return at.report(`is nested deeper than ${maxDocumentDepth} levels`)
  try {
    return JSON.parse(text)
  } catch {
    // The database hands over what it has parsed itself; whoever calls the core elsewhere may not.
    return at.report('is not JSON')
  }
}

/**
 * Reads a document of this kind, given as JSON text.
 *
 * @throws OperationError IDB02 with every issue of the document
 */
export function readText<Found>(kind: string, text: string, read: (document: unknown, at: Place) => Found): Found {
  const issues: Issue[] = []
  const at = new Place(issues)
  const document = parse(text, at)
  const found = read(document, issues.length > 0 ? new Place([]) : at)
  failAt(
    issues.map((issue) => ({ line: issueLine(issue) })),
    'IDB02',
    `invalid ${kind} document`,
    'Each line starts with a JSON pointer into the document. Nothing was changed.',
  )
  return found
}

/**
 * Reads a claims document, given as JSON text.
 *
 * @returns one specification per path, in the document's order
 * @throws OperationError IDB02 with every issue of the document
 */
export function readDocument(text: string): MatchSpecification[] {
  return readText('claims', text, (document, at) => {
    const entries = readMembers(['match'], { match: nonEmpty }, document, at)?.match ?? []
    return readOptions(entries, at.child('match'), ofMatch, readMatch)
  })
}
