create or replace function integratedb.remove_claims(name text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._check_stakeholder(name);
  perform integratedb._lock_notified(name);
  perform integratedb._begin_work();
  perform integratedb._check_stakeholder(name); -- it may be gone, or have another name, since we waited
  perform integratedb._replace_claims(name, '[]', '{}');
  update integratedb.stakeholder s set document = null, claimed_at = null where s.name = remove_claims.name;
  perform integratedb._follow_claims(name);
  perform integratedb._end_work();
  perform integratedb._note_views_of(name, 'remove_claims()');
end
$$;

comment on function integratedb.remove_claims(text) is
  'Revokes what a stakeholder''s claims gave it and forgets them: from now on it blocks no migration. IDB04: no such stakeholder; IDB01, at the commit: somebody else claims a view that it owns';
