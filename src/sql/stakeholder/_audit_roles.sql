-- What can a stakeholder do by what it is: by its roles' attributes, by other roles that it is a member of, and as an
-- owner outside its own schema; and what will it be given, by default privileges, on what others make?
create or replace function integratedb._audit_roles(name text)
returns table (stakeholder text, object text, privilege text, source text, finding text, fix text)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  with recursive identity as materialized (
    select i.*, r.rolname from integratedb._identities($1) i join pg_roles r on r.oid = i.role
  ), here (database) as materialized (
    select d.oid from pg_database d where d.datname = current_database()
  ), power (role, attributes) as (
    select r.oid, concat_ws(', ', case when r.rolsuper then 'SUPERUSER' end, case when r.rolcreaterole then 'CREATEROLE' end,
             case when r.rolcreatedb then 'CREATEDB' end, case when r.rolreplication then 'REPLICATION' end,
             case when r.rolbypassrls then 'BYPASSRLS' end)
      from pg_roles r
  ), membership (stakeholder, member, first, grantor, admin_option, role) as (
    -- One of its logins is a member of the stakeholder's own role: that is what makes it one.
    select i.stakeholder, i.role, m.roleid, m.grantor, m.admin_option, m.roleid
      from identity i join pg_auth_members m on m.member = i.role
     where not exists (select from identity own where own.stakeholder = i.stakeholder and own.role = m.roleid)
    union
    select b.stakeholder, b.member, b.first, b.grantor, b.admin_option, m.roleid
      from membership b join pg_auth_members m on m.member = b.role
  ), owned as (
    select i.stakeholder, i.role, i.rolname, s.classid, s.objid, k.type, k.schema, k.identity
      from identity i
      join pg_shdepend s on s.refclassid = 'pg_authid'::regclass and s.refobjid = i.role and s.deptype = 'o'
      join here on s.dbid in (0, here.database)
      cross join lateral pg_identify_object(s.classid, s.objid, 0) k
     -- Its large objects, its default privileges and its passwords for foreign servers are its own affair.
     where s.classid not in ('pg_largeobject'::regclass, 'pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
  )
  select i.stakeholder, format('role %I', i.rolname), p.attributes, 'role attribute', 'beyond claims',
         format('ALTER ROLE %I NO%s', i.rolname, replace(p.attributes, ', ', ' NO'))
    from identity i join power p using (role)
   where p.attributes <> ''
  union all
  select b.stakeholder, format('role %I', r.rolname),
         format('MEMBER%s', case when b.admin_option then ' WITH ADMIN OPTION' end)
           || coalesce(' (' || nullif(concat_ws(', ', nullif(p.attributes, ''), case when r.rolname ~ '^pg_' then 'predefined by Postgres' end, h.owns, h.holds), '') || ')', ''),
         concat_ws(', ', case when b.role <> b.first then format('through %I', pg_get_userbyid(b.first)) end,
           format('granted%s by %I', case when m.is_login then format(' to %I', m.rolname) end, pg_get_userbyid(b.grantor))),
         'beyond claims',
         format('REVOKE %I FROM %I%s%s', pg_get_userbyid(b.first), m.rolname,
           case when current_setting('server_version_num')::integer >= 160000 then format(' GRANTED BY %I', pg_get_userbyid(b.grantor)) end,
           case when b.admin_option then ' CASCADE' end)
    from membership b
    join pg_roles r on r.oid = b.role
    join power p on p.role = b.role
    join identity m on m.stakeholder = b.stakeholder and m.role = b.member
    cross join lateral (
      select 'owner of ' || nullif(count(*) filter (where s.deptype = 'o'), 0) as owns,
             'privileges on ' || nullif(count(distinct (s.classid, s.objid)) filter (where s.deptype = 'a'), 0) as holds
        from pg_shdepend s, here
       where s.refclassid = 'pg_authid'::regclass and s.refobjid = b.role and s.dbid in (0, here.database)
    ) h
  union all
  select o.stakeholder, format('%s %s', o.type, o.identity), 'OWNER', 'ownership', 'beyond claims',
         case
           when o.classid = 'pg_extension'::regclass then format('DROP EXTENSION %s', o.identity)
           -- With its code, which must not get the rights of another owner.
           when o.schema is not null then format('ALTER %s %s SET SCHEMA %I', t.keyword, o.identity, o.stakeholder)
           else format('ALTER %s %s OWNER TO %I', t.keyword, o.identity, current_user) end
    from owned o
    cross join lateral (
      select case
        when o.classid = 'pg_proc'::regclass then 'ROUTINE'
        when o.classid = 'pg_statistic_ext'::regclass then 'STATISTICS'
        when o.type = 'foreign-data wrapper' then 'FOREIGN DATA WRAPPER'
        else upper(o.type) end as keyword
    ) t
   where not (o.classid = 'pg_namespace'::regclass and o.identity = quote_ident(o.stakeholder))
     -- A schema that it owns tells of all that it owns in it.
     and not exists (select from pg_namespace n where quote_ident(n.nspname) = o.schema
                        and (n.nspowner = o.role or n.nspname = o.stakeholder::name or n.nspname ~ '^pg_(toast_)?temp_'))
     -- What belongs to something else goes with it: a serial column's sequence, an extension's objects.
     and not exists (select from pg_depend d where d.classid = o.classid and d.objid = o.objid and (d.deptype in ('i', 'e', 'P') or d.deptype = 'a' and d.classid = 'pg_class'::regclass))
  union all
  select s.stakeholder, format('database %I', d.datname), 'OWNER or privileges',
         format('owner of %s, privileges on %s there', count(*) filter (where s.deptype = 'o'), count(*) filter (where s.deptype = 'a')), 'beyond claims',
         format('/* in that database; see first what code it has there: that gets the rights of who receives it */ REASSIGN OWNED BY %I TO %I; DROP OWNED BY %I%s',
           s.rolname, pg_get_userbyid(d.datdba), s.rolname,
           -- DROP OWNED takes this one, too.
           case when exists (select from pg_database x, aclexplode(x.datacl) a where x.datname = current_database() and a.grantee = s.role and a.privilege_type = 'CONNECT')
             then format('; GRANT CONNECT ON DATABASE %I TO %I', current_database(), s.rolname) end)
    from (
      select i.stakeholder, i.role, i.rolname, s.dbid, s.deptype
        from identity i join pg_shdepend s on s.refclassid = 'pg_authid'::regclass and s.refobjid = i.role and s.deptype in ('o', 'a')
       where s.dbid <> 0 and s.dbid <> (select database from here)
    ) s
    join pg_database d on d.oid = s.dbid
   group by s.stakeholder, s.role, s.rolname, d.datname, d.datdba
  union all
  -- Of functions and types everybody has the use of each, unless somebody takes it away.
  select g.stakeholder,
         format('%s that %I makes%s', k.kind, pg_get_userbyid(a.defaclrole), case when n.oid is not null then format(' in schema %I', n.nspname) end),
         string_agg(x.privilege_type || case when x.is_grantable then ' WITH GRANT OPTION' else '' end, ', ' order by x.privilege_type),
         concat_ws(', ', case when x.grantee = 0 then 'PUBLIC' when i.is_login then format('to %I', i.rolname) end, 'default privileges'), 'beyond claims',
         format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE %s ON %s FROM %s', pg_get_userbyid(a.defaclrole), case when n.oid is not null then format(' IN SCHEMA %I', n.nspname) end,
           string_agg(x.privilege_type, ', ' order by x.privilege_type), upper(k.kind), case when x.grantee = 0 then 'PUBLIC' else quote_ident(i.rolname) end)
    from pg_default_acl a
    cross join lateral aclexplode(a.defaclacl) x
    cross join lateral (select case a.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end as kind) k
    left join identity i on i.role = x.grantee
    left join pg_namespace n on n.oid = a.defaclnamespace
    cross join lateral (select case when x.grantee = 0 then $1 else i.stakeholder end as stakeholder) g
   where case when x.grantee = 0 then a.defaclobjtype not in ('f', 'T') and exists (select from identity o where o.role <> a.defaclrole)
              else i.role is not null and not exists (select from identity o where o.stakeholder = i.stakeholder and o.role = a.defaclrole) end
   group by g.stakeholder, i.is_login, i.rolname, x.grantee, a.defaclrole, k.kind, n.oid, n.nspname;
end
$$;

comment on function integratedb._audit_roles(text) is 'internal: the part of audit_access() that a role has by what it is';
