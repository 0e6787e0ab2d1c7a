-- Which relations did this command touch, and does anybody care? (ddl_command_end)
-- DDL on what nobody claims leaves here after one look-up; nothing is judged, JavaScript is not started.
create or replace function integratedb._note_ddl()
returns event_trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- arrays as parameters would have every call planned anew, at several times its cost
set enable_hashjoin = off -- as in _catalog
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  names_relations boolean := true;
  part_of oid; -- the relation that a policy, a trigger or a rule is of
  part_schema text;
  own_age integer;
  is_noted boolean;
  has_triggers boolean;
  has_writers boolean;
  touched bigint[];
  renamed oid[];
  has_parents boolean;
  is_published boolean;
  has_children boolean;
  is_partitioned boolean;
  is_partition boolean;
  has_new_foreign_keys boolean;
  is_concerning boolean;
  concerning bigint[];
begin
  -- What leaves here does so with a query at most: one more would be most of what it costs.
  if tg_tag <> all (array['ALTER TABLE', 'CREATE TABLE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE TABLE AS', 'ALTER INDEX']) then
    if tg_tag in ('GRANT', 'REVOKE', 'DROP OWNED') then
      perform integratedb._note_privileges(tg_tag);
      return;
    elsif tg_tag = 'CREATE INDEX' then
      -- It concerns only who writes.
      if exists (select from integratedb.claim where access <> '{select}') then
        perform integratedb._note_index();
      end if;
      return;
    elsif tg_tag in ('ALTER SEQUENCE', 'ALTER FUNCTION', 'ALTER ROUTINE', 'ALTER AGGREGATE') then
      perform integratedb._note_called(tg_tag);
      return;
    elsif tg_tag = 'REFRESH MATERIALIZED VIEW' then
      -- Jobs refresh every few minutes, and that is no migration, unless it empties a view or fills it again.
      if not exists (
        select from pg_event_trigger_ddl_commands() d
          join pg_class c on c.oid = d.objid
         where not c.relispopulated
            or (select true from integratedb.claim k where k.relid = c.oid::bigint and (k.status = 'unmet' or k.observed ? 'unpopulated') limit 1)
            or (select true from integratedb.claim k
                 where k.behind @> array[c.oid::bigint] and k.behind <> '{}' and (k.status = 'unmet' or k.observed ? 'unpopulated') limit 1))
      then
        return;
      end if;
    elsif tg_tag in ('CREATE POLICY', 'ALTER POLICY', 'CREATE TRIGGER', 'CREATE RULE') then
      if tg_tag = 'CREATE TRIGGER' then
        if not exists (select from integratedb.claim where access <> '{select}') then
          return; -- it concerns only who writes
        end if;
      end if;
      select c.oid, n.nspname::text, coalesce( -- as below, of the one relation that it is a part of
               c.relhassubclass or null,
               (select true from pg_inherits i where i.inhrelid = c.oid limit 1),
               (select true from integratedb.claim k where k.relid = c.oid::bigint limit 1),
               (select true from integratedb.claim k where k.schema_name = n.nspname::text and k.relation_name in (c.relname::text, '') limit 1),
               (select true from integratedb.claim k where k.behind @> array[c.oid::bigint] and k.behind <> '{}' limit 1),
               current_setting('transaction_isolation') not in ('read committed', 'read uncommitted'))
        into part_of, part_schema, is_concerning
        from pg_event_trigger_ddl_commands() d
        join pg_class c on c.oid = case d.classid
          when 'pg_policy'::regclass then (select polrelid from pg_policy where oid = d.objid)
          when 'pg_trigger'::regclass then (select tgrelid from pg_trigger where oid = d.objid)
          when 'pg_rewrite'::regclass then (select ev_class from pg_rewrite where oid = d.objid) end -- PostgreSQL 15: a rule makes a view of a table
        join pg_namespace n on n.oid = c.relnamespace;
      if is_concerning is not true then
        return;
      end if;
    else
      names_relations := false;
      if tg_tag in ('ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA', 'ALTER EXTENSION', 'CREATE PUBLICATION', 'ALTER PUBLICATION') then
        -- They change relations without a lock on them, so that neither a claim nor a table that is being made right now could make
        -- them wait. Noted whether anybody cares or not; whom they concern is found out at the commit (_touched_by).
        if not exists (select from integratedb.epoch where working = pg_current_xact_id()) then -- not our own publication
          perform integratedb._note(tg_tag, array(
            select d.objid::bigint from pg_event_trigger_ddl_commands() d
            union
            -- A composite type shows as the pg_class row behind it when its attributes change.
            select c.reltype::bigint from pg_event_trigger_ddl_commands() d join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid and c.relkind = 'c'));
        end if;
        return;
      elsif tg_tag = 'CREATE SCHEMA' then
        if not exists (select from pg_event_trigger_ddl_commands() d where d.classid <> 'pg_namespace'::regclass) then
          return; -- nothing is in it (and each plan is made anew: to the plans' cache a schema may be in any search_path)
        end if;
      end if;
    end if;
  end if;

  -- In one go: this is what DDL that concerns nobody pays, most of it for starting and ending each part of the query.
  -- (Subqueries in place of joins: the planner would hash whole catalogues.)
  select array_agg(c.oid::bigint), bool_or(c.relhassubclass), bool_or(c.relkind = 'p'), bool_or(c.relispartition),
         bool_or((select true from pg_inherits i where i.inhrelid = c.oid limit 1)),
         bool_or(tg_tag = 'ALTER TABLE' and (select true from pg_publication_rel r where r.prrelid = c.oid limit 1)),
         array_agg(c.reltype) filter (where (select age(t.xmin) <= age(pg_current_xact_id()::xid) from pg_type t where t.oid = c.reltype)),
         bool_or(c.relhastriggers),
         bool_or(coalesce( -- as below, of what the command names
           (select true from integratedb.claim k where k.relid = c.oid::bigint limit 1),
           (select true from integratedb.claim k
             where k.schema_name = coalesce(part_schema, d.schema_name) collate "C" and k.relation_name in (c.relname::text, '') limit 1),
           (select true from integratedb.claim k where k.behind @> array[c.oid::bigint] and k.behind <> '{}' limit 1)))
    into touched, has_children, is_partitioned, is_partition, has_parents, is_published, renamed, has_triggers, is_concerning
    from pg_event_trigger_ddl_commands() d
    join pg_class c on c.oid = coalesce(part_of, case when d.classid = 'pg_class'::regclass then d.objid end)
   where d.schema_name is distinct from 'pg_temp'
     and c.relkind in ('r', 'p', 'v', 'm', 'f');
  if touched is null and tg_tag = 'ALTER TABLE' then
    perform integratedb._note_called(tg_tag); -- of a sequence
  end if;
  if (has_triggers or has_parents or has_children) and tg_tag in ('ALTER TABLE', 'CREATE TABLE', 'CREATE SCHEMA', 'CREATE TRIGGER') then
    has_writers := exists (select from integratedb.claim where access <> '{select}');
    -- A foreign key has triggers.
    has_new_foreign_keys := has_writers and has_triggers and exists (
      select from pg_depend d
        join pg_constraint k on k.oid = d.objid and k.contype = 'f' and age(k.xmin) <= age(pg_current_xact_id()::xid)
       where d.classid = 'pg_constraint'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = any (touched::oid[]));
  end if;
  -- Noted whether anybody cares or not, for the epoch row to sort out at the commit: whatever is done in a transaction whose
  -- snapshot may be from before somebody's claim, so that it cannot look up whom it concerns.
  is_noted := current_setting('transaction_isolation') not in ('read committed', 'read uncommitted');
  if names_relations and not is_noted and renamed is null
     and not coalesce(is_concerning or has_parents or has_children or is_partitioned or has_new_foreign_keys or is_published, false)
  then
    return;
  end if;

  own_age := age(pg_current_xact_id()::xid);
  if is_published and has_parents is not true then
    -- One that inherits no more is still published, for its parent's sake.
    touched := touched || array(
      select s.relid
        from integratedb.subscription s
        join pg_class p on p.oid = s.relid::oid and p.relkind = 'r' and p.relhassubclass
       where not exists (select from integratedb.subscription o where o.relid = any (touched)));
  end if;
  if has_parents then
    -- Its rows are read with its parent's, what is written into that may go there, and a parent's replica identity is that of all of them.
    touched := touched || integratedb._ancestors(touched);
    if is_partition and tg_tag like 'CREATE%' then
      -- What goes into a new partition no longer goes into the default one beside it.
      touched := touched || integratedb._with_descendants(array(
        select p.partdefid::bigint from pg_inherits i join pg_partitioned_table p on p.partrelid = i.inhparent
         where i.inhrelid = any (touched::oid[]) and p.partdefid <> 0));
    end if;
  end if;
  if has_children then
    touched := integratedb._with_descendants(touched);
  end if;
  if tg_tag = 'CREATE EXTENSION' then
    touched := touched || array(
      select p.objid::bigint
        from pg_event_trigger_ddl_commands() d
        join pg_depend p on p.refclassid = 'pg_extension'::regclass and p.refobjid = d.objid and p.deptype = 'e' and p.classid = 'pg_class'::regclass
       where d.classid = 'pg_extension'::regclass);
  elsif tg_tag = 'ALTER TABLE' and is_partitioned then
    -- DETACH PARTITION names the parent only; the partition's own row changed.
    touched := touched || array(select oid::bigint from pg_class where age(xmin) <= own_age and relkind in ('r', 'p', 'f'));
    is_noted := true; -- the partition may be in a schema that only it is in
  end if;
  if has_writers and tg_tag <> 'CREATE TRIGGER' and (has_new_foreign_keys or has_parents or has_children) then
    -- A new foreign key concerns who deletes from the table that it refers to, or from one that this is a partition of; and a
    -- column's new type makes the foreign keys anew that refer to it. (pg_constraint has no index that tells who refers.)
    touched := touched || array(
      select r::oid::bigint
        from pg_depend d
        join pg_constraint k on k.oid = d.objid and k.contype = 'f' and age(k.xmin) <= own_age
       cross join unnest(array[k.conrelid::regclass, k.confrelid::regclass] || array(select a from pg_partition_ancestors(k.confrelid) a)) r
       where d.classid = 'pg_constraint'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = any (touched::oid[]));
  end if;
  -- A renamed table renames its row type, which may be the type of a column elsewhere.
  if renamed is not null and tg_tag in ('ALTER TABLE', 'ALTER VIEW', 'ALTER INDEX', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE') then
    touched := touched || integratedb._columns_of_types(renamed);
    is_noted := true; -- nothing locks the tables of those columns
  end if;
  if touched is null or touched = '{}' then
    return;
  end if;
  if cardinality(touched) = 1 and (is_noted or is_concerning or renamed is not null) then
    perform integratedb._note(tg_tag, touched); -- as nearly always
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
       (select true from integratedb.claim k where k.behind @> array[c.oid::bigint] and k.behind <> '{}' limit 1),
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

-- Relations that have a column of one of these types, or of a type that is made of one (arrays, domains, ranges, composite
-- types), or are typed tables (OF); and those whose query, policy, default, check, index or trigger casts to one. Not of tables' row types, as in _made_of.
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
    -- A composite type shows as the pg_class row behind it.
    select case d.classid when 'pg_type'::regclass then d.objid else c.reltype end
      from family f
      join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid = f.type and d.classid in ('pg_type'::regclass, 'pg_class'::regclass)
      left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid and c.relkind = 'c'
     where d.classid = 'pg_type'::regclass or c.oid is not null
  )
  select array_agg(distinct c.oid::bigint)
    from family f
    join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid = f.type
    join pg_class c on c.relkind in ('r', 'p', 'v', 'm', 'f') and c.oid = case d.classid
      when 'pg_class'::regclass then coalesce((select i.indrelid from pg_index i where i.indexrelid = d.objid), d.objid)
      when 'pg_attrdef'::regclass then (select f.adrelid from pg_attrdef f where f.oid = d.objid)
      when 'pg_constraint'::regclass then (select k.conrelid from pg_constraint k where k.oid = d.objid)
      when 'pg_trigger'::regclass then (select g.tgrelid from pg_trigger g where g.oid = d.objid)
      when 'pg_rewrite'::regclass then (select r.ev_class from pg_rewrite r where r.oid = d.objid)
      when 'pg_policy'::regclass then (select p.polrelid from pg_policy p where p.oid = d.objid) end
$$;

comment on function integratedb._columns_of_types(oid[]) is 'internal: oids of relations';

-- Whoever writes calls the functions in an index: noted whether anybody cares or not, for the lock that CREATE INDEX takes makes no claim
-- wait. A unique one can refuse what is written.
create or replace function integratedb._note_index()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  touched bigint[];
  is_concurrent boolean;
  is_noted boolean;
begin
  -- Made CONCURRENTLY it is older than the transaction that is the last of it.
  select array_agg(i.indrelid::bigint), bool_or(age(c.xmin) > age(pg_current_xact_id()::xid)), bool_or(x.calls) into touched, is_concurrent, is_noted
    from pg_event_trigger_ddl_commands() d
    join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
    join pg_class c on c.oid = i.indexrelid
    cross join lateral (
      select (i.indexprs is not null or i.indpred is not null) and exists (
        select from pg_depend f where f.classid = 'pg_class'::regclass and f.objid = i.indexrelid and f.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)) as calls
    ) x
   where i.indisunique or x.calls;
  if touched is not null then
    touched := integratedb._with_descendants(touched) || integratedb._ancestors(touched);
    if is_noted or current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') or exists (
      select from unnest(touched) t
       where coalesce((select true from integratedb.claim k where k.relid = t limit 1),
                      (select true from integratedb.claim k where k.behind @> array[t] and k.behind <> '{}' limit 1)))
    then
      perform integratedb._note(case when is_concurrent then 'CREATE INDEX CONCURRENTLY' else 'CREATE INDEX' end, touched);
    end if;
  end if;
