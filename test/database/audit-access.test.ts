// Does audit_access() see every way to more than the claims, say nothing of the rest, and does each fix, as written, help?

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { complaints } from '../support/installation.ts'
import { setClaims } from '../support/oracle.ts'

type Access = {
  stakeholder: string | null
  object: string
  privilege: string
  source: string
  finding: string
  fix: string
}

let db: TestDatabase
let version: number
/** CONNECT and TEMPORARY of PUBLIC on the databases that others use, as it was: [statement]. */
let restore: string[]

beforeAll(async () => {
  db = await TestDatabase.create()
  version = await db.value("select current_setting('server_version_num')::integer")
  await db.rows(`
    create role team; create role alice login; create role bob login; create role clerk login;
    create schema shop authorization alice;
    create table public.orders (id int primary key, total numeric, note text);
    create table public.countries (code text primary key, name text);
    create schema closed; create table closed.secret (id int);
    select integratedb.add_stakeholder('reporter');
    select integratedb.add_stakeholder('billing')`)
  await setClaims(db, 'reporter', [{ path: 'public.orders', fields: ['id', 'total'] }])
  await setClaims(db, 'billing', [
    { path: 'public.orders', fields: '*' },
    { path: 'public.countries', fields: '*' },
  ])
  // As docs/security.md says.
  const open = await db.rows<{ name: string; privileges: string }>(
    `select format('%I', d.datname) as name, string_agg(x.privilege_type, ', ') as privileges
       from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
      where d.datallowconn and x.grantee = 0 group by d.datname`,
  )
  await db.rows(open.map(({ name, privileges }) => `revoke ${privileges} on database ${name} from public`).join(';'))
  await db.rows(`revoke create on schema public from public; grant connect on database ${db.name} to reporter, billing, alice, bob, clerk`)
  restore = open.filter(({ name }) => name !== db.name).map(({ name, privileges }) => `grant ${privileges} on database ${name} to public`)
})
afterAll(async () => {
  await db.rows(restore.join(';'))
  await db.drop()
})

async function audit(name: string | null = 'reporter'): Promise<Access[]> {
  return await db.rows<Access>('select * from integratedb.audit_access($1)', [name])
}

/** Until there is nothing left to do: what one fix lays open, the next one closes. */
async function follow(fixer: Session = db): Promise<void> {
  for (let round = 0; round < 3; round++) for (const { fix } of await audit(null)) await fixer.rows(fix)
}

afterEach(async () => {
  expect(await audit(null)).toEqual([])
})

test('well-set-up stakeholders in a hardened database: no rows', async () => {
  expect(await audit()).toEqual([])
  expect(await audit(null)).toEqual([])
  expect(await complaints(db)).toEqual([])
})

test('a database as it comes: a few rows, however many stakeholders', async () => {
  const fresh = await TestDatabase.create()
  await db.rows(restore.join(';'))
  await fresh.rows(`select integratedb.add_stakeholder('fresh_' || n) from generate_series(1, 20) n`)
  const rows = await fresh.rows<Access>('select * from integratedb.audit_access()')
  const ours = rows.filter(({ object }) => object === `database ${fresh.name}` || / (postgres|template1)$/.test(object))
  expect(ours).toEqual([
    expect.objectContaining({ object: `database ${fresh.name}`, privilege: 'TEMPORARY' }),
    expect.objectContaining({ object: 'database postgres', privilege: 'CONNECT, TEMPORARY' }),
    expect.objectContaining({ object: 'database template1', privilege: 'CONNECT' }),
  ])
  for (const row of rows) expect(row).toMatchObject({ object: expect.stringMatching(/^database /), source: 'PUBLIC', stakeholder: null })
  expect(await fresh.rows(`select distinct stakeholder from integratedb.audit_access('fresh_7')`)).toEqual([{ stakeholder: 'fresh_7' }])
  for (const { fix } of rows) await fresh.rows(fix)
  expect(await fresh.rows('select * from integratedb.audit_access()')).toEqual([])
  await fresh.rows(`select integratedb.remove_stakeholder('fresh_' || n) from generate_series(1, 20) n`)
  await fresh.drop()
})

test('no such stakeholder', async () => {
  expect((await db.failure(`select * from integratedb.audit_access('nobody')`)).code).toBe('IDB04')
})

/** What was done; the rows that it gives for reporter, as object, privilege, source; what is left afterwards. */
type Case = [what: string, setup: string, rows: [object: string, privilege: string, source: string][], undo?: string]

