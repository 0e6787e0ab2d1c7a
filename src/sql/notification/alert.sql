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
