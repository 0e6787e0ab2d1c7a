/** Schemas. */
import { claim, exists, reader, wildcard, writer } from '../claims.ts'
import { accepts, type Form, forms, refuses, rejects, tells, warns } from '../form.ts'

const later = { name: 'reader of optional `later.*`', match: [{ path: 'later.*', fields: '*', optional: true }], use: [] }

export const schemaForms: Form[] = [
  ...forms('CREATE SCHEMA', reader, [
    { form: 'CREATE SCHEMA', sql: 'create schema later', gives: accepts, why: 'nobody claims it' },
    {
      form: 'CREATE SCHEMA … schema_element',
      when: 'that is claimed whole',
      claims: later,
      sql: 'create schema later create table note (id integer) create view notes as select id from note',
      newUse: ['select id from later.notes'],
      gives: accepts,
      why: 'what is new in it is claimed and granted',
    },
    {
      form: 'CREATE SCHEMA … schema_element',
      when: 'with a foreign key to a claimed table',
      claims: writer,
      sql: 'create schema later create table line (order_id bigint references shop.orders)',
      gives: warns(302),
      why: 'DELETE may fail',
    },
    {
      form: 'CREATE SCHEMA IF NOT EXISTS',
      when: 'it is there',
      sql: 'create schema if not exists shop',
      gives: accepts,
      why: 'nothing happens',
    },
    {
      form: 'CREATE SCHEMA … AUTHORIZATION',
      when: 'the stakeholder',
      sql: 'create schema later authorization ddl_app',
      gives: accepts,
      why: 'nobody claims it',
    },
  ]),
  ...forms('ALTER SCHEMA', reader, [
    {
      form: 'RENAME TO',
      when: 'a claimed table is in it',
      sql: 'alter schema shop rename to store',
      gives: rejects(103),
      why: 'the query names the schema',
    },
    {
      form: 'RENAME TO',
      when: 'it is claimed whole',
      claims: wildcard,
      sql: 'alter schema shop rename to store',
      gives: rejects(103),
      why: 'the query names the schema',
    },
    {
      form: 'RENAME TO',
      when: 'nobody claims what is in it',
      sql: 'alter schema archive rename to attic',
      gives: accepts,
      why: 'nobody names it',
    },
    {
      form: 'RENAME TO',
      when: 'and back',
      sql: 'alter schema shop rename to store; alter schema store rename to shop',
      gives: accepts,
      why: 'it has its name at the end',
    },
    {
      form: 'RENAME TO',
      when: 'another takes its name',
      claims: claim('reader of what both have', 'archive.bill', ['id']),
      setup: 'create table archive.bill (id integer); create schema attic; create table attic.bill (id integer)',
      sql: 'alter schema archive rename to cellar; alter schema attic rename to archive',
      gives: accepts,
      why: 'the name reads the same',
    },
    { form: 'OWNER TO', sql: 'alter schema shop owner to ddl_owner', gives: accepts, why: 'grants stay' },
  ]),
  ...forms('DROP SCHEMA', reader, [
    { form: 'DROP SCHEMA … RESTRICT', sql: 'drop schema shop restrict', gives: refuses('2BP01'), why: 'it is not empty' },
    {
      form: 'DROP SCHEMA … CASCADE',
      when: 'a claimed table is in it',
      sql: 'drop schema shop cascade',
      gives: rejects(101),
      why: 'all that is in it goes',
    },
    {
      form: 'DROP SCHEMA … CASCADE',
      when: 'it is claimed whole',
      claims: wildcard,
      sql: 'drop schema shop cascade',
      gives: rejects(101),
      why: 'all that is in it goes',
    },
    {
      form: 'DROP SCHEMA … CASCADE',
      when: 'it is claimed whole, optionally',
      claims: later,
      setup: 'create schema later create table note (id integer)',
      sql: 'drop schema later cascade',
      gives: tells(101),
      why: 'the claim says that it may go',
    },
    {
      form: 'DROP SCHEMA',
      when: 'nobody claims what is in it',
      claims: exists,
      sql: 'drop schema archive',
      gives: accepts,
      why: 'nobody names it',
    },
  ]),
]
