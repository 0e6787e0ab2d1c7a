/** What others can do to us, and through us. Most of these attacks worked once, or would without the line that stops them. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { privilegesOf } from '../support/oracle.ts'

let database: TestDatabase
let engine: string
/** Owns a schema with a claimed table, as a team that runs migrations does. */
let owner: Session
beforeAll(async () => {
  database = await TestDatabase.create()
  engine = await database.value(`select value from integratedb.setting where name = 'engine'`)
  await database.rows(`
    create role evil login; create role nobody login; create role accomplice login; create role admin login;
    grant integratedb_admin to admin;
    create schema shop authorization evil;
    select integratedb.add_stakeholder('reporter');
    create table public.ours (id int, secret text); insert into public.ours values (1, 'secret');
    create table public.claimed (id int, total numeric, note text)`)
  owner = await database.connect('evil')
  await owner.rows('create table shop.orders (id int primary key, total numeric)')
  await claim('reporter', 'shop.orders')
})
afterAll(() => database.drop())

async function claim(name: string, ...paths: string[]): Promise<void> {
  await set(
    name,
    paths.map((path) => ({ path, fields: '*' })),
  )
}

async function set(name: string, match: unknown[]): Promise<void> {
  await database.rows('select * from integratedb.set_claims($1, $2)', [name, JSON.stringify({ match })])
}

/** `EVIL as …` warnings: code of an attacker that ran as somebody else. */
function evil(session: Session, but = 'evil'): string[] {
  return session.notices.map(({ message }) => message).filter((message) => message.startsWith('EVIL') && message !== `EVIL as ${but}`)
}

const forEverybody = [
  '_begin_check()',
  '_judge_check()',
  'ack_events(text,text[])',
  'allow_claims(text,text,text,text[])',
  'approve_claims(text,bigint)',
  'check_claims(jsonb)',
  'check_migration(text)',
  'disallow_claims(text,text,text)',
  'issue_socket_token(interval)',
  'my_claims()',
  'my_requests()',
  'pending_claims()',
  'reject_claims(text,text,bigint)',
  'release_events(text,text[])',
  'request_claims(jsonb,text)',
  'take_events(text,integer,interval)',
  'validate_migration()',
  'version()',
]
/** Each shows its reader what concerns it, or is a way to call: claim-request.test.ts. */
const viewsForEverybody = ['_act', '_my_claims', '_my_requests', '_pending_claims', '_queue_act'].map((name) => `integratedb.${name}`)

describe('an ordinary role, and a stakeholder', () => {
  test.each(['nobody', 'reporter'])('%s may execute what is for everybody, and nothing else', async (role) => {
    const session = await database.connect(role)
    const functions = await database.rows<{ name: string; call: string; allowed: boolean; kind: string }>(
      `select p.oid::regprocedure::text as name, p.prorettype::regtype::text as kind,
              format('select integratedb.%I(%s)', p.proname,
                (select string_agg('null::' || t::regtype, ', ') from unnest(p.proargtypes) t)) as call,
              has_function_privilege($1, p.oid, 'execute') as allowed
         from pg_proc p where p.pronamespace = 'integratedb'::regnamespace order by 1`,
      [role],
    )
    expect(functions.length).toBeGreaterThan(40)
    expect(functions.filter(({ allowed }) => allowed).map(({ name }) => name.replace('integratedb.', ''))).toEqual(forEverybody)
    for (const { call, allowed, kind } of functions) {
      if (allowed || kind.endsWith('trigger')) continue
      expect([call, (await session.failure(call)).code]).toEqual([call, '42501'])
    }
    await session.end()
  })

  test.each(['nobody', 'reporter', 'evil'])('%s may read and write no table', async (role) => {
    const session = await database.connect(role)
    const relations = await database.rows<{ path: string; kind: string }>(
      `select oid::regclass::text as path, relkind as kind from pg_class where relnamespace = 'integratedb'::regnamespace and relkind in ('r', 'v', 'S', 'm')`,
    )
    expect(relations.length).toBeGreaterThan(7)
    for (const { path, kind } of relations) {
      if (viewsForEverybody.includes(path)) continue
      const statements = [`select * from ${path}`, `select count(*) from ${path}`]
      if (kind === 'r')
        statements.push(
          `delete from ${path}`,
          `insert into ${path} default values`,
          `truncate ${path}`,
          `do $$ begin lock table ${path} in access share mode; end $$`,
          `select 1 from ${path} for update`,
          `create trigger t before insert on ${path} execute function suppress_redundant_updates_trigger()`,
          `create rule r as on insert to ${path} do instead nothing`,
          `create index on ${path} ((1))`,
          `alter table ${path} disable trigger all`,
          `alter table ${path} owner to ${role}`,
        )
      if (kind === 'S') statements.push(`select nextval('${path}')`)
      for (const statement of statements) expect([statement, (await session.failure(statement)).code]).toEqual([statement, '42501'])
    }
    await session.end()
  })

  test.each(['nobody', 'reporter', 'evil'])('%s may change and disable nothing', async (role) => {
    const before = await database.rows('select * from integratedb.doctor()')
    expect(before.filter(({ check_name, status }) => status !== 'ok' && /trigger|claims_hold|internal/.test(String(check_name)))).toEqual(
      [],
    )
    const session = await database.connect(role)
    for (const statement of [
      'alter event trigger integratedb_note_ddl disable',
      'drop event trigger integratedb_note_drop',
      `create event trigger mine on ddl_command_end execute function integratedb._note_ddl()`,
      'drop schema integratedb cascade',
      'alter schema integratedb rename to x',
      'create table integratedb.mine (id int)',
      `create function integratedb.mine() returns int language sql as 'select 1'`,
      `create or replace function integratedb.version() returns table (component text, version text) language sql as 'select 1, 2'`,
      'alter function integratedb._core(text, text) reset all',
      'drop function integratedb.version()',
      'grant integratedb_admin to current_user',
      'set role integratedb_admin',
      'set role postgres',
      'set session authorization postgres',
      'set session_replication_role = replica',
      `select set_config('session_replication_role', 'replica', true)`,
      'drop role reporter',
      `alter role reporter rename to mine`,
      'reassign owned by postgres to current_user',
      ...((await database.value<number>(`select current_setting('server_version_num')::int`)) >= 170000
        ? ['set event_triggers = off']
        : []),
    ])
      await session.failure(statement)
    expect(await database.rows('select * from integratedb.doctor()')).toEqual(before)
    await session.end()
  })

  test('every function states its path, and belongs to the installer', async () => {
    expect(
      await database.rows(
        `select p.oid::regprocedure::text as function from pg_proc p join pg_namespace n on n.oid = p.pronamespace
          where n.nspname = 'integratedb' and p.proname <> 'check_migration'
            and ('search_path=pg_catalog, pg_temp' <> all (coalesce(p.proconfig, '{}')) or p.proowner <> n.nspowner)`,
      ),
    ).toEqual([])
    // check_migration runs its argument as the caller would.
    expect(await database.value(`select prosecdef from pg_proc where proname = 'check_migration'`)).toBe(false)
  })

  test('an administrator changes nothing but by the calls', async () => {
    const admin = await database.connect('admin')
    for (const statement of [
      'update integratedb.setting set value = null',
      'select * from integratedb.stakeholder',
      `select integratedb._core('x', 'y')`,
      `select integratedb._apply_grants('[]')`,
      'drop schema integratedb cascade',
      'create table integratedb.mine (id int)',
      'select * from public.ours',
    ])
      expect([statement, (await admin.failure(statement)).code]).toEqual([statement, '42501'])
    for (const path of [
      'pg_catalog.pg_authid',
      'pg_catalog.*',
      'integratedb.setting',
      'integratedb.*',
      'information_schema.*',
      'pg_toast.*',
    ]) {
      const document = JSON.stringify({ match: [{ path, fields: '*' }] })
      expect((await admin.failure(`select integratedb.set_claims('reporter', $1)`, [document])).code).toBe('IDB02')
    }
    await admin.end()
  })
})

