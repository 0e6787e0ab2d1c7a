-- What has this transaction touched? The event triggers note, and judge nothing.
create or replace function integratedb._note(command text, relations bigint[], has_privileges boolean default false)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  noted integratedb.migration;
begin
  insert into integratedb.migration as m (commands, touched, has_privileges, check_timing)
  values (array[command], relations, _note.has_privileges, (select value from integratedb.setting where name = 'check_timing'))
  on conflict on constraint "a transaction is one migration" do update
     set commands = case when m.commands @> excluded.commands then m.commands else m.commands || excluded.commands end,
         touched = array(select distinct unnest(m.touched || excluded.touched)),
         has_privileges = m.has_privileges or excluded.has_privileges,
         judged = false
   where m.judged
      or not (m.touched @> excluded.touched and m.commands @> excluded.commands)
      or (excluded.has_privileges and not m.has_privileges)
  returning * into noted;
  if noted.check_timing = 'statement' then
    perform integratedb._judge_migration(noted.id);
  end if;
end
$$;

comment on function integratedb._note(text, bigint[], boolean) is 'internal: adds to the transaction''s row in integratedb.migration';

-- A stakeholder has other privileges now. What it owns of views that others claim is read and written with these.
create or replace function integratedb._note_views_of(name text, command text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from pg_roles r
      join pg_roles o on pg_has_role(o.oid, r.oid, 'usage') and not o.rolsuper
      join pg_shdepend d on d.refclassid = 'pg_authid'::regclass and d.refobjid = o.oid and d.deptype = 'o' and d.classid = 'pg_class'::regclass
      join pg_database b on b.oid = d.dbid and b.datname = current_database()
      join pg_class c on c.oid = d.objid and c.relkind = 'v'
     where r.rolname = name::name)
  then
    perform integratedb._note(command, '{}', true);
  end if;
end
$$;

comment on function integratedb._note_views_of(text, text) is 'internal: after _end_work(); also those of roles that inherit from it';
