-- Usage of a schema is granted for the sake of what is used in it, usage of a sequence for the sake of a column's
-- default, and both go with the last claim that needs them. Two steps, because a claim that is stored again may no longer
-- know of the schema or the sequence.

create or replace function integratedb._usage_of(claims jsonb)
returns jsonb
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with stored as (
    select k.*
      from jsonb_to_recordset(claims) c (stakeholder text, match integer, alternative integer, schema_name text, relation_name text)
      join integratedb.claim k using (stakeholder, match, schema_name, relation_name)
     where k.alternative is not distinct from c.alternative
  )
  select coalesce(jsonb_agg(to_jsonb(u)), '[]')
    from (
      select k.stakeholder, n.oid::bigint as schema, null::bigint as sequence
        from stored k
        join pg_namespace n on n.oid = k.schema_id::oid or n.nspname = k.schema_name::name
      union
      select k.stakeholder, null, unnest(k.sequences) from stored k
    ) u
$$;

comment on function integratedb._usage_of(jsonb) is 'internal: of Claim[], as stored: {stakeholder, schema or sequence}[], by oid';

create or replace function integratedb._release_usage(used jsonb)
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
    select format('schema %I', n.nspname) as object, r.rolname
      from jsonb_to_recordset(used) p (stakeholder text, schema bigint)
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
            and (k.fields @> '[{"revoked": true}]'
              -- What may only be written may be nothing at all (generated columns, views).
              or k.fields @> '[{"status": "met"}]' and ('select' = any (k.access) or not coalesce((select true from pg_class c where c.oid = k.relid::oid), false))
              -- (LIMIT: as EXISTS ... OR EXISTS the planner would look at all columns of the database.)
              or coalesce(
                (select true from pg_class c where c.oid = k.relid::oid and c.relowner = r.oid),
                (select true from pg_class c, aclexplode(c.relacl) x where c.oid = k.relid::oid and x.grantee = r.oid limit 1),
                (select true from pg_attribute a, aclexplode(a.attacl) x
                  where a.attrelid = k.relid::oid and not a.attisdropped and a.attacl is not null and x.grantee = r.oid limit 1),
                false)))
    union all
    select format('sequence %I.%I', n.nspname, c.relname), r.rolname
      from jsonb_to_recordset(used) p (stakeholder text, sequence bigint)
      join pg_class c on c.oid = p.sequence::oid and c.relkind = 'S'
      join pg_namespace n on n.oid = c.relnamespace
      join pg_roles r on r.rolname = p.stakeholder::name
     where c.relowner <> r.oid
       and exists (select from aclexplode(c.relacl) x where x.grantee = r.oid and x.privilege_type = 'USAGE')
       and (pg_has_role(c.relowner, 'usage') or has_sequence_privilege(c.oid, 'usage with grant option'))
       and not exists (
         select from integratedb.claim k join pg_class t on t.oid = k.relid::oid where k.stakeholder = p.stakeholder and p.sequence = any (k.sequences))
  loop
    execute format('revoke usage on %s from %I cascade', unused.object, unused.rolname);
  end loop;
end
$$;

comment on function integratedb._release_usage(jsonb) is 'internal: of _usage_of(); after claims are stored and granted';