const beyond: Case[] = [
  ['PUBLIC, a table', 'grant select, truncate on closed.secret to public', [['table closed.secret', 'SELECT, TRUNCATE', 'PUBLIC']]],
  [
    'PUBLIC, a column',
    'grant select (id), update (id) on closed.secret to public',
    [['table closed.secret', 'SELECT (id), UPDATE (id)', 'PUBLIC']],
  ],
  ['PUBLIC, what only another claims', 'grant select on public.countries to public', [['table public.countries', 'SELECT', 'PUBLIC']]],
  ['PUBLIC, more columns than it claims', 'grant select on public.orders to public', [['table public.orders', 'SELECT', 'PUBLIC']]],
  [
    'PUBLIC, a column that it does not claim',
    'grant select (note, id) on public.orders to public',
    [['table public.orders', 'SELECT (note)', 'PUBLIC']],
    'revoke select (id) on public.orders from public',
  ],
  [
    'PUBLIC, a sequence',
    'create sequence closed.s; grant usage on sequence closed.s to public',
    [['sequence closed.s', 'USAGE', 'PUBLIC']],
    'drop sequence closed.s',
  ],
  [
    'PUBLIC, a view',
    'create view closed.v as select * from closed.secret; grant select on closed.v to public',
    [['view closed.v', 'SELECT', 'PUBLIC']],
    'drop view closed.v',
  ],
  [
    'PUBLIC, what Postgres keeps for itself',
    'grant select on pg_catalog.pg_authid to public',
    [['table pg_catalog.pg_authid', 'SELECT', 'PUBLIC']],
  ],
  ['PUBLIC, CREATE on a schema', 'grant create on schema public to public', [['schema public', 'CREATE', 'PUBLIC']]],
  [
    'PUBLIC, with a grantor',
    'grant usage on schema closed to alice; grant select on closed.secret to alice with grant option; set role alice; grant select on closed.secret to public; reset role; revoke usage on schema closed from alice',
    [['table closed.secret', 'SELECT', 'PUBLIC']],
    'revoke all on closed.secret from alice',
  ],
  [
    'PUBLIC, databases',
    'grant create on database :db to public; grant connect on database template1 to public',
    [
      ['database :db', 'CREATE', 'PUBLIC'],
      ['database template1', 'CONNECT', 'PUBLIC'],
    ],
  ],
  [
    'databases',
    'grant create, temporary on database :db to reporter; grant connect on database template1 to reporter',
    [
      ['database :db', 'CREATE, TEMPORARY', 'granted by postgres'],
      ['database template1', 'CONNECT', 'granted by postgres'],
    ],
  ],
  [
    'a table that it does not claim',
    'grant insert, select on closed.secret to reporter',
    [['table closed.secret', 'INSERT, SELECT', 'granted by postgres']],
  ],
  [
    'a column that it does not claim',
    'grant update (id) on closed.secret to reporter',
    [['table closed.secret', 'UPDATE (id)', 'granted by postgres']],
  ],
  [
    'the whole of a table that it claims',
    'grant select on public.orders to reporter',
    [['table public.orders', 'SELECT', 'granted by postgres']],
  ],
  [
    'more columns of a table that it claims',
    'grant select (note), update (id) on public.orders to reporter',
    [['table public.orders', 'SELECT (note), UPDATE (id)', 'granted by postgres']],
  ],
  [
    'other privileges on a table that it claims',
    'grant delete, trigger on public.orders to reporter',
    [['table public.orders', 'DELETE, TRIGGER', 'granted by postgres']],
  ],
  [
    'grant option on what it claims',
    'grant select (id) on public.orders to reporter with grant option',
    [['table public.orders', 'GRANT OPTION FOR SELECT (id)', 'granted by postgres']],
  ],
  [
    'grant option on what it claims, and it has granted',
    'grant select on public.orders to reporter with grant option; set role reporter; grant select on public.orders to bob; reset role',
    [['table public.orders', 'SELECT WITH GRANT OPTION', 'granted by postgres']],
  ],
  [
    'what another than the owner granted',
    'grant select on public.orders to alice with grant option; set role alice; grant select on public.orders to reporter; reset role',
    [['table public.orders', 'SELECT', 'granted by alice']],
    'revoke all on public.orders from alice',
  ],
  [
    'what another than the owner granted, that is claimed',
    'grant select on public.orders to alice with grant option; set role alice; grant select (id, note) on public.orders to reporter; reset role',
    [['table public.orders', 'SELECT (note)', 'granted by alice']],
    'set role alice; revoke select (id) on public.orders from reporter; reset role; revoke all on public.orders from alice',
  ],
  [
    'usage of a schema where it claims nothing',
    'grant usage, create on schema closed to reporter',
    [['schema closed', 'CREATE, USAGE', 'granted by postgres']],
  ],
  [
    'a sequence',
    'create sequence closed.s; grant select on sequence closed.s to reporter',
    [['sequence closed.s', 'SELECT', 'granted by postgres']],
    'drop sequence closed.s',
  ],
  [
    'attributes',
    'alter role reporter superuser createdb bypassrls',
    [['role reporter', 'SUPERUSER, CREATEDB, BYPASSRLS', 'role attribute']],
  ],
  ['attributes', 'alter role reporter createrole replication', [['role reporter', 'CREATEROLE, REPLICATION', 'role attribute']]],
  [
    'a predefined role',
    'grant pg_read_all_data to reporter',
    [['role pg_read_all_data', 'MEMBER (predefined by Postgres)', 'granted by postgres']],
  ],
  [
    'a role, and what that is a member of',
    'grant team to reporter with admin option; grant pg_write_all_data to team; grant select on closed.secret to team',
    [
      ['role pg_write_all_data', 'MEMBER WITH ADMIN OPTION (predefined by Postgres)', 'through team, granted by postgres'],
      ['role team', 'MEMBER WITH ADMIN OPTION (privileges on 1)', 'granted by postgres'],
    ],
    'revoke pg_write_all_data from team; revoke all on closed.secret from team',
  ],
  ['a role that is nothing yet', 'grant team to reporter', [['role team', 'MEMBER', 'granted by postgres']]],
  [
    'the administrators',
    'grant integratedb_admin to reporter',
    [['role integratedb_admin', expect.stringMatching(/^MEMBER \(privileges on \d+\)$/) as unknown as string, 'granted by postgres']],
  ],
  [
    'another stakeholder',
    'grant billing to reporter',
    [['role billing', expect.stringMatching(/^MEMBER \(owner of 1, privileges on \d+\)$/) as unknown as string, 'granted by postgres']],
  ],
  [
    'ownership',
    `create table public.mine (id serial primary key, v text); alter table public.mine owner to reporter; create view public.my_view as select 1 as x; alter view public.my_view owner to reporter;
     create function public.my_f(int, text) returns int language sql as 'select 1'; alter function public.my_f owner to reporter; create type public.my_e as enum (); alter type public.my_e owner to reporter;
     create domain public.my_d as int; alter domain public.my_d owner to reporter; create operator public.### (leftarg = int, rightarg = int, function = int4pl); alter operator public.### (int, int) owner to reporter;
     create aggregate public.my_a (int) (sfunc = int4pl, stype = int); alter aggregate public.my_a (int) owner to reporter; create materialized view public.my_m as select 1 as x; alter materialized view public.my_m owner to reporter;
     create statistics public.my_s on id, v from public.mine; alter statistics public.my_s owner to reporter; create collation public.my_c from "C"; alter collation public.my_c owner to reporter; create sequence public.my_q; alter sequence public.my_q owner to reporter`,
    [
      ['aggregate public.my_a(integer)', 'OWNER', 'ownership'],
      ['collation public.my_c', 'OWNER', 'ownership'],
      ['function public.my_f(integer,pg_catalog.text)', 'OWNER', 'ownership'],
      ['materialized view public.my_m', 'OWNER', 'ownership'],
      ['operator public.###(integer,integer)', 'OWNER', 'ownership'],
      ['sequence public.my_q', 'OWNER', 'ownership'],
      ['statistics object public.my_s', 'OWNER', 'ownership'],
      ['table public.mine', 'OWNER', 'ownership'],
      ['type public.my_d', 'OWNER', 'ownership'],
      ['type public.my_e', 'OWNER', 'ownership'],
      ['view public.my_view', 'OWNER', 'ownership'],
    ],
    'drop schema reporter cascade; create schema reporter authorization reporter',
  ],
  [
    'ownership of what is in no schema',
    'create schema extra authorization reporter; create table extra.t (id int); alter table extra.t owner to reporter; create publication p; alter publication p owner to reporter; create foreign data wrapper w; create server srv foreign data wrapper w; alter server srv owner to reporter; create database :db_2 owner reporter; revoke all on database :db_2 from public',
    [
      ['database :db_2', 'OWNER', 'ownership'],
      ['publication p', 'OWNER', 'ownership'],
      ['schema extra', 'OWNER', 'ownership'],
      ['server srv', 'OWNER', 'ownership'],
    ],
    'drop schema extra cascade; drop publication p; drop foreign data wrapper w cascade; drop table reporter.t;; drop database :db_2',
  ],
  [
    'functions that run as their owner',
    `create function closed.f(text, integer) returns text language sql security definer as 'select $$x$$'; create procedure shop.p() language sql security definer as 'select 1'; alter procedure shop.p owner to alice;
     create function closed.only_granted() returns text language sql security definer as 'select $$x$$'; revoke all on function closed.only_granted() from public; grant execute on function closed.only_granted() to reporter; grant usage on schema shop to public`,
    [
      ['function closed.only_granted()', 'EXECUTE', 'granted by postgres, runs as postgres'],
      ['procedure shop.p()', 'EXECUTE', 'PUBLIC, runs as alice'],
    ],
    'drop function closed.f, closed.only_granted; drop procedure shop.p; revoke usage on schema shop from public',
  ],
  [
    'default privileges',
    'alter default privileges for role alice grant select, insert on tables to reporter; alter default privileges for role alice in schema shop grant usage on sequences to public; alter default privileges for role alice in schema shop grant execute on functions to reporter; alter default privileges for role alice grant usage on schemas to public',
    [
      ['functions that alice makes in schema shop', 'EXECUTE', 'default privileges'],
      ['schemas that alice makes', 'USAGE', 'PUBLIC, default privileges'],
      ['sequences that alice makes in schema shop', 'USAGE', 'PUBLIC, default privileges'],
      ['tables that alice makes', 'INSERT, SELECT', 'default privileges'],
    ],
  ],
  [
    'servers, wrappers, parameters, large objects',
    'create foreign data wrapper w; create server srv foreign data wrapper w; grant usage on foreign server srv to public; grant usage on foreign data wrapper w to reporter; grant set on parameter session_replication_role to reporter; select lo_create(4711); grant select on large object 4711 to public',
    [
      ['foreign-data wrapper w', 'USAGE', 'granted by postgres'],
      ['large object 4711', 'SELECT', 'PUBLIC'],
      ['parameter ACL session_replication_role', 'SET', 'granted by postgres'],
      ['server srv', 'USAGE', 'PUBLIC'],
    ],
    'drop foreign data wrapper w cascade; select lo_unlink(4711)',
  ],
  ['tablespaces', 'grant create on tablespace pg_default to reporter', [['tablespace pg_default', 'CREATE', 'granted by postgres']]],
  ['languages', 'grant usage on language :engine to public', [['language :engine', 'USAGE', 'PUBLIC']]],
  [
    'names that are SQL',
    `create role "r""; drop table public.orders; --"; create schema "s'; */ drop table public.orders; --"; create table "s'; */ drop table public.orders; --"."t""; drop table public.orders; --" ("c""; */ drop table public.orders; /*" int);
     grant usage on schema "s'; */ drop table public.orders; --" to "r""; drop table public.orders; --";
     grant select on "s'; */ drop table public.orders; --"."t""; drop table public.orders; --" to "r""; drop table public.orders; --" with grant option; set role "r""; drop table public.orders; --";
     grant select ("c""; */ drop table public.orders; /*") on "s'; */ drop table public.orders; --"."t""; drop table public.orders; --" to reporter; reset role`,
    [
      [
        `table "s'; */ drop table public.orders; --"."t""; drop table public.orders; --"`,
        'SELECT ("c""; */ drop table public.orders; /*")',
        'granted by "r""; drop table public.orders; --"',
      ],
    ],
    `drop schema "s'; */ drop table public.orders; --" cascade`,
  ],
]

