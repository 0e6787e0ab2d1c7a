create or replace function integratedb.dependents(path text, field text default null)
returns table (stakeholder text, claimed_path text, claimed_field text, type text, optional boolean, alternative integer, status text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  parts text[];
begin
  begin
    parts := parse_ident(path);
  exception when invalid_parameter_value then
    parts := null;
  end;
  if parts is null or cardinality(parts) <> 2 then
    raise exception using
      errcode = 'IDB08',
      message = format('%s is not the path of a relation', coalesce(quote_literal(path), 'null')),
      detail = 'A path is "schema.table", with double quotes where SQL needs them.',
      hint = 'For example: SELECT * FROM integratedb.dependents(''public.orders'', ''total'');';
  end if;
  return query
    select c.stakeholder, c.path, c.field, c.type, c.optional, c.alternative, c.status
      from integratedb.claims c
     where c.path = format('%I.%I', parts[1], parts[2])
       and (dependents.field is null or c.field = dependents.field or c.field is null)
     order by 1, 2, 3;
end
$$;

comment on function integratedb.dependents(text, text) is
  'Who depends on this relation (or this column of it), and how: rows as in view claims; claimed_field null claims the relation alone. IDB08: not a path';
