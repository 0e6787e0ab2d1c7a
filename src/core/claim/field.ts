/** One column against one field of a claim: what does not fit, and what is not as it was. */
import { type Column, isSame, type Marks, type Privilege, type Relation, verbs } from '../catalog/catalog.ts'
import { fitDeclaredType, fitType, isNarrower, type Type } from '../catalog/type.ts'
import { listed } from '../errors.ts'
import { quoteName } from '../specification/path.ts'
import type { Claim, ClaimedField } from './claim.ts'
import type { Problem } from './problem.ts'

function anyOf(types: readonly Type[]): string {
  return types.map(({ type }) => type).join(' or ')
}

function typeProblem({ observed, types, min_length }: ClaimedField, column: Column): Problem | null {
  const problem = (code: 'IDB203' | 'IDB204', expected: string): Problem => {
    const was = observed === null ? 'is' : code === 'IDB203' ? 'was changed to' : 'was narrowed to'
    const message =
      expected === column.type ? `the type ${column.type} is another now: ${column.content ?? null}` : `the type ${was} ${column.type}`
    return { code, expected, actual: column.type, message }
  }
  const fits = types.map((type) => fitDeclaredType(column, type))
  const declared = types[fits.indexOf('same')]
  if (types.length > 0 && declared === undefined) return problem(fits.includes('narrowed') ? 'IDB204' : 'IDB203', anyOf(types))
  const fit = declared === undefined && observed !== null ? fitType(column, observed) : 'same'
  if (observed !== null && fit === 'changed') return problem('IDB203', observed.type)
  if (min_length !== null) return isNarrower(column.length, min_length) ? problem('IDB204', `length ${min_length} or more`) : null
  if (observed === null) return null
  // A type written without modifiers says nothing of the length: that was observed.
  const isBare = declared !== undefined && declared.type === declared.base
  const hasShrunk = isBare && observed.base === column.base && isNarrower(column.length, observed.length)
  return hasShrunk || fit === 'narrowed' ? problem('IDB204', observed.type) : null
}

function nullProblem(field: ClaimedField, column: Column, isRead: boolean): Problem | null {
  const isDeclared = field.is_nullable === false && column.nullable !== false
  // A view's columns have no nullability of their own: what cannot be known cannot have got worse.
  const isObserved = isRead && field.is_nullable === null && field.observed?.nullable === false && column.nullable === true
  if (!isDeclared && !isObserved) return null
  const message = field.observed === null ? 'the column may be null' : 'the column may now be null'
  return { code: 'IDB205', expected: 'not null', actual: 'null allowed', message }
}

const systemColumns = ['tableoid', 'ctid', 'xmin', 'cmin', 'xmax', 'cmax']

export function missingColumn(field: ClaimedField, before: Claim, { id, columns }: Relation): Problem {
  const { name, types, observed } = field
  const problem = { code: 'IDB201', field, expected: types.length > 0 ? anyOf(types) : (observed?.type ?? null) } as const
  if (observed !== null) {
    const renamed = before.relid === id ? columns.find(({ num }) => num === observed.num) : undefined
    if (renamed === undefined) return { ...problem, message: 'the column was dropped' }
    return { ...problem, code: 'IDB202', actual: renamed.name, message: `the column was renamed to ${quoteName(renamed.name)}` }
  }
  if (systemColumns.includes(name)) return { ...problem, message: 'it is a system column, which cannot be claimed' }
  const similar = columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  const hint = similar === undefined ? '' : `; there is ${JSON.stringify(similar.name)}, and field names are taken literally`
  return { ...problem, message: `there is no such column${hint}` }
}

function labelsProblem({ values, observed }: ClaimedField, { type, labels }: Column): Problem | null {
  const missing = (values ?? observed?.labels ?? []).filter((label) => !labels?.includes(label))
  // Where an enum became something else, the type's own problem tells.
  if (missing.length === 0 || (values === null && labels === undefined)) return null
  const problem = { code: 'IDB303', expected: listed(missing) } as const
  if (labels === undefined) return { ...problem, message: `${type} is no enum` }
  return { ...problem, actual: listed(labels), message: `${type} has no label ${problem.expected}` }
}

/** Declared, it has to be so. Observed, its loss is told: who reads it may get two rows for one, and no query fails. */
function uniqueProblem({ unique, observed }: ClaimedField, column: Column): Problem | null {
  if (column.unique || !(unique ?? observed?.unique)) return null
  // A view's columns have no constraints of their own: what cannot be known cannot have got worse.
  if (unique === null && column.unique === undefined) return null
  const message = `no primary key or unique constraint covers it alone${observed === null ? '' : ' any more'}`
  const problem = { code: 'IDB301', expected: 'unique', actual: 'not unique', message } as const
  return unique ? problem : { ...problem, is_warning: true }
}

/** A writer's field: what it wrote before has to go in again. */
function writingProblems({ observed, is_nullable }: ClaimedField, column: Column, access: readonly Privilege[]): Problem[] {
  if (observed === null) return []
  const written = (['insert', 'update'] as const).filter((privilege) => access.includes(privilege) && observed[privilege])
  const lost = written.filter((privilege) => !column[privilege])
  const problems = lost.map((privilege): Problem => {
    const message = `the column can no longer be ${verbs[privilege]}`
    return { code: 'IDB213', expected: privilege, actual: 'generated or read-only', message }
  })
  const nulls = { insert: 'accepts_null', update: 'update_null' } as const
  const isNullLost = written.some((privilege) => column[privilege] && observed[nulls[privilege]] && column[nulls[privilege]] === false)
  if (isNullLost && is_nullable !== false) {
    const problem = { code: 'IDB212', expected: 'null allowed', actual: 'not null', message: 'the column no longer accepts null' } as const
    // Who says that null is fine says that not null is.
    problems.push(is_nullable ? { ...problem, is_warning: true } : problem)
  }
  if (access.includes('insert') && observed.fills_itself && column.fills_itself === false && column.insert) {
    const message = 'the column no longer fills itself: an insert that leaves it out now'
    const problem = { code: 'IDB214', expected: 'default', actual: 'no default' } as const
    problems.push(
      column.accepts_null
        ? { ...problem, message: `${message} writes null`, is_warning: true }
        : { ...problem, message: `${message} fails` },
    )
  }
  return problems
}

/** What the column is no longer, and the field does not need it to be. */
function changes({ observed }: ClaimedField, column: Column): Problem[] {
  if (observed === null) return []
  const messages: string[] = []
  if (observed.expression !== undefined) {
    if (column.expression === undefined) {
      // Of a view's columns nobody knows.
      if (column.unique !== undefined) messages.push('the column is no longer generated')
    } else if (!isSame(observed.expression, column.expression)) messages.push('the expression that generates the column was changed')
  }
  const [was, is] = [observed, column].map(({ collation }) => collation ?? ['the default']) as [Marks, Marks]
  if (!isSame(was, is)) messages.push(`the collation was changed from ${was[0]} to ${is[0]}`)
  return messages.map((message) => ({ code: 'IDB304', message, is_warning: true }))
}

/** Everything that is not as the field claims it, but for privileges. */
export function fieldProblems(field: ClaimedField, column: Column, access: readonly Privilege[]): Problem[] {
  return [
    typeProblem(field, column),
    nullProblem(field, column, access.includes('select')),
    labelsProblem(field, column),
    uniqueProblem(field, column),
    ...writingProblems(field, column, access),
    ...changes(field, column),
  ].filter((problem) => problem !== null)
}
