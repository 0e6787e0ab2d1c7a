create or replace view integratedb.subscriptions as
select
  s.stakeholder,
  format('%I.%s', s.schema_name, case when s.relation_name = '' then '*' else quote_ident(s.relation_name) end) as path,
  n.events,
  s.fields,
  n.channels,
  n."where",
  s.status,
  s.reason,
  s.match
from integratedb.subscription s
join integratedb.notification n on n.stakeholder = s.stakeholder and n.match = s.match
order by s.stakeholder, s.match, s.schema_name, s.relation_name;

comment on view integratedb.subscriptions is
  'What each stakeholder is told of, match by match and table by table. fields: those that events carry now. channels: names. status: met | unmet (nothing is told; reason says why)';

create or replace view integratedb.channels as
select
  k.stakeholder,
  k.name,
  k.kind,
  k.alerts,
  k.configuration,
  case when k.disabled_at is not null then 'disabled' else coalesce(r.report->>'status', 'unknown') end as status,
  coalesce(k.disabled_reason, r.report->>'reason') as reason,
  k.parked,
  k.max_parked,
  p.oldest_parked_at,
  (select count(*) from integratedb.parked d where d.channel = k.id and d.dead_at is not null) as dead,
  case when k.kind = 'QUEUE' then (select count(*) from integratedb.queued q where q.channel = k.id) end as queued,
  k.disabled_at
from integratedb.channel k
left join lateral (
  select c.value as report
    from integratedb.notifier_state s cross join lateral jsonb_array_elements(s.report->'channels') c
   where c.value->>'id' = k.id::text and s.reported_at > now() - interval '1 minute'
   limit 1
) r on true
left join lateral (
  select w.parked_at as oldest_parked_at from integratedb.parked w where w.channel = k.id and w.dead_at is null order by w.id limit 1
) p on true
order by k.stakeholder, k.name;

comment on view integratedb.channels is
  'Where events go, and how that goes. status: direct | parked (it does not take events, which wait in the database) | disabled | broken, as the notifier said within the last minute, else unknown. queued: of a QUEUE, events that nobody has acknowledged';

create or replace view integratedb.dead_letters as
select k.stakeholder, k.name as channel, p.id, p.key, p.body::jsonb as event, p.attempts, p.reason, p.dead_at
from integratedb.parked p
join integratedb.channel k on k.id = p.channel
where p.dead_at is not null
order by k.stakeholder, k.name, p.id;

comment on view integratedb.dead_letters is
  'Events that a receiver refused for good: replay_dead_letters() or drop_dead_letters()';
