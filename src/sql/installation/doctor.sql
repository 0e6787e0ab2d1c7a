-- Whose passwords are not what was set here? Where the installer may read them.
create or replace function integratedb._changed_passwords()
returns setof integratedb.credential
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if has_table_privilege('pg_authid', 'select') then
    return query
      select c.*
        from integratedb.credential c join pg_authid a on a.oid = c.role_id::oid
       where c.revoked_at is null and coalesce(c.valid_until, 'infinity') > now()
         and c.fingerprint is not null
         and c.fingerprint is distinct from encode(sha256(convert_to(a.rolpassword, 'UTF8')), 'hex');
  end if;
end
$$;

comment on function integratedb._changed_passwords() is 'internal: somebody used ALTER ROLE ... PASSWORD, the holder of a lease perhaps';

create or replace function integratedb._stakeholder_roles()
returns table (stakeholder text, role_id oid)
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select s.name, r.oid from integratedb.stakeholder s join pg_roles r on r.rolname = s.name
  union
  select c.stakeholder, r.oid from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid
$$;

comment on function integratedb._stakeholder_roles() is 'internal: each stakeholder''s own role, and those of its logins';

-- What is wrong or missing, and what is the way out? One row per check: ok, warning or problem.
create or replace function integratedb.doctor()
returns table (check_name text, status text, detail text, fix text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  engine constant text := (select value from integratedb.setting where name = 'engine');
  engine_answers boolean := true;
  reason text;
  found_text text;
  repairs text;
  memberships text;
  leavings text;
  number bigint;
begin
  check_name := 'engine';
  begin
    perform integratedb._call('read_specification', '{"match": [{"path": "public.example", "fields": "*"}]}');
    status := 'ok'; detail := format('%s answers', engine); fix := null;
  exception when others then
    get stacked diagnostics reason = pg_exception_detail;
    engine_answers := false;
    status := 'problem';
    detail := format('%s does not answer: %s', engine, reason);
    fix := format('CREATE EXTENSION %s (install its package first if it is gone), then run integratedb.sql again', engine);
  end;
  return next;

  check_name := 'engine is not for everyone';
  if exists (select from pg_language l, aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a where l.lanname = engine and a.grantee = 0) then
    status := 'warning';
    detail := format('every role may write functions in %s, which can take the server down', engine);
    -- Whoever installed this needs it for the next upgrade.
    fix := format('REVOKE USAGE ON LANGUAGE %I FROM PUBLIC', engine)
      || case when (select rolsuper from pg_roles where rolname = current_user) then '' else format('; GRANT USAGE ON LANGUAGE %I TO %I', engine, current_user) end;
  else
    status := 'ok'; detail := format('PUBLIC may not write functions in %s', engine); fix := null;
  end if;
  return next;

  check_name := 'event triggers';
  select string_agg(e.name, ', ') into found_text
    from unnest(array['integratedb_note_ddl', 'integratedb_note_drop']) e (name)
   where not exists (select from pg_event_trigger where evtname = e.name and evtenabled = 'A');
  if current_setting('event_triggers', true) = 'off' then
    -- PostgreSQL 17. Only a superuser can set it.
    status := 'problem';
    detail := 'the setting event_triggers is off: no migration is judged';
    fix := 'ALTER SYSTEM RESET event_triggers; SELECT pg_reload_conf(); SELECT * FROM integratedb.sync()';
  elsif found_text is null then
    status := 'ok'; detail := 'both are there and fire always'; fix := null;
  else
    status := 'problem';
    detail := format('missing, disabled, or not ENABLE ALWAYS: %s', found_text);
    fix := case when (select rolsuper from pg_roles where rolname = current_user)
      then 'Run integratedb.sql again'
      else 'As a superuser: ALTER SCHEMA integratedb OWNER TO CURRENT_USER, then run integratedb.sql again; until then end each migration with SELECT integratedb.validate_migration()' end;
  end if;
  return next;

  check_name := 'constraint claims_hold';
  if exists (select from pg_trigger where tgrelid = 'integratedb.migration'::regclass and tgname = 'claims_hold' and tgenabled = 'A') then
    status := 'ok'; detail := 'it is there and fires always'; fix := null;
  else
    status := 'problem'; detail := 'missing, disabled, or not ENABLE ALWAYS'; fix := 'Run integratedb.sql again';
  end if;
  return next;

  check_name := 'enforcement';
  select value into found_text from integratedb.setting where name = 'enforcement';
  if found_text = 'enforce' then
    status := 'ok'; detail := 'migrations that break claims are rejected'; fix := null;
  else
    status := 'warning';
    detail := format('enforcement is %s: migrations that break claims go through', found_text);
    fix := 'SELECT integratedb.set_enforcement(''enforce'')';
  end if;
  return next;

  check_name := 'administrators';
  if exists (select from pg_roles where rolname = 'integratedb_admin'
             and has_function_privilege(oid, 'integratedb.set_claims(text, jsonb)', 'execute')) then
    status := 'ok'; detail := 'members of integratedb_admin administer IntegrateDB'; fix := null;
  else
    status := 'problem';
    detail := 'the role integratedb_admin is missing, or may not call what is meant for it';
    fix := 'Run integratedb.sql again';
  end if;
  return next;

  check_name := 'stakeholders';
  select string_agg(format('%I %s', p.name, p.problem), ', ' order by p.name), string_agg(p.repair, '; ' order by p.name),
         string_agg(p.last_repair, '; ' order by p.name)
    into found_text, repairs, leavings
    from (
      select s.name,
             case when r.oid is null then 'has no role'
                  when n.oid is null then 'has no schema'
                  when n.nspowner <> r.oid then 'does not own its schema'
                  when not r.rolcanlogin then 'has no LOGIN' end as problem,
             concat_ws('; ',
               -- Its password went with it, if it had one.
               case when r.oid is null then format('/* renamed? ALTER ROLE ... RENAME TO that name, else */ CREATE ROLE %I', s.name)
                    when not r.rolcanlogin and c.username is not null then format('ALTER ROLE %I LOGIN', s.name) end,
               case when n.oid is null then format('CREATE SCHEMA %I AUTHORIZATION %I', s.name, s.name)
                    when n.nspowner is distinct from r.oid then format('ALTER SCHEMA %I OWNER TO %I', s.name, s.name) end) as repair,
             case when r.oid is null then format('SELECT integratedb.rotate_credentials(%L, ''0'')', s.name) end as last_repair
        from integratedb.stakeholder s
        left join pg_roles r on r.rolname = s.name
        left join pg_namespace n on n.nspname = s.name
        left join integratedb.credential c on c.username = s.name and c.revoked_at is null
    ) p
   where p.repair <> '';
  if found_text is null then
    select count(*) into number from integratedb.stakeholder;
    status := 'ok'; detail := format('all %s have their role and schema', number); fix := null;
  else
    status := 'problem'; detail := found_text;
    fix := concat_ws('; ', repairs, 'SELECT * FROM integratedb.sync()', leavings);
  end if;
  return next;

  check_name := 'stakeholders have no other power';
  select string_agg(format('%I', r.rolname), ', ' order by r.rolname),
         string_agg(format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS', r.rolname), '; ' order by r.rolname)
    into found_text, repairs
    from integratedb._stakeholder_roles() l join pg_roles r on r.oid = l.role_id
   where r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls;
  select string_agg(format('%I is a member of %I', r.rolname, g.rolname), ', ' order by r.rolname, g.rolname),
         string_agg(format('REVOKE %I FROM %I', g.rolname, r.rolname), '; ' order by r.rolname, g.rolname)
    into memberships, leavings
    from integratedb._stakeholder_roles() l
    join pg_roles r on r.oid = l.role_id
    join pg_auth_members m on m.member = r.oid
    join pg_roles g on g.oid = m.roleid
   where g.rolname <> l.stakeholder or r.rolname = l.stakeholder;
  if found_text is null and memberships is null then
    status := 'ok'; detail := 'none has an attribute but LOGIN, or is a member of another role'; fix := null;
  elsif found_text is null then
    status := 'warning';
    detail := format('they can do what these can: %s', memberships);
    fix := leavings;
  else
    status := 'problem';
    detail := format('these have SUPERUSER, CREATEROLE, CREATEDB, REPLICATION or BYPASSRLS: %s', found_text);
    fix := repairs;
  end if;
  return next;

  -- None of these fires an event trigger.
  check_name := 'nothing keeps stakeholders from their claims';
  select string_agg(format('%I %s', p.name, p.problem), ', ' order by p.name, p.problem), string_agg(p.repair, '; ' order by p.name, p.problem)
    into found_text, repairs
    from (
      select s.name, 'may not connect to this database' as problem, format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), s.name) as repair
        from integratedb.stakeholder s join pg_roles r on r.rolname = s.name
       where not has_database_privilege(r.oid, current_database(), 'connect')
      union all
      select r.rolname, 'has a password that is no longer valid', format('ALTER ROLE %I VALID UNTIL %L', r.rolname, coalesce(integratedb._time_text(c.valid_until), 'infinity'))
        from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid
       where c.revoked_at is null and coalesce(c.valid_until, 'infinity') > now() and r.rolvaliduntil < now()
      union all
      select r.rolname, 'has no LOGIN', format('ALTER ROLE %I LOGIN', r.rolname)
        from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid
       where c.kind <> 'own' and c.revoked_at is null and coalesce(c.valid_until, 'infinity') > now() and not r.rolcanlogin
      union all
      select c.username, 'has no role', format('SELECT integratedb.revoke_credentials(%L); SELECT * FROM integratedb.expire_credentials()', c.username)
        from integratedb.credential c
       where c.kind <> 'own' and c.revoked_at is null and not integratedb._is_restored() and not exists (select from pg_roles r where r.oid = c.role_id::oid)
      union all
      select r.rolname, format('is not a member of %I', s.rolname), format('GRANT %I TO %I', s.rolname, r.rolname)
        from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid join pg_roles s on s.rolname = c.stakeholder
       where c.kind <> 'own' and not pg_has_role(r.oid, s.oid, 'usage')
      union all
      select r.rolname, 'may have no connection', format('ALTER ROLE %I CONNECTION LIMIT -1', r.rolname)
        from integratedb._stakeholder_roles() l join pg_roles r on r.oid = l.role_id join integratedb.stakeholder s on s.name = l.stakeholder
       where r.rolconnlimit = 0 and s.options->>'connection_limit' is distinct from '0'
      union all
      select r.rolname, format('has %s', o), case when d.setrole = 0 then format('ALTER DATABASE %I RESET %I', current_database(), split_part(o, '=', 1))
               else format('ALTER ROLE %I %sRESET %I', r.rolname, case when d.setdatabase <> 0 then format('IN DATABASE %I ', current_database()) end, split_part(o, '=', 1)) end
        from integratedb._stakeholder_roles() l
        join pg_roles r on r.oid = l.role_id
        join pg_db_role_setting d on d.setrole in (0, r.oid) and d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
        cross join unnest(d.setconfig) o
       where o = 'row_security=off'
          or o in ('default_transaction_read_only=on', 'default_transaction_read_only=true')
             and exists (select from integratedb.claim k where k.stakeholder = l.stakeholder and k.access <> '{select}')
    ) p;
  if found_text is null then
    status := 'ok'; detail := 'they may connect, and no setting of theirs is in the way'; fix := null;
  else
    status := 'problem'; detail := found_text; fix := repairs;
  end if;
  return next;

  check_name := 'credentials are as they were given';
  select string_agg(p.problem, ', ' order by p.problem), string_agg(distinct p.repair, '; ' order by p.repair) into found_text, repairs
    from (
      select format('%I can log in, and IntegrateDB has not given it that', r.rolname) as problem, format('ALTER ROLE %I NOLOGIN PASSWORD NULL', r.rolname) as repair
        from integratedb._stakeholder_roles() l join pg_roles r on r.oid = l.role_id
       where r.rolcanlogin and not exists (select from integratedb.credential c where c.role_id::oid = r.oid and c.revoked_at is null)
      union all
      select format('%I is valid longer than it was', r.rolname), format('ALTER ROLE %I VALID UNTIL %L', r.rolname, integratedb._time_text(c.valid_until))
        from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid
       where c.revoked_at is null and c.valid_until < coalesce(r.rolvaliduntil, 'infinity')
      union all
      select format('%I cannot log in', s.name), format('SELECT integratedb.rotate_credentials(%L)', s.name)
        from integratedb.stakeholder s join pg_roles r on r.rolname = s.name
       where not integratedb._is_restored()
         and not exists (
           select from integratedb.credential c
            where c.stakeholder = s.name and c.revoked_at is null and coalesce(c.valid_until, 'infinity') > now())
      union all
      select format('the password of %I was changed', k.username),
             case k.kind when 'lease' then format('SELECT integratedb.revoke_credentials(%L)', k.username)
               else format('SELECT integratedb.rotate_credentials(%L, ''0'')', k.stakeholder) end
        from integratedb._changed_passwords() k
    ) p;
  if found_text is null then
    status := 'ok'; detail := 'logins have the passwords and the time that they were given'; fix := null;
  else
    status := 'warning'; detail := found_text; fix := repairs;
  end if;
  return next;

  check_name := 'expired credentials are removed';
  select count(*), (array_agg(format('%I', c.username) || coalesce(' (' || c.problem || ')', '')
                              order by c.problem is null, c.username))[1] into number, found_text
    from integratedb.credential c
   where least(c.valid_until, c.revoked_at) < now() - interval '10 minutes';
  if number = 0 then
    status := 'ok'; detail := 'none has been over for more than ten minutes'; fix := null;
  else
    status := 'warning'; detail := format('%s have been over for more than ten minutes, among them %s', number, found_text);
    fix := 'SELECT * FROM integratedb.expire_credentials() -- and have it called every minute: by pg_cron (if it is in this database, an upgrade schedules it), the notifier, or a job of yours';
  end if;
  return next;

  check_name := 'internal objects';
  select string_agg(o.name, ', ' order by o.name) into found_text
    from (
      select p.oid::regprocedure::text as name
        from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
       where p.pronamespace = 'integratedb'::regnamespace and a.grantee = 0
         and p.proname not in ('version', 'validate_migration', 'check_migration', '_begin_check', '_judge_check',
           'check_claims', 'my_claims', 'my_requests', 'pending_claims',
           'request_claims', 'approve_claims', 'reject_claims', 'allow_claims', 'disallow_claims',
           'take_events', 'ack_events', 'release_events', 'issue_socket_token')
      union
      select c.oid::regclass::text
        from pg_class c, aclexplode(c.relacl) a
       where c.relnamespace = 'integratedb'::regnamespace and a.grantee = 0
         and (a.privilege_type <> 'SELECT' or c.relname not in ('_my_claims', '_my_requests', '_pending_claims'))
      union
      select format('%s.%I', c.oid::regclass, k.attname)
        from pg_class c join pg_attribute k on k.attrelid = c.oid, aclexplode(k.attacl) a
       where c.relnamespace = 'integratedb'::regnamespace and a.grantee = 0
         and (a.privilege_type <> 'SELECT' or c.relname not in ('_act', '_queue_act') or k.attname <> 'answer')
         and (a.privilege_type <> 'INSERT' or c.relname not in ('_act', '_queue_act') or k.attname in ('caller', 'answer'))
    ) o;
  if found_text is null then
    status := 'ok'; detail := 'PUBLIC may use only what is meant for it'; fix := null;
  else
    status := 'problem'; detail := format('PUBLIC may use: %s', found_text); fix := 'Run integratedb.sql again';
  end if;
  return next;

  check_name := 'who administers';
  select string_agg(format('%I', r.rolname), ', ' order by r.rolname) filter (where r.rolname <> 'integratedb_admin') into found_text
    from pg_roles r
   where r.rolcanlogin and not r.rolsuper and exists (select from pg_roles where rolname = 'integratedb_admin') and pg_has_role(r.oid, 'integratedb_admin', 'member');
  if exists (select from pg_roles r where r.rolname = 'integratedb_admin' and (r.rolcanlogin or r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls)) then
    status := 'warning';
    detail := 'integratedb_admin is for membership, and has LOGIN or another attribute';
    fix := 'ALTER ROLE integratedb_admin NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS';
  else
    status := 'ok';
    detail := coalesce('these may log in and read everything by way of a stakeholder: ' || found_text, 'integratedb_admin has no member that may log in, but superusers');
    fix := null;
  end if;
  return next;

  -- Functions run with the installer's rights: who is a member of it needs none of them.
  check_name := 'the installer';
  select string_agg(format('%I', r.rolname), ', ' order by r.rolname),
         (select string_agg(format('REVOKE %I FROM %I%s', current_user, pg_get_userbyid(m.member),
              case when current_setting('server_version_num')::integer >= 160000 then format(' GRANTED BY %I', pg_get_userbyid(m.grantor)) end), '; ' order by m.member)
            from pg_auth_members m where m.roleid = (select oid from pg_roles where rolname = current_user))
    into found_text, repairs
    from pg_roles r
   where r.rolcanlogin and not r.rolsuper and r.rolname <> current_user and pg_has_role(r.oid, current_user, 'member');
  if found_text is null then
    status := 'ok';
    detail := format('functions run with the rights of %I%s, of which no other role is a member', current_user,
      case when (select rolsuper from pg_roles where rolname = current_user) then ', a superuser' end);
    fix := null;
  else
    status := 'warning';
    detail := format('members of %I, whose rights the functions run with, can do all that it can: %s', current_user, found_text);
    fix := repairs;
  end if;
  return next;

  check_name := 'schemas that everybody may create in';
  select string_agg(format('%I', n.nspname), ', ' order by n.nspname), string_agg(format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', n.nspname), '; ' order by n.nspname)
    into found_text, repairs
    from pg_namespace n
   where exists (select from aclexplode(n.nspacl) a where a.grantee = 0 and a.privilege_type = 'CREATE');
  if found_text is null then
    status := 'ok'; detail := 'none'; fix := null;
  else
    -- What anybody puts there, others find by their search_path, and a wildcard claim grants.
    status := 'warning'; detail := found_text; fix := repairs;
  end if;
  return next;

  check_name := 'languages that everybody may write in';
  select string_agg(format('%I', l.lanname), ', ' order by l.lanname), string_agg(format('REVOKE USAGE ON LANGUAGE %I FROM PUBLIC', l.lanname), '; ' order by l.lanname)
    into found_text, repairs
    from pg_language l
   where l.lanpltrusted and l.lanname not in ('sql', 'plpgsql', engine)
     and exists (select from aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a where a.grantee = 0);
  if found_text is null then
    status := 'ok'; detail := 'sql and plpgsql only'; fix := null;
  else
    status := 'warning'; detail := format('%s, too', found_text); fix := repairs;
  end if;
  return next;

  check_name := 'who may connect';
  with here (database) as (
    select d.oid from pg_database d where d.datname = current_database()
  ), local (role) as (
    -- Who owns something here or was given something.
    select distinct s.refobjid from pg_shdepend s, here
     where s.refclassid = 'pg_authid'::regclass and (s.dbid = here.database or s.classid = 'pg_database'::regclass and s.objid = here.database)
    union
    select r.oid from pg_roles r where r.rolname ~ '^pg_' or r.rolname in ('integratedb_admin', 'integratedb_notifier') or r.rolname in (select s.name::name from integratedb.stakeholder s)
  ), login as (
    select r.oid, r.rolname, r.rolreplication or exists (select from local l where pg_has_role(r.oid, l.role, 'member')) as is_local
      from pg_roles r where r.rolcanlogin and not r.rolsuper
  )
  select count(*) filter (where not l.is_local), string_agg(format('%I', l.rolname), ', ' order by l.rolname) filter (where not l.is_local),
         coalesce('GRANT CONNECT ON DATABASE ' || quote_ident(current_database()) || ' TO ' || string_agg(format('%I', l.rolname), ', ' order by l.rolname) filter (where l.is_local) || '; ', '')
           || format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database())
    into number, found_text, repairs
    from login l;
  if number = 0 or not exists (select from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                                where d.datname = current_database() and a.grantee = 0 and a.privilege_type = 'CONNECT') then
    status := 'ok';
    detail := case when number = 0 then 'every role that may log in has to do with this database' else 'only who was granted CONNECT' end;
    fix := null;
  else
    status := 'warning';
    detail := format('PUBLIC may connect, and so %s that have nothing to do with this database: %s', number, left(found_text, 1000));
    fix := repairs;
  end if;
  return next;

  return query select * from integratedb._diagnose_notifications();

  check_name := 'claims';
  if engine_answers then
    select count(*), (array_agg(concat_ws(' ', f.code, f.stakeholder, f.path || coalesce('.' || f.field, ''))))[1] into number, found_text
      from integratedb.unmet_claims(null) f;
    if number = 0 then
      status := 'ok'; detail := 'all claims are met'; fix := null;
    else
      status := 'problem';
      detail := format('%s unmet, the first: %s', number, found_text);
      fix := 'SELECT * FROM integratedb.sync() -- repairs grants; what it returns has to come back in the database';
    end if;
  else
    status := 'problem'; detail := 'they cannot be looked at without the engine'; fix := 'See engine';
  end if;
  return next;

  -- A restore brings the claims with the oids of another database.
  check_name := 'remembered relations';
  select count(*) into number
    from integratedb.claim k
    join pg_namespace n on n.nspname = k.schema_name::name
    join pg_class c on c.relnamespace = n.oid and c.relname = k.relation_name::name
   where c.oid::bigint is distinct from k.relid and k.status = 'met';
  if number = 0 and not integratedb._is_restored() then
    status := 'ok'; detail := 'claims remember the relations that are there'; fix := null;
  else
    status := 'problem';
    detail := case when integratedb._is_restored() then 'this database is restored from a dump: claims remember the relations of the other one'
      else format('%s claims remember another relation of that name, as after DDL with triggers off', number) end;
    fix := 'SELECT * FROM integratedb.sync()';
  end if;
  return next;
end
$$;

comment on function integratedb.doctor() is
  'Is the installation sound? Rows of (check_name, status, detail, fix): ok, warning or problem, each with what to do';
