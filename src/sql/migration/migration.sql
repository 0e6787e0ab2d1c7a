-- Which transactions ran DDL that touches claims? The event triggers note here what was touched; the constraint
-- trigger claims_hold judges it when the transaction commits. What a rejected migration noted goes with it.
create table if not exists integratedb.migration (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  started_at timestamptz not null default transaction_timestamp(),
  username text not null default session_user,
  application_name text not null default current_setting('application_name'),
  client_addr inet default inet_client_addr(),
  commands text[] not null,
  touched bigint[],
  has_privileges boolean not null default false,
  check_timing text not null,
  judged boolean not null default false,
  enforcement text,
  verdict text constraint "a verdict is accept, reject or unjudged" check (verdict in ('accept', 'reject', 'unjudged')),
  paths text[],
  findings jsonb not null default '[]',
  -- A transaction's number alone comes again after a restore into another cluster.
  constraint "a transaction is one migration" unique (xid, started_at)
);

comment on table integratedb.migration is 'One row per transaction that ran DDL on claimed relations';
comment on column integratedb.migration.touched is 'pg_class.oid of relations, to be judged, and oids of types, schemas and extensions that were altered (_touched_by); null: everything, where no event trigger tells';
comment on column integratedb.migration.has_privileges is 'It granted or revoked; of what, the catalogue''s rows tell when it is judged';
comment on column integratedb.migration.paths is 'The claims'' paths that were touched';
