// What does integratedb.sql do to a database, the first time and again, and when it cannot?

import { afterEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import {
  complaints,
  diagnosis,
  engineOf,
  grantsAndClaims,
  installFile,
  inventory,
  schemasAndRoles,
  settings,
  uninstallFile,
} from '../support/installation.ts'

const open: TestDatabase[] = []
afterEach(async () => {
  // Roles are the cluster's: those that one database made must not be in use in another when they go.
  if (open.length > 1) for (const database of open) await database.rows(uninstallFile).catch(() => {})
  for (const database of open.splice(0).reverse()) await database.drop()
})

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await TestDatabase.create(null)
  open.push(database)
  return database
}

async function installedDatabase(): Promise<TestDatabase> {
  const database = await TestDatabase.create()
  open.push(database)
  return database
}

const claimTotal = '{"match": [{"path": "public.orders", "fields": ["id", "total"]}]}'

describe('a first installation', () => {
  test('into an empty database, in autocommit, works and says what comes next', async () => {
    const db = await emptyDatabase()
    await db.rows(installFile)
    expect(db.notices.map(({ message }) => message)).toEqual([
      expect.stringMatching(new RegExp(`^IntegrateDB \\d+\\.\\d+\\.\\d+ is installed in database ${db.name} \\(engine (plv8|pljs)\\)$`)),
    ])
    expect(db.notices[0]?.hint).toContain('add_stakeholder')
    expect(await complaints(db)).toEqual([])
    expect(await settings(db)).toMatchObject({ enforcement: 'enforce', check_timing: 'commit' })
  })

  test('leaves the session settings that it needed as they were', async () => {
    const db = await emptyDatabase()
    await db.rows(`set search_path = app, public; set client_min_messages = 'debug1'`)
    await db.rows(installFile)
    expect(await db.value('show search_path')).toBe('app, public')
    expect(await db.value('show client_min_messages')).toBe('debug1')
    await db.rows('begin')
    await db.rows(installFile)
    expect(await db.value('show search_path')).toBe('app, public')
    await db.rows('rollback')
  })

  test('works in a session with settings of its own', async () => {
    const db = await emptyDatabase()
    await db.rows(`
      set standard_conforming_strings = off; set escape_string_warning = off;
      set check_function_bodies = off; set default_transaction_isolation = 'serializable'; set bytea_output = 'escape';
      set plpgsql.variable_conflict = 'use_column'; set row_security = off; set transform_null_equals = on`)
    await db.rows(installFile)
    const other = await db.connect()
    expect(await complaints(other)).toEqual([])
    const plain = await installedDatabase()
    expect(await inventory(other)).toEqual(await inventory(plain))
  })

  test('inside a transaction that is rolled back leaves nothing', async () => {
    const db = await emptyDatabase()
    const before = [await inventory(db), await schemasAndRoles(db)]
    await db.rows('begin')
    await db.rows(installFile)
    await db.rows("select integratedb.add_stakeholder('reporter')")
    expect(await complaints(db)).toEqual([])
    await db.rows('rollback')
    expect([await inventory(db), await schemasAndRoles(db)]).toEqual(before)
  })

  test('inside a transaction that goes on and commits', async () => {
    const db = await emptyDatabase()
    await db.rows('create table public.orders (id int primary key, total numeric)')
    await db.rows('begin')
    await db.rows(installFile)
    await db.rows("select integratedb.add_stakeholder('reporter')")
    await db.rows("select integratedb.set_claims('reporter', $1)", [claimTotal])
    await db.rows('commit')
    const error = await db.failure('alter table public.orders drop column total')
    expect(error.code).toBe('IDB01')
  })

  test('gives nothing to those whom default privileges favour', async () => {
    const db = await emptyDatabase()
    await db.rows(`
      create role favourite login;
      alter default privileges grant all on tables to favourite;
      alter default privileges grant all on sequences to favourite;
      alter default privileges grant execute on functions to favourite;
      alter default privileges grant all on schemas to favourite`)
    await db.rows(installFile)
    const favourite = await db.connect('favourite')
    expect((await favourite.failure("select integratedb.add_stakeholder('mine')")).code).toBe('42501')
    expect((await favourite.failure("update integratedb.setting set value = 'off'")).code).toBe('42501')
    expect((await favourite.failure('select * from integratedb.claims')).code).toBe('42501')
    expect((await favourite.failure('create table integratedb.mine ()')).code).toBe('42501')
    const again = await inventory(db)
    await db.rows(installFile)
    expect(await inventory(db)).toEqual(again)
    await db.rows(`drop owned by favourite`)
  })
})