end
$$;

comment on function integratedb._note_index() is 'internal: within an event trigger on ddl_command_end, of CREATE INDEX';

-- Sequences and functions that writing calls, and those that views read and call: their owner needs no privilege, and has none
-- any more when another one owns them.
create or replace function integratedb._note_called(tag text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  concerned bigint[] := array(
    select k.relid from pg_event_trigger_ddl_commands() d cross join lateral (
      select k.relid from integratedb.claim k
       where d.classid in ('pg_proc'::regclass, 'pg_class'::regclass) and k.behind @> array[d.objid::bigint] and k.behind <> '{}'
      union
      select k.relid from integratedb.claim k
       where d.classid = 'pg_class'::regclass and k.access <> '{select}' and k.sequences @> array[d.objid::bigint]
    ) k
  );
begin
  if concerned <> '{}' or current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    perform integratedb._note(tag, concerned);
  end if;
end
$$;

comment on function integratedb._note_called(text) is 'internal: within an event trigger on ddl_command_end, of ALTER SEQUENCE, ALTER FUNCTION and the like';

-- GRANT and REVOKE: of what, is found out when the transaction is judged (_touched_by).
create or replace function integratedb._note_privileges(tag text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from integratedb.epoch where working = pg_current_xact_id()) then
    return; -- our own grants
  end if;
  if tag = 'GRANT' and not exists (
    select from integratedb.claim where status = 'unmet' or fields @> '[{"status": "unmet"}]' or observed ? 'tolerated'
  ) then
    return; -- nobody waits for a privilege
  end if;
  if tag <> 'DROP OWNED' and not exists (
    select from pg_event_trigger_ddl_commands()
     where upper(object_type) in ('TABLE', 'COLUMN', 'SCHEMA', 'SEQUENCE', 'FUNCTION', 'PROCEDURE', 'ROUTINE')
  ) then
    return;
  end if;
  perform integratedb._note(tag, '{}', true);
end
$$;

comment on function integratedb._note_privileges(text) is 'internal: within an event trigger on ddl_command_end, of GRANT, REVOKE and DROP OWNED';
