/** Tables as a whole: made, named, moved, owned, stored, dropped. */
import { claim, everyColumn, exists, inserter, reader, reads, updater, wildcard, writer } from '../claims.ts'
import { accepts, type Form, forms, found, refuses, rejects, rejectsProperty, tells, warns } from '../form.ts'

const optionalNews = claim('reader of an optional table', 'shop.news', '*', { use: [] })
optionalNews.match = [{ path: 'shop.news', fields: '*', optional: true }]
const alternatives = {
  name: 'reader of alternatives',
  match: [
    {
      alternatives: [
        { path: 'shop.orders', fields: ['id'] },
        { path: 'shop.draft', fields: ['id'] },
      ],
    },
  ],
  use: ['select id from shop.draft'],
}
const onStorage = 'only how it lies on disk changes'
const takenIn = 'what is new in the schema is claimed and granted'

const named: Form[] = forms('ALTER TABLE', reader, [
  {
    form: 'RENAME TO',
    when: 'a claimed one',
    sql: 'alter table shop.orders rename to sales',
    gives: rejects(102),
    why: 'the query names it',
  },
  {
    form: 'RENAME TO',
    when: 'a claimed one',
    claims: wildcard,
    sql: 'alter table shop.ticket rename to issue',
    gives: rejects(102),
    why: 'the query may name it',
  },
  {
    form: 'RENAME TO',
    when: 'a claimed one',
    claims: exists,
    sql: 'alter table shop.orders rename to sales',
    gives: rejectsProperty(102),
    why: 'it has to exist',
  },
  {
    form: 'RENAME TO',
    when: 'one that nobody claims',
    sql: 'alter table shop.draft rename to sketch',
    gives: accepts,
    why: 'nobody names it',
  },
  {
    form: 'RENAME TO',
    when: 'a view takes its place',
    sql: 'alter table shop.orders rename to sales; create view shop.orders as select * from shop.sales',
    claims: reads('shop.orders', 'note', 'internal'),
    gives: accepts,
    why: 'the name reads the same',
  },
  {
    form: 'RENAME TO',
    when: 'a view takes its place',
    sql: "alter table shop.orders rename to sales; create view shop.orders as select number, customer_id, total, status, note, placed_on from shop.sales; alter view shop.orders alter status set default 'new'",
    claims: updater,
    gives: accepts,
    why: 'what was only observed is not asked of a view: NOT NULL, unique',
  },
  {
    form: 'RENAME TO',
    when: 'another table takes its place',
    claims: reads('shop.draft', 'body'),
    sql: 'alter table shop.draft rename to sketch; create table shop.draft (body text)',
    gives: accepts,
    why: 'the name reads the same',
  },
  {
    form: 'RENAME TO',
    when: 'one of two alternatives',
    claims: alternatives,
    sql: 'alter table shop.orders rename to sales',
    gives: tells(102),
    why: 'the other one is there',
  },
  {
    form: 'SET SCHEMA',
    when: 'a claimed one',
    sql: 'alter table shop.orders set schema archive',
    gives: rejects(103),
    why: 'the query names the schema',
  },
  {
    form: 'SET SCHEMA',
    when: 'one that nobody claims',
    sql: 'alter table shop.draft set schema archive',
    gives: accepts,
    why: 'nobody names it',
  },
  {
    form: 'SET SCHEMA',
    when: 'a view takes its place',
    claims: reads('shop.orders', 'note', 'internal'),
    sql: 'alter table shop.orders set schema archive; create view shop.orders as select * from archive.orders',
    gives: accepts,
    why: 'the name reads the same',
  },
  {
    form: 'SET SCHEMA',
    when: 'into a schema that is claimed whole',
    claims: wildcard,
    setup: 'create table archive.old (id integer)',
    sql: 'alter table archive.old set schema shop',
    newUse: ['select id from shop.old'],
    gives: accepts,
    why: takenIn,
  },
])

