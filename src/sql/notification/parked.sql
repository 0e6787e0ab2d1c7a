-- What a channel has not taken, durably, so that the slot can move on.
create table if not exists integratedb.parked (
  channel bigint not null references integratedb.channel on delete cascade,
  id text collate "C" not null,
  key text,
  body text,
  attempts integer not null default 0,
  reason text,
  parked_at timestamptz not null default now(),
  dead_at timestamptz,
  gap text,
  last_id text collate "C",
  number bigint,
  primary key (channel, id)
);

create index if not exists parked_alive on integratedb.parked (channel, id) where dead_at is null;
create index if not exists parked_dead on integratedb.parked (channel, dead_at) where dead_at is not null;
create index if not exists parked_gap on integratedb.parked (channel, id) where gap is not null;

comment on table integratedb.parked is 'Events that wait for their channel, and dead letters';
comment on column integratedb.parked.id is 'Of the event; its order is that of the stream. Of a gap: that of the first event that is missing, and "-gap"';
comment on column integratedb.parked.gap is 'Not an event but the place of those that are missing, and why: quota | disabled | slot lost; last_id and number tell which';

-- Ends in an error, or answers the channel, locked: what is parked for one is changed by one at a time.
create or replace function integratedb._lock_channel(channel bigint)
returns integratedb.channel
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found_channel integratedb.channel;
begin
  select * into found_channel from integratedb.channel k where k.id = _lock_channel.channel for no key update;
  if not found then
    raise exception using
      errcode = 'IDB08',
      message = format('there is no channel %s', channel),
      detail = 'Its stakeholder has given it up, or is gone.',
      hint = 'What was meant for it can be let go.';
  end if;
  return found_channel;
end
$$;

comment on function integratedb._lock_channel(bigint) is 'internal: IDB08 if it is gone';

