/**
 * A claim: what one path of a specification expands to on one relation. One row of `integratedb.claim`,
 * with the same keys.
 *
 * Whatever was *declared* comes from the document; whatever was *observed* was read from the catalogue when
 * the claim was made and is read again after each accepted migration, so that it only ever ratchets forward.
 */
import { type Access, type Column, groupBy, keyOf, type Marks, type Privilege } from '../catalog/catalog.ts'
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
  values: string[] | null
  unique: boolean | null
  /** The column as it was when last met; null before that. */
  observed: Omit<Column, 'name'> | null
  /** Its privilege was revoked by somebody; only `sync()` and `set_claims` grant it again. */
  revoked: boolean
  status: Status
}

/** The relation as it was when the claim was last met. */
interface ObservedRelation {
  /** The stakeholder's own: then privileges on it were never granted. */
  owner: boolean
  unpopulated?: true
  definition?: Marks
  rows?: NonNullable<Access['rows']>
  /** What obstacles keep from being written ever since a wildcard found it so: privileges, and privileges on columns. */
  tolerated?: readonly string[]
  /** Null: it takes inserts, but of no column that is claimed. */
  insert?: boolean | null
  update?: boolean
  delete?: boolean
  /** The privilege was revoked by somebody. */
  delete_revoked?: true
  without_partition?: true
  constraints?: readonly Marks[]
  triggers?: readonly Marks[]
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
  access: Privilege[]
  all_fields: boolean
  fields: ClaimedField[]
  /** The relation and its schema as last met; null before that. */
  relid: number | null
  schema_id: number | null
  observed: ObservedRelation | null
  /** Oids of what is behind it (Relation): a migration of that concerns the claim too. */
  behind: number[]
  /** Oids of the sequences that it was given the usage of. */
  sequences: number[]
  /** Of the relation: exists, is readable as such. Fields have their own. */
  status: Status
}

/**
 * The same, in whatever order the keys are. A stored claim's come back in jsonb's order, and what is made of it keeps that,
 * so that the engine's own JSON tells nearly always: key by key, it would be half of what a migration costs.
 */
export function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other) || isEqualByKey(one, other)
}

function isEqualByKey(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const keys = Object.keys(one)
  const members = [one, other] as [Record<string, unknown>, Record<string, unknown>]
  return keys.length === Object.keys(other).length && keys.every((key) => isEqualByKey(members[0][key], members[1][key]))
}

/** Does it do more than read? */
export function isWriter({ access }: Claim): boolean {
  return access.some((privilege) => privilege !== 'select')
}

export function isWildcard(claim: Claim): boolean {
  return claim.relation_name === ''
}

export function pathOf(claim: Claim): string {
  return formatPath(claim.schema_name, isWildcard(claim) ? null : claim.relation_name)
}

/** One field of a claim: a name alone may stand in several places of a document. */
export function fieldKey({ field, alternative, name }: ClaimedField): string {
  return keyOf(field, alternative, name)
}

/** Fields that stand for each other: the alternatives of one entry of the document, or a single field. */
export function fieldGroups({ fields }: Claim): ClaimedField[][] {
  return [...groupBy(fields, ({ field, name }) => field ?? name).values()]
}

/** What they remember of the database: nothing. */
export const newField = { observed: null, revoked: false, status: 'absent' } as const
export const newClaim = {
  relid: null,
  schema_id: null,
  observed: null,
  behind: [],
  sequences: [],
  status: 'absent',
} satisfies Partial<Claim>

function needNotBe({ optional, status }: { optional: boolean; status: Status }): boolean {
  return optional && status === 'absent'
}

/** Is there one that is met, or need there be none? */
export function isGroupMet(group: readonly ClaimedField[]): boolean {
  return group.some(({ status }) => status === 'met') || group.every(needNotBe)
}

/**
 * Met as an alternative: every row of it holds, and it has one other than the wildcard's own, which is not told
 * when the last of its relations has gone. What came into a wildcard later and never held (a view that nobody may
 * read) takes nothing from the others.
 */
export function metAlternatives(claims: readonly Claim[], isDeclared = false): Set<number | null> {
  const wildcards = new Set(claims.filter(isWildcard).map(({ alternative }) => alternative))
  const neverHeld = ({ alternative, status, observed }: Claim): boolean =>
    !isDeclared && wildcards.has(alternative) && status === 'unmet' && observed === null
  const counted = claims.filter((claim) => !neverHeld(claim))
  const met = new Set(counted.filter((claim) => !isWildcard(claim)).map(({ alternative }) => alternative))
  for (const claim of counted) if (claim.status !== 'met' || !fieldGroups(claim).every(isGroupMet)) met.delete(claim.alternative)
  return met
}

/** Of the alternatives of a match: is there one that is met, or need there be none? */
export function isMatchMet(claims: readonly Claim[], isDeclared = false): boolean {
  return metAlternatives(claims, isDeclared).size > 0 || claims.every((claim) => needNotBe(claim) || (isWildcard(claim) && claim.optional))
}
