create or replace function integratedb.remove_stakeholder(name text, keep_data boolean default true)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The role that called, not the one whose rights this function runs with: what SET ROLE said, as for everything
  -- that one makes in Postgres. integratedb_admin is put on to administer and owns nothing.
  heir text := case when current_setting('role') in ('none', 'integratedb_admin') then session_user else current_setting('role') end;
  role constant oid := (select r.oid from pg_roles r where r.rolname = name);
  elsewhere text;
  problem text;
  reason text;
begin
  perform integratedb._check_stakeholder(name);
  if name in (session_user, heir)
     or exists (select from integratedb.credential c where c.stakeholder = name and c.username in (session_user, heir)) then
    raise exception using
      errcode = 'IDB08',
      message = 'a stakeholder cannot remove itself',
      detail = format('This session is that of %I.', name),
      hint = 'Call remove_stakeholder as an administrator.';
  end if;
  if not pg_has_role(current_user, heir, 'usage') then
    -- Installed without superuser, called by somebody else: only who installed it may take over what was the stakeholder's.
    heir := current_user;
  end if;
  if role is null then
    -- Somebody dropped it: what is left is ours.
    lock table integratedb.claim_request in exclusive mode;
    perform integratedb.remove_claims(name);
    perform integratedb.remove_notifications(name);
    perform integratedb._drop_logins(name, heir);
    delete from integratedb.stakeholder s where s.name = remove_stakeholder.name;
    return;
  end if;

  select string_agg(distinct quote_ident(d.datname), ', ') into elsewhere
    from pg_shdepend s join pg_database d on d.oid = s.dbid
   where s.refclassid = 'pg_authid'::regclass and d.datname <> current_database()
     and (s.refobjid = role or s.refobjid in (select c.role_id::oid from integratedb.credential c where c.stakeholder = name));
  if elsewhere is not null then
    raise exception using
      errcode = 'IDB06',
      message = format('the role %I cannot be dropped', name),
      detail = format('It owns or may use something in other databases: %s.', elsewhere),
      hint = format('In each of them (where it has claims, after SELECT integratedb.remove_claims(%L)): REASSIGN OWNED BY %I TO ...; DROP OWNED BY %I. Nothing was changed.', name, name, name);
  end if;

  -- An idle transaction of its own would keep its tables from being handed over for as long as it likes. So its
  -- sessions end now and not at the commit, and if this transaction is rolled back they ended for nothing.
  perform integratedb._end_sessions(role);
  perform integratedb._end_sessions(c.role_id::oid) from integratedb.credential c where c.stakeholder = name;
  -- Whoever decides about claims right now is waited for here, before anybody waits for us.
  lock table integratedb.claim_request in exclusive mode;
  perform integratedb.remove_claims(name);
  perform integratedb.remove_notifications(name);
  begin
    execute format('alter role %I nologin', name);
    problem := 'one of its logins is still in use';
    perform integratedb._drop_logins(name, name);
    problem := 'what it owns cannot be handed over';
    if keep_data is not false then
      perform integratedb._disarm(name);
      execute format('reassign owned by %I to %I', name, heir);
    end if;
    -- What it still owns, and every privilege it holds in this database. No CASCADE: it would take with it what
    -- belongs to others, down to columns of a type that this stakeholder made.
    problem := 'something of others depends on what it owns';
    execute format('drop owned by %I', name);
    problem := 'its role is still in use';
    -- Until this commits a login can still succeed; such a session has no role, and no right that PUBLIC has not.
    perform integratedb._end_sessions(role);
    execute format('drop role %I', name);
    insert into integratedb.tombstone as t (role_id, username) values (role::bigint, name)
    on conflict on constraint tombstone_pkey do nothing;
  exception when dependent_objects_still_exist then
    get stacked diagnostics reason = pg_exception_detail;
    raise exception using
      errcode = 'IDB06',
      message = format('%I cannot be removed: %s', name, problem),
      detail = reason,
      hint = 'Drop or change that first, or keep the data. Nothing was changed, but its sessions were ended.';
  end;
  delete from integratedb.stakeholder s where s.name = remove_stakeholder.name;
end
$$;

comment on function integratedb.remove_stakeholder(text, boolean) is
  'Revokes all that a stakeholder was given, ends its sessions and drops its role. Its schema and what it owns go to the caller (code in it loses the rights of its owner, with a warning that tells), or with keep_data => false are dropped. IDB04: no such stakeholder; IDB06: its role is in use in another database, or others depend on what would be dropped; IDB08: a stakeholder cannot remove itself';
