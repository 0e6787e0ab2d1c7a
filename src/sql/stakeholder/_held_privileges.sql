-- What do access control lists give to PUBLIC and to these roles? One row for each privilege, over everything that has such
-- a list and that privileges matter for: types are left out (their USAGE reads nothing), and of functions only those
-- are told that run with the rights of another. What Postgres or an extension gives PUBLIC at its own installation
-- is ordinary.
create or replace function integratedb._held_privileges(roles oid[])
returns table (class oid, object oid, num integer, schema oid, owner oid, grantee oid, grantor oid, privilege text, is_grantable boolean)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  with listed (class, object, num, schema, owner, acl) as (
    select 'pg_class'::regclass::oid, c.oid, 0, c.relnamespace, c.relowner, c.relacl
      from pg_class c where c.relacl is not null
    union all
    select 'pg_class'::regclass, a.attrelid, a.attnum::integer, c.relnamespace, c.relowner, a.attacl
      from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attacl is not null and not a.attisdropped
    union all
    select 'pg_namespace'::regclass, n.oid, 0, n.oid, n.nspowner, n.nspacl
      from pg_namespace n where n.nspacl is not null
    union all
    select 'pg_proc'::regclass, p.oid, 0, p.pronamespace, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
      from pg_proc p
     where p.prosecdef and p.prorettype <> 'event_trigger'::regtype
       and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'integratedb'::regnamespace)
    union all
    select 'pg_database'::regclass, d.oid, 0, null, d.datdba, coalesce(d.datacl, acldefault('d', d.datdba))
      from pg_database d where d.datallowconn
    union all
    -- In an untrusted language only superusers write functions, whatever its list says.
    select 'pg_language'::regclass, l.oid, 0, null, l.lanowner, coalesce(l.lanacl, acldefault('l', l.lanowner))
      from pg_language l where l.lanpltrusted and l.lanname not in ('sql', 'plpgsql')
    union all
    select 'pg_foreign_data_wrapper'::regclass, f.oid, 0, null, f.fdwowner, f.fdwacl
      from pg_foreign_data_wrapper f where f.fdwacl is not null
    union all
    select 'pg_foreign_server'::regclass, f.oid, 0, null, f.srvowner, f.srvacl
      from pg_foreign_server f where f.srvacl is not null
    union all
    select 'pg_tablespace'::regclass, t.oid, 0, null, t.spcowner, t.spcacl
      from pg_tablespace t where t.spcacl is not null
    union all
    -- As which Postgres knows them: pg_largeobject.
    select 'pg_largeobject'::regclass, b.oid, 0, null, b.lomowner, b.lomacl
      from pg_largeobject_metadata b where b.lomacl is not null
    union all
    -- The role that initdb made is who grants on these.
    select 'pg_parameter_acl'::regclass, p.oid, 0, null, 10, p.paracl
      from pg_parameter_acl p
  )
  select l.class, l.object, l.num, l.schema, l.owner, x.grantee, x.grantor, x.privilege_type, x.is_grantable
    from listed l cross join lateral aclexplode(l.acl) x
   where (x.grantee = 0 or x.grantee = any (roles))
     and x.grantee <> l.owner
     -- What of ours is for everybody, doctor() looks after.
     and not (x.grantee = 0 and l.schema is not distinct from 'integratedb'::regnamespace)
     -- What came with the schema information_schema is not in pg_init_privs.
     and (x.grantee <> 0 or not (l.schema is not distinct from 'information_schema'::regnamespace and l.object < 16384 and x.privilege_type = 'SELECT') and not exists (
       select from pg_init_privs i cross join lateral aclexplode(i.initprivs) o
        where i.objoid = l.object and i.classoid = l.class and i.objsubid = l.num
          and o.grantee = 0 and o.privilege_type = x.privilege_type));
end
$$;

comment on function integratedb._held_privileges(oid[]) is
  'internal: privileges of these roles and of PUBLIC (grantee 0); num: of a column, else 0; class as pg_identify_object has it';
