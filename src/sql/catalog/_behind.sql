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

-- Which policies of a relation apply to a role and a command (r, a, w, d: as pg_policy.polcmd)? Null: all that it has. What is read is
-- filtered by USING, what is inserted by WITH CHECK (or else USING), what is updated by both. A permissive one that shows no row, a
-- restrictive one that shows all, or that no permissive one stands beside, is as good as none. is_moot: a permissive one beside one that
-- shows all. Marks: the expression as Postgres keeps it (renaming leaves it) and as it writes it out (writing it anew the same leaves that).
create or replace function integratedb._policies_for(relation oid, role oid, command "char")
returns table (oid oid, is_permissive boolean, is_all boolean, is_moot boolean, marks json)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
begin
  if not exists (select from pg_class c where c.oid = relation and c.relrowsecurity) or (role is not null and not integratedb._is_filtered(relation, role)) then
    return; -- as nearly everywhere
  end if;
  return query
  select y.oid, y.is_permissive, y.is_all, y.is_moot, json_build_array(md5(y.kept), md5(y.shown))
    from (
      select p.oid, p.polpermissive as is_permissive, e.*,
             role is not null and p.polpermissive and bool_or(p.polpermissive and e.is_all) over () as is_moot, bool_or(p.polpermissive) over () as is_any_permissive
        from pg_class c
        join pg_policy p on p.polrelid = c.oid
        cross join lateral (
          select pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(coalesce(p.polwithcheck, p.polqual), p.polrelid) as checking
        ) x
        cross join lateral (
          select case when command = 'a' then true else coalesce(x.using, 'true') = 'true' end
                   and case when command in ('a', 'w') then coalesce(x.checking, 'true') = 'true' else true end as is_all,
                 case when command = 'a' then x.checking else x.using end is not distinct from 'false' as is_none,
                 concat_ws(' ', case when command <> 'a' then p.polqual::text end, '|', case when command in ('a', 'w') then coalesce(p.polwithcheck, p.polqual)::text end) as kept,
                 concat_ws(' ', case when command <> 'a' then x.using end, '|', case when command in ('a', 'w') then x.checking end) as shown
        ) e
       where c.oid = relation
         and (role is null or p.polcmd in ('*', command) and exists (select from unnest(p.polroles) r (oid) where r.oid = 0 or pg_has_role(role, r.oid, 'usage')))
    ) y
   where role is null or case when y.is_permissive then not y.is_none else y.is_any_permissive and not y.is_all end;
end
$$;

comment on function integratedb._policies_for(oid, oid, "char") is 'internal: that row level security applies, with Marks; none where it does not apply';

-- Does row level security hide rows of the relation from this role, unless a policy shows them?
create or replace function integratedb._is_filtered(relation oid, role oid)
returns boolean
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin return exists (
  select from pg_class c join pg_roles r on r.oid = role
   where c.oid = relation and c.relrowsecurity and not r.rolsuper and not r.rolbypassrls
     and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage'))
); end
$$;

comment on function integratedb._is_filtered(oid, oid) is 'internal: not superusers, who bypasses it, nor owners';

-- What does a stored query, of a view or of a policy, ask of which relations? Postgres keeps that with it, and checks just that: a privilege on a
-- column (0: on all of them, of which a whole row is made; null: on any). What the query only names is not in it: a row type, 'b'::regclass. PostgreSQL 15
-- keeps it with each relation of the query and 16 in a list, both in these words, and names that stand among them have no space in them.
create or replace function integratedb._asked_by(query text)
returns table (relation oid, privilege text, num smallint)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
immutable
rows 3
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  select distinct split_part(p.part, ' ', 1)::oid, a.privilege, c.num
    from string_to_table(query, ':relid ') p (part) -- regular expressions took ten times as long
    join (values ('select', '2'), ('select', '6'), ('update', '6')) a (privilege, mask) -- FOR UPDATE and FOR SHARE ask for both
      on a.mask = split_part(split_part(p.part, ':requiredPerms ', 2), ' ', 1)
    left join lateral (
      select (b::integer - 7)::smallint -- system columns come first
        from string_to_table(nullif(ltrim(split_part(split_part(p.part, ':selectedCols (b', 2), ')', 1)), ''), ' ') b
    ) c (num) on a.privilege = 'select';
