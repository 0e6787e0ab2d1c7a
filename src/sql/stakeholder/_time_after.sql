-- When is a span of time over? What has no end, or ends before it begins, is refused.
create or replace function integratedb._time_after(span interval, meaning text, may_be_nothing boolean)
returns timestamptz
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  start constant timestamptz := clock_timestamp();
  finish timestamptz;
begin
  begin
    finish := start + span;
  exception when datetime_field_overflow or interval_field_overflow then
    finish := null;
  end;
  -- An interval can be infinite since PostgreSQL 17.
  if finish > start and isfinite(finish) or finish = start and may_be_nothing then
    return finish;
  end if;
  raise exception using
    errcode = 'IDB08',
    message = format('%s cannot be %s', meaning, coalesce(quote_literal(span), 'null')),
    detail = format('It has to end, and %s.', case when may_be_nothing then 'not before it begins' else 'after it has begun' end),
    hint = 'For example: ''1 hour''. Nothing was changed.';
end
$$;

comment on function integratedb._time_after(interval, text, boolean) is 'internal: from now on, "meaning" is what the error calls it. IDB08: null, negative, endless; nothing, if that may not be';
