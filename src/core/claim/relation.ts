/** One relation against a claim of it, beyond its columns: what does not fit, and what is not as it was. */
import {
  type Column,
  type Hurdle,
  hasAll,
  isSame,
  keepAllSame,
  keepSame,
  keyOf,
  type Marks,
  type Obstacle,
  type Privilege,
  privileges,
  type RowFilter,
  verbs,
} from '../catalog/catalog.ts'
import { type Claim, type ClaimedField, isWriter } from './claim.ts'
import { fieldProblems } from './field.ts'
import { privilegeProblem } from './privilege.ts'
import { isBreaking, type Problem, type Subject } from './problem.ts'

type WritingPrivilege = Exclude<Privilege, 'select'>
const writing = privileges.slice(1) as WritingPrivilege[]

/** Can anything of it that is claimed be written so? */
function isWritable({ claim, relation: { writes, columns } }: Subject, privilege: WritingPrivilege): boolean {
  return writes?.[privilege] === true && (privilege === 'delete' || columns.some((column) => column[privilege] && isClaimed(claim, column)))
}

/** What was written before has to go in again; what is claimed by name has to be writable to begin with. */
function writabilityProblems(subject: Subject, isOfWildcard: boolean): Problem[] {
  const { writes } = subject.relation
  const { observed, access } = subject.claim
  if (writes === undefined) return []
  const problems = writing
    .filter((privilege) => access.includes(privilege))
    // Of columns their own problems tell; what a wildcard finds so is none of its business.
    .filter((privilege) => (observed ? observed[privilege] && !writes[privilege] : !isOfWildcard && !isWritable(subject, privilege)))
    .map((expected): Problem => ({ code: 'IDB213', expected, message: `it can${observed ? ' no longer' : 'not'} be ${verbs[expected]}` }))
  // Partitions come and go with the data: that is no change of the schema.
  if (writes.without_partition && !observed?.without_partition && access.includes('insert')) {
    problems.push({ code: 'IDB213', expected: 'insert', message: 'it has no partition to insert into', is_warning: true })
  }
  return problems
}

/** Columns that an insert has to fill, and that the claim does not: it names others, or is older than they are. */
export function requiredProblems(subject: Subject, isOfWildcard: boolean): Problem[] {
  const { claim, relation } = subject
  const { writes } = relation
  const insertsNothing = claim.observed?.insert === false || claim.observed?.tolerated?.includes('insert')
  if (!writes?.insert || insertsNothing || !claim.access.includes('insert')) return []
  const isFirst = claim.observed === null && claim.fields.every(({ observed }) => observed === null)
  // Others may stand in for an option that does not hold or that somebody took the privilege on; none of them fills its column.
  const isTaken = (field: ClaimedField): boolean =>
    field.alternative !== null &&
    relation.columns.some(
      (column) =>
        column.name === field.name &&
        column.insert &&
        (privilegeProblem(subject, field, column, 'insert') !== null || fieldProblems(field, column, claim.access).some(isBreaking)),
    )
  // "*" fills what it knew when it was last met.
  const known = claim.fields.filter((field) => (field.field !== null || field.observed !== null) && !isTaken(field))
  const required = new Set(
    relation.columns
      .filter(({ insert, accepts_null, fills_itself }) => insert && accepts_null === false && fills_itself === false)
      .map(({ name }) => name),
  )
  // Of options that have to be filled it fills one, and rather one that it knows.
  const fillable = [...known, ...known.filter(({ observed }) => observed)].filter(({ name }) => required.has(name))
  for (const name of new Map(fillable.map(({ field, name }) => [field ?? name, name])).values()) required.delete(name)
  if (claim.all_fields && isFirst) required.clear()
  // A view that leaves out what has to be filled takes no insert: none of a wildcard's business, if it finds it so.
  const hidden = claim.observed === null && isOfWildcard ? [] : (writes.hidden ?? [])
  return [...required, ...hidden].map((column) => ({
    code: 'IDB211',
    column,
    expected: 'null or a default',
    actual: 'not null, no default',
    message: 'an insert has to fill the column, and the claim does not',
  }))
}

function sameFilter(filters: readonly RowFilter[] | undefined, { marks }: RowFilter): RowFilter | undefined {
  return filters?.find((each) => isSame(each.marks, marks))
}

