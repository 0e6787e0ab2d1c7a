/** Sequences, and what fills itself from them. */
import { reader, reads, tickets, titles } from '../claims.ts'
import { accepts, type Form, forms, refuses, rejects } from '../form.ts'

const owned = 'alter sequence shop.ticket_id_seq owned by none; alter sequence shop.ticket_id_seq owner to ddl_app'

export const sequenceForms: Form[] = [
  ...forms('CREATE SEQUENCE', titles, [
    { form: 'CREATE SEQUENCE', sql: 'create sequence shop.numbers', gives: accepts, why: 'nothing uses it yet' },
  ]),
  ...forms('ALTER SEQUENCE', titles, [
    {
      form: 'AS | INCREMENT | MINVALUE | MAXVALUE | START | RESTART | CACHE | CYCLE',
      sql: 'alter sequence shop.ticket_id_seq as bigint increment 10 minvalue 1 maxvalue 100000 start 5 restart 50 cache 2 cycle',
      gives: accepts,
      why: 'it still fills what it filled',
    },
    {
      form: 'OWNER TO',
      when: 'that a claimed view reads',
      claims: reads('shop.latest', 'number'),
      setup: `create sequence shop.numbers; alter sequence shop.numbers owner to ddl_clerk;
        create view shop.latest as select last_value as number from shop.numbers; alter view shop.latest owner to ddl_clerk`,
      sql: 'alter sequence shop.numbers owner to ddl_owner',
      gives: rejects(404),
      why: 'the view reads with its owner’s rights, who was the sequence’s owner',
    },
    {
      form: 'SET UNLOGGED | LOGGED',
      sql: 'alter sequence shop.ticket_id_seq set unlogged',
      gives: accepts,
      why: 'it still fills what it filled',
    },
    { form: 'OWNED BY', sql: 'alter sequence shop.ticket_id_seq owned by none', gives: accepts, why: 'the default still calls it' },
    {
      form: 'OWNER TO',
      setup: 'alter sequence shop.ticket_id_seq owned by none',
      sql: 'alter sequence shop.ticket_id_seq owner to ddl_owner',
      gives: accepts,
      why: 'grants stay',
    },
    {
      form: 'OWNER TO',
      when: 'the stakeholder owned it',
      setup: owned,
      sql: 'alter sequence shop.ticket_id_seq owner to ddl_owner',
      gives: accepts,
      why: 'its usage is granted',
    },
    { form: 'RENAME TO', sql: 'alter sequence shop.ticket_id_seq rename to numbers', gives: accepts, why: 'the default follows' },
    {
      form: 'SET SCHEMA',
      setup: 'alter sequence shop.ticket_id_seq owned by none',
      sql: 'alter sequence shop.ticket_id_seq set schema archive',
      gives: accepts,
      why: 'the default follows',
    },
  ]),
  ...forms('ALTER TABLE', titles, [
    {
      form: 'OWNER TO',
      when: 'of a sequence that the stakeholder owned',
      setup: owned,
      sql: 'alter table shop.ticket_id_seq owner to ddl_owner',
      gives: accepts,
      why: 'its usage is granted',
    },
  ]),
  ...forms('ALTER DOMAIN', titles, [
    {
      form: 'SET DEFAULT',
      when: 'that calls a sequence, of an unclaimed column’s type',
      setup: 'create sequence shop.numbers; create domain shop.number as integer; alter table shop.ticket add n shop.number',
      sql: `alter domain shop.number set default nextval('shop.numbers')`,
      gives: accepts,
      why: 'its usage is granted',
    },
    {
      form: 'DROP DEFAULT',
      when: 'of an unclaimed column’s type, NOT NULL, made over one that has a default',
      setup: `create domain shop.number as integer default 1; create domain shop.mark as shop.number;
        alter table shop.ticket add n shop.mark not null default 1; alter table shop.ticket alter n drop default`,
      sql: 'alter domain shop.mark drop default',
      gives: rejects(211),
      why: 'a domain has its own default, or none',
    },
  ]),
  ...forms('DROP SEQUENCE', titles, [
    {
      form: 'DROP SEQUENCE … RESTRICT',
      sql: 'drop sequence shop.ticket_id_seq restrict',
      gives: refuses('2BP01'),
      why: 'a default needs it',
    },
    {
      form: 'DROP SEQUENCE … CASCADE',
      when: 'it filled an unclaimed column',
      sql: 'drop sequence shop.ticket_id_seq cascade',
      gives: rejects(211),
      why: 'inserts that do not know of the column fail',
    },
    {
      form: 'DROP SEQUENCE … CASCADE',
      when: 'it filled a claimed column',
      claims: tickets,
      sql: 'drop sequence shop.ticket_id_seq cascade',
      gives: rejects(214),
      why: 'inserts that leave the column out fail',
    },
    {
      form: 'DROP SEQUENCE … CASCADE',
      claims: reads('shop.ticket', 'id'),
      sql: 'drop sequence shop.ticket_id_seq cascade',
      gives: accepts,
      why: 'readers need no default',
    },
    {
      form: 'DROP SEQUENCE … CASCADE',
      when: 'and an identity in its place',
      sql: 'drop sequence shop.ticket_id_seq cascade; alter table shop.ticket alter id add generated always as identity (start with 100)',
      gives: accepts,
      why: 'it fills itself at the end',
    },
    {
      form: 'DROP SEQUENCE',
      when: 'of an identity',
      claims: reader,
      sql: 'drop sequence shop.orders_id_seq',
      gives: refuses('2BP01'),
      why: 'the column needs it',
    },
  ]),
]