end
$$;

comment on function integratedb._asked_by(text) is 'internal: of pg_rewrite.ev_action or pg_policy.polqual; select or update (of rows that are locked), and pg_attribute.attnum';

-- What do the policies that apply read (_asked_by)?
create or replace function integratedb._asked_by_policies(relation oid, role oid, command "char")
returns table (oid oid, privilege text, num smallint, is_moot boolean)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 1
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from pg_class c where c.oid = relation and c.relrowsecurity) then
    return; -- as nearly everywhere
  end if;
  return query
  select distinct r.*, p.is_moot
    from integratedb._policies_for(relation, role, command) p
    join pg_policy e on e.oid = p.oid
    cross join lateral integratedb._asked_by(concat(
      case when role is null or command <> 'a' or e.polwithcheck is null then e.polqual end,
      case when role is null or command in ('a', 'w') then e.polwithcheck end)) r;
end
$$;

comment on function integratedb._asked_by_policies(oid, oid, "char") is 'internal: oids of relations, and what is asked of them';

-- What does a view ask of what is behind it, if it is read (r), or if something is written through it (a, w, d)? What it is written into is only written,
-- which its own row tells (privilege null), unless a subquery reads it too; the rest is read, by updates and deletes to find their rows, and by inserts only to
-- check them (is_checked: an option of a view above). A trigger is handed rows that are read, and so may be a rule, which leads wherever it likes.
create or replace function integratedb._asked_by_view(of_view oid, of_command "char", is_checked boolean)
returns table (relation oid, command "char", privilege text, num smallint)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  action constant text := (select r.ev_action::text from pg_rewrite r where r.ev_class = of_view and r.ev_type = '1');
  bit constant integer := case of_command when 'a' then 8 when 'w' then 4 when 'd' then 16 else 0 end;
  handed_over integer;
  target oid;
begin
  if bit = 0 then
    return query select q.relation, of_command, q.privilege, q.num from integratedb._asked_by(action) q;
    return;
  end if;
  handed_over := integratedb._handed_over(of_view);
  if handed_over & bit <> 0 then
    return query
    select q.relation, 'r'::"char", q.privilege, q.num from integratedb._asked_by(action) q where of_command <> 'a'
    union all
    select distinct q.relation, of_command, null, null::smallint
      from integratedb._asked_by(action) q
     where exists (select from pg_rewrite r where r.ev_class = of_view and r.is_instead and r.ev_type = case of_command when 'w' then '2' when 'a' then '3' else '4' end);
    return;
  end if;
  if (handed_over >> 8) & bit <> 0 or integratedb._writable(of_view) & bit = 0 then
    return; -- nothing is
  end if;
  target := integratedb._written_through(of_view, action);
  return query select target, of_command, null::text, null::smallint;
  if of_command <> 'a' or is_checked or exists (select from pg_class c where c.oid = of_view and c.reloptions::text like '%check_option=%') then
    return query
    select q.relation, 'r'::"char", q.privilege, q.num
      from integratedb._asked_by(action) q
     where q.relation <> target
        or 1 < (select count(*) from string_to_table(action, ':relid ') p (part)
                 where split_part(p.part, ' ', 1) = target::text and split_part(split_part(p.part, ':requiredPerms ', 2), ' ', 1) in ('2', '6'));
  end if;
end
$$;

comment on function integratedb._asked_by_view(oid, "char", boolean) is 'internal: as _asked_by, with the command (r, a, w, d) that comes to each relation';

