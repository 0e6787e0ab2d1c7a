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
-- an array: its elements'. Not of a table's row type, which changes with the table.
create or replace function integratedb._type_content(type oid)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  with recursive element as (
    select e.* from pg_type t
      join pg_type e on e.oid = case when t.typsubscript = 'array_subscript_handler'::regproc then t.typelem else t.oid end
     where t.oid = type
  ), under (type, modifier) as (
    select typbasetype, typtypmod from element where typtype = 'd'
    union all
    select b.typbasetype, b.typtypmod from under u join pg_type b on b.oid = u.type where b.typtype = 'd'
  )
  select case e.typtype
    when 'd' then (
      select 'domain over ' || format_type(u.type, u.modifier) from under u join pg_type b on b.oid = u.type where b.typtype <> 'd')
    when 'e' then 'enum'
    when 'r' then 'range of ' || (select format_type(r.rngsubtype, null) from pg_range r where r.rngtypid = e.oid)
    when 'c' then (
      select 'composite of ' || string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
        from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.oid = e.typrelid and c.relkind = 'c' and a.attnum > 0 and not a.attisdropped)
  end
  from element e
$$;

comment on function integratedb._type_content(oid) is 'internal: of domains, enums, ranges and composite types; null for the others';

-- The labels of an enum, in their order: of an array its elements', of a domain the enum's under it. Null for other types.
create or replace function integratedb._type_labels(type oid)
returns json
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive under (type) as (
    select case when t.typsubscript = 'array_subscript_handler'::regproc then t.typelem else t.oid end from pg_type t where t.oid = type
    union all
    select case when b.typtype = 'd' then b.typbasetype else b.typelem end
      from under u join pg_type b on b.oid = u.type
     where b.typtype = 'd' or b.typsubscript = 'array_subscript_handler'::regproc
  )
  select json_agg(e.enumlabel order by e.enumsortorder) from under u join pg_enum e on e.enumtypid = u.type
$$;

comment on function integratedb._type_labels(oid) is 'internal: of enums, and of arrays of them and domains over them';

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
    'content', case when found >= 16384 then integratedb._type_content(found) end);
end
$$;

comment on function integratedb._resolve_type(text, text) is 'internal: a type in any spelling, as Postgres names it; null if it knows none';
