create or replace function integratedb.check_claims(document jsonb)
returns setof integratedb.finding
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  checked jsonb;
  specification jsonb;
  findings jsonb;
begin
  checked := integratedb._call('check_specification', integratedb._document_text(document));
  specification := checked->'specification';
  findings := checked->'findings';
  if findings = '[]' then
    -- For a stakeholder that holds nothing yet: no role has the empty name.
    findings := integratedb._call('check_claims', integratedb._declaration('', specification, integratedb._relations_of(specification), '{}'));
  end if;
  return query select * from jsonb_populate_recordset(null::integratedb.finding, findings);
end
$$;

comment on function integratedb.check_claims(jsonb) is
  'What set_claims would say of this document, without doing it: a finding for each problem, its code the SQLSTATE, its message starting with a JSON pointer; no rows if all is well';
