/** From a specification to claims: what `set_claims` and `check_claims` make of a document. */
import type { Catalog, Relation } from '../catalog/catalog.ts'
import { CatalogIndex } from '../catalog/catalog.ts'
import type { Type } from '../catalog/type.ts'
import { count, type FailureProblem, OperationError } from '../errors.ts'
import { type GrantStep, grantSteps, revokeSteps } from '../grant/grant.ts'
import { needOf } from '../migration/finding.ts'
import { findingOf, unmetProblems } from '../migration/judge.ts'
import type { MatchSpecification } from '../specification/document.ts'
import { issueLine } from '../specification/issue.ts'
import { formatPath, quoteName } from '../specification/path.ts'
import type { Claim, ClaimedField } from './claim.ts'
import { type Expansion, expandClaims } from './expand.ts'

/** How Postgres reads a type that the document names: null if it knows no such type. */
export interface ResolvedType {
  schema: string
  spelling: string
  type: Type | null
}

export interface Declaration {
  claims: Claim[]
  grants: GrantStep[]
}

type MatchPlace = Pick<Claim, 'match' | 'alternative'>
type FieldPlace = Pick<ClaimedField, 'field' | 'alternative'>

/** Where in the document a match's path, or one of its fields, stands. */
function pointerTo(match: MatchPlace, field: FieldPlace | null): string {
  const alternativeOf = ({ alternative }: { alternative: number | null }): string =>
    alternative === null ? '' : `/alternatives/${alternative}`
  const pointer = `/match/${match.match}${alternativeOf(match)}`
  if (field === null) return `${pointer}/path`
  return `${pointer}/fields${field.field === null ? '' : `/${field.field}${alternativeOf(field)}`}`
}

function typeKey(schema: string, spelling: string): string {
  return JSON.stringify([schema, spelling])
}

/** The claims of a specification before anybody has looked at the database. */
function claimsOf(stakeholder: string, specification: readonly MatchSpecification[], types: readonly ResolvedType[]): Claim[] {
  const resolved = new Map(types.map(({ schema, spelling, type }) => [typeKey(schema, spelling), type]))
  const unknown: FailureProblem[] = []
  const claims = specification.map(
    (match): Claim => ({
      stakeholder,
      match: match.match,
      alternative: match.alternative,
      schema_name: match.schema,
      relation_name: match.relation ?? '',
      optional: match.optional,
      access: match.access,
      all_fields: match.fields === '*',
      fields: (match.fields === '*' ? [] : match.fields).map((field) => ({
        ...field,
        types: field.types.flatMap((spelling) => {
          const type = resolved.get(typeKey(match.schema, spelling)) ?? null
          if (type !== null) return [type]
          unknown.push({
            line: issueLine({
              pointer: `${pointerTo(match, field)}/type`,
              message: `this database has no type ${JSON.stringify(spelling)}`,
            }),
            path: formatPath(match.schema, match.relation),
            field: field.name,
            expected: spelling,
          })
          return []
        }),
        observed: null,
        revoked: false,
        status: 'absent',
      })),
      relid: null,
      schema_id: null,
      status: 'absent',
    }),
  )
  if (unknown.length > 0) {
    throw new OperationError(
      {
        code: 'IDB02',
        message: `invalid claims document: ${count(unknown.length, 'problem')}`,
        hint: 'A type can be any spelling that Postgres knows; one outside the relation\'s own schema, public and pg_catalog needs its schema: "sales.mood".',
      },
      unknown,
    )
  }
  return claims
}

function rejectUnmet(expansions: readonly Expansion[]): void {
  const unmet = unmetProblems(expansions).map(({ expansion: { after }, problem }) => {
    const finding = findingOf(after, problem, 'breaking')
    const line = issueLine({ pointer: pointerTo(after, problem.field), message: needOf(finding) })
    return { line, path: finding.path, field: finding.field, expected: finding.expected, actual: finding.actual }
  })
  if (unmet.length === 0) return
  throw new OperationError(
    {
      code: 'IDB03',
      message: `claims cannot be met: ${count(unmet.length, 'problem')}`,
      hint: 'Each line starts with a JSON pointer into the document. Claim what is there, change the database, or mark what may be missing "optional": true. Nothing was changed.',
    },
    unmet,
  )
}

function rejectUngrantable(expansions: readonly Expansion[], catalog: CatalogIndex, installer: string): void {
  const missing = new Map<number, FailureProblem>()
  for (const { before, relation, columns } of expansions) {
    if (relation === null || columns.length === 0) continue
    const access = catalog.accessOf(before.stakeholder, relation)
    const granted = new Set(access.granted)
    const path = formatPath(relation.schema, relation.name)
    if (!relation.grantable && !access.owner && columns.some((column) => !granted.has(column.num))) {
      missing.set(relation.id, { line: `${path} belongs to ${quoteName(relation.owner)}`, path })
    } else if (!relation.schema_grantable && !access.usage) {
      const who = before.stakeholder === '' ? 'a stakeholder' : quoteName(before.stakeholder)
      missing.set(relation.id, { line: `${path} is in a schema that ${who} may not use, and its usage cannot be granted`, path })
    }
  }
  if (missing.size === 0) return
  throw new OperationError(
    {
      code: 'IDB06',
      message: `cannot grant select on ${count(missing.size, 'relation')}`,
      hint: `IntegrateDB grants as ${quoteName(installer)}, its installer, which has no right to. An owner or a superuser can make it a member: GRANT owner TO ${quoteName(installer)}. Nothing was changed.`,
    },
    [...missing.values()],
  )
}

/**
 * Expands a specification for one stakeholder, replacing what it claimed before.
 *
 * @param previous oids of the relations that it claimed before
 * @throws OperationError IDB02 (unknown types), IDB03 (cannot be met now), IDB06 (cannot be granted)
 */
export function declare(input: {
  stakeholder: string
  specification: MatchSpecification[]
  types: ResolvedType[]
  catalog: Catalog
  previous: number[]
  installer: string
}): Declaration {
  const catalog = new CatalogIndex(input.catalog)
  const expansions = expandClaims(claimsOf(input.stakeholder, input.specification, input.types), catalog, 'declare')
  rejectUnmet(expansions)
  rejectUngrantable(expansions, catalog, input.installer)
  const previous = input.previous
    .map((id) => catalog.withId(id))
    .filter((relation): relation is Relation => relation !== undefined)
    .map((relation) => ({ stakeholder: input.stakeholder, relation }))
  return {
    claims: expansions.map(({ after }) => after),
    grants: [...revokeSteps(previous, expansions, catalog), ...grantSteps(expansions, catalog, 'declare')],
  }
}
