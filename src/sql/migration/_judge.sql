-- Do the claims that a migration touched still hold?
-- has_privileges: did it grant or revoke? If not, a privilege that is gone went with an owner and comes back.
-- touched: pg_class.oid of relations, dropped ones too; null: everything (where no event trigger tells).
-- Without a claim among them JavaScript is not started.
create or replace function integratedb._judge(touched bigint[], has_privileges boolean)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  affected bigint[];
  claims text;
  siblings text;
  paths text[];
  stakeholders text[];
  relations bigint[];
  written bigint[];
  judgement jsonb;
begin
  if touched is null then
    select array_agg(id) into affected from integratedb.claim;
  else
    select array_agg(id) into affected from (
      select k.id from integratedb.claim k where k.relid = any (touched)
      union
      select k.id from integratedb.claim k where k.behind && touched and k.behind <> '{}'
      union
      select k.id
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join integratedb.claim k on k.schema_name = n.nspname::text and k.relation_name in (c.relname::text, '')
       where c.oid = any (touched::oid[])
    ) a;
  end if;
  if affected is null then
    return null;
  end if;
  -- What was granted under a name goes when another relation bears it now, unless the stakeholder claims the renamed one as well.
  affected := affected || array(
    select o.id
      from integratedb.claim k
      join pg_class c on c.oid = k.relid::oid
      join pg_namespace n on n.oid = c.relnamespace
      join integratedb.claim o on o.stakeholder = k.stakeholder and o.schema_name = n.nspname::text and o.relation_name = c.relname::text
     where k.id = any (affected) and o.id <> all (affected));

  select json_agg(to_jsonb(k) - 'id' order by k.stakeholder, k.match, k.alternative, k.schema_name, k.relation_name)::text,
         array_agg(distinct format('%I.%I', k.schema_name, k.relation_name)) filter (where k.relation_name <> '')
    into claims, paths
    from integratedb.claim k where k.id = any (affected);
  -- Untouched alternatives that may stand in for touched ones.
  select coalesce(json_agg(to_jsonb(s) - 'id' order by s.stakeholder, s.match, s.alternative, s.schema_name, s.relation_name), '[]')::text
    into siblings
    from integratedb.claim s
   where s.alternative is not null
     and s.id <> all (affected)
     and exists (select from integratedb.claim k where k.id = any (affected) and k.stakeholder = s.stakeholder and k.match = s.match);
  select array_agg(p.stakeholder), array_agg(p.relation), coalesce(array_agg(p.relation) filter (where p.is_written), '{}')
    into stakeholders, relations, written
    from (
      select k.stakeholder, c.oid::bigint as relation, k.access <> '{select}' as is_written
        from integratedb.claim k join pg_class c on c.oid = k.relid::oid
       where k.id = any (affected)
      union
      select k.stakeholder, c.oid::bigint, k.access <> '{select}'
        from integratedb.claim k
        join pg_namespace n on n.nspname = k.schema_name::name
        join pg_class c on c.relnamespace = n.oid and c.relname = k.relation_name::name
       where k.id = any (affected)
      union
      select k.stakeholder, c.oid::bigint, k.access <> '{select}'
        from integratedb.claim k
        join pg_namespace n on n.nspname = k.schema_name::name
        join pg_class c on c.relnamespace = n.oid
       where k.id = any (affected) and k.relation_name = '' and c.relkind in ('r', 'p', 'v', 'm', 'f')
         and (touched is null or c.oid = any (touched::oid[]))
    ) p;
  judgement := integratedb._call('judge_migration', format('{"claims": %s, "siblings": %s, "has_privileges": %s, "catalog": %s}',
    claims, siblings, to_json(coalesce(has_privileges, true)), integratedb._catalog(stakeholders, relations, written)));
  -- What a wildcard takes in was no claim before.
  paths := array(
    select unnest(paths)
    union
    select format('%I.%I', k.schema_name, k.relation_name)
      from jsonb_to_recordset(judgement->'claims') k (schema_name text, relation_name text)
     where k.relation_name <> ''
     order by 1);
  return judgement || jsonb_build_object('paths', paths);
end
$$;

comment on function integratedb._judge(bigint[], boolean) is
  'internal: {verdict, findings, report, claims, grants, paths}; null if no claim was touched. Changes nothing';
