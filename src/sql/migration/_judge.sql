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
set enable_hashjoin = off -- as in _catalog
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
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
  -- Here and below, LATERAL ... OFFSET 0: each look-up by its index. As joins the planner would read all claims, or all
  -- relations of a schema, and a migration would cost the more the more there is that it does not touch.
  with direct as materialized (
    select k.id from integratedb.claim k where touched is null
    union
    select k.id from integratedb.claim k where k.relid = any (touched)
    union
    select k.id from integratedb.claim k where k.behind && touched and k.behind <> '{}'
    union
    select k.id
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (
        select k.id from integratedb.claim k
         where k.schema_name = n.nspname::text and k.relation_name in (c.relname::text, '')
        offset 0
      ) k
     where c.oid = any (touched::oid[])
  )
  select array_agg(distinct a.id) into affected
    from (
      select d.id from direct d
      union all
      -- What a stakeholder is granted on a relation is what all its claims of it want, under the name that it has now.
      select o.id
        from direct d
        join integratedb.claim k on k.id = d.id
        join pg_class c on c.oid = k.relid::oid
        join pg_namespace n on n.oid = c.relnamespace
        cross join lateral (
          select o.id from integratedb.claim o
           where o.schema_name = n.nspname::text and o.relation_name = c.relname::text and o.stakeholder = k.stakeholder
          offset 0
        ) o
      union all
      -- What came with a wildcard and was not met yet is judged as such, whatever touched it.
      select w.id
        from direct d
        cross join lateral (select k.* from integratedb.claim k where k.id = d.id and k.observed is null offset 0) k
        cross join lateral (
          select w.id from integratedb.claim w
           where w.schema_name = k.schema_name and w.relation_name = '' and w.stakeholder = k.stakeholder
             and w.match = k.match and w.alternative is not distinct from k.alternative
          offset 0
        ) w
    ) a;
  if affected is null then
    return null;
  end if;

  with claim as materialized (
    select k.stakeholder, k.match, k.alternative, k.schema_name, k.relation_name, k.optional, k.access, k.all_fields, k.fields, k.relid,
           k.schema_id, k.observed, k.behind, k.sequences, k.status
      from integratedb.claim k where k.id = any (affected)
  ), pair as (
    select distinct k.stakeholder, r.relation, k.access <> '{select}' as is_written
      from claim k
      left join pg_namespace n on n.nspname = k.schema_name::name
      cross join lateral (
        select c.oid::bigint as relation from pg_class c where c.oid = k.relid::oid
        union all
        select c.oid::bigint from pg_class c where c.relnamespace = n.oid and c.relname = k.relation_name::name
        union all
        select c.oid::bigint from pg_class c
         where k.relation_name = '' and touched is null and c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
        union all
        select c.oid::bigint from pg_class c
         where k.relation_name = '' and c.oid = any (touched::oid[]) and c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
        offset 0
      ) r
  )
  select (select json_agg(k order by k.stakeholder, k.match, k.alternative, k.schema_name, k.relation_name) from claim k)::text,
         (select array_agg(distinct format('%I.%I', k.schema_name, k.relation_name)) from claim k where k.relation_name <> ''),
         -- Untouched alternatives that may stand in for touched ones.
         coalesce((
           select json_agg(to_jsonb(s) - 'id' order by s.stakeholder, s.match, s.alternative, s.schema_name, s.relation_name)
             from (select distinct k.stakeholder, k.match from claim k where k.alternative is not null) m
             cross join lateral (
               select s.* from integratedb.claim s where s.stakeholder = m.stakeholder and s.match = m.match offset 0
             ) s
            where s.id <> all (affected)), '[]')::text,
         array_agg(p.stakeholder), array_agg(p.relation), coalesce(array_agg(p.relation) filter (where p.is_written), '{}')
    into claims, paths, siblings, stakeholders, relations, written
    from pair p;
  judgement := integratedb._call('judge_migration', format('{"claims": %s, "siblings": %s, "has_privileges": %s, "catalog": %s}',
    claims, siblings, to_json(coalesce(has_privileges, true)), integratedb._catalog(stakeholders, relations, written)));
  if judgement->'claims' <> '[]' then
    -- What a wildcard takes in was no claim before.
    paths := array(
      select unnest(paths)
      union
      select format('%I.%I', k.schema_name, k.relation_name)
        from jsonb_to_recordset(judgement->'claims') k (schema_name text, relation_name text)
       where k.relation_name <> ''
       order by 1);
  end if;
  judgement := judgement || jsonb_build_object('paths', coalesce(paths, '{}'));
  if exists (select from integratedb.notification) then
    judgement := judgement || coalesce(integratedb._judge_notifications(affected, coalesce(relations, '{}'), judgement), '{}');
  end if;
  return judgement;
end
$$;

comment on function integratedb._judge(bigint[], boolean) is
  'internal: {verdict, findings, report, claims, grants, paths, subscriptions, notified}; null if no claim was touched. Changes nothing';
