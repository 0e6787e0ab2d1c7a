-- Who has to agree to what is pending, as things are now? The owner of each relation that a request names or that its
-- wildcards take in. Of a wildcard, of what is not there yet, and of what may go and come back as another's (optional,
-- an alternative), the owner of the schema as well; without schema an administrator.
create or replace view integratedb._request_owner as
with path as not materialized (
  select r.id as request, r.stakeholder, p.schema, p.relation, p.access, p.follows
    from integratedb.claim_request r
    cross join lateral jsonb_to_recordset(r.paths) p (schema text, relation text, access text[], follows boolean)
   where r.status = 'pending'
), part as (
  select p.request, p.stakeholder, p.schema, c.relname::text as relation, p.access, c.relowner as owner_id
    from path p
    join pg_catalog.pg_namespace n on n.nspname = p.schema::name
    join pg_catalog.pg_class c on c.relnamespace = n.oid
   where case when p.relation is null
           then c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and not exists (
             select from pg_catalog.pg_depend d
              where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
           else c.relname = p.relation::name end
  union all
  select p.request, p.stakeholder, p.schema, coalesce(p.relation, ''), p.access, n.nspowner
    from path p
    left join pg_catalog.pg_namespace n on n.nspname = p.schema::name
   where p.follows
      or not exists (select from pg_catalog.pg_class c where c.relnamespace = n.oid and c.relname = p.relation::name)
), owned as (
  select p.request, p.stakeholder, p.schema, p.relation, p.access, r.oid as owner_id, r.rolname::text as owner
    from part p
    left join pg_catalog.pg_roles a on a.rolname = 'integratedb_admin'
    left join pg_catalog.pg_roles r on r.oid = coalesce(p.owner_id, a.oid)
)
select
  o.request,
  coalesce(o.owner, 'integratedb_admin') as owner,
  o.owner_id::bigint as owner_id,
  bool_or(not (
    -- Its own.
    coalesce(pg_has_role((select s.oid from pg_catalog.pg_roles s where s.rolname = o.stakeholder), o.owner_id, 'usage'), false)
    or exists (
      select from integratedb.allowance l
       where l.stakeholder = o.stakeholder and l.owner = o.owner and l.owner_id = o.owner_id::bigint
         and l.schema_name = o.schema and l.relation_name in (o.relation, '') and o.access <@ l.access)
    or exists (
      select from integratedb.decision d
       where d.request = o.request and d.decision = 'approve'
         and ('integratedb_admin' = any (d.owners)
              or exists (select from unnest(d.owners, d.owner_ids) x (owner, id) where x.owner = o.owner and x.id = o.owner_id::bigint)))
  )) as is_waiting
from owned o
group by o.request, o.owner, o.owner_id;

comment on view integratedb._request_owner is
  'internal: of each pending request, the roles that have a say; is_waiting: not approved for it, not allowed beforehand, not the stakeholder''s own. An administrator''s approval is one for all';

create or replace function integratedb._waiting_for(request bigint)
returns text[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(select distinct o.owner from integratedb._request_owner o where o.request = _waiting_for.request and o.is_waiting order by 1)
$$;

comment on function integratedb._waiting_for(bigint) is 'internal: the roles whose approval a pending request waits for';

create or replace function integratedb._is_admin(role name)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_roles r
     where (r.rolname = 'integratedb_admin' or r.oid = (select nspowner from pg_namespace where nspname = 'integratedb'))
       and pg_has_role(role, r.oid, 'usage'))
$$;

comment on function integratedb._is_admin(name) is 'internal: has it the rights of integratedb_admin, the installer or a superuser?';
