-- Declaring claims, in two steps, so that an approval can look once more at who had to be asked, in between: from the
-- first step to the end of the transaction, what is claimed stays as it is.

-- Locks before the epoch: a migration holds its tables and wants the epoch at commit.
create or replace function integratedb._begin_claims(specification jsonb)
returns bigint[]
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relations bigint[] := integratedb._relations_of(specification);
  locked constant bigint[] := relations;
begin
  perform integratedb._lock_relations(relations);
  perform integratedb._begin_work();
  -- Whoever committed while we waited may have made or renamed some.
  relations := integratedb._relations_of(specification);
  if not relations <@ locked then
    perform integratedb._lock_relations(array(select unnest(relations) except select unnest(locked)));
    relations := integratedb._relations_of(specification);
  end if;
  return relations;
end
$$;

comment on function integratedb._begin_claims(jsonb) is
  'internal: locks what a specification speaks of, then _begin_work(); oids of the relations, for _finish_claims()';

create or replace function integratedb._finish_claims(name text, document jsonb, specification jsonb, relations bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._check_stakeholder(name); -- it may be gone, or have another name, since we waited
  perform integratedb._replace_claims(name, specification, relations);
  update integratedb.stakeholder s set document = _finish_claims.document, claimed_at = now() where s.name = _finish_claims.name;
  perform integratedb._follow_claims(name);
  perform integratedb._end_work();
  perform integratedb._note_views_of(name, 'set_claims()');
end
$$;

comment on function integratedb._finish_claims(text, jsonb, jsonb, bigint[]) is
  'internal: stores and grants, after _begin_claims(); then _end_work(). IDB02, IDB03, IDB04, IDB06';
