-- Which logins read the stream, and how far have they come?
create table if not exists integratedb.notifier (
  name text primary key,
  role_id bigint not null,
  created_at timestamptz not null default now(),
  created_by text not null default session_user
);

comment on table integratedb.notifier is 'Logins of the notifier: REPLICATION, and what integratedb_notifier may call';

create table if not exists integratedb.notifier_state (
  is_only boolean primary key default true check (is_only),
  secret text not null,
  has_publication boolean not null default false,
  slot_made_at timestamptz,
  confirmed pg_lsn,
  reported_at timestamptz,
  report jsonb,
  slot text
);

comment on table integratedb.notifier_state is 'One row: what the notifier has told of itself';
comment on column integratedb.notifier_state.secret is 'Signs alerts, which travel in the stream where everybody can put messages';
alter table integratedb.notifier_state add column if not exists slot text;

comment on column integratedb.notifier_state.slot is 'What _slot_name() was: a copy of the database has another one';
comment on column integratedb.notifier_state.has_publication is 'The publication integratedb is ours';
comment on column integratedb.notifier_state.confirmed is 'How far the slot was moved, at the last report';

insert into integratedb.notifier_state (secret)
select encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex')
on conflict do nothing;

create or replace function integratedb._slot_name()
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select 'integratedb_' || oid from pg_database where datname = current_database()
$$;

comment on function integratedb._slot_name() is 'internal: the replication slot of this database';

-- CREATE DATABASE ... TEMPLATE keeps all oids but the database's own.
create or replace function integratedb._is_copied()
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select integratedb._is_restored() or exists (select from integratedb.notifier_state s where s.slot <> integratedb._slot_name())
$$;

comment on function integratedb._is_copied() is 'internal: until sync() a copy stands for the original, whose receivers it must not call';

create or replace function integratedb._notifier_start()
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'version', (select value from integratedb.setting where name = 'version'),
    'database', current_database(),
    'slot', integratedb._slot_name(),
    'publication', 'integratedb',
    'source', '/integratedb/' || current_database(),
    'secret', s.secret,
    'slot_made', s.slot_made_at is not null,
    'confirmed', s.confirmed,
    'restored', integratedb._is_copied())
    from integratedb.notifier_state s
$$;

comment on function integratedb._notifier_start() is 'internal: for the notifier: what it has to know first';

create or replace function integratedb._notifier_slot_made(lsn pg_lsn)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update integratedb.notifier_state set slot_made_at = now(), confirmed = _notifier_slot_made.lsn, slot = integratedb._slot_name();
  -- What is here was here when the slot began; places in another slot's stream mean nothing.
  update integratedb.subscription_version v set lsn = _notifier_slot_made.lsn where v.lsn is distinct from _notifier_slot_made.lsn;
end
$$;

comment on function integratedb._notifier_slot_made(pg_lsn) is 'internal: for the notifier: the slot begins there; called with the slot''s own snapshot';

create or replace function integratedb._notifier_versions(flush pg_lsn)
returns table (version bigint, stakeholder text, state jsonb)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select l.version, l.stakeholder, l.state
    from (
      select distinct on (v.stakeholder) v.version, v.stakeholder, v.state
        from integratedb.subscription_version v
       where v.lsn <= flush
       order by v.stakeholder, v.version desc
    ) l
   where l.state is not null
   order by l.version
$$;

comment on function integratedb._notifier_versions(pg_lsn) is 'internal: for the notifier: what holds at that place; later versions come in the stream';

create or replace function integratedb._notifier_applied(version bigint, lsn pg_lsn)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- A restart begins where the slot is; what it will ask for is the last version before that of each stakeholder.
  confirmed constant pg_lsn := (select s.confirmed_flush_lsn from pg_replication_slots s where s.slot_name = integratedb._slot_name());
begin
  update integratedb.subscription_version v set lsn = _notifier_applied.lsn where v.version = _notifier_applied.version and v.lsn is distinct from _notifier_applied.lsn;
  delete from integratedb.subscription_version v
   where v.lsn <= confirmed
     and exists (
       select from integratedb.subscription_version n
        where n.stakeholder = v.stakeholder and n.version > v.version and n.lsn <= confirmed);
end
$$;

comment on function integratedb._notifier_applied(bigint, pg_lsn) is 'internal: for the notifier: it has switched to this version, whose transaction ends there. Prunes what no restart can need';

create or replace function integratedb._notifier_report(report jsonb)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update integratedb.notifier_state s
     set reported_at = clock_timestamp(), report = _notifier_report.report, confirmed = coalesce((_notifier_report.report->>'flush')::pg_lsn, s.confirmed)
$$;

comment on function integratedb._notifier_report(jsonb) is 'internal: for the notifier, every 10 seconds: how it is doing, for doctor() and view channels';