describe('enforcement', () => {
  test('no setting that a role can SET weakens it', async () => {
    const settings = await owner.rows<{ name: string; values: string[] }>(
      `select name, case vartype when 'bool' then array['on', 'off'] when 'enum' then enumvals else array[min_val, max_val] end as values
         from pg_settings where context = 'user' and vartype in ('bool', 'enum', 'integer', 'real') order by name`,
    )
    expect(settings.length).toBeGreaterThan(100)
    let session = await database.connect('evil')
    for (const { name, values } of settings) {
      for (const value of values) {
        try {
          await session.client.query('select set_config($1, $2, false)', [name, value]).catch(() => {})
          await session.failure('alter table shop.orders drop column total')
          await session.rows('reset all')
        } catch (error) {
          // Some of them end the session, or let no statement live as long as a RESET.
          if (String(error).includes('should have failed')) throw error
          await session.end().catch(() => {})
          session = await database.connect('evil')
        }
      }
    }
    await session.end().catch(() => {})
    expect(await database.value(`select count(*) from pg_attribute where attrelid = 'shop.orders'::regclass and attname = 'total'`)).toBe(1)
    // Judged with any of them, what is stored is the same.
    await owner.rows(
      'set quote_all_identifiers = on; create type shop.mood as enum (); alter table shop.orders add column mood shop.mood, add doc jsonb',
    )
    await owner.rows('reset quote_all_identifiers; alter table shop.orders add column other int')
    expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])
  }, 240_000)

  test.each([
    ['set constraints all deferred'],
    ['set constraints integratedb.claims_hold deferred'],
    ['select integratedb._begin_check()'],
    ['select integratedb._judge_check()'],
    [`select * from integratedb.check_migration('create table shop.nothing ()')`],
    [`select * from integratedb.check_migration('alter table shop.orders drop column other')`],
    ['savepoint s; create table shop.nothing (); rollback to s'],
    ['create temp table migration (id int); create temp table epoch (working xid8)'],
    [
      'do $$ begin perform integratedb._begin_check(); raise exception using errcode = $e$IDB00$e$; exception when others then null; end $$',
    ],
  ])('is not gone round by: %s', async (statement) => {
    for (const order of ['before', 'after']) {
      const session = await database.connect('evil')
      await session.rows('begin')
      if (order === 'before') await session.rows(statement)
      await session.rows('alter table shop.orders drop column total')
      if (order === 'after') await session.client.query(statement).catch(() => {})
      await session.client.query('commit').catch(() => {})
      await session.end()
      expect(await database.value(`select count(*) from pg_attribute where attrelid = 'shop.orders'::regclass and attname = 'total'`)).toBe(
        1,
      )
    }
  })

  test('an ordinary role cannot keep an upgrade away', async () => {
    await owner.rows(
      `create view shop.on_core as select integratedb._core('a', 'b') as x; create view shop.on_version as select * from integratedb.version()`,
    )
    await database.rows(readFileSync('dist-sql/integratedb.sql', 'utf8'))
    expect((await owner.failure('select * from shop.on_core')).code).toBe('42501')
    await owner.rows('drop view shop.on_core, shop.on_version')
    expect((await owner.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
  })
})

