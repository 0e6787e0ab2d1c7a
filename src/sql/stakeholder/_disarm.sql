-- What a stakeholder wrote, another role is about to own. Its data is handed over; its code must not get the rights of
-- whoever receives it, who may be a superuser. What would run with the owner's rights without the owner doing anything
-- (PUBLIC may call functions, a cascading foreign key fires triggers, autovacuum computes expression indexes) is made
-- harmless, and told. What runs with the rights of whoever uses the data stays.
create or replace function integratedb._disarm(name text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  stakeholder constant oid := (select r.oid from pg_roles r where r.rolname = name);
  step record;
  told text[] := '{}';
begin
  for step in
    with relation as (
      select c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) as path, c.reloptions
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relowner = stakeholder and c.relkind in ('r', 'p', 'v', 'm', 'f')
    ), code (class, oid) as (
      -- Operators and domains call functions too. What comes with Postgres or an extension is no stakeholder's.
      select class, oid from (
        select 'pg_proc'::regclass as class, oid from pg_proc
        union all
        select 'pg_operator'::regclass, oid from pg_operator
        union all
        select 'pg_type'::regclass, oid from pg_type where typtype = 'd'
      ) o
      where oid >= 16384
        and not exists (select from pg_depend d where d.classid = o.class and d.objid = o.oid and d.deptype = 'e')
    )
    select format('alter routine %s security invoker', p.oid::regprocedure) as statement,
           format('%s runs with its caller''s rights now', p.oid::regprocedure) as what
      from pg_proc p where p.proowner = stakeholder and p.prosecdef
    union all
    select format('alter view %s set (security_invoker = true)', v.path),
           format('view %s reads with its reader''s rights now', v.path)
      from relation v
     where v.relkind = 'v'
       and not coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'], false)
       and exists (
         select from pg_rewrite w
           join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
           join pg_class c on c.oid = d.refobjid
          where w.ev_class = v.oid and c.relowner <> stakeholder)
    union all
    select format('drop rule %I on %s', w.rulename, t.path), format('rule %I on %s is dropped', w.rulename, t.path)
      from relation t join pg_rewrite w on w.ev_class = t.oid
     where w.ev_type <> '1'
    union all
    select format('alter table %s disable trigger user', t.path), format('triggers of %s are disabled', t.path)
      from relation t
     where t.relkind in ('r', 'p', 'f')
       and exists (select from pg_trigger g where g.tgrelid = t.oid and not g.tgisinternal and g.tgenabled <> 'D')
    union all
    select case when k.oid is null then format('drop index %s', i.indexrelid::regclass) else format('alter table %s drop constraint %I', t.path, k.conname) end,
           format('index %s is dropped: it calls functions', i.indexrelid::regclass)
      from relation t
      join pg_index i on i.indrelid = t.oid
      left join pg_constraint k on k.conindid = i.indexrelid and k.contype = 'x'
     where (i.indexprs is not null or i.indpred is not null)
       -- That of a partition goes with its parent's.
       and not exists (select from pg_inherits h where h.inhrelid = i.indexrelid)
       and exists (
         select from pg_depend d join code on code.class = d.refclassid and code.oid = d.refobjid
          where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid)
    union all
    select format('drop statistics %I.%I', n.nspname, x.stxname), format('statistics %I.%I are dropped: they call functions', n.nspname, x.stxname)
      from pg_statistic_ext x join pg_namespace n on n.oid = x.stxnamespace
     where x.stxrelid in (select oid from relation)
       and exists (
         select from pg_depend d join code on code.class = d.refclassid and code.oid = d.refobjid
          where d.classid = 'pg_statistic_ext'::regclass and d.objid = x.oid)
  loop
    execute step.statement;
    told := told || step.what;
  end loop;
  if told <> '{}' then
    raise warning using
      message = format('the code of %I does not get the rights of who receives its data', name),
      detail = array_to_string(told[:20] || case when cardinality(told) > 20 then format('... and %s more', cardinality(told) - 20) end, chr(10)),
      hint = 'Look at it before you bring it back; then, for example, ALTER TABLE ... ENABLE TRIGGER USER.';
  end if;
end
$$;

comment on function integratedb._disarm(text) is 'internal: before what a stakeholder owns is handed to another role';
