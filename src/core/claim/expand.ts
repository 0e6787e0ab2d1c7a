/**
 * Expansion: a claim and the catalogue in, the claim as it is now out, with what does not fit.
 *
 * Relation-local on purpose: the expansion of one relation depends on that relation alone, so re-expanding
 * what a migration touched gives exactly what re-expanding everything would (SPEC.md).
 */
import {
  type CatalogIndex,
  type Column,
  type ColumnPrivilege,
  isClaimable,
  keepSame,
  keyOf,
  kindName,
  type Privilege,
  type Relation,
  whole,
} from '../catalog/catalog.ts'
import { formatPath, quoteName } from '../specification/path.ts'
import { type Claim, type ClaimedField, isWildcard, isWriter, newClaim, newField } from './claim.ts'
import { fieldProblems, missingColumn } from './field.ts'
import { privilegeProblem, privilegesOn, tablePrivileges, usageProblem } from './privilege.ts'
import { isBreaking, type Mode, type Problem, type Subject } from './problem.ts'
import { observe, relationProblems, requiredProblems } from './relation.ts'

/** What the stakeholder is to be able to do: on which columns, by their numbers; to delete: on the whole. */
export interface Wanted extends Readonly<Record<Privilege, readonly number[]>> {
  /** Oids of sequences that it is to use. */
  sequences: readonly number[]
}

export interface Expansion {
  before: Claim
  after: Claim
  relation: Relation | null
  problems: Problem[]
  /** What is not as it was, and breaks nothing. */
  changes: Problem[]
  wanted: Wanted
  /** Of what it was given, what somebody revoked: no other claim is a reason to grant that again. */
  lost: Omit<Wanted, 'sequences'>
  /** Somebody revoked usage of the schema; granting it again is not ours to decide. */
  usage_revoked: boolean
}

export const nothing: Wanted = { select: [], insert: [], update: [], delete: [], sequences: [] }

const columnsOf = (): Record<ColumnPrivilege, number[]> => ({ select: [], insert: [], update: [] })

/** An expansion that finds nothing to use. */
function without(before: Claim, after: Claim, problems: Problem[]): Expansion {
  return { before, after, relation: null, problems, changes: [], wanted: nothing, lost: nothing, usage_revoked: false }
}

function withoutMemory(claim: Claim): Claim {
  return { ...claim, ...newClaim, fields: claim.all_fields ? [] : claim.fields.map((field) => ({ ...field, ...newField })) }
}

