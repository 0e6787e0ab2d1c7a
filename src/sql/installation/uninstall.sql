-- Takes away everything that IntegrateDB made: claims and their grants, stakeholders' roles, event triggers, the
-- schema integratedb. Stakeholders' own schemas and data stay, and belong to whoever runs this.
do $uninstall$
declare
  stakeholder text;
  kept text[] := '{}';
  engine text;
begin
  if to_regclass('integratedb.stakeholder') is null then
    raise exception using
      errcode = 'IDB07',
      message = format('IntegrateDB is not installed in database %I', current_database()),
      hint = 'Nothing was changed.';
  end if;
  select value into engine from integratedb.setting where name = 'engine';

  -- Their rules end first: nothing below is a migration.
  drop event trigger if exists integratedb_note_ddl;
  drop event trigger if exists integratedb_note_drop;
  for stakeholder in select name from integratedb.stakeholder order by name loop
    if exists (select from pg_catalog.pg_roles where rolname = stakeholder) then
      execute format('alter role %I nologin', stakeholder);
      execute format('reassign owned by %I to %I', stakeholder, current_user);
      -- Every privilege it holds in this database, those of its claims among them.
      execute format('drop owned by %I', stakeholder);
      execute format('drop role %I', stakeholder);
    end if;
    if exists (select from pg_catalog.pg_namespace where nspname = stakeholder) then
      kept := kept || format('schema %I with its data (now of %I)', stakeholder, current_user);
    end if;
    perform pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where usename = stakeholder and pid <> pg_backend_pid();
  end loop;

  perform set_config('client_min_messages', 'warning', true);
  drop schema integratedb cascade;
  perform set_config('client_min_messages', 'notice', true);
  begin
    drop role integratedb_admin;
  exception
    when dependent_objects_still_exist then
      kept := kept || 'role integratedb_admin (another database of this cluster uses it)'::text;
    when insufficient_privilege then
      kept := kept || 'role integratedb_admin (not yours to drop)'::text;
    when undefined_object then
      null;
  end;
  kept := kept || format('extension %I', engine);
  raise notice using
    message = format('IntegrateDB is gone from database %I', current_database()),
    detail = format('Left: %s.', array_to_string(kept, '; '));
end
$uninstall$;
