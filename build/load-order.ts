/**
 * The order in which the hand-written SQL becomes dist-sql/integratedb.sql: the order of the flow, with what
 * others refer to first, and event triggers last. A test compares this list with the files in src/sql.
 *
 * `.sql` files are statements; `.plpgsql` files are blocks of the install's own DO statement, where `engine`,
 * `objects_before`, `new_version`, `core_source` and `core_hash` are variables.
 */
export const loadOrder = [
  'installation/preflight.plpgsql',
  'installation/role.plpgsql',
  'installation/schema.sql',
  'installation/core.plpgsql',
  'installation/_call.sql',
  'installation/version.sql',

  'catalog/_type.sql',
  'catalog/_catalog.sql',

  'stakeholder/stakeholder.sql',
  'claim/finding.sql',
  'claim/claim.sql',
  'installation/_is_restored.sql',
  'claim/claims.sql',
  'claim/_begin_work.sql',
  'claim/_lock_relations.sql',
  'claim/_specification.sql',
  'claim/_store_claims.sql',
  'grant/_apply_grants.sql',
  'grant/_release_usage.sql',
  'claim/set_claims.sql',
  'claim/get_claims.sql',
  'claim/remove_claims.sql',
  'claim/check_claims.sql',
  'claim/_claims_of.sql',
  'claim/unmet_claims.sql',
  'claim/sync.sql',
  'claim/dependents.sql',

  'stakeholder/_check_name.sql',
  'stakeholder/_check_stakeholder.sql',
  'stakeholder/_scram_verifier.sql',
  'stakeholder/_credentials.sql',
  'stakeholder/_end_sessions.sql',
  'stakeholder/_disarm.sql',
  'stakeholder/add_stakeholder.sql',
  'stakeholder/rename_stakeholder.sql',
  'stakeholder/remove_stakeholder.sql',
  'stakeholder/stakeholders.sql',

  'migration/_has_event_triggers.sql',
  'migration/migration.sql',
  'migration/migrations.sql',
  'migration/_touched_by.sql',
  'migration/_judge.sql',
  'migration/_judge_migration.sql',
  'migration/claims_hold.sql',
  'migration/_note.sql',
  'migration/_note_ddl.sql',
  'migration/_note_drop.sql',
  'migration/validate_migration.sql',
  'migration/check_migration.sql',
  'migration/set_enforcement.sql',

  'installation/doctor.sql',
  'installation/ownership.plpgsql',
  'installation/privileges.sql',
  'migration/event_trigger.plpgsql',
  'installation/finish.plpgsql',
] as const
