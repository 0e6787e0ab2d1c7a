-- What a stakeholder wants to be told of, and where. A channel of the same name and kind stays the same channel: what is
-- parked for it stays.
create or replace function integratedb._store_channels(name text, channels jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  gone integratedb.channel;
begin
  for gone in
    select k.* from integratedb.channel k
     where k.stakeholder = _store_channels.name
       and not exists (select from jsonb_to_recordset(channels) c (name text, kind text) where c.name = k.name and c.kind = k.kind)
  loop
    perform integratedb._drop_queue(gone);
    delete from integratedb.channel k where k.id = gone.id;
  end loop;
  insert into integratedb.channel as k (stakeholder, name, kind, alerts, max_parked, configuration)
  select _store_channels.name, c.name, c.kind, c.alerts, c.max_parked, c.configuration
    from jsonb_to_recordset(channels) c (name text, kind text, alerts boolean, max_parked integer, configuration jsonb)
  on conflict on constraint "a stakeholder's channel has a name of its own" do update
     set alerts = excluded.alerts, max_parked = excluded.max_parked, configuration = excluded.configuration;
  perform integratedb._make_queues(name);
end
$$;

comment on function integratedb._store_channels(text, jsonb) is 'internal: in place of those it had. IDB05: the name of a QUEUE is taken in its schema';

-- Oids of the tables that notifications speak of, or rest on now.
create or replace function integratedb._notified_relations(name text, notifications jsonb)
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select f.oid::bigint
      from (
        select c.oid
          from jsonb_to_recordset(notifications) n (schema_name text, relation_name text)
          join pg_namespace s on s.nspname = n.schema_name::name
          join pg_class c on c.relnamespace = s.oid
         where n.relation_name in (c.relname::text, '')
        union
        select s.relid::oid from integratedb.subscription s where s.stakeholder = _notified_relations.name and s.relid is not null
      ) r
      cross join lateral integratedb._published_family(r.oid) f (oid)
    union
    -- Their replica identities are looked at, too.
    select p.relid::oid::bigint
      from (
        select c.oid
          from jsonb_to_recordset(notifications) n (schema_name text, relation_name text)
          join pg_namespace s on s.nspname = n.schema_name::name
          join pg_class c on c.relnamespace = s.oid and c.relkind = 'p'
         where n.relation_name in (c.relname::text, '')
      ) r
      cross join lateral pg_partition_tree(r.oid) p)
$$;

comment on function integratedb._notified_relations(text, jsonb) is 'internal: to be locked before the epoch: as ALTER PUBLICATION locks them, so that no replica identity changes meanwhile';

-- What ALTER PUBLICATION locks, before the epoch: whoever changes claims may change what is published.
create or replace function integratedb._lock_notified(name text, notifications jsonb default null)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._lock_relations(
    integratedb._notified_relations(name, coalesce(notifications, (
      select jsonb_agg(to_jsonb(n)) from integratedb.notification n where n.stakeholder = _lock_notified.name), '[]')),
    'share update exclusive');
end
$$;

comment on function integratedb._lock_notified(text, jsonb) is 'internal: the tables of a stakeholder''s notifications, those of these ones or else those that it has';

create or replace function integratedb.set_notifications(name text, document jsonb)
returns table (path text, events text[], fields text[], channels text[], "where" text, status text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  specification jsonb;
begin
  perform integratedb._check_isolation('set_notifications');
  perform integratedb._check_stakeholder(name);
  if document is null then
    raise exception using
      errcode = 'IDB02',
      message = 'a notifications document is needed, not null',
      detail = 'It is a JSON object with the keys "match" and "channels".',
      hint = 'For example: {"match": [{"path": "public.orders", "events": ["*"], "channels": ["*"]}], "channels": [{"name": "events", "kind": "QUEUE"}]}';
  end if;
  specification := integratedb._call('read_notifications', left(document::text, 1048577));
  perform integratedb._judge_pending(); -- claims have to be as this transaction has made the tables
  perform integratedb._lock_notified(name, specification->'notifications');
  perform integratedb._begin_work();
  perform integratedb._check_stakeholder(name); -- it may be gone, or have another name, since we waited
  perform integratedb._replace_notifications(name, document, specification, true);
  perform integratedb._end_work();
  return query
    select s.path, s.events, s.fields, s.channels, s."where", s.status from integratedb.subscriptions s where s.stakeholder = set_notifications.name;
end
$$;

comment on function integratedb.set_notifications(text, jsonb) is
  'Declares which changes of what it claims a stakeholder is told of, and on which channels, replacing what was declared before. Returns rows as view subscriptions. The document: docs/notifications.md. All its problems are told at once, each with a JSON pointer, and then nothing changes. IDB02: invalid document; IDB03: not claimed, or a table that cannot be published; IDB04: no such stakeholder; IDB05: the name of a QUEUE is taken in its schema';

create or replace function integratedb._replace_notifications(name text, document jsonb, specification jsonb, is_declared boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._store_channels(name, specification->'channels');
  delete from integratedb.notification n where n.stakeholder = _replace_notifications.name;
  insert into integratedb.notification (stakeholder, match, schema_name, relation_name, events, fields, channels, "where")
  select _replace_notifications.name, n.match, n.schema_name, n.relation_name, n.events, n.fields, n.channels, n."where"
    from jsonb_populate_recordset(null::integratedb.notification, specification->'notifications') n;
  update integratedb.stakeholder s set notifications = _replace_notifications.document where s.name = _replace_notifications.name;
  perform integratedb._expand_notifications(name, is_declared);
  perform integratedb._publish();
  perform integratedb._record_version(name);
end
$$;

comment on function integratedb._replace_notifications(text, jsonb, jsonb, boolean) is 'internal: between _begin_work() and _end_work(). IDB03, IDB05';

create or replace function integratedb.get_notifications(name text)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._check_stakeholder(name);
  return (select s.notifications from integratedb.stakeholder s where s.name = get_notifications.name);
end
$$;

comment on function integratedb.get_notifications(text) is
  'The notifications document as it was written; null if there is none. IDB04: no such stakeholder';

create or replace function integratedb.remove_notifications(name text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._check_stakeholder(name);
  perform integratedb._lock_notified(name, '[]');
  perform integratedb._begin_work();
  perform integratedb._check_stakeholder(name); -- it may be gone, or have another name, since we waited
  perform integratedb._forget_notifications(name);
  perform integratedb._end_work();
end
$$;

comment on function integratedb.remove_notifications(text) is
  'Forgets what a stakeholder is told of, its channels, and what is parked or queued for them. IDB04: no such stakeholder';

create or replace function integratedb._forget_notifications(name text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from integratedb.channel k where k.stakeholder = _forget_notifications.name) or exists (select from integratedb.notification n where n.stakeholder = _forget_notifications.name) then
    perform integratedb._replace_notifications(name, null, '{"channels": [], "notifications": []}', false);
  end if;
end
$$;

comment on function integratedb._forget_notifications(text) is 'internal: between _begin_work() and _end_work()';