describe('a second installation', () => {
  test('equals the first', async () => {
    const db = await emptyDatabase()
    await db.rows(installFile)
    const once = [await inventory(db), await settings(db)]
    await db.rows(installFile)
    expect([await inventory(db), await settings(db)]).toEqual(once)
    expect(await complaints(db)).toEqual([])
  })

  test('brings back what somebody broke', async () => {
    const db = await installedDatabase()
    const sound = await inventory(db)
    await db.rows(`
      create or replace function integratedb.get_claims(name text) returns jsonb language sql as 'select null::jsonb';
      grant execute on all functions in schema integratedb to public;
      grant select on all tables in schema integratedb to public;
      drop event trigger integratedb_note_ddl;
      alter event trigger integratedb_note_drop disable;
      alter table integratedb.migration disable trigger claims_hold;
      drop view integratedb.claims cascade`)
    await db.rows(installFile)
    expect(await inventory(db)).toEqual(sound)
    expect(await complaints(db)).toEqual([])
  })
})

describe('an upgrade', () => {
  /** Makes of this installation one of version 0.0.9, with another core and other functions. */
  async function age(db: TestDatabase): Promise<void> {
    const engine = await engineOf(db)
    const source = await db.value<string>("select prosrc from pg_proc where oid = 'integratedb._core'::regproc")
    const old = source
      .replaceAll(/integratedb \d+\.\d+\.\d+ [0-9a-f]{16}/g, 'integratedb 0.0.9 0123456789abcdef')
      .replace('globalThis["integratedb 0.0.9 0123456789abcdef"] = operate', (set) =>
        set.replace(
          / operate$/,
          ` (op, input) => op === 'probe'
          ? JSON.stringify({ error: { code: 'IDB02', message: 'the old core', detail: 'the old core', hint: 'old' } })
          : operate(op, input)`,
        ),
      )
    expect(old).toContain('the old core')
    await db.rows(`
      update integratedb.setting set value = '0.0.9' where name = 'version';
      update integratedb.setting set value = '0123456789abcdef' where name = 'core';
      drop function integratedb._core(text, text);
      create function integratedb._core(op text, input text) returns text language ${engine} as $old$${old}$old$;
      create or replace function integratedb.get_claims(name text) returns jsonb language plpgsql security definer
        set search_path = pg_catalog, pg_temp as $$ begin return '"the old function"'; end $$;
      drop function integratedb.dependents(text, text);
      comment on function integratedb.sync() is null;
      create function integratedb._of_the_old_version(text) returns text language sql as 'select $1';
      drop function integratedb._with_content(jsonb);
      create function integratedb._with_content(jsonb) returns setof integer language sql as 'select 1';
      drop event trigger integratedb_note_drop`)
  }

  test('loses nothing, ends like a fresh installation, and reaches sessions that are open', async () => {
    const db = await installedDatabase()
    const fresh = await inventory(db)
    await db.rows('create table public.orders (id int primary key, total numeric, note text)')
    await db.rows("select integratedb.add_stakeholder('reporter')")
    await db.rows("select integratedb.set_claims('reporter', $1)", [claimTotal])
    await db.rows('alter table public.orders alter note type varchar(9)')
    await db.rows("select integratedb.set_enforcement('warn'); select integratedb.set_check_timing('statement')")
    await db.rows(
      'create role auditor; grant execute on function integratedb.doctor() to auditor; grant select on integratedb.stakeholder to auditor',
    )
    await age(db)
    const data = async () => [
      await db.rows('select * from integratedb.stakeholder'),
      await db.rows('select * from integratedb.claim'),
      await db.rows('select * from integratedb.migration'),
      await grantsAndClaims(db, 'reporter'),
    ]
    const before = await data()
    const session = await db.connect()
    const probe = "select integratedb._call('probe', '{}')"
    expect((await session.failure(probe)).message).toBe('the old core')
    expect(await session.value("select integratedb.get_claims('reporter')")).toBe('the old function')

    await db.rows(installFile)

    expect(await data()).toEqual(before)
    expect((await session.failure(probe)).detail).toContain('has no operation probe')
    expect(await session.value("select integratedb.get_claims('reporter')")).toEqual(JSON.parse(claimTotal))
    expect(await settings(db)).toMatchObject({ enforcement: 'warn', check_timing: 'statement' })
    expect((await settings(db))['version']).not.toBe('0.0.9')
    const auditor =
      "has_function_privilege('auditor', 'integratedb.doctor()', 'execute') and has_table_privilege('auditor', 'integratedb.stakeholder', 'select')"
    expect(await db.value(`select ${auditor}`)).toBe(true)
    await db.rows('drop owned by auditor')
    expect(await inventory(db)).toEqual(fresh)
    expect(await complaints(db)).toEqual(['enforcement: warning'])
    await db.rows("select integratedb.set_enforcement('enforce')")
    expect((await session.failure('alter table public.orders drop column total')).code).toBe('IDB01')
  })

  test.each([
    ['from one with another core', age],
    [
      'from one with the same core',
      async (db: TestDatabase) => void (await db.rows(`update integratedb.setting set value = '0.0.9' where name = 'version'`)),
    ],
  ])(
    '%s that told otherwise what a type is made of, and had nothing behind a claim: nothing is another type, and everything is behind',
    async (_, age) => {
      const db = await installedDatabase()
      await db.rows(`create type public.pair as (a int, b text); create sequence public.counter;
      create table public.orders (id int primary key, pair public.pair, pairs public.pair[]); create view public.last as select last_value from public.counter;
      create table public.old (id int primary key); create table public.older () inherits (public.old)`)
      await db.rows("select integratedb.add_stakeholder('reporter')")
      const claims = {
        match: [
          { path: 'public.*', fields: '*' },
          { path: 'public.orders', fields: [{ name: 'pair', type: 'public.pair' }] },
        ],
      }
      await db.rows("select integratedb.set_claims('reporter', $1)", [claims])
      const state = async () =>
        await db.rows('select stakeholder, match, relid, fields, behind from integratedb.claim order by match, relid')
      const before = await state()
      await age(db)
      await db.rows(
        `update integratedb.claim set behind = '{}', fields = replace(fields::text, 'composite of 1: a integer, 2: b text', 'composite of a integer, b text')::jsonb`,
      )
      expect(await state()).not.toEqual(before)

      await db.rows(installFile)

      expect(await state()).toEqual(before)
      await db.rows('alter table public.orders add more int')
      expect((await db.failure('alter type public.pair drop attribute a cascade')).code).toBe('IDB01')
      expect(await db.rows('select from integratedb.unmet_claims()')).toEqual([])
    },
  )

  test('from before stakeholders had several logins: each gets its own as a credential, and calls their new signatures', async () => {
    const db = await installedDatabase()
    const fresh = await inventory(db)
    await db.rows(`select integratedb.add_stakeholder('reporter'), integratedb.add_stakeholder('shut'); alter role shut nologin`)
    await db.rows(`alter role reporter valid until '2040-01-01'`)
    // As it was then.
    await db.rows(`
      drop view integratedb.stakeholders, integratedb.credentials;
      drop table integratedb.credential cascade; drop table integratedb.tombstone;
      alter table integratedb.stakeholder drop column options;
      drop function integratedb.add_stakeholder(text, text);
      create function integratedb.add_stakeholder(name text) returns jsonb language sql security definer as 'select null::jsonb';
      grant execute on function integratedb.add_stakeholder(text) to integratedb_admin;
      create view integratedb.stakeholders as
        select s.name, ''::text as schema, r.rolname::text as username, r.rolvaliduntil as valid_until, 0::bigint as claims
          from integratedb.stakeholder s left join pg_catalog.pg_roles r on r.rolname = s.name`)
    // Anybody can make a view on it.
    await db.rows('create role nosy login; create schema nosy authorization nosy')
    const nosy = await db.connect('nosy')
    await nosy.rows(
      `create view nosy.a as select integratedb.add_stakeholder('mine'); create view nosy.b as select * from integratedb.stakeholders`,
    )

    for (let i = 0; i < 2; i++) {
      await db.rows(installFile)
      expect(await db.rows('select username, stakeholder, kind, valid_until from integratedb.credentials')).toEqual([
        { username: 'reporter', stakeholder: 'reporter', kind: 'own', valid_until: new Date('2040-01-01T00:00:00Z') },
      ])
      expect(await complaints(db)).toEqual(['credentials are as they were given: warning']) // shut
      for (const view of ['a', 'b']) expect((await nosy.failure(`select * from nosy.${view}`)).code).toBe('42501')
    }
    // What its password was then is what it was given.
    expect((await diagnosis(db, 'credentials are as they were given')).detail).toBe('shut cannot log in')
    await db.rows(`alter role reporter password 'another'`)
    expect((await diagnosis(db, 'credentials are as they were given')).detail).toContain('the password of reporter was changed')

    await nosy.rows('drop view nosy.a, nosy.b')
    await db.rows(installFile)
    expect((await inventory(db)).filter((line) => !line.includes('pg.dropped'))).toEqual(fresh)
    await db.rows(`select integratedb.rotate_credentials('reporter', '0'), integratedb.add_stakeholder('later')`)
    // A login that IntegrateDB has ended does not come back with an upgrade.
    await db.rows('select * from integratedb.expire_credentials()')
    await db.rows(installFile)
    expect(await db.rows('select username from integratedb.credentials where stakeholder = $1', ['reporter'])).toEqual([
      { username: expect.stringMatching(/^reporter_/) },
    ])
  })

  test('waits for a migration that is under way, which is judged all the same', async () => {
    const db = await installedDatabase()
    await db.rows('create table public.orders (id int primary key, total numeric)')
    await db.rows("select integratedb.add_stakeholder('reporter')")
    await db.rows("select integratedb.set_claims('reporter', $1)", [claimTotal])
    await age(db)
    const migration = await db.connect()
    await migration.rows('begin; alter table public.orders drop column total')
    const upgrade = db.rows(installFile)
    const waits = async () => await (await db.connect()).value<number>('select count(*) from pg_locks where not granted')
    await expect.poll(waits).toBeGreaterThan(0)
    const error = await migration.failure('commit')
    expect([error.code, error.constraint]).toEqual(['IDB01', 'claims_hold'])
    await upgrade
    expect(await complaints(db)).toEqual([])
  })

  test('to an older version is refused', async () => {
    const db = await installedDatabase()
    await db.rows("update integratedb.setting set value = '0.10.0' where name = 'version'")
    const before = await inventory(db)
    const error = await db.failure(installFile)
    expect([error.code, error.message]).toEqual(['IDB07', 'this database has IntegrateDB 0.10.0, which is newer'])
    expect(error.hint).toContain('Nothing was changed')
    expect(await inventory(db)).toEqual(before)
  })

  test('by somebody else is refused, and says who may', async () => {
    const db = await installedDatabase()
    await db.rows(
      `create role other login createrole; grant create on database ${db.name} to other; grant usage on language ${await engineOf(db)} to other`,
    )
    const owner = await db.value('select current_user')
    const error = await (await db.connect('other')).failure(installFile)
    expect([error.code, error.message, error.hint]).toEqual([
      'IDB07',
      `IntegrateDB was installed here by ${owner}`,
      `Run this file as ${owner}. Nothing was changed.`,
    ])
    await db.rows('drop owned by other')
  })

  test('by another superuser works, and everything still belongs to the first', async () => {
    const db = await installedDatabase()
    const before = await inventory(db)
    await db.rows('create role second_superuser superuser login')
    await (await db.connect('second_superuser')).rows(installFile)
    // A trigger on events belongs to whoever made it.
    const owner = await db.value('select current_user')
    const after = (await inventory(db)).map((line) =>
      line.startsWith('event trigger') ? line.replace('second_superuser', String(owner)) : line,
    )
    expect(after).toEqual(before)
    expect(await complaints(db)).toEqual([])
    await db.rows(
      'alter event trigger integratedb_note_ddl owner to current_user; alter event trigger integratedb_note_drop owner to current_user',
    )
  })
})

