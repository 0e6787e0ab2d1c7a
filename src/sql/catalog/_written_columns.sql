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

-- The relation that Postgres writes a view into, by the query that it keeps of the view: the first one that this names beside the view itself.
create or replace function integratedb._written_through(of_view oid, action text)
returns oid
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin return (
  select split_part(p.part, ' ', 1)::oid
    from string_to_table(action, ':rtekind 0 :relid ') with ordinality p (part, place)
   where p.place > 1 and split_part(p.part, ' ', 1) <> of_view::text
   order by p.place limit 1
); end
$$;

comment on function integratedb._written_through(oid, text) is 'internal: pg_class.oid, of a view that is updatable';

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
    target := integratedb._written_through(target, action);
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
