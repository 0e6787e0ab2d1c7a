create or replace function integratedb.sync()
returns setof integratedb.finding
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  stakeholder text;
  missing text;
  declaration jsonb;
  used jsonb;
begin
  perform integratedb._check_isolation('sync');
  select string_agg(quote_ident(s.name), ', ' order by s.name) into missing
    from integratedb.stakeholder s
   where not exists (select from pg_roles where rolname = s.name);
  if missing is not null then
    raise exception using
      errcode = 'IDB04',
      message = 'the roles of some stakeholders are missing',
      detail = format('No such role in this cluster: %s.', missing),
      hint = 'Restore the cluster''s roles first (pg_dumpall --roles-only), or make them: CREATE ROLE name, and then rotate_credentials(name). Nothing was changed.';
  end if;
  perform integratedb._judge_pending(); -- or what this transaction broke would be taken as broken before
  perform integratedb._lock_notified(s.name) from integratedb.stakeholder s where s.notifications is not null order by s.name;
  perform integratedb._begin_work();
  for stakeholder in select s.name from integratedb.stakeholder s where s.document is not null order by s.name loop
    declaration := integratedb._call('sync_claims', integratedb._claims_in(stakeholder));
    used := integratedb._usage_of((declaration->'claims') || (declaration->'unmet'));
    perform integratedb._store_claims(declaration->'claims');
    perform integratedb._apply_grants(declaration->'grants');
    perform integratedb._release_usage(used);
  end loop;
  perform integratedb._publish() from integratedb.notifier_state where has_publication;
  update integratedb.notifier_state set slot = integratedb._slot_name() where slot <> integratedb._slot_name();
  perform integratedb._follow_claims(s.name) from integratedb.stakeholder s where s.notifications is not null order by s.name;
  perform integratedb._find_logins();
  perform integratedb._remember_oids();
  perform integratedb._end_work();
  if exists (select from integratedb.claim k where k.status = 'unmet' or k.fields @> '[{"status": "unmet"}]') then
    return query select * from integratedb.unmet_claims(null);
  end if;
end
$$;

comment on function integratedb.sync() is
  'Expands all claims anew and repairs their grants: after a restore, or DDL that ran with the event triggers off. Returns what still does not hold, as unmet_claims. IDB04: roles are missing';
