-- Whom does a role act for? The one place that knows: a stakeholder's own role, or another login of it that has put
-- that role off.
-- A view, because that is what other views can read for everybody: a function in a view is called by whoever reads it.
create or replace view integratedb._acts_for as
select s.name::name as role, s.name as stakeholder from integratedb.stakeholder s
union all
select r.rolname, c.stakeholder
  from integratedb.credential c
  join pg_catalog.pg_roles r on r.oid = c.role_id::oid and r.rolname = c.username
 where c.kind <> 'own' and c.revoked_at is null;

comment on view integratedb._acts_for is 'internal: each role that is a stakeholder''s';

create or replace function integratedb._stakeholder_of(role name)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.stakeholder from integratedb._acts_for a where a.role = _stakeholder_of.role
$$;

comment on function integratedb._stakeholder_of(name) is 'internal: the stakeholder that this role acts for; null if none';
