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
const item = (key: string): string => `create table shop.item (${key}); insert into shop.item (id, name) values (1, 'a')`
const itemWriter = (...used: string[]) =>
  writes('shop.item', used, `update shop.item set name = name`, 'delete from shop.item where id = 1')
const named = itemWriter('id', 'name')
const partitioned = 'create schema parts; create table shop.item (id integer, name text) partition by range (id)'
const swapped = `create schema parts; create table shop.item (id integer, name text, primary key (id)) partition by range (id);
  create table parts.item (name text, id integer primary key); alter table shop.item attach partition parts.item default;
  insert into shop.item values (1, 'a')`
const referred = (action: string): string =>
  `${item('id integer primary key, name text')}; create schema parts; create table parts.line (item integer references shop.item ${action});
  insert into parts.line values (1)`
const keyWriter = writes('shop.item', ['id', 'name'], 'update shop.item set name = name', 'update shop.item set id = 2 where id = 1')
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
    {
      form: 'CREATE PUBLICATION … FOR TABLE (columns) WHERE',
      when: 'over a column that is published and not of the primary key',
      sql: 'create publication everything for table shop.orders (id, total) where (total > 5)',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE … WHERE',
      when: 'over a virtual column',
      since: 18,
      claims: named,
      setup: item('id integer primary key, name text, short text generated always as (lower(name)) virtual'),
      sql: `create publication everything for table shop.item where (short > 'a')`,
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE … WHERE',
      when: 'over a virtual column of the primary key',
      since: 18,
      claims: named,
      setup: item('id integer primary key, name text, next integer generated always as (id + 1) virtual'),
      sql: 'create publication everything for table shop.item where (next > 1)',
      gives: accepts,
      why: 'its primary key identifies rows',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE (columns)',
      when: 'a primary key that includes others',
      claims: named,
      setup: item('id integer, name text, primary key (id) include (name)'),
      sql: 'create publication everything for table shop.item (id)',
      gives: accepts,
      why: 'what it includes identifies nothing',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'a primary key that is generated',
      since: 18,
      claims: named,
      setup: item('id integer, name text, key integer generated always as (id) stored primary key'),
      sql: 'create publication everything for table shop.item',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … WITH (publish_generated_columns = stored)',
      when: 'a primary key that is generated',
      since: 18,
      claims: named,
      setup: item('id integer, name text, key integer generated always as (id) stored primary key'),
      sql: 'create publication everything for table shop.item with (publish_generated_columns = stored)',
      gives: accepts,
      why: 'its primary key identifies rows',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLES IN SCHEMA',
      when: 'of the parent of a partition without a primary key',
      claims: named,
      setup: `${partitioned}; create table parts.item partition of shop.item default; insert into shop.item values (1, 'a')`,
      sql: 'create publication everything for tables in schema shop',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE (columns) WITH (publish_via_partition_root)',
      when: "without the partition's primary key, columns in another order",
      claims: named,
      setup: `${partitioned}; create table parts.item (name text, id integer primary key);
        alter table shop.item attach partition parts.item default; insert into shop.item values (1, 'a')`,
      sql: 'create publication everything for table shop.item (name) with (publish_via_partition_root)',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE (columns) WITH (publish_via_partition_root)',
      when: "with the partition's primary key, columns in another order",
      claims: named,
      setup: swapped,
      sql: 'create publication everything for table shop.item (id) with (publish_via_partition_root)',
      gives: accepts,
      why: 'its primary key identifies rows',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE … WHERE … WITH (publish_via_partition_root)',
      when: "over other columns than the partition's primary key, in another order",
      claims: named,
      setup: swapped,
      sql: `create publication everything for table shop.item where (name > '') with (publish_via_partition_root)`,
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE (columns) WITH (publish_via_partition_root)',
      when: 'of a partition, beside its parent',
      claims: named,
      setup: swapped,
      sql: 'create publication everything for table shop.item, parts.item (name) with (publish_via_partition_root)',
      gives: accepts,
      why: 'the parent is published with all columns',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'of rows that are deleted with others',
      claims: named,
      setup: referred('on delete cascade'),
      sql: 'create publication everything for table parts.line',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR ALL TABLES',
      when: 'with rows that are set null when others are deleted',
      claims: named,
      setup: referred('on delete set null'),
      sql: 'create publication everything for all tables',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'of rows that are deleted with those that are deleted with others',
      claims: named,
      setup:
        `${referred('on delete cascade, id integer primary key')}; create table parts.part (line integer references parts.line on delete set null)`.replace(
          'values (1)',
          'values (1, 1)',
        ),
      sql: 'create publication everything for table parts.part',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'of rows that follow the key of others',
      claims: keyWriter,
      setup: referred('on update cascade'),
      sql: 'create publication everything for table parts.line',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'of rows that follow the key of others, which nobody updates',
      claims: claim('updates another column', 'shop.item', ['name'], {
        access: ['select', 'update'],
        use: ['update shop.item set name = name'],
      }),
      setup: referred('on update cascade'),
      sql: 'create publication everything for table parts.line',
      gives: accepts,
      why: 'the key stays',
    },
    {
      form: 'CREATE PUBLICATION … FOR TABLE',
      when: 'of rows that refer to others, and stay as they are',
      claims: claim('deletes', 'shop.item', ['id', 'name'], { access: ['select', 'delete'], use: ['delete from shop.item where id = 2'] }),
      setup: referred(''),
      sql: 'create publication everything for table parts.line',
      gives: accepts,
      why: 'nothing is written there',
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
    {
      form: 'DROP CONSTRAINT, ADD PRIMARY KEY DEFERRABLE',
      when: 'of a published table',
      claims: named,
      setup: `${item('id integer primary key, name text')}; create publication everything for table shop.item`,
      sql: 'alter table shop.item drop constraint item_pkey, add primary key (id) deferrable',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'ADD COLUMN … GENERATED … STORED',
      when: 'of a published table with REPLICA IDENTITY FULL',
      since: 18,
      claims: named,
      setup: `${item('id integer primary key, name text')}; alter table shop.item replica identity full; create publication everything for table shop.item`,
      sql: 'alter table shop.item add next integer generated always as (id) stored',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'ADD COLUMN … GENERATED … VIRTUAL',
      when: 'of a published table with REPLICA IDENTITY FULL',
      since: 18,
      claims: named,
      setup: `${item('id integer primary key, name text')}; alter table shop.item replica identity full; create publication everything for table shop.item`,
      sql: 'alter table shop.item add next integer generated always as (id) virtual',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'ADD FOREIGN KEY … ON DELETE',
      when: 'of a published table without a primary key',
      claims: named,
      setup: `${item('id integer primary key, name text')}; create table shop.line (item integer); create publication everything for table shop.line`,
      sql: 'alter table shop.line add foreign key (item) references shop.item on delete set null',
      gives: rejects(213),
      why: noIdentity,
    },
    {
      form: 'REPLICA IDENTITY NOTHING',
      when: 'of a published table whose rows are deleted with others',
      claims: named,
      setup: `${referred('on delete cascade primary key')}; create publication everything for table parts.line`,
      sql: 'alter table parts.line replica identity nothing',
      gives: rejects(213),
      why: noIdentity,
    },
  ]),
  ...forms('DROP INDEX', named, [
    {
      form: 'DROP INDEX',
      when: 'the REPLICA IDENTITY of a published table',
      setup: `${item('id integer not null, name text')}; create unique index item_key on shop.item (id); alter table shop.item replica identity using index item_key;
        create publication everything for table shop.item`,
      sql: 'drop index shop.item_key',
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
