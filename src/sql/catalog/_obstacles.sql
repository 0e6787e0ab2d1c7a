-- Would this role have the privilege on the column (null: on any) without what was granted to it by name?
create or replace function integratedb._has_otherwise(role oid, relation oid, num smallint, privilege text)
returns boolean
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin return (
  select pg_has_role($1, c.relowner, 'usage')
      or pg_has_role($1, case privilege when 'select' then 'pg_read_all_data' else 'pg_write_all_data' end, 'usage')
      or exists (
        select from (
          select c.relacl as acl
          union all
          select a.attacl from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and (a.attnum = $3 or $3 is null)
        ) l
        cross join aclexplode(l.acl) x
        where x.privilege_type = upper(privilege) and x.grantee <> $1
          and case when x.grantee = 0 then true else pg_has_role($1, x.grantee, 'usage') end)
    from pg_class c
   where c.oid = $2
); end
$$;

comment on function integratedb._has_otherwise(oid, oid, smallint, text) is 'internal: by ownership, PUBLIC or a role that it is a member of';

-- Does it hold what its claims give it? Then these may be about to change that.
create or replace function integratedb._is_stakeholder(role oid)
returns boolean
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from integratedb.stakeholder s where s.name = pg_get_userbyid(role)::text);
end
$$;

comment on function integratedb._is_stakeholder(oid) is 'internal: is the role one of a stakeholder?';

-- Why can this role not use the relation, although it holds the privileges? (IDB404; IDB401 for what a writer runs.)
create or replace function integratedb._obstacles(relation oid, role oid, is_written boolean)
returns json
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
declare
  is_view constant boolean := (select c.relkind = 'v' from pg_class c where c.oid = $1);
  is_filtered constant boolean := exists (select from integratedb._read_through($1, $2) w join pg_class c on c.oid = w.relation and c.relrowsecurity);
