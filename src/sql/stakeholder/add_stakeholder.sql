create or replace function integratedb.add_stakeholder(name text, verifier text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  password constant text := case when verifier is null then integratedb._random_password() end;
  secret constant text := integratedb._secret(password, verifier);
  print constant text := integratedb._fingerprint(secret);
begin
  perform integratedb._check_name(name);
  begin
    execute format('create role %I login password %L', name, secret);
    if not pg_has_role(current_user, name, 'usage') then
      -- An installer that is no superuser has to be a member to make a schema for the role.
      execute format('grant %I to %I', name, current_user);
    end if;
    execute format('create schema %I authorization %I', name, name);
    if not has_database_privilege(name, current_database(), 'connect') then
      -- Where CONNECT was taken from PUBLIC. DROP OWNED takes this one back.
      execute format('grant connect on database %I to %I', current_database(), name);
    end if;
    insert into integratedb.stakeholder (name) values (add_stakeholder.name);
    insert into integratedb.credential (username, stakeholder, kind, role_id, fingerprint)
    select r.rolname, r.rolname, 'own', r.oid::bigint, print from pg_roles r where r.rolname = add_stakeholder.name;
  exception
    when duplicate_object or duplicate_schema or unique_violation then
      perform integratedb._check_name(name);
      raise;
  end;
  return integratedb._credentials(name, name, password);
end
$$;

comment on function integratedb.add_stakeholder(text, text) is
  'Gives an application a role (LOGIN, nothing else), a schema of the same name that it owns, and a password: {"stakeholder", "schema", "credentials": {"username", "password"}}. The password is shown once and stored nowhere. With a SCRAM-SHA-256 verifier it is the password that this is of, and the answer has none, because nobody here knows it. IDB05: the name is invalid or taken; IDB08: the verifier is malformed';
