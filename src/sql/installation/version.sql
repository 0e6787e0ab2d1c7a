-- What is installed here?
create or replace function integratedb.version()
returns table (component text, version text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select 'integratedb', value from integratedb.setting where name = 'version'
  union all
  select 'core', value from integratedb.setting where name = 'core'
  union all
  select s.value, coalesce(e.extversion, 'missing')
    from integratedb.setting s left join pg_extension e on e.extname = s.value
   where s.name = 'engine'
  union all
  select 'postgresql', current_setting('server_version')
$$;

comment on function integratedb.version() is
  'What is installed: rows of (component, version) for integratedb, its core (a hash), the JavaScript engine and PostgreSQL';