describe('beyond claims', () => {
  test.each(beyond)('%s', async (what, setup, rows, undo) => {
    if (what === 'servers, wrappers, parameters, large objects') expect(version).toBeGreaterThanOrEqual(150000)
    const engine = await db.value<string>(`select value from integratedb.setting where name = 'engine'`)
    const own = (text: string) => text.replaceAll(':db', db.name).replaceAll(':engine', engine)
    for (const statement of own(setup).split(/;\s*(?=create database|revoke all on database)/)) await db.rows(statement)
    const found = await audit()
    expect(found.map(({ object, privilege, source }) => [object, privilege, source])).toEqual(
      rows.map(([object, ...rest]) => [own(object), ...rest]),
    )
    for (const row of found) {
      expect(row).toMatchObject({ stakeholder: 'reporter', finding: 'beyond claims' })
      // One by one: each makes its own row go away.
      await db.rows(row.fix)
      expect((await audit()).filter(({ object, source }) => object === row.object && source === row.source)).toEqual([])
    }
    await follow()
    expect(await db.rows('select * from integratedb.unmet_claims()')).toEqual([])
    for (const statement of own(undo ?? 'select').split(';;')) await db.rows(statement)
    expect(await db.value('select count(*) from public.orders')).toBe(0)
  })
})

