-- Which relations did this command touch, and does anybody care? (ddl_command_end)
-- DDL on what nobody claims leaves here after one look-up; nothing is judged, JavaScript is not started.
create or replace function integratedb._note_ddl()
returns event_trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  own_age constant integer := age(pg_current_xact_id()::xid);
  touched bigint[];
  concerning bigint[];
begin
  if exists (select from integratedb.epoch where working = pg_current_xact_id()) then
    return; -- our own grants
  end if;

  select array_agg(distinct c.oid::bigint) into touched
    from pg_event_trigger_ddl_commands() d
    join pg_class c on c.oid = d.objid
   where d.classid = 'pg_class'::regclass and d.schema_name is distinct from 'pg_temp' and c.relkind in ('r', 'p', 'v', 'm', 'f');
  if touched is not null and exists (select from pg_inherits where inhparent = any (touched::oid[])) then
    touched := integratedb._with_descendants(touched);
  end if;
  if tg_tag <> all (array['ALTER TABLE', 'CREATE TABLE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE TABLE AS', 'ALTER INDEX']) then
    touched := touched || integratedb._touched_indirectly(tg_tag, own_age);
  elsif tg_tag = 'ALTER TABLE' and exists (select from pg_class where oid = any (touched::oid[]) and relkind = 'p') then
    -- DETACH PARTITION names the parent only; the partition's own row changed.
    touched := touched || array(select oid::bigint from pg_class where age(xmin) <= own_age and relkind in ('r', 'p', 'f'));
  end if;
  if touched is null or touched = '{}' then
    return;
  end if;

  select array_agg(c.oid::bigint) into concerning
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.oid = any (touched::oid[])
     and (
       exists (select from integratedb.claim k where k.relid = c.oid::bigint)
       or exists (select from integratedb.claim k where k.schema_name = n.nspname::text and k.relation_name in (c.relname::text, ''))
       -- New here, renamed or moved: its row type's row is this transaction's. A claim on that name or schema that
       -- is being declared right now could not lock it; the epoch row sorts that out at the commit.
       or exists (select from pg_type t where t.oid = c.reltype and age(t.xmin) <= own_age)
       or not integratedb._sees_all_claims()
     );
  if concerning is not null then
    perform integratedb._note(tg_tag, concerning);
  end if;
end
$$;

comment on function integratedb._note_ddl() is 'internal: event trigger on ddl_command_end';

-- Partitions and other children: ALTER TABLE on the parent changes them and names the parent only.
create or replace function integratedb._with_descendants(relations bigint[])
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive family (relation) as (
    select unnest(relations)::oid
    union
    select i.inhrelid from family f join pg_inherits i on i.inhparent = f.relation
  )
  select array_agg(relation::bigint) from family
$$;

comment on function integratedb._with_descendants(bigint[]) is 'internal: relations and all that inherit from them';

-- Commands that change relations without naming them. own_age: age() of this transaction; a catalogue row whose
-- xmin is no older was written by it (or by one that committed meanwhile, which does no harm here).
create or replace function integratedb._touched_indirectly(tag text, own_age integer)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  touched bigint[] := '{}';
begin
  if tag in ('ALTER TYPE', 'ALTER DOMAIN') then
    -- Columns of the type, or of arrays of it.
    select array_agg(distinct p.objid::bigint) into touched
      from pg_event_trigger_ddl_commands() d
      join pg_type t on t.oid = d.objid
      join pg_depend p on p.refclassid = 'pg_type'::regclass and p.refobjid in (t.oid, t.typarray)
     where d.classid = 'pg_type'::regclass and p.classid = 'pg_class'::regclass and p.objsubid > 0;
  elsif tag in ('CREATE SCHEMA', 'ALTER SCHEMA') then
    -- All that is in it has another name now.
    select array_agg(c.oid::bigint) into touched
      from pg_event_trigger_ddl_commands() d
      join pg_class c on c.relnamespace = d.objid
     where d.classid = 'pg_namespace'::regclass and c.relkind in ('r', 'p', 'v', 'm', 'f');
  elsif tag in ('CREATE EXTENSION', 'ALTER EXTENSION') then
    select array_agg(p.objid::bigint) into touched
      from pg_event_trigger_ddl_commands() d
      join pg_depend p on p.refclassid = 'pg_extension'::regclass and p.refobjid = d.objid and p.classid = 'pg_class'::regclass
     where d.classid = 'pg_extension'::regclass;
  elsif tag in ('REVOKE', 'DROP OWNED') then
    -- GRANT and REVOKE tell of a kind of object, not which; what they changed are the rows with the privileges.
    if tag = 'REVOKE' and not exists (
      select from pg_event_trigger_ddl_commands() where upper(object_type) in ('TABLE', 'COLUMN', 'SCHEMA')
    ) then
      return touched;
    end if;
    select array_agg(k.relid) into touched from (
      select distinct relid from integratedb.claim where relid is not null
    ) k
    join pg_class c on c.oid = k.relid::oid
    join pg_namespace n on n.oid = c.relnamespace
    where age(c.xmin) <= own_age
       or age(n.xmin) <= own_age
       or exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and age(a.xmin) <= own_age);
  end if;
  return touched;
end
$$;

comment on function integratedb._touched_indirectly(text, integer) is 'internal: oids of relations; within an event trigger on ddl_command_end';
