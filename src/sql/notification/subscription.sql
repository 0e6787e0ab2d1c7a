-- What is a stakeholder told of? A notification is a match of its document; a subscription is what that comes to on one
-- relation that it claims, as it is now. src/core/notification has the same keys.
create table if not exists integratedb.notification (
  stakeholder text not null references integratedb.stakeholder on update cascade on delete cascade,
  match integer not null,
  schema_name text not null,
  relation_name text not null,
  events text[] not null,
  fields text[],
  channels text[] not null,
  "where" text,
  primary key (stakeholder, match)
);

create index if not exists notification_of_name on integratedb.notification (schema_name, relation_name);

comment on table integratedb.notification is 'The matches of notifications documents';
comment on column integratedb.notification.relation_name is 'Empty for a wildcard';
comment on column integratedb.notification.fields is 'null: all that are claimed';
comment on column integratedb.notification.channels is 'Names of channels';

create table if not exists integratedb.subscription (
  stakeholder text not null,
  match integer not null,
  schema_name text not null,
  relation_name text not null,
  relid bigint,
  fields text[] not null,
  condition jsonb,
  indexes bigint[] not null,
  status text not null constraint "a subscription is met or unmet" check (status in ('met', 'unmet')),
  reason text,
  primary key (stakeholder, match, schema_name, relation_name),
  foreign key (stakeholder, match) references integratedb.notification on update cascade on delete cascade
);

create index if not exists subscription_of_relid on integratedb.subscription (relid) where relid is not null;
create index if not exists subscription_of_index on integratedb.subscription using gin (indexes) where indexes <> '{}';

comment on table integratedb.subscription is 'Matches of notifications documents, relation by relation';
comment on column integratedb.subscription.relid is 'pg_class.oid while met';
comment on column integratedb.subscription.condition is 'Its "where", read and typed: Condition';
comment on column integratedb.subscription.indexes is 'pg_class.oid of the indexes that its replica identity rests on: dropping one concerns it';
