// Does doctor() see each thing that can be wrong, and does its fix put it right?

import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { complaints, diagnosis, engineOf, grantsAndClaims, installFile } from '../support/installation.ts'

let db: TestDatabase

beforeEach(async () => {
  db = await TestDatabase.create()
  await db.rows("create table public.orders (id int primary key, total numeric); select integratedb.add_stakeholder('reporter')")
  await db.rows("select integratedb.set_claims('reporter', $1)", ['{"match": [{"path": "public.orders", "fields": "*"}]}'])
})
afterEach(async () => {
  await db.drop()
})

/** As a person would: the SQL in it, or the file. */
async function follow(fix: string | null): Promise<void> {
  if (fix === null) throw new Error('there is no fix')
  await db.rows(fix.includes('integratedb.sql again') ? installFile : fix)
}

test('a sound installation has nothing but ok, and no fix', async () => {
  const rows = await db.rows('select check_name, status, fix from integratedb.doctor()')
  expect(rows.length).toBeGreaterThan(9)
  for (const row of rows) expect(row).toMatchObject({ status: 'ok', fix: null })
})

/** A lease with a name that can be written here. */
const lease = `do $$ declare l text := integratedb.issue_credentials('reporter', '1 hour')->'credentials'->>'username'; begin
  execute format('alter role %I rename to reporter_x', l); update integratedb.credential set username = 'reporter_x' where username = l; end $$`