/** What an attacker puts first in a path: functions, operators, casts, types, tables with the names of ours and the catalogue's. */
const trap = `
  create schema trap;
  create function trap.shout() returns text language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return null; end $$;
  create function trap.format(text, variadic text[]) returns text language sql as 'select trap.shout()';
  create function trap.format(text, text) returns text language sql as 'select trap.shout()';
  create function trap.quote_ident(text) returns text language sql as 'select trap.shout()';
  create function trap.quote_literal(text) returns text language sql as 'select trap.shout()';
  create function trap.current_setting(text) returns text language sql as 'select trap.shout()';
  create function trap.set_config(text, text, boolean) returns text language sql as 'select trap.shout()';
  create function trap.pg_get_userbyid(oid) returns name language sql as 'select trap.shout()::name';
  create function trap.format_type(oid, integer) returns text language sql as 'select trap.shout()';
  create function trap.jsonb_populate_recordset(anyelement, jsonb) returns setof anyelement language sql as 'select $1 from trap.shout()';
  create function trap.age(xid) returns integer language sql as 'select length(trap.shout())';
  create function trap.sha256(bytea) returns bytea language sql as 'select trap.shout()::bytea';
  create function trap.eq(text, text) returns boolean language sql as 'select trap.shout() is null';
  create function trap.eq(oid, oid) returns boolean language sql as 'select trap.shout() is null';
  create function trap.eq(name, text) returns boolean language sql as 'select trap.shout() is null';
  create function trap.eq(bigint, bigint) returns boolean language sql as 'select trap.shout() is null';
  create function trap.arrow(jsonb, text) returns text language sql as 'select trap.shout()';
  create operator trap.= (leftarg = text, rightarg = text, function = trap.eq);
  create operator trap.= (leftarg = oid, rightarg = oid, function = trap.eq);
  create operator trap.= (leftarg = name, rightarg = text, function = trap.eq);
  create operator trap.= (leftarg = bigint, rightarg = bigint, function = trap.eq);
  create operator trap.->> (leftarg = jsonb, rightarg = text, function = trap.arrow);
  create type trap.finding as (code text);
  create domain trap.text as pg_catalog.text check (trap.shout() is null);
  create domain trap.jsonb as pg_catalog.jsonb check (trap.shout() is null);
  create table trap.pg_class (oid oid); create table trap.pg_namespace (oid oid); create table trap.pg_roles (rolname name);
  create table trap.claim (id int); create table trap.setting (name pg_catalog.text);
  grant usage on schema trap to public;
  grant all on all tables in schema trap to public;`

