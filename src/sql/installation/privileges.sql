-- Who may call what? Nothing is for PUBLIC that is not listed here.
revoke all on all functions in schema integratedb from public;
revoke all on all tables in schema integratedb from public;

-- A role that runs DDL has its own transaction judged, and may try a migration with its own rights.
grant usage on schema integratedb to public;
grant execute on function
  integratedb.version(),
  integratedb.validate_migration(),
  integratedb.check_migration(text),
  integratedb._begin_check(),
  integratedb._judge_check()
to public;

-- Stakeholders ask and owners decide, whoever they are: each of these asks who is calling.
grant execute on function
  integratedb.check_claims(jsonb),
  integratedb.my_claims(),
  integratedb.my_requests(),
  integratedb.pending_claims(),
  integratedb.request_claims(jsonb, text),
  integratedb.approve_claims(text, bigint),
  integratedb.reject_claims(text, text, bigint),
  integratedb.allow_claims(text, text, text, text[]),
  integratedb.disallow_claims(text, text, text)
to public;
grant insert (call, stakeholder, document, reason, request, owner, path, access), select (answer) on integratedb._act to public;
grant select on integratedb._my_claims, integratedb._my_requests, integratedb._pending_claims to public;

grant select on integratedb.claims, integratedb.credentials, integratedb.stakeholders, integratedb.migrations, integratedb.claim_requests, integratedb.decisions to integratedb_admin;
grant execute on function
  integratedb.add_stakeholder(text, text),
  integratedb.rename_stakeholder(text, text),
  integratedb.remove_stakeholder(text, boolean),
  integratedb.set_stakeholder_option(text, text, text),
  integratedb.rotate_credentials(text, interval, text),
  integratedb.issue_credentials(text, interval, text),
  integratedb.renew_credentials(text, interval),
  integratedb.revoke_credentials(text),
  integratedb.expire_credentials(),
  integratedb._sessions(),
  integratedb.set_claims(text, jsonb),
  integratedb.get_claims(text),
  integratedb.remove_claims(text),
  integratedb.unmet_claims(integer),
  integratedb.sync(),
  integratedb.dependents(text, text),
  integratedb.audit_access(text),
  integratedb.set_enforcement(text),
  integratedb.set_check_timing(text),
  integratedb.doctor()
to integratedb_admin;
