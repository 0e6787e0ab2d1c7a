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
