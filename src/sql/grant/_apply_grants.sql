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
  columns text;
begin
  for step in
    select * from jsonb_to_recordset(steps) s (
      stakeholder text, schema text, relation text, revoke_all boolean, revoke jsonb, "grant" jsonb, usage boolean)
  loop
    if step.revoke_all then
      execute format('revoke all on table %I.%I from %I', step.schema, step.relation, step.stakeholder);
    end if;
    select string_agg(quote_ident(c), ', ') into columns from jsonb_array_elements_text(step.revoke) c;
    if columns is not null then
      execute format('revoke select (%s) on table %I.%I from %I', columns, step.schema, step.relation, step.stakeholder);
    end if;
    if step.usage then
      execute format('grant usage on schema %I to %I', step.schema, step.stakeholder);
    end if;
    select string_agg(quote_ident(c), ', ') into columns from jsonb_array_elements_text(step."grant") c;
    if columns is not null then
      execute format('grant select (%s) on table %I.%I to %I', columns, step.schema, step.relation, step.stakeholder);
    end if;
  end loop;
exception when insufficient_privilege then
  raise exception using
    errcode = 'IDB06',
    message = format('cannot change the privileges of %I on %I.%I', step.stakeholder, step.schema, step.relation),
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
