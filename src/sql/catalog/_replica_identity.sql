-- What a publication makes of UPDATE and DELETE: Postgres refuses what it could not tell a subscriber.
-- https://www.postgresql.org/docs/current/logical-replication-publication.html

-- The columns and the index of a table's replica identity, as Postgres chooses it. is_full: all of them; no row: none.
create or replace function integratedb._replica_identity(relation oid)
returns table (is_full boolean, columns name[], index oid)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 1 -- or the planner, that takes a thousand for granted, begins at the other end and reads whole catalogues
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  select true, null::name[], null::oid from pg_class c where c.oid = relation and c.relreplident = 'f'
  union all
  select false, array(select a.attname from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any (i.indkey[0:i.indnkeyatts - 1]) order by a.attnum), i.indexrelid
    from pg_class c
    join pg_index i on i.indrelid = c.oid
   where c.oid = relation
     and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident end
     and i.indisunique and i.indimmediate and i.indislive and i.indisvalid and i.indpred is null;
end
$$;

comment on function integratedb._replica_identity(oid) is 'internal: how UPDATE and DELETE say in the stream which row they mean';

-- Of which tables did this transaction drop the index that their replica identity was? sql_drop does not tell whose an index was,
-- and REINDEX CONCURRENTLY gives it another oid, so that there is no use in remembering. But who drops an index holds its table.
create or replace function integratedb._without_identity_index()
returns setof oid
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 1
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin return query
  select distinct c.oid
    from pg_locks l
    join pg_class c on c.oid = l.relation and c.relreplident = 'i'
   where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.database = (select d.oid from pg_database d where d.datname = current_database())
     and l.mode in ('AccessExclusiveLock', 'ShareUpdateExclusiveLock') -- the latter for CONCURRENTLY
     and not exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident);
end
$$;

comment on function integratedb._without_identity_index() is 'internal: oids of tables';

-- These columns, and those that the generated ones among them are computed from.
create or replace function integratedb._computed_from(relation oid, nums smallint[])
returns name[]
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin return array(
  select a.attname
    from pg_attribute a
   where a.attrelid = relation
     and (a.attnum = any (nums) or exists (
       select from pg_attrdef f
         join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = f.adrelid
        where f.adrelid = relation and f.adnum = any (nums) and d.refobjsubid = a.attnum))
   order by a.attnum
); end
$$;

comment on function integratedb._computed_from(oid, smallint[]) is 'internal: names of columns';

-- Does Postgres refuse UPDATE (or DELETE) of this one table? It has no replica identity, or one that the publication's columns or its
-- row filter do not cover. For partitions both may be those of a parent, with columns in another order.
create or replace function integratedb._is_refused_by_publication(relation oid, event text)
returns boolean
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return exists (
  select
    from pg_class c
    left join lateral integratedb._replica_identity(c.oid) i on true
    cross join pg_publication p
    cross join lateral ( -- the uppermost in the publication
      select w.oid
        from (select c.oid, 1 union select a.relid, a.place from pg_partition_ancestors(c.oid) with ordinality a (relid, place)) w (oid, place)
       where p.puballtables
          or exists (select from pg_publication_rel r where r.prrelid = w.oid and r.prpubid = p.oid)
          or exists (select from pg_publication_namespace n where n.pnnspid = (select x.relnamespace from pg_class x where x.oid = w.oid) and n.pnpubid = p.oid)
       order by w.place desc limit 1
    ) root
    left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = case when p.pubviaroot then root.oid else c.oid end
   where c.oid = relation and c.relkind = 'r' and c.relpersistence = 'p'
     and case event when 'update' then p.pubupdate else p.pubdelete end
     and case
           when i.is_full is null then true
           else i.is_full and r.prattrs is not null
             or exists (
               select from pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and (i.is_full or a.attname = any (i.columns))
                  and case
                        when r.prattrs is not null then a.attname not in (select w.attname from pg_attribute w where w.attrelid = r.prrelid and w.attnum = any (r.prattrs))
                        when a.attgenerated = 's' then to_jsonb(p)->>'pubgencols' = 'n' -- PostgreSQL 18
                        else a.attgenerated = 'v' end)
             or not i.is_full and r.prqual is not null and exists (
               with filter as (select array(select m[1]::smallint from regexp_matches(r.prqual::text, ':varattno ([0-9]+) ', 'g') m) as nums)
               select from filter f, pg_attribute a
                where a.attrelid = r.prrelid and a.attgenerated <> 'v' and a.attname <> all (i.columns)
                  and (a.attnum = any (f.nums) or a.attname = any (integratedb._computed_from(r.prrelid, array(
                    select v.attnum from pg_attribute v where v.attrelid = r.prrelid and v.attnum = any (f.nums) and v.attgenerated = 'v')))))
         end
); end
$$;

