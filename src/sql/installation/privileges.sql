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
  integratedb.disallow_claims(text, text, text),
  integratedb.take_events(text, integer, interval),
  integratedb.ack_events(text, text[]),
  integratedb.release_events(text, text[]),
  integratedb.issue_socket_token(interval)
to public;
grant insert (call, stakeholder, document, reason, request, owner, path, access), select (answer) on integratedb._act to public;
grant insert (call, channel, most, duration, ids), select (answer) on integratedb._queue_act to public;
grant select on integratedb._my_claims, integratedb._my_requests, integratedb._pending_claims to public;

grant select on integratedb.claims, integratedb.credentials, integratedb.stakeholders, integratedb.migrations, integratedb.claim_requests, integratedb.decisions,
  integratedb.subscriptions, integratedb.channels, integratedb.dead_letters to integratedb_admin;
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
  integratedb.set_notifications(text, jsonb),
  integratedb.get_notifications(text),
  integratedb.remove_notifications(text),
  integratedb.replay_dead_letters(text, text, text[]),
  integratedb.drop_dead_letters(text, text, text[]),
  integratedb.enable_channel(text, text),
  integratedb.add_notifier(text, text),
  integratedb.remove_notifier(text),
  integratedb.unmet_claims(integer),
  integratedb.sync(),
  integratedb.dependents(text, text),
  integratedb.audit_access(text),
  integratedb.set_enforcement(text),
  integratedb.set_check_timing(text),
  integratedb.doctor()
to integratedb_admin;

-- The notifier reads the stream, and may call these; it may read no table.
grant execute on function
  integratedb._notifier_start(),
  integratedb._notifier_slot_made(pg_lsn),
  integratedb._notifier_versions(pg_lsn),
  integratedb._notifier_applied(bigint, pg_lsn),
  integratedb._notifier_report(jsonb),
  integratedb._park(bigint, text[], text[], text[]),
  integratedb._parked(bigint, text, integer),
  integratedb._unpark(bigint, text[]),
  integratedb._failed(bigint, text[], text),
  integratedb._bury(bigint, text[], text),
  integratedb._gap(bigint, text, text, bigint, text),
  integratedb._disable_channel(bigint, text),
  integratedb._enqueue(bigint, text[], text[], text[]),
  integratedb._keep(bigint, text[], text[]),
  integratedb._kept(bigint, text, integer),
  integratedb._kept_from(bigint),
  integratedb._socket_login(text),
  integratedb._socket_token(text),
  integratedb._announce_expiring(),
  integratedb.expire_credentials()
to integratedb_notifier;