describe('code of an attacker', () => {
  beforeAll(async () => {
    await database.rows(`${trap.replaceAll('create schema trap', 'create schema trap; grant create on schema trap to evil')}`)
  })

  test('is not found by a search path, whoever calls', async () => {
    const sessions = [await database.connect('evil'), await database.connect('admin'), await database.connect()]
    for (const session of sessions) {
      await session.rows('set search_path = trap, pg_catalog, public')
      await session.rows(`
        create temp table pg_class (oid oid); create temp table epoch (working xid8); create temp table claim (id int);
        create temp table pg_namespace (oid oid, nspname name); create temp table setting (name text, value text)`)
    }
    await owner.rows('create type shop.trapped as enum ()')
    const [byEvil, byAdmin, bySuperuser] = sessions as [Session, Session, Session]
    await byEvil.rows('alter table shop.orders add column more int; create table shop.more (id int); drop table shop.more')
    expect((await byEvil.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
    expect(await byEvil.rows(`select code from integratedb.check_migration('alter table shop.orders drop column total')`)).toEqual([
      { code: 'IDB201' },
    ])
    for (const session of [byAdmin, bySuperuser]) {
      const document = `'{"match": [{"path": "shop.orders", "fields": ["id", {"name": "total", "type": ["numeric", "trapped", "shop.trapped[]"]}]}]}'`
      await session.rows(`
        select integratedb.add_stakeholder('trapped');
        select integratedb.set_claims('trapped', ${document});
        select integratedb.check_claims(${document});
        select integratedb.allow_claims('evil', 'trapped', 'shop.*');
        select integratedb.disallow_claims('evil', 'trapped', 'shop.*');
        select * from integratedb.my_claims(); select * from integratedb.my_requests(); select * from integratedb.pending_claims();
        select * from integratedb.claim_requests; select * from integratedb.decisions;
        select integratedb.rename_stakeholder('trapped', 'trapped_2');
        select integratedb.get_claims('trapped_2');
        select * from integratedb.dependents('shop.orders');
        select * from integratedb.unmet_claims();
        select * from integratedb.sync();
        select * from integratedb.doctor();
        select * from integratedb.audit_access(); select * from integratedb.audit_access('trapped_2');
        select * from integratedb.version();
        select * from integratedb.claims; select * from integratedb.stakeholders; select * from integratedb.migrations;
        select integratedb.set_enforcement('off'); select integratedb.set_enforcement('enforce');
        select integratedb.set_check_timing('statement'); select integratedb.set_check_timing('commit');
        select integratedb.validate_migration();
        select integratedb.remove_claims('trapped_2');
        select integratedb.remove_stakeholder('trapped_2', false)`)
    }
    for (const session of sessions) {
      expect(evil(session, 'nobody')).toEqual([])
      await session.end()
    }
  })

  test('in what is claimed is not run by claiming, judging or looking', async () => {
    await owner.rows(`
      create function shop.f(int) returns boolean language plpgsql immutable as $$ begin raise warning 'EVIL as %', current_user; return true; end $$;
      create function shop.g(int) returns int language plpgsql immutable as $$ begin raise warning 'EVIL as %', current_user; return 1; end $$;
      create function shop.h() returns trigger language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return new; end $$;
      create view shop.folded as select id, shop.g(1) as one from shop.orders where shop.f(1) order by shop.g(2);
      create view shop.deep as select id from shop.folded where shop.f(3);
      create domain shop.checked as int default shop.g(4) check (shop.f(value));
      create table shop.full_of_it (
        id int default shop.g(1) check (shop.f(id)), d shop.checked, twice int generated always as (shop.g(id)) stored, exclude using btree (shop.g(id) with =));
      create index on shop.full_of_it (shop.g(id)) where shop.f(id);
      create index on shop.full_of_it ((shop.g(10))) where shop.f(11); -- what is constant the planner computes
      create statistics shop.s on (shop.g(id)), id from shop.full_of_it;
      alter table shop.full_of_it enable row level security, force row level security;
      create policy p on shop.full_of_it using (shop.f(id));
      create trigger t before insert or update or delete on shop.full_of_it for each row execute function shop.h();
      create rule r as on insert to shop.full_of_it where shop.f(new.id) do also select shop.f(5);
      create materialized view shop.stored as select id from shop.orders where shop.f(6) with no data;
      create view shop.ring as select 1 as x; create view shop.around as select * from shop.ring;
      create or replace view shop.ring as select x from shop.around`)
    const admin = await database.connect()
    const access = ['select', 'insert', 'update', 'delete']
    for (const match of [
      { path: 'shop.*', fields: '*' },
      { path: 'shop.folded', fields: '*' },
      { path: 'shop.deep', fields: '*' },
      { path: 'shop.full_of_it', fields: '*' },
      { path: 'shop.full_of_it', fields: '*', access },
      { path: 'shop.*', fields: '*', access },
    ]) {
      await admin.rows(`select integratedb.set_claims('reporter', $1)`, [JSON.stringify({ match: [match] })])
    }
    // It holds no data: to fill it would run its query.
    const stored = JSON.stringify({ match: [{ path: 'shop.stored', fields: '*' }] })
    expect((await admin.failure(`select integratedb.set_claims('reporter', $1)`, [stored])).detail).toContain('holds no data')
    const fields = [{ name: 'd', type: ['shop.checked', 'checked', 'shop.checked[]'] }, 'id']
    await admin.rows(`select integratedb.set_claims('reporter', $1)`, [JSON.stringify({ match: [{ path: 'shop.full_of_it', fields }] })])
    await admin.rows(`select integratedb.set_claims('reporter', '{"match": [{"path": "shop.*", "fields": "*"}]}')`)
    await admin.rows(`
      select * from integratedb.check_claims('{"match": [{"path": "shop.*", "fields": "*"}]}');
      select * from integratedb.unmet_claims(); select * from integratedb.sync(); select * from integratedb.doctor(); select * from integratedb.audit_access()`)
    owner.notices.length = 0
    await owner.rows(`alter view shop.deep rename column id to id`).catch(() => {})
    await owner.rows('create or replace view shop.deep as select id, 1 as more from shop.folded where shop.f(8)')
    await owner.rows('alter table shop.full_of_it add column more int')
    await admin.rows(`select integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": "*"}]}')`)
    expect([evil(admin, 'nobody'), evil(owner)]).toEqual([[], []])
    await admin.end()
    await owner.rows(
      'drop view shop.ring cascade; drop view shop.folded cascade; drop table shop.full_of_it; drop materialized view shop.stored',
    )
  })

  test('in the way of a NOT VALID constraint is not run by looking at the rows', async () => {
    const admin = await database.connect()
    await owner.rows(`
      create function shop.judged(int) returns boolean language plpgsql immutable as $$ begin raise warning 'EVIL as %', current_user; return true; end $$;
      create function shop.alike(int, int) returns boolean language plpgsql immutable as $$ begin raise warning 'EVIL as %', current_user; return true; end $$;
      create table shop.watched (id int, other int); insert into shop.watched values (1, 1)`)
    await admin.rows(`select from integratedb.set_claims('reporter', $1)`, [
      JSON.stringify({ match: [{ path: 'shop.watched', fields: '*', access: ['select', 'update'] }] }),
    ])
    const ran: string[] = []
    const checked = `alter table shop.watched add constraint c check (other > 5) not valid`
    const shout = (what: string, returns: string, value: string) =>
      `create function shop.${what} returns ${returns} language plpgsql immutable as $$ begin raise warning 'EVIL as %', current_user; return ${value}; end $$`
    await owner.rows(`create type shop.tone as enum ('low', 'high'); alter table shop.watched add tone shop.tone default 'low'`)
    // Nothing of the owner's in it: there is a row that it refuses.
    expect((await owner.failure(checked)).detail).toContain('IDB302')
    for (const trap of [
      'create index trap on shop.watched ((shop.judged(1)))',
      'create index trap on shop.watched (id) where shop.judged(1)',
      'create statistics shop.trap on (shop.judged(1)), (shop.judged(2)) from shop.watched',
      'alter table shop.watched add constraint trap check (shop.judged(id) and shop.judged(1)) not valid',
      'create operator shop.<=> (leftarg = int, rightarg = int, function = shop.alike); alter table shop.watched add constraint trap check (id operator(shop.<=>) 1) not valid',
      'alter table shop.watched enable row level security; create policy trap on shop.watched using (true) with check (shop.judged(1))',
      // A cast of the column's type, which no dependency tells of.
      `${shout('as_number(shop.tone)', 'int', '1')}; create cast (shop.tone as int) with function shop.as_number as implicit;
       create table shop.loud (id int primary key); alter table shop.watched add foreign key (tone) references shop.loud not valid`,
      // One that was made after the constraint: the constraint is written out, and read with it.
      `alter table shop.watched add constraint d check (tone::text = 'high') not valid;
       ${shout('as_text(shop.tone)', 'text', `'low'`)}; create cast (shop.tone as text) with function shop.as_text`,
      `alter table shop.watched add constraint d check (id::text <> ('high'::shop.tone)::text) not valid;
       ${shout('as_text(shop.tone)', 'text', `'low'`)}; create cast (shop.tone as text) with function shop.as_text`,
      // A function of Postgres's own that runs what it is given.
      `${shout('as_query()', 'tsquery', `'a'`)}; alter function shop.as_query() volatile;
       alter table shop.watched add constraint d check (ts_rewrite('a', 'select shop.as_query(), shop.as_query()') is not null and id > 0) not valid`,
    ]) {
      await owner.rows(`begin; ${trap}`)
      owner.notices.length = 0 // making it runs it, as its owner
      await owner.rows(`${checked}; set constraints all immediate`).catch(() => {})
      await owner.rows('rollback')
      ran.push(...evil(owner))
    }
    expect([evil(admin, 'nobody'), ran]).toEqual([[], []])
    // Of what only computes it is known, unless it cannot be computed.
    for (const [check, is_refused] of [
      ['other in (5, 6) and case when id > 0 then coalesce(other, 1) else 2 end between 5 and 9 and id::text is distinct from null', true],
      ['(other > 5) is not true and abs(other) = 1', false],
      ['1 / (other - 1) > 0', false],
    ])
      expect([
        check,
        await owner.rows(`begin; alter table shop.watched add check (${check}) not valid; commit`).then(
          () => false,
          () => true,
        ),
      ]).toEqual([check, is_refused])
    await admin.rows(`select integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": "*"}]}')`)
    await owner.rows('drop table shop.watched; drop type shop.tone; drop function shop.judged(int), shop.alike(int, int)')
    await admin.end()
  })

  test('in the engine does not start with our rights', async () => {
    await database.rows(`grant usage on language ${engine} to evil`)
    const attacker = await database.connect('evil')
    await attacker.rows(`
      create function shop.start() returns void language ${engine} as $$
        ${engine}.elog(WARNING, 'EVIL as ' + ${engine}.execute('select current_user as u')[0].u); JSON.parse = () => ({ match: [] }) $$;
      do language ${engine} 'var loaded';
      set ${engine}.start_proc = 'shop.start'`)
    await attacker.rows('alter table shop.orders add column started int')
    expect((await attacker.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
    expect(evil(attacker)).toEqual([])
    await attacker.end()
    // The engine's own flags, which write files: read when a session first needs the engine.
    const flags = await database.connect('evil', { options: '-c plv8.v8_flags=--log-all\\ --logfile=evil_v8.log' })
    expect((await flags.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
    await flags.end()
    expect(await database.rows(`select * from pg_ls_dir('.') file where file like '%evil\\_v8.log'`)).toEqual([])
    // Nor for an administrator who was handed such a session.
    const admin = await database.connect(undefined, { options: `-c ${engine}.start_proc=shop.start` })
    await admin.rows(`select * from integratedb.check_claims('{"match": []}')`)
    expect(evil(admin, 'nobody')).toEqual([])
    await admin.end()
    await database.rows(`revoke usage on language ${engine} from evil`)
  })

  test('loses the rights of its owner when the data is handed over', async () => {
    await database.rows(`select integratedb.add_stakeholder('mole'); grant select on public.ours to mole`)
    await claim('mole', 'public.ours')
    const mole = await database.connect('mole')
    await mole.rows(`
      grant usage on schema mole to accomplice;
      create function mole.steal() returns text language plpgsql security definer as $$ begin
        raise warning 'EVIL as %', current_user; return (select max(secret) from public.ours); end $$;
      create function mole.g(int) returns int language plpgsql immutable as $$ begin raise warning 'EVIL as %', current_user; return 1; end $$;
      create function mole.h() returns trigger language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return coalesce(new, old); end $$;
      create view mole.window as select secret from public.ours;
      create view mole.honest as select 1 as id;
      create table mole.parent (id int primary key); create table mole.child (id int references mole.parent on delete cascade);
      create table mole.copy (secret text);
      insert into mole.parent values (1), (2); insert into mole.child values (1), (2);
      create trigger t before delete on mole.child for each row execute function mole.h();
      create rule r as on insert to mole.parent do also insert into mole.copy select secret from public.ours;
      create index by_g on mole.parent (mole.g(id)); create statistics mole.s on (mole.g(id)), id from mole.child;
      create index plain on mole.parent ((id + 1));
      grant all on all tables in schema mole to accomplice`)
    await mole.end()
    const admin = await database.connect()
    await admin.rows(`select integratedb.remove_stakeholder('mole')`)
    expect(admin.notices.find(({ severity }) => severity === 'WARNING')).toMatchObject({
      message: 'the code of mole does not get the rights of who receives its data',
      detail: expect.stringContaining('mole.steal()'),
    })
    const accomplice = await database.connect('accomplice')
    expect((await accomplice.failure('select mole.steal()')).code).toBe('42501')
    expect((await accomplice.failure('select * from mole.window')).code).toBe('42501')
    expect(await accomplice.rows('select id from mole.honest')).toEqual([{ id: 1 }])
    await accomplice.rows('delete from mole.parent where id = 1; insert into mole.parent values (3)')
    expect(await database.value('select count(*) from mole.copy')).toBe(0)
    await admin.rows('analyze mole.parent, mole.child')
    expect([evil(admin, 'nobody'), evil(accomplice, 'accomplice')]).toEqual([[], []])
    expect(await database.rows(`select relname::text as name from pg_class where relname in ('by_g', 'plain')`)).toEqual([
      { name: 'plain' },
    ])
    await admin.end()
    await accomplice.end()
  })
})

describe('names, types and documents', () => {
  test('SQL in a name is a name', async () => {
    const names = [
      `"; drop table public.ours; --`,
      `'; drop table public.ours; --`,
      '%I',
      '$$',
      'a"b',
      '__proto__',
      'constructor',
      'toString',
      'select',
      '\\',
    ]
    const quoted = names.map((name) => `"${name.replaceAll('"', '""')}"`)
    await database.rows('create schema "x""; drop table public.ours; --"')
    await database.rows(`create type "x""; drop table public.ours; --"."int; drop table public.ours" as enum ('a')`)
    for (const name of quoted) {
      await database.rows(
        `create table "x""; drop table public.ours; --".${name} (${quoted.join(' int, ')} "x""; drop table public.ours; --"."int; drop table public.ours")`,
      )
    }
    await claim('reporter', `"x""; drop table public.ours; --".*`)
    expect(await database.value('select count(*) from public.ours')).toBe(1)
    expect((await privilegesOf(database, 'reporter')).length).toBe(names.length * names.length + 1)
    const reporter = await database.connect('reporter')
    for (const name of quoted) expect(await reporter.rows(`select * from "x""; drop table public.ours; --".${name}`)).toEqual([])
    await reporter.end()
    const error = await database.failure(`alter table "x""; drop table public.ours; --"."__proto__" drop column "constructor"`)
    expect(error.code).toBe('IDB01')
    await database.rows(`alter table "x""; drop table public.ours; --"."__proto__" add column "hasOwnProperty" int`)
    await claim('reporter', 'shop.orders')
    expect((await privilegesOf(database, 'reporter')).every((privilege) => privilege.includes('shop'))).toBe(true)
  })

  test.each([
    'int; drop table public.ours',
    'int) , (select pg_sleep(100)',
    'numeric(10,2); drop table public.ours',
    `numeric(pg_sleep(100))`,
    `varchar((select 1))`,
    'int -- x',
    'int /* x',
    'numeric(10,2) /* ) */',
    `int' || pg_sleep(100) || '`,
    'shop.orders.total%type',
    'shop.orders.nope%type',
    'nope.nope%type',
    'a.b.c.d',
    'setof int',
    '"',
    "'",
    '$1',
    '23',
    '-',
    '',
    ' ',
    '\\',
    'int[',
    'varchar(99999999999)',
    'interval(9999999)',
    'x'.repeat(100_000),
    '('.repeat(50_000),
    `${'int'}${'[]'.repeat(5_000)}`,
    'trap.text',
    'record',
    'cstring',
    'any',
  ])('the type %.40s is a type or none', async (type) => {
    const admin = await database.connect('admin')
    await admin.rows(`set statement_timeout = '20s'`)
    const document = JSON.stringify({ match: [{ path: 'shop.orders', fields: [{ name: 'id', type }] }] })
    const codes = (await admin.rows<{ code: string }>('select code from integratedb.check_claims($1)', [document])).map(({ code }) => code)
    for (const code of codes) expect(['IDB02', 'IDB03']).toContain(code)
    expect(await database.value('select count(*) from public.ours')).toBe(1)
    expect(evil(admin, 'nobody')).toEqual([])
    await admin.end()
  })

  test.each<[string, string]>([
    ['deep', `{"match": ${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['deep objects', `{"match": [${'{"alternatives": ['.repeat(2_000)}${']}'.repeat(2_000)}]}`],
    ['wide', JSON.stringify({ match: Array(20_000).fill(0) })],
    ['long', JSON.stringify({ match: [{ path: 'shop.orders', fields: '*' }], more: 'x'.repeat(2_000_000) })],
    ['of many fields', JSON.stringify({ match: [{ path: 'shop.orders', fields: Array.from({ length: 30_000 }, (_, i) => `f${i}`) }] })],
    ['of many paths', JSON.stringify({ match: Array.from({ length: 20_000 }, (_, i) => ({ path: `shop.t${i}` })) })],
    ['of one path', JSON.stringify({ match: [{ path: '"'.repeat(900_000) }] })],
    ['of dots', JSON.stringify({ match: [{ path: '.'.repeat(900_000) }] })],
    ['of prototypes', '{"match": [{"path": "shop.orders", "__proto__": {"fields": "*"}, "constructor": 1}], "__proto__": []}'],
    ['a number', '1e400000'.slice(0, 3)],
    ['null', 'null'],
  ])('a document that is %s is answered', async (_, document) => {
    const started = Date.now()
    const error = await database.failure('select integratedb.set_claims($1, $2)', ['reporter', document])
    expect(['IDB02', 'IDB03']).toContain(error.code)
    expect(error.detail?.length).toBeLessThan(20_000)
    expect(Date.now() - started).toBeLessThan(20_000)
    expect((await database.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
  })
})

describe('grants', () => {
  const grantsOn = (role: string) => privilegesOf(database, role)

  test('are exactly the claims: per column, without grant option, and PUBLIC is as it was', async () => {
    const publicBefore = await database.rows(
      `select relacl::text, attacl::text from pg_class c join pg_attribute a on a.attrelid = c.oid where c.oid = 'public.claimed'::regclass and attnum > 0`,
    )
    await database.rows('grant select (note) on public.claimed to public')
    await set('reporter', [{ path: 'public.claimed', fields: ['id', 'total'] }])
    expect(await grantsOn('reporter')).toEqual(['SELECT on public.claimed.id', 'SELECT on public.claimed.total', 'USAGE on schema public'])
    expect(
      await database.value(
        `select count(*) from pg_class c, aclexplode(c.relacl) x where c.oid = 'public.claimed'::regclass and x.grantee = 'reporter'::regrole`,
      ),
    ).toBe(0)
    expect(
      await database.value(
        `select bool_or(is_grantable) from pg_attribute a, aclexplode(a.attacl) x where attrelid = 'public.claimed'::regclass and grantee <> 0`,
      ),
    ).toBe(false)
    expect(await database.value(`select has_column_privilege('nobody', 'public.claimed', 'note', 'select')`)).toBe(true)
    await database.rows('revoke select (note) on public.claimed from public')
    await set('reporter', [{ path: 'public.claimed', fields: ['id'] }])
    expect(await grantsOn('reporter')).toEqual(['SELECT on public.claimed.id', 'USAGE on schema public'])
    await database.rows(`select integratedb.remove_claims('reporter')`)
    expect(await grantsOn('reporter')).toEqual([])
    const publicAfter = await database.rows(
      `select relacl::text, attacl::text from pg_class c join pg_attribute a on a.attrelid = c.oid where c.oid = 'public.claimed'::regclass and attnum > 0`,
    )
    expect(publicAfter.length).toBe(publicBefore.length)
    expect(JSON.stringify(publicAfter)).not.toContain('reporter')
  })

  test('made by hand on a claimed relation are taken away, by set_claims and by sync', async () => {
    await set('reporter', [{ path: 'public.claimed', fields: ['id'] }])
    for (const call of [`sync()`, `set_claims('reporter', '{"match": [{"path": "public.claimed", "fields": ["id"]}]}')`]) {
      await database.rows(`
        grant all on public.claimed to reporter with grant option; grant select (note), update (total) on public.claimed to reporter`)
      await database.rows(`select * from integratedb.${call}`)
      expect(await grantsOn('reporter')).toEqual(['SELECT on public.claimed.id', 'USAGE on schema public'])
    }
  })

  test('made by hand stay through migrations: whoever runs one has nothing to do with them', async () => {
    await database.rows('create table public.handed (id int, note text)')
    await claim('reporter', 'public.handed')
    await database.rows('grant insert, update on public.handed to reporter; alter table public.handed add column later date')
    expect(await grantsOn('reporter')).toEqual([
      'INSERT on public.handed',
      'SELECT on public.handed.id',
      'SELECT on public.handed.later',
      'SELECT on public.handed.note',
      'UPDATE on public.handed',
      'USAGE on schema public',
    ])
    await database.rows('select * from integratedb.sync()')
    expect(await grantsOn('reporter')).not.toContain('INSERT on public.handed')
  })

  test('cannot be handed on', async () => {
    await set('reporter', [{ path: 'public.claimed', fields: ['id'] }])
    const reporter = await database.connect('reporter')
    await reporter.rows('select id from public.claimed')
    await reporter.client.query('grant select (id) on public.claimed to nobody').catch(() => {})
    expect(await grantsOn('nobody')).toEqual([])
    for (const statement of [
      'select * from public.claimed',
      'select note from public.claimed',
      'insert into public.claimed values (1)',
      'update public.claimed set id = 2',
    ])
      expect((await reporter.failure(statement)).code).toBe('42501')
    await reporter.end()
  })

  test('on its own relations are its own affair', async () => {
    await database.rows(`select integratedb.add_stakeholder('selfish')`)
    const own = await database.connect('selfish')
    await own.rows('create table selfish.diary (id int, page text); insert into selfish.diary values (1)')
    await claim('selfish', 'selfish.diary', 'public.claimed')
    await claim('selfish', 'public.claimed')
    await database.rows(`select integratedb.remove_claims('selfish')`)
    await own.rows(`insert into selfish.diary values (2); update selfish.diary set page = 'x'; create table selfish.other (id int)`)
    expect(await own.value('select count(*) from selfish.diary')).toBe(2)
    await own.end()
  })

  test('usage of a schema goes with the last claim in it, though the relation be gone', async () => {
    await database.rows('create schema depot; create table depot.a (id int); create table depot.b (id int)')
    await claim('reporter', 'depot.a', 'depot.b')
    await claim('reporter', 'depot.b')
    expect(await grantsOn('reporter')).toEqual(['SELECT on depot.b.id', 'USAGE on schema depot'])
    await set('reporter', [{ path: 'depot.b', fields: '*', optional: true }])
    await database.rows('drop table depot.b')
    await claim('reporter', 'public.claimed')
    expect((await grantsOn('reporter')).filter((privilege) => privilege.includes('depot'))).toEqual([])
  })

  test('move in one transaction: nobody sees more than the old or the new', async () => {
    await set('reporter', [{ path: 'public.claimed', fields: ['id'] }])
    const admin = await database.connect()
    await admin.rows('begin')
    await admin.rows(`select integratedb.set_claims('reporter', '{"match": [{"path": "public.claimed", "fields": ["total"]}]}')`)
    expect(await grantsOn('reporter')).toEqual(['SELECT on public.claimed.id', 'USAGE on schema public'])
    await admin.rows('commit')
    expect(await grantsOn('reporter')).toEqual(['SELECT on public.claimed.total', 'USAGE on schema public'])
    await admin.end()
  })
})

describe('the password', () => {
  test('is in no log, no activity, and no statement statistics', async () => {
    const admin = await database.connect()
    const said: string[] = []
    admin.client.on('notice', (notice) => said.push(JSON.stringify({ ...notice, message: notice.message })))
    // What goes to the log comes to this client too.
    await admin.rows(`
      load 'auto_explain';
      set client_min_messages = log; set log_error_verbosity = verbose; set log_min_error_statement = debug5;
      set log_statement = 'all'; set log_min_duration_statement = 0; set log_duration = on; set log_parser_stats = off;
      set log_parameter_max_length = -1; set log_parameter_max_length_on_error = -1;
      set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
      set auto_explain.log_verbose = on; set auto_explain.log_triggers = on`)
    await admin.rows('set auto_explain.log_parameter_max_length = -1').catch(() => {}) // PostgreSQL 16
    const added = await admin.value<{ credentials: { password: string } }>(`select integratedb.add_stakeholder('logged')`)
    const activity = await database.value<string>('select string_agg(query, $1) from pg_stat_activity', ['\n'])
    const renamed = await admin.value<{ credentials: { password: string } }>(`select integratedb.rename_stakeholder('logged', 'logged_2')`)
    const rotated = await admin.value<{ credentials: { password: string } }>(`select integratedb.rotate_credentials('logged_2')`)
    const leased = await admin.value<{ credentials: { username: string; password: string } }>(
      `select integratedb.issue_credentials('logged_2', '1 hour')`,
    )
    await admin.rows('select integratedb.renew_credentials($1, $2)', [leased.credentials.username, '2 hours'])
    await admin.rows('select integratedb.revoke_credentials($1)', [leased.credentials.username])
    await admin.rows('select * from integratedb.expire_credentials(); select * from integratedb.doctor()')
    // A nested statement that fails puts its text into the log.
    await database.rows(`create function public.refuse() returns event_trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
      create event trigger refuse on ddl_command_start when tag in ('CREATE SCHEMA', 'ALTER SCHEMA') execute function public.refuse();
      create function public.refuse_too() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
      create trigger refuse before insert on integratedb.credential for each row when (new.kind <> 'own') execute function public.refuse_too()`)
    const failures = [
      await admin.failure(`select integratedb.rotate_credentials('logged_2')`),
      await admin.failure(`select integratedb.issue_credentials('logged_2', '1 hour')`),
      await admin.failure(`select integratedb.add_stakeholder('logged_3')`),
      await admin.failure(`select integratedb.rename_stakeholder('logged_2', 'logged_4')`),
    ]
    await database.rows('drop event trigger refuse; drop trigger refuse on integratedb.credential')
    expect(said.join('\n')).toContain('Query Text')
    const everything = [said.join('\n'), activity, JSON.stringify(failures.map((error) => ({ ...error, message: error.message })))].join(
      '\n',
    )
    for (const { credentials } of [added, renamed, rotated, leased]) expect(everything).not.toContain(credentials.password)
    // Nor any other: those that failed were never told to anybody.
    const passwords = everything.match(/(?<![A-Za-z0-9_+/=-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_+/=-])/g) ?? []
    expect(passwords).toEqual([])
    // Nor the salted password, which is as good: 256 bits, or bytes in hexadecimal.
    expect(everything).not.toMatch(/[01]{256}|\\\\x[0-9a-f]{64}/)
    await admin.end()
  })

  test('that is given where a verifier belongs is not repeated', async () => {
    await database.rows(`select integratedb.add_stakeholder('careless')`)
    const admin = await database.connect()
    const said: string[] = []
    admin.client.on('notice', (notice) => said.push(JSON.stringify({ ...notice, message: notice.message })))
    await admin.rows(
      `load 'auto_explain'; set client_min_messages = log; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on`,
    )
    await admin.rows('set auto_explain.log_parameter_max_length = -1').catch(() => {}) // PostgreSQL 16
    for (const call of [
      `add_stakeholder('careless_2', 'hunter2hunter2')`,
      `rotate_credentials('careless', verifier => 'hunter2hunter2')`,
      `issue_credentials('careless', '1 hour', 'hunter2hunter2')`,
    ]) {
      const error = await admin.failure(`select integratedb.${call}`)
      expect(error.code).toBe('IDB08')
      expect(JSON.stringify({ ...error, message: error.message })).not.toContain('hunter2')
    }
    expect(said.join()).not.toContain('hunter2')
    await admin.end()
  })
})
