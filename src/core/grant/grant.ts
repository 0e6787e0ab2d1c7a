/**
 * Grants: what to move so that a stakeholder's own privileges are exactly its claims.
 *
 * Column by column, and only the difference. A table-level privilege would make every column REVOKE void, so when
 * claims are declared or repaired, whatever else the role itself holds on a claimed relation is taken away first.
 */
import type { CatalogIndex, Column, Relation } from '../catalog/catalog.ts'
import type { Expansion, Mode } from '../claim/expand.ts'

/** One step for `integratedb._apply_grants()`. */
export interface GrantStep {
  stakeholder: string
  schema: string
  relation: string
  /** Take away all privileges on the relation first. */
  revoke_all: boolean
  revoke: string[]
  grant: string[]
  /** Grant usage of the schema. */
  usage: boolean
}

interface Wanted {
  stakeholder: string
  relation: Relation
  columns: Map<number, Column>
  usage_revoked: boolean
}

function wantedByRelation(expansions: readonly Expansion[], catalog: CatalogIndex): Wanted[] {
  const all = new Map<string, Wanted>()
  const want = (stakeholder: string, relation: Relation | null | undefined, columns: readonly Column[], usage_revoked: boolean): void => {
    if (relation === null || relation === undefined) return
    const key = JSON.stringify([stakeholder, relation.id])
    const wanted = all.get(key) ?? { stakeholder, relation, columns: new Map(), usage_revoked: false }
    wanted.usage_revoked ||= usage_revoked
    for (const column of columns) wanted.columns.set(column.num, column)
    all.set(key, wanted)
  }
  for (const { before, relation, columns, usage_revoked } of expansions) {
    want(before.stakeholder, relation, columns, usage_revoked)
    // A relation that gave its name to another (rename plus view) keeps nothing of what was granted under it.
    want(before.stakeholder, catalog.withId(before.relid), [], false)
  }
  return [...all.values()]
}

/** The steps for every relation of these expansions; all of a stakeholder's claims on a relation must be among them. */
export function grantSteps(expansions: readonly Expansion[], catalog: CatalogIndex, mode: Mode): GrantStep[] {
  const steps: GrantStep[] = []
  for (const { stakeholder, relation, columns, usage_revoked } of wantedByRelation(expansions, catalog)) {
    const access = catalog.accessOf(stakeholder, relation)
    if (access.owner || !access.has_role) continue
    const granted = new Set(access.granted)
    // Where the installation may not grant it may not revoke either: Postgres would stop the migration with an error.
    // And a migration is not the moment to take away what somebody granted by hand: whoever runs it has nothing to do with that.
    const revoke_all = access.surplus && relation.grantable && mode !== 'judge'
    const wanted = [...columns.values()].filter((column) => relation.grantable || granted.has(column.num))
    const unwanted = relation.columns.filter((column) => granted.has(column.num) && !columns.has(column.num))
    const step: GrantStep = {
      stakeholder,
      schema: relation.schema,
      relation: relation.name,
      revoke_all,
      revoke: revoke_all || !relation.grantable ? [] : unwanted.map((column) => column.name),
      grant: wanted.filter((column) => revoke_all || !granted.has(column.num)).map((column) => column.name),
      usage: wanted.length > 0 && !access.usage_granted && !access.schema_owner && !usage_revoked && relation.schema_grantable,
    }
    if (step.revoke_all || step.revoke.length > 0 || step.grant.length > 0 || step.usage) steps.push(step)
  }
  return steps
}

/** The steps that take away what earlier claims gave and the new ones do not ask for. Schemas: `_release_usage.sql`. */
export function revokeSteps(
  previous: readonly { stakeholder: string; relation: Relation }[],
  expansions: readonly Expansion[],
  catalog: CatalogIndex,
): GrantStep[] {
  const steps: GrantStep[] = []
  const kept = new Set(expansions.map(({ relation }) => relation?.id))
  for (const { stakeholder, relation } of previous) {
    const access = catalog.accessOf(stakeholder, relation)
    if (!kept.has(relation.id) && !access.owner && (access.surplus || access.granted.length > 0)) {
      steps.push({ stakeholder, schema: relation.schema, relation: relation.name, revoke_all: true, revoke: [], grant: [], usage: false })
    }
  }
  return steps
}
