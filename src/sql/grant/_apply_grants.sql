create or replace function integratedb._privilege_list(privileges jsonb)
returns text
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if privileges is null or privileges = '[]' then
    return null;
  end if;
  return (
    select string_agg(p->>'privilege' || coalesce(' (' || (
             select string_agg(quote_ident(c), ', ') from jsonb_array_elements_text(p->'columns') c) || ')', ''), ', ')
      from jsonb_array_elements(privileges) p);
end
$$;

comment on function integratedb._privilege_list(jsonb) is 'internal: of {privilege, columns}[], as GRANT takes them; null if there are none';

-- Moves privileges as the core answers them (GrantStep[]): the difference only, taking away before giving.
create or replace function integratedb._apply_grants(steps jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  step record;
  object text;
  privileges text;
begin
  for step in
    -- What moves alike for several stakeholders is one statement.
    select s.object, s.schema, s.name, s.revoke_all, s.revoke, s."grant", s.usage, string_agg(quote_ident(s.stakeholder), ', ' order by s.place) as stakeholders
      from rows from (jsonb_to_recordset(steps) as (
             stakeholder text, object text, schema text, name text, revoke_all boolean, revoke jsonb, "grant" jsonb, usage boolean)) with ordinality
             s (stakeholder, object, schema, name, revoke_all, revoke, "grant", usage, place)
     group by s.object, s.schema, s.name, s.revoke_all, s.revoke, s."grant", s.usage
     order by min(s.place)
  loop
    object := format('%s %I.%I', step.object, step.schema, step.name);
    if step.revoke_all then
      -- cascade: with a grant option that somebody gave it, it could grant on, and so keep its own from being taken away.
      execute format('revoke all on %s from %s cascade', object, step.stakeholders);
    end if;
    privileges := integratedb._privilege_list(step.revoke);
    if privileges is not null then
      execute format('revoke %s on %s from %s cascade', privileges, object, step.stakeholders);
    end if;
    if step.usage then
      execute format('grant usage on schema %I to %s', step.schema, step.stakeholders);
    end if;
    privileges := integratedb._privilege_list(step."grant");
    if privileges is not null then
      execute format('grant %s on %s to %s', privileges, object, step.stakeholders);
    end if;
  end loop;
exception when insufficient_privilege then
  raise exception using
    errcode = 'IDB06',
    message = format('cannot change the privileges of %s on %I.%I', step.stakeholders, step.schema, step.name),
    detail = format('IntegrateDB grants and revokes as %I, its installer: %s.', current_user, sqlerrm),
    hint = format('An owner of the table or a superuser can make the installer a member: GRANT owner TO %I. Nothing was changed.', current_user);
when internal_error then
  if sqlerrm !~ '^tuple concurrently' then
    raise;
  end if;
  -- Postgres's own words when two transactions change the privileges of one object; a retry cures it, so let tools know.
  raise exception using
    errcode = 'serialization_failure',
    message = 'another transaction is changing the same schema or privileges',
    detail = sqlerrm,
    hint = 'Run the transaction again. Nothing was changed.';
end
$$;

comment on function integratedb._apply_grants(jsonb) is 'internal: GrantStep[]; between _begin_work() and _end_work()';
