-- Which claims are granted and of no use all the same, because the schema is closed, row level security hides
-- every row, or a view's owner may not read what is behind it?
create or replace function integratedb._audit_claims(name text)
returns table (stakeholder text, object text, privilege text, source text, finding text, fix text)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  for stakeholder in
    select i.stakeholder from integratedb._identities($1) i
      join integratedb.stakeholder s on s.name = i.stakeholder
     where not i.is_login and s.document is not null
     order by i.stakeholder
  loop
    return query
      with unmet as (
        select distinct on (f.path, f.field, f.message) f.*, k.relid::oid as relation, k.schema_name, k.access
          from jsonb_populate_recordset(null::integratedb.finding, integratedb._call('inspect_claims', integratedb._claims_of(stakeholder))) f
          left join integratedb.claim k on k.stakeholder = f.stakeholder and format('%I.%I', k.schema_name, k.relation_name) = f.path
         where f.code like 'IDB4%'
         order by f.path, f.field, f.message
      )
      select u.stakeholder, concat_ws('.', u.path, quote_ident(u.field)), upper(array_to_string(u.access, ', ')),
             concat_ws(' ', u.code, u.message), 'cannot be used',
             coalesce(
               (select o.remedy
                  from json_to_recordset(integratedb._obstacles(u.relation, r.oid, u.access <> '{select}')) o (message text, remedy text)
                 where o.message = u.message limit 1),
               case u.code
                 when 'IDB402' then format('GRANT USAGE ON SCHEMA %I TO %I', u.schema_name, u.stakeholder)
                 when 'IDB403' then format('/* unless it is meant to see less now, look for the policy that is missing */ SELECT * FROM integratedb.set_claims(%L, integratedb.get_claims(%L))', u.stakeholder, u.stakeholder)
                 when 'IDB404' then format('/* claim that, too, or give the view to an owner that may read it: */ ALTER VIEW %s RESET (security_invoker)', u.path)
                 else 'SELECT * FROM integratedb.sync()' end)
        from unmet u join pg_roles r on r.rolname = u.stakeholder::name;

    -- So it may have been when the claim was made: no row, and no error.
    return query
      select k.stakeholder, format('%I.%I', n.nspname, c.relname), upper(p.access), format('row level security of %s: no policy lets %s see or write a row', x.path, quote_ident(x.role)),
             'cannot be used',
             format('CREATE POLICY %I ON %s FOR %s TO %I %s', left(format('%s %ss', k.stakeholder, p.access), 60), x.path, upper(p.access), x.role,
               case p.access when 'insert' then 'WITH CHECK (true)' else 'USING (true)' end)
        from (select distinct k.stakeholder, k.relid, k.access from integratedb.claim k where k.stakeholder = _audit_claims.stakeholder and k.relation_name <> '' and k.status = 'met') k
        join pg_class c on c.oid = k.relid::oid
        join pg_namespace n on n.oid = c.relnamespace
        join pg_roles r on r.rolname = k.stakeholder::name
        cross join unnest(k.access) p (access)
        cross join lateral (
          select distinct f.oid, format('%I.%I', fn.nspname, f.relname) as path, w.checked_as, o.rolname as role
            from integratedb._read_through(c.oid, r.oid) w
            join pg_class f on f.oid = w.relation and f.relrowsecurity
            join pg_namespace fn on fn.oid = f.relnamespace
            join pg_roles o on o.oid = w.checked_as
           where (c.relkind = 'v' or f.oid = c.oid)
             and not o.rolsuper and not o.rolbypassrls
             and (f.relforcerowsecurity or not pg_has_role(o.oid, f.relowner, 'usage'))
        ) x
       where (c.relkind = 'v' or c.relrowsecurity)
         and not exists (
           select from pg_policy y
            where y.polrelid = x.oid and y.polpermissive
              and y.polcmd in ('*', case p.access when 'select' then 'r' when 'insert' then 'a' when 'update' then 'w' else 'd' end)
              and exists (select from unnest(y.polroles) z (oid) where z.oid = 0 or pg_has_role(x.checked_as, z.oid, 'usage')));
  end loop;
end
$$;

comment on function integratedb._audit_claims(text) is 'internal: the part of audit_access() about claims that are granted and cannot be used';
