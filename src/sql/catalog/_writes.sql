-- Which of what is written into a view does an INSTEAD OF trigger or an unconditional INSTEAD rule take? Nobody can tell where
-- that goes. Bits as of pg_relation_is_updatable: 4 update, 8 insert, 16 delete. And, 256 times that, which does a conditional
-- INSTEAD rule stop? With one Postgres writes nothing by itself, whatever the condition, and pg_relation_is_updatable does not know.
create or replace function integratedb._handed_over(relation oid)
returns integer
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return (
  select coalesce(bit_or(x.taken) | ((bit_or(x.stopped) & ~bit_or(x.taken)) << 8), 0)
    from (
      select case when t.tgtype & 4 <> 0 then 8 else 0 end + case when t.tgtype & 16 <> 0 then 4 else 0 end + case when t.tgtype & 8 <> 0 then 16 else 0 end as taken,
             0 as stopped
        from pg_trigger t
       where t.tgrelid = relation and t.tgtype & 64 <> 0
      union all
      select case when r.ev_qual::text = '<>' then e.event else 0 end, case when r.ev_qual::text = '<>' then 0 else e.event end
        from pg_rewrite r
       cross join lateral (select case r.ev_type when '2' then 4 when '3' then 8 when '4' then 16 else 0 end as event) e
       where r.ev_class = relation and r.is_instead
    ) x
); end
$$;

comment on function integratedb._handed_over(oid) is 'internal: what writing is handed to a trigger or a rule, as pg_relation_is_updatable has it, and, << 8, what is stopped';

-- What can be written, by Postgres itself, a trigger or a rule? Nothing into a foreign table whose wrapper has no handler, of which Postgres would
-- complain, and of a view over one.
create or replace function integratedb._writable(relation oid)
returns integer
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_relation_is_updatable(relation, true);
exception when object_not_in_prerequisite_state then
  return 0;
end
$$;

comment on function integratedb._writable(oid) is 'internal: as pg_relation_is_updatable has it';

-- Where does what is written into a relation's columns go? Into the relation itself, or through views that Postgres updates by
-- itself, one after the other, into columns of the table behind them: a row for each column and each of these, up to the last.
-- There target is null where nobody can tell (rules, views that cannot be updated); target_num is null for a view's
-- computed column. handed_over: what of this column is handed to a trigger or a rule before it gets here, or stopped, as _handed_over has it.
create or replace function integratedb._written_columns(relation oid)
returns table (num smallint, target oid, target_num smallint, handed_over integer, is_last boolean)
language plpgsql
stable
rows 10 -- or the planner, that takes a thousand for granted, begins at the other end and reads whole catalogues
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  action text;
  nums smallint[];
  target_nums smallint[];
  handed integer[];
  own_handed integer;
  taken integer := 0;
  stopped integer := 0;