/** What was done, once the claims were made; what is told; what is left afterwards. */
const unusable: [
  what: string,
  setup: string,
  match: unknown[],
  break_: string,
  rows: [object: string, privilege: string, source: string][],
][] = [
  [
    'row level security that hid everything when the claim was made',
    'create table shop.hidden (id int); alter table shop.hidden enable row level security',
    [{ path: 'shop.hidden', fields: '*', access: ['select', 'insert', 'update', 'delete'] }],
    'select',
    ['DELETE', 'INSERT', 'SELECT', 'UPDATE'].map((privilege) => [
      'shop.hidden',
      privilege,
      'row level security of shop.hidden: no policy lets reporter see or write a row',
    ]),
  ],
  [
    "row level security of what a view's owner reads",
    'create table shop.hidden (id int); alter table shop.hidden enable row level security; grant select on shop.hidden to bob; grant usage on schema shop to bob; create view shop.v as select * from shop.hidden; alter view shop.v owner to bob',
    [{ path: 'shop.v', fields: '*' }],
    'select',
    [['shop.v', 'SELECT', 'row level security of shop.hidden: no policy lets bob see or write a row']],
  ],
  [
    'row level security that came later',
    'create table shop.hidden (id int)',
    [{ path: 'shop.hidden', fields: '*' }],
    'alter table shop.hidden enable row level security',
    [['shop.hidden', 'SELECT', 'row level security of shop.hidden: no policy lets reporter see or write a row']],
  ],
  [
    'a schema that was closed',
    'create table shop.t (id int)',
    [{ path: 'shop.t', fields: '*' }],
    'revoke usage on schema shop from reporter',
    [['shop.t', 'SELECT', expect.stringMatching(/^IDB402 /) as unknown as string]],
  ],
  [
    'a column that was revoked',
    'create table shop.t (id int, v text)',
    [{ path: 'shop.t', fields: '*' }],
    'revoke select (v) on shop.t from reporter',
    [['shop.t.v', 'SELECT', expect.stringMatching(/^IDB401 /) as unknown as string]],
  ],
  [
    "a view's owner that may no longer read",
    'create table shop.t (id int, v text); grant usage on schema shop to bob; grant select on shop.t to bob; create view shop.v as select id from shop.t; alter view shop.v owner to bob',
    [{ path: 'shop.v', fields: '*' }],
    'revoke select on shop.t from bob',
    [['shop.v', 'SELECT', 'IDB404 bob, the owner of the view shop.v, may not read shop.t.id']],
  ],
  [
    'a function that a view calls',
    `create table shop.t (id int); create function shop.f(text) returns int language sql as 'select 1'; create view shop.v as select shop.f('x') as x from shop.t`,
    [{ path: 'shop.v', fields: '*' }],
    'revoke execute on function shop.f(text) from public',
    [['shop.v', 'SELECT', expect.stringMatching(/^IDB404 reporter may not execute shop.f/) as unknown as string]],
  ],
  [
    'a view that reads with the rights of its reader, since then',
    'create table shop.t (id int, v text); create view shop.v as select id from shop.t',
    [{ path: 'shop.v', fields: '*' }],
    'alter view shop.v set (security_invoker = true)',
    [['shop.v', 'SELECT', 'IDB404 reporter, which reads it through the view shop.v, may not read shop.t.id']],
  ],
  [
    'two such at once, of tables that it claims in part, without fields, and by an alternative',
    `create table shop.t ("i'd %s" int, v text, w text); create view shop.v as select "i'd %s", w from shop.t; create table shop.s (a int); create view shop.s_v as select a from shop.s`,
    [
      { path: 'shop.v', fields: '*' },
      {
        alternatives: [
          { path: 'shop.t', fields: ['v'] },
          { path: 'shop.gone', fields: ['v'] },
        ],
      },
      { path: 'shop.t', fields: [{ name: 'v', type: 'text' }, { alternatives: [{ name: 'w' }, { name: 'x' }] }], optional: true },
      { path: 'shop.s_v', fields: '*' },
      { path: 'shop.s' },
    ],
    'alter view shop.v set (security_invoker = true); alter view shop.s_v set (security_invoker = true)',
    [
      ['shop.s_v', 'SELECT', 'IDB404 reporter, which reads it through the view shop.s_v, may not read shop.s.a'],
      ['shop.v', 'SELECT', `IDB404 reporter, which reads it through the view shop.v, may not read shop.t."i'd %s"`],
    ],
  ],
  [
    'a table that it reads and shall write through a view',
    'create table shop.t (id int, v text); create view shop.v as select id, v from shop.t',
    [
      { path: 'shop.v', fields: '*', access: ['select', 'insert'] },
      { path: 'shop.t', fields: '*' },
    ],
    'alter view shop.v set (security_invoker = true)',
    ['id', 'v'].map((column) => [
      'shop.v',
      'SELECT, INSERT',
      `IDB404 reporter, who writes it through the view, may not insert shop.t.${column}`,
    ]),
  ],
]

