/** From a specification to claims: what `set_claims` and `check_claims` make of a document. */
import { type Catalog, CatalogIndex, keyOf, numbersOf, privileges, sequenceAccess } from '../catalog/catalog.ts'
import type { Type } from '../catalog/type.ts'
import { count, type FailureProblem, failAt, OperationError } from '../errors.ts'
import { type GrantStep, grantSteps, revokeSteps } from '../grant/grant.ts'
import { needOf } from '../migration/finding.ts'
import { findingOf, unmetProblems } from '../migration/judge.ts'
import type { FieldSpecification, MatchSpecification } from '../specification/document.ts'
import { issueLine } from '../specification/issue.ts'
import { formatPath, quoteName } from '../specification/path.ts'
import { type Claim, type ClaimedField, newClaim, newField } from './claim.ts'
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

function pointerOf(index: number | null, { alternative }: { alternative: number | null }): string {
  return `${index === null ? '' : `/${index}`}${alternative === null ? '' : `/alternatives/${alternative}`}`
}

/** Where in the document a match's path, or one of its fields, stands. */
function pointerTo(match: MatchPlace, field: FieldPlace | undefined): string {
  return `/match${pointerOf(match.match, match)}${field === undefined ? '/path' : `/fields${pointerOf(field.field, field)}`}`
}

/** The claims of a specification before anybody has looked at the database. */
function claimsOf(stakeholder: string, specification: readonly MatchSpecification[], types: readonly ResolvedType[]): Claim[] {
  const resolved = new Map(types.map(({ schema, spelling, type }) => [keyOf(schema, spelling), type]))
  const unknown: FailureProblem[] = []
  const claims = specification.map(({ schema, relation, fields, ...match }): Claim => {
    const readTypes = (field: FieldSpecification): Type[] =>
      field.types.flatMap((spelling) => {
        const type = resolved.get(keyOf(schema, spelling)) ?? null
        if (type !== null) return [type]
        const message = `this database has no type ${JSON.stringify(spelling)}`
        const line = issueLine({ pointer: `${pointerTo(match, field)}/type`, message })
        unknown.push({ line, path: formatPath(schema, relation), field: field.name, expected: spelling })
        return []
      })
    return {
      stakeholder,
      ...match,
      schema_name: schema,
      relation_name: relation ?? '',
      all_fields: fields === '*',
      fields: fields === '*' ? [] : fields.map((field) => ({ ...field, ...newField, types: readTypes(field) })),
      ...newClaim,
    }
  })
  failAt(
    unknown,
    'IDB02',
    'invalid claims document',
    'A type can be any spelling that Postgres knows; one outside the relation\'s own schema, public and pg_catalog needs its schema: "sales.mood".',
  )
  return claims
}

function rejectUnmet(expansions: readonly Expansion[]): void {
  const unmet = unmetProblems(expansions, true).map(({ claim, problem }) => {
    const finding = findingOf(claim, problem, 'breaking')
    return { ...finding, line: issueLine({ pointer: pointerTo(claim, problem.field), message: needOf(finding) }) }
  })
  failAt(
    unmet,
    'IDB03',
    'claims cannot be met',
    'Each line starts with a JSON pointer into the document. Claim what is there, change the database, or mark what may be missing "optional": true. Nothing was changed.',
  )
}

function rejectUngrantable(expansions: readonly Expansion[], catalog: CatalogIndex, installer: string): void {
  const missing = new Map<number, FailureProblem>()
  const lacking = new Set<string>()
  for (const { before, relation, wanted } of expansions) {
    if (relation === null) continue
    const access = catalog.accessOf(before.stakeholder, relation)
    const path = formatPath(relation.schema, relation.name)
    const used = privileges.filter((privilege) => wanted[privilege].length > 0)
    const ungranted = used.filter((privilege) => {
      const held = new Set(numbersOf(access.granted, privilege))
      return wanted[privilege].some((num) => !held.has(num))
    })
    const lack = (id: number, privileges: readonly string[], line: string): void => {
      for (const privilege of privileges) lacking.add(privilege)
      missing.set(id, { line, path })
    }
    if (!relation.grantable && !access.owner && ungranted.length > 0) {
      lack(relation.id, ungranted, `${path} belongs to ${quoteName(relation.owner)}`)
    } else if (!relation.schema_grantable && !access.usage && used.length > 0) {
      const who = before.stakeholder === '' ? 'a stakeholder' : quoteName(before.stakeholder)
      lack(relation.id, ['usage'], `${path} is in a schema that ${who} may not use, and its usage cannot be granted`)
    }
    for (const { id, schema, name, grantable } of relation.writes?.sequences ?? []) {
      if (!wanted.sequences.includes(id) || grantable || sequenceAccess(access, id).effective) continue
      lack(id, ['usage'], `the sequence ${formatPath(schema, name)}, which ${path} takes numbers from, belongs to somebody else`)
    }
  }
  if (missing.size === 0) return
  throw new OperationError(
    {
      code: 'IDB06',
      message: `cannot grant ${[...lacking].join(', ')} on ${count(missing.size, 'relation')}`,
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
  const claims = claimsOf(input.stakeholder, input.specification, input.types)
  const expansions = expandClaims(claims, catalog, 'declare', true, input.previous)
  rejectUnmet(expansions)
  rejectUngrantable(expansions, catalog, input.installer)
  const previous = input.previous.map((id) => catalog.withId(id)).filter((relation) => relation !== undefined)
  return {
    claims: expansions.map(({ after }) => after),
    grants: [...revokeSteps(input.stakeholder, previous, expansions, catalog), ...grantSteps(expansions, catalog, 'declare')],
  }
}
