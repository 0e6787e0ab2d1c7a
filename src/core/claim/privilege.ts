/** What a stakeholder needs to be granted for a claim, and which of it somebody took away. */
import { type Column, type ColumnPrivilege, columnPrivileges, sequenceAccess, verbs } from '../catalog/catalog.ts'
import { formatPath, quoteName } from '../specification/path.ts'
import type { Claim, ClaimedField } from './claim.ts'
import { isRevoked, type Problem, type Subject } from './problem.ts'

/** The privileges on a column that a claim gives: none to write what cannot be written. */
export function privilegesOn(column: Omit<Column, 'name'>, { access }: Claim): ColumnPrivilege[] {
  return columnPrivileges.filter((privilege) => access.includes(privilege) && (privilege === 'select' || column[privilege]))
}

/** Was the privilege taken away, rather than never there or lost with a dropped column? */
export function privilegeProblem(subject: Subject, field: ClaimedField, column: Column, privilege: ColumnPrivilege): Problem | null {
  const { claim, relation, access, mode } = subject
  if (access.effective[privilege]?.includes(column.num)) return null
  const problem = (message: string): Problem => ({ code: 'IDB401', expected: privilege, message })
  const what = `the privilege to ${privilege === 'select' ? 'read' : privilege} it`
  if (access.owner) return problem(`${what} was revoked from the owner itself`)
  if (mode === 'inspect') {
    return problem(
      access.has_role ? `it cannot be ${verbs[privilege]}` : `there is no role ${quoteName(claim.stakeholder)} to read it with`,
    )
  }
  if (!access.has_role) return null
  const wasGranted =
    isRevoked(subject, field.revoked) &&
    field.observed?.num === column.num &&
    (field.status === 'met' || field.revoked) &&
    (privilege === 'select' || field.observed[privilege])
  if (wasGranted) return problem(`${what} was revoked`)
  return mode === 'declare' || relation.grantable
    ? null
    : problem(`it cannot be granted: the relation belongs to ${quoteName(relation.owner)}`)
}

/** Usage was granted for the sake of a column: without one there was none to lose. */
export function usageProblem({ claim, relation, access, mode, has_privileges }: Subject): Problem | null {
  const problem = (message: string): Problem => ({ code: 'IDB402', expected: 'usage', message })
  const schema = quoteName(relation.schema)
  if (access.usage) return null
  if (mode === 'inspect') return problem(`it has no usage of schema ${schema}`)
  const hadColumn = claim.fields.some(
    ({ status, revoked, observed }) => observed !== null && (status === 'met' || revoked) && privilegesOn(observed, claim).length > 0,
  )
  const hadUsage = claim.schema_id === relation.schema_id && (hadColumn || claim.observed?.delete)
  const isLost = mode === 'judge' && hadUsage && (has_privileges || claim.status === 'unmet') && access.has_role
  return isLost ? problem(`usage of schema ${schema} was revoked`) : null
}

/**
 * What a claim gives beside privileges on columns. `problems`: what of it somebody took away; `remembered`: with the
 * sequences that were, which only `sync()` and `set_claims` give again.
 */
export function tablePrivileges(
  subject: Subject,
  deletes: boolean,
  inserts: boolean,
): { delete: boolean; delete_revoked: boolean; sequences: number[]; remembered: number[]; problems: Problem[] } {
  const { claim, relation, access, mode } = subject
  const problems: Problem[] = []
  /** To be granted? If not, was it taken away? */
  function isOurs(
    isEffective: boolean | undefined,
    wasGranted: boolean | undefined,
    isGrantable: boolean,
    expected: string,
    what: string,
  ): boolean {
    if (isEffective || (access.owner && expected !== 'delete') || (!access.has_role && mode !== 'inspect')) return true
    // The owner can only have it taken away.
    const isLost = mode === 'inspect' || access.owner || (wasGranted && isRevoked(subject, claim.status === 'unmet'))
    if (!isLost && (isGrantable || mode === 'declare')) return true
    problems.push({ code: 'IDB401', expected, message: `the privilege ${what} ${isLost ? 'was revoked' : 'cannot be granted'}` })
    return false
  }
  const hadDelete = claim.observed?.delete && (claim.status === 'met' || claim.observed.delete_revoked)
  const mayDelete = deletes && isOurs(access.effective.delete, hadDelete, relation.grantable, 'delete', 'to delete')
  const had = (id: number): boolean => claim.sequences.includes(id)
  const called = inserts ? (relation.writes?.sequences ?? []) : []
  const sequences = called
    .filter(({ id, schema, name, grantable }) =>
      isOurs(sequenceAccess(access, id).effective, had(id), grantable, 'usage', `to use the sequence ${formatPath(schema, name)}`),
    )
    .map(({ id }) => id)
  const remembered = called.map(({ id }) => id).filter((id) => sequences.includes(id) || had(id))
  return { delete: mayDelete, delete_revoked: deletes && !mayDelete, sequences, remembered, problems }
}
