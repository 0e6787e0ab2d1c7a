-- A request that waits for nobody becomes the stakeholder's claims, as set_claims would make it now.
create or replace function integratedb._settle(request bigint)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  asked integratedb.claim_request;
  specification jsonb;
  relations bigint[];
begin
  if integratedb._waiting_for(request) <> '{}' then
    return;
  end if;
  select * into asked from integratedb.claim_request r where r.id = request;
  specification := integratedb._call('read_specification', integratedb._document_text(asked.document));
  perform integratedb._lock_notified(asked.stakeholder);
  relations := integratedb._begin_claims(specification);
  if integratedb._waiting_for(request) <> '{}' then
    -- While we waited for the locks, something in it came to another owner, or into its wildcard.
    perform integratedb._end_work();
    return;
  end if;
  -- For whom nobody has said anything about this request: those who allowed it, or nobody had to.
  insert into integratedb.decision (request, stakeholder, decision, decided_by, reason, owners, owner_ids)
  select asked.id, asked.stakeholder, 'approve', coalesce(l.allowed_by, asked.stakeholder), case when l.allowed_by is null then 'its own' else 'allowed beforehand' end,
         array[o.owner], array[o.owner_id]
    from integratedb._request_owner o
    left join lateral (
      select max(a.allowed_by) as allowed_by
        from integratedb.allowance a
       where a.stakeholder = asked.stakeholder and a.owner = o.owner and a.owner_id = o.owner_id
         and not pg_has_role(asked.stakeholder::name, o.owner_id::oid, 'usage')
    ) l on true
   where o.request = asked.id
     and not exists (
       select from integratedb.decision d
        where d.request = asked.id and d.decision = 'approve' and ('integratedb_admin' = any (d.owners) or o.owner = any (d.owners)))
   order by o.owner;
  perform integratedb._finish_claims(asked.stakeholder, asked.document, specification, relations);
  update integratedb.claim_request r set status = 'approved', ended_at = now() where r.id = asked.id;
end
$$;

comment on function integratedb._settle(bigint) is 'internal: if a pending request waits for nobody, makes it claims. Its row is locked before. IDB03, IDB06';

create or replace function integratedb._request_answer(request bigint)
returns jsonb
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('request', r.id, 'stakeholder', r.stakeholder, 'status', r.status, 'waiting_for', integratedb._waiting_for(r.id))
    from integratedb.claim_request r
   where r.id = request
$$;

comment on function integratedb._request_answer(bigint) is 'internal: {"request", "stakeholder", "status", "waiting_for": [role]}';

-- Who asks or decides has to say why: somebody will read it.
create or replace function integratedb._check_reason(reason text)
returns void
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if reason ~ '[^[:space:]]' and length(reason) <= 2000 then
    return;
  end if;
  raise exception using
    errcode = 'IDB08',
    message = 'a reason is needed',
    detail = format('It is a text of up to 2000 characters, for whoever looks at this decision, and this one is %s.',
      case when reason is null then 'null' when length(reason) > 2000 then format('%s long', length(reason)) else 'empty' end),
    hint = 'For example: ''monthly revenue report''. Nothing was changed.';
end
$$;

comment on function integratedb._check_reason(text) is 'internal: IDB08';
