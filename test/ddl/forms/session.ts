/** Transactions, settings, code that runs DDL, and event triggers themselves. */
import { inserter, measurements, measurementWriter, reader, reads, wildcard, writer } from '../claims.ts'
import { accepts, diagnosed, type Form, forms, found, refuses, rejects, warns, warnsOfFailure } from '../form.ts'

const breaks = 'alter table shop.orders drop column note'
const atEnd = 'it is judged at the end, as a whole'
const undone = 'what is undone breaks nobody'
const eachAlone = 'each transaction of it is judged by itself'
const onStorage = 'only how it lies on disk changes'
const onPlans = 'only plans change'

const inTransactions: Form[] = [
  ...forms('SAVEPOINT', reader, [{ form: 'SAVEPOINT', sql: `savepoint before; ${breaks}`, gives: rejects(201), why: atEnd }]),
  ...forms('ROLLBACK TO SAVEPOINT', reader, [
    { form: 'ROLLBACK TO SAVEPOINT', sql: `savepoint before; ${breaks}; rollback to savepoint before`, gives: accepts, why: undone },
  ]),
  ...forms('SET CONSTRAINTS', reader, [
    {
      form: 'SET CONSTRAINTS … IMMEDIATE',
      sql: `set constraints all immediate; ${breaks}`,
      gives: rejects(201),
      why: 'it is judged at that statement',
    },
    { form: 'SET CONSTRAINTS … DEFERRED', sql: `${breaks}; set constraints all deferred`, gives: rejects(201), why: atEnd },
  ]),
  ...forms('ABORT', reader, [{ form: 'ABORT', outside: true, sql: ['begin', breaks, 'abort'], gives: accepts, why: undone }]),
  ...forms('ROLLBACK', reader, [{ form: 'ROLLBACK', outside: true, sql: ['begin', breaks, 'rollback'], gives: accepts, why: undone }]),
  ...forms('PREPARE TRANSACTION', reader, [
    {
      form: 'PREPARE TRANSACTION',
      when: 'that breaks a claim',
      outside: true,
      sql: ['begin', breaks, `prepare transaction 'ddl_breaks'`],
      gives: rejects(201),
      why: 'it is judged when it is prepared',
    },
    {
      form: 'PREPARE TRANSACTION',
      when: 'that breaks nobody',
      outside: true,
      sql: ['begin', 'alter table shop.orders drop column internal', `prepare transaction 'ddl_fine'`, `rollback prepared 'ddl_fine'`],
      gives: accepts,
      why: 'it is judged when it is prepared',
    },
  ]),
  ...forms('COMMIT PREPARED', reader, [
    {
      form: 'COMMIT PREPARED',
      outside: true,
      sql: ['begin', 'alter table shop.orders drop column internal', `prepare transaction 'ddl_commit'`, `commit prepared 'ddl_commit'`],
      gives: accepts,
      why: 'it was judged when it was prepared',
    },
  ]),
  ...forms('ROLLBACK PREPARED', reader, [
    {
      form: 'ROLLBACK PREPARED',
      outside: true,
      sql: ['begin', 'alter table shop.orders add region text', `prepare transaction 'ddl_undo'`, `rollback prepared 'ddl_undo'`],
      gives: accepts,
      why: undone,
    },
  ]),
]

const byCode: Form[] = [
  ...forms('DO', reader, [
    { form: 'DO', sql: `do $$ begin ${breaks}; end $$`, gives: rejects(201), why: 'it is DDL all the same' },
    {
      form: 'DO',
      when: 'an error is caught',
      sql: `do $$ begin ${breaks}; raise exception 'no'; exception when raise_exception then null; end $$`,
      gives: accepts,
      why: undone,
    },
    {
      form: 'DO',
      when: 'that commits in between',
      outside: true,
      sql: [`do $$ begin alter table shop.orders add region text; commit; ${breaks}; end $$`],
      gives: rejects(201),
      why: eachAlone,
    },
  ]),
  ...forms('CALL', reader, [
    {
      form: 'CALL',
      setup: `create procedure shop.migrate() language plpgsql as $$ begin ${breaks}; end $$`,
      sql: 'call shop.migrate()',
      gives: rejects(201),
      why: 'it is DDL all the same',
    },
    {
      form: 'CALL',
      when: 'that commits in between',
      outside: true,
      setup: `create procedure shop.migrate() language plpgsql as $$ begin alter table shop.orders add region text; commit; ${breaks}; commit; end $$`,
      sql: ['call shop.migrate()'],
      gives: rejects(201),
      why: eachAlone,
    },
  ]),
]

const around: Form[] = [
  ...forms('SET', reader, [
    {
      form: 'SET session_replication_role',
      sql: `set local session_replication_role = replica; ${breaks}`,
      gives: rejects(201),
      why: 'our triggers fire always',
    },
    {
      form: 'SET search_path | row_security | check_function_bodies | …',
      sql: `set local search_path = ''; set local row_security = off; set local check_function_bodies = off; ${breaks}`,
      gives: rejects(201),
      why: 'no setting of a role weakens it',
    },
    {
      form: 'SET event_triggers = off',
      since: 17,
      sql: `set local event_triggers = off; ${breaks}`,
      gives: found(201),
      why: 'a superuser can switch event triggers off',
    },
  ]),
  ...forms('CREATE EVENT TRIGGER', reader, [
    {
      form: 'CREATE EVENT TRIGGER',
      when: 'of somebody else',
      sql: 'create function shop.look() returns event_trigger language plpgsql as $$ begin end $$; create event trigger look on ddl_command_end execute function shop.look()',
      gives: accepts,
      why: 'ours fire all the same',
    },
  ]),
  ...forms('ALTER EVENT TRIGGER', reader, [
    {
      form: 'DISABLE',
      when: 'ours',
      sql: 'alter event trigger integratedb_note_drop disable',
      gives: diagnosed('event triggers'),
      why: 'a superuser can; no event trigger tells of event triggers',
    },
    {
      form: 'DISABLE',
      when: 'ours, and DDL that breaks a claim',
      sql: `alter event trigger integratedb_note_drop disable; alter event trigger integratedb_note_ddl disable; ${breaks}`,
      gives: { ...found(201), doctor: ['claims', 'event triggers'] },
      why: 'nothing was noted',
    },
  ]),
  ...forms('DROP EVENT TRIGGER', reader, [
    {
      form: 'DROP EVENT TRIGGER',
      when: 'ours',
      sql: 'drop event trigger integratedb_note_drop',
      gives: diagnosed('event triggers'),
      why: 'a superuser can; no event trigger tells of event triggers',
    },
  ]),
]

