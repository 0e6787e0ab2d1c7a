-- Where do a stakeholder's events go? The document as written is beside its claims, in integratedb.stakeholder.
alter table integratedb.stakeholder
  add column if not exists notifications jsonb;

comment on column integratedb.stakeholder.notifications is 'The notifications document as written';

create table if not exists integratedb.channel (
  id bigint generated always as identity primary key,
  stakeholder text not null references integratedb.stakeholder on update cascade on delete cascade,
  name text not null,
  kind text not null,
  alerts boolean not null,
  max_parked integer not null,
  configuration jsonb not null,
  disabled_at timestamptz,
  disabled_reason text,
  parked bigint not null default 0,
  kept bigint not null default 0,
  queue_view bigint,
  created_at timestamptz not null default now(),
  constraint "a stakeholder's channel has a name of its own" unique (stakeholder, name)
);

comment on table integratedb.channel is 'Where events go; its id stays while its name and kind do';
comment on column integratedb.channel.configuration is 'What its kind takes; of secrets the names of the notifier''s variables';
comment on column integratedb.channel.disabled_at is 'Its receiver said that it is gone: what comes is counted and not kept';
comment on column integratedb.channel.parked is 'Rows of integratedb.parked that are to be delivered; kept: of integratedb.kept';
comment on column integratedb.channel.queue_view is 'pg_class.oid of the view in the stakeholder''s schema that shows a QUEUE';
