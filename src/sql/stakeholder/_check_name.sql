-- Can this be the name of a new stakeholder, which becomes a role and a schema, or of a notifier, which becomes a role?
-- Nothing that exists is ever adopted.
-- No backslashes here: what they mean in a string is for the caller to SET (standard_conforming_strings).
create or replace function integratedb._check_name(name text, kind text default 'stakeholder')
returns void
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  problem text;
  becomes constant text := case kind when 'stakeholder' then 'a role and a schema' else 'a role' end;
begin
  if name is null then
    raise exception using
      errcode = 'IDB08',
      message = format('a %s needs a name, not null', kind),
      detail = format('The name becomes %s.', becomes),
      hint = format('For example: SELECT integratedb.add_%s(%L);', kind, case kind when 'stakeholder' then 'reporter' else 'bell' end);
  end if;
  problem := case
    when name = '' then 'it is empty'
    when octet_length(name) > 63 then format('it is %s bytes long; a Postgres name has at most 63', octet_length(name))
    when name ~ '[[:cntrl:]]' then 'it contains a control character'
    when name ~ '^[[:space:]]|[[:space:]]$' then 'it starts or ends with a space'
    when name ~ '^pg_' then 'Postgres keeps names that start with pg_ for itself'
    when name in ('public', 'none', 'information_schema') then 'Postgres keeps it for itself'
    when name in ('integratedb', 'integratedb_admin', 'integratedb_notifier') then 'IntegrateDB keeps it for itself'
  end;
  if problem is not null then
    raise exception using
      errcode = 'IDB05',
      message = format('%s cannot be a %s''s name', quote_literal(left(name, 100)), kind),
      detail = format('The name becomes %s, and %s.', becomes, problem),
      hint = 'Choose another name. Nothing was changed.';
  end if;
  problem := case
    when exists (select from integratedb.stakeholder s where s.name = _check_name.name) then 'a stakeholder'
    when exists (select from pg_roles where rolname = _check_name.name) then 'a role'
    when kind = 'stakeholder' and exists (select from pg_namespace where nspname = _check_name.name) then 'a schema'
  end;
  if problem is not null then
    raise exception using
      errcode = 'IDB05',
      message = format('the name %I is taken', name),
      detail = format('There is %s of that name already%s.', problem,
        case problem when 'a role' then ', in this cluster' else '' end),
      hint = format('Choose another name%s: IntegrateDB never adopts what it did not make. Nothing was changed.',
        case problem when 'a stakeholder' then '' else ', or rename or drop that one first' end);
  end if;
end
$$;

comment on function integratedb._check_name(text, text) is 'internal: IDB05 if the name is invalid or taken, IDB08 if null';
