create or replace view integratedb.stakeholders as
select
  s.name,
  n.nspname::text as schema,
  l.credentials,
  s.options,
  coalesce(c.claims, 0) as claims,
  coalesce(c.unmet, 0) as unmet,
  l.last_seen,
  s.created_at,
  s.created_by,
  s.claimed_at
from integratedb.stakeholder s
left join pg_catalog.pg_namespace n on n.nspname = s.name
left join lateral (
  select coalesce(
           jsonb_agg(jsonb_build_object('username', k.username, 'kind', k.kind, 'valid_until', k.valid_until) order by k.issued_at, k.username)
             filter (where r.rolcanlogin and coalesce(k.valid_until, 'infinity') > clock_timestamp()),
           '[]') as credentials,
         max(k.last_seen) as last_seen
    from integratedb.credentials k left join pg_catalog.pg_roles r on r.rolname = k.username
   where k.stakeholder = s.name
) l on true
left join lateral (
  select count(*) as claims, count(*) filter (where status = 'unmet') as unmet
    from integratedb.claims where stakeholder = s.name
) c on true;

comment on view integratedb.stakeholders is
  'Each application: its schema (null if somebody removed it), its valid logins ([{"username", "kind", "valid_until"}]) and options, how many claims it has and how many are unmet, when the youngest of its open sessions began (last_seen)';
