// A catalogue in a few words, and what the core answers to it, as the database would ask.

import type { Access, Catalog, Column, Relation, RowFilter, Writes } from '../../src/core/catalog/catalog.ts'
import type { Type } from '../../src/core/catalog/type.ts'
import type { Claim } from '../../src/core/claim/claim.ts'
import type { Failure } from '../../src/core/errors.ts'
import type { GrantStep } from '../../src/core/grant/grant.ts'
import { type Judgement, operate } from '../../src/core/index.ts'
import type { Finding } from '../../src/core/migration/finding.ts'
import type { MatchSpecification } from '../../src/core/specification/document.ts'

/** `numeric(10,2)` as integratedb._catalog() gives it. */
export function typeOf(type: string): Type {
  const [, base = type, first, second] = /^(.*)\((\d+)(?:,(-?\d+))?\)$/.exec(type) ?? []
  const bits: Record<string, number> = { smallint: 16, integer: 32, bigint: 64 }
  const length = first === undefined ? (bits[type] ?? null) : Number(first)
  return { type, base, length, scale: base === 'numeric' && first !== undefined ? Number(second ?? 0) : null, content: null }
}

/** `2 total numeric(10,2) not null unique default`: number, name, type, may it be null, is it unique, and what it fills itself with. */
function wordsOf(text: string): { column: Column; filling: string | undefined } {
  const [, num = '', name = '', type = '', notNull, unique, filling] =
    /^(\d+) (\S+) (.+?)( not null)?( unique)?(?: (default|identity|always|generated))?$/.exec(text) ?? []
  const column: Column = { num: Number(num), name, ...typeOf(type), nullable: notNull === undefined }
  return { column: unique === undefined ? column : { ...column, unique: true }, filling }
}

export function relation(id: number, path: string, columns: string[], more: Partial<Relation> = {}): Relation {
  const [schema = '', name = ''] = path.split('.')
  const schema_id = schema === 'public' ? 2200 : 1000 + schema.length
  const own = { owner: 'postgres', grantable: true, schema_grantable: true, in_wildcard: true }
  const { kind = 'r' } = more
  // Of others than tables nobody knows what is unique.
  const told = columns.map((each) => ('rp'.includes(kind) ? { unique: false, ...wordsOf(each).column } : wordsOf(each).column))
  return { id, schema, schema_id, name, kind, ...own, columns: told, ...more }
}

/** A relation that somebody claims to write: the catalogue tells more of it. */
export function writable(
  id: number,
  path: string,
  columns: string[],
  writes: Partial<Writes> = {},
  more: Partial<Relation> = {},
): Relation {
  const can = { insert: true, update: true, delete: true, ...writes }
  const told = columns.map(wordsOf).map(({ column: { num, nullable }, filling }) => {
    const isWritable = filling !== 'always' && filling !== 'generated'
    const { insert, update } = { insert: can.insert && isWritable, update: can.update && isWritable }
    return { num, insert, update, accepts_null: nullable === true, update_null: nullable === true, fills_itself: filling !== undefined }
  })
  return relation(id, path, columns, { writes: { columns: told, constraints: [], triggers: [], sequences: [], ...can }, ...more })
}

/** The relation with more told of one of its columns. */
export function withColumn(of: Relation, name: string, more: Partial<Column>): Relation {
  return { ...of, columns: of.columns.map((column) => (column.name === name ? { ...column, ...more } : column)) }
}

/** Row level security of a relation, policies by what they say. */
export function rowFilter(path: string, permissive: string[], restrictive: string[] = []): RowFilter {
  return { marks: [path], path, permissive: permissive.map((each) => [each]), restrictive: restrictive.map((each) => [each]) }
}

function accessTo({ id, writes }: Relation, stakeholder: string): Access {
  const none = {
    has_role: true,
    owner: false,
    granted: {},
    effective: {},
    surplus: false,
    usage_granted: false,
    usage: false,
    schema_owner: false,
  }
  const sequences = writes?.sequences.map((sequence) => ({ id: sequence.id, granted: false, effective: false })) ?? []
  return { stakeholder, relation: id, ...none, ...(sequences.length === 0 ? {} : { sequences }) }
}

/** Relations on which nobody was granted anything. */
export function catalogOf(relations: Relation[], stakeholders: string[] = ['reporter']): Catalog {
  return { relations, access: stakeholders.flatMap((stakeholder) => relations.map((each) => accessTo(each, stakeholder))) }
}

/** With something else about the access to one of the relations. */
export function withAccess(catalog: Catalog, relation: number, access: Partial<Access>): Catalog {
  return { ...catalog, access: catalog.access.map((each) => (each.relation === relation ? { ...each, ...access } : each)) }
}

type Privileges = Access['granted']

/** As the catalogue tells of them: what there is nothing of is left out. */
function holding(select: number[], insert: number[], update: number[], mayDelete: boolean): Privileges {
  const columns = Object.entries({ select, insert, update }).filter(([, numbers]) => numbers.length > 0)
  return { ...Object.fromEntries(columns), ...(mayDelete ? { delete: true } : {}) }
}

function moved(held: Privileges, columns: readonly Column[], { revoke, grant }: GrantStep): Privileges {
  const numbersIn = (all: GrantStep['grant'], which: string) => {
    const names = all.filter(({ privilege }) => privilege === which).flatMap((each) => each.columns)
    return columns.filter(({ name }) => names.includes(name)).map(({ num }) => num)
  }
  const after = (which: 'select' | 'insert' | 'update') => {
    const kept = (held[which] ?? []).filter((num) => !numbersIn(revoke, which).includes(num))
    return [...new Set([...kept, ...numbersIn(grant, which)])].sort((a, b) => a - b)
  }
  const isDelete = ({ privilege }: { privilege: string }) => privilege === 'delete'
  const mayDelete = grant.some(isDelete) || (held.delete === true && !revoke.some(isDelete))
  return holding(after('select'), after('insert'), after('update'), mayDelete)
}