describe('an installation that cannot be', () => {
  test('a database in another encoding', async () => {
    const db = await TestDatabase.create(null, "encoding 'LATIN1' locale_provider libc lc_collate 'C' lc_ctype 'C'")
    open.push(db)
    const before = await schemasAndRoles(db)
    const error = await db.failure(installFile)
    expect([error.code, error.message]).toEqual(['IDB07', `IntegrateDB needs a database with encoding UTF8, and ${db.name} has LATIN1`])
    expect(await schemasAndRoles(db)).toEqual(before)
  })

  test('a schema integratedb that is not ours stays as it is', async () => {
    const db = await emptyDatabase()
    await db.rows('create role somebody; create schema integratedb authorization somebody; create table integratedb.setting (mine int)')
    const before = await inventory(db)
    const error = await db.failure(installFile)
    expect([error.code, error.message, error.detail]).toEqual([
      'IDB07',
      'there is a schema integratedb that is not an installation of IntegrateDB',
      'It belongs to somebody.',
    ])
    expect(await inventory(db)).toEqual(before)
  })

  test('a schema that looks like ours does not get a superuser to run what is in it', async () => {
    const db = await emptyDatabase()
    await db.rows(`create role attacker login; grant create on database ${db.name} to attacker`)
    await (await db.connect('attacker')).rows(`
      create schema integratedb;
      create table integratedb.setting (name text primary key, value text);
      create table integratedb.epoch (is_only boolean primary key, number bigint, working xid8);
      create table integratedb.stakeholder (name text primary key);
      create table integratedb.claim (id bigint);
      create table integratedb.migration (id bigint);
      create function integratedb.climb() returns trigger language plpgsql as $$ begin execute 'alter role attacker superuser'; return new; end $$;
      create trigger climb before insert on integratedb.setting for each row execute function integratedb.climb();
      create trigger climb before insert on integratedb.epoch for each row execute function integratedb.climb()`)
    const error = await db.failure(installFile)
    expect([error.code, error.message]).toEqual(['IDB07', 'IntegrateDB was installed here by attacker'])
    expect(error.hint).toContain('if you trust what attacker has put there')
    expect(await db.value("select rolsuper from pg_roles where rolname = 'attacker'")).toBe(false)
    await db.rows('drop owned by attacker cascade')
  })

  test('an event trigger with our name that is not ours', async () => {
    const db = await emptyDatabase()
    await db.rows(`
      create function public.mine() returns event_trigger language plpgsql as $$ begin end $$;
      create event trigger integratedb_note_drop on sql_drop execute function public.mine()`)
    const before = [await inventory(db), await schemasAndRoles(db)]
    const error = await db.failure(installFile)
    expect([error.code, error.message]).toEqual(['IDB07', 'there is an event trigger integratedb_note_drop that is not ours'])
    expect([await inventory(db), await schemasAndRoles(db)]).toEqual(before)
  })

  test.each([
    ['may not create schemas', 'createrole', [], /^installer may not create schemas in database /, /^GRANT CREATE ON DATABASE /],
    ['may not create roles', '', ['create'], /^installer may not create roles$/, /^ALTER ROLE installer CREATEROLE/],
    [
      'may not create the extension',
      'createrole',
      ['create'],
      /^IntegrateDB needs the JavaScript language plv8 \(or pljs\)/,
      /^Have a superuser run CREATE EXTENSION (plv8|pljs) and GRANT USAGE ON LANGUAGE (plv8|pljs) TO installer/,
    ],
    [
      'may not use the language',
      'createrole',
      ['create', 'extension'],
      /^IntegrateDB needs the JavaScript language plv8 \(or pljs\)/,
      /GRANT USAGE ON LANGUAGE (plv8|pljs) TO installer/,
    ],
  ])('by a role that %s leaves nothing', async (_, attribute, rights, message, hint) => {
    const db = await emptyDatabase()
    const engine = await engineOf(await installedDatabase())
    await db.rows(`create role installer login ${attribute}`)
    if (rights.includes('create')) await db.rows(`grant create on database ${db.name} to installer`)
    if (rights.includes('extension')) await db.rows(`create extension ${engine}; revoke usage on language ${engine} from public`)
    const before = [await inventory(db), await schemasAndRoles(db)]
    const error = await (await db.connect('installer')).failure(installFile)
    expect(error.code).toBe('IDB07')
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
    expect(error.hint).toContain('Nothing was installed.')
    expect([await inventory(db), await schemasAndRoles(db)]).toEqual(before)
    await db.rows(`revoke all on database ${db.name} from installer`)
  })
})

