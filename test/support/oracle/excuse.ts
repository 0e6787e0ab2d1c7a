/**
 * What worked and fails now, and yet no promise was broken: each reason has a name. What is excused here the oracle does not see: the fewer and
 * the narrower, the better. Histories count how often each was taken (`excused: …`).
 */
import type { Outcome, Use } from './attempt.ts'
import type { Catalogue, Column, Relation } from './catalogue.ts'
import { bareName, descendants, isNamedIn, unquoted, writtenByRules } from './promise.ts'

/** What may explain that an application can no longer do what it did. */
export interface Circumstances {
  /** Rows were written or dropped: constraints meet other values, and other rows are seen. */
  rowsChanged: boolean
  /** What was warned of: lines `IDB302 stakeholder …`. */
  warnings: readonly string[]
  /** Two migrations, judged one after the other. */
  isRace?: boolean
}

/** One relation, as an application uses it. */
export interface Usage {
  stakeholder: string
  use: Use
  /** Columns that its INSERT names. */
  filled: ReadonlySet<string>
  isOfWildcard: boolean
  relationThen: Relation
  outcomesThen: readonly Outcome[]
  now: Relation
  /** It and what it rests on. */
  behind: readonly Relation[]
  catalogue: Catalogue
  why: Circumstances
}

interface Failure extends Usage {
  /** When it worked. */
  then: Outcome
  outcome: Outcome
  /** What rules of what is behind it write to. */
  ruled: readonly Relation[]
  /** Names of what is behind it and of what inherits from that. */
  own: ReadonlySet<string>
  isWarnedOf: (code: string) => boolean
}

