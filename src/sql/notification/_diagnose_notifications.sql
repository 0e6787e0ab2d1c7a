-- The part of doctor() that is about notifications.
create or replace function integratedb._diagnose_notifications()
returns table (check_name text, status text, detail text, fix text)
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  is_used constant boolean := exists (select from integratedb.channel) or exists (select from integratedb.notifier);
  state constant integratedb.notifier_state := (select s from integratedb.notifier_state s);
  slot record;
  found_text text;
  repairs text;
  number bigint;
begin
  check_name := 'notifications: wal_level';
  if not is_used then
    status := 'ok'; detail := 'nobody is told of anything'; fix := null;
    return next;
    -- What is left of it.
    check_name := 'notifications: replication slot';
    if exists (select from pg_replication_slots s where s.slot_name = integratedb._slot_name()) then
      status := 'problem';
      detail := 'there is a slot that nobody reads: it keeps the log for ever';
      fix := format('SELECT pg_drop_replication_slot(%L)', integratedb._slot_name());
      return next;
    end if;
    return;
  elsif current_setting('wal_level') = 'logical' then
    status := 'ok'; detail := 'it is logical'; fix := null;
  else
    status := 'problem';
    detail := format('it is %s: there is no stream of changes', current_setting('wal_level'));
    fix := 'ALTER SYSTEM SET wal_level = ''logical'', and restart the server';
  end if;
  return next;

  check_name := 'notifications: publication';
  select string_agg(x.what, '; ') into found_text
    from (
      select 'there is none' as what where not exists (select from pg_publication p where p.pubname = 'integratedb')
      union all
      select 'its options, column lists, row filters or schemas are not ours'
       where exists (select from pg_publication p where p.pubname = 'integratedb') and not integratedb._is_publication_sound()
      union all
      select format('it does not hold %s', string_agg(w::oid::regclass::text, ', ' order by w))
        from unnest(integratedb._wanted_tables()) w
       where w <> all (integratedb._published_tables()) and exists (select from pg_publication p where p.pubname = 'integratedb') having count(*) > 0
      union all
      select format('it holds %s, of which nobody wants to be told', string_agg(w::oid::regclass::text, ', ' order by w))
        from unnest(integratedb._published_tables()) w where w <> all (integratedb._wanted_tables()) having count(*) > 0
      union all
      select format('it belongs to %I', pg_get_userbyid(p.pubowner)) from pg_publication p
       where p.pubname = 'integratedb' and p.pubowner <> (select n.nspowner from pg_namespace n where n.nspname = 'integratedb')
    ) x;
  if found_text is null then
    status := 'ok'; detail := 'it holds exactly the tables of subscriptions'; fix := null;
  else
    status := 'problem'; detail := found_text;
    fix := coalesce((select format('ALTER PUBLICATION integratedb OWNER TO %I; ', pg_get_userbyid(n.nspowner))
                       from pg_publication p join pg_namespace n on n.nspname = 'integratedb' where p.pubname = 'integratedb' and p.pubowner <> n.nspowner), '')
      || 'SELECT * FROM integratedb.sync()';
  end if;
  return next;

  check_name := 'notifications: replica identities';
  select string_agg(distinct format('%s: %s', p.relation::oid::regclass, p.problem), '; '), string_agg(distinct format('ALTER TABLE %s REPLICA IDENTITY FULL', p.relation::oid::regclass), '; ')
    into found_text, repairs
    from json_to_recordset(integratedb._publishing(array(select distinct s.relid from integratedb.subscription s where s.status = 'met'))) p (relation bigint, problem text)
   where p.problem is not null;
  if found_text is null then
    select count(*), (array_agg(format('%s of %I: %s', s.path, s.stakeholder, s.reason) order by s.stakeholder, s.path))[1] into number, found_text
      from integratedb.subscriptions s where s.status = 'unmet';
    status := case number when 0 then 'ok' else 'warning' end;
    detail := case number when 0 then 'every subscription is met, and its table can be published' else format('%s subscriptions are not met, the first: %s', number, found_text) end;
    fix := case number when 0 then null else 'SELECT * FROM integratedb.subscriptions WHERE status = ''unmet''' end;
  else
    status := 'problem'; detail := format('UPDATE and DELETE fail: %s', found_text);
    fix := repairs || '; SELECT * FROM integratedb.sync()';
  end if;
  return next;

  check_name := 'notifications: what is told may be read';
  select string_agg(format('%I is told of %s of %s', a.stakeholder, a.privilege, a.object), '; ' order by a.stakeholder, a.object, a.privilege) into found_text
    from integratedb._audit_notifications(null) a;
  if found_text is null then
    status := 'ok'; detail := 'events have nothing that their stakeholder could not SELECT'; fix := null;
  else
    status := 'problem'; detail := found_text; fix := 'SELECT * FROM integratedb.sync()';
  end if;
  return next;

  check_name := 'notifications: replication slot';
  select s.active, s.wal_status, pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, s.confirmed_flush_lsn) as lag
    into slot
    from pg_replication_slots s where s.slot_name = integratedb._slot_name();
  if integratedb._is_copied() then
    status := 'problem';
    detail := 'this database is a copy: the notifier does not read it, so as not to call the receivers of the original';
    fix := 'SELECT * FROM integratedb.sync() -- it stands for itself; first take out channels that are the original''s';
  elsif not found then
    status := case when state.slot_made_at is null then 'warning' else 'problem' end;
    detail := case when state.slot_made_at is null then 'the notifier has not made it yet'
      else 'it is gone: what happens until the notifier makes another is told as a gap' end;
    fix := 'Start the notifier: integratedb notify';
  elsif slot.wal_status = 'lost' then
    status := 'problem';
    detail := 'the server has thrown away what it had not read (max_slot_wal_keep_size): that is told as a gap';
    fix := 'Start the notifier: integratedb notify';
  elsif slot.wal_status = 'unreserved' or slot.lag > 1024 * 1024 * 1024 then
    status := 'warning';
    detail := format('it is %s behind (%s), which the server has to keep', pg_size_pretty(slot.lag), slot.wal_status);
    fix := 'See what the notifier says: SELECT * FROM integratedb.channels';
  else
    status := 'ok'; detail := format('it is %s behind', pg_size_pretty(slot.lag)); fix := null;
  end if;
  return next;

  check_name := 'notifications: notifier';
  if not exists (select from integratedb.notifier n join pg_roles r on r.oid = n.role_id::oid and r.rolname = n.name where r.rolcanlogin and r.rolreplication and pg_has_role(r.oid, 'integratedb_notifier', 'usage')) then
    status := 'problem';
    detail := 'no login can read the stream';
    fix := 'SELECT integratedb.add_notifier(''name'')';
  elsif state.reported_at is null or state.reported_at < clock_timestamp() - interval '1 minute' then
    status := 'problem';
    detail := case when state.reported_at is null then 'it has never been heard of'
      else format('it has not been heard of for %s', date_trunc('second', clock_timestamp() - state.reported_at)) end;
    fix := 'Start it: integratedb notify';
  else
    status := 'ok'; detail := format('%s was heard of a moment ago', coalesce(state.report->>'instance', 'it')); fix := null;
  end if;
  return next;

  check_name := 'notifications: channels';
  select string_agg(format('%I of %I %s', c.name, c.stakeholder, c.problem), '; ' order by c.stakeholder, c.name), string_agg(distinct c.repair, '; ') into found_text, repairs
    from (
      select k.name, k.stakeholder, format('is disabled (%s)', k.reason) as problem, format('SELECT integratedb.enable_channel(%L, %L)', k.stakeholder, k.name) as repair
        from integratedb.channels k where k.status = 'disabled'
      union all
      select k.name, k.stakeholder, format('cannot be opened (%s)', k.reason), 'See the notifier''s log' from integratedb.channels k where k.status = 'broken'
      union all
      select k.name, k.stakeholder, format('has %s events parked, the oldest for %s', k.parked, date_trunc('second', clock_timestamp() - k.oldest_parked_at)), 'See whether its receiver is well'
        from integratedb.channels k where k.parked > 0 and k.status <> 'disabled' and k.oldest_parked_at < clock_timestamp() - interval '5 minutes'
      union all
      select k.name, k.stakeholder, format('has %s dead letters', k.dead), format('SELECT integratedb.replay_dead_letters(%L, %L), or drop_dead_letters', k.stakeholder, k.name)
        from integratedb.channels k where k.dead > 0
      union all
      select k.name, k.stakeholder, 'has lost its view', format('SELECT * FROM integratedb.set_notifications(%L, integratedb.get_notifications(%L))', k.stakeholder, k.stakeholder)
        from integratedb.channel k where k.kind = 'QUEUE' and not exists (select from pg_class c where c.oid = k.queue_view::oid)
    ) c;
  if found_text is null then
    status := 'ok'; detail := 'none is disabled, broken, behind or refused'; fix := null;
  else
    status := 'warning'; detail := found_text; fix := repairs;
  end if;
  return next;

  check_name := 'notifications: who reads the stream';
  select string_agg(format('%I %s', r.rolname, x.problem), '; ' order by r.rolname, x.problem), string_agg(x.repair, '; ' order by r.rolname, x.problem) into found_text, repairs
    from pg_roles r
    cross join lateral (
      select 'may more than read the stream (SUPERUSER, CREATEROLE, CREATEDB or BYPASSRLS)' as problem, format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS', r.rolname) as repair
       where r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolbypassrls
      union all
      select format('is a member of %I', g.rolname), format('REVOKE %I FROM %I', g.rolname, r.rolname)
        from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid and g.rolname <> 'integratedb_notifier'
    ) x
   where exists (select from integratedb.notifier n where n.role_id::oid = r.oid) or r.rolname = 'integratedb_notifier';
  if found_text is null then
    select string_agg(quote_ident(n.name), ', ' order by n.name) into found_text
      from integratedb.notifier n join pg_roles r on r.oid = n.role_id::oid where r.rolreplication;
    select string_agg(quote_ident(d.datname), ', ' order by d.datname) into repairs
      from pg_database d
     where d.datallowconn and exists (
       select from integratedb.notifier n join pg_roles r on r.oid = n.role_id::oid where r.rolreplication and has_database_privilege(r.oid, d.oid, 'connect'));
    status := 'ok';
    detail := coalesce(format('%s can read every change of every table, published or not, and drop any slot, in each database that it may connect to (%s): pg_hba.conf has to let it into this one only', found_text, repairs),
      'nobody does');
    fix := null;
  else
    status := 'warning'; detail := found_text; fix := repairs;
  end if;
  return next;
end
$$;

comment on function integratedb._diagnose_notifications() is 'internal: the rows of doctor() about notifications';