create or replace function integratedb.add_notifier(name text, verifier text default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  password constant text := case when verifier is null then integratedb._random_password() end;
  secret constant text := integratedb._secret(password, verifier);
  reason text;
begin
  perform integratedb._check_name(name, 'notifier');
  begin
    execute format('create role %I login replication inherit password %L', name, secret);
    execute format('grant integratedb_notifier to %I', name);
    if not has_database_privilege(name, current_database(), 'connect') then
      execute format('grant connect on database %I to %I', current_database(), name);
    end if;
  exception
    when duplicate_object or unique_violation then
      perform integratedb._check_name(name, 'notifier');
      raise;
    when insufficient_privilege then
      get stacked diagnostics reason = message_text;
      raise exception using
        errcode = 'IDB06',
        message = format('%I cannot make a role that reads the stream', current_user),
        detail = reason || '.',
        hint = format('Only a superuser (since PostgreSQL 16 also a role with CREATEROLE and REPLICATION) can: have one run CREATE ROLE %I LOGIN REPLICATION; GRANT integratedb_notifier TO %I. Nothing was changed.', name, name);
  end;
  insert into integratedb.notifier (name, role_id) select r.rolname, r.oid::bigint from pg_roles r where r.rolname = add_notifier.name;
  perform integratedb._begin_work();
  perform integratedb._publish();
  perform integratedb._end_work();
  return jsonb_build_object('notifier', name, 'credentials', jsonb_strip_nulls(jsonb_build_object('username', name, 'password', password)));
end
$$;

comment on function integratedb.add_notifier(text, text) is
  'Makes a login for the notifier (integratedb notify): REPLICATION and what it has to call, no right on any table: {"notifier", "credentials": {"username", "password"}}. The password is shown once and stored nowhere; with a SCRAM-SHA-256 verifier nobody here knows it. IDB05: the name is invalid or taken; IDB06: IntegrateDB may not make such a role; IDB08: the verifier is malformed';

create or replace function integratedb.remove_notifier(name text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  role constant oid := (select r.oid from integratedb.notifier n join pg_roles r on r.oid = n.role_id::oid and r.rolname = n.name where n.name = remove_notifier.name);
  reason text;
begin
  delete from integratedb.notifier n where n.name = remove_notifier.name;
  if not found then
    raise exception using
      errcode = 'IDB08',
      message = format('there is no notifier %s', coalesce(quote_ident(name), 'null')),
      detail = format('Notifiers of this database: %s.', coalesce((select string_agg(quote_ident(n.name), ', ' order by n.name) from integratedb.notifier n), 'none')),
      hint = 'SELECT integratedb.add_notifier(''name'') makes one. Nothing was changed.';
  end if;
  if role is not null then
    begin
      execute format('alter role %I nologin', name);
      perform integratedb._end_sessions(role);
      perform integratedb._drop_login(role::bigint, current_user);
    exception when dependent_objects_still_exist then
      get stacked diagnostics reason = pg_exception_detail;
      raise exception using
        errcode = 'IDB06',
        message = format('the role %I cannot be dropped', name),
        detail = reason,
        hint = format('Elsewhere: REASSIGN OWNED BY %I TO ...; DROP OWNED BY %I. Nothing was changed, but its sessions were ended.', name, name);
    end;
  end if;
  if not exists (select from integratedb.notifier) then
    perform integratedb._without_notifier();
  end if;
end
$$;

comment on function integratedb.remove_notifier(text) is
  'Ends a notifier''s sessions and drops its role. With the last one the publication goes, if nobody subscribes to anything, and the slot, which would keep the log for nobody; who subscribes is told of the gap. IDB06: the role is in use in another database; IDB08: no such notifier';

create or replace function integratedb._without_notifier()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  slot constant text := integratedb._slot_name();
begin
  if not exists (select from integratedb.channel) then
    perform integratedb._begin_work();
    drop publication if exists integratedb;
    update integratedb.notifier_state set has_publication = false, slot = null, slot_made_at = null, confirmed = null, reported_at = null, report = null;
    delete from integratedb.subscription_version;
    perform integratedb._end_work();
  end if;
  begin
    -- Its reader was ended just now.
    for i in 1 .. 50 loop
      exit when not exists (select from pg_replication_slots s where s.slot_name = slot and s.active);
      perform pg_sleep(0.1);
    end loop;
    perform pg_drop_replication_slot(s.slot_name) from pg_replication_slots s where s.slot_name = slot and s.database = current_database();
  exception when insufficient_privilege or object_in_use then
    raise warning using
      message = format('the replication slot %I is still there, and keeps the log', slot),
      detail = sqlerrm || '.',
      hint = format('As a superuser: SELECT pg_drop_replication_slot(%L).', slot);
  end;
end
$$;

comment on function integratedb._without_notifier() is 'internal: what is for the notifier, after the last has gone';
