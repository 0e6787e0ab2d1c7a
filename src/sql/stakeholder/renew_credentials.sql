create or replace function integratedb.renew_credentials(username text, ttl interval)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  credential constant integratedb.credential := integratedb._lock_credential(username);
  until timestamptz := integratedb._time_after(ttl, 'a lease''s ttl', false);
  role constant text := (select rolname from pg_roles where oid = credential.role_id::oid);
begin
  if credential.revoked_at is not null or credential.valid_until <= clock_timestamp() or role is null then
    raise exception using
      errcode = 'IDB04',
      message = format('the credential %I is over', username),
      detail = case when credential.revoked_at is not null then format('It was revoked at %s.', credential.revoked_at)
        when role is null then 'Somebody dropped its role.' else format('It ended at %s.', credential.valid_until) end,
      hint = format('What is over is not renewed: SELECT integratedb.issue_credentials(%L, %L).', credential.stakeholder, ttl);
  end if;
  if credential.kind <> 'lease' then
    raise exception using
      errcode = 'IDB08',
      message = format('%I is not a lease', username),
      detail = 'Only what issue_credentials() has given is renewed.',
      hint = format('For a new login: SELECT integratedb.rotate_credentials(%L). Nothing was changed.', credential.stakeholder);
  end if;
  if until >= credential.max_until and credential.valid_until >= credential.max_until then
    raise exception using
      errcode = 'IDB08',
      message = format('the lease %I lasts as long as it may', username),
      detail = format('It was issued at %s and ends at %s, renewed or not.', credential.issued_at, credential.max_until),
      hint = format('SELECT integratedb.issue_credentials(%L, %L) gives another. Nothing was changed.', credential.stakeholder, ttl);
  end if;
  until := least(until, credential.max_until);
  execute format('alter role %I valid until %L', role, integratedb._time_text(until));
  update integratedb.credential c set valid_until = until where c.username = renew_credentials.username;
  return integratedb._credentials(credential.stakeholder, username, null, until);
end
$$;

comment on function integratedb.renew_credentials(text, interval) is
  'Lets a lease end ttl from now, at the latest when its stakeholder''s max_ttl has passed since it was issued: {"stakeholder", "schema", "credentials": {"username", "valid_until"}}; valid_until is what it got. IDB04: no such credential, or it is over; IDB08: not a lease, nothing to be gained, or ttl null, not positive or endless';
