// What does uninstall.sql take away, what does it leave, and what does it say?

import { afterEach, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { complaints, installFile, inventory, schemasAndRoles, uninstallFile } from '../support/installation.ts'

const open: TestDatabase[] = []
afterEach(async () => {
  // Roles are the cluster's: those that one database made must not be in use in another when they go.
  if (open.length > 1) for (const database of open) await database.rows('rollback; drop owned by reporter cascade').catch(() => {})
  for (const database of open.splice(0).reverse()) await database.drop()
})

async function database(template?: null): Promise<TestDatabase> {
  const made = await TestDatabase.create(template)
  open.push(made)
  return made
}

async function withReporter(): Promise<TestDatabase> {
  const db = await database()
  await db.rows("create table public.orders (id int primary key, total numeric); select integratedb.add_stakeholder('reporter')")
  await db.rows("select integratedb.set_claims('reporter', $1)", ['{"match": [{"path": "public.orders", "fields": "*"}]}'])
  await (await db.connect('reporter')).rows('create table reporter.cache (id int); insert into reporter.cache values (1), (2)')
  return db
}

test('everything goes but the data of stakeholders, and it says what it leaves', async () => {
  const db = await withReporter()
  const reporter = await db.connect('reporter')
  const { username } = (await db.value<{ credentials: { username: string } }>("select integratedb.issue_credentials('reporter', '1 hour')"))
    .credentials
  const leased = await db.connect(username)
  await leased.rows('set role none; create table reporter.leased (id int)')
  await db.rows("select integratedb.rotate_credentials('reporter')")
  db.notices.length = 0
  await db.rows(uninstallFile)
  await expect(leased.rows('select 1')).rejects.toThrow()
  const me = await db.value('select current_user')
  expect(db.notices).toHaveLength(1)
  expect(db.notices[0]?.message).toBe(`IntegrateDB is gone from database ${db.name}`)
  // The tests' template still uses the administrators' role.
  expect(db.notices[0]?.detail).toMatch(
    new RegExp(
      `^Left: schema reporter with its data \\(now of ${me}\\); role integratedb_admin \\(another database of this cluster uses it\\); role integratedb_notifier \\(another database of this cluster uses it\\); extension (plv8|pljs)\\.$`,
    ),
  )
  expect(
    await db.rows(
      "select name from (select rolname from pg_roles union all select nspname from pg_namespace union all select evtname from pg_event_trigger) o (name) where name ~ 'integratedb|reporter' order by name",
    ),
  ).toEqual([{ name: 'integratedb_admin' }, { name: 'integratedb_notifier' }, { name: 'reporter' }])
  expect(await db.rows('select id from reporter.cache order by id')).toEqual([{ id: 1 }, { id: 2 }])
  expect(await db.value("select count(*) from pg_attribute where attacl is not null and attrelid = 'public.orders'::regclass")).toBe(0)
  await expect(reporter.rows('select 1')).rejects.toThrow()
  await db.rows('alter table public.orders drop column total')
})

test('inside a transaction that is rolled back, everything is as before', async () => {
  const db = await withReporter()
  const before = [await inventory(db), await schemasAndRoles(db), await db.rows('select * from integratedb.claim')]
  await db.rows('begin')
  await db.rows("set local search_path = 'reporter'; set local client_min_messages = 'log'")
  await db.rows(uninstallFile)
  expect([await db.value('show search_path'), await db.value('show client_min_messages')]).toEqual(['reporter', 'log'])
  await db.rows('rollback')
  expect([await inventory(db), await schemasAndRoles(db), await db.rows('select * from integratedb.claim')]).toEqual(before)
  expect((await db.failure('alter table public.orders drop column total')).code).toBe('IDB01')
})

test('installing again afterwards is like the first time', async () => {
  const db = await withReporter()
  const first = await inventory(db)
  await db.rows(uninstallFile)
  await db.rows(installFile)
  expect(await inventory(db)).toEqual(first)
  expect(await complaints(db)).toEqual([])
  // Its schema is somebody's now: not adopted.
  expect((await db.failure("select integratedb.add_stakeholder('reporter')")).code).toBe('IDB05')
})

test('where IntegrateDB is not installed it says so', async () => {
  const db = await database(null)
  const error = await db.failure(uninstallFile)
  expect([error.code, error.message, error.detail]).toEqual([
    'IDB07',
    `IntegrateDB is not installed in database ${db.name}`,
    'There is no schema integratedb.',
  ])
  await db.rows('create schema integratedb; create table integratedb.mine ()')
  expect((await db.failure(uninstallFile)).detail).toMatch(/^There is a schema integratedb, of .+, but it is not ours\.$/)
})

test('somebody who did not install it cannot take it away', async () => {
  const db = await withReporter()
  await db.rows('create role administrator login createrole in role integratedb_admin')
  const before = await inventory(db)
  const error = await (await db.connect('administrator')).failure(uninstallFile)
  expect([error.code, error.hint]).toEqual([
    'IDB07',
    `Run this file as ${await db.value('select current_user')} or as a superuser. Nothing was changed.`,
  ])
  expect(await inventory(db)).toEqual(before)
})

test('a stakeholder that owns something in another database: it says where, and nothing is half done', async () => {
  const db = await withReporter()
  const other = await database(null)
  await other.rows('create table public.thing (id int); alter table public.thing owner to reporter')
  const before = [await inventory(db), await schemasAndRoles(db)]
  const error = await db.failure(uninstallFile)
  expect([error.code, error.message]).toEqual(['IDB06', 'the role reporter of a stakeholder cannot be dropped'])
  expect(error.detail).toContain(other.name)
  expect([await inventory(db), await schemasAndRoles(db)]).toEqual(before)
  expect((await db.failure('alter table public.orders drop column total')).code).toBe('IDB01')
  await other.rows('drop owned by reporter')
  await db.rows(uninstallFile)
})

test('code of a stakeholder does not get the rights of who uninstalls', async () => {
  const db = await withReporter()
  await (await db.connect('reporter')).rows(`
    grant usage on schema reporter to public;
    create function reporter.climb() returns text language sql security definer as 'select current_user::text'`)
  await db.rows('create role visitor login')
  await db.rows(uninstallFile)
  expect(await (await db.connect('visitor')).value('select reporter.climb()')).toBe('visitor')
  expect(db.notices.map(({ severity }) => severity)).toEqual(['WARNING', 'NOTICE'])
})

test("somebody's view on ours is not dropped with it", async () => {
  const db = await withReporter()
  await db.rows(
    'create schema mine; create view mine.report as select path, field from integratedb.claims; create table mine.log (finding integratedb.finding)',
  )
  const before = await inventory(db)
  const error = await db.failure(uninstallFile)
  expect([error.code, error.detail]).toEqual(['IDB07', 'These use it: view mine.report, table mine.log.'])
  expect(await inventory(db)).toEqual(before)
  await db.rows('drop schema mine cascade')
  await db.rows(uninstallFile)
})

test('with the engine gone, and a stakeholder whose role or schema is gone', async () => {
  const db = await withReporter()
  const engine = await db.value<string>("select component from integratedb.version() where component in ('plv8', 'pljs')")
  await db.rows(
    `select integratedb.add_stakeholder('biller'); drop schema biller; drop role biller; select integratedb.add_stakeholder('teller'); drop schema teller; drop extension ${engine} cascade`,
  )
  db.notices.length = 0
  await db.rows(uninstallFile)
  expect(db.notices[0]?.detail).toMatch(
    /^Left: schema reporter with its data \(now of .+\); role integratedb_admin \([^)]+\); role integratedb_notifier \([^)]+\)\.$/,
  )
  expect(await db.rows("select from pg_roles where rolname in ('reporter', 'biller', 'teller')")).toEqual([])
})

test('the last database of a cluster takes the administrators along', async () => {
  const db = await database()
  // Undone at once: other databases here do use the role, so it is told apart by another name.
  await db.rows('begin; alter role integratedb_admin rename to integratedb_admin_of_others; create role integratedb_admin')
  await db.rows(uninstallFile)
  expect(await db.rows("select from pg_roles where rolname = 'integratedb_admin'")).toEqual([])
  await db.rows('rollback')
})