-- A view reads others, as its owner or (security_invoker) as whoever reads it. So does a policy, as the role that it applies to.
-- One row for each relation that a query over this one touches, with the role whose rights and row level security count
-- there, and the command whose policies do. A view within a view: Postgres asks the inner one's owner, or
-- again the reader. of_view: the one whose owner that is (null: the reader itself). is_checked: _asked_by_view. is_of_policy: a policy reads it, or what it reads. is_recursive: a policy comes back to its own relation, which is an error, also where it is moot.
create or replace function integratedb._read_through(of_relation oid, reader oid, of_command "char" default 'r')
returns table (relation oid, checked_as oid, of_view oid, command "char", is_checked boolean, is_of_policy boolean, is_recursive boolean)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3 -- or the planner, that takes a thousand for granted, begins at the other end and reads whole catalogues
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  with recursive walk (relation, checked_as, of_view, command, is_checked, within, is_moot, is_recursive) as (
    select $1, $2, null::oid, $3, false, array[]::oid[], false, false
    union
    select x.oid, x.checked_as, x.of_view, x.command, x.is_checked, x.within, x.is_moot,
           -- Postgres follows a relation's policies again only if one of those has a query in it.
           x.oid = any (x.within) and (x.checked_as is null or exists (
             select from integratedb._policies_for(x.oid, x.checked_as, 'r') p join pg_policy e on e.oid = p.oid where e.polqual::text like '%{SUBLINK%'))
      from walk w
      join pg_class v on v.oid = w.relation and (v.relkind = 'v' or v.relrowsecurity)
      cross join lateral (
        select q.relation as oid, i.checked_as, i.of_view, q.command,
               q.command <> 'r' and (w.is_checked or coalesce(v.reloptions @> '{check_option=cascaded}', false)) as is_checked, w.within, w.is_moot
          from (
            select case when y.is_invoker then $2 else v.relowner end as checked_as, case when not y.is_invoker then v.oid end as of_view
              from (select v.reloptions is not null and integratedb._is_security_invoker(v.reloptions) as is_invoker) y
          ) i
          cross join lateral (select distinct a.relation, a.command from integratedb._asked_by_view(v.oid, w.command, w.is_checked) a) q
         where v.relkind = 'v'
        union all
        -- (The way does not grow without end, or the walk would not end.)
        select y.oid, w.checked_as, w.of_view, 'r', false, case when v.oid = any (w.within) then w.within else w.within || v.oid end, w.is_moot or y.is_moot
          from integratedb._asked_by_policies(v.oid, w.checked_as, w.command) y
         where v.relrowsecurity
      ) x
     where not w.is_recursive
  )
  select distinct w.relation, w.checked_as, w.of_view, w.command, w.is_checked, w.within <> '{}', w.is_recursive
    from walk w where not w.is_moot or w.is_recursive or $2 is null;
end
$$;

comment on function integratedb._read_through(oid, oid, "char") is
  'internal: for the relation itself and whatever views and policies read or write behind it';

