/** What histories call things, and what each begins with. */

export const schemas = ['shop', 'crm', '"Order Desk"']
/** Who owns things, beside the superuser. */
export const owners = ['history_shop', 'history_crm']
export const stakeholders = ['first', 'second', 'third']

export const relationNames = ['orders', 'customer', '"Order Items"', '"select"', 'entry']
export const columnNames = ['id', 'name', 'total', '"Net Total"', '"user"', 'state', 'data']
export const builtInTypes = [
  'int',
  'bigint',
  'text',
  'varchar(10)',
  'varchar(20)',
  'numeric(6,2)',
  'numeric(8,2)',
  'boolean',
  'date',
  'timestamptz',
  'uuid',
  'jsonb',
]
export const enums = ['shop.state', 'crm.grade']
export const domains = ['shop.code', 'shop.amount']
export const composite = 'shop.address'
export const labels = ['new', 'paid', 'sent', 'low', 'high', "it's"]
export const sequences = ['shop.counter', 'crm.counter']
export const functions = ['shop.next()', 'crm.next()']
/** Types made of the types above. */
export const outerTypes = ['shop.parcel', 'shop.states', 'crm.span']
/**
 * They are true of everything that a history writes, whoever replaces them: what a function does inside nobody sees. Not in SQL: Postgres puts what
 * such a function says in its place and asks nobody, depending on who was first in a session.
 */
export const predicates = ['shop.holds(text)', 'crm.fits(anyelement)']
/** A trigger's own function is called by whoever writes, with no right to it. */
export const called = [...functions, ...predicates, ...predicates, 'shop.pass()']
/** Of the whole database: a history takes away those of the one before. */
export const publications = ['history_all', 'history_schema', 'history_one', 'history_two']

/** What each history begins with: schemas and types of every kind; relations come from `creation`. */
export const beginning = [
  ...schemas.map((schema) => `create schema ${schema}`),
  `grant usage, create on schema ${schemas.join(', ')} to ${owners.join(', ')}`,
  `create type shop.state as enum ('new', 'paid', 'sent')`,
  `create type crm.grade as enum ('low', 'high')`,
  'create domain shop.code as varchar(10)',
  'create domain shop.amount as numeric(8,2) check (value > -1000)',
  'create type shop.address as (street text, zip int)',
  'create sequence shop.counter start 1000',
  'create sequence crm.counter start 1000',
  'create function shop.next() returns int language sql as $$ select 7 $$',
  'create function crm.next() returns int language sql as $$ select 8 $$',
  'create type shop.parcel as (state shop.state, home shop.address, n int)',
  'create domain shop.states as shop.state[]',
  'create type crm.span as range (subtype = shop.amount)',
  'create function shop.holds(text) returns boolean immutable language plpgsql as $$ begin return true; end $$',
  'create function crm.fits(anyelement) returns boolean immutable language plpgsql as $$ begin return true; end $$',
  "create function shop.pass() returns trigger language plpgsql as $$ begin if tg_op = 'DELETE' then return old; end if; return new; end $$",
]