const breakages: [check: string, status: string, detail: RegExp, breakage: string][] = [
  [
    'engine',
    'problem',
    /^(plv8|pljs) does not answer: function integratedb\._core\(text, text\) does not exist$/,
    'drop function integratedb._core(text, text)',
  ],
  ['engine is not for everyone', 'warning', /^every role may write functions in (plv8|pljs)/, 'grant usage on language :engine to public'],
  ['event triggers', 'problem', /: integratedb_note_ddl$/, 'drop event trigger integratedb_note_ddl'],
  ['event triggers', 'problem', /: integratedb_note_drop$/, 'alter event trigger integratedb_note_drop disable'],
  [
    'event triggers',
    'problem',
    /: integratedb_note_ddl, integratedb_note_drop$/,
    'alter event trigger integratedb_note_drop enable replica; alter event trigger integratedb_note_ddl enable',
  ],
  ['constraint claims_hold', 'problem', /^missing, disabled, or not ENABLE ALWAYS$/, 'drop trigger claims_hold on integratedb.migration'],
  [
    'constraint claims_hold',
    'problem',
    /^missing, disabled, or not ENABLE ALWAYS$/,
    'alter table integratedb.migration disable trigger claims_hold',
  ],
  [
    'constraint claims_hold',
    'problem',
    /^missing, disabled, or not ENABLE ALWAYS$/,
    'alter table integratedb.migration enable trigger claims_hold',
  ],
  ['enforcement', 'warning', /^enforcement is off: /, "select integratedb.set_enforcement('off')"],
  ['enforcement', 'warning', /^enforcement is warn: /, "select integratedb.set_enforcement('warn')"],
  [
    'administrators',
    'problem',
    /^the role integratedb_admin is missing/,
    'revoke all on function integratedb.set_claims(text, jsonb) from integratedb_admin',
  ],
  [
    'stakeholders have no other power',
    'warning',
    /^they can do what these can: reporter is a member of pg_read_all_data$/,
    'grant pg_read_all_data to reporter',
  ],
  ['stakeholders', 'problem', /^reporter has no LOGIN$/, 'alter role reporter nologin'],
  ['stakeholders', 'problem', /^reporter has no schema$/, 'drop schema reporter'],
  ['stakeholders', 'problem', /^reporter does not own its schema$/, 'alter schema reporter owner to current_user'],
  [
    'stakeholders',
    'problem',
    /^reporter has no role$/,
    "select integratedb.set_enforcement('off');; alter schema reporter owner to current_user; drop owned by reporter; drop role reporter",
  ],
  ['stakeholders have no other power', 'problem', /: reporter$/, 'alter role reporter superuser bypassrls'],
  ['stakeholders have no other power', 'problem', /: reporter$/, 'alter role reporter createrole'],
  [
    'stakeholders have no other power',
    'warning',
    /^they can do what these can: reporter_x is a member of pg_read_all_data$/,
    `${lease}; grant pg_read_all_data to reporter_x`,
  ],
  ['stakeholders have no other power', 'problem', /: reporter_x$/, `${lease}; alter role reporter_x createdb`],
  ['nothing keeps stakeholders from their claims', 'problem', /^reporter_x has no LOGIN$/, `${lease}; alter role reporter_x nologin`],
  [
    'nothing keeps stakeholders from their claims',
    'problem',
    /^reporter_x is not a member of reporter$/,
    `${lease}; revoke reporter from reporter_x`,
  ],
  ['nothing keeps stakeholders from their claims', 'problem', /^reporter_x has no role$/, `${lease}; drop role reporter_x`],
  [
    'nothing keeps stakeholders from their claims',
    'problem',
    /^reporter_x has a password that is no longer valid$/,
    `${lease}; alter role reporter_x valid until '2000-01-01'`,
  ],
  [
    'nothing keeps stakeholders from their claims',
    'problem',
    /^reporter may have no connection, reporter_x has row_security=off$/,
    `${lease}; alter role reporter connection limit 0; alter role reporter_x set row_security = off`,
  ],
  [
    'credentials are as they were given',
    'warning',
    /^the password of reporter was changed, the password of reporter_x was changed$/,
    `${lease}; alter role reporter password 'x'; alter role reporter_x password null`,
  ],
  [
    'credentials are as they were given',
    'warning',
    /^reporter_x is valid longer than it was$/,
    `${lease}; alter role reporter_x valid until 'infinity'`,
  ],
  [
    'credentials are as they were given',
    'warning',
    /^reporter can log in, and IntegrateDB has not given it that$/,
    `${lease}; select integratedb.revoke_credentials('reporter'); alter role reporter login`,
  ],
  ['credentials are as they were given', 'warning', /^reporter cannot log in$/, `select integratedb.revoke_credentials('reporter')`],
  [
    'expired credentials are removed',
    'warning',
    /^1 have been over for more than ten minutes, among them reporter_x$/,
    `${lease}; select integratedb.revoke_credentials('reporter_x'); update integratedb.credential set revoked_at = now() - interval '11 minutes' where kind = 'lease'`,
  ],
  [
    'internal objects',
    'problem',
    /: integratedb\._judge\(bigint\[\],boolean\)$/,
    'grant execute on function integratedb._judge(bigint[], boolean) to public',
  ],
  ['who administers', 'warning', /^integratedb_admin is for membership/, 'alter role integratedb_admin login createdb'],
  [
    'the installer',
    'warning',
    /^members of postgres.*: intruder$/,
    'create role intruder login; create schema lair authorization intruder; grant postgres to intruder',
  ],
  ['schemas that everybody may create in', 'warning', /^public$/, 'grant create on schema public to public'],
  ['languages that everybody may write in', 'warning', /^mine, too$/, 'create trusted language mine handler plpgsql_call_handler'],
  [
    'who may connect',
    'warning',
    /^PUBLIC may connect, and so 1 that have nothing to do with this database: stranger$/,
    'create role stranger login; create role shopkeeper login; create schema shop authorization shopkeeper; create role "a""; */ --" login; grant integratedb_admin to "a""; */ --"; create role member login; grant shopkeeper to member; create role watcher login; grant pg_monitor to watcher',
  ],
  ['internal objects', 'problem', /: integratedb\.setting$/, 'grant select on integratedb.setting to public'],
]

