-- The constraint that makes claims hold: deferred to the commit, where a migration is judged as a whole, so that
-- drop-and-recreate, rename-plus-view and expand-and-contract pass. SET CONSTRAINTS ... IMMEDIATE judges earlier,
-- and again at the commit if more DDL follows; nothing judges later.
create or replace function integratedb._judge_at_commit()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- for all that is called from here, as in _note_ddl
set jit = off
as $$
begin
  perform integratedb._judge_migration(new.id);
  return null;
end
$$;

comment on function integratedb._judge_at_commit() is 'internal: the trigger function of claims_hold';

do $do$
begin
  if not exists (select from pg_catalog.pg_trigger where tgrelid = 'integratedb.migration'::regclass and tgname = 'claims_hold') then
    create constraint trigger claims_hold
      after insert or update on integratedb.migration
      deferrable initially deferred
      for each row when (not new.judged)
      execute function integratedb._judge_at_commit();
  end if;
  -- session_replication_role = replica must not pass it by.
  alter table integratedb.migration enable always trigger claims_hold;
end
$do$;

comment on trigger claims_hold on integratedb.migration is 'A migration breaks no claim';
