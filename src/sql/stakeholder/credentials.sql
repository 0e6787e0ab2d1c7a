-- Who is logged in? Of others' sessions Postgres tells when they began only to the powerful; administrators are told this much.
create or replace function integratedb._sessions()
returns table (role_id oid, sessions bigint, last_seen timestamptz)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.usesysid, count(*), max(a.backend_start)
    from pg_stat_activity a
   where a.usesysid in (select c.role_id::oid from integratedb.credential c)
   group by a.usesysid
$$;

comment on function integratedb._sessions() is 'internal: of stakeholders'' logins; administrators may call it, for the views';

create or replace view integratedb.credentials as
select
  c.stakeholder,
  c.username,
  c.kind,
  least(c.valid_until, c.revoked_at) as valid_until,
  coalesce(a.sessions, 0) as sessions,
  a.last_seen,
  c.issued_at,
  c.issued_by,
  c.problem
from integratedb.credential c
left join integratedb._sessions() a on a.role_id = c.role_id::pg_catalog.oid;

comment on view integratedb.credentials is
  'Each login of a stakeholder: kind (own: the role of its name, rotated, lease), until when (null: for ever; past: it goes with the next expire_credentials(), and problem tells why it could not), how many sessions it has and when the youngest began (last_seen), who issued it and when';
