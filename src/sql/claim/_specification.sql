-- What does a document say, and which relations does it speak of?
create or replace function integratedb._document_text(document jsonb)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if document is null then
    raise exception using
      errcode = 'IDB02',
      message = 'a claims document is needed, not null',
      detail = 'It is a JSON object with the key "match".',
      hint = 'For example: {"match": [{"path": "public.orders", "fields": ["id", "total"]}]}';
  end if;
  -- The core refuses what is over 1 MB; an engine need not be handed more than it takes to see that.
  return left(document::text, 1048577);
end
$$;

comment on function integratedb._document_text(jsonb) is 'internal: a document for the core to read. IDB02: null';

create or replace function integratedb._relations_of(specification jsonb)
returns bigint[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(distinct c.oid::bigint), '{}')
    from jsonb_to_recordset(specification) s (schema text, relation text)
    join pg_namespace n on n.nspname = s.schema::name
    join pg_class c on c.relnamespace = n.oid
   where case when s.relation is null
           then c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
           else c.relname = s.relation::name end
$$;

comment on function integratedb._relations_of(jsonb) is 'internal: oids of the relations that a specification names or its wildcards take in';

create or replace function integratedb._declaration(stakeholder text, specification jsonb, relations bigint[], previous bigint[])
returns text
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select json_build_object(
    'stakeholder', stakeholder,
    'specification', specification,
    'types', coalesce((
      select json_agg(json_build_object('schema', t.schema, 'spelling', t.spelling, 'type', integratedb._resolve_type(t.spelling, t.schema)))
        from (
          select distinct s->>'schema' as schema, spelling
            from jsonb_array_elements(specification) s,
                 jsonb_array_elements(case when jsonb_typeof(s->'fields') = 'array' then s->'fields' else '[]' end) f,
                 jsonb_array_elements_text(f->'types') spelling
        ) t), '[]'),
    'catalog', integratedb._catalog(array_fill(stakeholder, array[cardinality(r.all)]), r.all,
      integratedb._relations_of(jsonb_path_query_array(specification, '$[*] ? (exists(@.access[*] ? (@ != "select")))')))::json,
    'previous', to_json(previous),
    'installer', current_user)::text
  from (select array(select distinct unnest(relations || previous)) as all) r
$$;

comment on function integratedb._declaration(text, jsonb, bigint[], bigint[]) is 'internal: what the core''s declare_claims takes';
