-- Claims as the core answers them, stored.
create or replace function integratedb._store_claims(claims jsonb)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into integratedb.claim as c (stakeholder, match, alternative, schema_name, relation_name, optional, access, all_fields, fields, relid, schema_id, status)
  select stakeholder, match, alternative, schema_name, relation_name, optional, access, all_fields, fields, relid, schema_id, status
    from jsonb_populate_recordset(null::integratedb.claim, claims)
  on conflict on constraint "a match claims a relation once" do update
     set fields = excluded.fields, relid = excluded.relid, schema_id = excluded.schema_id, status = excluded.status
$$;

comment on function integratedb._store_claims(jsonb) is 'internal: Claim[], inserted or brought up to date';