const owned: Form[] = forms('ALTER TABLE', writer, [
  { form: 'OWNER TO', sql: 'alter table shop.orders owner to ddl_owner', gives: accepts, why: 'grants stay' },
  {
    form: 'OWNER TO',
    when: 'the stakeholder, and back',
    sql: 'alter table shop.orders owner to ddl_app; alter table shop.orders owner to ddl_owner',
    gives: accepts,
    why: 'what the claims need is granted anew',
  },
  {
    form: 'OF type_name',
    claims: reader,
    setup: 'create type shop.ticket_row as (id integer, title text)',
    sql: 'alter table shop.ticket of shop.ticket_row',
    gives: accepts,
    why: 'the columns stay',
  },
  {
    form: 'NOT OF',
    claims: reads('shop.typed', 'id'),
    setup: 'create type shop.ticket_row as (id integer, title text); create table shop.typed of shop.ticket_row',
    sql: 'alter table shop.typed not of',
    gives: accepts,
    why: 'the columns stay',
  },
  {
    form: 'REPLICA IDENTITY FULL | NOTHING | USING INDEX | DEFAULT',
    sql: 'alter table shop.orders replica identity full; alter table shop.orders replica identity using index orders_number_key; alter table shop.orders replica identity nothing; alter table shop.orders replica identity default',
    gives: accepts,
    why: 'only what subscribers are sent changes',
  },
])

const stored: Form[] = forms('ALTER TABLE', writer, [
  { form: 'CLUSTER ON', sql: 'alter table shop.orders cluster on orders_pkey', gives: accepts, why: onStorage },
  { form: 'SET WITHOUT CLUSTER', sql: 'alter table shop.orders set without cluster', gives: accepts, why: onStorage },
  { form: 'SET WITHOUT OIDS', sql: 'alter table shop.orders set without oids', gives: accepts, why: 'nothing happens' },
  { form: 'SET ACCESS METHOD', sql: 'alter table shop.orders set access method heap', gives: accepts, why: onStorage },
  { form: 'SET TABLESPACE', sql: 'alter table shop.orders set tablespace pg_default', gives: accepts, why: onStorage },
  {
    form: 'ALL IN TABLESPACE … SET TABLESPACE',
    sql: 'alter table all in tablespace pg_default owned by ddl_owner set tablespace pg_default',
    gives: accepts,
    why: onStorage,
  },
  {
    form: 'SET UNLOGGED | LOGGED',
    sql: 'alter table shop.orders set unlogged; alter table shop.orders set logged',
    gives: accepts,
    why: 'it reads and writes the same; a crash would empty an unlogged one',
  },
  {
    form: 'SET (storage_parameter)',
    sql: 'alter table shop.orders set (fillfactor = 70, autovacuum_enabled = false)',
    gives: accepts,
    why: onStorage,
  },
  { form: 'RESET (storage_parameter)', sql: 'alter table shop.orders reset (fillfactor)', gives: accepts, why: onStorage },
])

