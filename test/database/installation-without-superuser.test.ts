// Who is not superuser can install too: what works, what does not, and how to go on.

import { afterEach, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { complaints, diagnosis, grantsAndClaims, installFile, inventory, uninstallFile } from '../support/installation.ts'

let db: TestDatabase
let installer: Session
afterEach(async () => {
  // The owner of a database's objects cannot be dropped while they are there, nor while it grants on the database.
  await db.drop()
})

/** CREATEROLE, CREATE on the database and USAGE on the language: what a database's owner can hand out. */
async function install(): Promise<void> {
  db = await TestDatabase.create(null)
  // Which engine would be picked here? The installation says; undone at once.
  await db.rows('begin')
  await db.rows(installFile)
  const engine = await db.value<string>("select component from integratedb.version() where component in ('plv8', 'pljs')")
  await db.rows('rollback')
  await db.rows(`
    create extension ${engine};
    revoke usage on language ${engine} from public;
    create role installer login createrole;
    create role stranger login;
    grant create on database ${db.name} to installer;
    grant usage on language ${engine} to installer;
    create schema strange authorization stranger;
    create table strange.thing (id int primary key);
    alter table strange.thing owner to stranger`)
  installer = await db.connect('installer')
  await installer.rows(installFile)
  await installer.rows(`
    create schema shop;
    create table shop.orders (id int primary key, total numeric(10, 2), note text);
    create role administrator login`)
  await db.rows('grant integratedb_admin to administrator')
}

const claimTotal = '{"match": [{"path": "shop.orders", "fields": ["id", "total"]}]}'

async function claim(): Promise<void> {
  await installer.rows("select integratedb.add_stakeholder('reporter')")
  await installer.rows("select integratedb.set_claims('reporter', $1)", [claimTotal])
}

test('everything but event triggers is installed, and it says how to go on', async () => {
  await install()
  expect(installer.notices).toEqual([
    expect.objectContaining({
      message: expect.stringContaining('is installed in database'),
      hint: expect.stringMatching(
        /^installer may not create event triggers.*end each with SELECT integratedb\.validate_migration\(\).*ALTER SCHEMA integratedb OWNER TO CURRENT_USER/,
      ),
    }),
  ])
  // The role is the cluster's and was there before; from PostgreSQL 16 on CREATEROLE alone does not let one hand it out.
  const administrators = 'grant integratedb_admin to stranger'
  if ((await db.value<string>('show server_version_num')) >= '160000') {
    expect(installer.notices[0]?.hint).toContain('GRANT integratedb_admin TO installer WITH ADMIN OPTION')
    expect((await installer.failure(administrators)).code).toBe('42501')
    await db.rows('grant integratedb_admin to installer with admin option')
  }
  await installer.rows(administrators)
  expect(await complaints(installer)).toEqual(['event triggers: problem'])
  expect((await diagnosis(installer, 'event triggers')).fix).toContain('SELECT integratedb.validate_migration()')
  expect(await installer.rows('select from pg_event_trigger')).toEqual([])
})

test('the fix for a language that everyone may use leaves it to who installs upgrades', async () => {
  await install()
  const { component } =
    (await installer.rows<{ component: string }>("select component from integratedb.version() where component ~ '^pl'"))[0] ?? {}
  await db.rows(`grant usage on language ${component} to public; revoke usage on language ${component} from installer`)
  const { status, fix } = await diagnosis(installer, 'engine is not for everyone')
  expect(status).toBe('warning')
  await db.rows(fix ?? '')
  await installer.rows(installFile)
  expect(await complaints(installer)).toEqual(['event triggers: problem'])
})

test('installing twice equals installing once', async () => {
  await install()
  const once = await inventory(installer)
  await installer.rows(installFile)
  expect(await inventory(installer)).toEqual(once)
})

test('claims on tables of its own are granted, and the stakeholder reads them', async () => {
  await install()
  await claim()
  const { granted, claimed } = await grantsAndClaims(installer, 'reporter')
  expect(granted).toEqual(claimed)
  const reporter = await db.connect('reporter')
  expect(await reporter.rows('select id, total from shop.orders')).toEqual([])
  expect((await reporter.failure('select note from shop.orders')).code).toBe('42501')
  await reporter.rows('create table reporter.cache (id int)')
})

test('claims on tables of others are refused, and it says who could grant them', async () => {
  await install()
  await installer.rows("select integratedb.add_stakeholder('reporter')")
  const error = await installer.failure("select integratedb.set_claims('reporter', $1)", [
    '{"match": [{"path": "strange.thing", "fields": "*"}]}',
  ])
  expect(error.code).toBe('IDB06')
  expect(`${error.detail} ${error.hint}`).toContain('stranger')
  expect(await installer.rows('select * from integratedb.claim')).toEqual([])
  expect((await grantsAndClaims(db, 'reporter')).granted).toEqual([])
  // What they hand out with grant option can be claimed.
  await db.rows(
    'grant usage on schema strange to installer with grant option; grant select on strange.thing to installer with grant option',
  )
  await installer.rows("select integratedb.set_claims('reporter', $1)", ['{"match": [{"path": "strange.thing", "fields": "*"}]}'])
  expect(await (await db.connect('reporter')).rows('select id from strange.thing')).toEqual([])
  await installer.rows("select integratedb.remove_claims('reporter')")
  expect((await grantsAndClaims(db, 'reporter')).granted).toEqual([])
})

test('validate_migration() at the end of a migration rejects what breaks a claim and follows what does not', async () => {
  await install()
  await claim()
  await installer.rows('begin; alter table shop.orders drop column total')
  const error = await installer.failure('select integratedb.validate_migration()')
  expect([error.code, error.constraint, error.schema, error.table, error.column]).toEqual([
    'IDB01',
    'claims_hold',
    'shop',
    'orders',
    'total',
  ])
  await installer.rows('rollback')

  await installer.rows("select integratedb.set_claims('reporter', $1)", ['{"match": [{"path": "shop.*", "fields": "*"}]}'])
  await installer.rows(
    'begin; alter table shop.orders add extra int; create table shop.item (id int); select integratedb.validate_migration(); commit',
  )
  const { granted, claimed } = await grantsAndClaims(installer, 'reporter')
  expect(granted).toEqual(claimed)
  expect(granted).toContain('shop.orders.extra')
  expect(granted).toContain('shop.item.id')
  // More DDL after it, and again.
  await installer.rows(
    'begin; alter table shop.orders add again int; select integratedb.validate_migration(); alter table shop.orders drop again',
  )
  expect((await installer.failure('select integratedb.validate_migration()')).code).toBe('IDB01')
  await installer.rows('rollback')
  expect(await installer.rows('select code from integratedb.check_migration($$ alter table shop.orders drop column note $$)')).toEqual([
    { code: 'IDB201' },
  ])
  expect(await installer.rows('select * from integratedb.unmet_claims()')).toEqual([])
})

test('an administrator of its making renames and removes stakeholders', async () => {
  await install()
  await claim()
  const administrator = await db.connect('administrator')
  const reporter = await db.connect('reporter')
  await reporter.rows('create table reporter.cache (id int)')
  await administrator.rows("select integratedb.rename_stakeholder('reporter', 'teller')")
  const { granted, claimed } = await grantsAndClaims(installer, 'teller')
  expect(granted).toEqual(claimed)
  await administrator.rows("select integratedb.remove_stakeholder('teller')")
  expect(await installer.rows("select rolname from pg_roles where rolname in ('reporter', 'teller')")).toEqual([])
  expect(await installer.rows("select schemaname from pg_tables where tablename = 'cache'")).toEqual([{ schemaname: 'teller' }])
  // The installer may not give anything to a role that it has no power over: it keeps it.
  expect(await installer.value("select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'teller'")).toBe('installer')
  // Its session is over.
  await expect(reporter.rows('select 1')).rejects.toThrow()
})

test('logins come and go; what they make is their own until they go, for Postgres lets only a superuser arrange it otherwise', async () => {
  await install()
  await claim()
  const administrator = await db.connect('administrator')
  type Answer = { credentials: { username: string } }
  const { username } = (await administrator.value<Answer>("select integratedb.issue_credentials('reporter', '1 hour')")).credentials
  const rotated = (await administrator.value<Answer>("select integratedb.rotate_credentials('reporter', '0')")).credentials.username
  await administrator.rows("select integratedb.set_stakeholder_option('reporter', 'search_path', 'reporter, shop')")
  for (const user of [username, rotated]) {
    const session = await db.connect(user)
    expect(await session.rows('select id, total from orders')).toEqual([])
    await session.rows(`create table ${user === rotated ? 'kept' : 'lent'} (id int)`)
  }
  const ofLease = await db.connect(username)
  await administrator.rows('select integratedb.renew_credentials($1, $2)', [username, '2 hours'])
  await administrator.rows('select integratedb.revoke_credentials($1)', [username])
  await expect(ofLease.rows('select 1')).rejects.toThrow()
  expect(await administrator.rows('select username, problem from integratedb.expire_credentials() order by 1')).toEqual([
    { username: 'reporter', problem: null },
    { username, problem: null },
  ])
  expect(await administrator.rows('select * from integratedb.expire_credentials()')).toEqual([])
  expect(await installer.rows("select tablename, tableowner from pg_tables where schemaname = 'reporter' order by 1")).toEqual([
    { tablename: 'kept', tableowner: rotated },
    { tablename: 'lent', tableowner: 'reporter' },
  ])
  expect(await complaints(installer)).toEqual(['event triggers: problem'])
  await administrator.rows("select integratedb.remove_stakeholder('reporter', false)")
  expect(await installer.rows("select rolname from pg_roles where rolname ~ '^reporter'")).toEqual([])
})

test('it ends the sessions of a stakeholder that it removes', async () => {
  await install()
  await claim()
  const reporter = await db.connect('reporter')
  await installer.rows("select integratedb.remove_stakeholder('reporter', keep_data => false)")
  await expect(reporter.rows('select 1')).rejects.toThrow()
  expect(await installer.rows("select from pg_namespace where nspname = 'reporter'")).toEqual([])
})

test('a superuser takes it over: then event triggers judge', async () => {
  await install()
  await claim()
  const refused = await db.failure(installFile)
  expect([refused.code, refused.message]).toEqual(['IDB07', 'IntegrateDB was installed here by installer'])
  await db.rows('alter schema integratedb owner to current_user')
  await db.rows(installFile)
  expect(await complaints(db)).toEqual([])
  const equal = await TestDatabase.create()
  try {
    expect(await inventory(db)).toEqual(
      (await inventory(equal)).map((line) => line.replace(/^(language \| pl(v8|js) \| t \| )/, '$1installer=U/postgres ')),
    )
  } finally {
    await equal.drop()
  }
  expect((await installer.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
  expect((await db.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
  await installer.rows('alter table shop.orders add extra int')
})

test('made superuser for the installation, it has event triggers, and its upgrades keep them', async () => {
  await install()
  await claim()
  await db.rows('alter role installer superuser')
  await installer.rows(installFile)
  await db.rows('alter role installer nosuperuser')
  expect(await complaints(installer)).toEqual([])
  const before = await inventory(installer)
  await installer.rows(installFile)
  expect(await inventory(installer)).toEqual(before)
  expect((await installer.failure('alter table shop.orders drop column total')).code).toBe('IDB01')
})

test('it publishes what is its own: a table that others own, or that goes to others, is not told of', async () => {
  await install()
  await db.rows('alter role installer superuser') // for the event triggers
  await installer.rows(installFile)
  await db.rows('alter role installer nosuperuser')
  await claim()
  const notifications = JSON.stringify({
    match: [{ path: 'shop.orders', events: ['*'], channels: ['*'] }],
    channels: [{ name: 'jobs', kind: 'QUEUE' }],
  })
  await installer.rows(`select * from integratedb.set_notifications('reporter', $1)`, [notifications])
  const owner = () => db.value(`select pg_get_userbyid(pubowner) from pg_publication where pubname = 'integratedb'`)
  expect(await owner()).toBe('installer')
  const error = await db.failure('alter table shop.orders owner to stranger')
  expect([error.code, error.detail]).toEqual([
    'IDB01',
    expect.stringContaining(
      'IDB501 reporter needs shop.orders (notifications): it belongs to stranger, and installer, as which IntegrateDB publishes, is no member of it',
    ),
  ])
  for (const statement of ['grant stranger to installer', 'alter table shop.orders owner to stranger', 'revoke stranger from installer'])
    await db.rows(statement)
  expect((await installer.failure(`select * from integratedb.set_notifications('reporter', $1)`, [notifications])).detail).toBe(
    '/match/0/path: shop.orders: it belongs to stranger, and installer, as which IntegrateDB publishes, is no member of it',
  )
  // A superuser takes it over, and with it the publication.
  await db.rows('alter schema integratedb owner to current_user')
  await db.rows(installFile)
  expect(await owner()).not.toBe('installer')
  await db.rows(`select * from integratedb.set_notifications('reporter', $1)`, [notifications])
  await db.rows('insert into shop.orders values (1, 1); update shop.orders set total = 2; delete from shop.orders')
  expect(await (await db.connect('reporter')).value('select count(*) from reporter.jobs')).toBe(0)
})

test('what it installed it uninstalls', async () => {
  await install()
  await claim()
  const administrator = await db.connect('administrator')
  const refused = await administrator.failure(uninstallFile)
  expect([refused.code, refused.hint]).toEqual(['IDB07', 'Run this file as installer or as a superuser. Nothing was changed.'])
  await installer.rows(uninstallFile)
  expect(
    await db.rows("select nspname, pg_get_userbyid(nspowner) as owner from pg_namespace where nspname in ('integratedb', 'reporter')"),
  ).toEqual([{ nspname: 'reporter', owner: 'installer' }])
  await installer.rows(installFile)
  expect(await complaints(installer)).toEqual(['event triggers: problem'])
})
