-- Subscriptions follow what they rest on: the claims, and the tables as they are.
create or replace function integratedb._expansion_input(notifications json, claims json, relations bigint[], is_declared boolean)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format('{"notifications": %s, "claims": %s, "publishing": %s, "is_declared": %s}',
    coalesce(notifications, '[]'), coalesce(claims, '[]'), integratedb._publishing(relations), to_json(is_declared))
$$;

comment on function integratedb._expansion_input(json, json, bigint[], boolean) is 'internal: what the core''s expand_notifications takes';

create or replace function integratedb._store_subscriptions(subscriptions jsonb)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into integratedb.subscription as s (stakeholder, match, schema_name, relation_name, relid, fields, condition, indexes, status, reason)
  select n.stakeholder, n.match, n.schema_name, n.relation_name, n.relid, n.fields, nullif(n.condition, 'null'), n.indexes, n.status, n.reason
    from jsonb_populate_recordset(null::integratedb.subscription, subscriptions) n
  on conflict on constraint subscription_pkey do update
     set relid = excluded.relid, fields = excluded.fields, condition = excluded.condition, indexes = excluded.indexes,
         status = excluded.status, reason = excluded.reason
   where (s.relid, s.fields, s.condition, s.indexes, s.status, s.reason)
         is distinct from (excluded.relid, excluded.fields, excluded.condition, excluded.indexes, excluded.status, excluded.reason)
$$;

comment on function integratedb._store_subscriptions(jsonb) is 'internal: Subscription[], inserted or brought up to date';

-- All of a stakeholder's, anew. is_declared: what cannot be met is an error (IDB03).
create or replace function integratedb._expand_notifications(name text, is_declared boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  subscriptions jsonb := '[]';
begin
  if exists (select from integratedb.notification n where n.stakeholder = _expand_notifications.name) then
    subscriptions := integratedb._call('expand_notifications', integratedb._expansion_input(
      (select json_agg(to_jsonb(n) order by n.match) from integratedb.notification n where n.stakeholder = _expand_notifications.name),
      (select json_agg(to_jsonb(k) - 'id' order by k.match, k.alternative, k.schema_name, k.relation_name) from integratedb.claim k where k.stakeholder = _expand_notifications.name),
      array(select k.relid from integratedb.claim k where k.stakeholder = _expand_notifications.name and k.relid is not null and exists (
        select from integratedb.notification n
         where n.stakeholder = _expand_notifications.name and n.schema_name = k.schema_name and n.relation_name in (k.relation_name, ''))),
      is_declared));
  end if;
  delete from integratedb.subscription s
   where s.stakeholder = _expand_notifications.name
     and not exists (
       select from jsonb_to_recordset(subscriptions) n (match integer, schema_name text, relation_name text)
        where n.match = s.match and n.schema_name = s.schema_name and n.relation_name = s.relation_name);
  perform integratedb._store_subscriptions(subscriptions);
end
$$;

comment on function integratedb._expand_notifications(text, boolean) is 'internal: a stakeholder''s subscriptions, expanded anew. IDB03';

-- After its claims were replaced, or expanded anew.
create or replace function integratedb._follow_claims(name text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  lost text[];
begin
  if not exists (select from integratedb.notification n where n.stakeholder = _follow_claims.name) then
    return;
  end if;
  lost := array(select s.match || ' ' || s.schema_name || '.' || s.relation_name from integratedb.subscription s where s.stakeholder = _follow_claims.name and s.status = 'met');
  perform integratedb._expand_notifications(name, false);
  perform integratedb._publish();
  perform integratedb._record_version(name);
  lost := array(
    select format('%s: %s', s.path, s.reason)
      from integratedb.subscriptions s
     where s.stakeholder = _follow_claims.name and s.status = 'unmet' and s.match || ' ' || s.schema_name || '.' || s.relation_name = any (lost));
  if lost <> '{}' then
    raise warning using
      message = format('%I is no longer told of all that its notifications ask for', name),
      detail = array_to_string(lost, e'\n'),
      hint = 'They come back with the claims; or SELECT * FROM integratedb.set_notifications(...) says what is wanted now.';
  end if;
end
$$;

comment on function integratedb._follow_claims(text) is 'internal: subscriptions after a change of claims, between _begin_work() and _end_work()';