begin
  if not is_view and not is_filtered and not exists (select from integratedb._called_by($1, $2, is_written)) then
    return null; -- as most tables: nothing is behind them, and nothing is called
  end if;
  return (
  with command as materialized (
    select * from (values ('select', 'r'::"char"), ('insert', 'a'), ('update', 'w'), ('delete', 'd')) c (privilege, command) where is_written or privilege = 'select'
  ), walk_of as materialized (
    select c.privilege, w.* from command c cross join lateral integratedb._read_through($1, $2, c.command) w where c.command = 'r' or is_view or is_filtered
  ), walk as materialized (
    select distinct w.relation, w.checked_as from walk_of w
  ), way as materialized (
    select * from integratedb._written_columns(case when is_written then $1 end)
  ), asked as (
    select b.checked_as, q.relation, q.privilege, q.num, w.privilege as of_access, format(
             case when i.is_invoker then '%s, which reads it through the view %I.%I,' else '%s, the owner of the view %I.%I,' end,
             quote_ident(pg_get_userbyid(b.checked_as)), vn.nspname, v.relname) as who, null as reason -- check_claims() asks for nobody
      from walk_of w
      join pg_class v on v.oid = w.relation and v.relkind = 'v'
      join pg_namespace vn on vn.oid = v.relnamespace
      cross join lateral integratedb._asked_by_view(v.oid, w.command, w.is_checked) q
      cross join lateral (select v.reloptions is not null and integratedb._is_security_invoker(v.reloptions) as is_invoker) i
      cross join lateral (select case when i.is_invoker then $2 else v.relowner end as checked_as) b
     where q.privilege is not null
    union
    select w.checked_as, y.oid, y.privilege, y.num, w.privilege, quote_ident(pg_get_userbyid(w.checked_as)), format(', as a policy of %s does', w.relation::regclass)
      from walk_of w
      cross join lateral integratedb._asked_by_policies(w.relation, w.checked_as, w.command) y
     where is_filtered and not y.is_moot and not w.is_recursive
       and (w.command = 'r' or w.relation in (select target from way))
  ), obstacle as (
    -- What a stakeholder needs behind a view, this one or (own_by) who owns it, a claim on that relation may be about to grant or to take away:
    -- own_relation, own_column; is_granted: it has it now, and from nothing but a grant of its own. (Sequences and system columns cannot be claimed.)
    select 'IDB404' as code, q.privilege as expected, q.of_access, null::smallint as of_column, case when o.is_own then c.oid::bigint end as own_relation,
           a.attnum as own_column, case when o.is_own and q.checked_as is distinct from $2 then pg_get_userbyid(q.checked_as)::text end as own_by, h.may as is_granted,
           concat(q.who, ' may not ', case q.privilege when 'select' then 'read' else q.privilege end, ' ', format('%I.%I', n.nspname, c.relname), '.' || quote_ident(a.attname),
                  case when q.privilege <> 'select' then ', whose rows it locks' end, q.reason) as message,
           case when not o.is_own then format('GRANT %s%s ON TABLE %I.%I TO %I', upper(q.privilege), case when c.relkind <> 'S' then ' (' || quote_ident(a.attname) || ')' end,
             n.nspname, c.relname, pg_get_userbyid(q.checked_as)) end as remedy
      from asked q
      join pg_class c on c.oid = q.relation
      join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and (a.attnum = q.num or q.num = 0 and a.attnum > 0 and not a.attisdropped)
      cross join lateral (
        select integratedb._is_stakeholder(q.checked_as) and c.relkind <> 'S' and coalesce(a.attnum > 0, true) as is_own
      ) o
      cross join lateral (
        select case when a.attnum is null
          then has_any_column_privilege(q.checked_as, c.oid, q.privilege)
          else has_column_privilege(q.checked_as, c.oid, a.attnum, q.privilege) end as may
      ) h
     where not h.may or (o.is_own and not integratedb._has_otherwise(q.checked_as, c.oid, a.attnum, q.privilege))
    union
    select 'IDB404', p.privilege, null, case when a.attnum is not null then t.num end, case when o.is_own then c.oid::bigint end, a.attnum,
        case when o.is_own and w.checked_as is distinct from $2 then pg_get_userbyid(w.checked_as)::text end, h.may, format('%s, who writes it through the view, may not %s %s', quote_ident(pg_get_userbyid(w.checked_as)), p.privilege,
        format('%I.%I', n.nspname, c.relname) || coalesce('.' || quote_ident(a.attname), '')),
        case when not o.is_own then format('GRANT %s%s ON TABLE %I.%I TO %I', upper(p.privilege), ' (' || quote_ident(a.attname) || ')',
          n.nspname, c.relname, pg_get_userbyid(w.checked_as)) end
      from way t
      join walk_of w on w.relation = t.target and w.relation <> $1 and w.command <> 'r'
      join pg_class c on c.oid = t.target
      join pg_namespace n on n.oid = c.relnamespace
      join (values ('insert', 8), ('update', 4), ('delete', 16)) p (privilege, bit) on p.privilege = w.privilege and t.handed_over & p.bit = 0
      left join pg_attribute a on p.privilege <> 'delete' and a.attrelid = t.target and a.attnum = t.target_num
      cross join lateral (select integratedb._is_stakeholder(w.checked_as) as is_own) o
      cross join lateral (
        select case when a.attnum is null then has_table_privilege(w.checked_as, c.oid, p.privilege)
               else has_column_privilege(w.checked_as, c.oid, a.attnum, p.privilege) end as may
      ) h
     where case when p.privilege = 'delete' then t.target is not null else t.target_num is not null
             -- Else nobody can write it where it leads to.
             and not exists (
               select from way l left join pg_attribute e on e.attrelid = l.target and e.attnum = l.target_num
                where l.num = t.num and l.is_last and l.handed_over & p.bit = 0 and (e.attnum is null or e.attgenerated <> '' or e.attidentity = 'a')) end
       and (not h.may or (o.is_own and not integratedb._has_otherwise(w.checked_as, c.oid, a.attnum, p.privilege)))
    union
    select 'IDB104', 'select', w.privilege, null, null, null, null, false,
           format('the materialized view %s, which %s, holds no data (WITH NO DATA) and cannot be read', w.relation::regclass,
             case when w.is_of_policy then 'a policy reads' else 'is read to write' end),
           format('REFRESH MATERIALIZED VIEW %s', w.relation::regclass)
      from walk_of w
      join pg_class m on m.oid = w.relation and m.relkind = 'm' and not m.relispopulated
     where w.is_of_policy or w.privilege <> 'select' -- of reading, Relation.unpopulated tells
    union
    select 'IDB404', 'select', w.privilege, null, null, null, null, false, format('a policy of %s leads to %1$s again: infinite recursion', w.relation::regclass), null
      from walk_of w where w.is_recursive
    union
    select case when c.relkind = 'v' and f.of_access is null then 'IDB404' else 'IDB401' end, split_part(f.privilege, ',', 1), x.of_access, null, null, null, null, false,
           case when f.privilege = 'execute' then format('%I may not execute %s, which %s calls', pg_get_userbyid($2), f.oid::regprocedure, format('%I.%I', n.nspname, c.relname))
             else format('%I may not use the sequence %s, which %s calls', pg_get_userbyid($2), f.oid::regclass, format('%I.%I', n.nspname, c.relname)) end,
           case when f.privilege = 'execute' then format('GRANT EXECUTE ON ROUTINE %s TO %I', (pg_identify_object('pg_proc'::regclass, f.oid, 0)).identity, pg_get_userbyid($2))
             else format('GRANT %s ON SEQUENCE %s TO %I', upper(split_part(f.privilege, ',', 1)), f.oid::regclass, pg_get_userbyid($2)) end
      from walk w
      join pg_class c on c.oid = w.relation
      join pg_namespace n on n.oid = c.relnamespace
      cross join lateral integratedb._called_by(w.relation, w.checked_as, w.relation in (select target from way)) f
      cross join lateral (
        select unnest(case when f.of_access <> 'select' then array[f.of_access] when f.of_access is not null then null
                           when f.is_of_insert then array['insert'] when c.relkind = 'v' then array['execute'] else array['insert', 'update'] end)
        union all
        -- It may be read to be written.
        select o.privilege from walk_of o where f.of_access = 'select' and o.relation = w.relation and o.checked_as is not distinct from w.checked_as and o.command = 'r'
      ) x (of_access)
     -- (What its columns' defaults use, a claim grants.)
     where (f.privilege = 'execute' or not exists (
              select from way t join pg_attrdef e on e.adrelid = t.target
                join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = e.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = f.oid))
       and not case when f.privilege = 'execute' then has_function_privilege($2, f.oid, 'execute') else has_sequence_privilege($2, f.oid, f.privilege) end
  )
  select json_agg(json_build_object('code', code, 'expected', expected, 'message', message, 'of_access', of_access, 'of_column', of_column,
                                     'own_relation', own_relation, 'own_column', own_column, 'own_by', own_by, 'is_granted', nullif(is_granted, false), 'remedy', remedy) order by code, message) from obstacle
); end
$$;

comment on function integratedb._obstacles(oid, oid, boolean) is 'internal: {code, expected, message, of_access, of_column, own_relation, own_column, own_by, is_granted, remedy (SQL, for audit_access; of what a stakeholder itself lacks, a claim is)}[]; null if there are none';

-- Which rows does row level security leave to this role? One entry for each relation that it may hide rows of, each view as whose owner that is
-- touched, and what is done there, with the policies that apply; a policy that shows all, alone, hides nothing.
create or replace function integratedb._row_filters(relation oid, role oid, command "char")
returns json
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
begin
  if not exists (select from integratedb._read_through($1, null) w join pg_class c on c.oid = w.relation and c.relrowsecurity) then
    return null; -- as nearly everywhere
  end if;
  return (
  with filtered as (
    select distinct on (c.oid, w.of_view, w.command) c.oid, format('%I.%I', n.nspname, c.relname) as path, w.checked_as, w.of_view, w.command, nullif(w.command, $3) as other_command
      from integratedb._read_through($1, $2, command) w
      join pg_class c on c.oid = w.relation and c.relrowsecurity
      join pg_namespace n on n.oid = c.relnamespace
     where integratedb._is_filtered(c.oid, w.checked_as)
  )
  select json_agg(json_build_object(
           'marks', json_build_array(concat_ws(' ', f.oid, f.other_command, f.of_view), concat_ws(' ', f.path, f.other_command, f.of_view::regclass)),
           'path', f.path,
           'permissive', p.permissive,
           'restrictive', p.restrictive
         ) order by f.path, f.command, f.of_view)
    from filtered f
   cross join lateral (
     select coalesce(json_agg(marks order by marks::text) filter (where is_permissive), '[]') as permissive,
            coalesce(json_agg(marks order by marks::text) filter (where not is_permissive), '[]') as restrictive,
            coalesce(bool_or(is_permissive and is_all), false) and not coalesce(bool_or(not is_permissive), false) as shows_all
       from integratedb._policies_for(f.oid, f.checked_as, f.command)
   ) p
   where not p.shows_all
); end
$$;

comment on function integratedb._row_filters(oid, oid, "char") is 'internal: RowFilter[] for a command (r, a, w, d: as pg_policy.polcmd); null if nothing is hidden';
