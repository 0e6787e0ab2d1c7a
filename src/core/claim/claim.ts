/**
 * A claim: what one path of a specification expands to on one relation. One row of `integratedb.claim`,
 * with the same keys.
 *
 * Whatever was *declared* comes from the document; whatever was *observed* was read from the catalogue when
 * the claim was made and is read again after each accepted migration, so that it only ever ratchets forward.
 */
import type { Column } from '../catalog/catalog.ts'
import type { Type } from '../catalog/type.ts'
import { formatPath } from '../specification/path.ts'

/**
 * met:    it is there and as claimed.
 * unmet:  it is not, and should be.
 * absent: it is not there and need not be: optional, or one of several alternatives.
 */
type Status = 'met' | 'unmet' | 'absent'

export interface ClaimedField {
  name: string
  /** Index in the document's `fields`; null if it came with "*". */
  field: number | null
  /** Index in the field's `alternatives`; null if it has none. */
  alternative: number | null
  optional: boolean
  /** Declared. */
  types: Type[]
  min_length: number | null
  is_nullable: boolean | null
  /** The column as it was when last met; null before that. */
  observed: Omit<Column, 'name'> | null
  /** Its privilege was revoked by somebody; only `sync()` and `set_claims` grant it again. */
  revoked: boolean
  status: Status
}

export interface Claim {
  stakeholder: string
  /** Index in the document's `match`, and in that match's `alternatives` (null if it has none). */
  match: number
  alternative: number | null
  schema_name: string
  /** '' stands for the wildcard itself, beside a claim for each relation that it expands to. */
  relation_name: string
  optional: boolean
  access: string[]
  all_fields: boolean
  fields: ClaimedField[]
  /** The relation and its schema as last met; null before that. */
  relid: number | null
  schema_id: number | null
  /** Of the relation: exists, is readable as such. Fields have their own. */
  status: Status
}

export function isWildcard(claim: Claim): boolean {
  return claim.relation_name === ''
}

export function pathOf(claim: Claim): string {
  return formatPath(claim.schema_name, isWildcard(claim) ? null : claim.relation_name)
}

/** One field of a claim: a name alone may stand in several places of a document. */
export function fieldKey({ field, alternative, name }: ClaimedField): string {
  return JSON.stringify([field, alternative, name])
}

/** Fields that stand for each other: the alternatives of one entry of the document, or a single field. */
export function fieldGroups(claim: Claim): ClaimedField[][] {
  const groups: ClaimedField[][] = []
  const byField = new Map<number, ClaimedField[]>()
  for (const field of claim.fields) {
    const group = field.field === null ? undefined : byField.get(field.field)
    if (group !== undefined) group.push(field)
    else {
      const started = [field]
      groups.push(started)
      if (field.field !== null) byField.set(field.field, started)
    }
  }
  return groups
}

/** Is there one that is met, or need there be none? */
export function isGroupMet(group: readonly ClaimedField[]): boolean {
  return group.some((field) => field.status === 'met') || group.every((field) => field.optional && field.status === 'absent')
}

function isMet(claim: Claim): boolean {
  return claim.status === 'met' && fieldGroups(claim).every(isGroupMet)
}

/**
 * Met as an alternative: every row of it holds, and it has one other than the wildcard's own, which is not told
 * when the last of its relations has gone.
 */
export function metAlternatives(claims: readonly Claim[]): Set<number> {
  const met = new Set(claims.filter((claim) => !isWildcard(claim)).map((claim) => claim.alternative))
  for (const claim of claims) if (!isMet(claim)) met.delete(claim.alternative)
  return new Set([...met].filter((alternative) => alternative !== null))
}
