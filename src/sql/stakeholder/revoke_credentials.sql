create or replace function integratedb.revoke_credentials(username text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  credential constant integratedb.credential := integratedb._lock_credential(username);
begin
  perform integratedb._close_login(username);
  if not exists (
    select from integratedb.credential c
     where c.stakeholder = credential.stakeholder and c.revoked_at is null and coalesce(c.valid_until, 'infinity') > clock_timestamp()) then
    raise warning using
      message = format('%I cannot log in any more', credential.stakeholder),
      detail = format('%I was its last valid login.', username),
      hint = format('SELECT integratedb.rotate_credentials(%L) gives it a new one.', credential.stakeholder);
  end if;
end
$$;

comment on function integratedb.revoke_credentials(text) is
  'Ends a login now, and its sessions; its role goes with the next expire_credentials() (a stakeholder''s own role stays, without login). A login that succeeds while this transaction commits is ended by that, too, or by calling this again. A warning if the stakeholder has no other. IDB04: no such credential';
