// A catalogue in a few words, and what the core answers to it, as the database would ask.

import type { Access, Catalog, Column, Relation } from '../../src/core/catalog/catalog.ts'
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

/** `2 total numeric(10,2) not null`: number, name, type, and whether it may be null. */
function column(text: string): Column {
  const [, num = '', name = '', type = '', notNull] = /^(\d+) (\S+) (.+?)( not null)?$/.exec(text) ?? []
  return { num: Number(num), name, ...typeOf(type), nullable: notNull === undefined }
}

export function relation(id: number, path: string, columns: string[], more: Partial<Relation> = {}): Relation {
  const [schema = '', name = ''] = path.split('.')
  const schema_id = schema === 'public' ? 2200 : 1000 + schema.length
  const own = { owner: 'postgres', grantable: true, schema_grantable: true, in_wildcard: true }
  return { id, schema, schema_id, name, kind: 'r', ...own, columns: columns.map(column), ...more }
}

function accessTo({ id }: Relation, stakeholder: string): Access {
  const none = {
    has_role: true,
    owner: false,
    granted: [],
    readable: [],
    surplus: false,
    usage_granted: false,
    usage: false,
    schema_owner: false,
  }
  return { stakeholder, relation: id, ...none }
}

/** Relations on which nobody was granted anything. */
export function catalogOf(relations: Relation[], stakeholders: string[] = ['reporter']): Catalog {
  return { relations, access: stakeholders.flatMap((stakeholder) => relations.map((each) => accessTo(each, stakeholder))) }
}

/** What Postgres would say after these steps. */
export function granted(catalog: Catalog, steps: readonly GrantStep[]): Catalog {
  const after: Catalog = structuredClone(catalog)
  for (const step of steps) {
    for (const access of after.access.filter(({ stakeholder }) => stakeholder === step.stakeholder)) {
      const relation = after.relations.find(({ id }) => id === access.relation)
      if (relation?.schema !== step.schema) continue
      if (step.usage || (step.relation === null && step.revoke_all)) {
        access.usage_granted = step.usage
        access.usage = step.usage || access.schema_owner
      }
      if (relation.name !== step.relation) continue
      const numbers = (names: readonly string[]) => relation.columns.filter(({ name }) => names.includes(name)).map(({ num }) => num)
      const kept = step.revoke_all ? [] : access.granted.filter((num) => !numbers(step.revoke).includes(num))
      access.granted = [...new Set([...kept, ...numbers(step.grant)])].sort((a, b) => a - b)
      access.readable = access.owner ? relation.columns.map(({ num }) => num) : access.granted
      if (step.revoke_all) access.surplus = false
    }
  }
  return after
}

/** The same grants on other relations: who has the number of a column keeps what was granted on it. */
export function migrated(catalog: Catalog, relations: Relation[]): Catalog {
  const before = new Map(catalog.access.map((access) => [JSON.stringify([access.stakeholder, access.relation]), access]))
  const schemas = new Map(catalog.relations.map(({ id, schema }) => [id, schema]))
  const access = [...new Set(['reporter', ...catalog.access.map(({ stakeholder }) => stakeholder)])].flatMap((stakeholder) =>
    relations.map((relation): Access => {
      const nums = new Set(relation.columns.map(({ num }) => num))
      const old = before.get(JSON.stringify([stakeholder, relation.id])) ?? accessTo(relation, stakeholder)
      const inSchema = catalog.access.find((each) => each.stakeholder === stakeholder && schemas.get(each.relation) === relation.schema)
      const { usage, usage_granted, schema_owner } = inSchema ?? accessTo(relation, stakeholder)
      const keep = (numbers: number[]) => numbers.filter((num) => nums.has(num))
      return { ...old, usage, usage_granted, schema_owner, granted: keep(old.granted), readable: keep(old.readable) }
    }),
  )
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
