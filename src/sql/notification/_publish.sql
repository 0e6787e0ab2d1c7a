-- The publication holds exactly the tables of met subscriptions, whole, and our own subscription_version: column lists
-- and row filters can break the application's own UPDATE. It is made once, and from then on altered: what was written
-- to the log before it cannot be read with it.
create or replace function integratedb._wanted_tables()
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select 'integratedb.subscription_version'::regclass::oid::bigint
    union
    select f.oid::bigint
      from (select distinct s.relid from integratedb.subscription s where s.status = 'met') s
      cross join lateral integratedb._published_family(s.relid::oid) f (oid))
$$;

comment on function integratedb._wanted_tables() is 'internal: oids of what is to be in the publication';

create or replace function integratedb._published_tables()
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select r.prrelid::bigint from pg_publication p join pg_publication_rel r on r.prpubid = p.oid where p.pubname = 'integratedb')
$$;

comment on function integratedb._published_tables() is 'internal: oids of what is in the publication';

-- Anything but the tables that is not as it was made.
create or replace function integratedb._is_publication_sound()
returns boolean
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pg_publication p
     where p.pubname = 'integratedb'
       and p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate and p.pubviaroot and not p.puballtables
       -- PostgreSQL 18, where REPLICA IDENTITY FULL and a generated column need it.
       and coalesce(to_jsonb(p)->>'pubgencols', 's') in ('s', 'stored')
       and not exists (select from pg_publication_namespace n where n.pnpubid = p.oid)
       and not exists (select from pg_publication_rel r where r.prpubid = p.oid and (r.prqual is not null or r.prattrs is not null)));
end
$$;

comment on function integratedb._is_publication_sound() is 'internal: is the publication there, with the options it was made with, and no column list, row filter or schema?';

create or replace function integratedb._publish()
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
set client_min_messages = error -- wal_level is for doctor() to tell
as $$
declare
  options constant text := 'publish = ''insert, update, delete, truncate'', publish_via_partition_root = true'
    || case when current_setting('server_version_num')::integer >= 180000 then ', publish_generated_columns = stored' else '' end;
  wanted constant bigint[] := integratedb._wanted_tables();
  published bigint[] := integratedb._published_tables();
  tables text;
begin
  if not exists (select from pg_publication where pubname = 'integratedb') then
    execute format('create publication integratedb for table only integratedb.subscription_version with (%s)', options);
    published := array['integratedb.subscription_version'::regclass::oid::bigint];
  elsif not 'integratedb.subscription_version'::regclass::oid::bigint = any (published)
        and not exists (select from integratedb.notifier_state where has_publication) then
    raise exception using
      errcode = 'IDB05',
      message = 'there is a publication integratedb that is not ours',
      detail = 'IntegrateDB uses that name, and never adopts what it did not make.',
      hint = 'Rename it: ALTER PUBLICATION integratedb RENAME TO .... Nothing was changed.';
  elsif not integratedb._is_publication_sound() then
    -- Somebody altered it. What has a column list, a row filter or a schema is taken out and put in again.
    select string_agg(format('alter publication integratedb drop %s', o.object), '; ') into tables
      from (
        select format('tables in schema %I', n.nspname) as object
          from pg_publication p join pg_publication_namespace x on x.pnpubid = p.oid join pg_namespace n on n.oid = x.pnnspid
         where p.pubname = 'integratedb'
        union all
        select format('table only %s', r.prrelid::regclass)
          from pg_publication p join pg_publication_rel r on r.prpubid = p.oid
         where p.pubname = 'integratedb' and (r.prqual is not null or r.prattrs is not null)
      ) o;
    if tables is not null then
      execute tables;
    end if;
    execute format('alter publication integratedb set (%s)', options);
    published := integratedb._published_tables();
  end if;
  update integratedb.notifier_state set has_publication = true, slot = coalesce(slot, integratedb._slot_name()) where not has_publication or slot is null;
  select string_agg(format('only %I.%I', n.nspname, c.relname), ', ' order by c.oid) into tables
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.oid = any (published::oid[]) and c.oid <> all (wanted::oid[]);
  if tables is not null then
    execute format('alter publication integratedb drop table %s', tables);
  end if;
  select string_agg(format('only %I.%I', n.nspname, c.relname), ', ' order by c.oid) into tables
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.oid = any (wanted::oid[]) and c.oid <> all (published::oid[]);
  if tables is not null then
    execute format('alter publication integratedb add table %s', tables);
  end if;
end
$$;

comment on function integratedb._publish() is
  'internal: makes the publication, or makes it what it has to be, between _begin_work() and _end_work(). IDB05: one of that name is there already';
