-- Does anything note what a migration touches?
create or replace function integratedb._has_event_triggers()
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select count(*) = 2 from pg_event_trigger
   where evtname in ('integratedb_note_ddl', 'integratedb_note_drop') and evtenabled in ('A', 'O')
$$;

comment on function integratedb._has_event_triggers() is 'internal: are both event triggers there and enabled?';
