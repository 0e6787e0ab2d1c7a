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
  relations bigint[];
  schemas text[];
  names text[];
  dropped_indexes bigint[];
  is_our_publication boolean;
  loses_index boolean; -- and perhaps not its table
  loses_publication boolean;
  part_schemas text[];
  part_tables text[];
  are_whole boolean; -- the tables of all parts go, too
  inheriting oid[];
  composites oid[];
  concerning bigint[];
begin
  if tg_tag = 'DROP INDEX' and sees_all_claims then
    if not exists (
         select from pg_event_trigger_dropped_objects() d
          where d.object_type <> 'index' or (select true from integratedb.claim k where k.behind @> array[d.objid::bigint] and k.behind <> '{}' limit 1))
       and not exists (select from integratedb.subscription) and not exists (select from pg_publication)
    then
      return; -- a unique one refused what is written; else only a replica identity could rest on it
    end if;
  end if;
  -- In one go, as in _note_ddl: this is what dropping what nobody claims pays.
  select array_agg(d.objid::bigint) filter (where k.is_relation), array_agg(d.schema_name) filter (where k.is_relation),
         array_agg(d.object_name) filter (where k.is_relation),
         array_agg(d.objid::bigint) filter (where d.object_type = 'index' and ((select true from integratedb.subscription limit 1) or not sees_all_claims and d.original)),
         bool_or(d.object_type = 'publication' and d.object_name = 'integratedb'),
         bool_or(d.object_type = 'index') and tg_tag not in ('DROP TABLE', 'ALTER TABLE'), bool_or(d.object_type = 'publication'),
         array_agg(d.address_names[1]) filter (where k.is_part), array_agg(d.address_names[2]) filter (where k.is_part),
         array_agg(format('%I.%I', d.address_names[1], d.address_names[2])) filter (where k.is_part)
           <@ array_agg(format('%I.%I', d.schema_name, d.object_name)) filter (where k.is_relation and d.object_name is not null and d.objsubid = 0),
         array_agg(d.objid) filter (where d.object_type = 'composite type column')
    into relations, schemas, names, dropped_indexes, is_our_publication, loses_index, loses_publication, part_schemas, part_tables, are_whole, composites
    from pg_event_trigger_dropped_objects() d
    cross join lateral (
      -- (A function may be behind a claim, as a relation may: nobody tells whose the indexes and the checks of domains were that went with it.)
      select d.classid = 'pg_class'::regclass and d.object_type !~ '^(index|sequence|composite type)' or d.classid = 'pg_proc'::regclass
               or tg_tag = 'DROP INDEX' and d.object_type = 'index' as is_relation,
             cardinality(d.address_names) = 3 and d.classid in (
               'pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass) as is_part
    ) k
   where not d.is_temporary;
  if loses_index then
    if exists (select from pg_publication where pubupdate or pubdelete) and exists (select from integratedb.claim where access <> '{select}') then
      select relations || array_agg(null::bigint), schemas || array_agg(n.nspname::text), names || array_agg(c.relname::text) into relations, schemas, names
        from integratedb._without_identity_index() w
        join pg_class c on c.oid = w
        join pg_namespace n on n.oid = c.relnamespace;
    end if;
  end if;
  if loses_publication then
    -- What it refused is not refused any more.
    select relations || array_agg(k.relid), schemas || array_agg(k.schema_name), names || array_agg(k.relation_name) into relations, schemas, names
      from integratedb.claim k
     where k.relid is not null and k.access <> '{select}'
       and (k.status = 'unmet' or k.observed @> '{"update": false}' or k.observed @> '{"delete": false}'
         or k.fields @> '[{"status": "unmet"}]' or k.fields @> '[{"observed": {"update": false}}]');
  end if;
  if dropped_indexes is not null or is_our_publication then
    -- An index that a replica identity rests on, and the publication that shows our tables.
    select relations || array_agg(s.relid), schemas || array_agg(s.schema_name), names || array_agg(s.relation_name) into relations, schemas, names
      from integratedb.subscription s
     where s.indexes && coalesce(dropped_indexes, '{}') and s.indexes <> '{}' or is_our_publication and s.status = 'met';
    if not sees_all_claims then
      relations := relations || coalesce(dropped_indexes, array[0]); -- subscriptions may be there all the same: the epoch row sorts that out at the commit
    end if;
  end if;
  if part_tables is not null and are_whole is not true then
    -- What a table that is still there has lost: a default, a constraint, a policy, a trigger, a rule.
    relations := relations || array_fill(null::bigint, array[cardinality(part_tables)]);
    schemas := schemas || part_schemas;
    names := names || part_tables;
  end if;

  while relations is not null loop
    select concerning || array_agg(x.relation) filter (where coalesce(
             (select true from integratedb.claim k where k.relid = x.relation limit 1),
             -- After a restore the claim knows the name only.
             (select true from integratedb.claim k where k.schema_name = x.schema and k.relation_name = x.name limit 1),
             (select true from integratedb.claim k where k.behind @> array[x.relation] and k.behind <> '{}' limit 1),
             not sees_all_claims)),
           array_agg(x.relation::oid) filter (where x.is_there and (select true from pg_inherits i where i.inhrelid = x.relation::oid limit 1))
      into concerning, inheriting
      from (
        -- In the collation of the claims' index.
        select u.relation is null as is_there, u.schema collate "C" as schema, u.name collate "C" as name, coalesce(u.relation, (
                 select c.oid::bigint from pg_class c
                  where c.relname = u.name::name and c.relnamespace = (select n.oid from pg_namespace n where n.nspname = u.schema::name))) as relation
          from unnest(relations, schemas, names) u (relation, schema, name)
        offset 0
      ) x
     where x.relation is not null;
    exit when inheriting is null;
    -- Its rows are its parents', too.
    select array_agg(null::bigint), array_agg(n.nspname::text), array_agg(c.relname::text) into relations, schemas, names
      from pg_inherits i
      join pg_class c on c.oid = i.inhparent
      join pg_namespace n on n.oid = c.relnamespace
     where i.inhrelid = any (inheriting);
  end loop;
  if composites is not null then
    -- An attribute went with its type. Noted whether anybody cares or not: nothing locks the tables of such columns.
    concerning := concerning || integratedb._columns_of_types(array(select c.reltype from pg_class c where c.oid = any (composites)));
  end if;
  if concerning is not null then
    -- CONCURRENTLY no table is locked against its readers.
    perform integratedb._note(
      case when tg_tag = 'DROP INDEX' and not exists (
             select from pg_locks l join pg_class c on c.oid = l.relation and c.relkind in ('r', 'p', 'm')
              where l.pid = pg_backend_pid() and l.mode = 'AccessExclusiveLock')
           then 'DROP INDEX CONCURRENTLY' else tg_tag end,
      concerning);
  end if;
end
$$;

comment on function integratedb._note_drop() is 'internal: event trigger on sql_drop';
