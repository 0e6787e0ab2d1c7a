-- What did stakeholders ask for, and who has decided what? Nothing is ever deleted here. Names and not references:
-- the history outlives a stakeholder and a role.
create table if not exists integratedb.claim_request (
  id bigint generated always as identity primary key,
  stakeholder text not null,
  document jsonb not null,
  paths jsonb not null,
  reason text not null,
  requested_by text not null,
  requested_at timestamptz not null default now(),
  status text not null default 'pending'
    constraint "a request is pending until it has ended" check (status in ('pending', 'approved', 'rejected', 'replaced', 'withdrawn')),
  ended_at timestamptz,
  constraint "a request that has ended says when" check ((status = 'pending') = (ended_at is null))
);

create unique index if not exists "a stakeholder has one pending request" on integratedb.claim_request (stakeholder) where status = 'pending';

comment on table integratedb.claim_request is 'What stakeholders asked for with request_claims';
comment on column integratedb.claim_request.paths is 'What the document names: {schema, relation (null: all), access, follows}[]. follows: what comes under the name later, whoever makes it, is claimed too';

create table if not exists integratedb.decision (
  id bigint generated always as identity primary key,
  request bigint references integratedb.claim_request,
  stakeholder text not null,
  decision text not null constraint "a decision is one of four" check (decision in ('approve', 'reject', 'allow', 'disallow')),
  decided_by text not null,
  decided_at timestamptz not null default now(),
  reason text,
  owners text[] not null,
  owner_ids bigint[] not null,
  path text,
  access text[]
);

create index if not exists decision_of_request on integratedb.decision (request);

comment on table integratedb.decision is 'Who has decided what, and when: approve and reject a request, allow and disallow a path beforehand';
comment on column integratedb.decision.owners is 'The roles that it counts for; owner_ids: their pg_roles.oid, so that another role that takes the name has decided nothing';

create table if not exists integratedb.allowance (
  stakeholder text not null references integratedb.stakeholder on update cascade on delete cascade,
  owner text not null,
  owner_id bigint not null,
  schema_name text not null,
  relation_name text not null,
  access text[] not null,
  allowed_by text not null,
  constraint "an owner allows a path once" primary key (stakeholder, owner_id, schema_name, relation_name)
);

comment on table integratedb.allowance is 'What owners allow stakeholders to claim without being asked again';
comment on column integratedb.allowance.relation_name is 'Empty for all of the schema';

-- A stakeholder's pending request goes with it; what has ended keeps the name that it had.
create or replace function integratedb._follow_stakeholder()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    update integratedb.claim_request set status = 'withdrawn', ended_at = now() where stakeholder = old.name and status = 'pending';
  else
    update integratedb.claim_request set stakeholder = new.name where stakeholder = old.name and status = 'pending';
  end if;
  return null;
end
$$;

comment on function integratedb._follow_stakeholder() is 'internal: the trigger function of requests_follow';

create or replace trigger requests_follow after update of name or delete on integratedb.stakeholder
  for each row execute function integratedb._follow_stakeholder();

comment on trigger requests_follow on integratedb.stakeholder is 'A pending request follows its stakeholder, and is withdrawn when that is removed';
