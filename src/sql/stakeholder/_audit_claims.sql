-- SQL that gives a stakeholder what it lacks itself: it claims it, as everything that it uses; where a match has the path already, there.
-- All at once, or set_claims() would refuse the one for want of the other. Done twice it changes nothing.
create or replace function integratedb._claim_also(name text, lacking json)
returns text
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  document constant jsonb := (select s.document from integratedb.stakeholder s where s.name = $1);
  places integer := jsonb_array_length(document->'match');
  place integer;
  entry jsonb;
  more record;
  call text := format('integratedb.get_claims(%L)', name);
begin
  for more in
    select format('%I.%I', n.nspname, c.relname) as path, array_agg(distinct l.privilege) as access, array_agg(distinct a.attname) as fields
      from json_to_recordset(lacking) l (relation oid, privilege text, num smallint)
      join pg_class c on c.oid = l.relation
      join pg_namespace n on n.oid = c.relnamespace
     cross join lateral (
       -- Where any column will do, the first.
       select a.attname from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and case when l.num is null then l.privilege = 'select' or a.attgenerated = '' and a.attidentity <> 'a' else a.attnum = l.num end
        order by a.attnum limit 1
     ) a
     group by 1
  loop
    select k.match, document->'match'->k.match into place, entry
      from integratedb.claim k
     where k.stakeholder = $1 and format('%I.%I', k.schema_name, k.relation_name) = more.path and k.alternative is null
       and document->'match'->k.match->>'path' !~ '[.][*]$';
    if not found then
      place := places;
      places := places + 1;
      entry := jsonb_build_object('path', more.path, 'access', '[]'::jsonb);
    end if;
    entry := entry || jsonb_build_object(
      'access', (
        select coalesce(nullif(entry->'access', 'null'), '["select"]') || coalesce(jsonb_agg(p.privilege) filter (where not coalesce(entry->'access', '["select"]') ? p.privilege), '[]')
          from unnest(more.access) p (privilege)),
      'fields', case when entry->'fields' in ('"*"', '["*"]') then entry->'fields' else (
        select coalesce(nullif(entry->'fields', 'null'), '[]') || coalesce(jsonb_agg(f.field) filter (
                 where not coalesce(entry->'fields' @? format('$[*] ? (@ == %s || @.name == %1$s)', to_json(f.field))::jsonpath, false)), '[]')
          from unnest(more.fields) f (field)) end);
    call := format('jsonb_set(%s, ''{match,%s}'', %L)', call, place, entry);
  end loop;
  return format('SELECT * FROM integratedb.set_claims(%L, %s)', name, call);
end
$$;

