/** Roles, what they own, and their settings. Most of it fires no event trigger. */
import { claim, clearances, reader, reads, wildcard } from '../claims.ts'
import { accepts, diagnosed, type Form, forms, found, refuses, rejects } from '../form.ts'

const needed = 'it holds privileges'
const later = 'sessions that begin later meet it; claims do not'
const noOtherPower = 'stakeholders have no other power'
const byMembership =
  'revoke select (name) on shop.product from ddl_clerk; grant select on shop.product to ddl_owner; grant ddl_owner to ddl_clerk'

export const roleForms: Form[] = [
  ...forms('ALTER ROLE', reader, [
    {
      form: 'RENAME TO',
      when: 'the stakeholder',
      sql: 'alter role ddl_app rename to ddl_other',
      gives: { ...found(401, 402), doctor: ['claims', 'stakeholders'] },
      why: 'its login is another; rename_stakeholder() does it properly',
    },
    {
      form: 'SUPERUSER | CREATEROLE | BYPASSRLS | …',
      when: 'the stakeholder',
      sql: 'alter role ddl_app bypassrls createdb',
      gives: diagnosed(noOtherPower),
      why: 'it can do more than it claims',
    },
    {
      form: 'NOLOGIN | PASSWORD | VALID UNTIL | CONNECTION LIMIT',
      when: 'the stakeholder',
      sql: `alter role ddl_app nologin password null valid until '2000-01-01' connection limit 0`,
      gives: accepts,
      why: later,
    },
    {
      form: 'SET configuration',
      when: 'the stakeholder',
      sql: 'alter role ddl_app set default_transaction_read_only = on; alter role ddl_app set search_path = archive',
      gives: accepts,
      why: later,
    },
    { form: 'RESET configuration', when: 'the stakeholder', sql: 'alter role ddl_app reset all', gives: accepts, why: later },
    {
      form: 'NOBYPASSRLS',
      when: 'the owner of a claimed view',
      claims: clearances,
      setup: 'alter role ddl_clerk bypassrls; alter table shop.product enable row level security',
      sql: 'alter role ddl_clerk nobypassrls',
      gives: found(403),
      why: 'the view’s owner is filtered from now on',
    },
    {
      form: 'RENAME TO',
      when: 'the owner of a claimed view',
      claims: clearances,
      sql: 'alter role ddl_clerk rename to ddl_other',
      gives: accepts,
      why: 'it is the same role',
    },
  ]),
  ...forms('ALTER USER', reader, [{ form: 'as ALTER ROLE', sql: 'alter user ddl_app connection limit 5', gives: accepts, why: later }]),
  ...forms('ALTER GROUP', reader, [
    {
      form: 'ADD USER',
      when: 'the stakeholder',
      sql: 'alter group ddl_clerk add user ddl_app',
      gives: diagnosed(noOtherPower),
      why: 'it can do more than it claims',
    },
    {
      form: 'DROP USER',
      when: 'the owner of a claimed view',
      claims: clearances,
      setup: byMembership,
      sql: 'alter group ddl_owner drop user ddl_clerk',
      gives: found(404),
      why: 'the view reads with its owner’s rights',
    },
    { form: 'RENAME TO', sql: 'alter group ddl_clerk rename to ddl_other', gives: accepts, why: 'it is the same role' },
  ]),
  ...forms('DROP ROLE', reader, [
    { form: 'DROP ROLE', when: 'the stakeholder', sql: 'drop role ddl_app', gives: refuses('2BP01'), why: needed },
    {
      form: 'DROP ROLE',
      when: 'the owner of a claimed view',
      claims: clearances,
      sql: 'drop role ddl_clerk',
      gives: refuses('2BP01'),
      why: needed,
    },
    {
      form: 'DROP ROLE',
      when: 'through which the owner of a claimed view reads',
      claims: clearances,
      setup: byMembership,
      sql: 'revoke all on shop.product from ddl_owner; drop role ddl_owner',
      gives: rejects(404),
      why: 'the view reads with its owner’s rights',
    },
  ]),
  ...forms('DROP USER', reader, [
    { form: 'DROP USER', when: 'the stakeholder', sql: 'drop user ddl_app', gives: refuses('2BP01'), why: needed },
  ]),
  ...forms('DROP GROUP', reader, [
    { form: 'DROP GROUP', when: 'the stakeholder', sql: 'drop group ddl_app', gives: refuses('2BP01'), why: needed },
  ]),
  ...forms('DROP OWNED', reader, [
    {
      form: 'DROP OWNED BY',
      when: 'the stakeholder',
      sql: 'drop owned by ddl_app',
      gives: rejects(401, 402),
      why: 'its privileges go too',
    },
    {
      form: 'DROP OWNED BY',
      when: 'the owner of a claimed view',
      claims: clearances,
      sql: 'drop owned by ddl_clerk',
      gives: rejects(101),
      why: 'the view goes',
    },
    {
      form: 'DROP OWNED BY',
      when: 'one of the roles that a policy is for',
      setup:
        'grant ddl_clerk to ddl_app; alter table shop.orders enable row level security; create policy clerks on shop.orders to ddl_clerk, ddl_owner using (true)',
      sql: 'drop owned by ddl_clerk cascade',
      gives: rejects(403),
      why: 'the policy goes from it, and rows vanish without an error',
    },
    { form: 'DROP OWNED BY', when: 'somebody else', sql: 'drop owned by ddl_owner', gives: accepts, why: 'nobody claims what it owns' },
    {
      form: 'DROP OWNED BY … RESTRICT',
      when: 'a view depends on what is dropped',
      claims: reads('shop.shown', 'id'),
      setup: 'alter table shop.draft owner to ddl_owner; create view shop.shown as select id from shop.draft',
      sql: 'drop owned by ddl_owner',
      gives: refuses('2BP01'),
      why: 'the view needs it',
    },
    {
      form: 'DROP OWNED BY … CASCADE',
      when: 'a claimed view depends on what is dropped',
      claims: reads('shop.shown', 'id'),
      setup: 'alter table shop.draft owner to ddl_owner; create view shop.shown as select id from shop.draft',
      sql: 'drop owned by ddl_owner cascade',
      gives: rejects(101),
      why: 'the view goes too',
    },
  ]),
  ...forms('REASSIGN OWNED', clearances, [
    {
      form: 'REASSIGN OWNED BY … TO',
      when: 'a claimed view, to somebody who may not read what it reads',
      sql: 'reassign owned by ddl_clerk to ddl_owner',
      gives: found(404),
      why: 'the view reads with its owner’s rights',
    },
    {
      form: 'REASSIGN OWNED BY … TO',
      when: 'a claimed table',
      claims: reads('shop.draft', 'id'),
      setup: 'alter table shop.draft owner to ddl_owner',
      sql: 'reassign owned by ddl_owner to ddl_clerk',
      gives: accepts,
      why: 'grants stay',
    },
  ]),
  ...forms('ALTER DATABASE', wildcard, [
    {
      form: 'SET configuration',
      sql: `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`,
      gives: accepts,
      why: later,
    },
    {
      form: 'OWNER TO',
      sql: `do $$ begin execute format('alter database %I owner to ddl_owner', current_database()); end $$`,
      gives: accepts,
      why: 'what is in it stays',
    },
    {
      form: 'CONNECTION LIMIT | ALLOW_CONNECTIONS | IS_TEMPLATE',
      sql: `do $$ begin execute format('alter database %I connection limit 0', current_database()); end $$`,
      gives: accepts,
      why: later,
    },
  ]),
  ...forms('GRANT', claim('reader', 'shop.draft', ['id']), [
    {
      form: 'GRANT role TO role',
      when: 'the stakeholder',
      sql: 'grant pg_read_all_data to ddl_app',
      gives: diagnosed(noOtherPower),
      why: 'it can do more than it claims',
    },
  ]),
]
