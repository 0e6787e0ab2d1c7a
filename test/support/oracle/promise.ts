/**
 * What a claim promises, and when a promise is broken: the properties of a relation and its columns that the claim observed or
 * declares, compared with what is there now. What an application can still do is tried in attempt.ts; this is what it would not notice at once.
 *
 * A flaw is `sure`, or a matter of opinion: then neither letting it pass nor rejecting it is a mistake.
 */
import type { Call, Catalogue, Column, Constraint, Policy, Relation } from './catalogue.ts'
import { allReadWith, handedTo, relationsBehind } from './catalogue.ts'
import type { Access, ChosenField, ChosenPath, Field, Match } from './document.ts'

export interface Flaw {
  /** The finding that would tell of it. */
  code: string
  relation: string
  field: string | null
  what: string
  sure: boolean
  /** Of what was not there or did not hold before: it can be unmet, and break nothing. */
  isNew?: true
  /** What the application does shows that it is none, if all of this works, with a row. */
  shownBy?: Access[]
  /** Why it is not sure, of what was tried: one of excuse.ts. */
  excuse?: string
}

/** A world at one moment, as one stakeholder meets it. */
export interface World {
  catalogue: Catalogue
  stakeholder: string
}

const aliases: Record<string, string> = {
  int: 'integer',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  bool: 'boolean',
  decimal: 'numeric',
  varchar: 'character varying',
  char: 'character',
  float8: 'double precision',
  timestamptz: 'timestamp with time zone',
}

interface Shape {
  base: string
  modifiers: number[]
  suffix: string
}

/** `varchar(20)[]` → character varying, 20, []. */
function shapeOf(type: string): Shape {
  const [, written = type, list, suffix = ''] = /^(.*?)(?:\(([\d,\s]+)\))?((?:\[\])*)$/.exec(type) ?? []
  return { base: aliases[written] ?? written, modifiers: list?.split(',').map(Number) ?? [], suffix }
}

type Service = 'fits' | 'matter of opinion' | 'another type' | 'narrower'

/** Does a column of this type serve who reads that one? A varchar may become longer or text, a numeric take more digits at the same scale. */
function serves(type: string, wanted: string): Service {
  const now = shapeOf(type)
  const then = shapeOf(wanted)
  if (now.suffix !== then.suffix) return 'another type'
  const isText = ({ base }: Shape) => base === 'text' || (base === 'character varying' && now.suffix === '')
  if (now.base === then.base && String(now.modifiers) === String(then.modifiers)) return 'fits'
  if (isText(now) && then.base === 'character varying' && now.base === 'text') return 'fits'
  if (now.base !== then.base) return isText(now) && isText(then) ? 'matter of opinion' : 'another type'
  const [size = Number.POSITIVE_INFINITY, scale = 0] = now.modifiers
  const [sizeThen = Number.POSITIVE_INFINITY, scaleThen = 0] = then.modifiers
  if (now.base === 'character varying') {
    if (size >= sizeThen) return 'fits'
    return then.modifiers.length === 0 ? 'matter of opinion' : 'narrower'
  }
  if (now.base === 'numeric' && now.modifiers.length > 0 && then.modifiers.length > 0) {
    if (scale !== scaleThen) return 'another type'
    return size >= sizeThen ? 'fits' : 'narrower'
  }
  return 'matter of opinion'
}

function isLongEnough(type: string, minLength: number): 'yes' | 'no' | 'matter of opinion' {
  const { base, modifiers, suffix } = shapeOf(type)
  if (suffix !== '' || !['character varying', 'text', 'numeric'].includes(base)) return 'matter of opinion'
  return (modifiers[0] ?? Number.POSITIVE_INFINITY) >= minLength ? 'yes' : 'no'
}

/** The same, but for attributes that came last in a composite type, whichever: `of (a integer, b of (c integer, d integer))`. */
function isLonger(now: string, then: string): boolean {
  let at = 0
  for (const letter of then) {
    if (letter === ')' && now[at] === ',') {
      for (let depth = 0; depth > 0 || now[at] !== ')'; at++) depth += now[at] === '(' ? 1 : now[at] === ')' ? -1 : 0
    }
    if (now[at++] !== letter) return false
  }
  return at === now.length
}

