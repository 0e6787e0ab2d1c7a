-- What this transaction has touched so far, judged: before something that would make the judgement at its end see
-- another picture.
create or replace function integratedb._judge_pending()
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select integratedb._judge_migration(m.id) from integratedb.migration m
   where m.xid = pg_current_xact_id_if_assigned() and m.started_at = transaction_timestamp()
$$;

comment on function integratedb._judge_pending() is 'internal: IDB01';

create or replace function integratedb.validate_migration()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  migration_id bigint;
begin
  if integratedb._has_event_triggers() then
    perform integratedb._judge_pending();
    return;
  end if;
  -- Nothing noted what was touched: judge every claim.
  insert into integratedb.migration as m (commands, touched, check_timing)
  values (array['validate_migration()'], null, 'commit')
  on conflict on constraint "a transaction is one migration" do update set judged = false
  returning m.id into migration_id;
  perform integratedb._judge_migration(migration_id);
end
$$;

comment on function integratedb.validate_migration() is
  'Judges now what this transaction has touched so far. Where event triggers cannot be installed, judges all claims: call it as a migration''s last statement. IDB01: it breaks claims';
