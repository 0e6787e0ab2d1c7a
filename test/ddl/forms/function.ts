/** Functions, procedures, aggregates, operators and languages: what defaults, checks and views call. */
import { inserts, reads, writer } from '../claims.ts'
import { accepts, type Form, forms, refuses, rejects, unseen } from '../form.ts'

const called = `create function shop.next_note() returns text language sql as $$ select 'x' $$;
  alter table shop.orders alter internal set default shop.next_note(), alter internal set not null`
const filled = `update shop.orders set internal = '-'; ${called}`
const owned = `${filled}; revoke execute on function shop.next_note() from public; alter function shop.next_note() owner to ddl_app`
const viewed =
  'create function shop.shout(text) returns text language sql immutable as $$ select upper($1) $$; create view shop.shouted as select id, shop.shout(name) as name from shop.product'
const shouted = reads('shop.shouted', 'id', 'name')
const summed =
  "create aggregate shop.total(integer) (sfunc = int4pl, stype = integer, initcond = '0'); create view shop.summed as select shop.total(stock) as stock from shop.product"
const fires = `create function shop.act() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger act before insert on shop.orders for each row execute function shop.act()`
const inside = 'what a function does inside is not seen'
const follows = 'what calls it follows'

export const functionForms: Form[] = [
  ...forms('CREATE FUNCTION', writer, [
    {
      form: 'CREATE FUNCTION',
      sql: 'create function shop.helper() returns integer language sql as $$ select 1 $$',
      gives: accepts,
      why: 'nothing calls it yet',
    },
    {
      form: 'CREATE OR REPLACE FUNCTION',
      when: 'that a default calls',
      setup: filled,
      sql: `create or replace function shop.next_note() returns text language sql as $$ select 'y' $$`,
      gives: accepts,
      why: inside,
    },
    {
      form: 'CREATE OR REPLACE FUNCTION',
      when: 'that a trigger calls, to refuse everything',
      setup: fires,
      sql: `create or replace function shop.act() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
      gives: unseen,
      why: inside,
    },
    {
      form: 'CREATE OR REPLACE FUNCTION',
      when: 'that a claimed view calls',
      claims: shouted,
      setup: viewed,
      sql: 'create or replace function shop.shout(text) returns text language sql immutable as $$ select lower($1) $$',
      gives: accepts,
      why: inside,
    },
  ]),
  ...forms('ALTER FUNCTION', writer, [
    { form: 'RENAME TO', setup: filled, sql: 'alter function shop.next_note() rename to default_note', gives: accepts, why: follows },
    { form: 'SET SCHEMA', setup: filled, sql: 'alter function shop.next_note() set schema archive', gives: accepts, why: follows },
    { form: 'OWNER TO', setup: filled, sql: 'alter function shop.next_note() owner to ddl_owner', gives: accepts, why: follows },
    {
      form: 'OWNER TO',
      when: 'the stakeholder owned it, and others may not execute it',
      setup: owned,
      sql: 'alter function shop.next_note() owner to ddl_owner',
      gives: rejects(401),
      why: 'who inserts calls the default',
    },
    {
      form: 'OWNER TO',
      when: 'the stakeholder owned it, and may execute it afterwards',
      setup: owned,
      sql: 'alter function shop.next_note() owner to ddl_owner; grant execute on function shop.next_note() to ddl_app',
      gives: accepts,
      why: follows,
    },
    {
      form: 'SECURITY DEFINER | VOLATILITY | COST | SET …',
      setup: filled,
      sql: 'alter function shop.next_note() security definer stable cost 5 set search_path = pg_catalog',
      gives: accepts,
      why: inside,
    },
    {
      form: 'DEPENDS ON EXTENSION',
      setup: filled,
      sql: 'alter function shop.next_note() depends on extension file_fdw',
      gives: accepts,
      why: follows,
    },
  ]),
  ...forms('ALTER ROUTINE', writer, [
    { form: 'RENAME TO', setup: filled, sql: 'alter routine shop.next_note() rename to default_note', gives: accepts, why: follows },
    {
      form: 'OWNER TO',
      when: 'the stakeholder owned it, and others may not execute it',
      setup: owned,
      sql: 'alter routine shop.next_note() owner to ddl_owner',
      gives: rejects(401),
      why: 'who inserts calls the default',
    },
  ]),
  ...forms('ALTER PROCEDURE', writer, [
    {
      form: 'RENAME TO | SET SCHEMA | OWNER TO',
      setup: 'create procedure shop.work() language sql as $$ select 1 $$',
      sql: 'alter procedure shop.work() rename to toil; alter procedure shop.toil() set schema archive',
      gives: accepts,
      why: 'no claim is about procedures',
    },
  ]),
  ...forms('ALTER AGGREGATE', reads('shop.summed', 'stock'), [
    {
      form: 'RENAME TO | SET SCHEMA | OWNER TO',
      setup: summed,
      sql: 'alter aggregate shop.total(integer) rename to whole; alter aggregate shop.whole(integer) set schema archive',
      gives: accepts,
      why: follows,
    },
  ]),
  ...forms('DROP FUNCTION', writer, [
    {
      form: 'DROP FUNCTION … RESTRICT',
      when: 'that a default calls',
      setup: filled,
      sql: 'drop function shop.next_note() restrict',
      gives: refuses('2BP01'),
      why: 'the default needs it',
    },
    {
      form: 'DROP FUNCTION … CASCADE',
      when: 'that the default of an unclaimed column calls',
      setup: filled,
      sql: 'drop function shop.next_note() cascade',
      gives: rejects(211),
      why: 'the default goes with it',
    },
    {
      form: 'DROP FUNCTION … CASCADE',
      when: 'that the default of a claimed column calls',
      claims: inserts('shop.orders', ['number', 'total', 'internal'], `insert into shop.orders (number, total) values ('N9', 1)`),
      setup: filled,
      sql: 'drop function shop.next_note() cascade',
      gives: rejects(214),
      why: 'the default goes with it',
    },
    {
      form: 'DROP FUNCTION … CASCADE',
      when: 'that a trigger calls',
      setup: fires,
      sql: 'drop function shop.act() cascade',
      gives: accepts,
      why: 'less is done',
    },
    {
      form: 'DROP FUNCTION … CASCADE',
      when: 'that a claimed view calls',
      claims: shouted,
      setup: viewed,
      sql: 'drop function shop.shout(text) cascade',
      gives: rejects(101),
      why: 'the view goes with it',
    },
  ]),
  ...forms('DROP ROUTINE', shouted, [
    {
      form: 'DROP ROUTINE … CASCADE',
      when: 'that a claimed view calls',
      setup: viewed,
      sql: 'drop routine shop.shout(text) cascade',
      gives: rejects(101),
      why: 'the view goes with it',
    },
  ]),
  ...forms('DROP PROCEDURE', writer, [
    {
      form: 'DROP PROCEDURE',
      setup: 'create procedure shop.work() language sql as $$ select 1 $$',
      sql: 'drop procedure shop.work()',
      gives: accepts,
      why: 'no claim is about procedures',
    },
  ]),
  ...forms('DROP AGGREGATE', reads('shop.summed', 'stock'), [
    {
      form: 'DROP AGGREGATE … CASCADE',
      when: 'that a claimed view calls',
      setup: summed,
      sql: 'drop aggregate shop.total(integer) cascade',
      gives: rejects(101),
      why: 'the view goes with it',
    },
  ]),
  ...forms('DROP OPERATOR', reads('shop.compared', 'same'), [
    {
      form: 'DROP OPERATOR … CASCADE',
      when: 'that a claimed view uses',
      setup:
        'create operator shop.=== (leftarg = integer, rightarg = integer, function = int4eq); create view shop.compared as select id operator(shop.===) stock as same from shop.product',
      sql: 'drop operator shop.=== (integer, integer) cascade',
      gives: rejects(101),
      why: 'the view goes with it',
    },
  ]),
  ...forms('DROP OPERATOR CLASS', writer, [
    {
      form: 'DROP OPERATOR CLASS … CASCADE',
      when: 'of an index',
      setup:
        'create operator class shop.plain for type integer using hash as operator 1 =, function 1 hashint4(integer); create index on shop.orders using hash (customer_id shop.plain)',
      sql: 'drop operator class shop.plain using hash cascade',
      gives: accepts,
      why: 'the index goes with it',
    },
  ]),
  ...forms('DROP OPERATOR FAMILY', writer, [
    {
      form: 'DROP OPERATOR FAMILY … CASCADE',
      when: 'of an index',
      setup:
        'create operator class shop.plain for type integer using hash as operator 1 =, function 1 hashint4(integer); create index on shop.orders using hash (customer_id shop.plain)',
      sql: 'drop operator family shop.plain using hash cascade',
      gives: accepts,
      why: 'the index goes with it',
    },
  ]),
  ...forms('DROP LANGUAGE', writer, [
    {
      form: 'DROP LANGUAGE … CASCADE',
      when: 'of a function that a default calls',
      setup: `create language other handler plpgsql_call_handler; create function shop.other_note() returns text language other as $$ begin return 1; end $$; update shop.orders set internal = '-'; alter table shop.orders alter internal set default shop.other_note(), alter internal set not null`,
      sql: 'drop language other cascade',
      gives: rejects(211),
      why: 'the default goes with it',
    },
  ]),
  ...forms('DROP ACCESS METHOD', reads('shop.odd', 'id'), [
    {
      form: 'DROP ACCESS METHOD … CASCADE',
      when: 'of a claimed table',
      setup: 'create access method other type table handler heap_tableam_handler; create table shop.odd (id integer) using other',
      sql: 'drop access method other cascade',
      gives: rejects(101),
      why: 'the table goes with it',
    },
  ]),
  ...(
    [
      ['DROP TEXT SEARCH CONFIGURATION', 'configuration'],
      ['DROP TEXT SEARCH DICTIONARY', 'dictionary'],
      ['DROP TEXT SEARCH TEMPLATE', 'template'],
      ['DROP TEXT SEARCH PARSER', 'parser'],
    ] as const
  ).flatMap(([command, kind]) =>
    forms(command, reads('shop.page', 'words'), [
      {
        form: `${command} … CASCADE`,
        when: 'that a generated column uses',
        setup: `create text search parser shop.own (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
          create text search template shop.own (lexize = dsimple_lexize, init = dsimple_init);
          create text search dictionary shop.own (template = shop.own);
          create text search configuration shop.own (parser = shop.own);
          alter text search configuration shop.own add mapping for asciiword with shop.own;
          create table shop.page (id integer, body text, words tsvector generated always as (to_tsvector('shop.own', body)) stored)`,
        sql: `drop text search ${kind} shop.own cascade`,
        gives: rejects(201),
        why: 'the column goes with it',
      },
    ]),
  ),
]