const isView = (relation: Relation): boolean => relation.kind === 'v' || relation.kind === 'm'

const canWrite = (column: Column, act: 'insert' | 'update'): boolean => (act === 'insert' ? column.isInsertable : column.isUpdatable)

const writes = (access: ReadonlySet<Access>): boolean => access.has('insert') || access.has('update')

/** It gets a value when an INSERT does not name it. */
export const fillsItself = (column: Column): boolean => column.hasDefault || column.generated || column.identity !== null

/** The rules for one column: `then` is what was observed, if it was there. */
function columnFlaws(
  access: ReadonlySet<Access>,
  declared: Field | null,
  relationThen: Relation | undefined,
  then: Column | undefined,
  relation: Relation,
  now: Column,
): Flaw[] {
  const flaws: Flaw[] = []
  const flaw = (code: string, what: string, sure = true) => flaws.push({ code, relation: relation.name, field: now.name, what, sure })

  const wanted = declared?.types ?? (then === undefined ? [] : [then.type])
  const fits = wanted.map((type) => serves(now.type, type))
  // What is long enough by what the field says need not be as long as it was.
  const isMeasured = declared?.minLength != null && declared.types === null && fits.includes('narrower')
  if (wanted.length > 0 && !fits.includes('fits') && !isMeasured) {
    flaw(fits.includes('narrower') ? 'IDB204' : 'IDB203', `${now.type} for ${wanted.join(' or ')}`, !fits.includes('matter of opinion'))
  }
  // A domain may serve whoever declared what is under it; which of them do is not the oracle's to say.
  if (flaws.length > 0 && now.type !== now.shown && declared?.types !== null) for (const one of flaws) one.sure = false
  if (then !== undefined && then.type === now.type && then.behind !== now.behind) {
    // A composite type with one attribute more: a reader by name does not notice, one by place may. A type that is declared is meant as it was then.
    flaw('IDB203', `${now.type} is ${now.behind} now, was ${then.behind}`, declared?.types == null && !isLonger(now.behind, then.behind))
  }
  if (declared?.minLength != null) {
    const isEnough = isLongEnough(now.type, declared.minLength)
    if (isEnough !== 'yes') flaw('IDB204', `${now.type} for min_length ${declared.minLength}`, isEnough === 'no')
  }

  if (declared?.isNullable === false && !now.showsNoNull) flaw('IDB205', 'may be null', !isView(relation))
  if (declared?.isNullable == null && then?.showsNoNull && !now.showsNoNull && access.has('select')) {
    if (!isView(relation)) flaw('IDB205', 'may be null now', !then.isNotNullByDomain)
  }

  const labels = declared?.values ?? then?.labels ?? []
  const lost = labels.filter((label) => now.labels?.includes(label) !== true)
  if (lost.length > 0 && (declared?.values != null || now.labels !== null)) flaw('IDB303', `no label ${lost.join(', ')}`)
  const innerLost = then?.type === now.type ? then.innerLabels.filter((label) => !now.innerLabels.includes(label)) : []
  if (innerLost.length > 0) flaw('IDB303', `no label ${innerLost.join(', ')}`)

  if (declared?.unique !== false && (declared?.unique || then?.isUnique) && !now.isUnique)
    flaw('IDB301', 'not unique', declared?.unique === true && !isView(relation))

  if (then !== undefined && relationThen !== undefined && writes(access)) {
    const inserted = access.has('insert') && relationThen.accepts.insert && then.isInsertable
    const updated = access.has('update') && relationThen.accepts.update && then.isUpdatable
    const isLost = (act: 'insert' | 'update') =>
      access.has(act) && relationThen.accepts[act] && canWrite(then, act) && !(relation.accepts[act] && canWrite(now, act))
    if (isLost('insert') || isLost('update')) flaw('IDB213', 'can no longer be written')
    const isNullLost = (inserted && !then.refusesNull && now.refusesNull) || (updated && !then.keepsNullOut && now.keepsNullOut)
    // The table behind a view may have refused it all along.
    if (isNullLost && declared?.isNullable == null) flaw('IDB212', 'takes no null', !isView(relation))
    if (access.has('insert') && fillsItself(then) && !fillsItself(now) && now.isNotNull) flaw('IDB214', 'no longer fills itself')
  }
  return flaws
}

