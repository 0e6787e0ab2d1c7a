-- What does each specification expand to? One row per path of the document and relation; src/core/claim/claim.ts
-- has the same keys. Relations by name, because that is what a stakeholder writes in its queries; by oid, so that
-- a dropped or renamed one is found, and told apart.
create table if not exists integratedb.claim (
  id bigint generated always as identity primary key,
  stakeholder text not null references integratedb.stakeholder on update cascade on delete cascade,
  match integer not null,
  alternative integer,
  schema_name text not null,
  relation_name text not null,
  optional boolean not null,
  access text[] not null,
  all_fields boolean not null,
  fields jsonb not null,
  relid bigint,
  schema_id bigint,
  status text not null constraint "a claim is met, unmet or absent" check (status in ('met', 'unmet', 'absent')),
  constraint "a match claims a relation once" unique nulls not distinct (stakeholder, match, alternative, schema_name, relation_name)
);

-- Since claims speak of writing, and of what is behind a view.
alter table integratedb.claim
  add column if not exists observed jsonb,
  add column if not exists behind bigint[] not null default '{}',
  add column if not exists sequences bigint[] not null default '{}';

create index if not exists claim_of_relid on integratedb.claim (relid);
-- As the catalogue compares names: with the database's own collation a look-up by pg_class.relname could not use it.
create index if not exists claim_of_relation on integratedb.claim (schema_name collate "C", relation_name collate "C");
drop index if exists integratedb.claim_of_name;
create index if not exists claim_behind on integratedb.claim using gin (behind) where behind <> '{}';
create index if not exists claim_of_writer on integratedb.claim (id) where access <> '{select}';
-- Nearly always empty: what a GRANT may bring back.
create index if not exists claim_waiting on integratedb.claim (id) where status = 'unmet' or fields @> '[{"status": "unmet"}]' or observed ? 'tolerated';
drop index if exists integratedb.claim_unmet;

comment on table integratedb.claim is 'A specification''s paths, expanded relation by relation';
comment on column integratedb.claim.match is 'Index in the document''s "match"; alternative: index in that match''s "alternatives"';
comment on column integratedb.claim.relation_name is 'Empty for a wildcard itself, beside a row for each of its relations';
comment on column integratedb.claim.fields is 'Declared and observed, field by field: ClaimedField[]';
comment on column integratedb.claim.observed is 'The relation when last met, beyond its columns: ObservedRelation';
comment on column integratedb.claim.behind is 'pg_class.oid and pg_proc.oid of what a view, or a policy of row level security, reads and calls, of tables that inherit, of unique indexes, or of what writing calls and foreign keys write in turn: a change of it concerns the claim';
comment on column integratedb.claim.sequences is 'pg_class.oid of the sequences that it was given the usage of';
comment on column integratedb.claim.relid is 'pg_class.oid when last met; schema_id: pg_namespace.oid';
