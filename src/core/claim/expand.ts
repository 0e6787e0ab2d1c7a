/**
 * Expansion: a claim and the catalogue in, the claim as it is now out, with what does not fit.
 *
 * Relation-local on purpose: the expansion of one relation depends on that relation alone, so re-expanding
 * what a migration touched gives exactly what re-expanding everything would (SPEC.md).
 */
import { type CatalogIndex, type Column, isClaimable, kindName, type Relation } from '../catalog/catalog.ts'
import { fitDeclaredType, fitType, isNarrower } from '../catalog/type.ts'
import type { FindingCode } from '../errors.ts'
import { formatPath, quoteName } from '../specification/path.ts'
import { type Claim, type ClaimedField, isWildcard } from './claim.ts'

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
  /** null: the relation itself. */
  field: ClaimedField | null
  expected: string | null
  actual: string | null
  message: string
}

export interface Expansion {
  before: Claim
  after: Claim
  relation: Relation | null
  problems: Problem[]
  /** Columns that the stakeholder is to be able to read. */
  columns: Column[]
  /** Somebody revoked usage of the schema; granting it again is not ours to decide. */
  usage_revoked: boolean
}

function withoutMemory(claim: Claim): Claim {
  return {
    ...claim,
    relid: null,
    schema_id: null,
    fields: claim.all_fields ? [] : claim.fields.map((field) => ({ ...field, observed: null, revoked: false, status: 'absent' })),
    status: 'absent',
  }
}

