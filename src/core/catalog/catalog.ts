/**
 * The part of the database's catalogue that an operation needs, as `integratedb._catalog()` reads it:
 * plain rows, one JSON. Pure look-ups; nothing here knows of claims.
 */
import type { Type } from './type.ts'

export interface Column extends Type {
  /** pg_attribute.attnum: survives a rename, not a drop and re-add. */
  num: number
  name: string
  /** null where the catalogue cannot know: columns of views. */
  nullable: boolean | null
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
  columns: Column[]
}

/** What one stakeholder may do with one relation. */
export interface Access {
  stakeholder: string
  relation: number
  /** Is there a role of that name? Without one there is nothing to grant, and nobody whose privileges could be lost. */
  has_role: boolean
  /** The stakeholder owns the relation: nothing to grant, nothing to revoke. */
  owner: boolean
  /** Columns on which the role itself, and not PUBLIC or another role, holds SELECT. */
  granted: number[]
  /** Columns that it can read, whatever the reason. */
  readable: number[]
  /** The role itself holds privileges other than SELECT on columns: somebody granted them by hand. */
  surplus: boolean
  /** Does the role itself hold USAGE on the schema, and does it effectively? */
  usage_granted: boolean
  usage: boolean
  /** The stakeholder owns the schema: its usage is not ours to give or take. */
  schema_owner: boolean
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

/** The catalogue with its look-ups. */
export class CatalogIndex {
  readonly relations: readonly Relation[]
  private readonly byId = new Map<number, Relation>()
  private readonly byName = new Map<string, Relation>()
  private readonly access = new Map<string, Access>()

  constructor(catalog: Catalog) {
    this.relations = catalog.relations
    for (const relation of catalog.relations) {
      this.byId.set(relation.id, relation)
      this.byName.set(JSON.stringify([relation.schema, relation.name]), relation)
    }
    for (const access of catalog.access) this.access.set(JSON.stringify([access.stakeholder, access.relation]), access)
  }

  withId(id: number | null): Relation | undefined {
    return id === null ? undefined : this.byId.get(id)
  }

  named(schema: string, name: string): Relation | undefined {
    return this.byName.get(JSON.stringify([schema, name]))
  }

  /** Was the catalogue asked about this stakeholder and relation? */
  knowsAccess(stakeholder: string, relation: Relation): boolean {
    return this.access.has(JSON.stringify([stakeholder, relation.id]))
  }

  accessOf(stakeholder: string, relation: Relation): Access {
    const access = this.access.get(JSON.stringify([stakeholder, relation.id]))
    if (access === undefined) throw new Error(`the catalogue lacks the access of ${stakeholder} to relation ${relation.id}`)
    return access
  }
}
