-- What a stakeholder has to hear of that is no change of a row. A message in the stream, signed, because everybody may put
-- messages there; one that is not transactional stays when its transaction is rolled back.
create or replace function integratedb._alert(name text, type text, data jsonb, is_transactional boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  content text;
begin
  if exists (select from integratedb.channel k where k.stakeholder = _alert.name and k.alerts and k.disabled_at is null) then
    content := jsonb_build_object('stakeholder', name, 'type', type, 'data', data);
    content := encode(integratedb._hmac_sha256(convert_to((select s.secret from integratedb.notifier_state s), 'UTF8'), convert_to(content, 'UTF8')), 'hex') || ' ' || content;
    perform pg_logical_emit_message(is_transactional, 'integratedb.alert', content);
  end if;
end
$$;

comment on function integratedb._alert(text, text, jsonb, boolean) is 'internal: to the channels of a stakeholder that take alerts, if there are any';

create or replace function integratedb._announce_expiring()
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  ending record;
  number integer := 0;
begin
  for ending in
    update integratedb.credential c set announced_until = c.valid_until
     where c.revoked_at is null and c.valid_until > clock_timestamp() and c.valid_until <= clock_timestamp() + interval '1 day'
       and c.announced_until is distinct from c.valid_until
    returning c.stakeholder, c.username, c.kind, c.valid_until
  loop
    number := number + 1;
    perform integratedb._alert(ending.stakeholder, 'integratedb.credentials.expiring',
      jsonb_build_object('username', ending.username, 'kind', ending.kind, 'valid_until', ending.valid_until), true);
  end loop;
  return number;
end
$$;

comment on function integratedb._announce_expiring() is 'internal: for the notifier: tells once of each login that ends within a day; how many';

-- To each stakeholder that a migration broke, or that sees something else since.
create or replace function integratedb._alert_of_migration(type text, migration integratedb.migration, judgement jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  is_accepted constant boolean := type = 'integratedb.migration.accepted';
  told record;
begin
  if not exists (select from integratedb.channel k where k.alerts) then
    return;
  end if;
  for told in
    select s.stakeholder, coalesce(f.findings, '[]') as findings
      from (
        select f->>'stakeholder' as stakeholder from jsonb_array_elements(judgement->'findings') f where is_accepted or f->>'severity' = 'breaking'
        union
        select k->>'stakeholder' from jsonb_array_elements(judgement->'claims') k where is_accepted
      ) s
      left join lateral (
        select jsonb_agg(f) as findings from jsonb_array_elements(judgement->'findings') f where f->>'stakeholder' = s.stakeholder
      ) f on true
     order by s.stakeholder
  loop
    perform integratedb._alert(told.stakeholder, type, jsonb_build_object(
      'username', migration.username, 'application_name', migration.application_name, 'started_at', migration.started_at,
      'commands', to_jsonb(migration.commands),
      'paths', (select coalesce(jsonb_agg(distinct format('%I.%I', k.schema_name, k.relation_name)), '[]')
                  from integratedb.claim k
                 where k.stakeholder = told.stakeholder and k.relation_name <> '' and format('%I.%I', k.schema_name, k.relation_name) in (select jsonb_array_elements_text(judgement->'paths'))),
      'findings', told.findings), is_accepted);
  end loop;
end
$$;

comment on function integratedb._alert_of_migration(text, integratedb.migration, jsonb) is
  'internal: of an accepted one with its commit; of a rejected one at once, so that it survives the rollback';
