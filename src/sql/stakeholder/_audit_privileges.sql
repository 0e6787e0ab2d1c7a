-- Which privileges does a stakeholder hold, itself or as PUBLIC, that neither its claims nor its own schema explain?
-- One row for each object, grantee and grantor. stakeholder null: whoever it is, PUBLIC can.
create or replace function integratedb._audit_privileges(name text)
returns table (stakeholder text, object text, privilege text, source text, finding text, fix text)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  with identity as materialized (
    select i.*, n.oid as own_schema
      from integratedb._identities($1) i
      left join integratedb._identities($1) own on own.stakeholder = i.stakeholder and not own.is_login
      left join pg_namespace n on n.nspname = i.stakeholder::name and n.nspowner = own.role
  ), held as materialized (
    select h.* from integratedb._held_privileges(array(select i.role from identity i)) h
  ), given as materialized (
    -- What claims gave, on what it is about.
    select k.stakeholder, k.relid::oid as relation, a.attnum::integer as num, upper(p.privilege) as privilege
      from integratedb.claim k
      cross join lateral jsonb_to_recordset(k.fields) f (name name)
      join pg_attribute a on a.attrelid = k.relid::oid and a.attname = f.name and a.attnum > 0
      cross join unnest(k.access) p (privilege)
     where k.stakeholder in (select i.stakeholder from identity i) and k.relid::oid in (select h.object from held h)
    union
    select k.stakeholder, k.relid::oid, 0, 'DELETE'
      from integratedb.claim k
     where 'delete' = any (k.access) and k.stakeholder in (select i.stakeholder from identity i)
    union
    select k.stakeholder, q.sequence::oid, 0, 'USAGE'
      from integratedb.claim k cross join unnest(k.sequences) q (sequence)
     where k.stakeholder in (select i.stakeholder from identity i)
    union
    select k.stakeholder, n.oid, 0, 'USAGE'
      from integratedb.claim k join pg_namespace n on n.oid = k.schema_id::oid or n.nspname = k.schema_name::name
     where k.stakeholder in (select i.stakeholder from identity i)
    union
    -- A view that it reads, or a default that it writes with, calls this.
    select k.stakeholder, b.code::oid, 0, 'EXECUTE'
      from integratedb.claim k cross join unnest(k.behind) b (code)
     where k.stakeholder in (select i.stakeholder from identity i)
    union
    -- And a view reads this with its reader's rights, who cannot claim it.
    select k.stakeholder, q.oid, 0, 'SELECT'
      from integratedb.claim k cross join unnest(k.behind) b (code) join pg_class q on q.oid = b.code::oid and q.relkind = 'S'
     where k.stakeholder in (select i.stakeholder from identity i)
  ), own as (
    select i.stakeholder, h.*, g.privilege is not null as is_given
      from held h
      join identity i on i.role = h.grantee
      left join given g on g.stakeholder = i.stakeholder and g.relation = h.object and g.num = h.num and g.privilege = h.privilege
     where i.own_schema is distinct from h.schema
       and not exists (select from identity o where o.stakeholder = i.stakeholder and o.role = h.owner)
  ), surplus as (
    select o.stakeholder, o.class, o.object, o.num, o.schema, o.owner, o.grantee, o.grantor, o.privilege, o.is_grantable, x.only_option
      from own o
      cross join lateral (
        -- It is here that stakeholders log in.
        select o.is_given or o.class = 'pg_database'::regclass and o.privilege = 'CONNECT'
          and o.object = (select d.oid from pg_database d where d.datname = current_database()) as only_option
      ) x
     where o.is_grantable or not x.only_option
    union all
    select $1, h.class, h.object, h.num, h.schema, h.owner, h.grantee, h.grantor, h.privilege, false, false
      from held h
     where h.grantee = 0
       -- Usage of a schema opens nothing by itself: what in it is open is told.
       and (h.class <> 'pg_namespace'::regclass or h.privilege <> 'USAGE')
       and (h.class <> 'pg_database'::regclass or h.privilege <> 'CONNECT'
            or h.object <> (select d.oid from pg_database d where d.datname = current_database()))
       and exists (
         select from identity i
          where not i.is_login
            and i.own_schema is distinct from h.schema
            and i.role <> h.owner
            and (h.class <> 'pg_proc'::regclass or has_schema_privilege(i.role, h.schema, 'usage') and not pg_has_role(i.role, h.owner, 'usage'))
            and not exists (
              select from given g
               where g.stakeholder = i.stakeholder and g.relation = h.object and g.num = h.num and g.privilege = h.privilege)
            and (h.class <> 'pg_class'::regclass or h.num <> 0 or h.privilege not in ('SELECT', 'INSERT', 'UPDATE') or exists (
              -- On the table, and it claims each column.
              select from pg_attribute a
               where a.attrelid = h.object and a.attnum > 0 and not a.attisdropped
                 and not exists (
                   select from given g
                    where g.stakeholder = i.stakeholder and g.relation = h.object and g.num = a.attnum and g.privilege = h.privilege))))
  ), listed as (
    select s.stakeholder, s.class, s.object, s.schema, s.owner, s.grantee, s.grantor, s.only_option,
           bool_or(s.is_grantable) as is_grantable,
           bool_or(s.grantee <> 0 and s.class = 'pg_class'::regclass and s.columns is null and s.privilege in ('SELECT', 'INSERT', 'UPDATE')) as is_whole,
           string_agg(s.privilege || coalesce(' (' || s.columns || ')', ''), ', ' order by s.privilege, s.columns nulls first) as privileges
      from (
        select s.stakeholder, s.class, s.object, s.schema, s.owner, s.grantee, s.grantor, s.only_option, s.privilege, bool_or(s.is_grantable) as is_grantable,
               string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
          from surplus s left join pg_attribute a on s.num <> 0 and a.attrelid = s.object and a.attnum = s.num
         group by s.stakeholder, s.class, s.object, s.schema, s.owner, s.grantee, s.grantor, s.only_option, s.privilege, s.num <> 0
      ) s
     group by s.stakeholder, s.class, s.object, s.schema, s.owner, s.grantee, s.grantor, s.only_option
  )
  select l.stakeholder,
         format('%s %s', k.type, k.identity),
         case when l.only_option then 'GRANT OPTION FOR ' else '' end || l.privileges || case when l.is_grantable and not l.only_option then ' WITH GRANT OPTION' else '' end,
         concat_ws(', ',
           case when l.grantee = 0 then 'PUBLIC' else format('granted%s by %I', case when i.is_login then format(' to %I', r.rolname) end, pg_get_userbyid(l.grantor)) end,
           case when l.class = 'pg_proc'::regclass then format('runs as %I', pg_get_userbyid(l.owner)) end),
         'beyond claims',
         case
           when l.is_whole and u.is_ours and exists (select from integratedb.claim c where c.stakeholder = l.stakeholder and c.relid = l.object::bigint and c.relation_name <> '')
             -- REVOKE of the table takes the columns' with it, which are claimed.
             then case when l.is_grantable then format('REVOKE GRANT OPTION FOR %s ON %s FROM %I CASCADE; ', l.privileges, t.target, r.rolname) else '' end
               || 'SELECT * FROM integratedb.sync()'
           -- Only who granted it can take it back, and has to enter the schema to do so. For an owner its members can.
           else case when l.grantor = l.owner then '' else
               case when e.is_shut then format('GRANT USAGE ON SCHEMA %s TO %I; ', k.schema, pg_get_userbyid(l.grantor)) else '' end
               || format('SET ROLE %I; ', pg_get_userbyid(l.grantor)) end
             || format('REVOKE %s%s ON %s FROM %s%s', case when l.only_option then 'GRANT OPTION FOR ' end, l.privileges, t.target,
                  case when l.grantee = 0 then 'PUBLIC' else quote_ident(r.rolname) end, case when l.is_grantable then ' CASCADE' end)
             || case when l.grantor = l.owner then '' else '; RESET ROLE'
               || case when e.is_shut then format('; REVOKE USAGE ON SCHEMA %s FROM %I', k.schema, pg_get_userbyid(l.grantor)) else '' end end
         end
    from listed l
    cross join lateral pg_identify_object(l.class, l.object, 0) k
    cross join lateral (
      select case l.class
        when 'pg_class'::regclass then case k.type when 'sequence' then 'SEQUENCE ' else 'TABLE ' end
        when 'pg_proc'::regclass then 'ROUTINE '
        when 'pg_foreign_server'::regclass then 'FOREIGN SERVER '
        when 'pg_parameter_acl'::regclass then 'PARAMETER '
        else upper(replace(k.type, '-', ' ')) || ' ' end
        || k.identity as target
    ) t
    cross join lateral (
      -- What the claims themselves gave was granted as this role.
      select l.grantor = case when pg_has_role(l.owner, 'usage') then l.owner else (select o.oid from pg_roles o where o.rolname = current_user) end as is_ours
    ) u
    cross join lateral (
      select l.schema is not null and l.class <> 'pg_namespace'::regclass and not has_schema_privilege(l.grantor, l.schema, 'usage') as is_shut
    ) e
    left join pg_roles r on r.oid = l.grantee
    left join identity i on i.role = l.grantee;
end
$$;

comment on function integratedb._audit_privileges(text) is 'internal: the part of audit_access() that is in access control lists';
