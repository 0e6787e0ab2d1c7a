create or replace view integratedb.stakeholders as
select
  s.name,
  n.nspname::text as schema,
  r.rolname::text as username,
  r.rolvaliduntil as valid_until,
  coalesce(c.claims, 0) as claims,
  coalesce(c.unmet, 0) as unmet,
  (select max(a.backend_start) from pg_catalog.pg_stat_activity a where a.usename = r.rolname) as last_seen,
  s.created_at,
  s.created_by,
  s.claimed_at
from integratedb.stakeholder s
left join pg_catalog.pg_roles r on r.rolname = s.name
left join pg_catalog.pg_namespace n on n.nspname = s.name
left join lateral (
  select count(*) as claims, count(*) filter (where status = 'unmet') as unmet
    from integratedb.claims where stakeholder = s.name
) c on true;

comment on view integratedb.stakeholders is
  'Each application: its schema and login (null if somebody removed them), how many claims it has and how many are unmet, when the youngest of its open sessions began (last_seen)';
