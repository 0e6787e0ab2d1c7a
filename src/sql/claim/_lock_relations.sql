-- Keeps what a claim names as it is until the claim is committed: a migration of these waits, or we wait for it.
create or replace function integratedb._lock_relations(relations bigint[], mode text default 'access share')
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  tables text;
  other text;
begin
  loop
    begin
      -- In the order of their oids, so that two declarations never wait for each other.
      select string_agg(format('only %I.%I', n.nspname, c.relname), ', ' order by c.oid) into tables
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.oid = any (relations::oid[]) and c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'usage');
      if tables is not null then
        execute format('lock table %s in %s mode', tables, mode);
      end if;
      -- LOCK TABLE takes no materialized views or foreign tables. PREPARE parses and rewrites a query, which locks them, and
      -- does not plan it: planning runs the immutable functions in a view or an index, and would run them as us.
      for other in
        select format('%I.%I', n.nspname, c.relname)
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.oid = any (relations::oid[]) and mode = 'access share' and c.relkind in ('v', 'm', 'f') and pg_has_role(c.relowner, 'usage')
         order by c.oid
      loop
        begin
          execute format('prepare integratedb_lock as select from %s', other);
          deallocate integratedb_lock;
        exception when invalid_object_definition or insufficient_privilege then
          null; -- a view that reads itself, or row_security = off: its owner must not keep others from claiming
        end;
      end loop;
      return;
    exception
      when out_of_memory then
        raise exception using
          errcode = 'IDB08',
          message = format('this server cannot lock %s relations in one transaction', cardinality(relations)),
          detail = sqlerrm,
          hint = 'Raise max_locks_per_transaction (pg_dump of this database needs the same), or claim fewer relations. Nothing was changed.';
      when undefined_table or invalid_schema_name then
        null; -- one was dropped or renamed while we waited for it, and with that error the other locks are gone: again
    end;
  end loop;
end
$$;

comment on function integratedb._lock_relations(bigint[], text) is 'internal: ACCESS SHARE, or another mode of tables, on each, in the order of their oids';
