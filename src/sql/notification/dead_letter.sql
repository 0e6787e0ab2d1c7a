-- For administrators: channels that stopped, and events that were refused.
create or replace function integratedb._channel_named(name text, channel text)
returns bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found_channel bigint;
begin
  perform integratedb._check_stakeholder(name);
  select k.id into found_channel from integratedb.channel k where k.stakeholder = _channel_named.name and k.name = _channel_named.channel;
  if not found then
    raise exception using
      errcode = 'IDB08',
      message = format('%I has no channel %s', name, coalesce(quote_literal(left(channel, 100)), 'null')),
      detail = format('Its channels: %s.', coalesce((select string_agg(quote_literal(k.name), ', ' order by k.name) from integratedb.channel k where k.stakeholder = _channel_named.name), 'none')),
      hint = 'SELECT stakeholder, name FROM integratedb.channels lists them. Nothing was changed.';
  end if;
  return found_channel;
end
$$;

comment on function integratedb._channel_named(text, text) is 'internal: its id. IDB04, IDB08';

create or replace function integratedb.replay_dead_letters(name text, channel text, ids text[] default null)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  number bigint;
  channel_id constant bigint := integratedb._channel_named(name, channel);
begin
  perform integratedb._begin_work();
  perform integratedb._lock_channel(channel_id);
  update integratedb.parked p set dead_at = null, attempts = 0, reason = null
   where p.channel = channel_id and p.dead_at is not null and (ids is null or p.id = any (ids));
  get diagnostics number = row_count;
  if number > 0 then
    update integratedb.channel k set parked = k.parked + number where k.id = channel_id;
    perform integratedb._record_version(name, true);
  end if;
  perform integratedb._end_work();
  return number;
end
$$;

comment on function integratedb.replay_dead_letters(text, text, text[]) is
  'Has the dead letters of a stakeholder''s channel (these ids; null: all) delivered once more, with their ids, before what is new: how many. IDB04: no such stakeholder; IDB08: no such channel';

create or replace function integratedb.drop_dead_letters(name text, channel text, ids text[] default null)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  number bigint;
  channel_id constant bigint := integratedb._channel_named(name, channel);
begin
  delete from integratedb.parked p
   where p.channel = channel_id and p.dead_at is not null and (ids is null or p.id = any (ids));
  get diagnostics number = row_count;
  return number;
end
$$;

comment on function integratedb.drop_dead_letters(text, text, text[]) is
  'Forgets the dead letters of a stakeholder''s channel (these ids; null: all): how many. IDB04: no such stakeholder; IDB08: no such channel';

create or replace function integratedb.enable_channel(name text, channel text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  channel_id constant bigint := integratedb._channel_named(name, channel);
begin
  perform integratedb._begin_work();
  update integratedb.channel k set disabled_at = null, disabled_reason = null where k.id = channel_id;
  perform integratedb._record_version(name);
  perform integratedb._end_work();
end
$$;

comment on function integratedb.enable_channel(text, text) is
  'Lets a channel that was disabled, because its receiver said that it is gone, have events again; what it missed is told as a gap. IDB04: no such stakeholder; IDB08: no such channel';
