-- How are verdicts applied? Database-wide, and kept in a table: no role can SET its way out.
create or replace function integratedb._check_choice(what text, given text, choices text[])
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if given = any (choices) then
    return;
  end if;
  raise exception using
    errcode = 'IDB08',
    message = format('%s cannot be %s', what, coalesce(quote_literal(given), 'null')),
    detail = format('It is one of: %s.', array_to_string(choices, ', ')),
    hint = format('It is %s now; nothing was changed.', (select value from integratedb.setting where name = what));
end
$$;

comment on function integratedb._check_choice(text, text, text[]) is 'internal: IDB08 if the value is not one of the choices';

create or replace function integratedb.set_enforcement(enforcement text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  was text;
begin
  perform integratedb._check_choice('enforcement', enforcement, array['enforce', 'warn', 'off']);
  perform integratedb._judge_pending(); -- by the rule that held when it ran
  select value into was from integratedb.setting where name = 'enforcement' for update;
  update integratedb.setting set value = enforcement where name = 'enforcement';
  if was = 'off' and enforcement <> 'off' then
    -- Migrations went by unseen: see what is there now, or the next one would be blamed for them.
    perform integratedb.sync();
  end if;
end
$$;

comment on function integratedb.set_enforcement(text) is
  'enforce: reject migrations that break claims; warn: let them through with a warning and a record; off: do not judge. Leaving off runs sync(). IDB08: not one of these';

create or replace function integratedb.set_check_timing(check_timing text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform integratedb._check_choice('check_timing', check_timing, array['commit', 'statement']);
  update integratedb.setting set value = check_timing where name = 'check_timing';
end
$$;

comment on function integratedb.set_check_timing(text) is
  'commit: judge a migration once, as a whole; statement: after each statement, so that the error names it, and drop-and-recreate fails. IDB08: not one of these';