/** Columns that an INSERT has to name. */
const required = (relation: Relation): Column[] => relation.columns.filter((column) => column.refusesNull && !fillsItself(column))

/** May row level security keep rows from this role? `null`: it may not. */
function filterOf(relation: Relation, role: string, command: Exclude<Policy['command'], 'all'>): string | null {
  if (relation.rowSecurity === 'off' || (relation.rowSecurity === 'on' && relation.owner === role)) return null
  const applied = relation.policies.filter(
    (policy) => (policy.command === command || policy.command === 'all') && (policy.roles === null || policy.roles.includes(role)),
  )
  const expressions = (policy: Policy) => (command === 'insert' ? [policy.check ?? policy.using] : [policy.using, policy.check])
  const showsAll = (policy: Policy) => expressions(policy).every((expression) => expression === 'true' || expression === null)
  if (applied.some((policy) => policy.permissive && showsAll(policy)) && applied.every((policy) => policy.permissive || showsAll(policy)))
    return null
  return JSON.stringify(applied)
}

function rowSecurityFlaws(access: ReadonlySet<Access>, then: Relation, now: Relation, before: World, after: World): Flaw[] {
  const flaws: Flaw[] = []
  const flaw = (what: string, sure: boolean) => flaws.push({ code: 'IDB403', relation: now.name, field: null, what, sure })
  for (const command of access) {
    const filter = filterOf(now, after.stakeholder, command)
    if (filter === null) continue
    const filterThen = filterOf(then, after.stakeholder, command)
    if (filterThen === null) flaw(`row level security may hide rows from ${command}`, true)
    else if (filterThen !== filter) flaw(`the policies for ${command} changed`, false)
    // It broke nothing; but what may hide rows need not stand in for another alternative.
    else flaw(`row level security may have hidden rows from ${command} all along`, false)
  }
  const security = ({ catalogue }: World, name: string) => {
    const relation = catalogue.relations.get(name)
    return relation === undefined ? undefined : JSON.stringify([relation.rowSecurity, relation.policies, relation.owner])
  }
  const readsAs = ({ catalogue }: World, name: string) => {
    const relation = catalogue.relations.get(name)
    return relation?.kind === 'v' && (/security_invoker=true/.test(relation.definition ?? '') ? 'whoever reads it' : relation.owner)
  }
  const isFiltered = (name: string) => (after.catalogue.relations.get(name)?.rowSecurity ?? 'off') !== 'off'
  // A policy may read what it likes, and see less of it from now on.
  for (const { name } of allReadWith(after.catalogue, now.name)) {
    if (name !== now.name && security(before, name) !== security(after, name)) flaw(`row level security of ${name} changed`, false)
    if (readsAs(before, name) !== readsAs(after, name) && [...relationsBehind(after.catalogue, name)].some(isFiltered))
      flaw(`${name} reads with the rights of ${readsAs(after, name)}`, false)
  }
  return flaws
}

/** What an INSERT goes through: the relation, and what Postgres hands it on to. A view may also read relations that it does not write. */
function insertedInto({ relations }: Pick<Catalogue, 'relations'>, name: string, seen = new Set<string>()): Set<string> {
  const relation = relations.get(name)
  if (relation === undefined || seen.has(name)) return seen
  seen.add(name)
  for (const below of handedTo(relation)) insertedInto({ relations }, below, seen)
  return seen
}

/** Who has to be able to call it? With one row written Postgres has asked, but for what it leaves out of an UPDATE: what is as it was. */
const callers: Record<Call['by'], { of: Access[]; shown: Access[] }> = {
  view: { of: ['select', 'insert', 'update', 'delete'], shown: [] },
  default: { of: ['insert'], shown: [] },
  generated: { of: ['insert', 'update'], shown: ['insert'] },
  check: { of: ['insert', 'update'], shown: ['insert', 'update'] },
  index: { of: ['insert', 'update'], shown: ['insert'] },
  domain: { of: ['insert', 'update'], shown: ['insert'] },
  trigger: { of: ['insert', 'update', 'delete'], shown: [] },
  rule: { of: ['insert', 'update', 'delete'], shown: [] },
  policy: { of: ['select', 'insert', 'update', 'delete'], shown: ['select', 'insert', 'update', 'delete'] },
}

