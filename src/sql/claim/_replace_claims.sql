-- What a stakeholder claims from now on, in place of what it claimed before.
create or replace function integratedb._replace_claims(name text, specification jsonb, relations bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  previous bigint[];
  used jsonb;
  declaration jsonb;
begin
  select coalesce(array_agg(distinct relid) filter (where relid is not null), '{}') into previous
    from integratedb.claim where stakeholder = name;
  -- Nothing to claim and nothing to take back: the engine need not be there.
  if specification <> '[]' or previous <> '{}' then
    declaration := integratedb._call('declare_claims', integratedb._declaration(name, specification, relations, previous));
  end if;
  used := integratedb._usage_of((select jsonb_agg(to_jsonb(k) - 'fields') from integratedb.claim k where k.stakeholder = name));
  delete from integratedb.claim where stakeholder = name;
  perform integratedb._store_claims(declaration->'claims');
  perform integratedb._apply_grants(declaration->'grants');
  perform integratedb._release_usage(used);
end
$$;

comment on function integratedb._replace_claims(text, jsonb, bigint[]) is
  'internal: expands, stores and grants a specification ([]: none); between _begin_work() and _end_work(). IDB02, IDB03, IDB06';
