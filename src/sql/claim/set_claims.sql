create or replace function integratedb.set_claims(name text, document jsonb)
returns setof integratedb.claims
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  specification jsonb;
  relations bigint[];
  locked bigint[] := '{}';
begin
  perform integratedb._check_isolation('set_claims');
  perform integratedb._check_stakeholder(name);
  specification := integratedb._call('read_specification', integratedb._document_text(document));

  -- Locks before the epoch: a migration holds its tables and wants the epoch at commit.
  relations := integratedb._relations_of(specification);
  perform integratedb._lock_relations(relations);
  locked := relations;
  perform integratedb._begin_work();
  perform integratedb._check_stakeholder(name); -- it may be gone, or have another name, since we waited
  -- Whoever committed while we waited may have made or renamed some.
  relations := integratedb._relations_of(specification);
  if not relations <@ locked then
    perform integratedb._lock_relations(array(select unnest(relations) except select unnest(locked)));
    relations := integratedb._relations_of(specification);
  end if;

  perform integratedb._replace_claims(name, specification, relations);
  update integratedb.stakeholder s set document = set_claims.document, claimed_at = now() where s.name = set_claims.name;
  perform integratedb._end_work();
  return query select * from integratedb.claims where stakeholder = name;
end
$$;

comment on function integratedb.set_claims(text, jsonb) is
  'Declares what a stakeholder depends on, replacing what it declared before, and grants exactly that, column by column. Returns what is claimed, as view claims. The document: README. All its problems are told at once, each with a JSON pointer, and then nothing changes. IDB02: invalid document; IDB03: cannot be met now; IDB04: no such stakeholder; IDB06: cannot be granted';
