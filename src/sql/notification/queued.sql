-- The channel kind QUEUE: events land in a table of ours, each stakeholder sees its own as a view in its own schema, and
-- takes them by function. The table is not in that schema: who owns a schema can put another table under a name in it,
-- with triggers that would run with our rights when we insert there.
create table if not exists integratedb.queued (
  channel bigint not null references integratedb.channel on delete cascade,
  id text collate "C" not null,
  key text,
  body text not null,
  queued_at timestamptz not null default now(),
  visible_at timestamptz not null default '-infinity',
  attempts integer not null default 0,
  primary key (channel, id)
);

create index if not exists queued_of_key on integratedb.queued (channel, key, id);

comment on table integratedb.queued is 'Events of QUEUE channels, until they are acknowledged';
comment on column integratedb.queued.visible_at is 'Taken by somebody, who has until then to acknowledge it';

create or replace function integratedb._make_queues(name text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  queue record;
begin
  for queue in
    select k.id, k.name as channel from integratedb.channel k
     where k.stakeholder = _make_queues.name and k.kind = 'QUEUE'
       and not exists (select from pg_class c where c.oid = k.queue_view::oid and c.relkind = 'v' and c.relowner = (select r.oid from pg_roles r where r.rolname = current_user))
     order by k.id
  loop
    begin
      execute format(
        'create view %I.%I with (security_barrier = true) as select q.id, q.body::jsonb as event, q.queued_at, nullif(q.visible_at, ''-infinity'') as taken_until, q.attempts from integratedb.queued q where q.channel = %s',
        name, queue.channel, queue.id);
    exception when duplicate_table or invalid_schema_name then
      raise exception using
        errcode = 'IDB05',
        message = format('the queue %I cannot be shown in the schema %I', queue.channel, name),
        detail = sqlerrm || '.',
        hint = 'A QUEUE is a view of the channel''s name in its stakeholder''s schema, and replaces nothing. Give the channel another name. Nothing was changed.';
    end;
    execute format('comment on view %I.%I is %L', name, queue.channel,
      'Events that wait in this queue: SELECT * FROM integratedb.take_events(' || quote_literal(queue.channel) || ')');
    execute format('grant select on %I.%I to %I', name, queue.channel, name);
    update integratedb.channel k set queue_view = format('%I.%I', _make_queues.name, queue.channel)::regclass::oid::bigint where k.id = queue.id;
  end loop;
end
$$;

comment on function integratedb._make_queues(text) is 'internal: the views of a stakeholder''s QUEUE channels. IDB05';

create or replace function integratedb._drop_queue(gone integratedb.channel)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  queue text;
begin
  select format('%I.%I', n.nspname, c.relname) into queue
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.oid = gone.queue_view::oid and c.relkind = 'v' and c.relowner = (select r.oid from pg_roles r where r.rolname = current_user)
     and exists (
       select from pg_depend d join pg_rewrite w on w.oid = d.objid
        where d.classid = 'pg_rewrite'::regclass and w.ev_class = c.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = 'integratedb.queued'::regclass);
  if found then
    begin
      execute format('drop view %s', queue);
    exception when dependent_objects_still_exist then
      execute format('revoke all on %s from %I', queue, gone.stakeholder); -- somebody's view reads it: it stays, empty
    end;
  end if;
end
$$;

comment on function integratedb._drop_queue(integratedb.channel) is 'internal: the view of a QUEUE; what is in it goes with the channel';

create or replace function integratedb._enqueue(channel bigint, ids text[], keys text[], bodies text[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  target integratedb.channel;
begin
  select * into target from integratedb.channel k where k.id = _enqueue.channel and k.kind = 'QUEUE';
  if not found then
    raise exception using
      errcode = 'IDB08',
      message = format('there is no QUEUE %s', channel),
      detail = 'Its stakeholder has given it up, or is gone.',
      hint = 'What was meant for it can be let go.';
  end if;
  -- Looked at only so far as it matters.
  if (select count(*) from (select from integratedb.queued q where q.channel = target.id limit target.max_parked) full_queue) >= target.max_parked then
    raise exception using
      errcode = 'IDB08',
      message = format('the queue %I of %I is full', target.name, target.stakeholder),
      detail = format('It holds %s events that nobody has acknowledged, which is its max_parked.', target.max_parked),
      hint = 'Take and acknowledge events (integratedb.take_events, integratedb.ack_events).';
  end if;
  insert into integratedb.queued (channel, id, key, body)
  select target.id, u.id, u.key, u.body from unnest(ids, keys, bodies) u (id, key, body)
  on conflict on constraint queued_pkey do nothing;
  if found then
    perform pg_notify(target.stakeholder, target.name);
  end if;
end
$$;

comment on function integratedb._enqueue(bigint, text[], text[], text[]) is 'internal: for the notifier: events for a QUEUE. IDB08: it is gone, or full';

-- What a stakeholder calls runs as its caller and inserts into this view, as in _act.sql: the first trigger says who
-- that is, the second does the work.
create or replace view integratedb._queue_act as
select
  null::oid as caller,
  null::text as call,
  null::text as channel,
  null::bigint as most,
  null::interval as duration,
  null::text[] as ids,
  null::jsonb as answer
where false;

comment on view integratedb._queue_act is 'internal: a row that is inserted is a call, and its answer; nothing is kept';

create or replace function integratedb._queue_act()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  who constant text := integratedb._stakeholder_of(pg_get_userbyid(new.caller));
  queue bigint;
begin
  if who is null then
    raise exception using
      errcode = 'IDB04',
      message = format('%I is not a stakeholder', pg_get_userbyid(new.caller)),
      detail = format('%s is for stakeholders, logged in as themselves.', new.call),
      hint = 'SELECT name FROM integratedb.stakeholders lists them. Nothing was changed.';
  end if;
  if new.call = 'issue_socket_token' then
    new.answer := integratedb._issue_socket_token(who, new.duration);
    return new;
  end if;
  select k.id into queue from integratedb.channel k where k.stakeholder = who and k.name = new.channel and k.kind = 'QUEUE';
  if not found then
    raise exception using
      errcode = 'IDB08',
      message = format('%I has no queue %s', who, coalesce(quote_literal(left(new.channel, 100)), 'null')),
      detail = format('Its queues: %s.', coalesce((
        select string_agg(quote_literal(k.name), ', ' order by k.name) from integratedb.channel k where k.stakeholder = who and k.kind = 'QUEUE'), 'none')),
      hint = 'A queue is a channel of kind QUEUE in the notifications document (integratedb.set_notifications). Nothing was changed.';
  end if;
  case new.call
    when 'take_events' then
      new.answer := integratedb._take_events(queue, new.most, new.duration);
    when 'ack_events' then
      with gone as (
        delete from integratedb.queued q where q.channel = queue and q.id = any (new.ids) returning 1
      )
      select to_jsonb(count(*)) into new.answer from gone;
    when 'release_events' then
      with back as (
        update integratedb.queued q set visible_at = '-infinity' where q.channel = queue and q.id = any (new.ids) and q.visible_at > clock_timestamp() returning 1
      )
      select to_jsonb(count(*)) into new.answer from back;
      if new.answer <> '0' then
        perform pg_notify(who, new.channel);
      end if;
  end case;
  return new;
end
$$;

comment on function integratedb._queue_act() is 'internal: the trigger function of queue_act_then';

create or replace trigger queue_act_as_caller instead of insert on integratedb._queue_act
  for each row execute function integratedb._say_who();
create or replace trigger queue_act_then instead of insert on integratedb._queue_act
  for each row execute function integratedb._queue_act();

comment on trigger queue_act_as_caller on integratedb._queue_act is 'The caller is who calls, whatever was inserted';
comment on trigger queue_act_then on integratedb._queue_act is 'Does what is called, with the rights of IntegrateDB';

-- Of each key only the first event, so that its events are handled in order; what has no key is handled by itself,
-- after all before it and before all after it.
create or replace function integratedb._take_events(queue bigint, most bigint, visibility interval)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  barrier text;
  oldest text;
  answer jsonb;
begin
  if coalesce(most not between 1 and 10000, true) then
    raise exception using
      errcode = 'IDB08',
      message = format('most cannot be %s', coalesce(most::text, 'null')),
      detail = 'It is how many events to take at most, 1 to 10000.',
      hint = 'For example: SELECT * FROM integratedb.take_events(''events'', 100); Nothing was taken.';
  elsif coalesce(visibility not between interval '1 second' and interval '12 hours', true) then
    raise exception using
      errcode = 'IDB08',
      message = format('visibility cannot be %s', coalesce(visibility::text, 'null')),
      detail = 'It is how long nobody else is given the events that are taken, 1 second to 12 hours.',
      hint = 'For example: SELECT * FROM integratedb.take_events(''events'', 100, ''30 seconds''); Nothing was taken.';
  end if;
  select min(q.id) into barrier from integratedb.queued q where q.channel = queue and q.key is null;
  select min(q.id) into oldest from integratedb.queued q where q.channel = queue;
  with ready as (
    select q.id
      from integratedb.queued q
     where q.channel = queue
       and q.visible_at <= clock_timestamp()
       and case when q.key is null then q.id = oldest
             else (barrier is null or q.id < barrier)
               and not exists (select from integratedb.queued e where e.channel = queue and e.key = q.key and e.id < q.id) end
     order by q.id
     limit most
       for update of q skip locked
  ), taken as (
    update integratedb.queued q set visible_at = clock_timestamp() + visibility, attempts = q.attempts + 1
      from ready r
     where q.channel = queue and q.id = r.id
    returning q.id, q.body, q.attempts
  )
  select jsonb_agg(jsonb_build_object('id', t.id, 'event', t.body::jsonb, 'attempt', t.attempts) order by t.id) into answer from taken t;
  return coalesce(answer, '[]');
end
$$;

comment on function integratedb._take_events(bigint, bigint, interval) is 'internal: [{"id", "event", "attempt"}]. IDB08';

create or replace function integratedb.take_events(channel text, most integer default 100, visibility interval default '30 seconds')
returns table (id text, event jsonb, attempt integer)
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  result jsonb;
begin
  insert into integratedb._queue_act (call, channel, most, duration) values ('take_events', channel, most, visibility) returning answer into result;
  return query select e.id, e.event, e.attempt from jsonb_to_recordset(result) e (id text, event jsonb, attempt integer);
end
$$;

comment on function integratedb.take_events(text, integer, interval) is
  'For a stakeholder, logged in as itself: events of one of its queues that nobody has taken, at most so many, of each key only the first. Nobody else is given them within visibility; who does not acknowledge them by then (ack_events) has them given again. attempt: how often it was taken. LISTEN to the stakeholder''s name to hear of new ones. IDB04: the caller is not a stakeholder; IDB08: no such queue, or a wrong argument';

create or replace function integratedb.ack_events(channel text, ids text[])
returns integer
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  result jsonb;
begin
  insert into integratedb._queue_act (call, channel, ids) values ('ack_events', channel, ids) returning answer into result;
  return result::integer;
end
$$;

comment on function integratedb.ack_events(text, text[]) is
  'For a stakeholder, logged in as itself: these events of its queue are dealt with and go; how many there were. IDB04: the caller is not a stakeholder; IDB08: no such queue';

create or replace function integratedb.release_events(channel text, ids text[])
returns integer
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  result jsonb;
begin
  insert into integratedb._queue_act (call, channel, ids) values ('release_events', channel, ids) returning answer into result;
  return result::integer;
end
$$;

comment on function integratedb.release_events(text, text[]) is
  'For a stakeholder, logged in as itself: gives taken events of its queue back at once; how many there were. IDB04: the caller is not a stakeholder; IDB08: no such queue';
