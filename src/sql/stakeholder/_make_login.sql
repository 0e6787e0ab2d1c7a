-- A further login of a stakeholder: a role of its own that is a member of the stakeholder's and has nothing but that.
-- Its name is random, so that nobody can have made the role in advance; one that exists is never adopted.
create or replace function integratedb._login_name(stakeholder text)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  name text := stakeholder;
  random constant bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
begin
  while octet_length(name) > 52 loop
    name := left(name, -1);
  end loop;
  name := name || '_';
  for i in 0 .. 9 loop
    name := name || substr('abcdefghijklmnopqrstuvwxyz234567', get_byte(random, i) % 32 + 1, 1);
  end loop;
  return name;
end
$$;

comment on function integratedb._login_name(text) is 'internal: the stakeholder''s name, cut at a character, and 50 random bits; at most 63 bytes';

create or replace function integratedb._make_login(stakeholder text, kind text, secret text, valid_until timestamptz, max_until timestamptz)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  print constant text := integratedb._fingerprint(secret);
  login text;
  option record;
begin
  for attempt in 1 .. 5 loop
    login := integratedb._login_name(stakeholder);
    begin
      execute format('create role %I login inherit password %L%s', login, secret, ' valid until ' || quote_literal(integratedb._time_text(valid_until)));
      exit;
    exception when duplicate_object or unique_violation then
      if attempt = 5 then
        raise exception using
          errcode = 'IDB05',
          message = format('no name was free for a login of %I', stakeholder),
          detail = 'Five random names were taken: roles are made with names that this session was about to take.',
          hint = 'See who makes roles (CREATEROLE). Nothing was changed.';
      end if;
    end;
  end loop;
  execute format('grant %I to %I%s', stakeholder, login,
    case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true, set true, admin false' end);
  if not pg_has_role(current_user, login, 'usage') then
    -- An installer that is no superuser has to be a member to end its sessions and take over what it owns.
    execute format('grant %I to %I', login, current_user);
  end if;
  perform integratedb._set_role_at_login(login, stakeholder);
  for option in select o.key, o.value from integratedb.stakeholder s, jsonb_each_text(s.options) o where s.name = stakeholder loop
    perform integratedb._set_option(login, option.key, option.value);
  end loop;
  insert into integratedb.credential (username, stakeholder, kind, role_id, valid_until, max_until, fingerprint)
  select r.rolname, _make_login.stakeholder, _make_login.kind, r.oid::bigint, _make_login.valid_until, _make_login.max_until, print
    from pg_roles r where r.rolname = login;
  return login;
end
$$;

comment on function integratedb._make_login(text, text, text, timestamptz, timestamptz) is 'internal: returns its username; after _lock_stakeholder()';

-- Whoever logs in becomes the stakeholder, so that what it makes is the stakeholder's and not the login's.
create or replace function integratedb._set_role_at_login(username text, stakeholder text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    return; -- What it makes is its own, until it goes; then expire_credentials() hands it over.
  end if;
  -- ALTER ROLE ... SET role is what this says. Postgres refuses that in every function that runs with its owner's
  -- rights, as if it set the role of this session, so the row is written here.
  merge into pg_db_role_setting d
  using (select r.oid from pg_roles r where r.rolname = username) r on d.setrole = r.oid and d.setdatabase = 0
  when matched then
    update set setconfig = array(select o from unnest(d.setconfig) o where o !~ '^role=') || ('role=' || stakeholder)
  when not matched then
    insert (setdatabase, setrole, setconfig) values (0, r.oid, array['role=' || stakeholder]);
end
$$;

comment on function integratedb._set_role_at_login(text, text) is 'internal: ALTER ROLE username SET role = stakeholder, which takes a superuser here';

-- A time as ALTER ROLE ... VALID UNTIL reads it, whatever DateStyle and TimeZone say.
create or replace function integratedb._time_text(moment timestamptz)
returns text
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return to_jsonb(moment) #>> '{}';
end
$$;

comment on function integratedb._time_text(timestamptz) is 'internal: ISO 8601';
