-- What can a stakeholder do that it should not, and what can it not do that it should?
-- Reads the catalogue alone: nothing of what it tells about is run, and names are written out in full.
create or replace function integratedb.audit_access(name text default null)
returns table (stakeholder text, object text, privilege text, source text, finding text, fix text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
#variable_conflict use_column
begin
  if $1 is not null then
    perform integratedb._check_stakeholder($1);
  end if;
  return query
    select a.stakeholder, a.object, a.privilege, a.source, a.finding, a.fix
      from (
        select * from integratedb._audit_roles($1)
        union all
        select * from integratedb._audit_privileges($1)
        union all
        select * from integratedb._audit_claims($1)
        union all
        select * from integratedb._audit_notifications($1)
      ) a
     order by a.finding, a.stakeholder nulls first, a.object, a.source, a.privilege;
end
$$;

comment on function integratedb.audit_access(text) is
  'What a stakeholder (null: each) can do beyond its claims and its own schema, and which claims are granted and cannot be used. Rows of (stakeholder, object, privilege, source, finding, fix); stakeholder null: everybody can, as PUBLIC; finding: beyond claims | cannot be used; fix: SQL for a superuser or the owner, after which the row is gone. IDB04: no such stakeholder';
