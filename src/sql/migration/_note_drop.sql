-- Which relations or columns are gone, and does anybody care? (sql_drop)
create or replace function integratedb._note_drop()
returns event_trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  concerning bigint[];
begin
  select array_agg(distinct d.objid::bigint) into concerning
    from pg_event_trigger_dropped_objects() d
   where d.classid = 'pg_class'::regclass
     and not d.is_temporary
     and d.object_type !~ '^(index|sequence|composite type)'
     and coalesce(
       (select true from integratedb.claim k where k.relid = d.objid::bigint limit 1),
       -- After a restore the claim knows the name only.
       (select true from integratedb.claim k where k.schema_name = d.schema_name and k.relation_name = d.object_name limit 1),
       not integratedb._sees_all_claims()
     );
  if concerning is not null then
    perform integratedb._note(tg_tag, concerning);
  end if;
end
$$;

comment on function integratedb._note_drop() is 'internal: event trigger on sql_drop';
