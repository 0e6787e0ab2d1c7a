-- How does a call answer that gives credentials?
create or replace function integratedb._credentials(stakeholder text, username text, password text)
returns jsonb
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'stakeholder', stakeholder,
    'schema', stakeholder,
    'credentials', jsonb_build_object('username', username, 'password', password))
$$;

comment on function integratedb._credentials(text, text, text) is 'internal: {"stakeholder", "schema", "credentials": {"username", "password"}}';