-- Functions that run with the rights of whoever reads the relation (a view's, those of policies that apply to "reader"; null: to
-- anybody) or writes it: defaults, checks, indexes, partition keys, domains, conditions of triggers, rules. Of domains that any of these cast to,
-- those of their constraints, and of functions that any of these call those of their arguments' defaults, which are put in where they are called. Postgres's
-- own are left out: nobody depends on them by name, and pg_depend does not know them. So are those that only aggregates, or what a rule
-- writes to in turn, call. With sequences that nextval() and the like are called with: of those that defaults name, who writes is granted the use.
create or replace function integratedb._called_by(relation oid, reader oid, is_written boolean)
returns table (oid oid, privilege text, of_access text, is_of_insert boolean)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 1 -- or the planner, that takes a thousand for granted, begins at the other end and reads whole catalogues
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  with recursive part as materialized (
    select c.oid, c.relkind, c.relhasindex, c.relhastriggers, c.relhasrules, c.relispartition, c.relrowsecurity, true as is_own, null as of_access
      from pg_class c where c.oid = relation
    union all
    -- What is inserted goes into partitions, what is updated may be in any table that inherits.
    select p.oid, p.relkind, p.relhasindex, p.relhastriggers, false, false, false, false, case when not p.relispartition then 'update' end
      from pg_class c
      cross join unnest(integratedb._with_descendants(array[c.oid::bigint])) d
      join pg_class p on p.oid = d::oid
     where is_written and c.oid = relation and c.relhassubclass and d <> c.oid::bigint
  ), caller as (
    select 'pg_rewrite'::regclass as class, r.oid, null as of_access, false as is_of_insert, array[]::oid[] as calls_not
      from part p join pg_rewrite r on r.ev_class = p.oid and r.ev_type = '1'
     where p.is_own and p.relkind = 'v'
    union all
    select 'pg_attrdef'::regclass, f.oid, p.of_access, a.attgenerated = '', '{}'
      from part p
      join pg_attrdef f on f.adrelid = p.oid
      join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum and (p.is_own or a.attgenerated <> '')
     where is_written
    union all
    select 'pg_constraint'::regclass, k.oid, p.of_access, false, '{}'
      from part p join pg_constraint k on k.conrelid = p.oid and k.contype = 'c'
     where is_written
    union all
    select 'pg_class'::regclass, i.indexrelid, p.of_access, false, '{}'
      from part p join pg_index i on i.indrelid = p.oid and (i.indexprs is not null or i.indpred is not null) and i.indisready
     where is_written and p.relhasindex
    union all
    select 'pg_class'::regclass, k.oid, null, false, '{}' -- what a partition holds is checked by the keys above it
      from part p cross join lateral (select p.oid where p.relkind = 'p' union select a from pg_partition_ancestors(p.oid) a where p.relispartition) k (oid)
     where is_written
    union all
    select 'pg_trigger'::regclass, o.oid, e.privilege, false, array[g.tgfoid] -- a trigger may call that whoever writes
      from part p
      join pg_trigger g on g.tgrelid = p.oid and g.tgqual is not null and not g.tgisinternal and g.tgenabled in ('O', 'A') and (p.is_own or g.tgtype & 1 <> 0)
      join (values ('insert', 4), ('update', 16), ('delete', 8)) e (privilege, bit) on g.tgtype & e.bit <> 0 and (p.of_access is null or e.privilege <> 'insert')
      cross join lateral (
        -- What the condition of a partition's trigger calls, Postgres keeps with the one that it was cloned from.
        with recursive origin (oid, parent) as (
          select g.oid, g.tgparentid
          union all
          select t.oid, t.tgparentid from origin o join pg_trigger t on t.oid = o.parent
        )
        select o.oid from origin o
      ) o
     where is_written and p.relhastriggers
    union all
    select 'pg_rewrite'::regclass, r.oid, case r.ev_type when '2' then 'update' when '3' then 'insert' else 'delete' end, false, '{}'
      from part p join pg_rewrite r on r.ev_class = p.oid and r.ev_type <> '1' and r.ev_enabled in ('O', 'A')
     where is_written and p.relhasrules
    union all
    select t.class, t.oid, null, t.class = 'pg_type'::regclass, t.calls_not
      from part p
      join pg_attribute a on a.attrelid = p.oid and a.attnum > 0 and a.atttypid >= 16384 and not a.attisdropped
      cross join lateral (
        select 'pg_constraint'::regclass as class, k.oid, '{}' as calls_not
          from pg_constraint k where k.contypid = any (integratedb._domains_in(a.atttypid))
        union all
        -- Its functions for reading and writing values are part of the type.
        select 'pg_type'::regclass, d.oid, array[d.typinput, d.typoutput, d.typreceive, d.typsend, d.typmodin, d.typmodout, d.typanalyze]::oid[]
          from pg_type d where d.oid = a.atttypid and d.typtype = 'd' and d.typdefaultbin is not null and not a.atthasdef
      ) t
     where is_written and p.is_own and p.relkind <> 'v'
    union all
    select 'pg_policy'::regclass, y.oid, e.privilege, false, '{}'
      from part p
      join (values ('select', 'r'::"char"), ('insert', 'a'), ('update', 'w'), ('delete', 'd')) e (privilege, command) on is_written or e.privilege = 'select'
      cross join lateral integratedb._policies_for(p.oid, reader, e.command) y
     where p.relrowsecurity and not y.is_moot
  ), called (class, oid, of_access, is_of_insert, calls_not) as (
    (select * from caller
     union all
     -- Where something casts to a domain, its constraints are checked.
     select 'pg_constraint'::regclass, k.oid, x.of_access, false, '{}'
       from caller x
       join pg_depend d on d.classid = x.class and d.objid = x.oid and d.refclassid = 'pg_type'::regclass
       join pg_constraint k on k.contypid = any (integratedb._domains_in(d.refobjid)))
    union
    select 'pg_proc'::regclass, p.oid, x.of_access, x.is_of_insert, '{}'
      from called x
      join pg_depend d on d.classid = x.class and d.objid = x.oid and d.refclassid = 'pg_proc'::regclass and d.refobjid <> all (x.calls_not)
      join pg_proc p on p.oid = d.refobjid and p.proargdefaults is not null
  )
  select coalesce(o.oprcode::oid, d.refobjid), n.privilege, x.of_access, bool_and(x.is_of_insert)
    from called x
    join pg_depend d on d.classid = x.class and d.objid = x.oid and d.refobjid <> all (x.calls_not)
                    and (d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
                      or d.refclassid = 'pg_class'::regclass and d.refobjsubid = 0 and d.deptype = 'n' and x.class not in ('pg_attrdef'::regclass, 'pg_type'::regclass))
    left join pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
    cross join lateral (
      -- Of a function, what its body calls is kept with its defaults.
      select 'execute' as privilege
       where d.refclassid <> 'pg_class'::regclass
         and case when x.class = 'pg_proc'::regclass
               then (select p.proargdefaults::text from pg_proc p where p.oid = x.oid) like format('%%funcid %s %%', coalesce(o.oprcode::oid, d.refobjid)) else true end
      union all
      select f.privilege
        from pg_class q
        join (values ('nextval(regclass)'::regprocedure, 'usage, update'), ('currval(regclass)', 'usage, select'),
                     ('setval(regclass, bigint)', 'update'), ('setval(regclass, bigint, boolean)', 'update')) f (function, privilege)
          on case x.class
            when 'pg_rewrite'::regclass then (select concat(r.ev_action::text, r.ev_qual::text) from pg_rewrite r where r.oid = x.oid)
            when 'pg_policy'::regclass then (select concat(y.polqual::text, y.polwithcheck::text) from pg_policy y where y.oid = x.oid)
            when 'pg_trigger'::regclass then (select g.tgqual::text from pg_trigger g where g.oid = x.oid)
            when 'pg_constraint'::regclass then (select k.conbin::text from pg_constraint k where k.oid = x.oid)
            when 'pg_proc'::regclass then (select p.proargdefaults::text from pg_proc p where p.oid = x.oid)
          end like format('%%:funcid %s %%', f.function::oid)
       where d.refclassid = 'pg_class'::regclass and q.oid = d.refobjid and q.relkind = 'S'
    ) n
   group by 1, 2, 3;
