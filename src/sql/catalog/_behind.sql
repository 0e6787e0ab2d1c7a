-- What is behind a relation, and what of it may a role use and see?

create or replace function integratedb._is_security_invoker(options text[])
returns boolean
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce((select option_value::boolean from pg_options_to_table(options) where option_name = 'security_invoker'), false)
$$;

comment on function integratedb._is_security_invoker(text[]) is 'internal: of pg_class.reloptions';

-- A view reads others, as its owner or (security_invoker) as whoever reads it.
-- One row for each relation that a query over this one touches, with the role whose rights and row level security count
-- there; first the relation itself. A view within a view: Postgres asks the inner one's owner, or again the reader.
create or replace function integratedb._read_through(of_relation oid, reader oid)
returns table (relation oid, checked_as oid)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3 -- or the planner, that takes a thousand for granted, begins at the other end and reads whole catalogues
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  with recursive walk (relation, checked_as) as (
    select $1, $2
    union
    select b.oid, case when v.reloptions is not null and integratedb._is_security_invoker(v.reloptions) then $2 else v.relowner end
      from walk w
      join pg_class v on v.oid = w.relation and v.relkind = 'v'
      join pg_rewrite r on r.ev_class = v.oid and r.ev_type = '1'
      cross join lateral ( -- a row for each column that the view mentions
        select distinct d.refobjid as oid from pg_depend d
         where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
      ) d
      join pg_class b on b.oid = d.oid and b.relkind in ('r', 'p', 'v', 'm', 'f')
  )
  select w.relation, w.checked_as from walk w;
end
$$;

comment on function integratedb._read_through(oid, oid) is 'internal: relation and checked_as, for the relation itself and whatever views read behind it';

-- Functions that run with the rights of whoever reads the relation (a view's), or writes it (defaults and checks).
-- Postgres's own are left out: nobody depends on them by name, and pg_depend does not know them.
create or replace function integratedb._functions_in(relation oid, is_written boolean)
returns table (oid oid, is_of_insert boolean)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 1 -- or the planner, that takes a thousand for granted, begins at the other end and reads whole catalogues
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  select coalesce(o.oprcode::oid, d.refobjid), bool_and(x.is_of_insert)
    from (
      select 'pg_rewrite'::regclass as class, r.oid, false as is_of_insert from pg_rewrite r
       where r.ev_class = relation and r.ev_type = '1' and exists (select from pg_class c where c.oid = relation and c.relkind = 'v')
      union all
      select 'pg_attrdef'::regclass, f.oid, a.attgenerated = '' from pg_attrdef f join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
       where is_written and f.adrelid = relation
      union all
      select 'pg_constraint'::regclass, k.oid, false from pg_constraint k where is_written and k.conrelid = relation and k.contype = 'c'
    ) x
    join pg_depend d on d.classid = x.class and d.objid = x.oid and d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
    left join pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
   group by 1;
end
$$;

comment on function integratedb._functions_in(oid, boolean) is 'internal: oids of functions, those behind operators too; is_of_insert: only a default calls it';

-- Whatever can change what a view is to its readers, beside itself.
create or replace function integratedb._behind(relation oid)
returns bigint[]
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return (
  select array_agg(distinct x.oid::bigint order by x.oid::bigint)
    from (
      select r.relation from integratedb._read_through($1, null) r where r.relation <> $1
      union
      select f.oid from integratedb._read_through($1, null) r, integratedb._functions_in(r.relation, false) f
    ) x (oid)
); end
$$;

comment on function integratedb._behind(oid) is 'internal: oids of relations and functions; null if there is nothing behind it';

-- Partitions and other children: what is done to the parent is done to them.
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
