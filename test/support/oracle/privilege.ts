/** Exactly what a stakeholder's role holds, and exactly what it should: its document applied to the catalogue, and nothing else. */
import type { Session } from '../database.ts'
import { type Catalogue, handedTo, type Relation } from './catalogue.ts'
import type { Match, Path } from './document.ts'
import { refusedBehind } from './promise.ts'

/** All that these roles themselves hold on what others own, on anything in this database that we grant on. (pg_shdepend: who is in which ACL.) */
async function privilegesOfAll(session: Session, roles: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await session.client.query<{ role: string; privilege: string }>({
    name: 'oracle privileges',
    text: `with granted as (
       select r.oid as role, r.rolname, d.classid, d.objid, d.objsubid
         from pg_roles r
         join pg_shdepend d on d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid and d.deptype = 'a'
        where r.rolname = any ($1) and d.dbid = (select oid from pg_database where datname = current_database()))
     select g.rolname as role, format('%s on %I.%I.%I', x.privilege_type, n.nspname, c.relname, a.attname) as privilege
       from granted g
       join pg_class c on g.classid = 'pg_class'::regclass and c.oid = g.objid and c.relowner <> g.role
       join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum = g.objsubid and not a.attisdropped
       cross join aclexplode(a.attacl) x
      where x.grantee = g.role
     union
     select g.rolname, format('%s on %I.%I', x.privilege_type, n.nspname, c.relname)
       from granted g
       join pg_class c on g.classid = 'pg_class'::regclass and c.oid = g.objid and c.relowner <> g.role
       join pg_namespace n on n.oid = c.relnamespace
       cross join aclexplode(c.relacl) x
      where g.objsubid = 0 and x.grantee = g.role
     union
     select g.rolname, format('%s on schema %I', x.privilege_type, n.nspname)
       from granted g
       join pg_namespace n on g.classid = 'pg_namespace'::regclass and n.oid = g.objid and n.nspowner <> g.role
       cross join aclexplode(n.nspacl) x
      where x.grantee = g.role`,
    values: [roles],
  })
  const held = new Map<string, string[]>(roles.map((role) => [role, []]))
  for (const { role, privilege } of rows) held.get(role)?.push(privilege)
  return held
}

export async function privilegesOf(session: Session, role: string): Promise<string[]> {
  return (await privilegesOfAll(session, [role])).get(role)?.sort() ?? []
}

/** The relations that a path speaks of and that are there. Single partitions and what extensions own are not part of `schema.*`. */
export function relationsOf(catalogue: Catalogue, path: Pick<Path, 'schema' | 'relation'>): Relation[] {
  return [...catalogue.relations.values()].filter(
    ({ schema, relation, isPartition, isOfExtension }) =>
      schema === path.schema && (path.relation === null ? !isPartition && !isOfExtension : relation === path.relation),
  )
}

/** The columns of a relation that a path speaks of and that are there, of all alternatives. */
function columnsOf(relation: Relation, path: Path): Relation['columns'] {
  if (path.fields === '*') return relation.columns
  const names = new Set(path.fields.flatMap(({ options }) => options.map(({ name }) => name)))
  return relation.columns.filter(({ name }) => names.has(name))
}

/** An INSERT runs the defaults of the table that it ends in, with the rights of whoever inserts; not where a trigger or rule takes it over. */
function sequencesOf(catalogue: Catalogue, relation: Relation, seen: readonly Relation[] = []): Relation['sequences'] {
  if (seen.includes(relation)) return []
  const behind = handedTo(relation).flatMap((name) => catalogue.relations.get(name) ?? [])
  return [...relation.sequences, ...behind.flatMap((one) => sequencesOf(catalogue, one, [...seen, relation]))]
}

/** What the role should hold, by its document and the catalogue alone. `either`: what it may hold or not. */
function privilegesPromised(
  catalogue: Catalogue,
  stakeholder: string,
  matches: readonly Match[],
): { promised: string[]; either: string[] } {
  const promised = new Set<string>()
  const either = new Set<string>()
  const usageOf = ({ schema }: { schema: string }): string => `USAGE on schema ${catalogue.schemas.get(schema)?.quoted}`
  const grant = (privilege: string, of: { schema: string }): void => {
    promised.add(privilege)
    if (catalogue.schemas.get(of.schema)?.owner !== stakeholder) promised.add(usageOf(of))
  }
  for (const { paths, access } of matches) {
    for (const path of paths) {
      for (const relation of relationsOf(catalogue, path)) {
        const columns = columnsOf(relation, path)
        const inserted = columns.filter(({ isInsertable }) => isInsertable)
        // A default of a computed column keeps every INSERT out of a view, whatever it names; what is granted on it is good for nothing.
        if (
          access.has('insert') &&
          relation.kind === 'v' &&
          inserted.length === 0 &&
          relation.columns.some(({ hasDefault }) => hasDefault)
        ) {
          for (const { quoted } of columns) either.add(`INSERT on ${relation.name}.${quoted}`)
          for (const { name } of sequencesOf(catalogue, relation)) either.add(`USAGE on ${name}`)
          either.add(usageOf(relation))
        }
        if (access.has('insert') && relation.accepts.insert && inserted.length > 0) {
          for (const sequence of sequencesOf(catalogue, relation)) {
            // Its schema need not be entered: a default calls the sequence by its oid.
            if (sequence.owner !== stakeholder) promised.add(`USAGE on ${sequence.name}`)
          }
        }
        if (relation.owner === stakeholder) {
          // It needs the schema to use what is its own. Who gave it that is not said.
          either.add(usageOf(relation))
          continue
        }
        if (columns.length === 0) continue
        const on = (privilege: string, to: typeof columns) => {
          for (const { quoted } of to) grant(`${privilege} on ${relation.name}.${quoted}`, relation)
        }
        const updated = columns.filter(({ isUpdatable }) => isUpdatable)
        if (access.has('select')) on('SELECT', columns)
        if (access.has('insert') && relation.accepts.insert) on('INSERT', inserted)
        if (relation.isWriteUnknown || refusedBehind(catalogue, relation.name).length > 0) {
          for (const { quoted } of columns) either.add(`UPDATE on ${relation.name}.${quoted}`)
          either.add(`DELETE on ${relation.name}`)
          either.add(usageOf(relation))
          continue
        }
        if (access.has('update') && relation.accepts.update) on('UPDATE', updated)
        if (access.has('delete') && relation.accepts.delete) grant(`DELETE on ${relation.name}`, relation)
      }
    }
  }
  return { promised: [...promised].sort(), either: [...either] }
}

export interface WrongPrivileges {
  stakeholder: string
  tooMuch: string[]
  missing: string[]
}

/** Where what a role holds is not what its documents' matches promise. */
export async function wrongPrivileges(
  session: Session,
  catalogue: Catalogue,
  claimed: ReadonlyMap<string, readonly Match[]>,
): Promise<WrongPrivileges[]> {
  const held = await privilegesOfAll(session, [...claimed.keys()])
  const compared = [...claimed].map(([stakeholder, matches]) => {
    const { promised, either } = privilegesPromised(catalogue, stakeholder, matches)
    const has = held.get(stakeholder) ?? []
    return {
      stakeholder,
      tooMuch: has.filter((one) => !promised.includes(one) && !either.includes(one)),
      missing: promised.filter((one) => !has.includes(one)),
    }
  })
  return compared.filter(({ tooMuch, missing }) => tooMuch.length + missing.length > 0)
}
