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
    select format('%I.%s: %s', s.schema_name, case s.relation_name when '' then '*' else quote_ident(s.relation_name) end, s.reason)
      from integratedb.subscription s
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

-- What a migration that touched these claims means for notifications, merged into the judgement of the claims.
create or replace function integratedb._judge_notifications(affected bigint[], relations bigint[], judgement jsonb)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  notified jsonb;
  notifications json;
  subscriptions json;
  claims jsonb;
begin
  -- Relations by name, as claims are; what a wildcard took in just now among them.
  select jsonb_agg(distinct jsonb_build_object('stakeholder', k.stakeholder, 'schema_name', k.schema_name, 'relation_name', k.relation_name)) into notified
    from (
      select k.stakeholder, k.schema_name, k.relation_name from integratedb.claim k where k.id = any (affected)
      union
      select k.stakeholder, k.schema_name, k.relation_name from jsonb_to_recordset(judgement->'claims') k (stakeholder text, schema_name text, relation_name text)
    ) k
   where exists (
     select from integratedb.notification n
      where n.stakeholder = k.stakeholder and n.schema_name = k.schema_name and (n.relation_name = k.relation_name or n.relation_name = '' and k.relation_name <> ''));
  if notified is null then
    return null;
  end if;
  select json_agg(to_jsonb(n) order by n.stakeholder, n.match) into notifications
    from integratedb.notification n
   where exists (
     select from jsonb_to_recordset(notified) k (stakeholder text, schema_name text, relation_name text)
      where n.stakeholder = k.stakeholder and n.schema_name = k.schema_name and n.relation_name in (k.relation_name, ''));
  select coalesce(json_agg(to_jsonb(s) order by s.stakeholder, s.match, s.schema_name, s.relation_name), '[]') into subscriptions
    from integratedb.subscription s
    join jsonb_to_recordset(notified) k (stakeholder text, schema_name text, relation_name text) using (stakeholder, schema_name, relation_name);
  -- Those of the judgement are as they will be; the others stay.
  select jsonb_agg(k.claim) into claims
    from (
      select c.claim, c.claim->>'stakeholder' as stakeholder, c.claim->>'schema_name' as schema_name, c.claim->>'relation_name' as relation_name
        from jsonb_array_elements(judgement->'claims') c (claim)
      union all
      select to_jsonb(k) - 'id', k.stakeholder, k.schema_name, k.relation_name
        from (
          select distinct on (o.id) o.*
            from jsonb_to_recordset(notified) t (stakeholder text, schema_name text, relation_name text)
            cross join lateral (
              select c.* from integratedb.claim c
               where c.schema_name = t.schema_name and c.relation_name in (t.relation_name, '') and c.stakeholder = t.stakeholder
              offset 0
            ) o
        ) k
       where not exists (
         select from jsonb_to_recordset(judgement->'claims') c (stakeholder text, match integer, alternative integer, schema_name text, relation_name text)
          where c.stakeholder = k.stakeholder and c.match = k.match and c.alternative is not distinct from k.alternative
            and c.schema_name = k.schema_name and c.relation_name = k.relation_name)
    ) k
   where exists (
     select from jsonb_to_recordset(notified) t (stakeholder text, schema_name text, relation_name text)
      where t.stakeholder = k.stakeholder and t.schema_name = k.schema_name and k.relation_name in (t.relation_name, ''));
  return jsonb_build_object('notified', notified) || integratedb._call('judge_notifications',
    format('{"notifications": %s, "subscriptions": %s, "claims": %s, "publishing": %s, "findings": %s}',
      notifications, subscriptions, coalesce(claims, '[]'), integratedb._publishing(relations), judgement->'findings'));
end
$$;

comment on function integratedb._judge_notifications(bigint[], bigint[], jsonb) is
  'internal: {notified, subscriptions, verdict, findings, report, warning}; null if no notification was touched. Changes nothing';

create or replace function integratedb._follow_migration(judgement jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from integratedb.subscription s
   using jsonb_to_recordset(judgement->'notified') k (stakeholder text, schema_name text, relation_name text)
   where s.stakeholder = k.stakeholder and s.schema_name = k.schema_name and s.relation_name = k.relation_name
     and not exists (
       select from jsonb_to_recordset(judgement->'subscriptions') n (stakeholder text, match integer, schema_name text, relation_name text)
        where n.stakeholder = s.stakeholder and n.match = s.match and n.schema_name = s.schema_name and n.relation_name = s.relation_name);
  perform integratedb._store_subscriptions(judgement->'subscriptions');
  perform integratedb._publish();
  perform integratedb._record_version(k.stakeholder)
     from (select distinct k->>'stakeholder' as stakeholder from jsonb_array_elements(judgement->'notified') k order by 1) k;
end
$$;

comment on function integratedb._follow_migration(jsonb) is 'internal: subscriptions after an accepted migration, between _begin_work() and _end_work()';

-- While enforcement is off nothing is judged, but no application's UPDATE may fail because of us, and nobody be told of hidden rows.
create or replace function integratedb._unpublish_unfit(touched bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  stakeholders text[];
begin
  if not exists (select from integratedb.subscription s where s.status = 'met' and (touched is null or s.relid = any (touched))) then
    return;
  end if;
  with unfit as (
    update integratedb.subscription s set status = 'unmet', relid = null, indexes = '{}',
           reason = coalesce(p.problem, case when p.relation is null then 'it is not there' else 'row level security hides rows' end)
      from (
        select t.relid, p.problem, p.hidden_from, p.relation
          from (select distinct m.relid from integratedb.subscription m where m.status = 'met' and (touched is null or m.relid = any (touched))) t
          left join json_to_recordset(integratedb._publishing(array(
            select m.relid from integratedb.subscription m where m.status = 'met' and (touched is null or m.relid = any (touched)))))
            p (relation bigint, problem text, hidden_from jsonb) on p.relation = t.relid
      ) p
     where s.relid = p.relid and (p.relation is null or p.problem is not null or p.hidden_from ? s.stakeholder)
    returning s.stakeholder
  )
  select array_agg(distinct u.stakeholder) into stakeholders from unfit u;
  if stakeholders is not null then
    perform integratedb._publish();
    perform integratedb._record_version(n) from unnest(stakeholders) n;
  end if;
end
$$;

comment on function integratedb._unpublish_unfit(bigint[]) is 'internal: takes out of the publication what cannot be published any more; sync() puts it back';
