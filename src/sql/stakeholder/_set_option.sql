-- One option of a stakeholder, on one of its roles. Settings are not inherited: each login has its own.
create or replace function integratedb._set_option(role text, option text, value text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  from_current constant text := format('alter role %I set search_path from current', role);
begin
  if option = 'connection_limit' then
    execute format('alter role %I connection limit %s', role, coalesce(value, '-1')::integer);
  elsif option = 'max_ttl' then
    null; -- issue_credentials() asks for it
  elsif value is null then
    execute format('alter role %I reset %I', role, option);
  elsif option = 'search_path' then
    -- A list: as one literal it would be one name. It is set until this function ends, and nothing more is looked up in it.
    perform set_config('search_path', value, true);
    execute from_current;
  else
    execute format('alter role %I set %I = %L', role, option, value);
  end if;
end
$$;

comment on function integratedb._set_option(text, text, text) is 'internal: null resets; Postgres'' own errors';