const made: Form[] = [
  ...forms('CREATE TABLE', wildcard, [
    {
      form: 'CREATE TABLE',
      when: 'in a schema that is claimed whole',
      sql: 'create table shop.news (id integer)',
      newUse: ['select id from shop.news'],
      gives: accepts,
      why: takenIn,
    },
    { form: 'CREATE TABLE', when: 'elsewhere', sql: 'create table archive.news (id integer)', gives: accepts, why: 'nobody claims it' },
    {
      form: 'CREATE TABLE',
      when: 'one that a claim waits for',
      claims: optionalNews,
      sql: 'create table shop.news (id integer)',
      newUse: ['select id from shop.news'],
      gives: accepts,
      why: 'it is granted as it appears',
    },
    {
      form: 'CREATE TABLE … LIKE',
      sql: 'create table shop.orders_copy (like shop.orders including all)',
      newUse: ['select id from shop.orders_copy'],
      gives: accepts,
      why: takenIn,
    },
    {
      form: 'CREATE TABLE … OF type_name',
      sql: 'create table shop.home of shop.address',
      newUse: ['select city from shop.home'],
      gives: accepts,
      why: takenIn,
    },
    {
      form: 'CREATE TABLE … INHERITS',
      claims: reads('shop.vehicle', 'plate'),
      sql: 'create table shop.bus (seats integer) inherits (shop.vehicle)',
      gives: accepts,
      why: 'the parent shows its rows too',
    },
    {
      form: 'CREATE TABLE … INHERITS',
      when: 'the claimed parent has a key',
      claims: reads('shop.customer', 'id'),
      sql: 'create table shop.member (since date) inherits (shop.customer)',
      gives: warns(301),
      why: 'no key covers the rows of both',
    },
    {
      form: 'CREATE TABLE … REFERENCES',
      when: 'a claimed table',
      claims: reader,
      sql: 'create table shop.parcel (order_id integer references shop.orders)',
      gives: accepts,
      why: 'readers write nothing',
    },
    {
      form: 'CREATE TABLE IF NOT EXISTS',
      when: 'it is there',
      sql: 'create table if not exists shop.orders (id integer)',
      gives: accepts,
      why: 'nothing happens',
    },
    {
      form: 'CREATE TEMPORARY TABLE',
      when: 'of the same name',
      sql: 'create temporary table orders (id integer)',
      gives: accepts,
      why: 'claims name the schema',
    },
    {
      form: 'CREATE UNLOGGED TABLE',
      sql: 'create unlogged table shop.news (id integer)',
      newUse: ['select id from shop.news'],
      gives: accepts,
      why: takenIn,
    },
  ]),
  ...forms('CREATE TABLE AS', wildcard, [
    {
      form: 'CREATE TABLE AS',
      sql: 'create table shop.news as select id, number from shop.orders',
      newUse: ['select id, number from shop.news'],
      gives: accepts,
      why: takenIn,
    },
    {
      form: 'CREATE TABLE AS … WITH NO DATA',
      sql: 'create table shop.news as select 1 as id with no data',
      newUse: ['select id from shop.news'],
      gives: accepts,
      why: takenIn,
    },
    {
      form: 'CREATE TABLE AS EXECUTE',
      sql: 'prepare some_orders as select id from shop.orders; create table shop.news as execute some_orders; deallocate some_orders',
      newUse: ['select id from shop.news'],
      gives: accepts,
      why: takenIn,
    },
  ]),
  ...forms('SELECT INTO', wildcard, [
    { form: 'SELECT INTO', sql: 'select 1 as id into shop.news', newUse: ['select id from shop.news'], gives: accepts, why: takenIn },
  ]),
  ...forms('EXPLAIN', wildcard, [
    {
      form: 'EXPLAIN ANALYZE CREATE TABLE AS',
      sql: 'explain analyze create table shop.news as select 1 as id',
      gives: { ...found(401), works: true },
      why: 'it makes the table, and no event trigger tells; `sync()` takes it in',
    },
  ]),
  ...forms('EXECUTE', reader, [
    {
      form: 'EXECUTE',
      sql: 'prepare shop_orders as select id from shop.orders; execute shop_orders; deallocate shop_orders',
      gives: accepts,
      why: 'only SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES can be prepared',
    },
  ]),
]

const dropped: Form[] = forms('DROP TABLE', reader, [
  { form: 'DROP TABLE', when: 'a claimed one', sql: 'drop table shop.orders', gives: rejects(101), why: 'it is read' },
  { form: 'DROP TABLE', when: 'a claimed one', claims: inserter, sql: 'drop table shop.orders', gives: rejects(101), why: 'it is written' },
  {
    form: 'DROP TABLE',
    when: 'one that only a wildcard claims',
    claims: wildcard,
    sql: 'drop table shop.ticket',
    gives: rejects(101),
    why: 'what `shop.*` has taken in is claimed',
  },
  { form: 'DROP TABLE', when: 'one that nobody claims', sql: 'drop table shop.draft', gives: accepts, why: 'nobody reads it' },
  {
    form: 'DROP TABLE',
    when: 'and made again',
    claims: reads('shop.draft', 'body'),
    sql: 'drop table shop.draft; create table shop.draft (body text)',
    gives: accepts,
    why: 'it is there at the end; the grants are made anew',
  },
  {
    form: 'DROP TABLE',
    when: 'and made again without a claimed column',
    claims: reads('shop.draft', 'body'),
    sql: 'drop table shop.draft; create table shop.draft (id integer)',
    gives: rejects(201),
    why: 'the column is not there',
  },
  {
    form: 'DROP TABLE',
    when: 'a sequence takes its name',
    claims: reads('shop.draft', 'body'),
    sql: 'drop table shop.draft; create sequence shop.draft',
    gives: rejects(104),
    why: 'it has no columns to read',
  },
  {
    form: 'DROP TABLE',
    when: 'an optional one',
    claims: { ...optionalNews, use: [] },
    setup: 'create table shop.news (id integer)',
    sql: 'drop table shop.news',
    gives: tells(101),
    why: 'the claim says that it may go',
  },
  {
    form: 'DROP TABLE',
    when: 'one of two alternatives',
    claims: alternatives,
    sql: 'drop table shop.orders',
    gives: tells(101),
    why: 'the other one is there',
  },
  {
    form: 'DROP TABLE',
    when: 'both alternatives',
    claims: alternatives,
    sql: 'drop table shop.orders, shop.draft',
    gives: rejects(101),
    why: 'none is left',
  },
  {
    form: 'DROP TABLE … RESTRICT',
    when: 'a view depends on it',
    claims: reads('shop.offer', 'id'),
    sql: 'drop table shop.product restrict',
    gives: refuses('2BP01'),
    why: 'the view needs it',
  },
  {
    form: 'DROP TABLE … CASCADE',
    when: 'a claimed view depends on it',
    claims: reads('shop.offer', 'id'),
    sql: 'drop table shop.product cascade',
    gives: rejects(101),
    why: 'the view goes with it',
  },
  {
    form: 'DROP TABLE IF EXISTS',
    when: 'it is not there',
    sql: 'drop table if exists shop.nothing',
    gives: accepts,
    why: 'nothing happens',
  },
])

