-- Who asked for what, and who has decided? For administrators; below, what concerns whoever calls.
create or replace view integratedb.claim_requests as
select
  r.id as request,
  r.stakeholder,
  r.status,
  array(select distinct o.owner from integratedb._request_owner o where o.request = r.id and o.is_waiting order by 1) as waiting_for,
  r.requested_by,
  r.requested_at,
  r.reason,
  r.document,
  r.ended_at
from integratedb.claim_request r;

comment on view integratedb.claim_requests is
  'What stakeholders have asked for. status: pending | approved | rejected | replaced (by a later request) | withdrawn (the stakeholder was removed). waiting_for: roles whose members have to approve it';

create or replace view integratedb.decisions as
select
  d.id,
  d.request,
  d.stakeholder,
  d.decision,
  d.owners,
  d.decided_by,
  d.decided_at,
  coalesce(d.reason, r.reason) as reason,
  d.path,
  d.access,
  r.document
from integratedb.decision d
left join integratedb.claim_request r on r.id = d.request;

comment on view integratedb.decisions is
  'Who has decided what and when, nothing left out. decision: approve | reject (a request, with its document) | allow | disallow (a path, beforehand). owners: the roles that it counts for; integratedb_admin stands for all. reason: of a rejection its own, else the request''s';

-- What runs with its reader's rights cannot read tables, and what runs with ours does not know the reader. A view does:
-- its tables are read with our rights, and current_user is whoever reads. security_barrier: a condition of the reader's
-- sees no row that the view keeps back.
create or replace view integratedb._pending_claims with (security_barrier = true) as
select r.request, r.stakeholder, r.waiting_for, r.requested_by, r.requested_at, r.reason, r.document
  from integratedb.claim_requests r
 where r.status = 'pending'
   and (exists (select from integratedb._acts_for a where a.role = current_user and a.stakeholder = r.stakeholder)
     or exists (select from integratedb._request_owner o where o.request = r.request and pg_has_role(current_user, o.owner_id::oid, 'usage'))
     or exists (
       select from pg_catalog.pg_roles a
        where (a.rolname = 'integratedb_admin' or a.oid = (select n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'integratedb'))
          and pg_has_role(current_user, a.oid, 'usage')));

comment on view integratedb._pending_claims is 'internal: pending_claims(), for whoever reads it';

create or replace view integratedb._my_requests with (security_barrier = true) as
select r.id as request, r.status, r.requested_by, r.requested_at, r.reason, r.document, r.ended_at,
       (select d.reason from integratedb.decision d where d.request = r.id and d.decision = 'reject') as rejected_because
  from integratedb.claim_request r
 where exists (select from integratedb._acts_for a where a.role = current_user and a.stakeholder = r.stakeholder);

comment on view integratedb._my_requests is 'internal: my_requests(), for whoever reads it';

create or replace view integratedb._my_claims with (security_barrier = true) as
select c.*
  from integratedb.claims c
 where exists (select from integratedb._acts_for a where a.role = current_user and a.stakeholder = c.stakeholder);

comment on view integratedb._my_claims is 'internal: my_claims(), for whoever reads it';

create or replace function integratedb.pending_claims()
returns table (request bigint, stakeholder text, waiting_for text[], requested_by text, requested_at timestamptz, reason text, document jsonb)
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.request, p.stakeholder, p.waiting_for, p.requested_by, p.requested_at, p.reason, p.document
    from integratedb._pending_claims p order by p.request
$$;

comment on function integratedb.pending_claims() is
  'The pending requests in which the caller has a say (as a member of an owner of what they name, or as an administrator), and its own if it is a stakeholder. waiting_for: roles whose members have to approve it';

create or replace function integratedb.my_requests()
returns table (request bigint, status text, requested_by text, requested_at timestamptz, reason text, document jsonb, ended_at timestamptz, rejected_because text)
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select m.request, m.status, m.requested_by, m.requested_at, m.reason, m.document, m.ended_at, m.rejected_because
    from integratedb._my_requests m order by m.request
$$;

comment on function integratedb.my_requests() is 'What became of what the calling stakeholder asked for: pending | approved | rejected | replaced. No rows for others';

create or replace function integratedb.my_claims()
returns setof integratedb.claims
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select * from integratedb._my_claims
$$;

comment on function integratedb.my_claims() is 'What the calling stakeholder claims, as view claims. No rows for others';
