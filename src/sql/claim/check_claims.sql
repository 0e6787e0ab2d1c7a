create or replace function integratedb.check_claims(document jsonb)
returns setof integratedb.finding
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  specification jsonb;
  failure text;
  reason text;
  problems text;
  advice text;
begin
  begin
    specification := integratedb._read_specification(document);
    -- For a stakeholder that holds nothing yet: no role has the empty name.
    perform integratedb._declare('', specification, integratedb._relations_of(specification), '{}');
  exception when sqlstate 'IDB02' or sqlstate 'IDB03' or sqlstate 'IDB06' then
    get stacked diagnostics failure = returned_sqlstate, reason = message_text, problems = pg_exception_detail, advice = pg_exception_hint;
    return query
      select failure, 'breaking', null::text, null::text, null::text, null::text, null::text, problem, advice
        from regexp_split_to_table(problems, '\n') problem;
  end;
end
$$;

comment on function integratedb.check_claims(jsonb) is
  'What set_claims would say of this document, without doing it: a finding for each problem, its message starting with a JSON pointer; no rows if all is well';
