create or replace function integratedb.rotate_credentials(name text, grace interval default '1 hour', verifier text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  password constant text := case when verifier is null then integratedb._random_password() end;
  secret constant text := integratedb._secret(password, verifier);
  until constant timestamptz := integratedb._time_after(grace, 'the grace', true);
  login text;
  old record;
begin
  perform integratedb._lock_stakeholder(name);
  login := integratedb._make_login(name, 'rotated', secret, null, null);
  for old in
    select c.username, r.rolname, least(c.valid_until, until) as until, c.valid_until
      from integratedb.credential c left join pg_roles r on r.oid = c.role_id::oid
     where c.stakeholder = name and c.kind <> 'lease' and c.username <> login and c.revoked_at is null
     order by c.username
       for no key update of c
  loop
    if until <= clock_timestamp() or old.rolname is null then
      perform integratedb._close_login(old.username);
    elsif old.until is distinct from old.valid_until then
      execute format('alter role %I valid until %L', old.rolname, integratedb._time_text(old.until));
      update integratedb.credential c set valid_until = old.until where c.username = old.username;
    end if;
  end loop;
  return integratedb._credentials(name, login, password);
end
$$;

comment on function integratedb.rotate_credentials(text, interval, text) is
  'Gives a stakeholder a new login, valid at once; those that it had (leases aside) stop working after the grace, or at once and with their sessions if that is 0: {"stakeholder", "schema", "credentials": {"username", "password"}}. With a SCRAM-SHA-256 verifier there is no password in the answer, because nobody here knows it. expire_credentials() ends what is over. IDB04: no such stakeholder; IDB08: the grace is null, negative or endless, or the verifier malformed';
