/**
 * The part of the database's catalogue that an operation needs, as `integratedb._catalog()` reads it:
 * plain rows, one JSON. Pure look-ups; nothing here knows of claims.
 */
import type { Type } from './type.ts'

export const columnPrivileges = ['select', 'insert', 'update'] as const
export type ColumnPrivilege = (typeof columnPrivileges)[number]

/** What a claim can give the right to. */
export const privileges = [...columnPrivileges, 'delete'] as const
export type Privilege = (typeof privileges)[number]

/** It can be … */
export const verbs: Readonly<Record<Privilege, string>> = {
  select: 'read',
  insert: 'inserted into',
  update: 'updated',
  delete: 'deleted from',
}

/**
 * Two ways to say what an expression is, as Postgres keeps it and as Postgres writes it out. Renaming what it speaks of
 * leaves the first, making it anew in the same words leaves the second: it is the same if one of them is.
 */
export type Marks = readonly string[]

export function isSame(one: Marks, other: Marks): boolean {
  return one.some((mark) => other.includes(mark))
}

export function hasAll(all: readonly Marks[], wanted: readonly Marks[]): boolean {
  return wanted.every((marks) => all.some((other) => isSame(other, marks)))
}

/**
 * What to remember: what was remembered, where it is the same still. Much that a query or a policy speaks of is renamed
 * without an event that concerns who reads it; whether it was looked at since must make no difference.
 */
export function keepSame(before: Marks = [], now: Marks): Marks {
  return isSame(before, now) ? before : now
}

export function keepAllSame(before: readonly Marks[] = [], now: readonly Marks[]): readonly Marks[] {
  return hasAll(before, now) && hasAll(now, before) ? before : now
}

/** What a writer has to know of a column. */
interface ColumnWrites {
  /** Not of generated columns, identity columns GENERATED ALWAYS, a view's computed ones. */
  insert?: boolean
  update?: boolean
  /** Null may be inserted. Missing, as the next two: nobody knows (INSTEAD OF triggers and rules). */
  accepts_null?: boolean
  /** An update may set it to null, in every table whose rows come with it. */
  update_null?: boolean
  /** By a default, as an identity, or because it is generated: an insert may leave it out. */
  fills_itself?: boolean
}

export interface Column extends Type, ColumnWrites {
  /** pg_attribute.attnum: survives a rename, not a drop and re-add. */
  num: number
  name: string
  /** Missing or null where the catalogue cannot know: columns of views. */
  nullable?: boolean | null
  /** Of an enum, of an array of them or a domain over one; of enums in a composite type `attribute.label`. */
  labels?: string[]
  /** Alone covered by a primary key or a unique constraint. Missing where there can be none: of views. */
  unique?: boolean
  /** Where it is not the type's own: its name, and its oid. */
  collation?: Marks
  /** Of a generated column. */
  expression?: Marks
}

/** Something that can refuse or change what is written: a constraint, a trigger, a rule. */
export interface Hurdle {
  name: string
  marks: Marks
  /** Of what it concerns: i, u, d; a capital: whatever the columns, because it concerns whole rows. */
  events: string
  /** Constraints: column numbers. */
  columns?: number[]
  /** Not validated, and there are rows that it would refuse. */
  is_broken?: boolean
}

/** What there is to know about writing into a relation; behind an updatable view, into the table that it updates. */
export interface Writes {
  insert: boolean
  update: boolean
  delete: boolean
  /** A partitioned table that has none. */
  without_partition?: boolean
  columns: (ColumnWrites & { num: number })[]
  /** Columns of the table behind a view that have to be filled and cannot be through the view. */
  hidden?: string[]
  constraints: Hurdle[]
  triggers: Hurdle[]
  /** Oids of functions that writing calls (defaults, checks, indexes, …), and of partitions. */
  behind?: number[]
  /** That column defaults call. */
  sequences: { id: number; schema: string; name: string; grantable: boolean }[]
}

export interface Relation {
  /** pg_class.oid: survives a rename, not a drop and re-create. */
  id: number
  schema: string
  schema_id: number
  name: string
  /** pg_class.relkind. */
  kind: string
  owner: string
  /** May the installation grant on it, and on its schema? */
  grantable: boolean
  schema_grantable: boolean
  /** Does `schema.*` take it in? Not single partitions, not what an extension owns. */
  in_wildcard: boolean
  /** Made, renamed or moved by this transaction. */
  is_new?: true
  /** A materialized view made or refreshed WITH NO DATA, or a view over one: it cannot be read. */
  unpopulated?: boolean
  /** Oids of the relations and functions that it reads or calls (views, policies). */
  behind?: number[]
  /** The query of a view. */
  definition?: Marks
  /** Only of relations that somebody claims to write. */
  writes?: Writes
  columns: Column[]
}

/** A relation of which row level security may hide rows, with the policies that apply: for each view whose owner they apply to. */
export interface RowFilter {
  marks: Marks
  path: string
  permissive: readonly Marks[]
  restrictive: readonly Marks[]
}

/** Privileges on one relation: of columns by their numbers. */
interface Privileges {
  select?: number[]
  insert?: number[]
  update?: number[]
  delete?: boolean
}

