-- An owner agrees beforehand, or no longer.
create or replace function integratedb._allow_claims(caller name, decision text, owner text, name text, path text, access text[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  owner_id constant oid := (select r.oid from pg_roles r where r.rolname = owner);
  allowed jsonb;
  reason text;
  pending bigint;
begin
  perform integratedb._check_stakeholder(name);
  if owner_id is null and decision = 'allow' or owner is null then
    raise exception using
      errcode = 'IDB08',
      message = case when owner is null then 'no owner was named' else format('there is no role %I', owner) end,
      detail = 'The first argument is the role that owns what may be claimed.',
      hint = 'For example: SELECT integratedb.allow_claims(''shop'', ''reporter'', ''public.*''); Nothing was changed.';
  end if;
  if not (coalesce(pg_has_role(caller, owner_id, 'usage'), false) or integratedb._is_admin(caller)) then
    raise exception using
      errcode = 'IDB06',
      message = format('%I cannot speak for %I', caller, owner),
      detail = format('What belongs to %I is allowed by its members.', owner),
      hint = format('Have a member of %I or of integratedb_admin do it. Nothing was changed.', owner);
  end if;
  begin
    allowed := integratedb._call('read_specification',
      json_build_object('match', json_build_array(json_build_object('path', path, 'fields', '*', 'access', access)))::text)->0;
  exception when sqlstate 'IDB02' then
    get stacked diagnostics reason = pg_exception_detail;
    raise exception using
      errcode = 'IDB08',
      message = format('%s is nothing that can be allowed', coalesce(quote_literal(left(path, 200)), 'null')),
      detail = reason,
      hint = 'A path is "schema.table" or "schema.*", with double quotes where SQL needs them; access is any of select, insert, update, delete. Nothing was changed.';
  end;

  if decision = 'allow' then
    insert into integratedb.allowance as l (stakeholder, owner, owner_id, schema_name, relation_name, access, allowed_by)
    values (name, owner, owner_id::bigint, allowed->>'schema', coalesce(allowed->>'relation', ''), _allow_claims.access, caller)
    on conflict on constraint "an owner allows a path once" do update
       set owner = excluded.owner, access = excluded.access, allowed_by = excluded.allowed_by;
  else
    delete from integratedb.allowance l
     where l.stakeholder = name and l.owner = _allow_claims.owner
       and l.schema_name = allowed->>'schema' and l.relation_name = coalesce(allowed->>'relation', '');
    if not found then
      raise exception using
        errcode = 'IDB08',
        message = format('%I does not allow %s to %I', owner, path, name),
        detail = format('It allows: %s.', coalesce((
          select string_agg(format('%I.%s', l.schema_name, case l.relation_name when '' then '*' else quote_ident(l.relation_name) end), ', ' order by 1)
            from integratedb.allowance l where l.stakeholder = name and l.owner = _allow_claims.owner), 'nothing')),
        hint = 'Name one of these. Nothing was changed.';
    end if;
  end if;
  insert into integratedb.decision (stakeholder, decision, decided_by, owners, owner_ids, path, access)
  values (name, decision, caller, array[owner], array[owner_id::bigint],
          format('%I.%s', allowed->>'schema', coalesce(quote_ident(allowed->>'relation'), '*')), _allow_claims.access);

  -- What is pending may have waited for just this.
  if decision = 'allow' then
    select r.id into pending from integratedb.claim_request r where r.stakeholder = name and r.status = 'pending' for update;
    if found then
      begin
        perform integratedb._settle(pending);
      exception when sqlstate 'IDB03' or sqlstate 'IDB06' then
        null; -- cannot be met (any more): it stays pending, and whoever approves it is told why
      end;
    end if;
  end if;
end
$$;

comment on function integratedb._allow_claims(name, text, text, text, text, text[]) is 'internal: allow_claims and disallow_claims, as this caller';
