/** Foreign tables, their servers, wrappers and user mappings. */
import { rates, reads, wildcard } from '../claims.ts'
import { accepts, type Form, forms, refuses, rejects, rejectsProperty } from '../form.ts'

const takenIn = 'what is new in the schema is claimed and granted'
const far = 'what a foreign server does is not seen'
/** The server's way to itself. */
const loopback = `
  create extension postgres_fdw;
  create server loopback foreign data wrapper postgres_fdw;
  create user mapping for current_user server loopback options (user 'postgres');
  do $$ begin execute format('alter server loopback options (add dbname %L, add port %L, add host %L)', current_database(),
    current_setting('port'), coalesce(nullif(split_part(current_setting('unix_socket_directories'), ', ', 1), ''), '127.0.0.1')); end $$`

export const foreignTableForms: Form[] = [
  ...forms('CREATE FOREIGN TABLE', wildcard, [
    {
      form: 'CREATE FOREIGN TABLE',
      when: 'in a schema that is claimed whole',
      sql: `create foreign table shop.dates (day date) server files options (filename '/dev/null')`,
      newUse: ['select day from shop.dates'],
      gives: accepts,
      why: takenIn,
    },
    {
      form: 'CREATE FOREIGN TABLE … PARTITION OF',
      sql: `create foreign table shop.measurement_2027 partition of shop.measurement for values from ('2027-01-01') to ('2028-01-01') server files options (filename '/dev/null')`,
      gives: accepts,
      why: 'the claim is on the parent',
    },
  ]),
  ...forms('IMPORT FOREIGN SCHEMA', wildcard, [
    {
      form: 'IMPORT FOREIGN SCHEMA',
      setup: loopback,
      sql: 'import foreign schema shop limit to (draft) from server loopback into archive',
      gives: accepts,
      why: 'nobody claims them',
    },
    {
      form: 'IMPORT FOREIGN SCHEMA',
      when: 'into a schema that is claimed whole',
      setup: `${loopback}; alter table shop.draft rename to sketch`,
      sql: 'import foreign schema shop limit to (draft) from server loopback into shop',
      gives: accepts,
      why: takenIn,
    },
  ]),
  ...forms('ALTER FOREIGN TABLE', rates, [
    { form: 'ADD COLUMN', sql: 'alter foreign table shop.rate add column day date', gives: accepts, why: 'readers need not know of it' },
    {
      form: 'DROP COLUMN',
      when: 'a claimed one',
      sql: 'alter foreign table shop.rate drop column rate',
      gives: rejects(201),
      why: 'it is read',
    },
    {
      form: 'DROP COLUMN',
      when: 'one that nobody claims',
      claims: reads('shop.rate', 'rate'),
      sql: 'alter foreign table shop.rate drop column currency',
      gives: accepts,
      why: 'nobody reads it',
    },
    {
      form: 'RENAME COLUMN',
      when: 'a claimed one',
      sql: 'alter foreign table shop.rate rename rate to factor',
      gives: rejects(202),
      why: 'the query names it',
    },
    { form: 'RENAME TO', sql: 'alter foreign table shop.rate rename to factor', gives: rejects(102), why: 'the query names it' },
    { form: 'SET SCHEMA', sql: 'alter foreign table shop.rate set schema archive', gives: rejects(103), why: 'the query names the schema' },
    {
      form: 'ALTER COLUMN … TYPE',
      sql: 'alter foreign table shop.rate alter rate type double precision',
      gives: rejects(203),
      why: 'it is another type',
    },
    {
      form: 'ALTER COLUMN … SET | DROP DEFAULT',
      sql: 'alter foreign table shop.rate alter rate set default 1; alter foreign table shop.rate alter rate drop default',
      gives: accepts,
      why: 'readers need no default',
    },
    {
      form: 'ALTER COLUMN … SET NOT NULL',
      sql: 'alter foreign table shop.rate alter rate set not null',
      gives: accepts,
      why: 'readers get more than they need',
    },
    {
      form: 'ALTER COLUMN … DROP NOT NULL',
      sql: 'alter foreign table shop.rate alter currency drop not null',
      gives: rejectsProperty(205),
      why: 'readers never met null there',
    },
    {
      form: 'ALTER COLUMN … SET STATISTICS | STORAGE | (attribute_option)',
      sql: 'alter foreign table shop.rate alter rate set statistics 50, alter rate set storage plain, alter rate set (n_distinct = 5)',
      gives: accepts,
      why: far,
    },
    {
      form: 'ADD CHECK | VALIDATE CONSTRAINT | DROP CONSTRAINT',
      sql: 'alter foreign table shop.rate add constraint positive check (rate > 0) not valid; alter foreign table shop.rate validate constraint positive; alter foreign table shop.rate drop constraint positive',
      gives: accepts,
      why: 'readers write nothing',
    },
    {
      form: 'DISABLE | ENABLE TRIGGER',
      sql: 'alter foreign table shop.rate disable trigger all; alter foreign table shop.rate enable trigger all',
      gives: accepts,
      why: 'readers write nothing',
    },
    { form: 'SET WITHOUT OIDS', sql: 'alter foreign table shop.rate set without oids', gives: accepts, why: 'nothing happens' },
    {
      form: 'INHERIT | NO INHERIT',
      setup: 'create table shop.any_rate (currency text not null, rate numeric)',
      sql: 'alter foreign table shop.rate inherit shop.any_rate; alter foreign table shop.rate no inherit shop.any_rate',
      gives: accepts,
      why: 'the columns stay',
    },
    {
      form: 'OWNER TO',
      sql: 'grant usage on foreign server files to ddl_owner; alter foreign table shop.rate owner to ddl_owner',
      gives: accepts,
      why: 'grants stay',
    },
    {
      form: 'OPTIONS',
      sql: `alter foreign table shop.rate options (set filename '/dev/zero', add header 'true'); alter foreign table shop.rate options (set filename '/dev/null')`,
      gives: accepts,
      why: far,
    },
  ]),
  ...forms('DROP FOREIGN TABLE', rates, [
    { form: 'DROP FOREIGN TABLE', sql: 'drop foreign table shop.rate', gives: rejects(101), why: 'it is read' },
    {
      form: 'DROP FOREIGN TABLE',
      when: 'a table takes its place',
      sql: 'drop foreign table shop.rate; create table shop.rate (currency text not null, rate numeric)',
      gives: accepts,
      why: 'the name reads the same',
    },
  ]),
  ...forms('ALTER SERVER', rates, [
    {
      form: 'OPTIONS | VERSION | OWNER TO | RENAME TO',
      sql: `alter server files version '2'; alter server files rename to other_files`,
      gives: accepts,
      why: far,
    },
  ]),
  ...forms('DROP SERVER', rates, [
    { form: 'DROP SERVER … RESTRICT', sql: 'drop server files restrict', gives: refuses('2BP01'), why: 'the foreign table needs it' },
    { form: 'DROP SERVER … CASCADE', sql: 'drop server files cascade', gives: rejects(101), why: 'the foreign table goes with it' },
  ]),
  ...forms('ALTER FOREIGN DATA WRAPPER', rates, [
    {
      form: 'HANDLER | VALIDATOR | OPTIONS | OWNER TO | RENAME TO',
      sql: 'alter foreign data wrapper file_fdw rename to flat_files',
      gives: accepts,
      why: far,
    },
  ]),
  ...forms('DROP FOREIGN DATA WRAPPER', reads('shop.dates', 'day'), [
    {
      form: 'DROP FOREIGN DATA WRAPPER … CASCADE',
      setup: `create foreign data wrapper own handler file_fdw_handler validator file_fdw_validator; create server own_files foreign data wrapper own; create foreign table shop.dates (day date) server own_files options (filename '/dev/null')`,
      sql: 'drop foreign data wrapper own cascade',
      gives: rejects(101),
      why: 'the foreign table goes with it',
    },
  ]),
  ...forms('CREATE USER MAPPING', rates, [
    { form: 'CREATE USER MAPPING', sql: 'create user mapping for ddl_app server files', gives: accepts, why: far },
  ]),
  ...forms('ALTER USER MAPPING', rates, [
    {
      form: 'ALTER USER MAPPING',
      setup: loopback,
      sql: `alter user mapping for current_user server loopback options (set user 'nobody')`,
      gives: accepts,
      why: far,
    },
  ]),
  ...forms('DROP USER MAPPING', rates, [
    {
      form: 'DROP USER MAPPING',
      setup: 'create user mapping for ddl_app server files',
      sql: 'drop user mapping for ddl_app server files',
      gives: accepts,
      why: far,
    },
  ]),
]