begin
  target := relation;
  select array_agg(a.attnum order by a.attnum), array_agg(0) into nums, handed
    from pg_attribute a where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
  target_nums := nums;
  loop
    is_last := not coalesce((select c.relkind = 'v' from pg_class c where c.oid = target), false);
    return query select n, target, t, h | (stopped << 8), is_last from unnest(nums, target_nums, handed) x (n, t, h);
    if is_last then
      return;
    end if;
    own_handed := integratedb._handed_over(target);
    if own_handed <> 0 then
      stopped := stopped | ((own_handed >> 8) & ~taken);
      own_handed := own_handed & 255;
      taken := taken | own_handed;
      handed := array(select case when t is null then h else h | own_handed end from unnest(target_nums, handed) with ordinality x (t, h, place) order by place);
    end if;
    -- Does Postgres itself hand anything on? Through what is behind it only, which may have triggers and rules in turn.
    if integratedb._writable(target) & ~own_handed = 0 then
      return query select n, null::oid, null::smallint, h | (stopped << 8), true from unnest(nums, handed) x (n, h);
      return;
    end if;
    -- Postgres keeps no catalogue of which column of a view is which of its table, only the query: for each column of the
    -- result it names the table and column that it comes from, in the same words in every version.
    select r.ev_action::text into action from pg_rewrite r where r.ev_class = target and r.ev_type = '1';
    select m[1]::oid into target
      from regexp_matches(action, ':rtekind 0 :relid ([0-9]+)', 'g') with ordinality x (m, place)
     where m[1]::oid <> target order by place limit 1;
    select array_agg(c.base_num order by x.place) into target_nums
      from unnest(target_nums) with ordinality x (num, place)
      left join (
        select substring(e from '^[0-9]+')::smallint as num, nullif(min(substring(e from ':resorigcol ([0-9]+) ')::smallint), 0) as base_num -- 0: a whole row
          from regexp_split_to_table(action, ' :resno ') with ordinality p (e, place)
         where place > 1 and substring(e from ':resorigtbl ([0-9]+) ')::oid = target
         group by 1
        having count(distinct substring(e from ':resorigcol ([0-9]+) ')) = 1 -- a subquery in the view may read the same table: then nobody can tell
      ) c on c.num = x.num;
  end loop;
end
$$;

comment on function integratedb._written_columns(oid) is 'internal: for each column of a relation, and each relation on the way of what is written into it';

-- Does a default fill the column? DEFAULT NULL is kept, too, of a type with a length.
create or replace function integratedb._has_default(relation oid, num smallint)
returns boolean
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from pg_attrdef f where f.adrelid = relation and f.adnum = num and pg_get_expr(f.adbin, f.adrelid) !~ '^NULL(::|$)');
end
$$;

comment on function integratedb._has_default(oid, smallint) is 'internal: also true of generated columns';

-- Which columns of the table behind a view do defaults of these views, through which it is written, fill? With 0 among them one of
-- these is of a column that the view computes, or that is generated behind it, and stops every insert.
create or replace function integratedb._filled_by_views(relation oid, views oid[])
returns smallint[]
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from unnest(views) v join pg_attribute a on a.attrelid = v and a.atthasdef join pg_class c on c.oid = v and c.relkind = 'v') then
    return null; -- as nearly always
  end if;
  return (
    select array_agg(case when w.handed_over & 8 = 0 and (b.attnum is null or b.attgenerated <> '' or b.attidentity = 'a') then 0::smallint
                          when integratedb._has_default(c.oid, a.attnum) then b.attnum end)
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.atthasdef
     cross join lateral integratedb._written_columns(c.oid) w
      left join pg_attribute b on b.attrelid = w.target and b.attnum = w.target_num
     where c.oid = any (views) and c.relkind = 'v' and w.is_last and w.num = a.attnum
       and not exists (select from integratedb._written_columns(relation) o where o.target = c.oid and o.handed_over & 8 <> 0));
end
$$;

comment on function integratedb._filled_by_views(oid, oid[]) is 'internal: numbers of columns; null if no view has a default';

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