/** Tables whose rows come with those of this one: partitions, and what inherits. */
export function descendants(catalogue: Catalogue, name: string): Relation[] {
  const children = [...catalogue.relations.values()].filter(({ parents }) => parents.includes(name))
  return children.flatMap((child) => [child, ...descendants(catalogue, child.name)])
}

/** As Postgres's messages have it. */
export const unquoted = (name: string): string => name.replace(/^"|"$/g, '')

/** Postgres tells no schema. */
export const bareName = ({ name }: { name: string }): string => unquoted(name.replace(/\(.*/, '').replace(/^.*\./, ''))

/** What rules of these write to, with all that this rests on and what inherits from it: it is not seen (docs/limits.md). */
export function writtenByRules(catalogue: Catalogue, relations: readonly Relation[]): Relation[] {
  return relations
    .flatMap(({ ruled }) => ruled.flatMap((target) => [...relationsBehind(catalogue, target)]))
    .flatMap((target) => [catalogue.relations.get(target) ?? [], descendants(catalogue, target)].flat())
}

/** Does an error name it, an index of it (of what has to be unique Postgres names nothing else), a sequence that fills it or a function that it calls, but for these? */
export function isNamedIn(
  message: string,
  { relation, indexes, sequences, calls }: Relation,
  except: ReadonlySet<string> = new Set(),
): boolean {
  return [relation, ...indexes.map(unquoted), ...[...sequences, ...calls].map(bareName)].some(
    (one) => !except.has(one) && (message.endsWith(` ${one}`) || message.includes(`"${one}"`)),
  )
}

/** What using this relation calls and the stakeholder may not, now or ever. Whether what it does needs that, a try tells, where there is a row to show it. */
function callFlaws(access: ReadonlySet<Access>, now: Relation, after: World): Flaw[] {
  const inserted = access.has('insert') ? insertedInto(after.catalogue, now.name) : new Set()
  const flawsOf = (relation: Relation, isOwn: boolean, isReached: (call: Call) => boolean): Flaw[] =>
    relation.calls
      .filter((call) => !call.executors.includes(after.stakeholder) && isReached(call))
      .flatMap((call) => {
        const { of, shown } = callers[call.by]
        const concerned = of.filter((one) => access.has(one))
        if (concerned.length === 0) return []
        return {
          code: call.by === 'view' && isView(relation) ? 'IDB404' : 'IDB401',
          relation: now.name,
          field: call.name,
          what: `${call.name} may not be called`,
          sure: false,
          ...(isOwn && concerned.every((one) => shown.includes(one)) && { shownBy: concerned }),
        }
      })
  return [...relationsBehind(after.catalogue, now.name)].flatMap((name) => {
    const relation = after.catalogue.relations.get(name)
    if (relation === undefined) return []
    return [
      ...flawsOf(relation, name === now.name, ({ by }) => by !== 'default' || inserted.has(name)),
      ...(writes(access)
        ? descendants(after.catalogue, name).flatMap((one) => flawsOf(one, false, ({ by }) => by !== 'policy' && by !== 'default'))
        : []),
    ]
  })
}

/**
 * Tables that a publication lets nobody write, and whose rows are written with those of this one, by a foreign key: there may be no row to
 * show it. (Where nothing else is written, Postgres refuses before it looks for rows.)
 */
export function refusedBehind(catalogue: Catalogue, name: string): Relation[] {
  const withRows = (names: Iterable<string>) =>
    [...names].flatMap((one) => [one, ...descendants(catalogue, one).map((child) => child.name)])
  const own = new Set(withRows(relationsBehind(catalogue, name)))
  const seen = new Set(own)
  for (const one of seen) {
    for (const { name: referring, constraints } of catalogue.relations.values()) {
      const follows = constraints.some(
        ({ isForeign, definition }) => !isForeign && definition.includes(` REFERENCES ${one}(`) && / ON (DELETE|UPDATE) /.test(definition),
      )
      if (follows) for (const written of withRows([referring])) seen.add(written)
    }
  }
  return [...seen]
    .filter((one) => !own.has(one))
    .flatMap((one) => catalogue.relations.get(one) ?? [])
    .filter(({ refuses }) => refuses.update || refuses.delete)
}

/** Then it cannot be read, unless the planner puts out what reads it. */
function emptyFlaws(now: Relation, { catalogue }: World): Flaw[] {
  return allReadWith(catalogue, now.name)
    .filter(({ name, isPopulated }) => name !== now.name && !isPopulated)
    .map(({ name }) => ({ code: 'IDB104', relation: now.name, field: null, what: `${name} holds no data`, sure: false }))
}

function publicationFlaws(access: ReadonlySet<Access>, now: Relation, before: World, after: World): Flaw[] {
  if (!access.has('update') && !access.has('delete')) return []
  const then = refusedBehind(before.catalogue, now.name)
  return refusedBehind(after.catalogue, now.name)
    .filter(({ name, refuses }) => {
      const known = then.find((one) => one.name === name)?.refuses
      return (refuses.update && !known?.update) || (refuses.delete && !known?.delete)
    })
    .map(({ name }) => ({ code: 'IDB213', relation: now.name, field: name, what: `a publication refuses to write ${name}`, sure: false }))
}

/** What a view is written to may take null no longer, or no longer fill itself: which of its columns that concerns, if any, the oracle does not know. */
function flawsBehind(access: ReadonlySet<Access>, now: Relation, before: World, after: World): Flaw[] {
  if (now.kind !== 'v' || !writes(access)) return []
  return [...relationsBehind(after.catalogue, now.name)].flatMap((name) => {
    const columnsThen = before.catalogue.relations.get(name)?.columns ?? []
    return (after.catalogue.relations.get(name)?.columns ?? []).flatMap((column) => {
      const then = columnsThen.find((one) => one.name === column.name)
      const flaw = (code: string, what: string): Flaw => ({
        code,
        relation: now.name,
        field: `${name}.${column.quoted}`,
        what,
        sure: false,
      })
      return [
        ...(column.keepsNullOut && !then?.keepsNullOut ? [flaw('IDB212', 'takes no null')] : []),
        ...(then !== undefined && fillsItself(then) && !fillsItself(column) ? [flaw('IDB214', 'no longer fills itself')] : []),
      ]
    })
  })
}

/** The fields of a path; of `*` each column that was observed. */
export function fieldsOf(path: ChosenPath, then: Relation | undefined, now: Relation | undefined): ChosenField[] {
  if (path.fields !== '*') return path.fields
  return ((then ?? now)?.columns ?? []).map(({ name }) => ({
    field: { name, types: null, minLength: null, isNullable: null, values: null, unique: null },
    others: [],
    optional: false,
  }))
}

/** All that it names, with the options that are not chosen. */
const namesOf = (fields: readonly ChosenField[]): Set<string> => new Set(fields.flatMap(({ field, others }) => [field.name, ...others]))

function fieldFlaws(
  access: ReadonlySet<Access>,
  { field, others, optional }: ChosenField,
  then: Relation | undefined,
  now: Relation,
): Flaw[] {
  const column = now.columns.find(({ name }) => name === field.name)
  const columnThen = then?.columns.find(({ name }) => name === field.name)
  if (column === undefined) {
    const isAbsent = !now.columns.some(({ name }) => others.includes(name))
    return optional && isAbsent ? [] : [missing(now.name, field.name)]
  }
  const flaws = columnFlaws(access, field, then, columnThen, now, column)
  // What appears and does not fit breaks nothing that anybody had.
  return columnThen === undefined ? flaws.map((flaw) => ({ ...flaw, sure: false })) : flaws
}

const missing = (relation: string, field: string): Flaw => ({ code: 'IDB201', relation, field, what: 'is not there', sure: true })

/** Of several ways to hold, the best: one without flaws, else one of which something is a matter of opinion, else all that is wrong. */
export function leastOf(ways: readonly Flaw[][]): Flaw[] {
  return ways.find((flaws) => flaws.length === 0) ?? ways.find((flaws) => flaws.every(({ sure }) => !sure)) ?? ways.flat()
}

/** A claimed relation against what was observed of it (`then` of the world `before`); undefined: it was not there. `filled`: what an INSERT names. */
export function relationFlaws(
  { access }: Pick<Match, 'access'>,
  path: ChosenPath,
  name: string,
  then: Relation | undefined,
  filled: ReadonlySet<string>,
  now: Relation | undefined,
  before: World,
  after: World,
): Flaw[] {
  if (now === undefined) return [{ code: 'IDB101', relation: name, field: null, what: 'is not there', sure: true }]
  const fields = fieldsOf(path, then, now)
  const flaws = fields.flatMap((field) => fieldFlaws(access, field, then, now))
  const claimed = new Set(fields.map(({ field }) => field.name))
  for (const act of ['insert', 'update', 'delete'] as const) {
    const isPossible = ({ accepts, columns }: Relation): boolean =>
      accepts[act] && (act === 'delete' || columns.some((column) => canWrite(column, act) && claimed.has(column.name)))
    if (!access.has(act) || isPossible(now) || path.relation === null) continue
    // What never was possible is refused when it is claimed, unless there is an alternative. With the last of its columns, which were optional, it may go.
    const isAnyThere = now.columns.some(
      (column) =>
        claimed.has(column.name) &&
        (act === 'delete' || then?.columns.some((one) => one.name === column.name && canWrite(one, act)) === true),
    )
    flaws.push({
      code: 'IDB213',
      relation: name,
      field: null,
      what: `no ${act}`,
      sure: then !== undefined && isPossible(then) && isAnyThere,
    })
  }
  if (then === undefined) return flaws
  // Who names no column asks for no row.
  if (fields.length > 0)
    flaws.push(
      ...rowSecurityFlaws(access, then, now, before, after),
      ...callFlaws(access, now, after),
      ...publicationFlaws(access, now, before, after),
      ...emptyFlaws(now, after),
      ...flawsBehind(access, now, before, after),
    )
  if (access.has('insert') && then.accepts.insert) {
    const requiredThen = new Set(required(then).map((column) => column.name))
    for (const column of required(now)) {
      // A partition's own may never see a row (a default partition beside one for all values).
      const isOfPartition = !column.isNotNull
      if (filled.has(column.name) || (isOfPartition && requiredThen.has(column.name))) continue
      // Where it always was required no INSERT ever worked: hardly an alternative to anything.
      const sure = !isOfPartition && !requiredThen.has(column.name)
      flaws.push({ code: 'IDB211', relation: name, field: column.name, what: 'is required', sure })
    }
  }
  return flaws
}

/**
 * Constraints that this step added and that concern what an application writes there: columns of its own, keys that others refer to, or what
 * an INSERT leaves null (by a CHECK) or to itself (by a foreign key).
 */
export function newConstraints(
  access: ReadonlySet<Access>,
  path: ChosenPath,
  then: Relation,
  now: Relation,
  before: Catalogue,
): Constraint[] {
  const claimed = namesOf(fieldsOf(path, then, now))
  const written = new Set(
    then.columns
      .filter(
        (one) =>
          claimed.has(one.name) &&
          (['insert', 'update'] as const).some((act) => access.has(act) && then.accepts[act] && canWrite(one, act)),
      )
      .map(({ name }) => name),
  )
  const old = [...before.relations.values()].flatMap(({ constraints }) => constraints).concat(then.constraints)
  // Made anew the same, and not one more of them. (One that is NOT VALID refuses as much.)
  const meaning = ({ definition }: Pick<Constraint, 'definition'>): string => definition.replace(/ NOT VALID$/, '')
  const count = ({ constraints }: Relation, wanted: string): number => constraints.filter((one) => meaning(one) === wanted).length
  const isKnown = (known: Constraint) =>
    old.some(({ oid }) => oid === known.oid) || count(then, meaning(known)) >= count(now, meaning(known))
  const matters = ({ isForeign }: Constraint) => (isForeign ? access.has('update') : writes(access))
  const isFilled = ({ columns }: Constraint) => now.columns.some((column) => columns.includes(column.name) && fillsItself(column))
  const isForInsert = (one: Constraint) =>
    access.has('insert') &&
    then.accepts.insert &&
    written.size > 0 &&
    ((one.columns.length > 0 && one.definition.startsWith('CHECK')) ||
      (one.definition.startsWith('FOREIGN KEY') && !one.isForeign && isFilled(one)))
  return now.constraints.filter(
    (one) => !isKnown(one) && matters(one) && (one.columns.some((column) => written.has(column)) || isForInsert(one)),
  )
}