end
$$;

comment on function integratedb._called_by(oid, oid, boolean) is
  'internal: oids of functions, those behind operators too, and of sequences; privilege: execute, or any of those on the sequence; of_access: what calls them (null: whoever reads a view, or inserts or updates); is_of_insert: only a default calls it';

-- Whoever writes a value has its domains' constraints checked: those of the type itself, of what is in an array, a row or a range of it.
create or replace function integratedb._domains_in(type oid)
returns oid[]
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select array_agg(t.oid) from integratedb._types_in(type, true) t where t.kind = 'd');
end
$$;

comment on function integratedb._domains_in(oid) is 'internal: pg_type.oid of domains; null if there are none';

-- Whatever can change what a view, or a table with row level security, is to its readers, beside itself.
create or replace function integratedb._behind(relation oid)
returns bigint[]
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return (
  with walk as materialized (
    select distinct r.relation from integratedb._read_through($1, null) r
  )
  select array_agg(x.oid::bigint order by x.oid::bigint)
    from (
      select w.relation from walk w where w.relation <> $1
      union
      select f.oid from walk w, integratedb._called_by(w.relation, null, false) f
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
      join pg_class c on c.oid = i.inhrelid and c.relpersistence <> 't' -- those are their session's alone
  )
  select array_agg(relation::bigint) from family
$$;

comment on function integratedb._with_descendants(bigint[]) is 'internal: relations and all that inherit from them';

-- What they are partitions of, or inherit from, all the way up.
create or replace function integratedb._ancestors(relations bigint[])
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive ancestor (oid) as (
    select i.inhparent from unnest(relations) r join pg_inherits i on i.inhrelid = r::oid
    union
    select i.inhparent from ancestor a join pg_inherits i on i.inhrelid = a.oid
  )
  select coalesce(array_agg(a.oid::bigint), '{}') from ancestor a
$$;

comment on function integratedb._ancestors(bigint[]) is 'internal: oids of relations, without these themselves';