comment on function integratedb._is_refused_by_publication(oid, text) is 'internal: does Postgres refuse UPDATE or DELETE of a table because of a publication?';

-- Which tables are updated or deleted from where a relation is? What inherits from it, and what refers to it ON UPDATE or ON DELETE, and so on.
-- columns: only where one of these is updated. changed: which columns of the target are (null: any); action: of the foreign key, as
-- pg_constraint.confdeltype. No rows where no foreign key does anything and no publication could refuse anything.
create or replace function integratedb._written_with(relation oid)
returns table (event text, columns name[], target oid, target_event text, changed name[], action "char")
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3 -- or the planner, that takes a thousand for granted, begins at the other end and reads whole catalogues
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from pg_publication where pubupdate or pubdelete)
     and not exists (select from pg_class c where c.oid = relation and c.relhassubclass)
     and not exists (
       select from pg_trigger g join pg_constraint f on f.oid = g.tgconstraint and f.contype = 'f' and f.confrelid = g.tgrelid
        where g.tgrelid = relation and g.tgisinternal and (f.confdeltype in ('c', 'n', 'd') or f.confupdtype in ('c', 'n', 'd')))
  then
    return;
  end if;
  return query
  with recursive reached (event, columns, target, target_event, changed, action) as (
    select e, null::name[], d::oid, e, null::name[], null::"char"
      from unnest(integratedb._with_descendants(array[relation::bigint])) d, unnest('{update,delete}'::text[]) e
     where not exists ( -- nothing is written where a rule is in its place
       select from pg_rewrite w
        where w.ev_class = relation and w.is_instead and w.ev_qual::text = '<>' and w.ev_enabled in ('O', 'A') and w.ev_type = case e when 'update' then '2' else '4' end)
    union
    select r.event, case r.event when 'update' then coalesce(r.columns, k.referenced) end, t::oid, k.event, k.changed, k.action
      from reached r
      cross join lateral (
        -- (pg_constraint has no index that tells who refers; and a trigger may be disabled.)
        select f.conrelid, integratedb._computed_from(f.confrelid, f.confkey) as referenced, x.event, x.action,
               case x.event when 'update' then array(
                 select a.attname from pg_attribute a
                  where a.attrelid = f.conrelid and a.attnum = any (case r.target_event when 'delete' then coalesce(f.confdelsetcols, f.conkey) else f.conkey end)
                  order by a.attnum) end as changed
          from pg_trigger g
          join pg_constraint f on f.oid = g.tgconstraint and f.contype = 'f' and f.confrelid = g.tgrelid
         cross join lateral (
           select y.action, case y.action when 'c' then r.target_event when 'n' then 'update' when 'd' then 'update' end as event
             from (select case r.target_event when 'delete' then f.confdeltype else f.confupdtype end as action) y
         ) x
         where g.tgrelid = r.target and g.tgisinternal and g.tgenabled in ('O', 'A') and g.tgtype & case r.target_event when 'delete' then 8 else 16 end <> 0
           and x.event is not null
        offset 0
      ) k
      join pg_class c on c.oid = k.conrelid
      cross join lateral unnest(case c.relkind when 'p' then integratedb._with_descendants(array[c.oid::bigint]) else array[c.oid::bigint] end) t
     where r.changed is null or r.changed && k.referenced
  )
  select distinct r.event, r.columns, r.target, r.target_event, r.changed, r.action from reached r;
end
$$;

comment on function integratedb._written_with(oid) is 'internal: of a table: which other tables, and itself, with which event';
