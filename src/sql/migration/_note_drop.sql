-- Which relations, columns or parts of them are gone, and does anybody care? (sql_drop)
create or replace function integratedb._note_drop()
returns event_trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off -- as in _catalog
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  -- Otherwise its snapshot may be from before somebody's claim.
  sees_all_claims constant boolean := current_setting('transaction_isolation') in ('read committed', 'read uncommitted');
  concerning bigint[];
begin
  select array_agg(distinct x.relation) into concerning
    from pg_event_trigger_dropped_objects() d
    cross join lateral (
      select d.objid::bigint as relation, d.schema_name as schema, d.object_name as name
       where d.classid = 'pg_class'::regclass and d.object_type !~ '^(index|sequence|composite type)'
      union all
      -- An index that a replica identity rests on, and the publication that shows our tables.
      select s.relid, s.schema_name, s.relation_name
        from integratedb.subscription s
       where d.object_type = 'index' and s.indexes @> array[d.objid::bigint] and s.indexes <> '{}'
      union all
      select s.relid, s.schema_name, s.relation_name
        from integratedb.subscription s
       where d.object_type = 'publication' and d.object_name = 'integratedb' and s.status = 'met'
      union all
      -- If that cannot be looked up (below), the epoch row sorts it out at the commit.
      select d.objid::bigint, null, null
       where d.object_type = 'index' and d.original or d.object_type = 'publication' and d.object_name = 'integratedb'
      union all
      -- What a table has lost: a default, a constraint, a policy, a trigger, a rule. Its rows are its parents', too.
      select c.oid::bigint, n.nspname, c.relname
        from (
          with recursive family (oid) as (
            select c.oid
              from pg_namespace n
              join pg_class c on c.relnamespace = n.oid
             where d.classid in ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass)
               and cardinality(d.address_names) = 3
               and n.nspname = d.address_names[1]::name and c.relname = d.address_names[2]::name
            union
            select i.inhparent from family f join pg_inherits i on i.inhrelid = f.oid
          )
          select f.oid from family f
        ) f
        join pg_class c on c.oid = f.oid
        join pg_namespace n on n.oid = c.relnamespace
    ) x
   where not d.is_temporary
     and coalesce(
       (select true from integratedb.claim k where k.relid = x.relation limit 1),
       -- After a restore the claim knows the name only.
       (select true from integratedb.claim k where k.schema_name = x.schema and k.relation_name = x.name limit 1),
       (select true from integratedb.claim k where k.behind @> array[x.relation] and k.behind <> '{}' limit 1),
       not sees_all_claims
     );
  if concerning is not null then
    perform integratedb._note(tg_tag, concerning);
  end if;
end
$$;

comment on function integratedb._note_drop() is 'internal: event trigger on sql_drop';
