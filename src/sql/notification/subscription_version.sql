-- Subscriptions travel in the stream: this table is published, and each change of what a stakeholder subscribes to
-- inserts a row in the same transaction. So the notifier sees it in its place among the changes, and nobody can forge it.
create table if not exists integratedb.subscription_version (
  version bigint generated always as identity primary key,
  stakeholder text not null,
  state jsonb,
  lsn pg_lsn
);

create index if not exists subscription_version_of_stakeholder on integratedb.subscription_version (stakeholder, version);

comment on table integratedb.subscription_version is 'What each stakeholder subscribes to, from when: published, read by the notifier';
comment on column integratedb.subscription_version.state is '{"stakeholder", "channels", "subscriptions"}; null when it has no channel any more';
comment on column integratedb.subscription_version.lsn is 'Where its transaction ends in the stream, once the notifier has come there';

-- All that a notifier has to know of what a stakeholder subscribes to.
create or replace function integratedb._subscription_state(name text)
returns jsonb
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('stakeholder', name, 'channels', c.channels, 'subscriptions', coalesce((
           select jsonb_agg(jsonb_build_object(
                    'relation', f.oid::bigint,
                    'path', format('%I.%I', s.schema_name, s.relation_name),
                    'events', to_jsonb(n.events),
                    -- What makes a row one, which REPLICA IDENTITY FULL does not say.
                    'key', (select jsonb_agg(a.attname order by k.place)
                              from pg_index i
                              cross join lateral unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k (num, place)
                              join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
                             where i.indrelid = f.oid and i.indisprimary and i.indisvalid),
                    'fields', to_jsonb(s.fields),
                    'where', s.condition,
                    'channels', (select coalesce(jsonb_agg(k.id order by k.id), '[]') from integratedb.channel k where k.stakeholder = _subscription_state.name and k.name = any (n.channels))
                  ) order by s.match, s.schema_name, s.relation_name, f.oid)
             from integratedb.subscription s
             join integratedb.notification n on n.stakeholder = s.stakeholder and n.match = s.match
             cross join lateral integratedb._published_family(s.relid::oid) f (oid)
            where s.stakeholder = _subscription_state.name and s.status = 'met'), '[]'))
    from (
      select jsonb_agg(jsonb_build_object(
               'id', k.id, 'name', k.name, 'kind', k.kind, 'alerts', k.alerts, 'max_parked', k.max_parked,
               'disabled', k.disabled_at is not null, 'configuration', k.configuration) order by k.id) as channels
        from integratedb.channel k where k.stakeholder = _subscription_state.name
    ) c
   where c.channels is not null
$$;

comment on function integratedb._subscription_state(text) is 'internal: subscription_version.state of a stakeholder as it is now; null without channels';

-- force: the notifier has to look at the channels again although nothing else is new.
create or replace function integratedb._record_version(name text, force boolean default false)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  new_state constant jsonb := integratedb._subscription_state(name);
  last_state jsonb;
begin
  select v.state into last_state from integratedb.subscription_version v where v.stakeholder = _record_version.name order by v.version desc limit 1;
  if force or new_state is distinct from last_state then
    insert into integratedb.subscription_version (stakeholder, state) values (name, new_state);
  end if;
end
$$;

comment on function integratedb._record_version(text, boolean) is 'internal: tells the notifier what a stakeholder subscribes to, if that is new. Whoever calls it holds the epoch row';
