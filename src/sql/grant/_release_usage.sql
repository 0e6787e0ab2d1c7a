-- Usage of a schema is granted for the sake of its columns, and goes with the last of them. Two steps, because a claim
-- that is stored again may no longer know of the schema that it was in.

create or replace function integratedb._schemas_of(claims jsonb)
returns jsonb
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(distinct jsonb_build_object('stakeholder', k.stakeholder, 'schema', n.oid::bigint)), '[]')
    from jsonb_to_recordset(claims) c (stakeholder text, match integer, alternative integer, schema_name text, relation_name text)
    join integratedb.claim k using (stakeholder, match, schema_name, relation_name)
    join pg_namespace n on n.oid = k.schema_id::oid or n.nspname = k.schema_name::name
   where k.alternative is not distinct from c.alternative
$$;

comment on function integratedb._schemas_of(jsonb) is 'internal: of Claim[], as stored: {stakeholder, schema}[], schema by oid';

create or replace function integratedb._release_usage(places jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  unused record;
begin
  for unused in
    select n.nspname, r.rolname
      from jsonb_to_recordset(places) p (stakeholder text, schema bigint)
      join pg_namespace n on n.oid = p.schema::oid
      join pg_roles r on r.rolname = p.stakeholder::name
     where n.nspowner <> r.oid
       and exists (select from aclexplode(n.nspacl) x where x.grantee = r.oid and x.privilege_type = 'USAGE')
       and (pg_has_role(n.nspowner, 'usage') or has_schema_privilege(n.oid, 'usage with grant option'))
       and not exists (
         select from integratedb.claim k
          where k.stakeholder = p.stakeholder
            and k.schema_id = p.schema
            -- Revoked by somebody, it comes back with a GRANT of the column: the usage is not ours to take away as well.
            and (k.fields @> '[{"status": "met"}]' or k.fields @> '[{"revoked": true}]' or exists (
              select from pg_attribute a, aclexplode(a.attacl) x
               where a.attrelid = k.relid::oid and not a.attisdropped and a.attacl is not null and x.grantee = r.oid)))
  loop
    execute format('revoke usage on schema %I from %I', unused.nspname, unused.rolname);
  end loop;
end
$$;

comment on function integratedb._release_usage(jsonb) is 'internal: of {stakeholder, schema}[]; after claims are stored and granted';
