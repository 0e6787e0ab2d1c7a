-- Claims as the core answers them, stored. forget: what a wildcard took in and is gone is none of its claims any more;
-- not so where its going broke a claim and was let through.
create or replace function integratedb._store_claims(claims jsonb, forget boolean default true)
returns void
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into integratedb.claim as c (stakeholder, match, alternative, schema_name, relation_name, optional, access, all_fields, fields, relid, schema_id, observed, behind, sequences, status)
  select stakeholder, match, alternative, schema_name, relation_name, optional, access, all_fields, fields, relid, schema_id, observed, behind, sequences, status
    from jsonb_populate_recordset(null::integratedb.claim, claims)
  on conflict on constraint "a match claims a relation once" do update
     set fields = excluded.fields, relid = excluded.relid, schema_id = excluded.schema_id,
         observed = excluded.observed, behind = excluded.behind, sequences = excluded.sequences, status = excluded.status;

  if forget and claims @? '$[*] ? (@.status == "absent" && @.relation_name != "")' then
    delete from integratedb.claim c
     using jsonb_to_recordset(claims) gone (stakeholder text, match integer, alternative integer, schema_name text, relation_name text, status text),
           integratedb.claim w
     where gone.status = 'absent' and gone.relation_name <> ''
       and c.stakeholder = gone.stakeholder and c.match = gone.match and c.alternative is not distinct from gone.alternative
       and c.schema_name = gone.schema_name and c.relation_name = gone.relation_name
       and w.stakeholder = c.stakeholder and w.match = c.match and w.alternative is not distinct from c.alternative
       and w.schema_name = c.schema_name and w.relation_name = '';
  end if;
end
$$;

comment on function integratedb._store_claims(jsonb, boolean) is 'internal: Claim[], inserted or brought up to date';