-- Events that are not kept are counted, and told of in their place: the last row of the channel goes on while it can.
create or replace function integratedb._miss(channel bigint, first_id text, last_id text, number bigint, why text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  last integratedb.parked;
begin
  select * into last from integratedb.parked p where p.channel = _miss.channel and p.dead_at is null order by p.id desc limit 1;
  if last.gap = why and last.last_id < first_id collate "C" then
    update integratedb.parked p set last_id = _miss.last_id, number = p.number + _miss.number where p.channel = _miss.channel and p.id = last.id;
    return;
  end if;
  insert into integratedb.parked (channel, id, gap, last_id, number)
  values (_miss.channel, first_id || '-gap', why, _miss.last_id, _miss.number)
  on conflict on constraint parked_pkey do nothing;
  if found then
    update integratedb.channel k set parked = k.parked + 1 where k.id = _miss.channel;
  end if;
end
$$;

comment on function integratedb._miss(bigint, text, text, bigint, text) is 'internal: after _lock_channel()';

create or replace function integratedb._park(channel bigint, ids text[], keys text[], bodies text[])
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  locked constant integratedb.channel := integratedb._lock_channel(channel);
  room bigint := case when locked.disabled_at is null then locked.max_parked - locked.parked else 0 end;
  missed text[];
  taken integer := 0;
begin
  -- The notifier comes again with what it is not sure of: what is there, or was counted as missing, is safe. Looked up one by one, in an index:
  -- what a join costs would depend on how much is parked, and on statistics that are never of now.
  with given as (
    select e.id, e.key, e.body, row_number() over (order by e.id collate "C") as place
      from (select distinct on (u.id) u.id, u.key, u.body from unnest(ids, keys, bodies) u (id, key, body) order by u.id) e
     where (select p.id from integratedb.parked p where p.channel = _park.channel and p.id = e.id) is null
       and (select g.id from integratedb.parked g
             where g.channel = _park.channel and g.gap is not null and g.id <= e.id collate "C" || '-gap' and e.id collate "C" <= g.last_id
             limit 1) is null
  ), inserted as (
    insert into integratedb.parked (channel, id, key, body)
    select _park.channel, g.id, g.key, g.body from given g where g.place <= room
    returning 1
  )
  select (select count(*) from inserted), array(select g.id from given g where g.place > room order by g.id collate "C") into taken, missed;
  update integratedb.channel k set parked = k.parked + taken where k.id = _park.channel and taken > 0;
  if missed <> '{}' then
    perform integratedb._miss(channel, missed[1], missed[cardinality(missed)], cardinality(missed),
      case when locked.disabled_at is null then 'quota' else 'disabled' end);
  end if;
  return taken;
end
$$;

comment on function integratedb._park(bigint, text[], text[], text[]) is
  'internal: for the notifier: sets events aside. Answers how many; the others are there, or counted into a gap, and so as safe. IDB08: no such channel';

create or replace function integratedb._gap(channel bigint, first_id text, last_id text, number bigint, reason text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._lock_channel(channel);
  insert into integratedb.parked (channel, id, gap, last_id, number)
  values (_gap.channel, first_id || '-gap', reason, _gap.last_id, _gap.number)
  on conflict on constraint parked_pkey do nothing;
  update integratedb.channel k set parked = k.parked + 1 where k.id = _gap.channel and found;
end
$$;

comment on function integratedb._gap(bigint, text, text, bigint, text) is 'internal: for the notifier: tells a channel that events are missing. IDB08: no such channel';

create or replace function integratedb._parked(channel bigint, after text, most integer)
returns table (id text, key text, body text, attempts integer)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select p.id, p.key,
         case when p.gap is null then p.body else jsonb_build_object(
           'specversion', '1.0',
           'id', p.id,
           'source', '/integratedb/' || current_database(),
           'type', 'integratedb.gap',
           'time', to_char(p.parked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'datacontenttype', 'application/json',
           'data', jsonb_strip_nulls(jsonb_build_object(
             'stakeholder', k.stakeholder, 'channel', k.name, 'reason', p.gap,
             'first', left(p.id, -4), 'last', p.last_id, 'number', p.number)))::text end,
         p.attempts
    from integratedb.parked p
    join integratedb.channel k on k.id = p.channel
   where p.channel = _parked.channel and p.dead_at is null and (after is null or p.id > after collate "C")
   order by p.id
   limit least(most, 10000)
$$;

comment on function integratedb._parked(bigint, text, integer) is 'internal: for the notifier: what waits, in order; a gap as an event in its place';

create or replace function integratedb._unpark(channel bigint, ids text[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  gone bigint;
begin
  perform integratedb._lock_channel(channel);
  delete from integratedb.parked p where p.channel = _unpark.channel and p.id = any (ids) and p.dead_at is null;
  get diagnostics gone = row_count;
  update integratedb.channel k set parked = k.parked - gone where k.id = _unpark.channel and gone > 0;
end
$$;

comment on function integratedb._unpark(bigint, text[]) is 'internal: for the notifier: these are delivered. IDB08: no such channel';

create or replace function integratedb._failed(channel bigint, ids text[], reason text)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update integratedb.parked p set attempts = p.attempts + 1, reason = left(_failed.reason, 1000)
   where p.channel = _failed.channel and p.id = any (ids) and p.dead_at is null
$$;

comment on function integratedb._failed(bigint, text[], text) is 'internal: for the notifier: one more attempt that did not succeed';

create or replace function integratedb._bury(channel bigint, ids text[], reason text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  locked constant integratedb.channel := integratedb._lock_channel(channel);
  room constant bigint := locked.max_parked - (select count(*) from integratedb.parked p where p.channel = _bury.channel and p.dead_at is not null);
  buried bigint;
  missed text[];
begin
  -- Over its quota of dead letters, what is refused is only counted.
  missed := array(
    select i.id from (select u.id, row_number() over (order by u.id collate "C") as place from unnest(ids) u (id)) i where i.place > room order by i.place);
  update integratedb.parked p set dead_at = now(), attempts = p.attempts + 1, reason = left(_bury.reason, 1000)
   where p.channel = _bury.channel and p.id = any (ids) and p.dead_at is null and p.id <> all (missed);
  get diagnostics buried = row_count;
  update integratedb.channel k set parked = k.parked - buried where k.id = _bury.channel and buried > 0;
  if missed <> '{}' then
    perform integratedb._unpark(channel, missed);
    perform integratedb._miss(channel, missed[1], missed[cardinality(missed)], cardinality(missed), 'quota');
  end if;
end
$$;

comment on function integratedb._bury(bigint, text[], text) is 'internal: for the notifier: parked events that are refused for good become dead letters. IDB08: no such channel';

create or replace function integratedb._disable_channel(channel bigint, reason text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  who text;
begin
  perform integratedb._begin_work();
  update integratedb.channel k set disabled_at = now(), disabled_reason = left(reason, 1000)
   where k.id = _disable_channel.channel and k.disabled_at is null
  returning k.stakeholder into who;
  if found then
    perform integratedb._record_version(who);
  end if;
  perform integratedb._end_work();
end
$$;

comment on function integratedb._disable_channel(bigint, text) is 'internal: for the notifier: its receiver is gone for good. What comes is counted, and kept no more';