/** Rows that may be hidden now and were not; a warning: rows that may be seen now and were not. */
function rowProblems({ claim, access }: Subject): Problem[] {
  const { observed } = claim
  if (!observed) return []
  return claim.access.flatMap((privilege) => {
    if (observed[privilege as 'delete'] === false) return [] // what could not be written loses no rows (of reading it says nothing)
    const before = observed.rows?.[privilege] ?? []
    const now = access.rows?.[privilege] ?? []
    const gone = before.filter((filter) => !sameFilter(now, filter))
    const hiding = ({ path }: RowFilter, what: string): Problem => ({
      code: 'IDB403',
      expected: privilege,
      message: `row level security of ${path} ${what}`,
    })
    const showing = (filter: RowFilter, what: string): Problem => ({ ...hiding(filter, what), is_warning: true })
    const problems = now.flatMap((filter) => {
      const was = sameFilter(before, filter) ?? gone.find(({ path }) => path === filter.path)
      if (!was) return [hiding(filter, 'now hides rows')]
      // Without a permissive policy there is nothing that another could hide.
      const canHide = was.permissive.length > 0
      if (canHide && (!hasAll(filter.permissive, was.permissive) || !hasAll(was.restrictive, filter.restrictive))) {
        return [hiding(filter, 'may hide more rows than before: a policy was changed, dropped or made restrictive')]
      }
      const isSameStill = hasAll(was.permissive, filter.permissive) && hasAll(filter.restrictive, was.restrictive)
      return isSameStill ? [] : [showing(filter, 'may show more rows than before')]
    })
    return [...problems, ...gone.map((filter) => showing(filter, 'no longer hides rows'))]
  })
}

/** Constraints, triggers and rules in a writer's way that were not there before. A warning, unless rows that are there show that it refuses. */
function hurdleProblems({ claim, relation }: Subject): Problem[] {
  const { observed, access } = claim
  const { writes } = relation
  if (writes === undefined || observed === null) return []
  const letters = writing.filter((privilege) => access.includes(privilege)).map((privilege) => privilege.charAt(0))
  const added = (hurdles: readonly Hurdle[], known: readonly Marks[] | undefined): Hurdle[] =>
    hurdles
      .filter(({ events }) => letters.some((letter) => events.toLowerCase().includes(letter)))
      .filter(({ marks }) => known !== undefined && !hasAll(known, [marks]))
  return [...added(writes.constraints, observed.constraints), ...added(writes.triggers, observed.triggers)].flatMap(
    ({ name, columns, events, is_broken }): Problem[] => {
      const deletes = access.includes('delete') && events.toLowerCase().includes('d')
      const isWritten = ({ insert, update }: Column): boolean =>
        deletes || (insert === true && access.includes('insert')) || (update === true && access.includes('update'))
      const concerned = relation.columns.filter((column) => columns?.includes(column.num) && isClaimed(claim, column) && isWritten(column))
      const isOfRow = letters.some((letter) => events.includes(letter.toUpperCase()))
      if (columns !== undefined && concerned.length === 0 && !isOfRow) return []
      const [only, another] = concerned
      const problem = { code: 'IDB302', ...(only !== undefined && another === undefined && { column: only.name }) } as const
      if (is_broken) return [{ ...problem, message: `${name} was added, and there are rows that it refuses` }]
      const effect = columns === undefined ? 'refuse or change' : 'refuse'
      return [{ ...problem, message: `${name} was added: it can ${effect} what is written`, is_warning: true }]
    },
  )
}

/** What keeps the stakeholder from using the relation, whatever its privileges on it. */
function obstacles({ claim, relation, access, mode, isGiven }: Subject): Obstacle[] {
  const has = (privilege: string): boolean => claim.access.some((each) => each === privilege)
  return (access.obstacles ?? []).filter(({ expected, of_access = expected, of_column, own_relation, own_column, own_by, is_granted }) => {
    if (of_access === 'execute') return true
    if (!has(of_access)) return false
    if (of_column !== undefined && !relation.columns.some((column) => column.num === of_column && isClaimed(claim, column))) return false
    // What a stakeholder has itself may be about to be granted or revoked; what another has, not by a document of this one.
    const isMoving = mode !== 'inspect' && own_relation !== undefined && !(own_by && mode === 'declare')
    return !((isMoving ? isGiven(own_by ?? claim.stakeholder, own_relation, expected as Privilege, own_column) : null) ?? is_granted)
  })
}

function accessOf({ expected, of_access }: Obstacle): string {
  return of_access ?? expected
}

/** What cannot be done for it: a privilege, or one on one column. */
function hindered(obstacle: Obstacle): string {
  return obstacle.of_column === undefined ? accessOf(obstacle) : keyOf(accessOf(obstacle), obstacle.of_column)
}

function isClaimed({ all_fields, fields }: Claim, { name }: Column): boolean {
  return all_fields || fields.some((field) => field.name === name)
}

