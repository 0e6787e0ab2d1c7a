// Notifications over the life of an installation: what doctor() finds, an upgrade from before them, a restore, uninstalling.

import { execFileSync, spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { complaints, diagnosis, installFile, inventory, uninstallFile } from '../support/installation.ts'

const document = {
  match: [{ path: 'public.orders', events: ['*'], channels: ['*'] }],
  channels: [
    { name: 'jobs', kind: 'QUEUE' },
    { name: 'hook', kind: 'WEBHOOK', url: 'https://example.org', secrets: ['INTEGRATEDB_SECRET_A'] },
  ],
}

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows('create table public.orders (id bigint primary key, total numeric)')
})
afterEach(async () => {
  await database.rows(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()`)
  await database.drop()
})

async function notify(): Promise<void> {
  await database.rows(`
    select integratedb.add_stakeholder('reader');
    select integratedb.set_claims('reader', '{"match": [{"path": "public.orders", "fields": "*"}]}');
    select integratedb.add_notifier('bell')`)
  await database.rows(`select * from integratedb.set_notifications('reader', $1)`, [JSON.stringify(document)])
}

/** As the notifier does at its start, and says every few seconds. */
async function start(): Promise<void> {
  await database.rows(`select pg_create_logical_replication_slot(integratedb._slot_name(), 'pgoutput')`)
  const bell = await database.connect('bell')
  await bell.rows(
    'select integratedb._notifier_slot_made(confirmed_flush_lsn) from pg_replication_slots where database = current_database()',
  )
  await bell.rows('select integratedb._notifier_report($1)', [
    { instance: 'one', received: '0/1', flush: '0/1', channels: [{ id: await channel('hook'), status: 'direct' }] },
  ])
  await bell.end()
}

async function channel(name: string): Promise<number> {
  return await database.value('select id from integratedb.channel where name = $1', [name])
}

async function notificationComplaints(): Promise<string[]> {
  return (await complaints(database)).filter((each) => each.startsWith('notifications'))
}

describe('doctor()', () => {
  test('has nothing to say where nobody is told of anything', async () => {
    expect(await notificationComplaints()).toEqual([])
  })

  test('wants a slot and a notifier, and is content with them', async () => {
    await notify()
    expect(await notificationComplaints()).toEqual(['notifications: replication slot: warning', 'notifications: notifier: problem'])
    await start()
    expect(await notificationComplaints()).toEqual([])
  })

  test.each<[string, string, RegExp, string, string]>([
    [
      'publication',
      'problem',
      /^there is none$/,
      `set integratedb.none = ''; begin; set local session_replication_role = replica; drop publication integratedb; commit`,
      '',
    ],
    ['publication', 'problem', /^it belongs to bell$/, 'alter publication integratedb owner to bell', ''],
    ['publication', 'problem', /^it does not hold public.orders$/, 'alter publication integratedb drop table public.orders', ''],
    [
      'publication',
      'problem',
      /^it holds public.stranger, of which/,
      'create table public.stranger (id int); alter publication integratedb add table public.stranger',
      '',
    ],
    ['publication', 'problem', /^its options, column lists/, `alter publication integratedb set (publish = 'insert')`, ''],
    ['publication', 'problem', /^there is none/, 'alter publication integratedb rename to mine', ''],
    ['replication slot', 'problem', /^it is gone/, `select pg_drop_replication_slot(integratedb._slot_name())`, ''],
    [
      'notifier',
      'problem',
      /^it has not been heard of for 00:02/,
      `update integratedb.notifier_state set reported_at = now() - interval '2 minutes'`,
      '',
    ],
    ['notifier', 'problem', /^no login can read the stream$/, 'alter role bell noreplication', ''],
    [
      'channels',
      'warning',
      /^hook of reader is disabled \(gone\)$/,
      `select integratedb._disable_channel(id, 'gone') from integratedb.channel where name = 'hook'`,
      '',
    ],
    ['channels', 'warning', /^jobs of reader has lost its view$/, 'drop view reader.jobs', ''],
    [
      'channels',
      'warning',
      /^hook of reader has 1 dead letters$/,
      `select integratedb._park(id, '{x}', '{k}', '{"{}"}'), integratedb._bury(id, '{x}', 'no') from integratedb.channel where name = 'hook'`,
      '',
    ],
    [
      'channels',
      'warning',
      /^hook of reader has 1 events parked, the oldest for 00:10/,
      `select integratedb._park(id, '{x}', '{k}', '{"{}"}') from integratedb.channel where name = 'hook'; update integratedb.parked set parked_at = now() - interval '10 minutes'`,
      '',
    ],
    ['who reads the stream', 'warning', /^bell may more than read the stream/, 'alter role bell createdb', ''],
    ['who reads the stream', 'warning', /^bell is a member of reader$/, 'grant reader to bell', ''],
  ])('%s: %s %s', async (check, status, detail, harm) => {
    await notify()
    await start()
    await database.rows(
      `alter event trigger integratedb_note_ddl disable; alter event trigger integratedb_note_drop disable; ${harm};
       alter event trigger integratedb_note_ddl enable always; alter event trigger integratedb_note_drop enable always`,
    )
    const found = await diagnosis(database, `notifications: ${check}`)
    expect(found).toMatchObject({ status, detail: expect.stringMatching(detail) })
    expect(found.fix).not.toBeNull()
    if (/^(SELECT|ALTER|REVOKE)/.test(found.fix ?? '') && !/add_notifier|, or /.test(found.fix ?? '')) {
      await database.rows(found.fix ?? '')
      expect((await diagnosis(database, `notifications: ${check}`)).status).toBe('ok')
    }
  })

  test('a table whose identity went with event triggers off: UPDATE fails, and the fix works', async () => {
    await notify()
    await start()
    await database.rows(
      'alter event trigger integratedb_note_ddl disable; alter event trigger integratedb_note_drop disable; alter table public.orders drop constraint orders_pkey; alter event trigger integratedb_note_ddl enable always; alter event trigger integratedb_note_drop enable always',
    )
    expect((await database.failure('update public.orders set total = 1')).message).toContain('replica identity')
    const { status, fix } = await diagnosis(database, 'notifications: replica identities')
    expect(status).toBe('problem')
    await database.rows(fix ?? '')
    await database.rows('update public.orders set total = 1')
    expect((await diagnosis(database, 'notifications: replica identities')).status).toBe('ok')
  })

  test('a slot that nobody reads', async () => {
    await database.rows(`select pg_create_logical_replication_slot(integratedb._slot_name(), 'pgoutput')`)
    const { status, fix } = await diagnosis(database, 'notifications: replication slot')
    expect(status).toBe('problem')
    await database.rows(fix ?? '')
    expect(await notificationComplaints()).toEqual([])
  })
})

test('the last notifier takes the slot along, and the publication if nobody subscribes', async () => {
  await notify()
  await start()
  await database.rows(`select integratedb.remove_notifier('bell')`)
  expect(await database.value(`select count(*) from pg_replication_slots where database = current_database()`)).toBe(0)
  expect(await database.value(`select count(*) from pg_publication`)).toBe(1)
  await database.rows(`select integratedb.add_notifier('bell'), integratedb.remove_notifications('reader')`)
  await database.rows(`select integratedb.remove_notifier('bell')`)
  expect(await database.value(`select count(*) from pg_publication`)).toBe(0)
  await database.rows(`select integratedb.add_notifier('bell')`)
  expect(await database.value(`select count(*) from pg_publication`)).toBe(1)
})

test('a publication of that name that is not ours stays as it is', async () => {
  await database.rows('create publication integratedb for table public.orders')
  const error = await database.failure(`select integratedb.add_notifier('bell')`)
  expect([error.code, error.message]).toEqual(['IDB05', 'there is a publication integratedb that is not ours'])
})

test('an upgrade from before notifications ends like a fresh installation, and they work; an upgrade with them changes nothing', async () => {
  const fresh = await inventory(database)
  await database.rows(`
    drop event trigger integratedb_note_ddl; drop event trigger integratedb_note_drop;
    drop view integratedb.subscriptions, integratedb.channels, integratedb.dead_letters, integratedb._queue_act;
    drop table integratedb.subscription, integratedb.notification, integratedb.parked, integratedb.queued, integratedb.kept, integratedb.channel,
      integratedb.access_token, integratedb.notifier, integratedb.notifier_state, integratedb.subscription_version cascade;
    alter table integratedb.stakeholder drop column notifications; alter table integratedb.credential drop column announced_until;
    drop function integratedb._notification_core(text, text), integratedb.set_notifications(text, jsonb)`)
  await database.rows(installFile)
  expect((await inventory(database)).filter((line) => !line.includes('pg.dropped'))).toEqual(fresh)
  await notify()
  const all = 'select * from integratedb.subscription_version'
  const versions = await database.rows(all)
  await database.rows(installFile)
  expect(await database.rows(all)).toEqual(versions)
  expect(await complaints(database)).toEqual(['notifications: replication slot: warning', 'notifications: notifier: problem'])
})

test('uninstalling takes all of it: publication, slot, roles, the views of queues', async () => {
  await notify()
  await start()
  const bell = await database.connect('bell')
  await database.rows(uninstallFile)
  await expect(bell.rows('select 1')).rejects.toThrow()
  expect(await database.value('select count(*) from pg_publication')).toBe(0)
  expect(await database.value('select count(*) from pg_replication_slots where database = current_database()')).toBe(0)
  expect(await database.value(`select count(*) from pg_roles where rolname in ('bell', 'reader')`)).toBe(0)
  expect(await database.value(`select count(*) from pg_class where relnamespace = 'reader'::regnamespace`)).toBe(0)
  await database.rows('update public.orders set total = 1')
})

test("somebody's view on a queue keeps it from being uninstalled", async () => {
  await notify()
  await database.rows('create view public.on_jobs as select id from reader.jobs')
  const error = await database.failure(uninstallFile)
  expect([error.code, error.detail]).toEqual(['IDB07', 'These use it: view public.on_jobs.'])
  await database.rows('rollback').catch(() => {})
})

test('a copy made with CREATE DATABASE ... TEMPLATE is read by no notifier, until sync() has made it one of its own', async () => {
  await notify()
  await start()
  const original = database
  await original.end() // a template has no sessions
  const copy = await TestDatabase.create(original.name)
  try {
    const bell = await copy.connect('bell')
    expect(await bell.value('select integratedb._notifier_start()')).toMatchObject({ restored: true, database: copy.name })
    await copy.rows(installFile) // which is not for an upgrade to say
    const found = await diagnosis(copy, 'notifications: replication slot')
    expect(found).toMatchObject({ status: 'problem', detail: expect.stringMatching(/^this database is a copy/) })
    await copy.rows(found.fix ?? '')
    expect(await bell.value('select integratedb._notifier_start()')).toMatchObject({ restored: false, slot_made: true })
    expect((await diagnosis(copy, 'notifications: replication slot')).detail).toMatch(/^it is gone/)
  } finally {
    await copy.rows(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1`, [original.name])
    await copy.drop()
    await original.drop()
    database = await TestDatabase.create()
  }
})

