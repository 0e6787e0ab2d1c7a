-- How much does a type hold? Characters, or digits of precision as information_schema counts them.
create or replace function integratedb._type_length(type oid, modifier integer)
returns integer
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case type
    when 'varchar'::regtype then case when modifier >= 4 then modifier - 4 end
    when 'bpchar'::regtype then case when modifier >= 4 then modifier - 4 end
    when 'varbit'::regtype then case when modifier >= 0 then modifier end
    when 'bit'::regtype then case when modifier >= 0 then modifier end
    when 'numeric'::regtype then case when modifier >= 4 then ((modifier - 4) >> 16) & 65535 end
    when 'int2'::regtype then 16
    when 'int4'::regtype then 32
    when 'int8'::regtype then 64
    when 'float4'::regtype then 24
    when 'float8'::regtype then 53
  end
$$;

comment on function integratedb._type_length(oid, integer) is 'internal: characters, digits or bits; null where the type sets no limit';

create or replace function integratedb._type_scale(type oid, modifier integer)
returns integer
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- Eleven bits, signed, since PostgreSQL 15: numeric(3,-2) exists.
  select case when type = 'numeric'::regtype and modifier >= 4 then (((modifier - 4) & 2047) # 1024) - 1024 end
$$;

comment on function integratedb._type_scale(oid, integer) is 'internal: digits after the point of a numeric; null where it sets none';

-- What is behind the name of a type that somebody made? Dropped and made anew under its name, it can be anything. Of
-- an array: its elements'. What it is made of is looked into in turn, and not named: the name of a type within is nothing
-- that changes what is read. Each attribute of a composite type has its place in front, for those that are added at the end
-- to be told from others (isSameContent in src/core/catalog/type.ts). Not of a table's row type, which changes with the
-- table. Postgres lets no type hold itself, so this ends.
-- And the labels of its enums in their order, those in a composite type under the name of their attribute.
create or replace function integratedb._made_of(type oid, out content text, out labels json)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
begin
  with recursive part (place, attributes, made, oid, modifier) as (
    select '{}'::bigint[], '' collate "C", '' collate "C", case when t.typsubscript = 'array_subscript_handler'::regproc then t.typelem else t.oid end, null::integer
      from pg_type t where t.oid = type
    union all
    select x.*
      from part p
      join pg_type t on t.oid = p.oid and t.oid >= 16384 -- Postgres's own stay as they are
      left join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
      cross join lateral (
        select p.place, p.attributes, case when p.made like '%domain over ' then p.made else p.made || 'domain over ' end, t.typbasetype, t.typtypmod
         where t.typtype = 'd'
        union all
        select p.place, p.attributes, p.made || 'array of ', t.typelem, p.modifier where t.typsubscript = 'array_subscript_handler'::regproc
        union all
        select p.place, p.attributes, p.made || case t.typtype when 'r' then 'range of ' else 'multirange of ' end, r.rngsubtype, null
          from pg_range r where t.typtype in ('r', 'm') and t.oid in (r.rngtypid, r.rngmultitypid)
        union all
        select p.place || row_number() over (order by a.attnum), concat(p.attributes, quote_ident(a.attname), '.'), quote_ident(a.attname) || ' ', a.atttypid, a.atttypmod
          from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      ) x
  ), last as (
    select p.place, p.attributes, p.oid,
           p.made || case when t.oid < 16384 then format_type(t.oid, p.modifier)
                       when t.typtype = 'e' then 'enum'
                       when c.relkind = 'c' then 'composite'
                       when t.typtype = 'c' then 'row'
                       else quote_ident(t.typname) || substr(format_type(t.oid, p.modifier), length(format_type(t.oid, null)) + 1) end as made,
           p.place = '{}' and p.made = '' and t.typtype <> 'e' and c.relkind is distinct from 'c' as is_bare
      from (select * from part limit 2000) p -- a type twice in another, that twice in the next, and so on: the whole can be as long as anybody likes
      join pg_type t on t.oid = p.oid
      left join pg_class c on c.oid = t.typrelid
     where t.oid < 16384 or t.typtype not in ('d', 'r', 'm') and t.typsubscript <> 'array_subscript_handler'::regproc
  )
  select case when not bool_or(l.is_bare) and count(*) < 2000 then
           string_agg(case when l.place = '{}' then '' when l.place[cardinality(l.place)] = 1 then ' of ' else ', ' end
                      || concat(array_to_string(nullif(l.place, '{}'), '.') || ': ', l.made), '' order by l.place) end,
         (select json_agg(l.attributes || e.enumlabel order by l.place, e.enumsortorder)
            from last l cross join lateral (select e.enumlabel, e.enumsortorder from pg_enum e where e.enumtypid = l.oid offset 0) e)
    into content, labels
    from last l;
end
$$;

comment on function integratedb._made_of(oid) is 'internal: content of domains, enums, ranges and composite types; null for the others, as labels are where there are none';

-- A type as a claim remembers it, {base, content, ...}, with its content as it is told now.
create or replace function integratedb._with_content(type jsonb)
returns jsonb
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select case when jsonb_typeof(type) = 'object' then
    type || coalesce((select jsonb_build_object('content', m.content) from integratedb._made_of(to_regtype(type->>'base')) m where m.content is not null), '{}') else type end
$$;

comment on function integratedb._with_content(jsonb) is 'internal: for an upgrade';

-- Which type does a person mean by this spelling, in this schema? {type, base, length, scale, content}, or null if none.
-- Postgres reads it: to_regtype for the type, and for the modifiers the plan of a null of that type, which writes it
-- out in full (to_regtypemod exists from PostgreSQL 17 only).
create or replace function integratedb._resolve_type(spelling text, schema text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- or format_type() spells types as the session likes
as $$
declare
  -- As the document's author would: the relation's own schema, then public. Others' operators and functions live
  -- there too, and would run as us: nothing but the spelling itself is read with this path.
  authors_path constant text := format('pg_catalog, %I, public, pg_temp', schema);
  query text;
  found oid;
  element oid;
  modified boolean;
  short text;
  plan json;
  shown text;
  modifier integer;
begin
  begin
    -- to_regtype takes an oid, or '-', too.
    if spelling !~ '[^0-9-]' then
      return null;
    end if;
    perform set_config('search_path', authors_path, true);
    found := pg_catalog.to_regtype(spelling);
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    if found is null then
      return null;
    end if;
    element := coalesce((select typelem from pg_type where oid = found and typsubscript = 'array_subscript_handler'::regproc), found);
    -- "char" alone is any char(n), as varchar alone is any varchar(n); interval takes words, not only parentheses.
    modified := regexp_replace(spelling, '"([^"]|"")*"', '', 'g') ~ '[(]' or element = 'interval'::regtype;
    if modified then
      -- to_regtype has taken all of the text for one type with constant modifiers: there is nothing else in it.
      query := format(e'explain (verbose, format json) select cast(null as %s\n)', spelling);
      perform set_config('search_path', authors_path, true);
      short := pg_catalog.format_type(element, null::pg_catalog.int4);
      execute query into plan;
      perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      shown := regexp_replace(plan->0->'Plan'->'Output'->>0, '^[(]*NULL::', '');
    end if;
  exception when syntax_error_or_access_rule_violation or data_exception or invalid_schema_name or feature_not_supported
    or program_limit_exceeded then
    return null;
  end;
  -- With its schema, where that is not pg_catalog: the modifiers follow the name.
  if format_type(element, null) <> short then
    shown := format_type(element, null) || substr(shown, length(short) + 1);
  end if;
  -- The types with a length write their modifiers as plain numbers. (No backslashes: standard_conforming_strings may be off.)
  modifier := case
    when element in ('varchar'::regtype, 'bpchar'::regtype) then substring(shown from '[(]([0-9]+)[)]')::integer + 4
    when element in ('bit'::regtype, 'varbit'::regtype) then substring(shown from '[(]([0-9]+)[)]')::integer
    when element = 'numeric'::regtype then
      ((substring(shown from '[(]([0-9]+),')::integer << 16) | (substring(shown from ',(-?[0-9]+)[)]')::integer & 2047)) + 4
  end;
  return jsonb_build_object(
    'type', coalesce(shown, format_type(found, null)),
    'base', format_type(found, null),
    'length', integratedb._type_length(found, modifier),
    'scale', integratedb._type_scale(found, modifier),
    'content', case when found >= 16384 then (integratedb._made_of(found)).content end);
end
$$;

comment on function integratedb._resolve_type(text, text) is 'internal: a type in any spelling, as Postgres names it; null if it knows none';

-- The types that a type is made of, itself among them: what an array, a domain, a range or a row of it holds. Those of tables' rows only if
-- with_tables: they change with the table. row_of: pg_class.oid of a type whose attributes are followed.
create or replace function integratedb._types_in(type oid, with_tables boolean)
returns table (oid oid, kind "char", row_of oid)
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
rows 3
security invoker
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin return query
  with recursive part (oid, base, element, row, kind) as (
    select t.oid, t.typbasetype, t.typelem, c.oid, t.typtype from pg_type t left join pg_class c on c.oid = t.typrelid and (with_tables or c.relkind = 'c') where t.oid = $1
    union
    select t.oid, t.typbasetype, t.typelem, c.oid, t.typtype
      from part p
      cross join lateral (
        select p.base where p.base >= 16384
        union all
        select p.element where p.element >= 16384
        union all
        select r.rngsubtype from pg_range r where p.kind in ('r', 'm') and p.oid in (r.rngtypid, r.rngmultitypid)
        union all
        select a.atttypid from pg_attribute a where a.attrelid = p.row and a.attnum > 0 and a.atttypid >= 16384
      ) x (oid)
      join pg_type t on t.oid = x.oid
      left join pg_class c on c.oid = t.typrelid and (with_tables or c.relkind = 'c')
  )
  select p.oid, p.kind, p.row from part p;
end
$$;

comment on function integratedb._types_in(oid, boolean) is 'internal: a type and what it is made of';

-- The composite types in a type, but no tables' row types, as in _made_of.
create or replace function integratedb._composites_in(type oid)
returns oid[]
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select array_agg(t.row_of) from integratedb._types_in(type, false) t where t.row_of is not null);
end
$$;

comment on function integratedb._composites_in(oid) is 'internal: pg_class.oid; null if there are none';