test.each(breakages)('%s, %s: %s', async (check, status, detail, breakage) => {
  for (const transaction of breakage.replaceAll(':engine', await engineOf(db)).split(';;')) await db.rows(transaction)
  const row = await diagnosis(db, check)
  expect(row.status).toBe(status)
  expect(row.detail).toMatch(detail)
  await follow(row.fix)
  // While a role is missing, enforcement cannot come back.
  if (breakage.includes("enforcement('off');;")) await db.rows("select integratedb.set_enforcement('enforce')")
  expect(await complaints(db)).toEqual([])
  const { granted, claimed } = await grantsAndClaims(db, 'reporter')
  expect(granted).toEqual(claimed)
})

test('who administers is told', async () => {
  await db.rows('create role alice login; create role staff; grant integratedb_admin to staff; grant staff to alice')
  expect(await diagnosis(db, 'who administers')).toEqual({
    status: 'ok',
    detail: 'these may log in and read everything by way of a stakeholder: alice',
    fix: null,
  })
})

test('who is let in by the fix is who belongs here', async () => {
  await db.rows(`create role stranger login; create role shopkeeper login; create schema shop authorization shopkeeper;
    create role alice login; grant integratedb_admin to alice`)
  await follow((await diagnosis(db, 'who may connect')).fix)
  for (const role of ['shopkeeper', 'alice', 'reporter']) await (await db.connect(role)).end()
  await expect(db.connect('stranger')).rejects.toThrow('permission denied for database')
})

test('a name does not end the comment in a fix', async () => {
  const name = 'x*/ create role robbed; --'
  await db.rows('select integratedb.add_stakeholder($1)', [name])
  await db.rows(`alter schema "${name}" owner to current_user; drop owned by "${name}"; drop role "${name}"`)
  await follow((await diagnosis(db, 'stakeholders')).fix)
  expect(await db.rows(`select from pg_roles where rolname = 'robbed'`)).toEqual([])
  expect(await complaints(db)).toEqual([])
})

test('event triggers switched off for the whole server (PostgreSQL 17)', async () => {
  if ((await db.value<number>("select current_setting('server_version_num')::integer")) < 170000) return
  await db.rows('set event_triggers = off')
  expect(await diagnosis(db, 'event triggers')).toMatchObject({
    status: 'problem',
    detail: 'the setting event_triggers is off: no migration is judged',
  })
  await db.rows('reset event_triggers')
  expect(await complaints(db)).toEqual([])
})

test('claims that do not hold', async () => {
  await db.rows("select integratedb.set_claims('reporter', $1)", ['{"match": [{"path": "public.orders", "fields": ["id", "total"]}]}'])
  await db.rows("select integratedb.set_enforcement('warn')")
  await db.rows('alter table public.orders rename total to amount')
  await db.rows("select integratedb.set_enforcement('enforce')")
  const row = await diagnosis(db, 'claims')
  expect(row).toMatchObject({ status: 'problem', detail: '1 unmet, the first: IDB202 reporter public.orders.total' })
  await follow(row.fix)
  expect(await complaints(db)).toEqual(['claims: problem'])
  await db.rows('alter table public.orders rename amount to total')
  expect(await complaints(db)).toEqual([])
})

test('claims whose grants are gone', async () => {
  await db.rows("select integratedb.set_enforcement('warn')")
  await db.rows('revoke all (id, total) on public.orders from reporter')
  await db.rows("select integratedb.set_enforcement('enforce')")
  const row = await diagnosis(db, 'claims')
  expect(row.status).toBe('problem')
  await follow(row.fix)
  expect(await complaints(db)).toEqual([])
})

test('claims that remember what is no longer there', async () => {
  await db.rows('begin; alter event trigger integratedb_note_ddl disable; alter event trigger integratedb_note_drop disable')
  await db.rows('drop table public.orders; create table public.orders (id int primary key, total numeric)')
  await db.rows('alter event trigger integratedb_note_ddl enable always; alter event trigger integratedb_note_drop enable always; commit')
  const row = await diagnosis(db, 'remembered relations')
  expect(row).toMatchObject({ status: 'problem', fix: 'SELECT * FROM integratedb.sync()' })
  await follow(row.fix)
  expect(await complaints(db)).toEqual([])
  const { granted, claimed } = await grantsAndClaims(db, 'reporter')
  expect(granted).toEqual(claimed)
})
