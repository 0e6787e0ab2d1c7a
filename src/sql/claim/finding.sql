-- What does a call that gives findings answer? One row each.
do $do$
begin
  create type integratedb.finding as (
    code text,
    severity text,
    stakeholder text,
    path text,
    field text,
    expected text,
    actual text,
    message text,
    hint text
  );
exception when duplicate_object then
  null; -- an upgrade
end
$do$;

comment on type integratedb.finding is
  'One thing that does not fit a claim. code: docs/errors.md; severity: breaking | warning | info; field: null for the relation itself';
