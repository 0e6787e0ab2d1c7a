create or replace function integratedb.issue_credentials(name text, ttl interval, verifier text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  password constant text := case when verifier is null then integratedb._random_password() end;
  secret constant text := integratedb._secret(password, verifier);
  until constant timestamptz := integratedb._time_after(ttl, 'a lease''s ttl', false);
  longest interval;
  max_until timestamptz;
  username text;
begin
  perform integratedb._lock_stakeholder(name);
  select coalesce(s.options->>'max_ttl', '32 days')::interval into longest from integratedb.stakeholder s where s.name = issue_credentials.name;
  max_until := clock_timestamp() + longest;
  if until > max_until then
    raise exception using
      errcode = 'IDB08',
      message = format('a lease of %I cannot last %s', name, ttl),
      detail = format('Its leases last at most %s, renewals included.', longest),
      hint = format('Ask for less, or let it: SELECT integratedb.set_stakeholder_option(%L, ''max_ttl'', %L). Nothing was changed.', name, ttl);
  end if;
  username := integratedb._make_login(name, 'lease', secret, until, max_until);
  return integratedb._credentials(name, username, password, until);
end
$$;

comment on function integratedb.issue_credentials(text, interval, text) is
  'Leases a stakeholder a login of its own that ends after ttl: {"stakeholder", "schema", "credentials": {"username", "password", "valid_until"}}. Whoever logs in with it is the stakeholder. With a SCRAM-SHA-256 verifier there is no password in the answer. IDB04: no such stakeholder; IDB08: ttl is null, not positive, endless or longer than the option max_ttl (32 days), or the verifier malformed';