function missingRelation(claim: Claim, found: Relation | undefined, catalog: CatalogIndex): Problem {
  const problem = (code: FindingCode, actual: string | null, message: string): Problem => ({
    code,
    field: null,
    expected: null,
    actual,
    message,
  })
  const isNew = claim.relid === null
  if (found !== undefined) {
    const kind = kindName(found.kind)
    const one = `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
    return problem('IDB104', kind, isNew ? `it is ${one}, which cannot be claimed` : `the name now belongs to ${one}`)
  }
  const moved = catalog.withId(claim.relid)
  if (moved === undefined) return problem('IDB101', null, isNew ? 'there is no such relation' : 'the relation was dropped')
  const path = formatPath(moved.schema, moved.name)
  return moved.schema === claim.schema_name
    ? problem('IDB102', path, `the relation was renamed to ${quoteName(moved.name)}`)
    : problem('IDB103', path, `the relation was moved to ${path}`)
}

function typeProblem(field: ClaimedField, column: Column): Problem | null {
  const { observed, types, min_length } = field
  const problem = (code: 'IDB203' | 'IDB204', expected: string): Problem => {
    const was = observed === null ? 'is' : code === 'IDB203' ? 'was changed to' : 'was narrowed to'
    const message =
      expected === column.type ? `the type ${column.type} is another now: ${column.content}` : `the type ${was} ${column.type}`
    return { code, field, expected, actual: column.type, message }
  }
  const tooShort = min_length !== null && isNarrower(column.length, min_length)
  const lengthExpected = `length ${min_length} or more`

  if (types.length > 0) {
    const expected = types.map((type) => type.type).join(' or ')
    const fits = types.map((type) => fitDeclaredType(column, type))
    const fit = fits.indexOf('same')
    if (fit === -1) return problem(fits.includes('narrowed') ? 'IDB204' : 'IDB203', expected)
    if (tooShort) return problem('IDB204', lengthExpected)
    // A type written without modifiers says nothing of the length: that was observed.
    const isBare = types[fit]?.type === types[fit]?.base
    const hasShrunk = observed !== null && observed.base === column.base && isNarrower(column.length, observed.length)
    return isBare && min_length === null && hasShrunk ? problem('IDB204', (observed as Column).type) : null
  }
  if (observed !== null) {
    const fit = fitType(column, observed)
    if (fit === 'changed') return problem('IDB203', observed.type)
    if (fit === 'narrowed' && min_length === null) return problem('IDB204', observed.type)
  }
  return tooShort ? problem('IDB204', lengthExpected) : null
}

function nullProblem(field: ClaimedField, column: Column): Problem | null {
  const isDeclared = field.is_nullable === false && column.nullable !== false
  // A view's columns have no nullability of their own: what cannot be known cannot have got worse.
  const isObserved = field.is_nullable === null && field.observed?.nullable === false && column.nullable === true
  if (!isDeclared && !isObserved) return null
  const message = field.observed === null ? 'the column may be null' : 'the column may now be null'
  return { code: 'IDB205', field, expected: 'not null', actual: 'null allowed', message }
}

const systemColumns = ['tableoid', 'ctid', 'xmin', 'cmin', 'xmax', 'cmax']

function missingColumn(field: ClaimedField, before: Claim, relation: Relation): Problem {
  const { observed } = field
  const expected = field.types.length > 0 ? field.types.map((type) => type.type).join(' or ') : (observed?.type ?? null)
  if (observed === null) {
    if (systemColumns.includes(field.name)) {
      return { code: 'IDB201', field, expected, actual: null, message: 'it is a system column, which cannot be claimed' }
    }
    const folded = field.name.toLowerCase()
    const similar = relation.columns.find((column) => column.name.toLowerCase() === folded)
    const hint = similar === undefined ? '' : `; there is ${JSON.stringify(similar.name)}, and field names are taken literally`
    return { code: 'IDB201', field, expected, actual: null, message: `there is no such column${hint}` }
  }
  const renamed = before.relid === relation.id ? relation.columns.find((column) => column.num === observed.num) : undefined
  return renamed === undefined
    ? { code: 'IDB201', field, expected, actual: null, message: 'the column was dropped' }
    : { code: 'IDB202', field, expected, actual: renamed.name, message: `the column was renamed to ${quoteName(renamed.name)}` }
}

/** The claim of one relation as it is now. */
function expandClaim(before: Claim, catalog: CatalogIndex, mode: Mode): Expansion {
  const found = catalog.named(before.schema_name, before.relation_name)
  if (found === undefined || !isClaimable(found)) {
    const problems = [missingRelation(before, found, catalog)]
    const mayBeAbsent = before.optional || before.alternative !== null
    const after: Claim = mayBeAbsent ? withoutMemory(before) : { ...before, status: 'unmet' }
    return { before, after, relation: null, problems, columns: [], usage_revoked: false }
  }

  const relation = found
  const access = catalog.accessOf(before.stakeholder, relation)
  const problems: Problem[] = []
  const columns: Column[] = []
  const columnsByName = new Map(relation.columns.map((column) => [column.name, column]))
  const readable = new Set(access.readable)
  const isSameRelation = mode === 'judge' && before.relid === relation.id

  /** Was the privilege taken away, rather than never there or lost with a dropped column? */
  function privilegeProblem(field: ClaimedField, column: Column): Problem | null {
    if (access.owner || readable.has(column.num)) return null
    if (!access.has_role && mode !== 'inspect') return null
    const expected = 'select'
    const wasGranted = isSameRelation && field.observed?.num === column.num && (field.status === 'met' || field.revoked)
    if (mode === 'inspect' || wasGranted) {
      const message = !access.has_role
        ? `there is no role ${quoteName(before.stakeholder)} to read it with`
        : mode === 'inspect'
          ? 'it cannot be read'
          : 'the privilege to read it was revoked'
      return { code: 'IDB401', field, expected, actual: null, message }
    }
    if (mode === 'declare' || relation.grantable) return null
    return {
      code: 'IDB401',
      field,
      expected,
      actual: null,
      message: `it cannot be granted: the relation belongs to ${quoteName(relation.owner)}`,
    }
  }

  function expandField(field: ClaimedField): ClaimedField {
    const column = columnsByName.get(field.name)
    if (column === undefined) {
      problems.push(missingColumn(field, before, relation))
      const mayBeAbsent = field.optional || field.alternative !== null
      return mayBeAbsent ? { ...field, observed: null, revoked: false, status: 'absent' } : { ...field, status: 'unmet' }
    }
    const privilege = privilegeProblem(field, column)
    if (privilege === null) columns.push(column)
    const all = [typeProblem(field, column), nullProblem(field, column), privilege].filter((problem) => problem !== null)
    if (all.length > 0) {
      problems.push(...all)
      return { ...field, revoked: privilege !== null, status: 'unmet' }
    }
    const { name: _, ...seen } = column
    // Over what was observed before: the keys keep their order, so that an unchanged claim reads as unchanged.
    return { ...field, observed: { ...field.observed, ...seen }, revoked: false, status: 'met' }
  }

  let fields = before.fields
  if (before.all_fields) {
    const known = new Set(fields.map((field) => field.name))
    const added = relation.columns.filter((column) => !known.has(column.name))
    fields = [...fields, ...added.map((column) => fieldOf(column.name))]
  }
  fields = fields.map(expandField)

  // Usage was granted for the sake of a column: without one there was none to lose.
  const needsUsage = fields.some((field) => columnsByName.has(field.name))
  const hadUsage = before.schema_id === relation.schema_id && before.fields.some((field) => field.status === 'met' || field.revoked)
  const usageLost = needsUsage && !access.usage && (mode === 'inspect' || (mode === 'judge' && hadUsage && access.has_role))
  if (usageLost) {
    const schema = quoteName(relation.schema)
    const message = mode === 'inspect' ? `it has no usage of schema ${schema}` : `usage of schema ${schema} was revoked`
    problems.unshift({ code: 'IDB402', field: null, expected: 'usage', actual: null, message })
  }
  const after: Claim = {
    ...before,
    fields,
    relid: relation.id,
    schema_id: relation.schema_id,
    status: usageLost ? 'unmet' : 'met',
  }
  return { before, after, relation, problems, columns, usage_revoked: usageLost }
}

function fieldOf(name: string): ClaimedField {
  return {
    name,
    field: null,
    alternative: null,
    optional: false,
    types: [],
    min_length: null,
    is_nullable: null,
    observed: null,
    revoked: false,
    status: 'absent',
  }
}

function emptyWildcard(claim: Claim): Problem {
  const message = `schema ${quoteName(claim.schema_name)} has no table or view to claim`
  return { code: 'IDB101', field: null, expected: null, actual: null, message }
}

function claimKey(claim: Claim): string {
  return JSON.stringify([claim.stakeholder, claim.match, claim.alternative, claim.schema_name, claim.relation_name])
}

/** The wildcard that a claim may have come with. */
function wildcardKey(claim: Claim): string {
  return claimKey({ ...claim, relation_name: '' })
}

/** A table that became a partition, or an extension's: the wildcard no longer takes it in. Its row goes (_store_claims). */
function isOutgrown(claim: Claim, wildcards: ReadonlySet<string>, catalog: CatalogIndex): boolean {
  return wildcards.has(wildcardKey(claim)) && catalog.named(claim.schema_name, claim.relation_name)?.in_wildcard === false
}

/** Expands claims; a wildcard brings a claim for each of its relations that has none yet. */
export function expandClaims(claims: readonly Claim[], catalog: CatalogIndex, mode: Mode): Expansion[] {
  const expansions: Expansion[] = []
  const known = new Set(claims.map(claimKey))
  const wildcards = new Set(claims.filter(isWildcard).map(wildcardKey))
  for (const claim of claims) {
    if (isOutgrown(claim, wildcards, catalog)) {
      const after = withoutMemory(claim)
      const message = 'it became a partition, or an extension owns it: the wildcard leaves it out, and its grants are taken back'
      const problem: Problem = { code: 'IDB401', field: null, expected: null, actual: null, message }
      expansions.push({ before: claim, after, relation: null, problems: [problem], columns: [], usage_revoked: false })
      continue
    }
    if (!isWildcard(claim)) {
      // Remembered oids are another database's after a restore.
      const before = mode === 'sync' ? { ...claim, relid: null, schema_id: null } : claim
      const expansion = expandClaim(before, catalog, mode)
      expansions.push(mode === 'sync' ? { ...expansion, before: claim } : expansion)
      continue
    }
    const added = catalog.relations
      .filter((relation) => relation.schema === claim.schema_name && relation.in_wildcard && isClaimable(relation))
      // The catalogue may hold relations for other stakeholders' claims.
      .filter((relation) => catalog.knowsAccess(claim.stakeholder, relation))
      .map((relation): Claim => ({ ...claim, relation_name: relation.name, fields: [], relid: null, schema_id: null, status: 'absent' }))
      .filter((each) => !known.has(claimKey(each)))
    const isMet = claim.status === 'met' || added.length > 0
    const status = isMet ? 'met' : claim.optional || claim.alternative !== null ? 'absent' : 'unmet'
    const problems = isMet ? [] : [emptyWildcard(claim)]
    expansions.push({ before: claim, after: { ...claim, status }, relation: null, problems, columns: [], usage_revoked: false })
    expansions.push(...added.map((each) => expandClaim(each, catalog, mode)))
  }
  return expansions
}
