/** What the stakeholders of a replay claim, made from what is there; and how they give up what a migration breaks. */
import type { Catalogue, Column, Relation } from '../support/oracle/catalogue.ts'
import type { Access, Document } from '../support/oracle/document.ts'

export interface Finding {
  code: string
  severity: string
  stakeholder: string
  path: string
  field: string | null
  expected: string | null
  actual: string | null
  message: string
}

interface FieldClaim {
  name: string
  type?: string | string[]
  optional?: boolean
  is_nullable?: boolean
  unique?: boolean
  values?: string[]
}

interface PathClaim {
  path: string
  /** `all`: `"*"` is written; else these. */
  all: boolean
  fields: FieldClaim[]
  /** One of each pair has to hold. */
  alternatives: [string, string][]
  optional: boolean
  access: Access[]
}

export interface Claims {
  stakeholder: string
  /** `schema.*` stands for the paths of that schema. */
  wildcard: boolean
  paths: Map<string, PathClaim>
}

export const STAKEHOLDERS = ['watcher', 'named', 'loose', 'writer'] as const
export type Stakeholder = (typeof STAKEHOLDERS)[number]

/** What is an application's own, or an extension's, nobody claims; partitions go with their parents. */
function claimable(catalogue: Catalogue): Relation[] {
  return [...catalogue.relations.values()].filter(
    ({ schema, isPartition, isOfExtension }) => !isPartition && !isOfExtension && !(STAKEHOLDERS as readonly string[]).includes(schema),
  )
}

export function claimsOf(stakeholder: Stakeholder, catalogue: Catalogue): Claims {
  const paths = new Map<string, PathClaim>()
  for (const { name: path, columns, kind } of claimable(catalogue)) {
    if (columns.length === 0) continue
    const isWritable = kind === 'r' || kind === 'p' || kind === 'f'
    const access: Access[] = stakeholder === 'writer' && isWritable ? ['select', 'insert', 'update', 'delete'] : ['select']
    const fields = columns.map((column) => fieldOf(stakeholder, column))
    paths.set(path, { path, all: stakeholder === 'watcher', fields, alternatives: [], optional: stakeholder === 'loose', access })
  }
  if (stakeholder === 'loose') {
    // The two last columns of a relation stand in for each other.
    for (const claim of paths.values()) {
      if (claim.fields.length < 3) continue
      const [one, other] = claim.fields.splice(-2)
      if (one !== undefined && other !== undefined) claim.alternatives.push([one.name, other.name])
    }
  }
  return { stakeholder, wildcard: stakeholder === 'watcher', paths }
}

function fieldOf(stakeholder: Stakeholder, { name, type }: Column): FieldClaim {
  if (stakeholder === 'named') return { name, type }
  return stakeholder === 'loose' ? { name, optional: true } : { name }
}

export function documentOf({ wildcard, paths }: Claims): Document {
  if (wildcard) {
    const schemas = new Set([...paths.keys()].map((path) => path.replace(/\.("([^"]|"")*"|[^."]*)$/, '')))
    return { match: [...schemas].map((schema) => ({ path: `${schema}.*`, fields: '*' })) }
  }
  return {
    match: [...paths.values()].map(({ path, all, fields, alternatives, optional, access }) => ({
      path,
      fields: all
        ? '*'
        : [
            ...fields.map((field) => (Object.keys(field).length === 1 ? field.name : field)),
            ...alternatives.map((names) => ({ alternatives: names })),
          ],
      ...(optional ? { optional } : {}),
      ...(access.length > 1 ? { access } : {}),
    })),
  }
}

/** What a column's type was and will be. null: it is not there, or a type that the migration makes, and so cannot be claimed before it. */
function typesOf(
  path: string,
  field: string,
  before: Catalogue,
  after: Catalogue,
): { typeBefore: string | null; typeAfter: string | null } {
  const typeIn = ({ relations }: Catalogue) => relations.get(path)?.columns.find(({ name }) => name === field)?.type ?? null
  const typeAfter = typeIn(after)
  const base = typeAfter?.replace(/(\[\])+$/, '') ?? ''
  const isNew = after.types.byName.has(base) && !before.types.byName.has(base)
  return { typeBefore: typeIn(before), typeAfter: isNew ? null : typeAfter }
}

/** Without what breaks: as an application would, before the migration comes. */
export function giveUp(claims: Claims, findings: readonly Finding[], before: Catalogue, after: Catalogue): Claims {
  const paths = new Map([...claims.paths].map(([path, claim]) => [path, structuredClone(claim)]))
  for (const { code, path, field } of findings) {
    const claim = paths.get(path)
    if (claim === undefined) continue
    const drop = (kind: Access) => {
      claim.access = claim.access.filter((access) => access !== kind)
    }
    if (code === 'IDB211' || code === 'IDB214') drop('insert')
    else if (field === null && code === 'IDB213') claim.access = ['select']
    else if (code === 'IDB302') claim.access = ['select']
    else if (field === null || code.startsWith('IDB1') || code === 'IDB402') paths.delete(path)
    else giveUpField(claim, code, field, claims.stakeholder, typesOf(path, field, before, after))
    if (!claim.all && claim.fields.length + claim.alternatives.length === 0) paths.delete(path)
  }
  return { ...claims, wildcard: false, paths }
}

/** The whole relations: for when less was not enough. */
export function withoutPaths(claims: Claims, findings: readonly Finding[]): Claims {
  const gone = new Set(findings.map(({ path }) => path))
  return { ...claims, wildcard: false, paths: new Map([...claims.paths].filter(([path]) => !gone.has(path))) }
}

function giveUpField(
  claim: PathClaim,
  code: string,
  name: string,
  stakeholder: string,
  { typeBefore, typeAfter }: ReturnType<typeof typesOf>,
): void {
  claim.all = false
  claim.alternatives = claim.alternatives.filter((names) => !names.includes(name))
  const field = claim.fields.find((candidate) => candidate.name === name)
  if (field === undefined) return
  if (code === 'IDB205') field.is_nullable = true
  else if (code === 'IDB301') field.unique = false
  else if (code === 'IDB303') field.values = []
  else if (stakeholder === 'writer' && (code === 'IDB201' || code === 'IDB202')) field.optional = true
  else if (code === 'IDB203' && stakeholder !== 'loose' && typeAfter !== null && typeBefore !== null) field.type = [typeBefore, typeAfter]
  else {
    claim.fields = claim.fields.filter((candidate) => candidate !== field)
    // The column may have to be filled.
    if (code !== 'IDB212') claim.access = claim.access.filter((access) => access !== 'insert')
  }
}
