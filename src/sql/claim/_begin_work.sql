-- Claims and migrations: one at a time from here to the end of the transaction (DESIGN D7).
create or replace function integratedb._begin_work()
returns void
language plpgsql -- an SQL function is planned at every call before PostgreSQL 18
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  update integratedb.epoch set number = number + 1, working = pg_current_xact_id();
end
$$;

comment on function integratedb._begin_work() is 'internal: takes the epoch row; until _end_work() this transaction''s REVOKEs are our own';

create or replace function integratedb._end_work()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  update integratedb.epoch set working = null;
end
$$;

comment on function integratedb._end_work() is 'internal: DDL that follows in this transaction is a migration again';

create or replace function integratedb._check_isolation(call text)
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    -- Its snapshot may be older than a migration that nobody's claim was in the way of, and so was never judged.
    raise exception using
      errcode = 'IDB08',
      message = format('%s cannot run in a %s transaction', call, upper(current_setting('transaction_isolation'))),
      detail = 'A claim has to see the catalogue as it is now, and that transaction sees it as it was.',
      hint = 'Use BEGIN ISOLATION LEVEL READ COMMITTED for it. Nothing was changed.';
  end if;
end
$$;

comment on function integratedb._check_isolation(text) is 'internal: IDB08 above READ COMMITTED';
