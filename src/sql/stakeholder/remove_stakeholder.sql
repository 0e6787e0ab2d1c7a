create or replace function integratedb.remove_stakeholder(name text, keep_data boolean default true)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The role that called, not the one whose rights this function runs with.
  heir constant text := session_user;
  reason text;
begin
  perform integratedb._check_stakeholder(name);
  if name = session_user then
    raise exception using
      errcode = 'IDB08',
      message = 'a stakeholder cannot remove itself',
      detail = format('This session is logged in as %I.', session_user),
      hint = 'Call remove_stakeholder as an administrator.';
  end if;
  perform integratedb.remove_claims(name);
  if exists (select from pg_roles where rolname = name) then
    begin
      execute format('alter role %I nologin', name);
      if keep_data is not false then
        execute format('reassign owned by %I to %I', name, heir);
      end if;
      -- What it still owns, and every privilege it holds in this database.
      execute format('drop owned by %I cascade', name);
      execute format('drop role %I', name);
    exception when dependent_objects_still_exist then
      get stacked diagnostics reason = pg_exception_detail;
      raise exception using
        errcode = 'IDB06',
        message = format('the role %I cannot be dropped', name),
        detail = reason,
        hint = format('It owns or may use something outside this database. There: REASSIGN OWNED BY %I TO …; DROP OWNED BY %I. Nothing was changed.', name, name);
    end;
  end if;
  delete from integratedb.stakeholder s where s.name = remove_stakeholder.name;
  perform integratedb._end_sessions(name);
end
$$;

comment on function integratedb.remove_stakeholder(text, boolean) is
  'Revokes all that a stakeholder was given, ends its sessions and drops its role. Its schema and what it owns go to the caller, or with keep_data => false are dropped. IDB04: no such stakeholder; IDB06: its role is in use outside this database';
