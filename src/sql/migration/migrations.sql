create or replace view integratedb.migrations as
select
  m.id,
  m.started_at,
  m.username,
  m.application_name,
  m.client_addr,
  m.commands,
  m.paths as touched,
  m.verdict,
  m.enforcement,
  m.verdict = 'reject' as overridden,
  m.findings
from integratedb.migration m
where m.judged;

comment on view integratedb.migrations is
  'Committed transactions that ran DDL on claimed relations: who, when, from which application, what was touched and the verdict. overridden: it broke claims and went through because enforcement was warn. verdict unjudged: enforcement was off';
