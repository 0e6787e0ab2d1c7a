-- Takes away everything that IntegrateDB made: claims and their grants, stakeholders' roles, event triggers, the
-- schema integratedb. Stakeholders' own schemas and data stay, and belong to whoever runs this.
do $uninstall$
declare
  messages_before constant text := current_setting('client_min_messages');
  path_before constant text := current_setting('search_path');
  installed_by name;
  stakeholder text;
  login text;
  dependents text;
  reason text;
  kept text[] := '{}';
  engine text;
  slot text;
  queues oid[] := '{}';
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  perform set_config('client_min_messages', 'warning', true);
  select pg_get_userbyid(nspowner) into installed_by from pg_namespace where nspname = 'integratedb';
  if not found or to_regclass('integratedb.stakeholder') is null then
    raise exception using
      errcode = 'IDB07',
      message = format('IntegrateDB is not installed in database %I', current_database()),
      detail = case when installed_by is null then 'There is no schema integratedb.'
        else format('There is a schema integratedb, of %I, but it is not ours.', installed_by) end,
      hint = 'Nothing was changed.';
  end if;
  if installed_by <> current_user and not (select rolsuper from pg_roles where rolname = current_user) then
    raise exception using
      errcode = 'IDB07',
      message = format('IntegrateDB was installed here by %I', installed_by),
      detail = format('%I cannot take away what belongs to %I.', current_user, installed_by),
      hint = format('Run this file as %I or as a superuser. Nothing was changed.', installed_by);
  end if;
  -- Nobody becomes a stakeholder meanwhile.
  lock table integratedb.stakeholder in access exclusive mode;
  select value into engine from integratedb.setting where name = 'engine';

  -- The views of queues lie in stakeholders' schemas. (Older versions have none.)
  if to_regclass('integratedb.channel') is not null then
    execute 'select coalesce(array_agg(queue_view::oid), ''{}'') from integratedb.channel where queue_view is not null' into queues;
  end if;
  -- DROP SCHEMA ... CASCADE would take somebody else's view with it.
  with ours (class, oid) as (
    select 'pg_class'::regclass, oid from pg_class where relnamespace = 'integratedb'::regnamespace
    union all
    select 'pg_proc'::regclass, oid from pg_proc where pronamespace = 'integratedb'::regnamespace
    union all
    select 'pg_type'::regclass, oid from pg_type where typnamespace = 'integratedb'::regnamespace
    union all
    select 'pg_class'::regclass, unnest(queues)
  ), outside as (
    select distinct case d.classid when 'pg_rewrite'::regclass then 'pg_class'::regclass else d.classid end as class,
           coalesce(r.ev_class, d.objid) as oid
      from ours join pg_depend d on d.refclassid = ours.class and d.refobjid = ours.oid and d.deptype = 'n'
      left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
     where d.classid in ('pg_class'::regclass, 'pg_rewrite'::regclass, 'pg_proc'::regclass)
  )
  select string_agg(pg_describe_object(o.class, o.oid, 0), ', ' order by o.oid) into dependents
    from outside o
   where not exists (select from ours where ours.class = o.class and ours.oid = o.oid);
  if dependents is not null then
    raise exception using
      errcode = 'IDB07',
      message = 'something outside the schema integratedb is built on it',
      detail = format('These use it: %s.', dependents),
      hint = 'Drop them first. Nothing was changed.';
  end if;

  -- Their rules end first: nothing below is a migration.
  begin
    drop event trigger if exists integratedb_note_ddl;
    drop event trigger if exists integratedb_note_drop;
  exception when insufficient_privilege then
    raise exception using
      errcode = 'IDB07',
      message = 'the event triggers are a superuser''s',
      detail = sqlerrm || '.',
      hint = 'Run this file as a superuser. Nothing was changed.';
  end;

  if exists (select from pg_extension where extname = 'pg_cron') then
    begin
      perform cron.unschedule(jobid) from cron.job where jobname = 'integratedb expire_credentials' and database = current_database();
    exception when others then
      kept := kept || format('job integratedb expire_credentials of pg_cron (%s)', sqlerrm);
    end;
  end if;

  -- Older versions tell nobody of anything.
  if to_regclass('integratedb.notifier') is not null then
    slot := integratedb._slot_name();
    for login in select r.rolname from integratedb.notifier n join pg_roles r on r.oid = n.role_id::oid order by 1 loop
      execute format('alter role %I nologin', login);
      perform integratedb._end_sessions((select oid from pg_roles where rolname = login));
      execute format('drop owned by %I', login);
      begin
        execute format('drop role %I', login);
      exception when dependent_objects_still_exist then
        kept := kept || format('role %I (it owns or may use something in another database)', login);
      end;
    end loop;
    if exists (select from integratedb.notifier_state where has_publication) then
      drop publication if exists integratedb;
    end if;
    perform integratedb._drop_queue(k) from integratedb.channel k where k.kind = 'QUEUE';
  end if;

  for stakeholder in select name from integratedb.stakeholder order by name loop
    if exists (select from pg_roles where rolname = stakeholder) then
      if stakeholder in (current_user, session_user) then
        raise exception using
          errcode = 'IDB08',
          message = 'a stakeholder cannot uninstall IntegrateDB',
          detail = format('Its role would have to go, and this session is %I.', stakeholder),
          hint = 'Run this file as another role. Nothing was changed.';
      end if;
      begin
        -- Its further logins, which are members of its role. (Older versions have none.)
        if to_regclass('integratedb.credential') is not null then
          for login in
            execute 'select r.rolname from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid where c.stakeholder = $1 and c.kind <> ''own'' order by 1'
              using stakeholder
          loop
            execute format('alter role %I nologin', login);
            perform integratedb._end_sessions((select oid from pg_roles where rolname = login));
            execute format('reassign owned by %I to %I', login, stakeholder);
            execute format('drop owned by %I', login);
            execute format('drop role %I', login);
          end loop;
        end if;
        execute format('alter role %I nologin', stakeholder);
        perform integratedb._disarm(stakeholder);
        execute format('reassign owned by %I to %I', stakeholder, current_user);
        -- Every privilege it holds in this database, those of its claims among them.
        execute format('drop owned by %I', stakeholder);
        -- While the role is there: afterwards nobody can tell whose sessions they are.
        perform integratedb._end_sessions((select oid from pg_roles where rolname = stakeholder));
        execute format('drop role %I', stakeholder);
      exception when dependent_objects_still_exist then
        get stacked diagnostics reason = pg_exception_detail;
        raise exception using
          errcode = 'IDB06',
          message = format('the role %I of a stakeholder cannot be dropped', stakeholder),
          detail = reason,
          hint = format('It owns or may use something outside this database. There (if it has claims, after SELECT integratedb.remove_claims(%L)): REASSIGN OWNED BY %I TO ...; DROP OWNED BY %I. Nothing was changed.', stakeholder, stakeholder, stakeholder);
      end;
    end if;
    if exists (select from pg_namespace where nspname = stakeholder) then
      kept := kept || format('schema %I with its data (now of %I)', stakeholder,
        (select pg_get_userbyid(nspowner) from pg_namespace where nspname = stakeholder));
    end if;
  end loop;

  drop schema integratedb cascade;
  foreach login in array array['integratedb_admin', 'integratedb_notifier'] loop
    begin
      execute format('drop role %I', login);
    exception
      when dependent_objects_still_exist then
        kept := kept || format('role %I (another database of this cluster uses it)', login);
      when insufficient_privilege then
        kept := kept || format('role %I (not yours to drop)', login);
      when undefined_object then
        null;
    end;
  end loop;
  -- Last, because it does not come back with a rollback: without a reader it would keep the log for ever.
  begin
    for i in 1 .. 50 loop
      exit when not exists (select from pg_replication_slots s where s.slot_name = slot and s.active);
      perform pg_sleep(0.1);
    end loop;
    perform pg_drop_replication_slot(s.slot_name) from pg_replication_slots s where s.slot_name = slot and s.database = current_database();
  exception when insufficient_privilege or object_in_use then
    kept := kept || format('replication slot %I, which keeps the log: SELECT pg_drop_replication_slot(%L) as a superuser', slot, slot);
  end;
  if exists (select from pg_extension where extname = engine) then
    kept := kept || format('extension %I', engine);
  end if;
  perform set_config('search_path', path_before, true);
  perform set_config('client_min_messages', messages_before, true);
  raise notice using
    message = format('IntegrateDB is gone from database %I', current_database()),
    detail = case when kept = '{}' then 'Nothing is left of it.' else format('Left: %s.', array_to_string(kept, '; ')) end;
end
$uninstall$;