const untold: Form[] = [
  ...forms('TRUNCATE', reader, [
    { form: 'TRUNCATE', sql: 'truncate shop.orders', gives: accepts, fewer: true, why: 'which rows a table holds is not claimed' },
    {
      form: 'TRUNCATE … RESTART IDENTITY CASCADE',
      claims: writer,
      use: ['select number from shop.orders'],
      sql: 'truncate shop.customer restart identity cascade',
      gives: accepts,
      fewer: true,
      why: 'which rows a table holds is not claimed',
    },
  ]),
  ...forms('LOCK', reader, [
    { form: 'LOCK TABLE', sql: 'lock table shop.orders in access exclusive mode', gives: accepts, why: 'it ends with the transaction' },
  ]),
  ...forms('UPDATE', reads('shop.orders', 'id', 'note'), [
    {
      form: 'UPDATE pg_catalog.…',
      when: 'by hand, with `allow_system_table_mods`',
      sql: `set local allow_system_table_mods = on; update pg_attribute set attname = 'remark' where attrelid = 'shop.orders'::regclass and attname = 'note'`,
      gives: found(202),
      why: 'it is no DDL',
    },
  ]),
  ...forms('COMMENT', everyColumn, [
    {
      form: 'COMMENT ON …',
      sql: `comment on table shop.orders is 'x'; comment on column shop.orders.total is 'x'; comment on schema shop is 'x'; comment on type shop.status is 'x'`,
      gives: accepts,
      why: 'only words change',
    },
  ]),
  ...forms('SECURITY LABEL', reader, [
    {
      form: 'SECURITY LABEL ON …',
      sql: `security label on table shop.orders is 'secret'`,
      gives: refuses('22023'),
      why: 'there is no label provider; with one (sepgsql) what it forbids is not seen',
    },
  ]),
  ...forms('ANALYZE', reader, [{ form: 'ANALYZE', sql: 'analyze shop.orders', gives: accepts, why: 'only plans change' }]),
  ...forms('CLUSTER', writer, [
    {
      form: 'CLUSTER table USING index',
      sql: 'cluster shop.orders using orders_pkey',
      gives: accepts,
      why: 'only how it lies on disk changes',
    },
  ]),
  ...forms('CREATE STATISTICS', reader, [
    {
      form: 'CREATE STATISTICS',
      sql: 'create statistics shop.s on total, status from shop.orders',
      gives: accepts,
      why: 'only plans change',
    },
  ]),
  ...forms('ALTER STATISTICS', reader, [
    {
      form: 'OWNER TO | RENAME TO | SET SCHEMA | SET STATISTICS',
      setup: 'create statistics shop.s on total, status from shop.orders',
      sql: 'alter statistics shop.s rename to t; alter statistics shop.t set statistics 50; alter statistics shop.t set schema archive; alter statistics archive.t owner to ddl_owner',
      gives: accepts,
      why: 'only plans change',
    },
  ]),
  ...forms('DROP STATISTICS', reader, [
    {
      form: 'DROP STATISTICS',
      setup: 'create statistics shop.s on total, status from shop.orders',
      sql: 'drop statistics shop.s',
      gives: accepts,
      why: 'only plans change',
    },
  ]),
]

export const tableForms: Form[] = [...named, ...owned, ...stored, ...made, ...dropped, ...untold]