-- What has whoever writes into this relation to know? Columns that can be written, that need not be, that have to be;
-- constraints, triggers and rules in the way; sequences that defaults call. Writes in src/core/catalog/catalog.ts.
create or replace function integratedb._writes(relation oid)
returns json
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
begin return (
  with way as materialized (
    select * from integratedb._written_columns(relation)
  ), written as materialized (
    select num, target, target_num, handed_over & 8 <> 0 as is_insert_handed_over, handed_over & 4 <> 0 as is_update_handed_over from way where is_last
  ), subject as materialized (
    select c.oid, c.relkind, w.target, integratedb._writable(c.oid) & ~(w.handed_over >> 8) as events,
           w.way, w.inserted, case when c.relkind = 'v' then integratedb._filled_by_views(c.oid, w.way) end as filled_by_views,
           w.handed_over & 8 <> 0 as is_insert_handed_over, w.handed_over & 4 <> 0 as is_update_handed_over, w.handed_over & 16 <> 0 as is_delete_handed_over
      from pg_class c
     cross join lateral (
       select min(target) filter (where is_last) as target, coalesce(bit_or(handed_over) filter (where is_last), 0) as handed_over,
              coalesce(array_agg(distinct target) filter (where target is not null), '{}') as way,
              array_agg(distinct target) filter (where target_num is not null and handed_over & 8 = 0) as inserted
         from way
     ) w
     where c.oid = relation
  ), part as materialized (
    -- What is written into a partitioned table goes into one of these; rows of tables that inherit are updated and deleted with it.
    select p.oid, p.relispartition as is_inserted
      from subject s
      join pg_class c on c.oid = s.target and c.relhassubclass,
           unnest(integratedb._with_descendants(array[s.target::bigint])) d
      join pg_class p on p.oid = d::oid
     where d <> s.target::bigint
  ), written_with as materialized (
    select w.* from subject s, integratedb._written_with(s.target) w
  ), refused as materialized (
    select distinct w.event, w.columns from written_with w
     where (select true from pg_publication where pubupdate or pubdelete limit 1) and integratedb._is_refused_by_publication(w.target, w.target_event)
  ), fact as materialized (
    select a.attnum as num, a.attname, w.num as own_num,
           a.attgenerated = '' and a.attidentity <> 'a' as is_writable,
           not a.attnotnull and not coalesce(t.not_null, false) and x.in_none_inserted as accepts_null,
           not a.attnotnull and not coalesce(t.not_null, false) and x.in_none as update_null,
           a.attidentity <> '' or coalesce(t.has_default, false) or a.atthasdef and integratedb._has_default(a.attrelid, a.attnum)
             or a.attnum = any (coalesce(s.filled_by_views, '{}')) as fills_itself,
           a.atttypid as type, case when t.has_default and not a.atthasdef then a.atttypid end as default_of
      from subject s
      join pg_attribute a on a.attrelid = s.target and a.attnum > 0 and not a.attisdropped
      left join written w on w.target_num = a.attnum
      left join lateral (
        with recursive domain (oid, base, not_null, has_default) as (
          select d.oid, d.typbasetype, d.typnotnull, d.typdefaultbin is not null from pg_type d where d.oid = a.atttypid and d.typtype = 'd'
          union all
          select d.oid, d.typbasetype, d.typnotnull, d.typdefaultbin is not null from domain x join pg_type d on d.oid = x.base and d.typtype = 'd'
        )
        -- Postgres asks for the default of the column's own type; one that it was made over has given it its own.
        select bool_or(not_null) as not_null, bool_or(has_default) filter (where oid = a.atttypid) as has_default from domain
      ) t on a.atttypid >= 16384
      cross join lateral ( -- is it required?
        select count(*) filter (where p.is_inserted) = 0 as in_none_inserted, count(*) = 0 as in_none
          from part p join pg_attribute pa on pa.attrelid = p.oid and pa.attname = a.attname and pa.attnotnull
      ) x
  ), column_fact as (
    select w.num, s.events & 8 <> 0 and (w.is_insert_handed_over or p.is_updatable and coalesce(f.is_writable, false)) as can_insert,
           s.events & 4 <> 0 and (w.is_update_handed_over or p.is_updatable and coalesce(f.is_writable, false)
             and not exists (select from refused r where r.event = 'update' and f.attname = any (r.columns))) as can_update,
           case when not w.is_insert_handed_over then f.accepts_null end as accepts_null,
           case when not w.is_update_handed_over then f.update_null end as update_null,
           case when not w.is_insert_handed_over then f.fills_itself end as fills_itself
      from written w
      cross join subject s
      left join fact f on f.own_num = w.num
      cross join lateral (select case when s.relkind in ('r', 'p') then true when s.events <> 0 then pg_column_is_updatable(s.oid, w.num, false) else false end as is_updatable) p
  ), constraint_in_the_way as (
    select case when p.is_part then format('the %s %I of %s', case k.kind when 'i' then 'unique index' else 'constraint' end, k.name, format('%I.%I', n.nspname, c.relname))
             else format('%s %I', case k.kind when 'c' then 'the check constraint' when 'f' then 'the foreign key' when 'u' then 'the unique constraint'
                    when 'p' then 'the primary key' when 'i' then 'the unique index' else 'the exclusion constraint' end, k.name) end as name,
           (select json_agg(mark || m.mark) from unnest(k.marks) mark) as marks,
           -- A check of the whole row names none of its columns.
           (select json_agg(f.own_num) from fact f join pg_attribute a on a.attrelid = c.oid and a.attname = f.attname
             where (a.attnum = any (k.columns) or 0 = any (coalesce(k.columns, '{0}'))) and f.own_num is not null) as columns,
           b.is_broken and e.events <> 'I' and m.mark = '' as is_broken, e.events
      from (select target as oid, true as is_inserted, false as is_part from subject union all select oid, is_inserted, true from part) p
      cross join subject s
      join integratedb._constraints_of(p.oid, s.target) k on not (p.is_part and k.is_inherited) -- the whole tells of those
      join pg_class c on c.oid = p.oid
      join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (select k.kind in ('c', 'f') and not k.is_validated and integratedb._has_broken_rows(k.oid) is true as is_broken) b
      -- An insert leaves other columns null, or to their defaults. Any update of a row looks at its checks again, which are
      -- in the way of rows that they refuse, and not at a foreign key that it leaves as it is. Rows that are there show what an
      -- insert of the same columns comes to, not what any does.
      cross join lateral unnest(
        case when not p.is_inserted then array[case when k.kind = 'c' and b.is_broken then 'U' else 'u' end]
             when k.kind <> 'c' and not k.refuses_null and not exists (select from fact f join pg_attribute a on a.attrelid = c.oid and a.attname = f.attname
                                                    where a.attnum = any (k.columns) and f.fills_itself) then array['iu']
             when not b.is_broken then array['Iu']
             else array['I', case k.kind when 'c' then 'iU' else 'iu' end] end) e (events)
      -- That a foreign key cannot wait for the commit is something of its own: it can become so, and then its oid is no mark of that.
      cross join lateral unnest(case when k.kind = 'f' and not k.is_deferrable then array['', ' at once'] else array[''] end) m (mark)
    union all
    select format('the foreign key %I of %s', k.conname, format('%I.%I', n.nspname, c.relname)),
           (select json_agg(mark || m.mark) from unnest(o.marks) mark),
           (select json_agg(f.own_num) from fact f join pg_attribute a on a.attrelid = k.confrelid and a.attname = f.attname
             where a.attnum = any (k.confkey) and f.own_num is not null), false, 'uD'
      from (
        -- Postgres keeps no index of what refers to a table, but there each foreign key has its triggers: in every partition, of a copy.
        select distinct r.oid
          from subject s
          join pg_trigger g on g.tgrelid = any (array(select s.target union select oid from part)) and g.tgisinternal and g.tgconstraint <> 0
          cross join lateral (
            with recursive origin (oid, parent) as (
              select o.oid, o.conparentid from pg_constraint o where o.oid = g.tgconstraint and o.contype = 'f' and o.confrelid = g.tgrelid
              union all
              select o.oid, o.conparentid from origin c join pg_constraint o on o.oid = c.parent
            )
            select o.oid from origin o where o.parent = 0
          ) r
      ) r
      join pg_constraint k on k.oid = r.oid
      join pg_class c on c.oid = k.conrelid
      join pg_namespace n on n.oid = c.relnamespace
      -- Its table is told even if that is this one: on each side it is something else.
      cross join lateral (select o.marks from integratedb._constraints_of(k.conrelid, null) o where o.oid = k.oid offset 0) o
      cross join lateral unnest(case when k.condeferrable then array[''] else array['', ' at once'] end) m (mark)
    union all
    select x.name, x.marks, case w.event when 'update' then (select json_agg(own_num) from fact where own_num is not null and attname = any (w.columns)) end, false,
           case w.event when 'update' then 'u' else 'D' end
      from subject s
      join written_with w on w.action is not null and not (w.target_event = w.event and (w.target = s.target or w.target in (select oid from part)))
     cross join lateral integratedb._refused_with(s.target, w.target, w.target_event, w.changed, w.action, array(select target from written_with)) x
    union all
    -- Who writes a composite value in one piece writes as many attributes as there are.
    select format('the attribute %I of %s', a.attname, format_type(c.reltype, null)),
           json_build_array(concat(c.oid, '.', a.attnum), concat(format_type(c.reltype, null), '.', quote_ident(a.attname))), json_agg(f.own_num), false, 'iu'
      from (select own_num, integratedb._composites_in(type) as composites from fact where own_num is not null and type >= 16384 offset 0) f
      join pg_class c on c.oid = any (f.composites)
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     group by c.oid, c.reltype, a.attnum, a.attname
    union all
    select format('the check constraint %I of domain %s', k.conname, format_type(k.contypid, null)),
           json_build_array(k.oid::text, md5(concat_ws(' ', k.conname, k.conbin::text))), json_agg(f.own_num), false, 'iu'
      from (select own_num, integratedb._domains_in(type) as domains from fact where own_num is not null and type >= 16384 offset 0) f
      join pg_constraint k on k.contypid = any (f.domains) and k.contype = 'c'
     group by k.oid, k.conname, k.contypid
    union all
    select 'the partition bound', json_build_array(md5(pg_get_partition_constraintdef(c.oid))), (select json_agg(own_num) from fact where own_num is not null), false, 'iu'
      from subject s join pg_class c on c.oid = s.target and c.relispartition
    union all
    select concat('the check option', ' of ' || nullif(c.oid, s.oid)::regclass),
           case when c.oid = s.oid then json_build_array(o.option_value) else json_build_array(concat(c.oid, o.option_value), concat(c.oid::regclass, ' ', o.option_value)) end,
           (select json_agg(own_num) from fact where own_num is not null), false,
           -- What is handed over before it gets here is not looked at.
           (select concat(case when bit_or(w.handed_over) & 8 = 0 then 'i' end, case when bit_or(w.handed_over) & 4 = 0 then 'u' end) from way w where w.target = c.oid)
      from subject s join pg_class c on c.oid = any (s.way) and c.relkind = 'v', pg_options_to_table(c.reloptions) o
     where o.option_name = 'check_option'
  ), trigger_in_the_way as (
    select concat(format('the trigger %I', g.tgname), case when p.is_part then ' of ' || format('%I.%I', n.nspname, c.relname) end) as name,
           json_build_array(concat(x.mark, ' ' || nullif(row_number() over (partition by x.mark order by g.oid), 1))) as marks,
           concat(case when g.tgtype & 4 <> 0 and p.is_inserted then 'i' end, case when g.tgtype & 16 <> 0 then 'u' end, case when g.tgtype & 8 <> 0 then 'd' end) as events
      from (select unnest(way) as oid, true as is_inserted, false as is_part from subject union all select oid, is_inserted, true from part) p
      join pg_trigger g on g.tgrelid = p.oid and not g.tgisinternal and g.tgenabled in ('O', 'A')
                       and (not p.is_part or g.tgparentid = 0 and g.tgtype & 1 <> 0) -- for each row, and not the whole's
      join pg_class c on c.oid = p.oid
      join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (select integratedb._trigger_mark(g.oid, p.is_part) as mark) x
    union all
    select format('the rule %I', r.rulename), json_build_array(md5(concat(r.ev_type, r.is_instead, r.ev_action, r.ev_qual)), md5(pg_get_ruledef(r.oid))), translate(r.ev_type::text, '234', 'uid')
      from subject s
      join pg_rewrite r on r.ev_class = any (s.way) and r.ev_type <> '1' and r.ev_enabled in ('O', 'A')
  ), sequence as (
    select distinct d.refobjid as oid
      from (
        select 'pg_attrdef'::regclass as class, f.oid from subject s join pg_attrdef f on f.adrelid = any (s.inserted)
        union all
        select 'pg_type'::regclass, default_of from fact where default_of is not null
      ) f
      join pg_depend d on d.classid = f.class and d.objid = f.oid and d.refclassid = 'pg_class'::regclass
      join pg_class q on q.oid = d.refobjid and q.relkind = 'S'
  )
  select json_strip_nulls(json_build_object(
    'insert', s.events & 8 <> 0 and 0 <> all (coalesce(array_remove(s.filled_by_views, null), '{}')),
    'without_partition', case when t.relkind = 'p' and not exists (select from pg_inherits where inhparent = t.oid) then true end,
    'update', s.events & 4 <> 0 and (s.is_update_handed_over or not exists (select from refused r where r.event = 'update' and r.columns is null)),
    'delete', s.events & 16 <> 0 and (s.is_delete_handed_over or not exists (select from refused r where r.event = 'delete')),
    'columns', coalesce((select json_agg(json_build_object('num', num, 'insert', can_insert, 'update', can_update,
                                                           'update_null', update_null, 'accepts_null', accepts_null, 'fills_itself', fills_itself) order by num)
                           from column_fact), '[]'),
    -- Of the table behind a view: whoever inserts through the view cannot fill them.
    'hidden', (select json_agg(attname order by num) from fact
                where own_num is null and not accepts_null and not fills_itself and is_writable and not s.is_insert_handed_over),
    'constraints', coalesce((select json_agg(json_build_object('name', name, 'marks', marks, 'columns', coalesce(columns, '[]'), 'is_broken', is_broken,
                                                               'events', events) order by name, events, marks::text)
                               from constraint_in_the_way), '[]'),
    'triggers', coalesce((select json_agg(json_build_object('name', name, 'marks', marks, 'events', events) order by name) from trigger_in_the_way), '[]'),
    -- Partitions, too: of one that is dropped or let go Postgres tells no parent.
    'behind', (select json_agg(distinct b.oid::bigint order by b.oid::bigint)
                 from (
                   select f.oid from integratedb._read_through(relation, null) r, integratedb._called_by(r.relation, null, true) f
                   union all
                   select oid from part
                   union all
                   select w.target from written_with w where w.target <> s.target
                   union all
                   -- Whose an index was, nobody tells that drops it.
                   select i.indexrelid
                     from (select s.target as oid union select oid from part union select target from written_with) r
                     join pg_index i on i.indrelid = r.oid and i.indisunique
                    where not exists (select from pg_constraint k where k.conrelid = r.oid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
                   union all
                   -- What is beside a default partition: the fewer there are, the more goes into it.
                   select o.inhrelid
                     from pg_partition_ancestors(s.target) a
                     join pg_inherits i on i.inhrelid = a
                     join pg_partitioned_table p on p.partrelid = i.inhparent and p.partdefid = i.inhrelid
                     join pg_inherits o on o.inhparent = p.partrelid and o.inhrelid <> i.inhrelid
                    where t.relispartition
                 ) b),
    'sequences', coalesce((select json_agg(json_build_object('id', q.oid::bigint, 'schema', n.nspname, 'name', q.relname,
                                                             'grantable', pg_has_role(q.relowner, 'usage') or has_sequence_privilege(q.oid, 'usage with grant option')) order by q.oid)
                             from sequence join pg_class q using (oid) join pg_namespace n on n.oid = q.relnamespace), '[]')))
  from subject s left join pg_class t on t.oid = s.target
); end
$$;

comment on function integratedb._writes(oid) is 'internal: Writes, as JSON';
