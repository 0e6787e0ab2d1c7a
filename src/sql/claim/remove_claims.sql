create or replace function integratedb.remove_claims(name text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  previous bigint[];
  places jsonb;
begin
  perform integratedb._check_stakeholder(name);
  perform integratedb._begin_work();
  select coalesce(array_agg(distinct relid) filter (where relid is not null), '{}') into previous
    from integratedb.claim where stakeholder = name;
  if previous <> '{}' then
    perform integratedb._apply_grants(integratedb._call('declare_claims', integratedb._declaration(name, '[]', '{}', previous))->'grants');
  end if;
  places := integratedb._schemas_of((select jsonb_agg(to_jsonb(k) - 'fields') from integratedb.claim k where k.stakeholder = name));
  delete from integratedb.claim where stakeholder = name;
  perform integratedb._release_usage(places);
  update integratedb.stakeholder s set document = null, claimed_at = null where s.name = remove_claims.name;
  perform integratedb._end_work();
end
$$;

comment on function integratedb.remove_claims(text) is
  'Revokes what a stakeholder''s claims gave it and forgets them: from now on it blocks no migration. IDB04: no such stakeholder';
