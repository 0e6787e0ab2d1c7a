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

-- Which type does a person mean by this spelling, in this schema? {type, base, length, scale}, or null if none.
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
    modified := regexp_replace(spelling, '"([^"]|"")*"', '', 'g') ~ '\(' or element = 'interval'::regtype;
    if modified then
      -- to_regtype has taken all of the text for one type with constant modifiers: there is nothing else in it.
      query := format(e'explain (verbose, format json) select cast(null as %s\n)', spelling);
      perform set_config('search_path', authors_path, true);
      short := pg_catalog.format_type(element, null::pg_catalog.int4);
      execute query into plan;
      perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      shown := regexp_replace(plan->0->'Plan'->'Output'->>0, '^\(*NULL::', '');
    end if;
  exception when syntax_error_or_access_rule_violation or data_exception or invalid_schema_name or feature_not_supported
    or program_limit_exceeded then
    return null;
  end;
  -- With its schema, where that is not pg_catalog: the modifiers follow the name.
  if format_type(element, null) <> short then
    shown := format_type(element, null) || substr(shown, length(short) + 1);
  end if;
  -- The types with a length write their modifiers as plain numbers.
  modifier := case
    when element in ('varchar'::regtype, 'bpchar'::regtype) then substring(shown from '\((\d+)\)')::integer + 4
    when element in ('bit'::regtype, 'varbit'::regtype) then substring(shown from '\((\d+)\)')::integer
    when element = 'numeric'::regtype then
      ((substring(shown from '\((\d+),')::integer << 16) | (substring(shown from ',(-?\d+)\)')::integer & 2047)) + 4
  end;
  return jsonb_build_object(
    'type', coalesce(shown, format_type(found, null)),
    'base', format_type(found, null),
    'length', integratedb._type_length(found, modifier),
    'scale', integratedb._type_scale(found, modifier));
end
$$;

comment on function integratedb._resolve_type(text, text) is 'internal: a type in any spelling, as Postgres names it; null if it knows none';
