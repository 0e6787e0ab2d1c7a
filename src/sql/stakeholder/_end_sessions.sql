-- Revoking does not end what is open already: who is still connected as this role?
-- By oid: its name is no longer in pg_stat_activity once this transaction has dropped the role. An ending that is sent
-- is not taken back by a rollback: the application connects again, and loses what it had not committed.
create or replace function integratedb._end_sessions(role oid)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_stat_clear_snapshot(); -- or a second look in this transaction sees what the first one saw
  perform pg_terminate_backend(pid)
    from pg_stat_activity
   where usesysid = role
     and pid <> pg_backend_pid();
end
$$;

comment on function integratedb._end_sessions(oid) is 'internal: ends every session that logged in as this role';
