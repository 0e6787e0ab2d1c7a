/** What is in the database, asked of Postgres alone: the replay may believe nothing that IntegrateDB says. */
import type { Session } from '../support/database.ts'

export interface Column {
  name: string
  /** With its schema, if it has one that is not pg_catalog. */
  type: string
  type_oid: number
  not_null: boolean
  /** Has a default, is an identity or generated: fills itself. */
  fills: boolean
  identity: string
  generated: string
  /** A value of the type, as SQL, with `%n` for a number. */
  sample: string | null
  labels: string[] | null
  is_unique: boolean
  /** `select` of a value that is there, where a foreign key wants one. */
  reference: string | null
}

interface Guard {
  oid: number
  definition: string
  /** null: any. */
  columns: string[] | null
}

export interface Relation {
  oid: number
  path: string
  schema: string
  kind: string
  columns: Column[]
  /** Constraints, unique indexes and triggers: what may refuse a row. */
  guards: Guard[]
  /** Of everything about it that could matter to whom it serves. */
  fingerprint: string
}

export type Catalog = Map<string, Relation>

const QUERY = `
with recursive relation as (
  select c.oid, n.nspname as schema, format('%I.%I', n.nspname, c.relname) as path, c.relkind, c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.relowner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
     and n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and n.nspname <> 'integratedb'
     and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
), under as (
  select t.oid as type, t.oid as base from pg_type t where t.typtype <> 'd'
  union all
  select t.oid, u.base from pg_type t join under u on t.typbasetype = u.type where t.typtype = 'd'
), shared as (
  select md5(concat_ws('|',
           (select string_agg(concat_ws(',', n.oid, n.nspacl::text), ' ' order by n.oid) from pg_namespace n where n.nspname !~ '^pg_(toast_)?temp'))) as fingerprint
)
select r.oid::int as oid, r.path, r.schema, r.relkind as kind,
       (select jsonb_agg(jsonb_build_object(
          'name', a.attname,
          'type', case when bn.nspname = 'pg_catalog' then format_type(a.atttypid, a.atttypmod)
                       else replace(format_type(a.atttypid, a.atttypmod), quote_ident(bn.nspname) || '.', quote_ident(bn.nspname) || '.') end,
          'type_oid', a.atttypid::bigint,
          'not_null', a.attnotnull,
          'fills', a.attidentity <> '' or d.oid is not null,
          'identity', a.attidentity,
          'generated', a.attgenerated,
          'labels', (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid in (b.oid, b.typelem)),
          'is_unique', exists (select from pg_index i where i.indrelid = r.oid and i.indisunique and i.indpred is null and i.indexprs is null and i.indnkeyatts = 1 and i.indkey[0] = a.attnum
                                 and exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))),
          'reference', (select format('(select %I from %I.%I limit 1)', fa.attname, fn.nspname, fc.relname)
                          from pg_constraint k join pg_class fc on fc.oid = k.confrelid join pg_namespace fn on fn.oid = fc.relnamespace
                          join pg_attribute fa on fa.attrelid = fc.oid and fa.attnum = k.confkey[array_position(k.conkey, a.attnum)]
                         where k.conrelid = r.oid and k.contype = 'f' and a.attnum = any (k.conkey) limit 1),
          'sample', case
             when b.typcategory = 'A' then quote_literal('{}')
             when b.typtype = 'e' then (select quote_literal(e.enumlabel) from pg_enum e where e.enumtypid = b.oid order by e.enumsortorder limit 1)
             when b.typname in ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid') then '%n'
             when b.typname = 'bool' then 'true'
             when b.typname in ('text', 'citext', 'name', 'ltree') then quote_literal('x%n')
             when b.typname = 'varchar' then quote_literal(left('x%n', case when a.atttypmod > 0 and a.atttypid = b.oid then a.atttypmod - 4 + 1 else 3 end))
             when b.typname = 'bpchar' then quote_literal('%n')
             when b.typname = 'uuid' then quote_literal('00000000-0000-4000-8000-00000000000%n')
             when b.typname in ('json', 'jsonb') then quote_literal('{}')
             when b.typname in ('timestamp', 'timestamptz', 'date') then quote_literal('2020-01-0%n')
             when b.typname in ('time', 'timetz') then quote_literal('10:0%n')
             when b.typname = 'interval' then quote_literal('%n hours')
             when b.typname in ('inet', 'cidr') then quote_literal('10.0.0.%n')
             when b.typname = 'bytea' then quote_literal('x%n')
             when b.typname in ('bit', 'varbit') then 'B''1'''
             when b.typname in ('tsvector', 'tsquery') then quote_literal('x')
             when b.typname in ('tsrange', 'tstzrange', 'int4range', 'int8range', 'daterange', 'numrange', 'hstore') then quote_literal(case when b.typname = 'hstore' then '' else 'empty' end)
             when b.typname in ('macaddr') then quote_literal('08:00:2b:01:02:0%n')
             when b.typname in ('lquery') then quote_literal('x')
           end) order by a.attnum)
          from pg_attribute a
          join under u on u.type = a.atttypid
          join pg_type b on b.oid = u.base
          join pg_namespace bn on bn.oid = b.typnamespace
          left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped) as columns,
       (select coalesce(jsonb_agg(jsonb_build_object('oid', g.oid::bigint, 'definition', g.definition, 'columns',
                 (select jsonb_agg(a.attname) from pg_attribute a where g.keys is not null and a.attrelid = r.oid and a.attnum = any (g.keys)))), '[]') from (
          select k.oid, case when k.confrelid = r.oid then 'of another table: ' else '' end || pg_get_constraintdef(k.oid),
                 case when k.confrelid = r.oid then k.confkey else k.conkey end
            from pg_constraint k where r.oid in (k.conrelid, k.confrelid) and k.contype in ('c', 'f', 'u', 'p', 'x') and k.conparentid = 0
          union all
          select i.indexrelid, 'UNIQUE INDEX' || regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', ' USING '),
                 (select array_agg(d.refobjsubid::int2) from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid and d.refobjid = r.oid)
            from pg_index i where i.indrelid = r.oid and i.indisunique and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
          union all
          select t.oid, 'TRIGGER ' || t.tgfoid::regprocedure || t.tgtype, null
            from pg_trigger t where t.tgrelid = r.oid and not t.tgisinternal and t.tgenabled <> 'D') g (oid, definition, keys)) as guards,
       md5(concat_ws('|', s.fingerprint, r.oid, r.path, r.relkind, r.relacl::text, r.relrowsecurity, r.relforcerowsecurity, r.relowner,
         (select string_agg(concat_ws(',', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated, a.attacl::text, a.attisdropped,
                                      pg_get_expr(d.adbin, d.adrelid),
                                      (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = a.atttypid)), ' ' order by a.attnum)
            from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where a.attrelid = r.oid and a.attnum > 0),
         (select string_agg(concat_ws(',', k.oid, k.convalidated, pg_get_constraintdef(k.oid)), ' ' order by k.oid) from pg_constraint k where r.oid in (k.conrelid, k.confrelid)),
         (select string_agg(concat_ws(',', t.oid, t.tgenabled, t.tgfoid), ' ' order by t.oid) from pg_trigger t where t.tgrelid = r.oid),
         (select string_agg(concat_ws(',', p.oid, p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid)), ' ' order by p.oid) from pg_policy p where p.polrelid = r.oid),
         (select string_agg(concat_ws(',', i.indexrelid, i.indisunique, i.indisvalid), ' ' order by i.indexrelid) from pg_index i where i.indrelid = r.oid),
         (select string_agg(concat_ws(',', w.oid, w.ev_enabled), ' ' order by w.oid) from pg_rewrite w where w.ev_class = r.oid))) as fingerprint
  from relation r, shared s
 order by r.path`

/** Everything but what belongs to these roles. */
export async function readCatalog(session: Session, roles: readonly string[] = []): Promise<Catalog> {
  const path = await session.value<string>("select current_setting('search_path')")
  await session.value("select set_config('search_path', 'pg_catalog', false)")
  const relations = await session.rows<Relation & Record<string, unknown>>(QUERY)
  await session.value("select set_config('search_path', $1, false)", [path])
  return new Map(
    relations
      .filter(({ schema }) => !roles.includes(schema))
      .map((relation) => [relation.path, { ...relation, columns: relation.columns ?? [] }]),
  )
}
