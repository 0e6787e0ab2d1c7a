-- What does the core answer? Its errors are values; here they become Postgres errors.
create or replace function integratedb._call(op text, input text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  answer jsonb;
  reason text;
  reason_detail text;
begin
  begin
    if op like '%notifications' then
      answer := integratedb._notification_core(op, input)::jsonb;
    else
      answer := integratedb._core(op, input)::jsonb;
    end if;
  exception when others then
    -- The engine was dropped (DROP EXTENSION plv8 CASCADE), its library is gone, or it failed.
    get stacked diagnostics reason = message_text, reason_detail = pg_exception_detail;
    raise exception using
      errcode = 'IDB07',
      message = 'IntegrateDB''s JavaScript engine does not answer',
      detail = concat_ws(': ', reason, nullif(reason_detail, '')),
      hint = 'Bring the extension back (CREATE EXTENSION plv8 or pljs) and run integratedb.sql again; nothing is lost. Until then an administrator can let migrations pass unjudged: SELECT integratedb.set_enforcement(''off'').';
  end;
  if answer ? 'error' then
    raise exception using
      errcode = answer->'error'->>'code',
      message = answer->'error'->>'message',
      detail = answer->'error'->>'detail',
      hint = answer->'error'->>'hint';
  end if;
  return answer->'ok';
end
$$;

comment on function integratedb._call(text, text) is 'internal: one operation of the core. IDB07 if the engine is gone; the operation''s own errors';
