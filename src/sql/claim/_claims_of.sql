-- Everything about one stakeholder's claims, for the core: {"claims": Claim[], "catalog": Catalog} as JSON text.
create or replace function integratedb._claims_of(name text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with claim as materialized (
    select * from integratedb.claim where stakeholder = name
  ), relation as (
    select c.oid::bigint as id, k.access <> '{select}' as is_written from claim k join pg_class c on c.oid = k.relid::oid
    union
    select c.oid::bigint, k.access <> '{select}'
      from claim k
      join pg_namespace n on n.nspname = k.schema_name::name
      join pg_class c on c.relnamespace = n.oid and c.relname = k.relation_name::name
    union
    select c.oid::bigint, k.access <> '{select}'
      from claim k
      join pg_namespace n on n.nspname = k.schema_name::name
      join pg_class c on c.relnamespace = n.oid
     where k.relation_name = '' and c.relkind in ('r', 'p', 'v', 'm', 'f')
  ), ids as (
    select coalesce(array_agg(id), '{}') as ids, coalesce(array_agg(id) filter (where is_written), '{}') as written from relation
  )
  select format('{"claims": %s, "catalog": %s}',
    coalesce((select json_agg(to_jsonb(k) - 'id' order by k.match, k.alternative, k.schema_name, k.relation_name) from claim k), '[]'),
    integratedb._catalog(array_fill(name, array[cardinality(ids)]), ids, written))
  from ids
$$;

comment on function integratedb._claims_of(text) is 'internal: a stakeholder''s claims and the part of the catalogue that they speak of';
