-- Which tables carry a relation's rows in the stream? Those of partitions come as the partitioned table's; those of
-- tables that inherit from it as their own.
create or replace function integratedb._published_family(relation oid)
returns setof oid
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive family (oid) as (
    select c.oid from pg_class c where c.oid = relation and c.relkind in ('r', 'p')
    union
    select i.inhrelid
      from family f
      join pg_class p on p.oid = f.oid and p.relkind = 'r' and p.relhassubclass
      join pg_inherits i on i.inhparent = f.oid
      join pg_class c on c.oid = i.inhrelid and c.relkind = 'r'
  )
  select oid from family
$$;

comment on function integratedb._published_family(oid) is 'internal: oids of the tables to publish for a relation';

-- How does a "where" compare values of this type?
create or replace function integratedb._column_class(type oid)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive under (type) as (
    select _column_class.type
    union all
    select t.typbasetype from under u join pg_type t on t.oid = u.type and t.typtype = 'd'
  )
  select case
      when t.oid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype, 'oid'::regtype) then 'number'
      when t.oid in ('text'::regtype, 'varchar'::regtype, 'name'::regtype) then 'text'
      when t.oid = 'bpchar'::regtype then 'padded'
      when t.oid = 'bool'::regtype then 'boolean'
      when t.oid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) then 'time'
      when t.typtype = 'e' or t.oid = 'uuid'::regtype then 'label'
      else 'other' end
    from under u join pg_type t on t.oid = u.type
   where t.typtype <> 'd'
$$;

comment on function integratedb._column_class(oid) is 'internal: ColumnClass of src/core/notification/where.ts';

-- Can these relations be published, so that their application's own UPDATE and DELETE go on working? As
-- src/core/notification/subscription.ts describes it (Publishing).
create or replace function integratedb._publishing(relations bigint[])
returns json
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with member as materialized (
    -- Whose rows are in the stream: of a partitioned table, those of its partitions.
    select c.oid as relation, m.oid, m.relname, m.relkind, m.relpersistence, m.relreplident, m.relowner, m.oid = c.oid or m.relkind <> 'p' as has_rows
      from pg_class c
      cross join lateral (
        select f as oid from integratedb._published_family(c.oid) f
        union
        select p.relid from pg_partition_tree(case when c.relkind = 'p' then c.oid end) p
      ) f
      join pg_class m on m.oid = f.oid
     where c.oid = any (relations::oid[])
  ), identity as materialized (
    select m.relation, m.oid, i.is_full, i.columns, i.index
      from member m left join lateral integratedb._replica_identity(m.oid) i on true
     where m.has_rows
  )
  select coalesce(json_agg(json_build_object(
      'relation', c.oid::bigint,
      'is_table', c.relkind in ('r', 'p') and not c.relispartition,
      'problem', case
        when c.relispartition then 'it is a partition: what happens to its rows is told as its parent''s'
        when c.relkind not in ('r', 'p') then 'it is no table: what happens behind it is not in the stream'
        when k.unlogged is not null then format('%I is not logged, and so not in the stream', k.unlogged)
        when k.foreign_table is not null then format('its partition %I is a foreign table, whose changes are not in the stream', k.foreign_table)
        when k.owner is not null then format('it belongs to %I, and %I, as which IntegrateDB publishes, is no member of it', pg_get_userbyid(k.owner), current_user)
        when g.without is not null then format('%I has no replica identity: once it is published, UPDATE and DELETE of it would fail', g.without)
        when k.generated is not null then format('%I has REPLICA IDENTITY FULL and a virtual column: once it is published, UPDATE and DELETE of it would fail', k.generated)
      end,
      -- The stream knows no row level security: whoever may not see every row must not be told of any.
      'hidden_from', case when c.relrowsecurity then (
        select json_agg(s.name order by s.name)
          from integratedb.stakeholder s
          join pg_roles r on r.rolname = s.name::name
         where exists (
             select from integratedb.notification n
              where n.stakeholder = s.name and n.schema_name = (select z.nspname from pg_namespace z where z.oid = c.relnamespace) and n.relation_name in (c.relname, ''))
           and integratedb._row_filters(c.oid, r.oid, 'r') is not null) end,
      'identity', case when not g.is_full then to_json(g.columns) end,
      'indexes', coalesce(to_json(g.indexes), '[]'),
      'columns', (select json_object_agg(a.attname, integratedb._column_class(a.atttypid)) from pg_attribute a
                   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                     and (a.attgenerated = '' or a.attgenerated = 's' and current_setting('server_version_num')::integer >= 180000)),
      'is_published', exists (select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where p.pubname = 'integratedb' and r.prrelid = c.oid)
    ) order by c.oid), '[]')
    from pg_class c
    cross join lateral (
      select min(m.relname) filter (where m.relpersistence <> 'p') as unlogged,
             min(m.relname) filter (where m.relkind = 'f') as foreign_table,
             min(m.relowner::bigint) filter (where not pg_has_role(m.relowner, 'usage'))::oid as owner,
             min(m.relname) filter (where m.relreplident = 'f' and exists (
               select from pg_attribute a where a.attrelid = m.oid and a.attgenerated = 'v' and not a.attisdropped)) as generated
        from member m where m.relation = c.oid
    ) k
    cross join lateral (
      select min((select m.relname from pg_class m where m.oid = i.oid)) filter (where i.is_full is null) as without,
             bool_and(i.is_full) as is_full,
             -- What each of them has.
             array(select a.attname::text from pg_attribute a
                    where a.attrelid = c.oid and a.attnum > 0
                      and not exists (select from identity o where o.relation = c.oid and o.columns is not null and a.attname <> all (o.columns))
                    order by a.attnum) as columns,
             array_agg(i.index::bigint order by i.index) filter (where i.index is not null) as indexes
        from identity i where i.relation = c.oid
    ) g
   where c.oid = any (relations::oid[])
$$;

comment on function integratedb._publishing(bigint[]) is 'internal: Publishing[], as JSON';
