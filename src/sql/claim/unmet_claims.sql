create or replace function integratedb.unmet_claims(max_results integer default 100)
returns setof integratedb.finding
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  stakeholder text;
  part record;
  remaining integer := coalesce(max_results, 2147483647);
  found_here integer;
begin
  if max_results < 1 then
    raise exception using
      errcode = 'IDB08',
      message = format('max_results cannot be %s', max_results),
      detail = 'It is how many findings to answer at most, 1 or more; null: all. No rows mean that all claims are met.',
      hint = 'For example: SELECT * FROM integratedb.unmet_claims();';
  end if;
  for stakeholder in select s.name from integratedb.stakeholder s where s.document is not null order by s.name loop
    for part in select p.place, p.ids from integratedb._parts_of(stakeholder) p loop
      exit when remaining <= 0;
      return query
        select f.*
          from jsonb_populate_recordset(null::integratedb.finding,
                 integratedb._call('inspect_claims', integratedb._claims_in(stakeholder, part.ids, part.place = 1))) f
         where part.place = 1 or right(f.path, 2) <> '.*' -- a wildcard tells once that it is of nothing
         limit remaining;
      get diagnostics found_here = row_count;
      remaining := remaining - found_here;
    end loop;
  end loop;
end
$$;

comment on function integratedb.unmet_claims(integer) is
  'Every claim that does not hold now, whoever broke it and whenever: findings, at most max_results (null: all). IDB08: max_results below 1';
