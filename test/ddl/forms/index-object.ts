/** Indexes. */
import { inserter, inserts, reader, reads, writer, writes } from '../claims.ts'
import { accepts, type Form, forms, refuses, rejects, warns } from '../form.ts'

const partitionIndex =
  'create index measurement_value on only shop.measurement (value); create index measurement_2025_value on shop.measurement_2025 (value)'
const secret =
  'create function shop.secret(text) returns text language plpgsql immutable as $$ begin return $1; end $$; revoke execute on function shop.secret(text) from public'
const onPlans = 'only plans change'

export const indexForms: Form[] = [
  ...forms('CREATE INDEX', inserter, [
    { form: 'CREATE INDEX', claims: writer, sql: 'create index on shop.orders (note)', gives: accepts, why: onPlans },
    {
      form: 'CREATE INDEX … WHERE | ON expression',
      claims: writer,
      sql: 'create index on shop.orders (lower(note)) where total > 5',
      gives: accepts,
      why: onPlans,
    },
    {
      form: 'CREATE INDEX … WHERE | ON expression',
      when: 'that calls a function that the stakeholder may not execute',
      claims: writer,
      setup: secret,
      sql: 'create index on shop.orders (shop.secret(note))',
      gives: rejects(401),
      why: 'every write calls it',
    },
    {
      form: 'CREATE INDEX … WHERE | ON expression',
      when: 'that calls a function that the stakeholder may not execute',
      claims: reader,
      setup: secret,
      sql: 'create index on shop.orders (shop.secret(note))',
      gives: accepts,
      why: onPlans,
    },
    {
      form: 'CREATE UNIQUE INDEX',
      when: 'over a claimed column',
      sql: 'create unique index on shop.orders (note)',
      gives: warns(302),
      why: 'what is written may be refused',
    },
    {
      form: 'CREATE UNIQUE INDEX',
      when: 'over a claimed column',
      claims: reader,
      sql: 'create unique index on shop.orders (note)',
      gives: accepts,
      why: 'readers write nothing',
    },
    {
      form: 'CREATE UNIQUE INDEX',
      when: 'on the table that a claimed one is a partition of',
      claims: writes(
        'shop.measurement_2026',
        ['taken_on', 'value'],
        `insert into shop.measurement_2026 values ('2026-05-05', 1)`,
        'update shop.measurement_2026 set value = value',
      ),
      sql: 'create unique index on shop.measurement (taken_on, value)',
      gives: warns(302),
      why: 'what is written may be refused',
    },
    {
      form: 'CREATE UNIQUE INDEX',
      when: 'on a table that inherits from the claimed one',
      claims: writes('shop.vehicle', ['plate', 'wheels'], 'update shop.vehicle set wheels = wheels'),
      sql: 'create unique index on shop.truck (wheels)',
      gives: warns(302),
      why: 'its rows are updated with the others',
    },
    {
      form: 'CREATE UNIQUE INDEX',
      when: 'on a table that inherits from the claimed one',
      claims: inserts('shop.vehicle', ['plate', 'wheels'], `insert into shop.vehicle values ('B2', 4)`),
      sql: 'create unique index on shop.truck (wheels)',
      gives: accepts,
      why: 'what is inserted does not go there',
    },
    {
      form: 'CREATE UNIQUE INDEX',
      when: 'over an unclaimed column',
      sql: 'create unique index on shop.orders (internal)',
      gives: accepts,
      why: 'nobody writes it',
    },
    {
      form: 'CREATE UNIQUE INDEX … WHERE',
      when: 'over a claimed column',
      sql: `create unique index on shop.orders (customer_id) where status = 'lost'`,
      gives: warns(302),
      why: 'what is written may be refused',
    },
    {
      form: 'CREATE INDEX IF NOT EXISTS',
      when: 'it is there',
      sql: 'create index if not exists orders_total on shop.orders (total)',
      gives: accepts,
      why: 'nothing happens',
    },
    {
      form: 'CREATE INDEX ON ONLY',
      when: 'a partitioned table',
      claims: reads('shop.measurement', 'value'),
      sql: 'create index on only shop.measurement (value)',
      gives: accepts,
      why: onPlans,
    },
  ]),
  ...forms('ALTER INDEX', reader, [
    { form: 'RENAME TO', sql: 'alter index shop.orders_total rename to total_index', gives: accepts, why: 'claims name no indexes' },
    {
      form: 'RENAME TO',
      when: 'given the name of a claimed table',
      sql: 'alter index shop.orders rename to sales',
      gives: rejects(102),
      why: 'it renames tables too',
    },
    {
      form: 'SET TABLESPACE',
      sql: 'alter index shop.orders_total set tablespace pg_default',
      gives: accepts,
      why: 'only how it lies on disk changes',
    },
    {
      form: 'ATTACH PARTITION',
      claims: reads('shop.measurement', 'value'),
      setup: partitionIndex,
      sql: 'alter index shop.measurement_value attach partition shop.measurement_2025_value',
      gives: accepts,
      why: onPlans,
    },
    {
      form: 'DEPENDS ON EXTENSION',
      sql: 'alter index shop.orders_total depends on extension file_fdw',
      gives: accepts,
      why: 'it goes with the extension, and only it',
    },
    {
      form: 'SET | RESET (storage_parameter)',
      sql: 'alter index shop.orders_total set (fillfactor = 70); alter index shop.orders_total reset (fillfactor)',
      gives: accepts,
      why: 'only how it lies on disk changes',
    },
    {
      form: 'ALTER COLUMN … SET STATISTICS',
      setup: 'create index orders_note on shop.orders (lower(note))',
      sql: 'alter index shop.orders_note alter column 1 set statistics 50',
      gives: accepts,
      why: onPlans,
    },
    {
      form: 'ALL IN TABLESPACE … SET TABLESPACE',
      sql: 'alter index all in tablespace pg_default owned by ddl_owner set tablespace pg_default',
      gives: accepts,
      why: 'only how it lies on disk changes',
    },
  ]),
  ...forms('DROP INDEX', reader, [
    { form: 'DROP INDEX', sql: 'drop index shop.orders_total', gives: accepts, why: onPlans },
    {
      form: 'DROP INDEX',
      when: 'a unique one that is no constraint',
      setup: 'create unique index orders_note on shop.orders (note)',
      sql: 'drop index shop.orders_note',
      gives: accepts,
      why: 'only a constraint counts',
    },
    {
      form: 'DROP INDEX',
      when: 'of a UNIQUE constraint',
      sql: 'drop index shop.orders_number_key',
      gives: refuses('2BP01'),
      why: 'the constraint needs it',
    },
    {
      form: 'DROP INDEX … CASCADE',
      when: 'of a UNIQUE constraint',
      sql: 'drop index shop.orders_number_key cascade',
      gives: refuses('2BP01'),
      why: 'the constraint needs it',
    },
  ]),
  ...forms('REINDEX', writer, [
    { form: 'REINDEX TABLE', sql: 'reindex table shop.orders', gives: accepts, why: 'only how it lies on disk changes' },
    { form: 'REINDEX INDEX', sql: 'reindex index shop.orders_total', gives: accepts, why: 'only how it lies on disk changes' },
  ]),
]
