-- What has this transaction touched, all in all? What was noted, and whatever it granted, revoked, published, or renamed with its
-- schema or its type: GRANT and REVOKE tell of a kind of object, not which, and none of these takes a lock on the relations. So this
-- looks when the transaction is judged and holds the epoch row: a claim or a table that was being made meanwhile is committed by now.
create or replace function integratedb._touched_by(migration integratedb.migration)
returns bigint[]
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  own_age constant integer := age(migration.xid::xid);
  -- Counted in this session, so that nobody's columns are looked at for a REVOKE that changed no column's row.
  counts constant boolean := current_setting('track_counts')::boolean;
  touched bigint[] := migration.touched;
  schemas oid[];
begin
  if touched is null then
    return null;
  end if;
  if migration.has_privileges then
    -- A row no older than this transaction was written by it, or by one that committed meanwhile (which does no harm).
    if not counts or pg_stat_get_xact_tuples_updated('pg_namespace'::regclass) > 0 then
      schemas := array(select n.oid from pg_namespace n where age(n.xmin) <= own_age);
    end if;
    if not counts or pg_stat_get_xact_tuples_updated('pg_class'::regclass) > 0 or schemas <> '{}' then
      touched := touched || array(
        select k.relid from integratedb.claim k join pg_class c on c.oid = k.relid::oid
         where age(c.xmin) <= own_age or c.relnamespace = any (schemas)
        union all
        select k.relid from integratedb.claim k cross join unnest(k.behind || k.sequences) o join pg_class c on c.oid = o::oid
         where (k.behind <> '{}' or k.access <> '{select}') and (age(c.xmin) <= own_age or c.relnamespace = any (schemas)));
    end if;
    if not counts or pg_stat_get_xact_tuples_updated('pg_attribute'::regclass) > 0 then
      touched := touched || array(
        select k.relid from integratedb.claim k
         where exists (
           select from unnest(k.relid || k.behind) o join pg_attribute a on a.attrelid = o::oid
            where a.attnum > 0 and age(a.xmin) <= own_age));
    end if;
    if not counts or pg_stat_get_xact_tuples_updated('pg_proc'::regclass) > 0 then
      touched := touched || array(
        select k.relid from integratedb.claim k
         where k.behind <> '{}' and exists (select from unnest(k.behind) o join pg_proc p on p.oid = o::oid where age(p.xmin) <= own_age));
    end if;
    if 'DROP OWNED' = any (migration.commands) then
      -- A role goes from the policies that are for others too.
      touched := touched || array(select distinct p.polrelid::bigint from pg_policy p where age(p.xmin) <= own_age);
    end if;
  end if;
  if migration.commands && array['CREATE PUBLICATION', 'ALTER PUBLICATION'] then
    touched := touched || array(
      select k.relid from integratedb.claim k where k.relid is not null and k.access <> '{select}'
      union
      -- Somebody altered ours.
      select s.relid from integratedb.subscription s
       where s.status = 'met' and not (integratedb._is_publication_sound() and integratedb._published_tables() @> integratedb._wanted_tables()
         and integratedb._published_tables() <@ integratedb._wanted_tables()));
  end if;
  if migration.commands && array['ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA', 'ALTER EXTENSION'] then
    -- What is in a schema or an extension has another name now, and so have the types of columns elsewhere, row types too.
    select touched || coalesce(array_agg(c.oid::bigint) filter (where c.oid is not null), '{}')
             || integratedb._with_descendants(integratedb._columns_of_types(touched::oid[] || array_agg(case m.classid when 'pg_type'::regclass then m.objid else c.reltype end)))
      into touched
      from (
        select p.classid, p.objid from pg_depend p where p.refclassid = 'pg_namespace'::regclass and p.refobjid = any (touched::oid[])
        union
        select p.classid, p.objid from pg_depend p where p.refclassid = 'pg_extension'::regclass and p.refobjid = any (touched::oid[]) and p.deptype = 'e'
      ) m
      left join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid;
  end if;
  if 'ALTER EXTENSION' = any (migration.commands) then
    -- What ALTER EXTENSION ... DROP lets go of is told nowhere, and a wildcard takes it in.
    touched := touched || array(
      select c.oid::bigint
        from integratedb.claim w
        join pg_namespace n on n.nspname = w.schema_name::name
        join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
       where w.relation_name = ''
         and not exists (select from integratedb.claim k where k.relid = c.oid::bigint and k.stakeholder = w.stakeholder));
  end if;
  if integratedb._is_restored() then
    -- A restored claim knows its relation by name only, and what is renamed has another one now.
    touched := touched || array(
      select distinct k.relid
        from integratedb.claim k
       where k.relid is not null and k.relation_name <> '' and not exists (
         select from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = k.schema_name::name and c.relname = k.relation_name::name));
  end if;
  return touched;
end
$$;

comment on function integratedb._touched_by(integratedb.migration) is 'internal: oids of relations, dropped ones too';