const concurrent: Form[] = [
  ...forms('CREATE INDEX', reader, [
    {
      form: 'CREATE INDEX CONCURRENTLY',
      outside: true,
      sql: ['create index concurrently on shop.orders (note)'],
      gives: accepts,
      why: onPlans,
    },
    {
      form: 'CREATE INDEX CONCURRENTLY',
      when: 'that calls a function that the stakeholder may not execute',
      claims: inserter,
      outside: true,
      setup:
        'create function shop.secret(text) returns text language plpgsql immutable as $$ begin return $1; end $$; revoke execute on function shop.secret(text) from public',
      sql: ['create index concurrently on shop.orders (shop.secret(note))'],
      gives: { ...warnsOfFailure(401), unmet: ['IDB401'] },
      why: 'it cannot be undone with its transaction',
    },
    {
      form: 'CREATE UNIQUE INDEX CONCURRENTLY',
      when: 'over a claimed column',
      claims: inserter,
      outside: true,
      sql: ['create unique index concurrently on shop.orders (note)'],
      gives: warns(302),
      why: 'what is written may be refused',
    },
  ]),
  ...forms('DROP INDEX', reader, [
    { form: 'DROP INDEX CONCURRENTLY', outside: true, sql: ['drop index concurrently shop.orders_total'], gives: accepts, why: onPlans },
  ]),
  ...forms('REINDEX', writer, [
    { form: 'REINDEX SCHEMA | DATABASE', outside: true, sql: ['reindex schema shop'], gives: accepts, why: onStorage },
    { form: 'REINDEX … CONCURRENTLY', outside: true, sql: ['reindex table concurrently shop.orders'], gives: accepts, why: onStorage },
  ]),
  ...forms('ALTER TABLE', measurements, [
    {
      form: 'DETACH PARTITION … CONCURRENTLY',
      outside: true,
      fewer: true,
      sql: ['alter table shop.measurement detach partition shop.measurement_2025 concurrently'],
      gives: accepts,
      why: 'which rows a table holds is not claimed',
    },
    {
      form: 'DETACH PARTITION … CONCURRENTLY',
      when: 'in a schema that is claimed whole',
      claims: wildcard,
      outside: true,
      sql: ['alter table shop.measurement detach partition shop.measurement_2025 concurrently'],
      newUse: ['select value from shop.measurement_2025'],
      gives: accepts,
      why: 'it is a table of its own, and taken in',
    },
    {
      form: 'DETACH PARTITION … CONCURRENTLY',
      when: 'the last one',
      claims: measurementWriter,
      outside: true,
      setup: 'drop table shop.measurement_2025',
      sql: ['alter table shop.measurement detach partition shop.measurement_2026 concurrently'],
      gives: warnsOfFailure(213),
      why: 'there is nowhere to insert until the next one is attached',
    },
    {
      form: 'DETACH PARTITION … FINALIZE',
      fewer: true,
      setup: `update pg_inherits set inhdetachpending = true where inhrelid = 'shop.measurement_2025'::regclass`,
      sql: 'alter table shop.measurement detach partition shop.measurement_2025 finalize',
      gives: accepts,
      why: 'which rows a table holds is not claimed',
    },
  ]),
  ...forms('REFRESH MATERIALIZED VIEW', reads('shop.price_list', 'id'), [
    {
      form: 'REFRESH MATERIALIZED VIEW CONCURRENTLY',
      when: 'by itself',
      outside: true,
      sql: ['refresh materialized view concurrently shop.price_list'],
      gives: accepts,
      why: 'only rows change',
    },
  ]),
  ...forms('VACUUM', writer, [
    { form: 'VACUUM', outside: true, sql: ['vacuum (analyze) shop.orders'], gives: accepts, why: onStorage },
    { form: 'VACUUM FULL', outside: true, sql: ['vacuum full shop.orders'], gives: accepts, why: onStorage },
    { form: 'VACUUM', when: 'in a transaction', sql: 'vacuum shop.orders', gives: refuses('25001'), why: 'it cannot run there' },
  ]),
  ...forms('CLUSTER', reader, [
    {
      form: 'CLUSTER',
      when: 'all tables',
      outside: true,
      setup: 'alter table shop.orders cluster on orders_pkey',
      sql: ['cluster'],
      gives: accepts,
      why: onStorage,
    },
  ]),
  ...forms('ALTER TYPE', reader, [
    {
      form: 'ADD VALUE',
      when: 'by itself',
      outside: true,
      sql: [`alter type shop.status add value 'refunded'`],
      gives: accepts,
      why: 'the labels that were there stay',
    },
  ]),
]

export const sessionForms: Form[] = [...inTransactions, ...byCode, ...around, ...concurrent]
