-- What does the catalogue say of these relations, and what may these stakeholders do with them?
-- One JSON, as src/core/catalog/catalog.ts describes it. Read from pg_catalog: information_schema hides what the
-- reader may not see. The first two arguments are pairs: stakeholders[i] is asked about relations[i]. written: relations
-- that somebody claims to write, of which more has to be known.
create or replace function integratedb._catalog(stakeholders text[], relations bigint[], written bigint[])
returns text
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- as in _note_ddl
set quote_all_identifiers = off -- or format_type() spells types as the session likes
set enable_hashjoin = off -- each relation's rows by their index: joined otherwise, the whole catalogue would be read for one relation
set enable_mergejoin = off
set enable_seqscan = off
set jit = off -- where something has to be scanned all the same, the cost that this gets would have every plan compiled
as $$
begin return (
  with pair as materialized (
    select distinct p.stakeholder, p.relation
      from unnest(_catalog.stakeholders, relations) p (stakeholder, relation)
     where p.relation is not null
  ), role as materialized (
    select rolname::text as stakeholder, oid from pg_roles
     where rolname in (select stakeholder::name from pair)
  ), relation as materialized (
    select c.oid::bigint as id, c.relname, json_build_object(
      'id', c.oid::bigint,
      'schema', n.nspname,
      'schema_id', n.oid::bigint,
      'name', c.relname,
      'kind', c.relkind,
      'owner', pg_get_userbyid(c.relowner),
      'grantable', pg_has_role(c.relowner, 'usage') or has_table_privilege(c.oid, 'select with grant option') and (
        c.oid::bigint <> all (written) or has_table_privilege(c.oid, 'insert with grant option')
          and has_table_privilege(c.oid, 'update with grant option') and has_table_privilege(c.oid, 'delete with grant option')),
      'schema_grantable', pg_has_role(n.nspowner, 'usage') or has_schema_privilege(n.oid, 'usage with grant option'),
      'in_wildcard', not c.relispartition and not exists (
        select from pg_depend d
         where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0 and d.deptype = 'e'),
      -- Made, renamed or moved by this transaction, or its schema was.
      'is_new', case when age(n.xmin) <= age(pg_current_xact_id_if_assigned()::xid)
        or (select age(t.xmin) <= age(pg_current_xact_id_if_assigned()::xid) from pg_type t where t.oid = c.reltype) then true end,
      'unpopulated', case c.relkind when 'm' then not c.relispopulated or null
                       when 'v' then (
                         select true from pg_class m
                          where m.oid = any (b.behind::oid[]) and m.relkind = 'm' and not m.relispopulated
                            and exists (select from integratedb._read_through(c.oid, null) w where w.relation = m.oid and not w.is_of_policy) limit 1) end,
      'behind', b.behind || f.family,
      'definition', case when c.relkind in ('v', 'm') then (
        -- With those of the views that it reads. What a materialized view reads may get another name without anybody looking at the view.
        select case c.relkind when 'm' then json_build_array(md5(max(q.kept)))
                 else json_build_array(md5(string_agg(q.kept, ' ' order by r.ev_class)), md5(string_agg(q.shown, ' ' order by q.shown))) end
          from pg_rewrite r
          join pg_class v on v.oid = r.ev_class and (v.oid = c.oid or v.relkind = 'v')
         -- PostgreSQL 15 keeps the view itself in it, twice, whose oid is another one when it is made anew; 15 and 16 where in the statement each part stood.
         cross join lateral (
           select regexp_replace(r.ev_action::text,
             format('{RANGETBLENTRY :alias {ALIAS [^{}]*} :eref {ALIAS [^{}]*} :rtekind 0 :relid %s [^{}]*}| :(stmt_)?(location|len) -?[0-9]+', v.oid), '', 'g') as kept,
             case v.relkind when 'v' then pg_get_viewdef(v.oid) end as shown
         ) q
         where r.ev_class = any (b.behind::oid[] || c.oid) and r.ev_type = '1') end,
      'writes', case when c.oid::bigint = any (written) then integratedb._writes(c.oid) end,
      'columns', coalesce((
        select json_agg(json_build_object(
            -- In the order of jsonb's keys: what was stored of a column comes back so, and is compared with this.
            'num', a.attnum,
            'base', format_type(a.atttypid, null),
            'name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'scale', room.scale,
            'labels', m.labels,
            'length', room.length,
            'unique', case when c.relkind in ('r', 'p') then coalesce(a.attnum = any (u.columns), false) end,
            'content', m.content,
            'nullable', case when c.relkind in ('v', 'm') then null else
              v.nullable and (not a.attnotnull or exists (
                -- PostgreSQL 18: a NOT NULL constraint can be NOT VALID, and rows that break it are there.
                select from pg_constraint k
                 where k.conrelid = c.oid and k.contype = 'n' and k.conkey = array[a.attnum] and not k.convalidated)
                or coalesce(a.attname = any (nullable.columns), false))
              end,
            'collation', case when a.attcollation <> t.typcollation then json_build_array(a.attcollation::regcollation::text, a.attcollation::text) end,
            'expression', case when a.attgenerated <> '' then (
              select json_build_array(md5(e.adbin::text), md5(pg_get_expr(e.adbin, e.adrelid)))
                from pg_attrdef e where e.adrelid = c.oid and e.adnum = a.attnum) end
          ) order by a.attnum)
          from pg_attribute a
          join pg_type t on t.oid = a.atttypid
          left join lateral (select m.* from integratedb._made_of(a.atttypid) m where a.atttypid >= 16384 offset 0) m on true -- Postgres's own stay as they are
          cross join lateral (
            select a.atttypid as type, a.atttypmod as modifier, true as nullable where t.typtype <> 'd'
            union all
            -- A domain holds what the type under it holds, or under the domain under it.
            select d.type, d.modifier, not d.not_null
              from (
                with recursive under (type, modifier, not_null) as (
                  select t.typbasetype, t.typtypmod, t.typnotnull where t.typtype = 'd'
                  union all
                  select b.typbasetype, b.typtypmod, u.not_null or b.typnotnull
                    from under u join pg_type b on b.oid = u.type where b.typtype = 'd'
                )
                select u.* from under u join pg_type b on b.oid = u.type where b.typtype <> 'd'
              ) d
          ) v
          -- _type_length() and _type_scale(), which as calls would be a third of what a table's columns cost.
          cross join lateral (
            select case
                when v.type in ('varchar'::regtype, 'bpchar'::regtype) then case when v.modifier >= 4 then v.modifier - 4 end
                when v.type in ('varbit'::regtype, 'bit'::regtype) then case when v.modifier >= 0 then v.modifier end
                when v.type = 'numeric'::regtype then case when v.modifier >= 4 then ((v.modifier - 4) >> 16) & 65535 end
                when v.type = 'int2'::regtype then 16
                when v.type = 'int4'::regtype then 32
                when v.type = 'int8'::regtype then 64
                when v.type = 'float4'::regtype then 24
                when v.type = 'float8'::regtype then 53
              end as length,
              case when v.type = 'numeric'::regtype and v.modifier >= 4 then (((v.modifier - 4) & 2047) # 1024) - 1024 end as scale
          ) room
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]')
    ) as value
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (select case when c.relkind = 'v' or c.relrowsecurity then integratedb._behind(c.oid) end as behind offset 0) b -- once
    -- Of tables that inherit from it the rows are read with its own, and its keys do not cover those. One that inherits no more tells nobody whose child it was.
    cross join lateral (
      select array_agg(d order by d) as family
        from unnest(case when c.relkind = 'r' and c.relhassubclass then integratedb._with_descendants(array[c.oid::bigint]) end) d where d <> c.oid::bigint
    ) f
    cross join lateral (
      select array_agg(distinct h.attname) as columns
        from unnest(f.family) d
        join pg_attribute h on h.attrelid = d::oid and h.attnum > 0 and not h.attisdropped
       where not h.attnotnull or exists (
         select from pg_constraint k where k.conrelid = h.attrelid and k.contype = 'n' and k.conkey = array[h.attnum] and not k.convalidated)
    ) nullable
    left join lateral (
      select array_agg(k.conkey[1]) as columns from pg_constraint k
       where k.conrelid = c.oid and k.contype in ('p', 'u') and cardinality(k.conkey) = 1 and f.family is null
    ) u on true
    where c.oid in (select relation::oid from pair)
  ), access as (
    select p.stakeholder, p.relation, json_build_object(
      'stakeholder', p.stakeholder,
      'relation', p.relation,
      'has_role', r.oid is not null,
      'owner', c.relowner is not distinct from r.oid,
      'granted', json_build_object('select', a.select_granted, 'insert', a.insert_granted, 'update', a.update_granted,
        'delete', (select true from aclexplode(c.relacl) x where x.grantee = r.oid and x.privilege_type = 'DELETE' limit 1)),
      'effective', json_build_object('select', a.select_effective,
        'insert', case when is_written then a.insert_effective end, 'update', case when is_written then a.update_effective end,
        'delete', case when is_written and has_table_privilege(r.oid, c.oid, 'delete') then true end),
      'surplus', coalesce(a.surplus, false)
        or exists (select from aclexplode(c.relacl) x where x.grantee = r.oid and (x.privilege_type <> 'DELETE' or x.is_grantable)),
      'sequences', case when is_written then (
        select json_agg(json_build_object('id', q.oid::bigint,
                 'granted', exists (select from aclexplode(q.relacl) x where x.grantee = r.oid and x.privilege_type = 'USAGE'),
                 'effective', has_sequence_privilege(r.oid, q.oid, 'usage') or has_sequence_privilege(r.oid, q.oid, 'update')) order by q.oid)
          from json_to_recordset((select l.value->'writes'->'sequences' from relation l where l.id = p.relation)) s (id bigint)
          join pg_class q on q.oid = s.id::oid) end,
      'obstacles', case when c.relkind = 'v' or c.relrowsecurity or is_written then integratedb._obstacles(c.oid, r.oid, is_written) end,
      'rows', case when c.relkind = 'v' or c.relrowsecurity then json_build_object(
        'select', integratedb._row_filters(c.oid, r.oid, 'r'),
        'insert', case when is_written then integratedb._row_filters(c.oid, r.oid, 'a') end,
        'update', case when is_written then integratedb._row_filters(c.oid, r.oid, 'w') end,
        'delete', case when is_written then integratedb._row_filters(c.oid, r.oid, 'd') end) end,
      'usage_granted', exists (select from aclexplode(n.nspacl) x where x.grantee = r.oid and x.privilege_type = 'USAGE'),
      'usage', coalesce(has_schema_privilege(r.oid, n.oid, 'usage'), false),
      'schema_owner', n.nspowner is not distinct from r.oid
    ) as value
    from pair p
    join pg_class c on c.oid = p.relation::oid
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (select p.relation = any (written) as is_written) w
    left join role r using (stakeholder)
    left join lateral (
      select json_agg(a.attnum order by a.attnum) filter (where x.has_select) as select_granted,
             json_agg(a.attnum order by a.attnum) filter (where x.has_insert) as insert_granted,
             json_agg(a.attnum order by a.attnum) filter (where x.has_update) as update_granted,
             json_agg(a.attnum order by a.attnum) filter (where x.has_select or has_column_privilege(r.oid, c.oid, a.attnum, 'select')) as select_effective,
             json_agg(a.attnum order by a.attnum) filter (where is_written and has_column_privilege(r.oid, c.oid, a.attnum, 'insert')) as insert_effective,
             json_agg(a.attnum order by a.attnum) filter (where is_written and has_column_privilege(r.oid, c.oid, a.attnum, 'update')) as update_effective,
             bool_or(x.has_other) as surplus
        from pg_attribute a
        left join lateral (
          select bool_or(privilege_type = 'SELECT') as has_select, bool_or(privilege_type = 'INSERT') as has_insert,
                 bool_or(privilege_type = 'UPDATE') as has_update,
                 bool_or(privilege_type not in ('SELECT', 'INSERT', 'UPDATE') or is_grantable) as has_other
            from aclexplode(a.attacl) where grantee = r.oid
        ) x on a.attacl is not null
       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) a on true
  )
  select json_strip_nulls(json_build_object(
    'relations', coalesce((select json_agg(value order by id) from relation), '[]'),
    'access', coalesce((select json_agg(value order by stakeholder, relation) from access), '[]')))::text
); end
$$;

comment on function integratedb._catalog(text[], bigint[], bigint[]) is 'internal: relations, and the access of stakeholders to them, as JSON text';
