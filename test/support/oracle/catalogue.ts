/** What is in the database now, from Postgres's own catalogue in one query or two: what the oracle knows of the world. */
import format from 'pg-format'
import type { Session } from '../database.ts'

export interface Column {
  name: string
  /** The name as SQL wants it. */
  quoted: string
  /** With its modifier, schema-qualified where Postgres's own search path would need that. */
  type: string
  /** What the type is made of, where a name alone does not tell: domains, composite types, arrays of them. */
  behind: string
  /** As the protocol tells it: what is under all domains. */
  shown: string
  /** The labels of the enum that this is, or is an array of, or a domain over. */
  labels: string[] | null
  /** Those of enums that are attributes of it. */
  innerLabels: string[]
  isNotNull: boolean
  /** Nor does any table that inherits: their rows are read with its own. */
  showsNoNull: boolean
  /** Null is refused, here or by a partition. */
  refusesNull: boolean
  /** An update refuses it, here or in a table whose rows come with this one's. */
  keepsNullOut: boolean
  /** The NOT NULL is the domain's. */
  isNotNullByDomain: boolean
  generated: boolean
  identity: 'always' | 'by default' | null
  /** A default that is not null. */
  hasDefault: boolean
  /** Alone covered by a primary key or unique constraint. */
  isUnique: boolean
  /** It can be named in an INSERT: not generated, not identity always, and of a view what goes through. */
  isInsertable: boolean
  isUpdatable: boolean
}

export interface Policy {
  name: string
  command: 'select' | 'insert' | 'update' | 'delete' | 'all'
  permissive: boolean
  /** null: everybody. */
  roles: string[] | null
  using: string | null
  check: string | null
}

/** NOT NULL is told by the column. A partition's own is its parents' as well. */
export interface Constraint {
  oid: number
  /** Quoted. */
  name: string
  /** A foreign key of another table that refers to this one. */
  isForeign: boolean
  definition: string
  /** A CHECK of the whole row: all of them. */
  columns: string[]
}

/** `by`: the query of a view, a column's default, … */
export interface Call {
  name: string
  by: 'view' | 'default' | 'generated' | 'check' | 'index' | 'trigger' | 'policy' | 'rule' | 'domain'
  executors: string[]
}

export interface Relation {
  oid: number
  /** Quoted where SQL wants it. */
  name: string
  schema: string
  relation: string
  kind: 'r' | 'p' | 'v' | 'm' | 'f'
  owner: string
  isPartition: boolean
  isOfExtension: boolean
  isPopulated: boolean
  /** Has its owner not revoked that from itself? */
  isReadByOwner: boolean
  accepts: { insert: boolean; update: boolean; delete: boolean }
  /** Postgres itself hands an INSERT into this view to what the view reads. */
  passesInserts: boolean
  definition: string | null
  rowSecurity: 'off' | 'on' | 'forced'
  policies: Policy[]
  constraints: Constraint[]
  triggers: string[]
  /** What its defaults call, quoted names. */
  sequences: { name: string; schema: string; owner: string }[]
  /** The relations that a view mentions, quoted names. */
  reads: string[]
  /** The functions that it calls with the rights of whoever reads or writes it, and who may. Those of domains are those of its columns' types. */
  calls: Call[]
  /** The relations that its policies read, quoted names. */
  policiesRead: string[]
  /** What its rules write to or read, quoted names. */
  ruled: string[]
  /** What a rule DO INSTEAD NOTHING makes nothing of: there is no statement left that would ask for a privilege. */
  annulled: ('insert' | 'update' | 'delete')[]
  /** Quoted, without their schema. */
  indexes: string[]
  /** A publication has Postgres refuse it of this very table, without what inherits from it, whoever asks. */
  refuses: { update: boolean; delete: boolean }
  /** Its owner may not write what is behind the view, so that Postgres does not come to say whether a publication refuses it. */
  isWriteUnknown: boolean
  /** Its parents' or partitioned table's names. */
  parents: string[]
  columns: Column[]
}

export interface Catalogue {
  relations: ReadonlyMap<string, Relation>
  /** By name. */
  schemas: ReadonlyMap<string, Schema>
  types: Types
  publications: string[]
}

interface Schema {
  quoted: string
  owner: string
  /** Who has usage of it, of those that can log in. */
  users: string[]
}

