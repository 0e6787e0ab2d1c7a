-- Which relations did this command touch, and does anybody care? (ddl_command_end)
-- DDL on what nobody claims leaves here after one look-up; nothing is judged, JavaScript is not started.
create or replace function integratedb._note_ddl()
returns event_trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- arrays as parameters would have every call planned anew, at several times its cost
as $$
declare
  own_age constant integer := age(pg_current_xact_id()::xid);
  -- Noted whether anybody cares or not, for the epoch row to sort out at the commit: what changes relations without
  -- a lock on them, so that a claim that is being declared right now could not make it wait.
  is_noted boolean := tg_tag in ('ALTER SCHEMA', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER EXTENSION') or not integratedb._sees_all_claims();
  touched bigint[];
  renamed oid[];
  concerning bigint[];
begin
  if exists (select from integratedb.epoch where working = pg_current_xact_id()) then
    return; -- our own grants
  end if;
  if tg_tag in ('GRANT', 'REVOKE', 'DROP OWNED') then
    perform integratedb._note_privileges(tg_tag);
    return;
  end if;

  select array_agg(distinct c.oid::bigint) into touched
    from pg_event_trigger_ddl_commands() d
    join pg_class c on c.oid = d.objid
   where d.classid = 'pg_class'::regclass and d.schema_name is distinct from 'pg_temp' and c.relkind in ('r', 'p', 'v', 'm', 'f');
  if touched is not null and exists (select from pg_inherits where inhparent = any (touched::oid[])) then
    touched := integratedb._with_descendants(touched);
  end if;
  if tg_tag <> all (array['ALTER TABLE', 'CREATE TABLE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE TABLE AS', 'ALTER INDEX']) then
    touched := touched || integratedb._touched_indirectly(tg_tag);
  elsif tg_tag = 'ALTER TABLE' and exists (select from pg_class where oid = any (touched::oid[]) and relkind = 'p') then
    -- DETACH PARTITION names the parent only; the partition's own row changed.
    touched := touched || array(select oid::bigint from pg_class where age(xmin) <= own_age and relkind in ('r', 'p', 'f'));
    is_noted := true; -- the partition may be in a schema that only it is in
  end if;
  if tg_tag in ('ALTER TABLE', 'ALTER VIEW', 'ALTER INDEX', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE') then
    -- A renamed table renames its row type, which may be the type of a column elsewhere.
    select array_agg(t.oid) into renamed
      from pg_class c join pg_type t on t.oid = c.reltype
     where c.oid = any (touched::oid[]) and age(t.xmin) <= own_age;
    if renamed is not null then
      touched := touched || integratedb._columns_of_types(renamed);
      is_noted := true; -- nothing locks the tables of those columns
    end if;
  end if;
  if touched is null or touched = '{}' then
    return;
  end if;

  select array_agg(c.oid::bigint) into concerning
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.oid = any (touched::oid[])
     -- Look-ups with LIMIT, one after the other: as EXISTS ... OR EXISTS the planner hashes whole tables.
     and coalesce(
       is_noted or null,
       (select true from integratedb.claim k where k.relid = c.oid::bigint limit 1),
       (select true from integratedb.claim k where k.schema_name = n.nspname::text and k.relation_name in (c.relname::text, '') limit 1),
       -- New here, renamed or moved: its row type's row is this transaction's. A claim on that name or schema that
       -- is being declared right now could not lock it; the epoch row sorts that out at the commit.
       (select true from pg_type t where t.oid = c.reltype and age(t.xmin) <= own_age)
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

-- Relations that have a column of one of these types, or of an array of it or a domain over it, or are typed tables (OF).
create or replace function integratedb._columns_of_types(types oid[])
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive family (type) as (
    select unnest(types)
    union
    select t.oid
      from family f
      join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid = f.type and d.classid = 'pg_type'::regclass
      join pg_type t on t.oid = d.objid and t.typtype = 'd'
  )
  select array_agg(distinct d.objid::bigint)
    from family f
    join pg_type t on t.oid = f.type
    join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid in (t.oid, t.typarray) and d.classid = 'pg_class'::regclass
    join pg_class c on c.oid = d.objid and c.relkind in ('r', 'p', 'v', 'm', 'f')
$$;

comment on function integratedb._columns_of_types(oid[]) is 'internal: oids of relations';

-- Commands that change relations without naming them.
create or replace function integratedb._touched_indirectly(tag text)
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
    -- A composite type shows as the pg_class row behind it when its attributes change.
    select integratedb._columns_of_types(array_agg(case d.classid when 'pg_type'::regclass then d.objid else c.reltype end)) into touched
      from pg_event_trigger_ddl_commands() d
      left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid;
  elsif tag in ('CREATE SCHEMA', 'ALTER SCHEMA') then
    -- All that is in it has another name now, and so have the types of columns elsewhere.
    select array_agg(c.oid::bigint) into touched
      from pg_event_trigger_ddl_commands() d
      join pg_class c on c.relnamespace = d.objid
     where d.classid = 'pg_namespace'::regclass and c.relkind in ('r', 'p', 'v', 'm', 'f');
    touched := touched || (
      select integratedb._columns_of_types(array_agg(p.objid))
        from pg_event_trigger_ddl_commands() d
        join pg_depend p on p.refclassid = 'pg_namespace'::regclass and p.refobjid = d.objid and p.classid = 'pg_type'::regclass
       where d.classid = 'pg_namespace'::regclass);
  elsif tag in ('CREATE EXTENSION', 'ALTER EXTENSION') then
    -- Its relations, and columns elsewhere of its types (ALTER EXTENSION ... SET SCHEMA).
    with member as (
      select p.classid, p.objid
        from pg_event_trigger_ddl_commands() d
        join pg_depend p on p.refclassid = 'pg_extension'::regclass and p.refobjid = d.objid and p.deptype = 'e'
       where d.classid = 'pg_extension'::regclass
    )
    select array_agg(objid::bigint) filter (where classid = 'pg_class'::regclass)
           || integratedb._columns_of_types(array_agg(objid) filter (where classid = 'pg_type'::regclass)) into touched
      from member;
  elsif tag = 'CREATE RULE' then
    -- PostgreSQL 15: ON SELECT makes a view of a table.
    select array_agg(r.ev_class::bigint) into touched
      from pg_event_trigger_ddl_commands() d join pg_rewrite r on r.oid = d.objid
     where d.classid = 'pg_rewrite'::regclass;
  end if;
  return touched;
end
$$;

comment on function integratedb._touched_indirectly(text) is 'internal: oids of relations; within an event trigger on ddl_command_end';

-- GRANT and REVOKE: of what, is found out when the transaction is judged (_touched_by).
create or replace function integratedb._note_privileges(tag text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if tag = 'GRANT' and not exists (
    select from integratedb.claim where status = 'unmet' or fields @> '[{"status": "unmet"}]'
  ) then
    return; -- nobody waits for a privilege
  end if;
  if tag <> 'DROP OWNED' and not exists (
    select from pg_event_trigger_ddl_commands() where upper(object_type) in ('TABLE', 'COLUMN', 'SCHEMA')
  ) then
    return;
  end if;
  perform integratedb._note(tag, '{}', true);
end
$$;

comment on function integratedb._note_privileges(text) is 'internal: within an event trigger on ddl_command_end, of GRANT, REVOKE and DROP OWNED';
