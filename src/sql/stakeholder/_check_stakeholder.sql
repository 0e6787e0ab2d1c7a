-- Is there such a stakeholder?
create or replace function integratedb._check_stakeholder(name text)
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from integratedb.stakeholder s where s.name = _check_stakeholder.name) then
    return;
  end if;
  raise exception using
    errcode = 'IDB04',
    message = case when name is null then 'no stakeholder was named' else format('there is no stakeholder %I', name) end,
    detail = format('Stakeholders of this database: %s.', coalesce(
      (select string_agg(quote_ident(s.name), ', ' order by s.name) from (select * from integratedb.stakeholder order by stakeholder.name limit 20) s), 'none')),
    hint = 'SELECT integratedb.add_stakeholder(''name'') makes one.';
end
$$;

comment on function integratedb._check_stakeholder(text) is 'internal: IDB04 if there is no such stakeholder';
