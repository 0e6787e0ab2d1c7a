-- Somebody decides about what is pending: which request, and for which of its owners?
create or replace function integratedb._decide(caller name, name text, request bigint, decision text, reason text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  pending bigint;
  is_locked boolean := false;
  owners text[];
  owner_ids bigint[];
begin
  perform integratedb._check_stakeholder(name);
  select r.id into pending from integratedb.claim_request r where r.stakeholder = name and r.status = 'pending';
  if pending = coalesce(request, pending) then
    -- One decision after the other. A stakeholder that is replacing its request right now makes us wait, but with no lock
    -- on relations or the epoch, so that nobody waits for us. And what it puts in its place nobody has looked at.
    perform from integratedb.claim_request r where r.id = pending and r.status = 'pending' for update;
    is_locked := found;
    if not is_locked then
      select r.id into pending from integratedb.claim_request r where r.stakeholder = name and r.status = 'pending';
    end if;
  end if;
  if not is_locked then
    raise exception using
      errcode = 'IDB08',
      message = case when pending is null then format('%I has no pending request', name)
        else format('that is not what %I asks for now', name) end,
      detail = case when pending is null then 'It was decided, replaced or withdrawn, or there never was one.'
        else format('Its pending request is %s. A request that was looked at can have been replaced since.', pending) end,
      hint = 'SELECT * FROM integratedb.pending_claims() lists what waits. Nothing was changed.';
  end if;
  select array_agg(o.owner order by o.owner), array_agg(o.owner_id order by o.owner) into owners, owner_ids
    from (
      select r.rolname::text as owner, r.oid::bigint as owner_id
        from pg_roles r
       where r.rolname = 'integratedb_admin' and integratedb._is_admin(caller)
      union
      select x.owner, x.owner_id from integratedb._request_owner x where x.request = pending and pg_has_role(caller, x.owner_id::oid, 'usage')
    ) o;
  if owners is null then
    raise exception using
      errcode = 'IDB06',
      message = format('%I has no say in what %I asks for', caller, name),
      detail = format('Request %s is for the owners of what it names: %s.', pending, (
        select string_agg(distinct quote_ident(o.owner), ', ') from integratedb._request_owner o where o.request = pending)),
      hint = 'Members of these roles decide, each for what it owns, and members of integratedb_admin for all. Nothing was changed.';
  end if;
  insert into integratedb.decision (request, stakeholder, decision, decided_by, reason, owners, owner_ids)
  values (pending, name, _decide.decision, caller, _decide.reason, owners, owner_ids);
  return pending;
end
$$;

comment on function integratedb._decide(name, text, bigint, text, text) is
  'internal: locks the pending request and records a decision about it; its id. IDB04, IDB06: no say; IDB08: nothing pending, or another request';

create or replace function integratedb._approve_claims(caller name, name text, request bigint)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  decided constant bigint := integratedb._decide(caller, name, request, 'approve', null);
begin
  perform integratedb._settle(decided);
  return integratedb._request_answer(decided);
end
$$;

comment on function integratedb._approve_claims(name, text, bigint) is 'internal: approve_claims, as this caller';

create or replace function integratedb._reject_claims(caller name, name text, reason text, request bigint)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  decided bigint;
begin
  perform integratedb._check_reason(reason);
  decided := integratedb._decide(caller, name, request, 'reject', reason);
  update integratedb.claim_request r set status = 'rejected', ended_at = now() where r.id = decided;
  return integratedb._request_answer(decided);
end
$$;

comment on function integratedb._reject_claims(name, text, text, bigint) is 'internal: reject_claims, as this caller';