test('a restored database tells its notifier, until sync() has made it one of its own', async (context) => {
  const server = Math.floor((await database.value<number>("select current_setting('server_version_num')::int")) / 10000)
  const { stdout } = spawnSync('pg_dump', ['--version'], { encoding: 'utf8' })
  if (Number(/\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0) < server) return context.skip() // no pg_dump for this server
  await notify()
  await start()
  const bell = await database.connect('bell')
  await bell.rows(`select integratedb._park($1, '{0000000000000001-00000000}', '{k}', '{"{}"}')`, [await channel('hook')])
  const target = await TestDatabase.create(null)
  try {
    const dump = execFileSync('pg_dump', ['--inserts', database.url()], { encoding: 'utf8', maxBuffer: 1e9 })
    await (await target.connect()).rows(dump.replace(/^\\.*$/gm, ''))
    const there = await target.connect('bell')
    expect(await there.value('select integratedb._notifier_start()')).toMatchObject({ restored: true, database: target.name })
    await target.rows('select * from integratedb.sync()')
    expect(await there.value('select integratedb._notifier_start()')).toMatchObject({ restored: false })
    expect(
      await target.value(
        `select state->'subscriptions'->0->'relation' = to_jsonb('public.orders'::regclass::oid::bigint) from integratedb.subscription_version order by version desc limit 1`,
      ),
    ).toBe(true)
    expect(await there.rows('select id from integratedb._parked($1, null, 9)', [await channel('hook')])).toEqual([
      { id: '0000000000000001-00000000' },
    ])
    expect((await complaints(target)).filter((each) => /publication|identities/.test(each))).toEqual([])
  } finally {
    await target.rows('drop owned by reader cascade').catch(() => {})
    await target.drop()
  }
})