describe('several databases of one cluster', () => {
  test('do not know of each other, but share the administrators', async () => {
    const one = await installedDatabase()
    const two = await emptyDatabase()
    await two.rows(installFile)
    await one.rows("create role administrator login in role integratedb_admin; select integratedb.add_stakeholder('reporter')")
    const error = await (await two.connect('administrator')).failure("select integratedb.add_stakeholder('reporter')")
    expect([error.code, error.message, error.detail]).toEqual([
      'IDB05',
      'the name reporter is taken',
      'There is a role of that name already, in this cluster.',
    ])
    await (await two.connect('administrator')).rows("select integratedb.add_stakeholder('biller')")
    expect(await one.rows('select name from integratedb.stakeholders')).toEqual([{ name: 'reporter' }])
    expect(await two.rows('select name from integratedb.stakeholders')).toEqual([{ name: 'biller' }])
    expect(await diagnosis(one, 'stakeholders')).toMatchObject({ status: 'ok' })
  })
})

describe('who may call what', () => {
  test('a member of integratedb_admin who is no superuser does everything', async () => {
    const db = await installedDatabase()
    await db.rows(
      'create table public.orders (id int primary key, total numeric); create role administrator login in role integratedb_admin',
    )
    const admin = await db.connect('administrator')
    const calls: [string, unknown[]?][] = [
      ["select integratedb.add_stakeholder('reporter')"],
      ['select * from integratedb.check_claims($1)', [claimTotal]],
      ["select * from integratedb.set_claims('reporter', $1)", [claimTotal]],
      ["select integratedb.get_claims('reporter')"],
      ['select * from integratedb.claims'],
      ['select * from integratedb.stakeholders'],
      ['select * from integratedb.migrations'],
      ['select * from integratedb.unmet_claims()'],
      ['select * from integratedb.sync()'],
      ["select * from integratedb.dependents('public.orders')"],
      ["select integratedb.set_enforcement('off')"],
      ["select integratedb.set_enforcement('enforce')"],
      ["select integratedb.set_check_timing('statement')"],
      ["select integratedb.set_check_timing('commit')"],
      ['select integratedb.validate_migration()'],
      ["select * from integratedb.check_migration('create temp table t ()')"],
      ['select * from integratedb.version()'],
      ['select * from integratedb.doctor()'],
      ["select integratedb.set_stakeholder_option('reporter', 'search_path', 'reporter, public')"],
      ["select integratedb.rotate_credentials('reporter')"],
      ["select integratedb.issue_credentials('reporter', '1 hour')"],
      ["select integratedb.renew_credentials(username, '2 hours') from integratedb.credentials where kind = 'lease'"],
      ["select integratedb.revoke_credentials(username) from integratedb.credentials where kind = 'lease'"],
      ['select * from integratedb.expire_credentials()'],
      ["select integratedb.rename_stakeholder('reporter', 'writer')"],
      ["select integratedb.remove_claims('writer')"],
      ['select * from integratedb.claim_requests'],
      ['select * from integratedb.decisions'],
      ["select integratedb.allow_claims('administrator', 'writer', 'public.*')"],
    ]
    for (const [sql, values] of calls) await admin.rows(sql, values)
    await (await db.connect('writer')).rows('create table writer.note (text text)')
    await admin.rows("select integratedb.remove_stakeholder('writer')")
    expect(await db.value("select tableowner from pg_tables where tablename = 'note'")).toBe('administrator')
    await db.rows('drop schema writer cascade')
  })

  test('a role that is no member is told so, and changes nothing', async () => {
    const db = await installedDatabase()
    await db.rows('create role nobody_special login')
    const other = await db.connect('nobody_special')
    const forbidden = await db.rows<{ call: string; kind: string; name: string }>(`
      select format('select * from integratedb.%I(%s)', proname,
               array_to_string(array(select format('null::%s', format_type(t, null)) from unnest(proargtypes) t), ', ')) as call,
             'function' as kind, proname as name
        from pg_proc where pronamespace = 'integratedb'::regnamespace and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
         and proname not in ('version', 'validate_migration', 'check_migration', '_begin_check', '_judge_check', 'check_claims', 'my_claims', 'my_requests',
           'pending_claims', 'request_claims', 'approve_claims', 'reject_claims', 'allow_claims', 'disallow_claims',
           'take_events', 'ack_events', 'release_events', 'issue_socket_token')
      union all
      select format('select * from integratedb.%I', relname), case relkind when 'v' then 'view' else 'table' end, relname
        from pg_class where relnamespace = 'integratedb'::regnamespace and relkind in ('r', 'v')
         and relname not in ('_my_claims', '_my_requests', '_pending_claims')`)
    expect(forbidden.length).toBeGreaterThan(40)
    for (const { call, kind, name } of forbidden) {
      const error = await other.failure(call)
      expect([error.code, error.message], call).toEqual(['42501', `permission denied for ${kind} ${name}`])
    }
    expect(await other.rows('select * from integratedb.version()')).toHaveLength(4)
    await other.rows('select integratedb.validate_migration()')
  })
})
