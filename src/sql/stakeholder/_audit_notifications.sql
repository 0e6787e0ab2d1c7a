-- Of what is a stakeholder told that it may not read? The stream asks nobody for privileges: subscriptions go by claims, and
-- follow migrations. What changed without one (a role that a policy or a grant is for, DDL with triggers off) is told here.
create or replace function integratedb._audit_notifications(name text)
returns table (stakeholder text, object text, privilege text, source text, finding text, fix text)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  select distinct s.stakeholder, format('table %I.%I', n.nspname, c.relname), x.privilege, 'notifications', 'beyond claims', 'SELECT * FROM integratedb.sync()'
    from integratedb.subscription s
    join integratedb._identities($1) i on i.stakeholder = s.stakeholder and not i.is_login
    join pg_class c on c.oid = s.relid::oid
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
      select 'events of rows that row level security hides' as privilege where integratedb._row_filters(c.oid, i.role, 'r') is not null
      union all
      select format('events with %s', string_agg(quote_ident(f), ', ' order by f))
        from unnest(s.fields) f
       where not exists (
         select from pg_attribute a where a.attrelid = c.oid and a.attname = f::name and a.attnum > 0 and has_column_privilege(i.role, c.oid, a.attnum, 'select'))
      having count(*) > 0
    ) x
   where s.status = 'met';
end
$$;

comment on function integratedb._audit_notifications(text) is 'internal: the part of audit_access() about what events tell';
