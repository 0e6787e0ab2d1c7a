/** Materialized views. */
import { priceList, reads, wildcard } from '../claims.ts'
import { accepts, type Form, forms, rejects, warns } from '../form.ts'

const onStorage = 'only how it lies on disk changes'

export const materializedViewForms: Form[] = [
  ...forms('CREATE MATERIALIZED VIEW', wildcard, [
    {
      form: 'CREATE MATERIALIZED VIEW',
      when: 'in a schema that is claimed whole',
      sql: 'create materialized view shop.totals as select sum(total) as total from shop.orders',
      newUse: ['select total from shop.totals'],
      gives: accepts,
      why: 'what is new in the schema is claimed and granted',
    },
    {
      form: 'CREATE MATERIALIZED VIEW … WITH NO DATA',
      when: 'in place of a claimed one',
      claims: priceList,
      sql: 'drop materialized view shop.price_list; create materialized view shop.price_list as select id, price from shop.product with no data',
      gives: rejects(104),
      why: 'it cannot be read until it is refreshed',
    },
  ]),
  ...forms('ALTER MATERIALIZED VIEW', priceList, [
    { form: 'RENAME TO', sql: 'alter materialized view shop.price_list rename to prices', gives: rejects(102), why: 'the query names it' },
    {
      form: 'RENAME COLUMN',
      sql: 'alter materialized view shop.price_list rename price to amount',
      gives: rejects(202),
      why: 'the query names it',
    },
    {
      form: 'SET SCHEMA',
      sql: 'alter materialized view shop.price_list set schema archive',
      gives: rejects(103),
      why: 'the query names the schema',
    },
    {
      form: 'OWNER TO',
      sql: 'grant select on shop.product to ddl_owner; alter materialized view shop.price_list owner to ddl_owner',
      gives: accepts,
      why: 'grants stay',
    },
    {
      form: 'OWNER TO',
      when: 'somebody who may not read what it reads',
      sql: 'alter materialized view shop.price_list owner to ddl_owner',
      gives: accepts,
      why: 'what is stored can be read; REFRESH would fail',
    },
    {
      form: 'CLUSTER ON | SET WITHOUT CLUSTER',
      sql: 'alter materialized view shop.price_list cluster on price_list_id; alter materialized view shop.price_list set without cluster',
      gives: accepts,
      why: onStorage,
    },
    {
      form: 'SET ACCESS METHOD | SET TABLESPACE | ALL IN TABLESPACE',
      sql: 'alter materialized view shop.price_list set access method heap; alter materialized view shop.price_list set tablespace pg_default; alter materialized view all in tablespace pg_default owned by ddl_owner set tablespace pg_default',
      gives: accepts,
      why: onStorage,
    },
    {
      form: 'SET | RESET (storage_parameter)',
      sql: 'alter materialized view shop.price_list set (fillfactor = 70); alter materialized view shop.price_list reset (fillfactor)',
      gives: accepts,
      why: onStorage,
    },
    {
      form: 'ALTER COLUMN … SET STATISTICS | STORAGE | COMPRESSION | (attribute_option)',
      sql: 'alter materialized view shop.price_list alter price set statistics 50, alter price set storage plain, alter price set (n_distinct = 5)',
      gives: accepts,
      why: onStorage,
    },
    {
      form: 'DEPENDS ON EXTENSION',
      sql: 'alter materialized view shop.price_list depends on extension file_fdw',
      gives: accepts,
      why: 'dropping the extension is judged when it happens',
    },
  ]),
  ...forms('DROP MATERIALIZED VIEW', priceList, [
    { form: 'DROP MATERIALIZED VIEW', sql: 'drop materialized view shop.price_list', gives: rejects(101), why: 'it is read' },
    {
      form: 'DROP MATERIALIZED VIEW',
      when: 'and made again, with the same query',
      sql: 'drop materialized view shop.price_list; create materialized view shop.price_list as select id, price from shop.product',
      gives: accepts,
      why: 'it is there at the end; the grants are made anew',
    },
    {
      form: 'DROP MATERIALIZED VIEW',
      when: 'and made again, with another query',
      sql: 'drop materialized view shop.price_list; create materialized view shop.price_list as select id, price from shop.product where not hidden',
      fewer: true,
      gives: warns(304),
      why: 'it may show something else',
    },
    {
      form: 'DROP MATERIALIZED VIEW',
      when: 'a view takes its place',
      sql: 'drop materialized view shop.price_list; create view shop.price_list as select id, price from shop.product',
      gives: accepts,
      why: 'the name reads the same',
    },
  ]),
  ...forms('REFRESH MATERIALIZED VIEW', priceList, [
    { form: 'REFRESH MATERIALIZED VIEW', sql: 'refresh materialized view shop.price_list', gives: accepts, why: 'only rows change' },
    {
      form: 'REFRESH MATERIALIZED VIEW CONCURRENTLY',
      sql: 'refresh materialized view concurrently shop.price_list',
      gives: accepts,
      why: 'only rows change',
    },
    {
      form: 'REFRESH MATERIALIZED VIEW … WITH NO DATA',
      sql: 'refresh materialized view shop.price_list with no data',
      gives: rejects(104),
      why: 'it cannot be read until it is refreshed',
    },
    {
      form: 'REFRESH MATERIALIZED VIEW … WITH NO DATA',
      when: 'and refreshed again',
      sql: 'refresh materialized view shop.price_list with no data; refresh materialized view shop.price_list',
      gives: accepts,
      why: 'it can be read at the end',
    },
    {
      form: 'REFRESH MATERIALIZED VIEW … WITH NO DATA',
      when: 'a claimed view reads it',
      claims: reads('shop.cheap', 'id', 'price'),
      setup: 'create view shop.cheap as select id, price from shop.price_list where price < 5',
      sql: 'refresh materialized view shop.price_list with no data',
      gives: rejects(104),
      why: 'the view cannot be read until it is refreshed',
    },
    {
      form: 'REFRESH MATERIALIZED VIEW … WITH NO DATA',
      when: 'a policy of a claimed table reads it',
      claims: reads('shop.draft', 'id', 'body'),
      setup: `grant select on shop.price_list to public; insert into shop.draft values (1, 'a'); alter table shop.draft enable row level security;
        create policy priced on shop.draft using (exists (select from shop.price_list p where p.id = draft.id))`,
      sql: 'refresh materialized view shop.price_list with no data',
      gives: rejects(104),
      why: 'the table cannot be read until it is refreshed',
    },
  ]),
]