/** What Postgres would say after these steps. */
export function granted(catalog: Catalog, steps: readonly GrantStep[]): Catalog {
  const after: Catalog = structuredClone(catalog)
  for (const step of steps) {
    for (const access of after.access.filter(({ stakeholder }) => stakeholder === step.stakeholder)) {
      const relation = after.relations.find(({ id }) => id === access.relation)
      if (step.object === 'sequence') {
        const sequence = relation?.writes?.sequences.find(({ schema, name }) => schema === step.schema && name === step.name)
        for (const each of access.sequences ?? []) if (each.id === sequence?.id) each.granted = each.effective = true
        continue
      }
      if (relation?.schema !== step.schema) continue
      if (step.usage) access.usage_granted = access.usage = true
      if (relation.name !== step.name) continue
      access.granted = moved(step.revoke_all ? {} : access.granted, relation.columns, step)
      if (!access.owner) access.effective = access.granted
      if (step.revoke_all) access.surplus = false
    }
  }
  return after
}

/** The same grants on other relations: who has the number of a column keeps what was granted on it. */
export function migrated(catalog: Catalog, relations: Relation[]): Catalog {
  const before = new Map(catalog.access.map((access) => [JSON.stringify([access.stakeholder, access.relation]), access]))
  const schemas = new Map(catalog.relations.map(({ id, schema }) => [id, schema]))
  const access = [...new Set(['reporter', ...catalog.access.map(({ stakeholder }) => stakeholder)])].flatMap((stakeholder) => {
    const ofStakeholder = catalog.access.filter((each) => each.stakeholder === stakeholder)
    const sequencesBefore = ofStakeholder.flatMap(({ sequences = [] }) => sequences)
    return relations.map((relation): Access => {
      const { sequences: fresh, ...none } = accessTo(relation, stakeholder)
      const nums = new Set(relation.columns.map(({ num }) => num))
      const old: Access = before.get(JSON.stringify([stakeholder, relation.id])) ?? none
      const inSchema = ofStakeholder.find((each) => schemas.get(each.relation) === relation.schema)
      const { usage, usage_granted, schema_owner } = inSchema ?? none
      const sequences = fresh?.map((each) => sequencesBefore.find(({ id }) => id === each.id) ?? each)
      const keep = ({ select = [], insert = [], update = [], ...of }: Privileges) => {
        const [reads, inserts, updates] = [select, insert, update].map((numbers) => numbers.filter((num) => nums.has(num)))
        return holding(reads ?? [], inserts ?? [], updates ?? [], of.delete === true)
      }
      const kept = { granted: keep(old.granted), effective: keep(old.effective) }
      const { sequences: _, ...whole } = { ...old, usage, usage_granted, schema_owner, ...kept }
      return sequences === undefined ? whole : { ...whole, sequences }
    })
  })
  return { relations, access }
}

/** What an operation answers. */
export function ask<T>(operation: string, input: unknown): { ok?: T; error?: Failure } {
  return JSON.parse(operate(operation, typeof input === 'string' ? input : JSON.stringify(input)))
}

export function ok<T>(operation: string, input: unknown): T {
  const { ok, error } = ask<T>(operation, input)
  if (ok === undefined) throw new Error(`${operation}: ${JSON.stringify(error)}`)
  return ok
}

export function failure(operation: string, input: unknown): Failure {
  const { ok, error } = ask(operation, input)
  if (error === undefined) throw new Error(`${operation} should have failed, and answered ${JSON.stringify(ok)}`)
  return error
}

/** What `set_claims` hands the core. */
export function declaration(match: unknown[], catalog: Catalog, previous: number[] = [], stakeholder = 'reporter'): object {
  const specification = ok<MatchSpecification[]>('read_specification', { match })
  const types = specification.flatMap(({ schema, fields }) =>
    (fields === '*' ? [] : fields).flatMap((field) =>
      field.types.map((spelling) => ({ schema, spelling, type: spelling === 'nonsense' ? null : typeOf(spelling) })),
    ),
  )
  return { stakeholder, specification, types, catalog, previous, installer: 'postgres' }
}

/** Claims that were declared on this catalogue, and the catalogue with their grants. */
export function claimed(match: unknown[], catalog: Catalog, stakeholder = 'reporter'): { claims: Claim[]; catalog: Catalog } {
  const { claims, grants } = ok<{ claims: Claim[]; grants: GrantStep[] }>('declare_claims', declaration(match, catalog, [], stakeholder))
  return { claims, catalog: granted(catalog, grants) }
}

export function judged(claims: Claim[], catalog: Catalog, siblings: Claim[] = []): Judgement {
  return ok('judge_migration', { claims, siblings, catalog })
}

/** The claims after a judgement: what it answers is what changed. */
export function updated(claims: readonly Claim[], changed: readonly Claim[]): Claim[] {
  const key = (claim: Claim) => JSON.stringify([claim.stakeholder, claim.match, claim.alternative, claim.schema_name, claim.relation_name])
  const all = new Map(claims.map((claim) => [key(claim), claim]))
  for (const claim of changed) all.set(key(claim), claim)
  return [...all.values()]
}

/** `breaking IDB201 public.orders.total` */
export function brief({ severity, code, path, field }: Finding): string {
  return `${severity} ${code} ${path}${field === null ? '' : `.${field}`}`
}
