/** What a document says, read by the oracle itself: a second reader, so that a misreading of the core's would show. */

export type Access = 'select' | 'insert' | 'update' | 'delete'

/** A column that an application names, with what it declares of it. */
export interface Field {
  name: string
  types: string[] | null
  minLength: number | null
  isNullable: boolean | null
  values: string[] | null
  unique: boolean | null
}

/** One of these columns has to be there and fit. */
interface FieldChoice {
  options: Field[]
  optional: boolean
}

/** `relation: null` is `schema.*`, `fields: '*'` all columns. */
export interface Path {
  schema: string
  relation: string | null
  fields: FieldChoice[] | '*'
}

/** One option of a choice, as an application names it that uses no other. */
export interface ChosenField {
  field: Field
  /** The names of the other options. */
  others: string[]
  optional: boolean
}

/** A path as one application may use it: of each choice one option. */
export interface ChosenPath {
  schema: string
  relation: string | null
  fields: ChosenField[] | '*'
}

/** One of these paths has to hold. */
export interface Match {
  paths: Path[]
  optional: boolean
  access: ReadonlySet<Access>
}

interface WrittenPath {
  path: string
  fields?: unknown
}

export interface Document {
  match: ((WrittenPath | { alternatives: WrittenPath[] }) & { optional?: boolean; access?: Access[] })[]
}

/** As in SQL: folded to lower case unless quoted. */
function identifier(written: string): string {
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written.toLowerCase()
}

function readField(written: string | Record<string, unknown>): Field {
  const field = typeof written === 'string' ? { name: written } : written
  const type = field['type']
  return {
    name: field['name'] as string,
    types: type === undefined || type === null ? null : ([type].flat() as string[]),
    minLength: (field['min_length'] as number | undefined) ?? null,
    isNullable: (field['is_nullable'] as boolean | undefined) ?? null,
    values: (field['values'] as string[] | undefined) ?? null,
    unique: (field['unique'] as boolean | undefined) ?? null,
  }
}

function readFields(written: unknown): FieldChoice[] | '*' {
  if (written === '*' || JSON.stringify(written) === '["*"]') return '*'
  if (!Array.isArray(written)) return []
  return written.map((field) => ({
    options: (field.alternatives ?? [field]).map(readField),
    optional: field.optional === true,
  }))
}

function readPath({ path, fields }: WrittenPath): Path {
  const parts = path.match(/"(?:[^"]|"")*"|[^."]+/g) ?? []
  return {
    schema: identifier(parts[0] ?? ''),
    relation: parts[1] === '*' ? null : identifier(parts[1] ?? ''),
    fields: readFields(fields),
  }
}

/** Each way to choose among the options of a path: it holds if one of them does. */
export function waysOf({ schema, relation, fields }: Path): ChosenPath[] {
  if (fields === '*') return [{ schema, relation, fields }]
  const chosen = fields.reduce<ChosenField[][]>(
    (ways, { options, optional }) =>
      ways.flatMap((way) =>
        options.map((field) => {
          const others = options.filter((one) => one !== field).map(({ name }) => name)
          return [...way, { field, others, optional }]
        }),
      ),
    [[]],
  )
  return chosen.map((way) => ({ schema, relation, fields: way }))
}

export function readDocument(document: Document): Match[] {
  return document.match.map((match) => ({
    paths: 'alternatives' in match ? match.alternatives.map(readPath) : [readPath(match)],
    optional: match.optional === true,
    access: new Set(match.access ?? ['select']),
  }))
}
