-- What has this transaction touched, all in all? What was noted, and whatever it granted or revoked:
-- GRANT and REVOKE tell of a kind of object, not which, and take no lock on it. So this looks when the transaction
-- is judged and holds the epoch row: a claim that was being declared meanwhile is committed by now.
create or replace function integratedb._touched_by(migration integratedb.migration)
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case when migration.touched is null then null else migration.touched
  || case when not migration.has_privileges then '{}' else array(
    select distinct k.relid
      from (
        select relid, relid as object from integratedb.claim where relid is not null
        union
        select relid, unnest(behind) from integratedb.claim where behind <> '{}'
        union
        select relid, unnest(sequences) from integratedb.claim where access <> '{select}'
      ) k
      cross join (select age(migration.xid::xid) as own_age) m
      left join pg_class c on c.oid = k.object::oid
      left join pg_namespace n on n.oid = c.relnamespace
      left join pg_proc p on p.oid = k.object::oid
     -- A row no older than this transaction was written by it, or by one that committed meanwhile (which does no harm).
     where age(c.xmin) <= own_age
        or age(n.xmin) <= own_age
        or age(p.xmin) <= own_age
        or exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and age(a.xmin) <= own_age)
  ) end
  -- A restored claim knows its relation by name only, and what is renamed has another one now.
  || case when not integratedb._is_restored() then '{}' else array(
    select distinct k.relid
      from integratedb.claim k
     where k.relid is not null and k.relation_name <> '' and not exists (
       select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = k.schema_name::name and c.relname = k.relation_name::name)
  ) end
  end
$$;

comment on function integratedb._touched_by(integratedb.migration) is 'internal: oids of relations, dropped ones too';
