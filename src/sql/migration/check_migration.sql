-- What would this DDL break? Tried in a subtransaction, judged and undone.

create or replace function integratedb._begin_check()
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  set constraints integratedb.claims_hold deferred;
  -- What the transaction touched before stays noted: to forget it would be a way round the judgement.
  insert into integratedb.migration as m (commands, touched, check_timing) values ('{}', '{}', 'commit')
  on conflict on constraint "a transaction is one migration" do update set check_timing = 'commit', judged = false
$$;

comment on function integratedb._begin_check() is
  'internal: within check_migration, judge at the end and not after each statement. Called by itself it only postpones to the commit, where everything is judged';

create or replace function integratedb._judge_check()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  findings jsonb;
begin
  perform integratedb._begin_work();
  select integratedb._judge(case when integratedb._has_event_triggers() then integratedb._touched_by(m) end,
                            m.has_privileges or not integratedb._has_event_triggers())->'findings' into findings
    from integratedb.migration m
   where m.xid = pg_current_xact_id_if_assigned() and m.started_at = transaction_timestamp();
  perform integratedb._end_work();
  return coalesce(findings, '[]');
end
$$;

comment on function integratedb._judge_check() is 'internal: findings about what this transaction has touched, changing nothing';

-- No search_path of its own, unlike every other function: the DDL is to run as it would for the caller, with the
-- caller's rights and settings. What is ours is named in full.
create or replace function integratedb.check_migration(ddl text)
returns setof integratedb.finding
language plpgsql
volatile
security invoker
as $$
declare
  findings pg_catalog.jsonb;
  message pg_catalog.text;
begin
  if ddl is null then
    raise exception using
      errcode = 'IDB08',
      message = 'check_migration needs the DDL to try, not null',
      detail = 'It is the text of one or more SQL statements.',
      hint = 'For example: SELECT * FROM integratedb.check_migration(''ALTER TABLE public.orders DROP COLUMN total'');';
  end if;
  begin
    perform integratedb._begin_check();
    execute ddl;
    findings := integratedb._judge_check();
    raise exception using errcode = 'IDB00', message = 'undo';
  exception
    when sqlstate 'IDB00' then
      null; -- everything since "begin" is undone; the variable keeps its value
    when feature_not_supported then
      get stacked diagnostics message = message_text;
      if message operator(pg_catalog.<>) 'EXECUTE of transaction commands is not implemented' then
        raise; -- the DDL's own
      end if;
      raise exception using
        errcode = 'IDB08',
        message = 'check_migration tries one transaction, and the DDL begins, ends or divides one',
        detail = 'BEGIN, COMMIT, ROLLBACK and savepoints cannot be tried within it.',
        hint = 'Leave them out: what is between them is tried as a whole, and undone. Nothing was changed.';
  end;
  return query select * from pg_catalog.jsonb_populate_recordset(null::integratedb.finding, findings);
end
$$;

comment on function integratedb.check_migration(text) is
  'What this DDL would break, leaving nothing behind: runs it with the caller''s rights in a subtransaction, judges, and undoes it (sequences excepted). Holds the DDL''s locks while it runs. Findings; no rows if it touches no claim. The DDL''s own errors are raised as they are; IDB08: BEGIN, COMMIT and savepoints are not for it';