/** Of this very relation, not of one whose name begins so, or that is spoken of. */
export const isWarned = ({ warnings }: Circumstances, code: string, stakeholder: string, relation: string): boolean =>
  warnings.some((line) =>
    ['needs', 'and']
      .map((word) => `${code} ${stakeholder} ${word} ${relation}`)
      .some((begin) => line.startsWith(begin) && /^[.: (]/.test(line.slice(begin.length))),
  )

/** Values, or rules that a warning tells of; and a view that reads itself, which is nobody's doing but its author's (of a policy we tell). */
export const isConstraint = ({ state, message }: Outcome): boolean =>
  /^(23514|23503|23505|23P01|22...|P0001|21000|02000|ORACL)$/.test(state) ||
  (state === '42P17' && !message.includes('in policy')) ||
  message.startsWith('referential integrity query') // what a rule made of a foreign key's action

/** Do foreign keys of these, or those that refer to them and so on, lead to another table, or to a schema, of this name? Postgres tells no more of it. */
function isReferred(catalogue: Catalogue, behind: readonly Relation[], named: string): boolean {
  const withRows = (relation: Relation): Relation[] => [relation, ...descendants(catalogue, relation.name)]
  const refersTo = ({ constraints }: Relation, { name }: Relation): boolean =>
    constraints.some(
      ({ isForeign, definition }) => !isForeign && definition.startsWith('FOREIGN KEY') && definition.includes(` REFERENCES ${name}(`),
    )
  const way = behind.flatMap(withRows)
  const reached = new Set<Relation>()
  for (const one of way) {
    for (const other of catalogue.relations.values()) {
      if (reached.has(other) || !(refersTo(one, other) || refersTo(other, one))) continue
      for (const each of withRows(other)) reached.add(each)
      way.push(...withRows(other))
    }
  }
  return [...reached].some((one) => one.schema === named || (one.relation === named && !behind.includes(one)))
}

const handsOver = ({ triggers }: Relation): boolean => triggers.some((trigger) => trigger.includes(' INSTEAD OF '))

const isOfNull = ({ state }: Outcome): boolean => state === '23502'

const isOfRows = (outcome: Outcome): boolean => isOfNull(outcome) || isConstraint(outcome) || outcome.message.includes('row-level security')

/** What a rule writes to besides, what that asks for, and who may, is not seen; where it writes to the same table again, a warning tells of it. */
function isOfRule({ outcome, use, behind, ruled, own, stakeholder, isWarnedOf }: Failure): boolean {
  const denied = new Set(behind.flatMap(({ calls }) => calls.filter(({ executors }) => !executors.includes(stakeholder)).map(bareName)))
  // A null is the rule's where the application writes a value.
  const isOthersNull =
    isOfNull(outcome) &&
    outcome.name === 'insert' &&
    use.columns.some(
      ({ quoted, isInserted, value }) =>
        isInserted && value !== null && outcome.message.includes(`column "${unquoted(quoted)}" of relation`),
    )
  // Of what comes with a table Postgres asks nobody for privileges.
  const isDenied = outcome.state === '42501'
  return ruled.some(
    (target) =>
      (outcome.state === '428C9' // of a column, and Postgres does not tell of which table
        ? target.columns.some((column) => !column.isUpdatable && outcome.message.includes(`column "${column.name}"`))
        : isNamedIn(outcome.message, target, denied)) &&
      (!(isDenied ? behind.includes(target) : own.has(target.name)) || isOthersNull || isWarnedOf('IDB302') || isWarnedOf('IDB304')),
  )
}

/** A foreign key's action sets null, in another table or in this one, what may not be null there; or hands on a null that is written. */
function isOfAction({ outcome, behind, why, isWarnedOf }: Failure): boolean {
  if (!isOfNull(outcome) || !(why.rowsChanged || isWarnedOf('IDB302'))) return false
  const setsNull = behind.some(({ constraints }) =>
    constraints.some(({ definition }) => / ON (UPDATE|DELETE) SET (NULL|DEFAULT)/.test(definition)),
  )
  const isElsewhere = !behind.some((one) => outcome.message.includes(`of relation "${one.relation}"`))
  return /^(delete|update|rewrite)/.test(outcome.name) ? setsNull || isElsewhere : outcome.name.startsWith('set null') && isElsewhere
}

/**
 * A foreign key is looked after with the rights of a table's owner, who need not have them where the other table is.
 * (The stakeholder's own usage of a schema is compared with its claims, and tried by what it reads.)
 */
function isOfForeignKey({ outcome, catalogue, behind }: Failure): boolean {
  const denied = /^permission denied for (?:schema|table) (.*)/.exec(outcome.message)?.[1]
  return (
    outcome.name !== 'select' &&
    denied !== undefined &&
    isReferred(catalogue, behind, denied) &&
    behind.every(({ relation, isReadByOwner }) => relation !== denied || !isReadByOwner)
  )
}

/** The document names columns and the application fills them, though not in what is tried: another type, say, or another option. */
function isFilled({ outcome, now, use, filled }: Failure): boolean {
  if (!isOfNull(outcome) || !outcome.name.startsWith('insert')) return false
  return now.columns
    .filter(({ name, quoted }) => filled.has(name) && use.columns.every((column) => column.quoted !== quoted))
    .some(
      ({ name, isNotNullByDomain }) =>
        outcome.message.includes(`column "${name}"`) || (isNotNullByDomain && outcome.message.startsWith('domain')),
    )
}

/** A sequence, or another default, may come to a value that a row has already, or that another table has not. */
function isCoincidence({ outcome, now, behind, own, catalogue }: Failure): boolean {
  const ofValues = now.kind === 'v' ? /^23505$/ : /^23(505|503|514|P01)$/
  if (!ofValues.test(outcome.state) || !outcome.name.startsWith('insert')) return false
  // Unique indexes that are no constraints tell no columns.
  const isNamed = (name: string): boolean => outcome.message.endsWith(`unique constraint "${unquoted(name)}"`)
  const isTaken = ({ constraints, indexes }: Relation): boolean => {
    const unique = constraints.find(({ name }) => isNamed(name))
    const isOfDefault = ({ name, hasDefault }: Column): boolean => hasDefault && (unique === undefined || unique.columns.includes(name))
    return indexes.some(isNamed) && behind.some(({ columns }) => columns.some(isOfDefault))
  }
  return (
    behind.some(({ sequences, columns }) => sequences.length > 0 || columns.some(({ identity }) => identity !== null)) ||
    [...own].flatMap((name) => catalogue.relations.get(name) ?? []).some(isTaken)
  )
}

const excuses: Readonly<Record<string, (failure: Failure) => boolean>> = {
  'a rule writes to what refuses it': isOfRule,
  'rules go round in a circle': ({ outcome, ruled, own }) =>
    outcome.message.includes('in rules for relation') && ruled.some(({ name, ruled: further }) => !own.has(name) && further.length > 0),
  "a foreign key's action writes a null": isOfAction,
  'a foreign key is looked after by who may not': isOfForeignKey,
  'it holds nothing: a wildcard took it in and nobody may read it': ({ isOfWildcard, outcomesThen }) =>
    isOfWildcard && outcomesThen.some(({ name, state }) => name === 'select' && state === '42501'),
  'no row was there to show what the statement does': ({ outcome, then }) =>
    /^(set null|update)/.test(outcome.name) && isOfRows(outcome) && then.rows === 0,
  // What it took is not what the table behind the view takes (what functions do inside is not seen).
  'a function took the rows and is gone': ({ outcome, relationThen, now }) =>
    isOfRows(outcome) && handsOver(relationThen) && !handsOver(now),
  // What values a new constraint wants is told by a warning. A row that is there must be writable as it is, whatever was warned of.
  'a constraint wants other values': ({ outcome, why, isWarnedOf }) =>
    isConstraint(outcome) && (why.rowsChanged || isWarnedOf('IDB304') || (isWarnedOf('IDB302') && !outcome.name.startsWith('rewrite'))),
  'what fills itself comes to a value that is taken': isCoincidence,
  'the application fills a column that the oracle does not': isFilled,
}

/** Which excuse there is for a statement that worked and fails, if any. */
export function excuseFor(usage: Usage, then: Outcome, outcome: Outcome): string | undefined {
  const { behind, catalogue, why, stakeholder, now } = usage
  const failure: Failure = {
    ...usage,
    then,
    outcome,
    ruled: writtenByRules(catalogue, behind),
    own: new Set(behind.flatMap(({ name }) => [name, ...descendants(catalogue, name).map((child) => child.name)])),
    isWarnedOf: (code) => isWarned(why, code, stakeholder, now.name),
  }
  return Object.entries(excuses).find(([, isSo]) => isSo(failure))?.[0]
}
