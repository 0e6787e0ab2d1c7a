-- Does it call nothing but functions of Postgres's own that only compute? Those that do more, query_to_xml() and
-- ts_rewrite() for two, run any SQL that they are given. What is no more than this is listed; anything else is not.
create or replace function integratedb._only_computes(expression pg_node_tree)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select not exists (
    select from regexp_matches(expression::text, '[{]([A-Z]+)', 'g') node (name)
     where node.name[1] <> all (array['VAR', 'CONST', 'OPEXPR', 'FUNCEXPR', 'BOOLEXPR', 'NULLTEST', 'BOOLEANTEST', 'SCALARARRAYOPEXPR', 'ARRAY', 'ARRAYEXPR',
       'RELABELTYPE', 'COERCEVIAIO', 'DISTINCTEXPR', 'NULLIFEXPR', 'COALESCE', 'COALESCEEXPR', 'CASE', 'CASEEXPR', 'WHEN', 'CASEWHEN', 'CASETESTEXPR'])
  ) and not exists (
    select from regexp_matches(expression::text, ':(opno|funcid) ([0-9]+)', 'g') call (part)
      left join pg_operator o on call.part[1] = 'opno' and o.oid = call.part[2]::oid
      left join pg_proc p on p.oid = case when call.part[1] = 'opno' then o.oprcode else call.part[2]::oid end
     where call.part[2]::oid >= 16384 or p.provolatile is distinct from 'i'
  )
$$;

comment on function integratedb._only_computes(pg_node_tree) is 'internal: nothing but immutable functions that came with Postgres';

-- Are there rows that a NOT VALID constraint would refuse? Among the first ten thousand: the constraint is NOT VALID
-- so that nobody need read the whole table. It runs as us, so nothing may be run but what computes in Postgres itself: not by
-- the constraint, nor by casts of its columns' types (an enum's, too: the constraint is written out and read again, and
-- then a cast made later counts), nor by the planner, which evaluates what is constant in the expressions of
-- indexes and statistics. Null: nobody knows.
create or replace function integratedb._has_broken_rows(constraint_id oid)
returns boolean
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
declare
  k pg_constraint;
  query text;
  found_one boolean;
begin
  select * into k from pg_constraint where oid = constraint_id;
  begin
    -- From this look to the query nobody makes an index, statistics or a policy. Nobody is waited for.
    execute format('lock table only %s%s in share update exclusive mode nowait',
      k.conrelid::regclass, case when k.contype = 'f' then format(', only %s', k.confrelid::regclass) end);
    if not exists (select from pg_depend where classid = 'pg_constraint'::regclass and objid = k.oid and refclassid = 'pg_type'::regclass)
       and not exists (select from pg_attribute a
                        where (a.attrelid, a.attnum) in (select k.conrelid, unnest(k.conkey) union all select k.confrelid, unnest(k.confkey))
                          and a.atttypid >= 16384)
       and not exists (select from pg_index i where i.indrelid in (k.conrelid, k.confrelid) and (i.indexprs is not null or i.indpred is not null))
       and not exists (select from pg_statistic_ext s where s.stxrelid in (k.conrelid, k.confrelid) and s.stxexprs is not null)
       and not exists (select from pg_class c where c.oid in (k.conrelid, k.confrelid) and (c.relkind <> 'r' or row_security_active(c.oid)))
       and (k.contype = 'f' or integratedb._only_computes(k.conbin))
    then
      if k.contype = 'c' then
        query := format('not (%s)', pg_get_expr(k.conbin, k.conrelid));
      else
        select format('%s and not exists (select from %s y where %s)',
                 string_agg(format('x.%I is not null', a.attname), ' and '),
                 k.confrelid::regclass,
                 string_agg(format('x.%I = y.%I', a.attname, b.attname), ' and '))
          into query
          from unnest(k.conkey, k.confkey) key (num, referred)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = key.num
          join pg_attribute b on b.attrelid = k.confrelid and b.attnum = key.referred;
      end if;
      execute format('select exists (select from (select * from only %s limit 10000) x where %s)', k.conrelid::regclass, query) into found_one;
    end if;
    raise exception using errcode = 'IDB00', message = 'undo'; -- and with it the lock
  exception
    when sqlstate 'IDB00' then
      return found_one;
    when others then
      return null; -- somebody has the lock, or a row is none that the constraint can be asked of (1 / 0)
  end;
