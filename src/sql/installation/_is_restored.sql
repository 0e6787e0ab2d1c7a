-- Are the oids that claims remember those of this database? After a dump and restore they are another's, and whoever
-- bears them now is somebody else. Our own tables tell: they have other oids then, too. (A copy made with
-- CREATE DATABASE ... TEMPLATE or pg_upgrade keeps them all; see _is_copied().)
create or replace function integratedb._own_oids()
returns text
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return concat_ws(' ', 'integratedb'::regnamespace::oid, 'integratedb.setting'::regclass::oid, 'integratedb.claim'::regclass::oid);
end
$$;

comment on function integratedb._own_oids() is 'internal: what no restored copy of this installation has in common with it';

create or replace function integratedb._is_restored()
returns boolean
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from integratedb.setting where name = 'oids' and value <> integratedb._own_oids());
end
$$;

comment on function integratedb._is_restored() is 'internal: until sync() has expanded all claims here';

create or replace function integratedb._remember_oids()
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into integratedb.setting as s (name, value) values ('oids', integratedb._own_oids())
  on conflict (name) do update set value = excluded.value where s.value <> excluded.value
$$;

comment on function integratedb._remember_oids() is 'internal: all claims have been expanded in this database';
