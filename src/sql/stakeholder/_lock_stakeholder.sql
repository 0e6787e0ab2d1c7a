-- One change of a stakeholder's logins at a time: a login that is made while the stakeholder is removed would be left over.
create or replace function integratedb._lock_stakeholder(name text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from integratedb.stakeholder s where s.name = _lock_stakeholder.name for no key update;
  perform integratedb._check_stakeholder(name);
  if not exists (select from pg_roles where rolname = name) then
    raise exception using
      errcode = 'IDB04',
      message = format('the role of the stakeholder %I is missing', name),
      detail = 'Its logins are members of that role.',
      hint = 'Bring it back or rename it back (SELECT * FROM integratedb.doctor() says how), or remove the stakeholder. Nothing was changed.';
  end if;
end
$$;

comment on function integratedb._lock_stakeholder(text) is 'internal: until the end of the transaction. IDB04: no such stakeholder, or its role is missing';

create or replace function integratedb._lock_credential(username text)
returns integratedb.credential
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  credential integratedb.credential;
begin
  select * into credential from integratedb.credential c where c.username = _lock_credential.username for no key update;
  if found then
    return credential;
  end if;
  raise exception using
    errcode = 'IDB04',
    message = case when username is null then 'no credential was named' else format('there is no credential %I', username) end,
    detail = 'No stakeholder of this database logs in with that name: it never did, or that is over.',
    hint = 'SELECT stakeholder, username FROM integratedb.credentials lists them. Nothing was changed.';
end
$$;

comment on function integratedb._lock_credential(text) is 'internal: until the end of the transaction. IDB04: no such credential';
