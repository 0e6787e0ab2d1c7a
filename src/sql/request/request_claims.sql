-- What stakeholders and owners call. All run as their caller: see _act.sql.
create or replace function integratedb.request_claims(document jsonb, reason text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  result jsonb;
begin
  insert into integratedb._act (call, document, reason) values ('request_claims', document, reason) returning answer into result;
  return result;
end
$$;

comment on function integratedb.request_claims(jsonb, text) is
  'A stakeholder, logged in as itself, asks for claims in place of those it has: {"request", "stakeholder", "status": "pending" | "approved", "waiting_for": [role]}. Pending, it grants nothing and blocks nothing, until every owner has approved it, or an administrator; approved at once if owners have allowed all of it beforehand. A new request replaces the pending one. IDB02: invalid document; IDB03: cannot be met now; IDB04: the caller is not a stakeholder; IDB08: no reason';

create or replace function integratedb.approve_claims(name text, request bigint default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  result jsonb;
begin
  insert into integratedb._act (call, stakeholder, request) values ('approve_claims', name, request) returning answer into result;
  return result;
end
$$;

comment on function integratedb.approve_claims(text, bigint) is
  'Agrees to what a stakeholder asks for, for each owner that the caller is a member of; an administrator agrees for all. With the last owner the request becomes the stakeholder''s claims, as set_claims would make it now. Answers as request_claims. Name the request that was looked at, and a document that was swapped meanwhile is not approved. IDB03, IDB06: cannot be met or granted now, and nothing is recorded; IDB04: no such stakeholder; IDB06: the caller has no say in it; IDB08: nothing is pending, or another request';

create or replace function integratedb.reject_claims(name text, reason text, request bigint default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  result jsonb;
begin
  insert into integratedb._act (call, stakeholder, reason, request) values ('reject_claims', name, reason, request) returning answer into result;
  return result;
end
$$;

comment on function integratedb.reject_claims(text, text, bigint) is
  'Refuses what a stakeholder asks for; one owner is enough. Its claims stay as they are, and my_requests() tells it the reason. Answers as request_claims. IDB04: no such stakeholder; IDB06: the caller has no say in it; IDB08: nothing is pending, or another request, or no reason';

create or replace function integratedb.allow_claims(owner text, name text, pattern text, access text[] default '{select}')
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into integratedb._act (call, owner, stakeholder, path, access) values ('allow_claims', owner, name, pattern, access);
end
$$;

comment on function integratedb.allow_claims(text, text, text, text[]) is
  'Agrees beforehand, for an owner that the caller is a member of: the stakeholder may claim what this owner owns of "schema.table" or "schema.*", with this access at most, without asking it again. A pending request that waited for just this is approved. IDB04: no such stakeholder; IDB06: not a member of the owner; IDB08: no such role, path or access';

create or replace function integratedb.disallow_claims(owner text, name text, pattern text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into integratedb._act (call, owner, stakeholder, path) values ('disallow_claims', owner, name, pattern);
end
$$;

comment on function integratedb.disallow_claims(text, text, text) is
  'Takes back what allow_claims said: from now on the owner is asked. What is claimed already stays claimed. IDB04: no such stakeholder; IDB06: not a member of the owner; IDB08: it was not allowed';
