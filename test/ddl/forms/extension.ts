/** Extensions. What belongs to one is not part of `schema.*`. */
import { rates, reader, reads, wildcard } from '../claims.ts'
import { accepts, type Form, forms, refuses, rejects, rejectsProperty, tells } from '../form.ts'

const caseless = 'create extension citext schema shop; create table shop.word (id integer, word shop.citext)'
const words = reads('shop.word', 'id', 'word')

export const extensionForms: Form[] = [
  ...forms('CREATE EXTENSION', wildcard, [
    {
      form: 'CREATE EXTENSION',
      when: 'into a schema that is claimed whole',
      sql: 'create extension pg_buffercache schema shop',
      gives: accepts,
      why: 'its relations are not part of `shop.*`',
    },
    {
      form: 'CREATE EXTENSION … CASCADE',
      claims: reader,
      sql: 'create extension earthdistance schema archive cascade',
      gives: accepts,
      why: 'nobody claims what is in it',
    },
  ]),
  ...forms('ALTER EXTENSION', wildcard, [
    {
      form: 'UPDATE',
      sql: 'alter extension file_fdw update',
      gives: accepts,
      why: 'what an update does is judged by what is there afterwards',
    },
    {
      form: 'SET SCHEMA',
      when: 'of a claimed column’s type',
      claims: words,
      setup: caseless,
      sql: 'alter extension citext set schema archive',
      gives: rejectsProperty(203),
      why: 'queries and drivers name the type',
    },
    {
      form: 'SET SCHEMA',
      when: 'of a type within a claimed column’s, and the table is altered later',
      claims: reads('shop.glossary', 'entry'),
      setup:
        'create extension citext schema shop; create type shop.entry as (word shop.citext, words shop.citext[]); create table shop.glossary (entry shop.entry)',
      sql: 'alter extension citext set schema archive; alter table shop.glossary add note text',
      gives: accepts,
      why: 'what is read is made of the same',
    },
    {
      form: 'SET SCHEMA',
      when: 'nobody claims what is in it',
      claims: reader,
      setup: 'create extension citext schema shop',
      sql: 'alter extension citext set schema archive',
      gives: accepts,
      why: 'nobody names it',
    },
    {
      form: 'ADD TABLE',
      when: 'one that only a wildcard claims',
      sql: 'alter extension file_fdw add table shop.draft',
      gives: tells(401),
      why: 'what an extension owns is not part of `shop.*`; its own grants go',
    },
    {
      form: 'ADD TABLE',
      when: 'one claimed by its name',
      claims: reader,
      sql: 'alter extension file_fdw add table shop.orders',
      gives: accepts,
      why: 'it reads the same',
    },
    {
      form: 'DROP TABLE',
      setup: 'alter extension file_fdw add table shop.draft',
      sql: 'alter extension file_fdw drop table shop.draft',
      newUse: ['select id from shop.draft'],
      gives: accepts,
      why: 'it is a table of the schema, and taken in',
    },
  ]),
  ...forms('DROP EXTENSION', words, [
    {
      form: 'DROP EXTENSION … RESTRICT',
      setup: caseless,
      sql: 'drop extension citext restrict',
      gives: refuses('2BP01'),
      why: 'a column is of its type',
    },
    {
      form: 'DROP EXTENSION … CASCADE',
      when: 'of a claimed column’s type',
      setup: caseless,
      sql: 'drop extension citext cascade',
      gives: rejects(201),
      why: 'the column goes with it',
    },
    {
      form: 'DROP EXTENSION … CASCADE',
      when: 'of a claimed foreign table’s wrapper',
      claims: rates,
      sql: 'drop extension file_fdw cascade',
      gives: rejects(101),
      why: 'the table goes with it',
    },
    {
      form: 'DROP EXTENSION',
      when: 'nobody claims what is in it',
      claims: reader,
      setup: 'create extension citext schema shop',
      sql: 'drop extension citext',
      gives: accepts,
      why: 'nobody reads it',
    },
    {
      form: 'DROP EXTENSION',
      when: 'that a claimed materialized view depends on',
      claims: reads('shop.price_list', 'id'),
      setup: 'create extension citext schema shop; alter materialized view shop.price_list depends on extension citext',
      sql: 'drop extension citext',
      gives: rejects(101),
      why: 'the view goes with it',
    },
  ]),
]
