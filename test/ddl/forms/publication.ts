/** Publications and subscriptions. */
import { claim, reader, writer, writes } from '../claims.ts'
import { accepts, type Form, forms, rejects } from '../form.ts'

const keyless = 'create table shop.keyless (a integer, b integer); insert into shop.keyless values (1, 1)'
const keylessWriter = writes(
  'shop.keyless',
  ['a', 'b'],
  'insert into shop.keyless values (2, 2)',
  'update shop.keyless set b = 3',
  'delete from shop.keyless where a = 1',
)
const keylessInserter = claim('inserts only', 'shop.keyless', ['a', 'b'], {
  access: ['insert'],
  use: ['insert into shop.keyless values (2, 2)'],
})
const noIdentity = 'PostgreSQL refuses updates and deletes that it cannot replicate'
const published = 'create publication everything for table shop.orders'
const feed = `create subscription feed connection 'dbname=nothing' publication everything with (connect = false, slot_name = none)`
const rows = 'rows that come by replication are not DDL'

export const publicationForms: Form[] = [
  ...forms('CREATE PUBLICATION', writer, [
    { form: 'CREATE PUBLICATION … FOR TABLE', sql: published, gives: accepts, why: 'its primary key identifies rows' },
    {
      form: 'CREATE PUBLICATION … FOR ALL TABLES',
      sql: 'create publication everything for all tables',
      gives: accepts,
      why: 'its primary key identifies rows',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLES IN SCHEMA',
      sql: 'create publication everything for tables in schema shop',
      gives: accepts,
      why: 'its primary key identifies rows',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'without a primary key',
      claims: keylessWriter,
      setup: keyless,
      sql: 'create publication everything for table shop.keyless',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'without a primary key',
      claims: keylessInserter,
      setup: keyless,
      sql: 'create publication everything for table shop.keyless',
      gives: accepts,
      why: 'inserts can be replicated',
    },
    {
      form: "CREATE PUBLICATION … WITH (publish = 'insert')",
      when: 'without a primary key',
      claims: keylessWriter,
      setup: keyless,
      sql: `create publication everything for table shop.keyless with (publish = 'insert')`,
      gives: accepts,
      why: 'updates and deletes are not replicated',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE (columns)',
      when: 'without the primary key',
      sql: 'create publication everything for table shop.orders (number)',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE … WHERE',
      when: 'over other columns than the primary key',
      sql: 'create publication everything for table shop.orders where (total > 5)',
      gives: rejects(213),
      why: noIdentity,
    },
    { form: 'CREATE PUBLICATION … FOR TABLE', claims: reader, sql: published, gives: accepts, why: 'readers write nothing' },
  ]),
  ...forms('ALTER PUBLICATION', writer, [
    {
      form: 'ADD TABLE',
      setup: 'create publication everything',
      sql: 'alter publication everything add table shop.orders',
      gives: accepts,
      why: 'its primary key identifies rows',
    },
    {
      form: 'ADD TABLE',
      when: 'without a primary key',
      claims: keylessWriter,
      setup: `${keyless}; create publication everything`,
      sql: 'alter publication everything add table shop.keyless',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'SET TABLE | SET (publish) | RENAME TO | OWNER TO',
      setup: published,
      sql: `alter publication everything set table shop.draft; alter publication everything set (publish = 'insert'); alter publication everything rename to something`,
      gives: accepts,
      why: 'less is published',
    },
    {
      form: 'DROP TABLE',
      setup: published,
      sql: 'alter publication everything drop table shop.orders',
      gives: accepts,
      why: 'nothing is refused for it any more',
    },
  ]),
  ...forms('DROP PUBLICATION', writer, [
    {
      form: 'DROP PUBLICATION',
      setup: published,
      sql: 'drop publication everything',
      gives: accepts,
      why: 'nothing is refused for it any more',
    },
  ]),
  ...forms('ALTER TABLE', writer, [
    {
      form: 'REPLICA IDENTITY NOTHING',
      when: 'of a published table',
      setup: published,
      sql: 'alter table shop.orders replica identity nothing',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'DROP CONSTRAINT',
      when: 'the PRIMARY KEY of a published table',
      setup: published,
      sql: 'alter table shop.orders drop constraint orders_pkey',
      gives: rejects(213),
      why: noIdentity,
    },
  ]),
  ...forms('CREATE SUBSCRIPTION', writer, [{ form: 'CREATE SUBSCRIPTION', sql: feed, gives: accepts, why: rows }]),
  ...forms('ALTER SUBSCRIPTION', writer, [
    {
      form: 'RENAME TO | SET (…) | ENABLE | DISABLE | OWNER TO',
      setup: feed,
      sql: `alter subscription feed rename to stream; alter subscription stream set (synchronous_commit = 'off')`,
      gives: accepts,
      why: rows,
    },
  ]),
  ...forms('DROP SUBSCRIPTION', writer, [
    { form: 'DROP SUBSCRIPTION', setup: feed, sql: 'drop subscription feed', gives: accepts, why: rows },
  ]),
]
