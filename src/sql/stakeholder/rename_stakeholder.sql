create or replace function integratedb.rename_stakeholder(name text, new_name text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  password text;
  secret text;
  print text;
  until timestamptz;
  login text;
begin
  perform integratedb._check_stakeholder(name);
  perform integratedb._check_name(new_name);
  if exists (select from integratedb.credential c where c.stakeholder = name and c.username = session_user) then
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
    perform integratedb._lock_stakeholder(name);
    execute format('alter role %I rename to %I', name, new_name);
    update integratedb.stakeholder s set name = new_name where s.name = rename_stakeholder.name;
    perform integratedb._record_version(n) from unnest(array[name, new_name]) n;
    perform integratedb._end_work();
    -- Its own login has another name; the others keep theirs, and become the stakeholder of the new name.
    update integratedb.credential c set username = new_name
     where c.stakeholder = new_name and c.kind = 'own' and c.revoked_at is null and coalesce(c.valid_until, 'infinity') > clock_timestamp()
    returning c.valid_until into until;
    if found then
      password := integratedb._random_password();
      secret := integratedb._secret(password, null);
      print := integratedb._fingerprint(secret);
      execute format('alter role %I password %L', new_name, secret);
      update integratedb.credential c set fingerprint = print where c.username = new_name;
    else
      update integratedb.credential c set username = new_name where c.stakeholder = new_name and c.kind = 'own';
    end if;
    for login in
      select r.rolname from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid
       where c.stakeholder = new_name and c.kind <> 'own'
       order by c.username
    loop
      perform integratedb._set_role_at_login(login, new_name);
    end loop;
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
  if password is null then
    return integratedb._credentials(new_name, null, null) - 'credentials';
  end if;
  return integratedb._credentials(new_name, new_name, password, until);
end
$$;

comment on function integratedb.rename_stakeholder(text, text) is
  'Renames a stakeholder with its role and schema; claims and grants follow. If it can log in with that name, there is a new password too, because the login''s name changed: {"stakeholder", "schema", "credentials": {"username", "password"}}; otherwise the answer has no "credentials". Rotated and leased logins keep their names and passwords; open sessions go on. IDB04: no such stakeholder; IDB05: the new name is invalid or taken';
