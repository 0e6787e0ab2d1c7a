create or replace function integratedb.rename_stakeholder(name text, new_name text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  password constant text := integratedb._random_password();
begin
  perform integratedb._check_stakeholder(name);
  perform integratedb._check_name(new_name);
  if name = session_user then
    raise exception using
      errcode = 'IDB08',
      message = 'a stakeholder cannot rename itself',
      detail = format('This session is logged in as %I.', session_user),
      hint = 'Call rename_stakeholder as an administrator.';
  end if;
  -- Whoever asks for claims or decides right now is waited for here, before anybody waits for us.
  lock table integratedb.claim_request in exclusive mode;
  begin
    -- Judging reads names: let no judgement fall between the old one and the new.
    perform integratedb._begin_work();
    execute format('alter role %I rename to %I', name, new_name);
    execute format('alter role %I password %L', new_name, integratedb._scram_verifier(password, integratedb._random_salt()));
    update integratedb.stakeholder s set name = new_name where s.name = rename_stakeholder.name;
    perform integratedb._end_work();
    -- Others may claim what is in its schema: this is a migration like any other.
    if exists (select from pg_namespace where nspname = name) then
      execute format('alter schema %I rename to %I', name, new_name);
    end if;
  exception
    when duplicate_object or duplicate_schema or unique_violation then
      -- Somebody took the name while we waited.
      perform integratedb._check_name(new_name);
      raise;
  end;
  return integratedb._credentials(new_name, new_name, password);
end
$$;

comment on function integratedb.rename_stakeholder(text, text) is
  'Renames a stakeholder with its role and schema; claims and grants follow. The login''s name changes with it, so there is a new password too; open sessions go on. IDB04: no such stakeholder; IDB05: the new name is invalid or taken';