export interface Obstacle {
  code: 'IDB104' | 'IDB401' | 'IDB404'
  expected: Privilege | 'execute' | 'usage'
  message: string
  /** What needs it, if not `expected` itself; execute: whatever is done. */
  of_access?: Privilege | 'execute'
  /** By its number, the view's column that it keeps from being written; missing: all of the relation. */
  of_column?: number
  /** What a stakeholder needs itself behind a view: this one (security_invoker), or own_by, which owns the view; own_column missing for any column. */
  own_relation?: number
  own_column?: number
  own_by?: string
  /** It has that now, and by no other way than a grant to itself. */
  is_granted?: true
}

/** What one stakeholder may do with one relation. */
export interface Access {
  stakeholder: string
  relation: number
  /** Is there a role of that name? Without one there is nothing to grant, and nobody whose privileges could be lost. */
  has_role: boolean
  /** The stakeholder owns the relation: nothing to grant, nothing to revoke. */
  owner: boolean
  /** What the role itself, and not PUBLIC or another role, holds. */
  granted: Privileges
  /** What it can do, whatever the reason. */
  effective: Privileges
  /** The role itself holds privileges that no claim gives: somebody granted them by hand. */
  surplus: boolean
  /** Does the role itself hold USAGE on the schema, and does it effectively? */
  usage_granted: boolean
  usage: boolean
  /** The stakeholder owns the schema: its usage is not ours to give or take. */
  schema_owner: boolean
  /** USAGE on the sequences of `Writes`. */
  sequences?: { id: number; granted: boolean; effective: boolean }[]
  /** What keeps it from using the relation, whatever its privileges. */
  obstacles?: Obstacle[]
  /** By what it does; nothing where no rows are hidden. */
  rows?: { [P in Privilege]?: RowFilter[] }
}

export interface Catalog {
  relations: Relation[]
  access: Access[]
}

const kinds: Record<string, string> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
  c: 'composite type',
  i: 'index',
  I: 'partitioned index',
}

export function kindName(kind: string): string {
  return kinds[kind] ?? 'other object'
}

/** Relations that can be claimed: what one can select from. */
export function isClaimable(relation: Relation): boolean {
  return 'rpvmf'.includes(relation.kind)
}

/** As in pg_depend: where a column's number could stand, the relation as a whole. */
export const whole = 0

/** On which columns is the privilege held? */
export function numbersOf(held: Privileges, privilege: Privilege): readonly number[] {
  if (privilege === 'delete') return held.delete ? [whole] : []
  return held[privilege] ?? []
}

export function sequenceAccess({ sequences }: Access, id: number): { granted?: boolean; effective?: boolean } {
  return sequences?.find((each) => each.id === id) ?? {}
}

/** What makes one of several things, as a key to find it by. */
export function keyOf(...parts: unknown[]): string {
  return JSON.stringify(parts)
}

/** In the order in which the groups first appear. */
export function groupBy<T, Key>(all: readonly T[], keyOfEach: (each: T) => Key): Map<Key, [T, ...T[]]> {
  const groups = new Map<Key, [T, ...T[]]>()
  for (const each of all) {
    const key = keyOfEach(each)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  return groups
}

/** Of writing the catalogue has one list for all columns. */
function withWriting(relation: Relation): Relation {
  const { writes } = relation
  if (writes === undefined) return relation
  const columns = relation.columns.map((column) => {
    const found = writes.columns.find(({ num }) => num === column.num)
    if (found === undefined) return column
    return { ...column, ...found, insert: writes.insert && found.insert === true, update: writes.update && found.update === true }
  })
  return { ...relation, columns }
}

/** The catalogue with its look-ups. */
export class CatalogIndex {
  readonly relations: readonly Relation[]
  private readonly byId: ReadonlyMap<number | null, Relation>
  private readonly byName: ReadonlyMap<string, Relation>
  private readonly access: ReadonlyMap<string, Access>
  /** Does anything that a stakeholder needs behind a view depend on what it is granted itself? */
  readonly hasOwnObstacles: boolean

  constructor({ relations, access }: Catalog) {
    this.relations = relations.map(withWriting)
    this.byId = new Map(this.relations.map((relation) => [relation.id, relation]))
    this.byName = new Map(this.relations.map((relation) => [keyOf(relation.schema, relation.name), relation]))
    this.access = new Map(access.map((each) => [keyOf(each.stakeholder, each.relation), each]))
    this.hasOwnObstacles = access.some(({ obstacles }) => obstacles?.some(({ own_relation }) => own_relation !== undefined))
  }

  withId(id: number | null): Relation | undefined {
    return this.byId.get(id)
  }

  named(schema: string, name: string): Relation | undefined {
    return this.byName.get(keyOf(schema, name))
  }

  /** Was the catalogue asked about this stakeholder and relation? */
  knowsAccess(stakeholder: string, { id }: Relation): boolean {
    return this.access.has(keyOf(stakeholder, id))
  }

  accessOf(stakeholder: string, { id }: Relation): Access {
    const access = this.access.get(keyOf(stakeholder, id))
    if (access === undefined) throw new Error(`no access of ${stakeholder} to relation ${id} in the catalogue`)
    return access
  }
}
