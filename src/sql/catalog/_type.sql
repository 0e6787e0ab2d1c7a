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
create or replace function integratedb._resolve_type(spelling text, schema text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found oid;
  modifier integer;
  modifiers text;
  typmodin regproc;
begin
  -- As the document's author would: the relation's own schema, then public. SET on the function restores it.
  perform set_config('search_path', format('pg_catalog, %I, public, pg_temp', schema), true);
  begin
    found := to_regtype(spelling);
    modifiers := substring(spelling from '\(([0-9, \-]+)\)');
    if modifiers is not null then
      select t.typmodin into typmodin from pg_type t where t.oid = case
        when found is null then null
        else coalesce((select e.oid from pg_type e where e.typarray = found), found) end;
      if typmodin is null or typmodin = 0 then
        return null;
      end if;
      execute format('select %s($1::text::cstring[])', typmodin) into modifier using '{' || modifiers || '}';
    end if;
  exception when syntax_error or invalid_parameter_value or undefined_object or invalid_text_representation
    or invalid_schema_name or invalid_name or feature_not_supported or numeric_value_out_of_range or undefined_table
    or datatype_mismatch or undefined_function then
    return null;
  end;
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
  if found is null then
    return null;
  end if;
  return jsonb_build_object(
    'type', format_type(found, modifier),
    'base', format_type(found, null),
    'length', integratedb._type_length(found, modifier),
    'scale', integratedb._type_scale(found, modifier));
end
$$;

comment on function integratedb._resolve_type(text, text) is 'internal: a type in any spelling, as Postgres names it; null if it knows none';
