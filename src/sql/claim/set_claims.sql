create or replace function integratedb.set_claims(name text, document jsonb)
returns setof integratedb.claims
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  specification jsonb;
begin
  perform integratedb._check_isolation('set_claims');
  perform integratedb._check_stakeholder(name);
  specification := integratedb._call('read_specification', integratedb._document_text(document));
  perform integratedb._lock_notified(name);
  perform integratedb._finish_claims(name, document, specification, integratedb._begin_claims(specification));
  return query select * from integratedb.claims where stakeholder = name;
end
$$;

comment on function integratedb.set_claims(text, jsonb) is
  'Declares what a stakeholder depends on, replacing what it declared before, and grants exactly that, column by column. Returns what is claimed, as view claims. The document: README. All its problems are told at once, each with a JSON pointer, and then nothing changes. IDB02: invalid document; IDB03: cannot be met now; IDB04: no such stakeholder; IDB06: cannot be granted; IDB01, at the commit: somebody else claims a view that it owns and that needs what it gives up';
