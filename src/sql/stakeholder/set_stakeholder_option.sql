create or replace function integratedb.set_stakeholder_option(name text, option text, value text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known constant text[] := array['search_path', 'statement_timeout', 'idle_in_transaction_session_timeout', 'connection_limit', 'max_ttl'];
  role text;
  reason text;
begin
  if option is null or option <> all (known) then
    raise exception using
      errcode = 'IDB08',
      message = case when option is null then 'no option was named' else format('there is no option %s', quote_literal(left(option, 100))) end,
      detail = format('The options of a stakeholder: %s.', array_to_string(known, ', ')),
      hint = 'Nothing was changed.';
  end if;
  perform integratedb._lock_stakeholder(name);
  perform from integratedb.credential c where c.stakeholder = name order by c.username for no key update;
  begin
    if option = 'connection_limit' and value !~ '^(-1|[0-9]{1,9})$' then
      raise invalid_parameter_value using message = 'it is a number, or -1 for any';
    elsif option = 'max_ttl' and value is not null then
      perform integratedb._time_after(value::interval, 'max_ttl', false);
    end if;
    -- Its own role first: Postgres looks at the value.
    for role in
      select r.rolname
        from pg_roles r
        left join integratedb.credential c on c.stakeholder = name and c.role_id::oid = r.oid
       where r.rolname = name or c.role_id is not null
       order by r.rolname <> name, r.rolname
    loop
      perform integratedb._set_option(role, option, value);
    end loop;
  exception when data_exception or sqlstate 'IDB08' then
    get stacked diagnostics reason = message_text;
    raise exception using
      errcode = 'IDB08',
      message = format('%s cannot be %s', option, quote_literal(left(value, 100))),
      detail = reason || '.',
      hint = 'null takes the option back. Nothing was changed.';
  end;
  update integratedb.stakeholder s
     set options = case when value is null then s.options - option else s.options || jsonb_build_object(option, value) end
   where s.name = set_stakeholder_option.name;
end
$$;

comment on function integratedb.set_stakeholder_option(text, text, text) is
  'Sets an option of a stakeholder on every login that it has and gets; null takes it back: search_path, statement_timeout and idle_in_transaction_session_timeout (as Postgres takes them), connection_limit (of each login), max_ttl (an interval: the longest that a lease may last, renewals included; leases that are out keep theirs). They hold for sessions that begin later. Whoever logs in can SET the first three to something else. IDB04: no such stakeholder; IDB08: no such option, or its value is wrong';
