create or replace function integratedb.get_claims(name text)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._check_stakeholder(name);
  return (select s.document from integratedb.stakeholder s where s.name = get_claims.name);
end
$$;

comment on function integratedb.get_claims(text) is
  'The claims document as it was written; null if there is none. IDB04: no such stakeholder';