interface Type {
  name: string
  kind: 'd' | 'e' | 'c' | 'r'
  base: string | null
  notNull: boolean
  labels: string[] | null
  /** null: a table's row type, too, which changes with the table. */
  attributes: { name: string; type: string }[] | null
  /** What a range is of. */
  subtype: string | null
  /** What a domain's checks call. */
  calls: Omit<Call, 'by'>[]
}

const ours = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'integratedb')`

const executors = `(select coalesce(json_agg(r.rolname), '[]') from pg_roles r where r.rolcanlogin and has_function_privilege(r.oid, p.oid, 'execute'))`

const question = `
select json_build_object(
  'publications', (select coalesce(json_agg(pubname order by pubname), '[]') from pg_publication where pubname <> 'integratedb'),
  'schemas', (select json_object_agg(nspname, json_build_object('quoted', quote_ident(nspname), 'owner', pg_get_userbyid(nspowner),
      'users', (select coalesce(json_agg(r.rolname), '[]') from pg_roles r where r.rolcanlogin and has_schema_privilege(r.oid, n.oid, 'usage'))))
     from pg_namespace n where ${ours}),
  'types', (select json_agg(json_build_object(
      'name', format_type(t.oid, null), 'kind', t.typtype, 'base', format_type(nullif(t.typbasetype, 0), t.typtypmod), 'notNull', t.typnotnull,
      'labels', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
      'attributes', (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
                       from pg_class k join pg_attribute a on a.attrelid = k.oid and a.attnum > 0 and not a.attisdropped
                      where k.oid = t.typrelid and k.relkind = 'c'),
      'subtype', (select format_type(g.rngsubtype, null) from pg_range g where g.rngtypid = t.oid),
      'calls', (select coalesce(json_agg(json_build_object('name', p.oid::regprocedure::text, 'executors', ${executors})), '[]')
                  from pg_constraint k
                  join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid and d.refclassid = 'pg_proc'::regclass
                  join pg_proc p on p.oid = d.refobjid
                 where k.contypid = t.oid)))
     from pg_type t join pg_namespace n on n.oid = t.typnamespace where ${ours} and t.typtype in ('d', 'e', 'c', 'r')),
  'relations', (select json_agg(json_build_object(
      'oid', c.oid, 'name', format('%I.%I', n.nspname, c.relname), 'schema', n.nspname, 'relation', c.relname, 'kind', c.relkind,
      'owner', pg_get_userbyid(c.relowner), 'isPartition', c.relispartition, 'isPopulated', c.relispopulated,
      'isReadByOwner', has_table_privilege(c.relowner, c.oid, 'select'),
      'isOfExtension', exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'),
      'accepts', (select json_build_object(
          'insert', can & 8 > 0, 'update', can & 4 > 0, 'delete', can & 16 > 0)
         from pg_relation_is_updatable(c.oid, true) can),
      'passesInserts', c.relkind = 'v' and pg_relation_is_updatable(c.oid, false) & 8 > 0
          and not exists (select from pg_rewrite w where w.ev_class = c.oid and w.is_instead and w.ev_type = '3')
          and not exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgtype & 64 <> 0 and g.tgtype & 4 <> 0),
      'definition', case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) || coalesce(c.reloptions::text, '') end,
      'rowSecurity', case when not c.relrowsecurity then 'off' when c.relforcerowsecurity then 'forced' else 'on' end,
      'policies', (select coalesce(json_agg(json_build_object(
            'name', p.polname, 'permissive', p.polpermissive,
            'command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
            'roles', case when not 0 = any (p.polroles) then (select json_agg(r.rolname) from pg_roles r where r.oid = any (p.polroles)) end,
            'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)) order by p.polname), '[]')
          from pg_policy p where p.polrelid = c.oid),
      'constraints', (select coalesce(json_agg(json_build_object(
            'oid', k.oid, 'name', quote_ident(k.conname), 'isForeign', k.conrelid <> o.oid, 'definition', pg_get_constraintdef(k.oid),
            'columns', (select coalesce(json_agg(a.attname), '[]') from pg_attribute a
                         where a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
                           and (a.attnum = any (case when k.conrelid = o.oid then k.conkey else k.confkey end)
                                or k.contype = 'c' and 0 = any (coalesce(k.conkey, '{0}'))))) order by k.oid), '[]')
          from (select c.oid union select relid from pg_partition_tree(c.oid) where c.relkind = 'p') o
          join pg_constraint k on o.oid in (k.conrelid, k.confrelid) and k.contype not in ('n', 't')
         where (o.oid = c.oid or k.conparentid = 0 and k.coninhcount = 0)
           -- That of another table's partition is its whole's.
           and (k.conrelid = o.oid or not exists (select from pg_constraint p where p.oid = k.conparentid and p.confrelid = k.confrelid))),
      'triggers', (select coalesce(json_agg(pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text order by t.oid), '[]') from pg_trigger t
          where t.tgrelid = c.oid and not t.tgisinternal
            and exists (select from pg_proc p where p.oid = t.tgfoid)), -- one that is dropped while the trigger is made leaves it behind
      'sequences', (select coalesce(json_agg(distinct jsonb_build_object(
            'name', format('%I.%I', sn.nspname, s.relname), 'schema', sn.nspname, 'owner', pg_get_userbyid(s.relowner))), '[]')
          from pg_attrdef f
          join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_class'::regclass
          join pg_class s on s.oid = d.refobjid and s.relkind = 'S'
          join pg_namespace sn on sn.oid = s.relnamespace
         where f.adrelid = c.oid),
      'reads', (select coalesce(json_agg(distinct format('%I.%I', bn.nspname, b.relname)), '[]')
          from pg_rewrite w
          join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
          join pg_class b on b.oid = d.refobjid and b.oid <> c.oid
          join pg_namespace bn on bn.oid = b.relnamespace
         where w.ev_class = c.oid and w.rulename = '_RETURN'),
      'calls', (select coalesce(json_agg(json_build_object('name', p.oid::regprocedure::text, 'by', x.by, 'executors', ${executors})), '[]')
          from (
            select 'pg_rewrite'::regclass as class, w.oid, case w.rulename when '_RETURN' then 'view' else 'rule' end as by, 0::oid as own
              from pg_rewrite w where w.ev_class = c.oid
            union all
            select 'pg_attrdef'::regclass, f.oid, case a.attgenerated when '' then 'default' else 'generated' end, 0
              from pg_attrdef f join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum where f.adrelid = c.oid
            union all
            select 'pg_constraint'::regclass, k.oid, 'check', 0 from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
            union all
            select 'pg_class'::regclass, i.indexrelid, 'index', 0 from pg_index i where i.indrelid = c.oid
            union all
            -- What the condition of a partition's trigger calls is kept with the trigger of the whole.
            select 'pg_trigger'::regclass, o.oid, 'trigger', t.tgfoid
              from pg_trigger t
             cross join lateral (
               with recursive origin (oid, parent) as (
                 select t.oid, t.tgparentid union all select p.oid, p.tgparentid from origin x join pg_trigger p on p.oid = x.parent
               ) select oid from origin) o
             where t.tgrelid = c.oid and t.tgqual is not null
            union all
            select 'pg_policy'::regclass, y.oid, 'policy', 0 from pg_policy y where y.polrelid = c.oid) x
          join pg_depend d on d.classid = x.class and d.objid = x.oid and d.refclassid = 'pg_proc'::regclass and d.refobjid <> x.own
          join pg_proc p on p.oid = d.refobjid),
      'policiesRead', (select coalesce(json_agg(distinct format('%I.%I', bn.nspname, b.relname)), '[]')
          from pg_policy y
          join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = y.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid
          join pg_class b on b.oid = d.refobjid
          join pg_namespace bn on bn.oid = b.relnamespace
         where y.polrelid = c.oid),
      'ruled', (select coalesce(json_agg(distinct format('%I.%I', bn.nspname, b.relname)), '[]')
          from pg_rewrite w
          join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
          join pg_class b on b.oid = d.refobjid and b.oid <> c.oid
          join pg_namespace bn on bn.oid = b.relnamespace
         where w.ev_class = c.oid and w.rulename <> '_RETURN'),
      'annulled', (select coalesce(json_agg(case w.ev_type when '2' then 'update' when '3' then 'insert' when '4' then 'delete' end), '[]')
          from pg_rewrite w
         where w.ev_class = c.oid and w.ev_qual = '<>' and pg_get_ruledef(w.oid) ~ ' DO INSTEAD NOTHING;$'),
      'indexes', (select coalesce(json_agg(quote_ident(x.relname) order by x.relname), '[]') from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid),
      'parents', (select coalesce(json_agg(format('%I.%I', bn.nspname, b.relname)), '[]')
          from pg_inherits i join pg_class b on b.oid = i.inhparent join pg_namespace bn on bn.oid = b.relnamespace where i.inhrelid = c.oid),
      'columns', (select coalesce(json_agg(json_build_object(
            'name', a.attname, 'quoted', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull, 'generated', a.attgenerated <> '',
            'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
            'hasDefault', a.atthasdef and a.attgenerated = '' and (
                select pg_get_expr(f.adbin, f.adrelid) !~ '^NULL(::|$)' from pg_attrdef f where f.adrelid = c.oid and f.adnum = a.attnum),
            'isUnique', exists (select from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u') and k.conkey = array[a.attnum])
                and (c.relkind = 'p' or not exists (select from pg_inherits i where i.inhparent = c.oid)),
            'partitionRefuses', c.relkind = 'p' and exists (
                select from pg_partition_tree(c.oid) t join pg_attribute o on o.attrelid = t.relid
                 where t.relid <> c.oid and o.attname = a.attname and o.attnotnull),
            'childRefuses', o.refuses is true,
            'childAccepts', o.accepts is true and c.relkind <> 'p',
            'passes', c.relkind <> 'f' or pg_column_is_updatable(c.oid, a.attnum, true)) order by a.attnum), '[]')
          from pg_attribute a
          left join lateral (
            with recursive child (oid) as (
              select i.inhrelid from pg_inherits i where i.inhparent = c.oid union select i.inhrelid from child p join pg_inherits i on i.inhparent = p.oid)
            select bool_or(o.attnotnull) as refuses, bool_or(not o.attnotnull) as accepts
              from child p join pg_attribute o on o.attrelid = p.oid where o.attname = a.attname
          ) o on c.relhassubclass
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)))
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${ours} and c.relkind in ('r', 'p', 'v', 'm', 'f')))::text`

type AskedColumn = Omit<
  Column,
  | 'behind'
  | 'shown'
  | 'labels'
  | 'innerLabels'
  | 'isNotNull'
  | 'showsNoNull'
  | 'refusesNull'
  | 'keepsNullOut'
  | 'isNotNullByDomain'
  | 'isInsertable'
  | 'isUpdatable'
> & {
  notNull: boolean
  partitionRefuses: boolean
  childRefuses: boolean
  childAccepts: boolean
  passes: boolean
}

interface Answer {
  publications: string[]
  schemas: Record<string, Schema> | null
  types: Type[] | null
  relations: (Omit<Relation, 'columns' | 'refuses' | 'isWriteUnknown'> & { columns: AskedColumn[] })[] | null
}

/** Types that lead to other types, by name. */
export class Types {
  readonly byName: ReadonlyMap<string, Type>

  constructor(types: readonly Type[]) {
    this.byName = new Map(types.map((type) => [type.name, type]))
  }

  /** What its name alone does not tell. */
  behind(type: string): string {
    const element = type.replace(/(\[\])+$/, '')
    return this.byName.has(element) ? this.madeOf(element) : ''
  }

  /** The types within it by what they are made of in turn: their names are nothing that a reader would notice. */
  private madeOf(type: string): string {
    if (type.endsWith('[]')) return `array of ${this.madeOf(type.slice(0, -2))}`
    const known = this.byName.get(type)
    if (known?.kind === 'd') return `domain over ${this.madeOf(this.shown(type))}`
    if (known?.kind === 'r') return `range of ${this.madeOf(known.subtype ?? '')}`
    if (known?.kind === 'e') return 'enum'
    if (known?.kind === 'c') return `of (${known.attributes?.map((one) => `${one.name} ${this.madeOf(one.type)}`).join(', ') ?? 'a row'})`
    return type
  }

  /** The labels of enums within it, each with the way to it. */
  innerLabels(type: string, way = ''): string[] {
    if (type.endsWith('[]')) return this.innerLabels(type.slice(0, -2), way)
    const known = this.byName.get(type)
    if (known?.kind === 'e') return way === '' ? [] : (known.labels ?? []).map((label) => `${way}${label}`)
    if (known?.kind === 'd') return this.innerLabels(known.base as string, way)
    return (known?.attributes ?? []).flatMap((one) => this.innerLabels(one.type, `${way}${one.name}.`))
  }

  /** What the checks of the domains in it call. */
  calls(type: string): Call[] {
    if (type.endsWith('[]')) return this.calls(type.slice(0, -2))
    const known = this.byName.get(type)
    const own = (known?.calls ?? []).map((call): Call => ({ ...call, by: 'domain' }))
    const inner = [known?.kind === 'd' ? known.base : null, ...(known?.attributes ?? []).map((one) => one.type)]
    return own.concat(inner.flatMap((one) => (one === null ? [] : this.calls(one))))
  }

  /** Without the domains around it. */
  shown(type: string): string {
    const known = this.byName.get(type)
    return known?.kind === 'd' ? this.shown(known.base as string) : type
  }

  labels(type: string): string[] | null {
    if (type.endsWith('[]')) return this.labels(type.slice(0, -2))
    const known = this.byName.get(type)
    return known?.kind === 'd' ? this.labels(known.base as string) : (known?.labels ?? null)
  }

  isNotNull(type: string): boolean {
    const known = this.byName.get(type)
    return known?.kind === 'd' && (known.notNull || this.isNotNull(known.base as string))
  }
}

/** What Postgres hands an INSERT into this view to: the relation that its query begins with, of all that it reads. */
export function handedTo({ passesInserts, definition, reads }: Relation): string[] {
  if (!passesInserts) return []
  const place = (name: string): number => {
    const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    const at = definition?.search(new RegExp(`FROM (ONLY )?${quoted}(?![\\w"])`)) ?? -1
    return at < 0 ? Number.POSITIVE_INFINITY : at
  }
  return [...reads].sort((one, other) => place(one) - place(other)).slice(0, 1)
}

/** Acts whose plan Postgres refuses to make for one of these reasons; and those of which it says no more than that somebody may not. */
async function refusedActs(
  session: Session,
  plans: readonly { act: string; plan: string }[],
  conditions: string,
): Promise<{ refused: Set<string>; denied: Set<string> }> {
  if (plans.length === 0) return { refused: new Set(), denied: new Set() }
  const found = await session.value<string>(`
    do $oracle$
    declare
      one record;
      refused text[] := '{}';
      denied text[] := '{}';
    begin
      for one in select * from jsonb_to_recordset(${format('%L', JSON.stringify(plans))}::jsonb) plans (act text, plan text) loop
        begin
          execute one.plan;
        exception when ${conditions} then
          refused := refused || one.act;
        when insufficient_privilege then
          denied := denied || one.act; -- of a view's owner
        when others then
          null; -- what has nothing to do with this
        end;
      end loop;
      perform set_config('oracle.refused', json_build_object('refused', refused, 'denied', denied)::text, false);
    end $oracle$;
    select current_setting('oracle.refused')`)
  const { refused, denied } = JSON.parse(found) as { refused: string[]; denied: string[] }
  return { refused: new Set(refused), denied: new Set(denied) }
}

/** Columns of views that no INSERT or no UPDATE can name, because of what they are in the table behind. `insert schema.view.column`, quoted. */
async function unwritable(session: Session, relations: Answer['relations']): Promise<Set<string>> {
  const plans = (relations ?? [])
    .filter(({ kind, accepts }) => kind === 'v' && (accepts.insert || accepts.update))
    .flatMap(({ name, columns }) => columns.map(({ quoted }) => ({ name, quoted })))
    .flatMap(({ name, quoted }) => [
      { act: `insert ${name}.${quoted}`, plan: `explain insert into ${name} (${quoted}) values (null)` },
      { act: `update ${name}.${quoted}`, plan: `explain update ${name} set ${quoted} = null` },
    ])
  const { refused } = await refusedActs(
    session,
    plans,
    // The last: by a conditional rule.
    'generated_always or feature_not_supported or object_not_in_prerequisite_state or wrong_object_type or invalid_column_reference',
  )
  return refused
}

/** By publications, and of views by conditional rules: `update schema.table`, quoted, and `update only schema.table`: without what inherits from it. */
async function refusedWrites(session: Session, { publications, relations }: Answer): ReturnType<typeof refusedActs> {
  const plans = (relations ?? [])
    .filter(({ kind, accepts }) => (kind === 'v' || (kind !== 'm' && publications.length > 0)) && (accepts.update || accepts.delete))
    .flatMap(({ name, kind, columns }) => {
      // Of a view each column tells (above).
      const written = columns.find(({ generated, identity }) => kind !== 'v' && !generated && identity !== 'always')
      return [name, ...(kind === 'r' ? [`only ${name}`] : [])].flatMap((target) => [
        ...(written ? [{ act: `update ${target}`, plan: `explain update ${target} set ${written.quoted} = null` }] : []),
        { act: `delete ${target}`, plan: `explain delete from ${target}` },
      ])
    })
  return await refusedActs(session, plans, 'object_not_in_prerequisite_state or invalid_column_reference')
}

/** The session's search path decides how types are spelled; the oracle's names need `pg_catalog` alone. */
export async function readCatalogue(session: Session): Promise<Catalogue> {
  // Named: planned once in a session, which takes longer than the answer does.
  const { rows } = await session.client.query<[string]>({ name: 'oracle catalogue', text: question, rowMode: 'array' })
  const answer = JSON.parse(rows[0]?.[0] ?? '') as Answer
  const { publications, schemas, types, relations } = answer
  const known = new Types(types ?? [])
  const closed = await unwritable(session, relations)
  const { refused, denied } = await refusedWrites(session, answer)
  const complete = (relations ?? []).map((relation): Relation => {
    const columns = relation.columns.map(({ notNull, partitionRefuses, childRefuses, childAccepts, passes, ...column }): Column => {
      const isNotNullByDomain = known.isNotNull(column.type)
      const isOpen = passes && !column.generated && column.identity !== 'always' && relation.kind !== 'm'
      return {
        ...column,
        behind: known.behind(column.type),
        shown: known.shown(column.type),
        labels: known.labels(column.type),
        innerLabels: known.innerLabels(column.type),
        isNotNull: notNull || isNotNullByDomain,
        showsNoNull: (notNull && !childAccepts) || isNotNullByDomain,
        refusesNull: notNull || isNotNullByDomain || partitionRefuses,
        keepsNullOut: notNull || isNotNullByDomain || childRefuses,
        isNotNullByDomain,
        isInsertable: isOpen && !closed.has(`insert ${relation.name}.${column.quoted}`),
        isUpdatable:
          isOpen &&
          !closed.has(`update ${relation.name}.${column.quoted}`) &&
          !(relation.kind !== 'v' && refused.has(`update ${relation.name}`)),
      }
    })
    return {
      ...relation,
      columns,
      calls: relation.calls.concat(relation.kind === 'v' ? [] : relation.columns.flatMap(({ type }) => known.calls(type))),
      accepts: {
        insert: relation.accepts.insert,
        update: relation.accepts.update && !refused.has(`update ${relation.name}`),
        delete: relation.accepts.delete && !refused.has(`delete ${relation.name}`),
      },
      isWriteUnknown: publications.length > 0 && denied.has(`delete ${relation.name}`),
      refuses: { update: refused.has(`update only ${relation.name}`), delete: refused.has(`delete only ${relation.name}`) },
    }
  })
  return {
    relations: new Map(complete.map((relation) => [relation.name, relation])),
    schemas: new Map(Object.entries(schemas ?? {})),
    types: known,
    publications,
  }
}

/** A relation and all that it rests on, through views on views. */
export function relationsBehind(catalogue: Catalogue, name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const below of catalogue.relations.get(name)?.reads ?? []) relationsBehind(catalogue, below, seen)
  return seen
}

/** The same, as they are in this catalogue. */
export function allBehind(catalogue: Catalogue, name: string): Relation[] {
  return [...relationsBehind(catalogue, name)].flatMap((each) => catalogue.relations.get(each) ?? [])
}

/** With what policies read, and so on. */
export function allReadWith(catalogue: Catalogue, name: string): Relation[] {
  const seen = relationsBehind(catalogue, name)
  for (const one of seen) for (const read of catalogue.relations.get(one)?.policiesRead ?? []) relationsBehind(catalogue, read, seen)
  return [...seen].flatMap((each) => catalogue.relations.get(each) ?? [])
}