test('who owns IntegrateDB owns its publication; another one is told of, and a migration by the table’s owner works', async () => {
  await notify()
  await start()
  const owner = () => database.value(`select pg_get_userbyid(pubowner) from pg_publication where pubname = 'integratedb'`)
  const before = await owner()
  await database.rows(`
    create role keeper superuser; create role app login; grant create, usage on schema public to app; alter table public.orders owner to app`)
  await database.rows('alter schema integratedb owner to keeper')
  expect((await diagnosis(database, 'notifications: publication')).detail).toBe(`it belongs to ${before}`)
  await database.rows(installFile)
  expect(await owner()).toBe('keeper')
  expect((await diagnosis(database, 'notifications: publication')).status).toBe('ok')
  const app = await database.connect('app')
  await app.rows('begin; drop table public.orders; create table public.orders (id bigint primary key, total numeric, note text); commit')
  await app.rows('insert into public.orders values (1, 1); update public.orders set total = 2; delete from public.orders')
  expect(
    await database.rows(
      `select tablename, (select relowner::regrole::text from pg_class where oid = 'public.orders'::regclass) as owner from pg_publication_tables where pubname = 'integratedb' order by 1`,
    ),
  ).toEqual([
    { tablename: 'orders', owner: 'app' },
    { tablename: 'subscription_version', owner: 'app' },
  ])
  await database.rows(`alter schema integratedb owner to ${before}`)
  await database.rows(installFile)
  expect(await owner()).toBe(before)
  await database.rows('alter table public.orders owner to current_user; revoke all on schema public from app')
})
