-- The one judgement: at the end of the transaction, or earlier when somebody asks. Accepted, the claims are
-- expanded anew and granted in the same transaction; rejected, the error ends it.
create or replace function integratedb._judge_migration(migration_id bigint)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  migration integratedb.migration;
  enforced text;
  judgement jsonb;
  used jsonb;
begin
  select m.* into migration from integratedb.migration m where m.id = migration_id and not m.judged;
  if not found then
    return; -- judged since it was noted
  end if;
  -- The epoch before the setting: whoever switches enforcement on again must see what went by, or we must judge it.
  perform integratedb._begin_work();
  select s.value into enforced from integratedb.setting s where s.name = 'enforcement';
  if migration.commands <@ '{CREATE INDEX CONCURRENTLY,DROP INDEX CONCURRENTLY}' and enforced = 'enforce' then
    enforced := 'warn'; -- an error at its end would leave the index there, not valid: written to all the same, and no replica identity
  end if;
  if enforced = 'off' then
    update integratedb.migration set judged = true, enforcement = 'off', verdict = 'unjudged' where id = migration_id;
    perform integratedb._unpublish_unfit(integratedb._touched_by(migration));
    perform integratedb._end_work();
    return;
  end if;

  judgement := integratedb._judge(integratedb._touched_by(migration), migration.has_privileges or migration.touched is null);
  if judgement is null then
    -- Noted in case a claim was being declared at the same time; none was.
    if migration.verdict is null then
      delete from integratedb.migration where id = migration_id;
    else
      update integratedb.migration set judged = true where id = migration_id;
    end if;
    perform integratedb._end_work();
    return;
  end if;
  if judgement->>'verdict' = 'reject' and enforced = 'enforce' then
    perform integratedb._alert_of_migration('integratedb.migration.rejected', migration, judgement);
    raise exception using
      errcode = judgement->'report'->>'code',
      message = judgement->'report'->>'message',
      detail = judgement->'report'->>'detail',
      hint = judgement->'report'->>'hint',
      constraint = judgement->'report'->>'constraint',
      schema = judgement->'report'->>'schema',
      table = judgement->'report'->>'table',
      column = coalesce(judgement->'report'->>'column', '');
  end if;

  -- Only where a claim let go of something or may have (a default's sequence, what it owned), or its schema's name means another schema now.
  if judgement->'unmet' <> '[]' or judgement->'claims' @? '$[*] ? (@.status != "met" || exists(@.fields[*] ? (@.status != "met")) || exists(@.access[*] ? (@ == "insert")))'
     or migration.commands && array['ALTER SCHEMA', 'validate_migration()']
     or exists (
       select from jsonb_to_recordset(judgement->'claims') c (stakeholder text, relid bigint)
        cross join lateral (
          select from integratedb.claim k where k.relid = c.relid and k.stakeholder = c.stakeholder and k.observed @> '{"owner": true}' offset 0
        ) k) then
    used := integratedb._usage_of((judgement->'claims') || (judgement->'unmet'));
  end if;
  perform integratedb._store_claims(judgement->'claims', forget => judgement->>'verdict' = 'accept');
  perform integratedb._apply_grants(judgement->'grants');
  perform integratedb._release_usage(used) where used is not null;
  perform integratedb._follow_migration(judgement) where judgement ? 'notified';
  perform integratedb._alert_of_migration('integratedb.migration.accepted', migration, judgement);
  update integratedb.migration m
     set judged = true,
         enforcement = enforced,
         verdict = case when m.verdict = 'reject' then 'reject' else judgement->>'verdict' end,
         paths = array(select distinct unnest(m.paths || array(select jsonb_array_elements_text(judgement->'paths'))) order by 1),
         findings = m.findings || (judgement->'findings')
   where m.id = migration_id;
  perform integratedb._end_work();
  perform integratedb._warn(judgement || jsonb_build_object('commands', migration.commands));
end
$$;

comment on function integratedb._judge_migration(bigint) is 'internal: judges what a transaction has touched so far. IDB01';

create or replace function integratedb._warn(judgement jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if judgement->>'verdict' = 'reject' then
    raise warning using
      errcode = 'IDB01',
      message = judgement->'report'->>'message',
      detail = judgement->'report'->>'detail',
      hint = format('It went through because %s. integratedb.unmet_claims() lists what no longer holds.',
        case when judgement->'commands' <@ '["CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY"]' then 'what is done CONCURRENTLY cannot be undone with its transaction' else 'enforcement is warn' end);
  elsif judgement->'warning' <> 'null' then
    raise warning using
      message = judgement->'warning'->>'message',
      detail = judgement->'warning'->>'detail',
      hint = judgement->'warning'->>'hint';
  end if;
end
$$;

comment on function integratedb._warn(jsonb) is 'internal: tells of what was let through';
