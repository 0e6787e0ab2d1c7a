/** What the parts of an expansion have in common: whose claim of which relation, and what does not fit. */
import type { Access, Privilege, Relation } from '../catalog/catalog.ts'
import type { FindingCode } from '../errors.ts'
import type { Claim, ClaimedField } from './claim.ts'

/**
 * declare: the claim is being made; what is missing will be granted.
 * judge:   a migration ran; a privilege that was there before and is gone was revoked by it.
 * sync:    repair after a restore or unseen DDL; remembered oids mean nothing, what is missing will be granted.
 * inspect: report only; what cannot be read now is a problem, whoever caused it.
 */
export type Mode = 'declare' | 'judge' | 'sync' | 'inspect'

/** Something that does not fit, before anyone has decided how bad that is. */
export interface Problem {
  code: FindingCode
  /** Missing: the relation itself. */
  field?: ClaimedField
  /** Of a problem with the relation: the column that it is about, claimed or not. */
  column?: string
  expected?: string | null
  actual?: string | null
  message: string
  /** The claim holds all the same; who made it may want to know. */
  is_warning?: true
}

export function isBreaking({ is_warning }: Problem): boolean {
  return !is_warning
}

/** A claim and the relation that it is of. */
export interface Subject {
  claim: Claim
  relation: Relation
  access: Access
  mode: Mode
  /** Did the migration grant or revoke anything? If not, nobody took a privilege away that is gone: it went with an owner. */
  has_privileges: boolean
  /** Will the stakeholder be granted this privilege on this column (any column)? null: nothing is granted or revoked there. */
  isGiven: (stakeholder: string, relation: number, privilege: Privilege, column?: number) => boolean | null
}

/** A privilege that was granted and is gone: did somebody take it away? wasRevoked: it was gone before. */
export function isRevoked({ claim, relation, mode, has_privileges }: Subject, wasRevoked: boolean): boolean {
  // Not of another relation that took the name.
  const isSameRelation = mode === 'judge' && claim.relid === relation.id
  // Postgres merges an owner's privileges: they were never granted.
  return isSameRelation && !claim.observed?.owner && (has_privileges || wasRevoked)
}
