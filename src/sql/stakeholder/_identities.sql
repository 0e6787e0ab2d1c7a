-- Which roles is a stakeholder, when it is asked what it can do? A role that is gone can do nothing.
create or replace function integratedb._identities(name text)
returns table (stakeholder text, role oid, is_login boolean)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  select s.name, r.oid, false
    from integratedb.stakeholder s join pg_roles r on r.rolname = s.name::name
   where $1 is null or s.name = $1
  union all
  select c.stakeholder, r.oid, true
    from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid
   where c.kind <> 'own' and ($1 is null or c.stakeholder = $1);
end
$$;

comment on function integratedb._identities(text) is
  'internal: of one stakeholder (null: of each) its own role, and its other logins (is_login), which can put the own role off and act as themselves';
