-- Which applications share this database?
create table if not exists integratedb.stakeholder (
  name text primary key
    constraint "a stakeholder's name is the name of its role and schema" check (octet_length(name) between 1 and 63),
  document jsonb,
  created_at timestamptz not null default now(),
  created_by text not null default session_user,
  claimed_at timestamptz
);

-- Since a stakeholder can have several logins.
alter table integratedb.stakeholder
  add column if not exists options jsonb not null default '{}';

comment on table integratedb.stakeholder is 'An application: the role and schema of the same name, and the claims document as written';
comment on column integratedb.stakeholder.options is 'What set_stakeholder_option() has set: text by option';