test('what it has in another database: the fix is for there', async () => {
  const other = await TestDatabase.create(null)
  await other.rows(`revoke all on database ${other.name} from public; create table public.far (id int); create table public.farther (id int);
    alter table public.far owner to reporter; grant select, insert on public.farther to reporter`)
  const rows = await audit()
  expect(rows).toEqual([
    {
      stakeholder: 'reporter',
      object: `database ${other.name}`,
      privilege: 'OWNER or privileges',
      source: 'owner of 1, privileges on 1 there',
      finding: 'beyond claims',
      fix: expect.stringMatching(/^\/\* in that database; /),
    },
  ])
  for (const { fix } of rows) await other.rows(fix)
  expect(await audit()).toEqual([])
  await other.drop()
  await (await db.connect('reporter')).rows('select id from public.orders')
})

test('a stakeholder whose name is SQL', async () => {
  const name = `x'"; */ drop table public.countries; --`
  await db.rows('select integratedb.add_stakeholder($1)', [name])
  const quoted = `"${name.replaceAll('"', '""')}"`
  await db.rows(`grant connect on database ${db.name} to ${quoted}; grant pg_monitor to ${quoted}; alter role ${quoted} createdb; grant insert on closed.secret to ${quoted}; create table closed.${quoted} (id int); alter table closed.${quoted} owner to ${quoted};
    create function closed.${quoted}() returns int language sql security definer as 'select 1'; alter default privileges for role alice grant select on tables to ${quoted}; grant usage on schema closed to ${quoted}`)
  const rows = await audit(name)
  expect(rows.length).toBe(10)
  for (const { fix } of rows) await db.rows(fix)
  expect(await audit(name)).toEqual([])
  expect(await db.value('select count(*) from public.countries')).toBe(0)
  await db.rows(`drop function closed.${quoted}()`)
  await db.rows('select integratedb.remove_stakeholder($1, false)', [name])
})

