-- How does a call answer that gives credentials?
-- PL/pgSQL, and no query in it: the parameters of a nested query, a SQL function's body too, are what auto_explain
-- writes to the log.
create or replace function integratedb._credentials(stakeholder text, username text, password text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'stakeholder', stakeholder,
    'schema', stakeholder,
    'credentials', jsonb_build_object('username', username, 'password', password));
end
$$;

comment on function integratedb._credentials(text, text, text) is 'internal: {"stakeholder", "schema", "credentials": {"username", "password"}}';