end
$$;

comment on function integratedb._has_broken_rows(oid) is 'internal: of a pg_constraint that is not validated; null if it cannot be told';

-- What can refuse a row of this table: constraints (kind as pg_constraint.contype) and unique indexes that are none ('i'). columns: 0 or null among them
-- for an expression. Marks: its oid; what Postgres keeps, by oids and numbers, which renaming leaves; what Postgres writes out, which making it
-- anew in the same words leaves, unless what it refers to was made anew, too. Who asks from another relation is told the table as well.
create or replace function integratedb._constraints_of(relation oid, asked_from oid)
returns table (oid oid, name name, kind "char", columns smallint[], referred oid, is_validated boolean, is_deferrable boolean, refuses_null boolean, is_inherited boolean, marks text[])
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
begin return query
  select x.oid, x.name, x.kind, x.columns, x.referred, x.is_validated, x.is_deferrable, coalesce(i.indnullsnotdistinct, false), x.is_inherited,
         array[x.oid::text,
               md5(regexp_replace(concat_ws(' ', nullif(relation, asked_from), x.kept, i.indclass, i.indcollation, i.indexprs::text, i.indpred::text, i.indnullsnotdistinct),
                                  ' :location -?[0-9]+', '', 'g'))]
           || case when not x.is_moved then md5(concat_ws(' ', nullif(relation, asked_from)::regclass, x.shown)) end
    from (
      select k.oid, k.conname as name, k.contype as kind, k.conkey as columns, k.confrelid as referred, k.convalidated as is_validated, k.condeferrable as is_deferrable,
             k.coninhcount > 0 or k.conparentid <> 0 as is_inherited, case when k.contype in ('p', 'u', 'x') then k.conindid end as index,
             concat_ws(' ', k.conname, k.contype, k.conkey, nullif(k.confrelid, k.conrelid), k.confkey, k.confmatchtype, k.confupdtype, k.confdeltype, k.confdelsetcols,
                       k.condeferrable, k.conexclop, to_jsonb(k)->>'conperiod', k.conbin::text) as kept, -- PostgreSQL 18
             concat(k.conname, ' ', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')) as shown,
             coalesce(k.contype = 'f' and k.confrelid not in (k.conrelid, asked_from) and (
               select age(t.xmin) <= age(pg_current_xact_id_if_assigned()::xid) from pg_type t join pg_class c on c.reltype = t.oid where c.oid = k.confrelid), false) as is_moved
        from pg_constraint k
       where k.conrelid = relation and k.contype in ('c', 'f', 'u', 'p', 'x') and to_jsonb(k)->>'conenforced' is distinct from 'false' -- PostgreSQL 18
      union all
      select c.oid, c.relname, 'i', i.indkey[0:i.indnkeyatts - 1], null, true, false, c.relispartition, c.oid, concat_ws(' ', 'i', i.indkey[0:i.indnkeyatts - 1]),
             regexp_replace(pg_get_indexdef(c.oid), ' INDEX .* USING ', ' '), false
        from pg_index i
        join pg_class c on c.oid = i.indexrelid
       where i.indrelid = relation and i.indisunique and i.indisready
         and not exists (select from pg_constraint k where k.conrelid = relation and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    ) x
    left join pg_index i on i.indexrelid = x.index;
end
$$;

comment on function integratedb._constraints_of(oid, oid) is 'internal: what Hurdles are made of, of one table';

-- What can refuse what the action of a foreign key writes into a table: an event, the columns that it changes (null: it deletes) and the action, as
-- _written_with() has them. Foreign keys to what is written as well are right again when all of it is.
create or replace function integratedb._refused_with(asked_from oid, target oid, target_event text, changed name[], action "char", written oid[])
returns table (name text, marks json)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
begin return query
  with changed_column as materialized (
    select a.attnum as num, a.attname as name, a.attnotnull, a.atttypid as type, c.relispartition and exists (
             select from pg_inherits i join pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname and p.attnotnull where i.inhrelid = target) as is_inherited,
           -- Of the whole these are a partition's, too.
           case when not c.relispartition then a.attidentity end as attidentity, case when not c.relispartition then f.adbin end as default
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = any (changed)
      left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
     where c.oid = target and target_event = 'update'
  )
  select format('%s %I of %s', case k.kind when 'i' then 'the unique index' when 'f' then 'the foreign key' else 'the constraint' end, k.name, target::regclass), to_json(k.marks)
    from integratedb._constraints_of(target, asked_from) k
   where target_event = 'update' and not k.is_inherited and (k.referred = any (written)) is not true
     and exists (select from changed_column c where c.num = any (k.columns) or 0 = any (coalesce(k.columns, '{0}')))
  union all
  select format('the foreign key %I of %s', k.name, f.conrelid::regclass), to_json(k.marks)
    from pg_trigger g
    join pg_constraint f on f.oid = g.tgconstraint and f.contype = 'f' and f.confrelid = g.tgrelid and f.conparentid = 0
    join integratedb._constraints_of(f.conrelid, target) k on k.oid = f.oid
   where g.tgrelid = target and g.tgisinternal
     and case target_event when 'delete' then g.tgtype & 8 <> 0 and f.confdeltype in ('a', 'r')
           else g.tgtype & 16 <> 0 and f.confupdtype in ('a', 'r') and exists (select from changed_column c where c.num = any (f.confkey)) end
  union all
  select format('%s of %s.%I', x.what, target::regclass, c.name), json_build_array(concat(x.what, ' ', target, '.', c.num), concat(x.what, ' ', target::regclass, '.', c.name))
    from changed_column c
    cross join lateral (
      select 'NOT NULL' as what
       where not c.is_inherited and (action = 'n' or action = 'd' and not integratedb._has_default(target, c.num)) and (c.attnotnull or c.type >= 16384 and exists (
         with recursive domain (base, not_null) as (
           select d.typbasetype, d.typnotnull from pg_type d where d.oid = c.type and d.typtype = 'd'
           union all
           select d.typbasetype, d.typnotnull from domain x join pg_type d on d.oid = x.base and d.typtype = 'd'
         )
         select from domain where not_null))
      union all
      select 'GENERATED ALWAYS' where c.attidentity = 'a'
    ) x
  union all
  select format('the default of %s.%I', target::regclass, c.name), json_build_array(concat(target, '.', c.num, ' ', md5(d.shown)), concat(target::regclass, '.', c.name, ' ', md5(d.shown)))
    from changed_column c cross join lateral (select pg_get_expr(c.default, target) as shown) d
   where action = 'd' and d.shown is not null
  union all
  select format('the check constraint %I of domain %s', k.conname, format_type(k.contypid, null)), json_build_array(k.oid::text, md5(concat_ws(' ', k.conname, k.conbin::text)))
    from changed_column c
    join pg_constraint k on c.type >= 16384 and k.contypid = any (integratedb._domains_in(c.type)) and k.contype = 'c'
  union all
  select format('the trigger %I of %s', g.tgname, target::regclass), json_build_array(integratedb._trigger_mark(g.oid, true))
    from pg_trigger g
   where g.tgrelid = target and not g.tgisinternal and g.tgenabled in ('O', 'A') and g.tgparentid = 0
     and case target_event when 'delete' then g.tgtype & 8 <> 0
           else g.tgtype & 16 <> 0 and (cardinality(g.tgattr::smallint[]) = 0 or exists (select from changed_column c where c.num = any (g.tgattr))) end
  union all
  select format('the rule %I of %s', r.rulename, target::regclass),
         json_build_array(md5(concat(target, r.ev_type, r.is_instead, r.ev_action, r.ev_qual)), md5(pg_get_ruledef(r.oid)))
    from pg_rewrite r
   where r.ev_class = target and r.ev_enabled in ('O', 'A') and r.ev_type = case target_event when 'update' then '2' else '4' end;
end
$$;

comment on function integratedb._refused_with(oid, oid, text, name[], "char", oid[]) is 'internal: what Hurdles are made of, where another table is written with one';

-- Not by its oid: CREATE OR REPLACE keeps that. Nor by its name: renaming it is no event, and no change. But another one that is the same is one more.
create or replace function integratedb._trigger_mark(trigger_id oid, is_elsewhere boolean)
returns text
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin return (
  select md5(concat_ws(' ', case when is_elsewhere then g.tgrelid end, g.tgfoid, g.tgtype, g.tgattr, encode(g.tgargs, 'hex'),
                       regexp_replace(g.tgqual::text, ' :location -?[0-9]+', '', 'g')))
    from pg_trigger g where g.oid = trigger_id
); end
$$;

comment on function integratedb._trigger_mark(oid, boolean) is 'internal: is it the same trigger?';
