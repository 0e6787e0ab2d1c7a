-- Revoking does not end what is open already: who is still connected as this role?
create or replace function integratedb._end_sessions(username text)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select count(pg_terminate_backend(pid))
    from pg_stat_activity
   where usename = username
     and pid <> pg_backend_pid()
$$;

comment on function integratedb._end_sessions(text) is 'internal: ends every session that logged in as this role';
