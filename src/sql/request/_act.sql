-- Who is calling? The calls below need the rights of the installer and the identity of the caller, and a SECURITY DEFINER
-- function has only one of them: its current_user is the installer, and session_user and the setting "role" would be
-- those of an owner too in an attacker's SECURITY DEFINER function that the owner happened to call.
-- So the calls run as their caller and insert into this view. Its first trigger, with the caller's rights still, says who
-- that is; its second does the work. A column with the default current_user would not do: whoever puts a view of its own
-- over it can give that column another default, and PostgreSQL does not ask for the privilege to insert into it.
create or replace view integratedb._act as
select
  null::oid as caller,
  null::text as call,
  null::text as stakeholder,
  null::jsonb as document,
  null::text as reason,
  null::bigint as request,
  null::text as owner,
  null::text as path,
  null::text[] as access,
  null::jsonb as answer
where false;

comment on view integratedb._act is 'internal: a row that is inserted is a call, and its answer; nothing is kept';

create or replace function integratedb._say_who()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  new.caller := (select r.oid from pg_roles r where r.rolname = current_user);
  return new;
end
$$;

comment on function integratedb._say_who() is 'internal: the trigger function of act_as_caller';

create or replace function integratedb._act()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller name;
begin
  -- Who has to be asked, and whether the claims can be met, has to be seen as it is now.
  perform integratedb._check_isolation(new.call);
  -- Until the end of this transaction no stakeholder is renamed or removed. Taken before any lock that others wait for;
  -- and only now a name is what it will be.
  lock table integratedb.claim_request in row share mode;
  caller := pg_get_userbyid(new.caller);
  case new.call
    when 'request_claims' then
      new.answer := integratedb._request_claims(caller, new.document, new.reason);
    when 'approve_claims' then
      new.answer := integratedb._approve_claims(caller, new.stakeholder, new.request);
    when 'reject_claims' then
      new.answer := integratedb._reject_claims(caller, new.stakeholder, new.reason, new.request);
    when 'allow_claims' then
      perform integratedb._allow_claims(caller, 'allow', new.owner, new.stakeholder, new.path, new.access);
    when 'disallow_claims' then
      perform integratedb._allow_claims(caller, 'disallow', new.owner, new.stakeholder, new.path, '{select}');
  end case;
  return new;
end
$$;

comment on function integratedb._act() is 'internal: the trigger function of act_then';

-- In the order of their names.
create or replace trigger act_as_caller instead of insert on integratedb._act
  for each row execute function integratedb._say_who();
create or replace trigger act_then instead of insert on integratedb._act
  for each row execute function integratedb._act();

comment on trigger act_as_caller on integratedb._act is 'The caller is who calls, whatever was inserted';
comment on trigger act_then on integratedb._act is 'Does what is called, with the rights of IntegrateDB';