/**
 * What do obstacles keep from being written in a view, and did so when a wildcard found it or when it could not be written yet? Who
 * reads it must not lose its protection for that.
 */
function tolerated(subject: Subject, isOfWildcard: boolean): readonly string[] {
  const { claim, relation } = subject
  const { observed } = claim
  const now = new Set(obstacles(subject).map(hindered))
  if (now.size === 0) return [] // as nearly always: every judged writer comes by here
  return writing.flatMap((privilege) => {
    const columns = privilege === 'delete' ? [] : relation.columns.filter((column) => column[privilege] && isClaimed(claim, column))
    const ofColumns = columns.map(({ num }) => keyOf(privilege, num))
    // No column can be written: then nothing can.
    if (columns.length > 0 && ofColumns.every((key) => now.has(key))) now.add(privilege)
    const isNew = observed === null ? isOfWildcard : observed[privilege] === false
    return [privilege, ...ofColumns].filter(
      (key) => now.has(key) && (isNew || observed?.tolerated?.includes(key) || observed?.tolerated?.includes(privilege)),
    )
  })
}

/** Everything about the relation that is not as the claim needs it, but for privileges and columns. */
export function relationProblems(subject: Subject, isOfWildcard: boolean): Problem[] {
  const { claim, relation } = subject
  const { observed } = claim
  if (!relation.columns.some((column) => isClaimed(claim, column))) return [] // nothing of it is used
  const problems: Problem[] = []
  // What a wildcard found so is none of its business.
  if (claim.access.includes('select') && relation.unpopulated && !observed?.unpopulated && !(isOfWildcard && observed === null)) {
    const what = relation.kind === 'v' ? 'a materialized view behind it' : 'it'
    const message = `${what} holds no data (WITH NO DATA) and cannot be read`
    problems.push({ code: 'IDB104', expected: 'data', actual: 'not populated', message })
  }
  const known = tolerated(subject, isOfWildcard)
  const isKnown = (obstacle: Obstacle): boolean => known.includes(accessOf(obstacle)) || known.includes(hindered(obstacle))
  const told = obstacles(subject).filter((obstacle) => !isKnown(obstacle))
  // Of a function that both inserts and updates call, once.
  const byMessage = new Map(told.map(({ code, expected, message }) => [message, { code, expected, message }]))
  problems.push(...byMessage.values())
  if (observed?.definition && relation.definition && !isSame(observed.definition, relation.definition)) {
    problems.push({ code: 'IDB304', message: "the view's query was changed", is_warning: true })
  }
  problems.push(...rowProblems(subject))
  if (isWriter(claim)) problems.push(...writabilityProblems(subject, isOfWildcard), ...hurdleProblems(subject))
  return problems
}

/** What is to be remembered of the relation. */
export function observe(subject: Subject, deletes: boolean, isOfWildcard: boolean): NonNullable<Claim['observed']> {
  const { claim, relation, access } = subject
  const { observed } = claim
  const known = tolerated(subject, isOfWildcard)
  const { definition, unpopulated, writes } = relation
  const rows = claim.access.flatMap((privilege) => {
    const filters = access.rows?.[privilege]?.map((filter) => {
      const was = sameFilter(observed?.rows?.[privilege], filter)
      const keep = (which: 'permissive' | 'restrictive') => keepAllSame(was?.[which], filter[which])
      return { ...filter, permissive: keep('permissive'), restrictive: keep('restrictive') }
    })
    return filters === undefined ? [] : [[privilege, filters] as const]
  })
  const marksOf = (hurdles: readonly Hurdle[]): readonly Marks[] => hurdles.map(({ marks }) => marks)
  // A wildcard's view that left out what has to be filled when it was found.
  const tookNone = observed === null ? isOfWildcard : observed.insert === false
  return {
    owner: access.owner,
    ...(unpopulated && { unpopulated }),
    ...(definition && { definition: keepSame(observed?.definition, definition) }),
    ...(rows.length > 0 && { rows: Object.fromEntries(rows) }),
    ...(known.length > 0 && { tolerated: known }),
    ...(writes &&
      isWriter(claim) && {
        insert: writes.insert && !(tookNone && writes.hidden) && (isWritable(subject, 'insert') || null),
        update: isWritable(subject, 'update'),
        delete: deletes,
        ...(writes.without_partition && { without_partition: true }),
        constraints: keepAllSame(observed?.constraints, marksOf(writes.constraints)),
        triggers: keepAllSame(observed?.triggers, marksOf(writes.triggers)),
      }),
  }
}
