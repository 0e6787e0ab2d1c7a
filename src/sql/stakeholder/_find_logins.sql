-- After a restore, or when a role was dropped and made again, roles have other oids. A login's name is random and its role is a member of the stakeholder's: it is ours.
create or replace function integratedb._find_logins()
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  delete from integratedb.tombstone where integratedb._is_restored();
  update integratedb.credential c
     set role_id = r.oid::bigint
    from pg_roles r
   where r.rolname = c.username and r.oid::bigint <> c.role_id
     and (c.username = c.stakeholder
          or exists (select from pg_auth_members m join pg_roles s on s.oid = m.roleid where m.member = r.oid and s.rolname = c.stakeholder))
$$;

comment on function integratedb._find_logins() is 'internal: for sync(), before _remember_oids()';
