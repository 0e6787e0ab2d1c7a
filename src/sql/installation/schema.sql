-- Where does everything live, and what is switched on?
create schema if not exists integratedb;

comment on schema integratedb is
  'IntegrateDB: applications share this database; their claims are constraints on its schema. Every function''s comment says what it does.';

create table if not exists integratedb.setting (
  name text primary key,
  value text not null
);

comment on table integratedb.setting is
  'version, engine, core, oids (_is_restored), enforcement (enforce | warn | off), check_timing (commit | statement). A table and not run-time settings, which any role could SET.';

insert into integratedb.setting (name, value)
values ('enforcement', 'enforce'), ('check_timing', 'commit')
on conflict (name) do nothing;

-- One row that declaring claims and judging migrations both update, so that neither slips past the other
-- at any isolation level: READ COMMITTED waits for it, REPEATABLE READ fails to serialize.
create table if not exists integratedb.epoch (
  is_only boolean primary key default true check (is_only),
  number bigint not null default 0,
  working xid8
);

comment on table integratedb.epoch is 'One row: whoever declares claims or judges a migration updates it';
comment on column integratedb.epoch.working is
  'The transaction that is moving grants right now; its own REVOKEs are not migrations. Never committed as other than null.';

insert into integratedb.epoch default values on conflict do nothing;