describe('claims that cannot be used', () => {
  test.each(unusable)('%s', async (_, setup, match, break_, rows) => {
    await db.rows(setup)
    await setClaims(db, 'reporter', match)
    await db.rows(`select integratedb.set_enforcement('warn')`)
    await db.rows(break_)
    await db.rows(`select integratedb.set_enforcement('enforce')`)
    const found = await audit()
    expect(found.map(({ object, privilege, source }) => [object, privilege, source])).toEqual(rows)
    for (const row of found) {
      expect(row).toMatchObject({ stakeholder: 'reporter', finding: 'cannot be used' })
      await db.rows(row.fix)
      expect(
        (await audit()).filter(
          ({ object, source, privilege }) => `${object}${source}${privilege}` === `${row.object}${row.source}${row.privilege}`,
        ),
      ).toEqual([])
    }
    await follow()
    expect(await db.rows('select * from integratedb.unmet_claims()')).toEqual([])
    const reporter = await db.connect('reporter')
    for (const { path } of match as { path?: string }[])
      if (path?.endsWith('v') || (path !== undefined && match.length === 1)) await reporter.rows(`select * from ${path}`)
    await reporter.end()
    await setClaims(db, 'reporter', [{ path: 'public.orders', fields: ['id', 'total'] }])
    await db.rows('drop schema shop cascade; create schema shop authorization alice')
  })
})
