-- Everything about one stakeholder's claims, for the core: {"claims": Claim[], "catalog": Catalog} as JSON text.
-- ids: only these, with the relations that they are of; null: all. takes_in: and the relations that wildcards have not taken in yet.
create or replace function integratedb._claims_in(name text, ids bigint[] default null, takes_in boolean default true)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with claim as materialized (
    select k.stakeholder, k.match, k.alternative, k.schema_name, k.relation_name, k.optional, k.access, k.all_fields, k.fields, k.relid,
           k.schema_id, k.observed, k.behind, k.sequences, k.status
      from integratedb.claim k
     where k.stakeholder = name and (ids is null or k.id = any (ids))
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
       and (ids is null or takes_in and not exists (
         select from integratedb.claim o
          where o.stakeholder = k.stakeholder and o.match = k.match and o.alternative is not distinct from k.alternative
            and o.schema_name = k.schema_name and o.relation_name = c.relname::text))
  ), asked as (
    select coalesce(array_agg(id), '{}') as relations, coalesce(array_agg(id) filter (where is_written), '{}') as written from relation
  )
  select format('{"claims": %s, "catalog": %s}',
    coalesce((select json_agg(k order by k.match, k.alternative, k.schema_name, k.relation_name) from claim k), '[]'),
    integratedb._catalog(array_fill(name, array[cardinality(relations)]), relations, written))
  from asked
$$;

comment on function integratedb._claims_in(text, bigint[], boolean) is 'internal: a stakeholder''s claims (ids: these of them) and the part of the catalogue that they speak of';

-- A stakeholder's claims in parts that can be inspected by themselves: an engine has only so much memory, and a schema may have
-- ten thousand relations. Alternatives stay together; a wildcard goes with each part, for its relations to be known as its own.
-- place: 1, 2, ...; ids: null if it is all of them.
create or replace function integratedb._parts_of(name text)
returns table (place bigint, ids bigint[])
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with claim as materialized (
    select k.id, k.match, k.alternative, k.relation_name, row_number() over (order by k.match, k.alternative, k.schema_name, k.relation_name) as place,
           count(*) over () > 1000 as is_divided
      from integratedb.claim k where k.stakeholder = name
  ), part as (
    select min(k.place) as place, array_agg(k.id) as ids
      from claim k
     where k.is_divided and (k.alternative is not null or k.relation_name <> '')
     group by case when k.alternative is null then k.place / 500 else -1 - k.match end
  )
  select 1, null::bigint[] where not exists (select from part)
  union all
  select row_number() over (order by p.place), p.ids || array(
           select k.id from claim k where k.alternative is null and k.relation_name = '' and k.id <> all (p.ids))
    from part p
   order by 1
$$;

comment on function integratedb._parts_of(text) is 'internal: ids of claims, part by part';
