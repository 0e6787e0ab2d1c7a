-- A stakeholder asks. What is pending is only a row here: it grants nothing and no migration looks at it.
create or replace function integratedb._request_claims(caller name, document jsonb, reason text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  asker constant text := integratedb._stakeholder_of(caller);
  specification jsonb;
  request bigint;
begin
  if asker is null then
    raise exception using
      errcode = 'IDB04',
      message = format('%I is not a stakeholder', caller),
      detail = 'A stakeholder asks for claims of its own, logged in as itself.',
      hint = 'An administrator sets the claims of any: SELECT * FROM integratedb.set_claims(''name'', document); Nothing was changed.';
  end if;
  perform integratedb._check_reason(reason);
  specification := integratedb._call('read_specification', integratedb._document_text(document));
  -- Nobody need look at what cannot be met.
  perform integratedb._call('declare_claims',
    integratedb._declaration(asker, specification, integratedb._relations_of(specification), '{}'));
  loop
    update integratedb.claim_request r set status = 'replaced', ended_at = now() where r.stakeholder = asker and r.status = 'pending';
    begin
      insert into integratedb.claim_request as r (stakeholder, document, paths, reason, requested_by)
      select asker, _request_claims.document,
             jsonb_agg(distinct jsonb_build_object('schema', s->'schema', 'relation', s->'relation', 'access', s->'access',
               'follows', s->'relation' = 'null' or (s->'optional')::boolean or s->'alternative' <> 'null')),
             _request_claims.reason, caller
        from jsonb_array_elements(specification) s
      returning r.id into request;
      exit;
    exception when unique_violation then
      null; -- another session of the stakeholder asked at the same time: the last one counts
    end;
  end loop;
  perform integratedb._settle(request);
  return integratedb._request_answer(request);
end
$$;

comment on function integratedb._request_claims(name, jsonb, text) is 'internal: request_claims, as this caller';