comment on function integratedb._claim_also(text, json) is 'internal: SQL for audit_access(). lacking: {relation (oid), privilege, num (of a column; null: any will do)}[]';

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
  -- The core says what does not hold. It need not be asked about those who lack nothing that could make a claim of no use.
  for stakeholder in
    with claimed as materialized (
      select k.stakeholder, k.fields, k.access, c.oid, c.relkind, c.relrowsecurity, n.oid as schema, r.oid as role
        from integratedb.claim k
        join integratedb._identities($1) i on i.stakeholder = k.stakeholder and not i.is_login
        join pg_roles r on r.oid = i.role
        join pg_namespace n on n.nspname = k.schema_name::name
        join pg_class c on c.relnamespace = n.oid and c.relname = k.relation_name::name
       where k.status <> 'absent' and not r.rolsuper
    )
    select distinct k.stakeholder
      from claimed k
     where case
       when not has_schema_privilege(k.role, k.schema, 'usage') then true
       when (k.relkind = 'v' or k.relrowsecurity) and jsonb_path_exists(integratedb._obstacles(k.oid, k.role, k.access <> '{select}')::jsonb, '$[*] ? (@.is_granted == null)') then true
       when k.access <> '{select}' and exists (
         select from integratedb._called_by(k.oid, k.role, true) f
          where not case f.privilege when 'execute' then has_function_privilege(k.role, f.oid, 'execute') else has_sequence_privilege(k.role, f.oid, f.privilege) end) then true
       when (k.relkind = 'v' or k.relrowsecurity) and exists (
         select from integratedb._read_through(k.oid, k.role) w join pg_class c on c.oid = w.relation and c.relrowsecurity) then true
       when 'delete' = any (k.access) and not has_table_privilege(k.role, k.oid, 'delete') then true
       else exists (
         select from jsonb_to_recordset(k.fields) f (name name)
           join pg_attribute a on a.attrelid = k.oid and a.attname = f.name and a.attnum > 0
           cross join unnest(k.access) p (access)
          where p.access <> 'delete'
            -- These are read, and nobody writes them.
            and (p.access = 'select' or a.attgenerated = '' and a.attidentity <> 'a')
            and not has_column_privilege(k.role, k.oid, a.attnum, p.access)) end
     order by k.stakeholder
  loop
    return query
      with unmet as (
        select distinct on (f.path, f.field, f.message) f.*, k.relid::oid as relation, k.schema_name, k.access
          from jsonb_populate_recordset(null::integratedb.finding, integratedb._call('inspect_claims', integratedb._claims_in(stakeholder))) f
          left join integratedb.claim k on k.stakeholder = f.stakeholder and format('%I.%I', k.schema_name, k.relation_name) = f.path
         where f.code like 'IDB4%' or f.code = 'IDB104'
         order by f.path, f.field, f.message
      ), hidden as (
        -- So it may have been when the claim was made: no row, and no error.
        select distinct format('%I.%I', n.nspname, c.relname) as path, p.access, x.path as hiding, o.rolname as reader
          from integratedb.claim k
          join pg_class c on c.oid = k.relid::oid
          join pg_namespace n on n.oid = c.relnamespace
          join pg_roles r on r.rolname = k.stakeholder::name
          cross join unnest(k.access) p (access)
          cross join lateral (
            select f.oid, format('%I.%I', fn.nspname, f.relname) as path, w.checked_as, w.command, f.relowner, f.relforcerowsecurity
              from integratedb._read_through(c.oid, r.oid, (case p.access when 'select' then 'r' when 'insert' then 'a' when 'update' then 'w' else 'd' end)::"char") w
              join pg_class f on f.oid = w.relation and f.relrowsecurity
              join pg_namespace fn on fn.oid = f.relnamespace
          ) x
          join pg_roles o on o.oid = x.checked_as
         where k.stakeholder = _audit_claims.stakeholder and k.relation_name <> '' and k.status <> 'absent'
           and (c.relkind = 'v' or c.relrowsecurity)
           and not o.rolsuper and not o.rolbypassrls
           and (x.relforcerowsecurity or not pg_has_role(o.oid, x.relowner, 'usage'))
           and not exists (
             select from pg_policy y
              where y.polrelid = x.oid and y.polpermissive
                and y.polcmd in ('*', x.command)
                and exists (select from unnest(y.polroles) z (oid) where z.oid = 0 or pg_has_role(o.oid, z.oid, 'usage')))
      ), obstacle as materialized (
        select u.relation, o.message, o.remedy, o.expected, o.own_relation, o.own_column, o.own_by
          from (select distinct u.relation, u.access from unmet u where u.relation is not null) u
          join pg_roles r on r.rolname = _audit_claims.stakeholder::name
         cross join lateral json_to_recordset(integratedb._obstacles(u.relation, r.oid, u.access <> '{select}'))
           o (message text, is_granted boolean, remedy text, expected text, own_relation bigint, own_column smallint, own_by text)
         where o.is_granted is null
      ), also as materialized (
        select n.name, integratedb._claim_also(n.name, json_agg(json_build_object('relation', o.own_relation, 'privilege', o.expected, 'num', o.own_column))) as sql
          from obstacle o
         cross join lateral (select coalesce(o.own_by, _audit_claims.stakeholder) as name) n
         where o.own_relation is not null and (o.relation, o.message) in (select u.relation, u.message from unmet u)
         group by 1
      )
      select u.stakeholder, concat_ws('.', u.path, quote_ident(u.field)), upper(array_to_string(u.access, ', ')),
             concat_ws(' ', u.code, u.message), 'cannot be used',
             coalesce(
               (select coalesce(o.remedy, (select a.sql from also a where o.own_relation is not null and a.name = coalesce(o.own_by, u.stakeholder)))
                  from obstacle o where o.relation = u.relation and o.message = u.message limit 1),
               case u.code
                 when 'IDB402' then format('GRANT USAGE ON SCHEMA %I TO %I', u.schema_name, u.stakeholder)
                 when 'IDB403' then format('/* unless it is meant to see less now: then bring its policy back */ SELECT * FROM integratedb.set_claims(%L, integratedb.get_claims(%L))', u.stakeholder, u.stakeholder)
                 else 'SELECT * FROM integratedb.sync()' end)
        from unmet u
       where case u.code
               when 'IDB403' then not exists (select from hidden h where h.path = u.path)
               when 'IDB104' then exists (select from obstacle o where o.relation = u.relation and o.message = u.message)
               else true end
      union all
      select stakeholder, h.path, upper(h.access), format('row level security of %s: no policy lets %I see or write a row', h.hiding, h.reader),
             'cannot be used',
             format('CREATE POLICY %I ON %s FOR %s TO %I %s', format('%s %ss', left(stakeholder, 15), h.access), h.hiding, upper(h.access), h.reader,
               case h.access when 'insert' then 'WITH CHECK (true)' else 'USING (true)' end)
        from hidden h;
  end loop;
end
$$;

comment on function integratedb._audit_claims(text) is 'internal: the part of audit_access() about claims that are granted and cannot be used';
