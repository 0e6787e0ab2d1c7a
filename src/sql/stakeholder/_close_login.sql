-- From now on nobody logs in with it, whatever pg_hba.conf asks for, and who is logged in is not any more.
create or replace function integratedb._close_login(username text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  credential constant integratedb.credential := integratedb._lock_credential(username);
  role constant text := (select rolname from pg_roles where oid = credential.role_id::oid);
begin
  if role is not null then
    execute format('alter role %I nologin password null valid until ''-infinity''', role);
  end if;
  update integratedb.credential c
     set revoked_at = coalesce(c.revoked_at, clock_timestamp())
   where c.username = _close_login.username;
  perform integratedb._end_sessions(credential.role_id::oid);
end
$$;

comment on function integratedb._close_login(text) is 'internal: NOLOGIN and no password; the role is there until expire_credentials(). IDB04';

-- A login goes. What it owns and may do in this database goes to the heir.
create or replace function integratedb._drop_login(role_id bigint, heir text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  role constant text := (select rolname from pg_roles where oid = role_id::oid);
begin
  if role is null then
    return;
  end if;
  -- Hardly ever: DROP OWNED is a migration, which is judged.
  if exists (
    select from pg_shdepend d
     where d.refclassid = 'pg_authid'::regclass and d.refobjid = role_id::oid
       and d.dbid in (0, (select oid from pg_database where datname = current_database()))) then
    execute format('reassign owned by %I to %I', role, heir);
    execute format('drop owned by %I', role);
  end if;
  execute format('drop role %I', role);
  insert into integratedb.tombstone (role_id, username) values (_drop_login.role_id, role);
end
$$;

comment on function integratedb._drop_login(bigint, text) is 'internal: Postgres'' errors if it is in use elsewhere';

create or replace function integratedb._drop_logins(stakeholder text, heir text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  credential record;
begin
  for credential in
    select c.username, c.role_id from integratedb.credential c
     where c.stakeholder = _drop_logins.stakeholder and c.kind <> 'own'
     order by c.username
  loop
    perform integratedb._close_login(credential.username);
    perform integratedb._drop_login(credential.role_id, heir);
  end loop;
end
$$;

comment on function integratedb._drop_logins(text, text) is 'internal: all of a stakeholder, but its own role';