function missingRelation({ relid, schema_name }: Claim, found: Relation | undefined, catalog: CatalogIndex): Problem {
  const isNew = relid === null
  if (found !== undefined) {
    const kind = kindName(found.kind)
    const one = `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
    return { code: 'IDB104', actual: kind, message: isNew ? `it is ${one}, which cannot be claimed` : `the name now belongs to ${one}` }
  }
  const moved = catalog.withId(relid)
  if (moved === undefined) return { code: 'IDB101', message: isNew ? 'there is no such relation' : 'the relation was dropped' }
  const { schema, name } = moved
  const actual = formatPath(schema, name)
  return schema === schema_name
    ? { code: 'IDB102', actual, message: `the relation was renamed to ${quoteName(name)}` }
    : { code: 'IDB103', actual, message: `the relation was moved to ${actual}` }
}

/** The claim of one relation as it is now. */
function expandClaim(before: Claim, catalog: CatalogIndex, circumstances: Circumstances, isOfWildcard: boolean): Expansion {
  const relation = catalog.named(before.schema_name, before.relation_name)
  if (relation === undefined || !isClaimable(relation)) {
    // Usage of the schema and of sequences is taken back with it, and comes back with it. What did not hold is not followed under another name.
    const after: Claim = mayBeAbsent(before)
      ? withoutMemory(before)
      : { ...before, relid: before.status === 'met' ? before.relid : null, schema_id: null, sequences: [], status: 'unmet' }
    return without(before, after, [missingRelation(before, relation, catalog)])
  }

  const subject: Subject = { ...circumstances, claim: before, relation, access: catalog.accessOf(before.stakeholder, relation) }
  const columnsByName = new Map(relation.columns.map((column) => [column.name, column]))
  const required = requiredProblems(subject, isOfWildcard)
  const found: Problem[] = []
  const [wanted, lost] = [columnsOf(), columnsOf()]
  // What nothing of the relation can be, is told of the relation.
  const possible = before.access.filter((privilege) => privilege === 'select' || relation.writes?.[privilege])

  const expandField = (field: ClaimedField): ClaimedField => {
    const column = columnsByName.get(field.name)
    if (column === undefined) {
      found.push(missingColumn(field, before, relation))
      return mayBeAbsent(field) ? { ...field, ...newField } : { ...field, status: 'unmet' }
    }
    const problems = fieldProblems(field, column, possible)
    let revoked = false
    for (const privilege of privilegesOn(column, before)) {
      const problem = privilegeProblem(subject, field, column, privilege)
      if (problem === null) wanted[privilege].push(column.num)
      else {
        revoked = true
        lost[privilege].push(column.num)
        problems.push(problem)
      }
    }
    const isUnmet = problems.some(isBreaking)
    // What is not as it was is told when it is taken as it is: not while something is broken.
    found.push(...problems.filter((problem) => !isUnmet || isBreaking(problem)).map((problem) => ({ ...problem, field })))
    if (isUnmet) return { ...field, revoked, status: 'unmet' }
    if (required.some((problem) => problem.column === field.name)) return { ...field, status: 'unmet' }
    return { ...field, observed: seen(column, field.observed, isWriter(before)), revoked: false, status: 'met' }
  }

  const known = new Set(before.fields.map(({ name }) => name))
  const added = before.all_fields ? relation.columns.filter(({ name }) => !known.has(name)) : []
  const fields = [...before.fields, ...added.map(({ name }) => fieldOf(name))].map(expandField)

  const used = fields.map(({ name }) => columnsByName.get(name)).filter((column) => column !== undefined)
  const deletes = used.length > 0 && possible.includes('delete')
  const isUsed = deletes || used.some((column) => privilegesOn(column, before).length > 0)
  const usage = isUsed ? usageProblem(subject) : null
  const ofTable = tablePrivileges(subject, deletes, wanted.insert.length > 0)
  const ofRelation = [...(usage ? [usage] : []), ...relationProblems(subject, isOfWildcard), ...required, ...ofTable.problems]
  const isUnmet = ofRelation.some(isBreaking)
  const after: Claim = {
    ...before,
    fields,
    relid: relation.id,
    schema_id: relation.schema_id,
    observed: isUnmet ? withRevoked(before.observed, ofTable.delete_revoked) : observe(subject, deletes, isOfWildcard),
    behind: [...(relation.behind ?? []), ...((isWriter(before) && relation.writes?.behind) || [])],
    sequences: ofTable.remembered,
    status: isUnmet ? 'unmet' : 'met',
  }
  const problems = [...ofRelation, ...found]
  return {
    before,
    after,
    relation,
    problems: problems.filter(isBreaking),
    changes: (isUnmet ? found : problems).filter((problem) => !isBreaking(problem)),
    wanted: { ...wanted, delete: ofTable.delete ? [whole] : [], sequences: ofTable.sequences },
    lost: { ...lost, delete: ofTable.delete_revoked ? [whole] : [] },
    usage_revoked: usage !== null,
  }
}

/** Where something else may stand in. */
function mayBeAbsent({ optional, alternative }: Claim | ClaimedField): boolean {
  return optional || alternative !== null
}

function withRevoked(observed: Claim['observed'], isRevoked: boolean): Claim['observed'] {
  if (observed === null) return null
  const { delete_revoked: _, ...rest } = observed
  return { ...rest, ...(isRevoked && { delete_revoked: true }) }
}

/** What is to be remembered of a column. Readers have nothing to do with what the catalogue tells for writers. */
function seen({ name: _, ...column }: Column, before: ClaimedField['observed'], writes: boolean): ClaimedField['observed'] {
  for (const key of ['expression', 'collation'] as const) {
    if (column[key] !== undefined) column[key] = keepSame(before?.[key], column[key])
  }
  if (writes) return column
  const { insert: _i, update: _u, update_null: _o, accepts_null: _n, fills_itself: _f, ...read } = column
  return read
}

/** A field that came with "*". */
function fieldOf(name: string): ClaimedField {
  const declared = { min_length: null, is_nullable: null, values: null, unique: null }
  return { name, field: null, alternative: null, optional: false, types: [], ...declared, ...newField }
}

function claimKey({ stakeholder, match, alternative, schema_name, relation_name }: Claim): string {
  return keyOf(stakeholder, match, alternative, schema_name, relation_name)
}

/** The wildcard that a claim may have come with. */
function wildcardKey(claim: Claim): string {
  return claimKey({ ...claim, relation_name: '' })
}

type Circumstances = Pick<Subject, 'mode' | 'has_privileges' | 'isGiven'>

/** What these expansions give the stakeholder, or take away. `previous`: what claims that are replaced were of. */
function givenBy(expansions: readonly Expansion[], previous: readonly number[]): Circumstances['isGiven'] {
  return (stakeholder, id, privilege, num) => {
    const ofIt = expansions.filter(
      ({ before, relation }) => before.stakeholder === stakeholder && [before.relid, relation?.id].includes(id),
    )
    if (ofIt.length === 0 && !previous.includes(id)) return null
    return ofIt.some(({ relation, wanted }) => relation?.id === id && wanted[privilege].some((each) => (num ?? each) === each))
  }
}

/**
 * Expands claims; a wildcard brings a claim for each of its relations that has none yet.
 *
 * @param previous oids of relations whose claims these replace
 */
export function expandClaims(
  claims: readonly Claim[],
  catalog: CatalogIndex,
  mode: Mode,
  has_privileges = true,
  previous: readonly number[] = [],
): Expansion[] {
  const circumstances = { mode, has_privileges }
  // What is wanted of a relation does not depend on what else is given; what stands in a view's way may.
  const first = expandAll(claims, catalog, { ...circumstances, isGiven: () => true })
  return catalog.hasOwnObstacles ? expandAll(claims, catalog, { ...circumstances, isGiven: givenBy(first, previous) }) : first
}

function expandAll(claims: readonly Claim[], catalog: CatalogIndex, circumstances: Circumstances): Expansion[] {
  const { mode } = circumstances
  const known = new Set(claims.map(claimKey))
  const wildcards = new Set(claims.filter(isWildcard).map(wildcardKey))
  return claims.flatMap((claim): Expansion[] => {
    const isOfWildcard = wildcards.has(wildcardKey(claim))
    if (isOfWildcard && catalog.named(claim.schema_name, claim.relation_name)?.in_wildcard === false) {
      // Its row goes (_store_claims).
      const message = 'it became a partition, or an extension owns it: the wildcard leaves it out, its grants are taken back'
      return [without(claim, withoutMemory(claim), [{ code: 'IDB401', message }])]
    }
    if (!isWildcard(claim)) {
      // Remembered oids are another database's after a restore.
      const before = mode === 'sync' ? { ...claim, relid: null, schema_id: null } : claim
      return [{ ...expandClaim(before, catalog, circumstances, isOfWildcard), before: claim }]
    }
    const added = catalog.relations
      .filter((relation) => relation.schema === claim.schema_name && relation.in_wildcard && isClaimable(relation))
      // The catalogue may hold relations for other stakeholders' claims.
      .filter((relation) => catalog.knowsAccess(claim.stakeholder, relation))
      // What was there before and comes in by a migration was a partition (or an extension's): its owner goes on to drop it.
      .map(({ name, is_new }): Claim => {
        const optional = claim.optional || (mode === 'judge' && claim.status === 'met' && !is_new)
        return { ...claim, ...newClaim, relation_name: name, fields: [], optional }
      })
      .filter((each) => !known.has(claimKey(each)))
    const expansions = added.map((each) => expandClaim(each, catalog, circumstances, true))
    if (claim.status === 'met' || added.length > 0) return [without(claim, { ...claim, status: 'met' }, []), ...expansions]
    const message = `schema ${quoteName(claim.schema_name)} has no table or view to claim`
    return [without(claim, { ...claim, status: mayBeAbsent(claim) ? 'absent' : 'unmet' }, [{ code: 'IDB101', message }])]
  })
}
