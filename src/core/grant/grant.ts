/**
 * Grants: what to move so that a stakeholder's own privileges are exactly its claims.
 *
 * Column by column, and only the difference. A table-level privilege would make every column REVOKE void, so when
 * claims are declared or repaired, whatever else the role itself holds on a claimed relation is taken away first.
 */
import {
  type Access,
  type CatalogIndex,
  groupBy,
  keyOf,
  numbersOf,
  type Privilege,
  privileges,
  type Relation,
  sequenceAccess,
  whole,
} from '../catalog/catalog.ts'
import { type Expansion, nothing, type Wanted } from '../claim/expand.ts'
import type { Mode } from '../claim/problem.ts'

interface PrivilegeOn {
  privilege: Privilege | 'usage'
  /** Names; none for the object as a whole. */
  columns: string[]
}

/** One step for `integratedb._apply_grants()`. */
export interface GrantStep {
  stakeholder: string
  object: 'table' | 'sequence'
  schema: string
  name: string
  /** Take away all privileges on it first. */
  revoke_all: boolean
  revoke: PrivilegeOn[]
  grant: PrivilegeOn[]
  /** Grant usage of the schema. */
  usage: boolean
}

function stepOn(stakeholder: string, object: GrantStep['object'], { schema, name }: { schema: string; name: string }): GrantStep {
  return { stakeholder, object, schema, name, revoke_all: false, revoke: [], grant: [], usage: false }
}

/** What one claim wants of one relation. */
interface Share {
  stakeholder: string
  relation: Relation
  /** What it speaks of: only that is ours to move when a migration is judged. */
  access: readonly Privilege[]
  wanted: Wanted
  lost: Expansion['lost']
  usage_revoked: boolean
}

function sharesOf({ before, relation, wanted, lost, usage_revoked }: Expansion, catalog: CatalogIndex): Share[] {
  const { stakeholder, access, relid } = before
  const shares = relation === null ? [] : [{ stakeholder, relation, access, wanted, lost, usage_revoked }]
  // A relation that gave its name to another (rename plus view) keeps nothing of what was granted under it.
  const earlier = catalog.withId(relid)
  return earlier === undefined
    ? shares
    : [...shares, { stakeholder, relation: earlier, access, wanted: nothing, lost: nothing, usage_revoked: false }]
}

/** Usage of the sequences that defaults call. What is no longer wanted: `_release_usage.sql`. */
function sequenceSteps(stakeholder: string, { writes }: Relation, access: Access, wanted: readonly number[]): GrantStep[] {
  return (writes?.sequences ?? [])
    .filter(({ id, grantable }) => {
      const { granted, effective } = sequenceAccess(access, id)
      return wanted.includes(id) && grantable && !granted && !(access.owner && effective)
    })
    .map((sequence) => ({ ...stepOn(stakeholder, 'sequence', sequence), grant: [{ privilege: 'usage', columns: [] }] }))
}

/** The steps for one relation, from what all the claims of a stakeholder want of it. */
function relationSteps(shares: readonly [Share, ...Share[]], isUsageRevoked: boolean, catalog: CatalogIndex, mode: Mode): GrantStep[] {
  const [{ stakeholder, relation }] = shares
  const access = catalog.accessOf(stakeholder, relation)
  if (!access.has_role) return []
  // Where the installation may not grant it may not revoke either: Postgres would stop the migration with an error.
  const isOurs = relation.grantable && !access.owner
  const step = stepOn(stakeholder, 'table', relation)
  // A migration is not the moment to take away what somebody granted by hand: whoever runs it has nothing to do with that.
  step.revoke_all = access.surplus && isOurs && mode !== 'judge'
  let isGranted = false
  for (const privilege of privileges) {
    const held = new Set(numbersOf(access.granted, privilege))
    const lost = new Set(shares.flatMap((share) => share.lost[privilege]))
    const needed = new Set(shares.flatMap(({ wanted }) => wanted[privilege]).filter((num) => !lost.has(num)))
    const isSpokenOf = mode !== 'judge' || privilege === 'select' || shares.some((share) => share.access.includes(privilege))
    const add = (to: PrivilegeOn[], is: (num: number) => boolean): void => {
      const columns = relation.columns.filter(({ num }) => is(num)).map(({ name }) => name)
      if (privilege === 'delete' ? is(whole) : columns.length > 0) to.push({ privilege, columns })
    }
    if (isOurs && !step.revoke_all && isSpokenOf) add(step.revoke, (num) => held.has(num) && !needed.has(num))
    if (isOurs) add(step.grant, (num) => needed.has(num) && (step.revoke_all || !held.has(num)))
    isGranted ||= [...needed].some((num) => relation.grantable || access.owner || held.has(num))
  }
  step.usage = isGranted && !access.usage_granted && !access.schema_owner && !isUsageRevoked && relation.schema_grantable
  const isIdle = !step.revoke_all && step.revoke.length === 0 && step.grant.length === 0 && !step.usage
  const sequences = shares.flatMap(({ wanted }) => wanted.sequences)
  return [...(isIdle ? [] : [step]), ...sequenceSteps(stakeholder, relation, access, sequences)]
}

/** The steps for every relation of these expansions; all of a stakeholder's claims on a relation must be among them. */
export function grantSteps(expansions: readonly Expansion[], catalog: CatalogIndex, mode: Mode): GrantStep[] {
  const shares = expansions.flatMap((expansion) => sharesOf(expansion, catalog))
  const byRelation = groupBy(shares, ({ stakeholder, relation }) => keyOf(stakeholder, relation.id))
  // Of a schema as a whole: another relation in it is no reason to grant it again.
  const place = ({ stakeholder, relation }: Share): string => keyOf(stakeholder, relation.schema_id)
  const revoked = new Set(shares.filter(({ usage_revoked }) => usage_revoked).map(place))
  return [...byRelation.values()].flatMap((ofOne) => relationSteps(ofOne, revoked.has(place(ofOne[0])), catalog, mode))
}

/** The steps that take away what earlier claims gave and the new ones do not ask for. Schemas and sequences: `_release_usage.sql`. */
export function revokeSteps(
  stakeholder: string,
  previous: readonly Relation[],
  expansions: readonly Expansion[],
  catalog: CatalogIndex,
): GrantStep[] {
  const kept = new Set(expansions.map(({ relation }) => relation?.id))
  return previous
    .filter((relation) => {
      const { owner, surplus, granted } = catalog.accessOf(stakeholder, relation)
      const isGranted = surplus || privileges.some((privilege) => numbersOf(granted, privilege).length > 0)
      return !kept.has(relation.id) && !owner && isGranted
    })
    .map((relation) => ({ ...stepOn(stakeholder, 'table', relation), revoke_all: true }))
}
