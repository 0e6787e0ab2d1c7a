create or replace view integratedb.claims as
select
  c.stakeholder,
  format('%I.%I', c.schema_name, c.relation_name) as path,
  f.field->>'name' as field,
  -- Declared types that nothing has met yet are shown as declared.
  coalesce(f.field->'observed'->>'type',
    (select string_agg(t->>'type', ' or ') from jsonb_array_elements(f.field->'types') t)) as type,
  coalesce((f.field->>'min_length')::integer, (f.field->'observed'->>'length')::integer) as min_length,
  coalesce((f.field->>'is_nullable')::boolean, (f.field->'observed'->>'nullable')::boolean) as is_nullable,
  c.optional or coalesce((f.field->>'optional')::boolean, false) as optional,
  coalesce(c.alternative, (f.field->>'alternative')::integer) as alternative,
  case when c.status = 'met' then coalesce(f.field->>'status', c.status) else c.status end as status,
  c.access
from integratedb.claim c
left join lateral jsonb_array_elements(c.fields) with ordinality f (field, place) on true
where c.relation_name <> ''
order by c.stakeholder, c.match, c.alternative nulls first, c.schema_name, c.relation_name, f.place;

comment on view integratedb.claims is
  'What each stakeholder depends on: declared, or else observed when it last held. field null: the relation alone. alternative: index among those that stand in for each other. status: met | unmet | absent (not there, and need not be). access: any of select, insert, update, delete';
