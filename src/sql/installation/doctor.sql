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
    fix := format('REVOKE USAGE ON LANGUAGE %I FROM PUBLIC', engine);
  else
    status := 'ok'; detail := format('PUBLIC may not write functions in %s', engine); fix := null;
  end if;
  return next;

  check_name := 'event triggers';
  select string_agg(e.name, ', ') into found_text
    from unnest(array['integratedb_note_ddl', 'integratedb_note_drop']) e (name)
   where not exists (select from pg_event_trigger where evtname = e.name and evtenabled = 'A');
  if found_text is null then
    status := 'ok'; detail := 'both are there and fire always'; fix := null;
  else
    status := 'problem';
    detail := format('missing, disabled, or not ENABLE ALWAYS: %s', found_text);
    fix := 'Run integratedb.sql again as a superuser; until then end each migration with SELECT integratedb.validate_migration()';
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

  check_name := 'stakeholders';
  select string_agg(format('%I has no %s', s.name, case when r.oid is null then 'role' when not r.rolcanlogin then 'LOGIN' else 'schema' end), ', ' order by s.name)
    into found_text
    from integratedb.stakeholder s
    left join pg_roles r on r.rolname = s.name
    left join pg_namespace n on n.nspname = s.name
   where r.oid is null or n.oid is null or not r.rolcanlogin;
  if found_text is null then
    select count(*) into number from integratedb.stakeholder;
    status := 'ok'; detail := format('all %s have their role and schema', number); fix := null;
  else
    status := 'problem'; detail := found_text;
    fix := 'Restore the role (pg_dumpall --roles-only), ALTER ROLE … LOGIN, or CREATE SCHEMA … AUTHORIZATION …; or remove_stakeholder() and add it again';
  end if;
  return next;

  check_name := 'stakeholders have no other power';
  select string_agg(format('%I', r.rolname), ', ' order by r.rolname) into found_text
    from integratedb.stakeholder s join pg_roles r on r.rolname = s.name
   where r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls;
  if found_text is null then
    status := 'ok'; detail := 'none has an attribute but LOGIN'; fix := null;
  else
    status := 'problem';
    detail := format('these have SUPERUSER, CREATEROLE, CREATEDB, REPLICATION or BYPASSRLS: %s', found_text);
    fix := 'ALTER ROLE … NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS';
  end if;
  return next;

  check_name := 'internal functions';
  select string_agg(p.oid::regprocedure::text, ', ' order by p.proname) into found_text
    from pg_proc p
    cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
   where p.pronamespace = 'integratedb'::regnamespace and a.grantee = 0
     and p.proname not in ('version', 'validate_migration', 'check_migration', '_begin_check', '_judge_check');
  if found_text is null then
    status := 'ok'; detail := 'PUBLIC may execute only what is meant for it'; fix := null;
  else
    status := 'problem'; detail := format('PUBLIC may execute: %s', found_text); fix := 'Run integratedb.sql again';
  end if;
  return next;

  check_name := 'claims';
  if engine_answers then
    select count(*) into number from integratedb.unmet_claims(null);
    if number = 0 then
      status := 'ok'; detail := 'all claims are met'; fix := null;
    else
      status := 'problem';
      detail := format('%s claimed things do not hold', number);
      fix := 'SELECT * FROM integratedb.unmet_claims(); SELECT * FROM integratedb.sync() repairs grants, and what a restore moved';
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
  if number = 0 then
    status := 'ok'; detail := 'claims remember the relations that are there'; fix := null;
  else
    status := 'problem';
    detail := format('%s claims remember another relation of that name, as after a restore or DDL with triggers off', number);
    fix := 'SELECT * FROM integratedb.sync()';
  end if;
  return next;
end
$$;

comment on function integratedb.doctor() is
  'Is the installation sound? Rows of (check_name, status, detail, fix): ok, warning or problem, each with what to do';
