// What others could do to notifications, and through them; and what can be trusted in a stream that everybody writes to.

import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'

const oddStakeholder = `O'Brien "x"; --`
const oddChannel = `my "queue"'; drop table public.orders; --`
const oddTable = `"Order ""Items""'; --"`

let database: TestDatabase
let bell: Session
let reader: Session
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create role evil login; create role admin login; grant integratedb_admin to admin;
    create table public.orders (id bigint primary key, total numeric);
    create table public.${oddTable} ("the ""key""" int primary key, "; --" text);
    insert into public.orders values (1, 1);
    select integratedb.add_notifier('bell'), integratedb.add_stakeholder('reader'), integratedb.add_stakeholder($q$${oddStakeholder}$q$)`)
  bell = await database.connect('bell')
  reader = await database.connect('reader')
  await claim('reader', 'public.orders')
  await set('reader', [{ path: 'public.orders', events: ['*'], channels: ['*'] }])
})
afterAll(() => database.drop())

async function claim(name: string, path: string): Promise<void> {
  await database.rows('select * from integratedb.set_claims($1, $2)', [name, JSON.stringify({ match: [{ path, fields: '*' }] })])
}

async function set(name: string, match: unknown[], channels: unknown[] = [{ name: 'jobs', kind: 'QUEUE' }]): Promise<unknown[]> {
  return await database.rows('select * from integratedb.set_notifications($1, $2)', [name, JSON.stringify({ match, channels })])
}

const ofNotifier = [
  '_announce_expiring()',
  '_bury(bigint,text[],text)',
  '_disable_channel(bigint,text)',
  '_enqueue(bigint,text[],text[],text[])',
  '_failed(bigint,text[],text)',
  '_gap(bigint,text,text,bigint,text)',
  '_keep(bigint,text[],text[])',
  '_kept(bigint,text,integer)',
  '_kept_from(bigint)',
  '_notifier_applied(bigint,pg_lsn)',
  '_notifier_report(jsonb)',
  '_notifier_slot_made(pg_lsn)',
  '_notifier_start()',
  '_notifier_versions(pg_lsn)',
  '_park(bigint,text[],text[],text[])',
  '_parked(bigint,text,integer)',
  '_socket_login(text)',
  '_socket_token(text)',
  '_unpark(bigint,text[])',
  'expire_credentials()',
]

describe('a notifier', () => {
  test('may call what is for it, and what is for everybody', async () => {
    const rows = await database.rows<{ name: string }>(
      `select replace(p.oid::regprocedure::text, 'integratedb.', '') as name from pg_proc p
        where p.pronamespace = 'integratedb'::regnamespace and has_function_privilege('bell', p.oid, 'execute') and not has_function_privilege('evil', p.oid, 'execute')
        order by 1`,
    )
    expect(rows.map(({ name }) => name)).toEqual(ofNotifier)
  })

  test('has no right on any table, ours or others', async () => {
    expect(
      await database.rows(
        `select c.oid::regclass from pg_class c
          where c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast') and c.relkind in ('r', 'p', 'v', 'm', 'S')
            and c.relname not in ('_my_claims', '_my_requests', '_pending_claims')
            and case c.relkind when 'S' then has_sequence_privilege('bell', c.oid, 'usage, select, update')
                  else has_table_privilege('bell', c.oid, 'select, insert, update, delete, truncate, references, trigger') end`,
      ),
    ).toEqual([])
    for (const table of [
      'public.orders',
      'integratedb.parked',
      'integratedb.subscription_version',
      'integratedb.notifier_state',
      'reader.jobs',
    ]) {
      expect([table, (await bell.failure(`select * from ${table}`)).code]).toEqual([table, '42501'])
    }
  })

  test('has LOGIN and REPLICATION and nothing more, and its password is a SCRAM verifier', async () => {
    expect(
      await database.rows(
        `select rolcanlogin, rolreplication, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, left(rolpassword, 14) as password from pg_authid where rolname = 'bell'`,
      ),
    ).toEqual([
      {
        ...{ rolcanlogin: true, rolreplication: true, rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolbypassrls: false },
        password: 'SCRAM-SHA-256$',
      },
    ])
  })

  test.each([
    ['', 'IDB05'],
    ['bell', 'IDB05'],
    ['reader', 'IDB05'],
    ['integratedb_notifier', 'IDB05'],
    ['pg_x', 'IDB05'],
  ])('cannot be called "%s"', async (name, code) => {
    expect((await database.failure('select integratedb.add_notifier($1)', [name])).code).toBe(code)
  })

  test('comes and goes, with odd names too', async () => {
    const name = `bell "2"'; --`
    const { credentials } = await database.value<{ credentials: object }>('select integratedb.add_notifier($1)', [name])
    expect(credentials).toEqual({ username: name, password: expect.stringMatching(/^.{43}$/) })
    const session = await database.connect(name)
    expect(await session.value(`select integratedb._notifier_start()->>'database'`)).toBe(database.name)
    await database.rows('select integratedb.remove_notifier($1)', [name])
    await expect(session.rows('select 1')).rejects.toThrow()
    expect((await database.failure('select integratedb.remove_notifier($1)', [name])).code).toBe('IDB08')
    expect(await database.value('select count(*) from pg_roles where rolname = $1', [name])).toBe(0)
  })
})

describe('a stakeholder, or anybody', () => {
  test.each([
    `insert into integratedb.subscription_version (stakeholder, state) values ('reader', '{}')`,
    `insert into integratedb._queue_act (caller, call, channel) values ('reader'::regrole, 'ack_events', 'jobs')`,
    `insert into integratedb._queue_act (call, answer) values ('ack_events', '1')`,
    `select integratedb._take_events(1, 100, '1 s')`,
    `select integratedb._alert('reader', 'x', '{}', false)`,
    `select integratedb._notifier_start()`,
    `select secret from integratedb.notifier_state`,
    `update integratedb.channel set configuration = '{}'`,
    `select * from integratedb.set_notifications('reader', '{"match": [], "channels": []}')`,
    `alter publication integratedb drop table public.orders`,
    `drop publication integratedb`,
    `insert into reader.jobs (id) values ('x')`,
    `create trigger t instead of insert on reader.jobs for each row execute function suppress_redundant_updates_trigger()`,
  ])('may not: %s', async (call) => {
    for (const session of [reader, await database.connect('evil')])
      expect((await session.failure(call)).code).toMatch(/^(42501|42P01|42704)$/)
  })

  test('cannot be another by way of a view of its own over the door', async () => {
    const evil = await database.connect('evil')
    await database.rows(`grant create on database ${database.name} to evil`)
    await evil.rows(`create schema evil; create view evil.door as select * from integratedb._queue_act`).catch(() => {})
    await evil.rows(`alter view evil.door alter caller set default 'reader'::regrole::oid`).catch(() => {})
    const error = await evil.failure(
      `insert into evil.door (call, channel, most, duration) values ('take_events', 'jobs', 1, '1 s') returning answer`,
    )
    expect(error.code).toMatch(/^(42501|42P01|IDB04)$/)
  })

  test('cannot have our code run its operators, functions or casts', async () => {
    await bell.rows(`select integratedb._enqueue(id, '{0000000000000001-00000000}', '{a}', '{"{}"}') from (select $1::bigint as id) c`, [
      await database.value(`select id from integratedb.channel where stakeholder = 'reader'`),
    ])
    await reader.rows(`
      create function reader.boom(text, text) returns boolean language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return true; end $$;
      create operator reader.= (leftarg = text, rightarg = text, function = reader.boom);
      create function reader.pg_notify(text, text) returns void language plpgsql as $$ begin raise warning 'EVIL as %', current_user; end $$;
      create function reader.clock_timestamp() returns timestamptz language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return now(); end $$;
      set search_path = reader, pg_catalog`)
    reader.notices.length = 0
    expect(await reader.rows(`select id from integratedb.take_events('jobs')`)).toEqual([{ id: '0000000000000001-00000000' }])
    expect(await reader.value(`select integratedb.ack_events('jobs', '{0000000000000001-00000000}')`)).toBe(1)
    expect(reader.notices).toEqual([])
    await reader.rows('reset search_path')
  })

  test('cannot put its own table, with triggers, where its queue was', async () => {
    await reader.rows(`
      drop view reader.jobs;
      create table reader.jobs (channel bigint, id text, key text, body text);
      create function reader.evil() returns trigger language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return new; end $$;
      create trigger evil before insert on reader.jobs for each row execute function reader.evil()`)
    bell.notices.length = 0
    const channel = await database.value(`select id from integratedb.channel where stakeholder = 'reader'`)
    await bell.rows(`select integratedb._enqueue($1, '{0000000000000002-00000000}', '{a}', '{"{}"}')`, [channel])
    expect(bell.notices).toEqual([])
    expect(await reader.value('select count(*) from reader.jobs')).toBe(0)
    expect(await reader.rows(`select id from integratedb.take_events('jobs')`)).toEqual([{ id: '0000000000000002-00000000' }])
    // What is not ours is not dropped with the channel.
    await set('reader', [{ path: 'public.orders', events: ['*'], channels: ['*'] }], [{ name: 'other', kind: 'QUEUE' }])
    expect(await reader.value('select count(*) from reader.jobs')).toBe(0)
    await reader.rows('drop table reader.jobs')
    await set('reader', [{ path: 'public.orders', events: ['*'], channels: ['*'] }])
  })
})

test('names with anything in them are names', async () => {
  await claim(oddStakeholder, `public.${oddTable}`)
  const channels = [
    { name: oddChannel, kind: 'QUEUE' },
    { name: "h'; --", kind: 'WEBHOOK', url: "https://example.org/';--", secrets: ['INTEGRATEDB_SECRET_A'] },
  ]
  const match = {
    path: `public.${oddTable}`,
    events: ['*'],
    channels: ['*'],
    fields: ['the "key"', '; --'],
    where: `"; --" = '''; drop table public.orders; --'`,
  }
  await database.rows(`alter table public.${oddTable} replica identity full`)
  expect(await set(oddStakeholder, [match], channels)).toMatchObject([{ status: 'met', fields: match.fields, where: match.where }])
  const odd = await database.connect(oddStakeholder)
  const channel = await database.value('select id from integratedb.channel where name = $1', [oddChannel])
  await bell.rows(`select integratedb._enqueue($1, '{0000000000000001-00000000}', '{a}', '{"{}"}')`, [channel])
  expect(await odd.rows('select id from integratedb.take_events($1)', [oddChannel])).toHaveLength(1)
  expect(await odd.value('select integratedb.ack_events($1, $2)', [oddChannel, ['0000000000000001-00000000']])).toBe(1)
  expect(await database.value('select count(*) from public.orders')).toBe(1)
  await database.rows(`alter table public.${oddTable} rename "; --" to "x"`).catch(({ code }) => expect(code).toBe('IDB01'))
  await database.rows('select integratedb.remove_notifications($1)', [oddStakeholder])
})

describe('alerts', () => {
  const slot = 'integratedb_alert_test'

  /** Messages of ours in the stream, as the notifier reads them: only what is signed. */
  async function alerts(): Promise<
    { transactional: boolean; signed: boolean; content: { stakeholder: string; type: string; data: Record<string, unknown> } }[]
  > {
    const secret = await bell.value<string>(`select integratedb._notifier_start()->>'secret'`)
    // What is not flushed is not in the stream yet.
    await database.rows(`begin; set local synchronous_commit = on; select pg_logical_emit_message(true, 'flush', ''); commit`)
    const rows = await database.rows<{ data: Buffer }>(
      `select data from pg_logical_slot_get_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', 'integratedb', 'messages', 'true')`,
      [slot],
    )
    return rows
      .map(({ data }) => data)
      .filter((data) => data[0] === 'M'.charCodeAt(0) && data.includes('integratedb.alert'))
      .map((data) => {
        const end = data.indexOf(0, 10)
        expect(data.subarray(10, end).toString()).toBe('integratedb.alert')
        const text = data.subarray(end + 5).toString()
        const [signature, json = ''] = [text.slice(0, 64), text.slice(65)]
        const signed = signature === createHmac('sha256', secret).update(json).digest('hex')
        return { transactional: data[1] === 1, signed, content: JSON.parse(json) }
      })
  }

  beforeAll(async () => {
    await database.rows(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`)
  })
  afterAll(async () => {
    await database.rows(`select pg_drop_replication_slot('${slot}')`)
  })

  test('of a migration that was rejected survive the rollback', async () => {
    await alerts()
    const error = await database.failure('alter table public.orders drop column total')
    expect(error.code).toBe('IDB01')
    expect(await alerts()).toMatchObject([
      {
        transactional: false,
        signed: true,
        content: {
          stakeholder: 'reader',
          type: 'integratedb.migration.rejected',
          data: { commands: ['ALTER TABLE'], paths: ['public.orders'], findings: [{ code: 'IDB201', field: 'total' }] },
        },
      },
    ])
  })

  test('of one that was accepted come with its commit, if it changed what the stakeholder sees', async () => {
    await database.rows('begin; alter table public.orders add column more text; rollback')
    expect(await alerts()).toEqual([])
    await database.rows('alter table public.orders add column more text; create table public.unrelated (id int)')
    expect(await alerts()).toMatchObject([
      {
        transactional: true,
        signed: true,
        content: { stakeholder: 'reader', type: 'integratedb.migration.accepted', data: { paths: ['public.orders'] } },
      },
    ])
  })

  test('of a login that ends within a day come once', async () => {
    await database.rows(`select integratedb.issue_credentials('reader', '2 hours'), integratedb.issue_credentials('reader', '30 hours')`)
    expect(await bell.value('select integratedb._announce_expiring()')).toBe(1)
    expect(await bell.value('select integratedb._announce_expiring()')).toBe(0)
    expect(await alerts()).toMatchObject([{ signed: true, content: { type: 'integratedb.credentials.expiring', data: { kind: 'lease' } } }])
  })

  test('that somebody makes up are not signed', async () => {
    const evil = await database.connect('evil')
    await evil.rows(
      `select pg_logical_emit_message(false, 'integratedb.alert', repeat('0', 64) || ' {"stakeholder": "reader", "type": "x", "data": {}}')`,
    )
    expect(await alerts()).toMatchObject([{ signed: false }])
  })

  test('go to nobody who takes none', async () => {
    await set('reader', [], [{ name: 'jobs', kind: 'QUEUE', alerts: false }])
    await alerts()
    await database.failure('alter table public.orders drop column total')
    await database.rows('alter table public.orders add column again text')
    expect(await alerts()).toEqual([])
  })
})

// Attacks: more through events than by SELECT.
describe('row level security', () => {
  let tables = 0
  /** A table of its own, that reader claims, whose rows are somebody's. */
  async function owned(): Promise<string> {
    const name = `owned_${++tables}`
    await database.rows(
      `create table public.${name} (id int primary key, who text); insert into public.${name} values (1, 'reader'), (2, 'other')`,
    )
    return name
  }
  const ask = (table: string) => set('reader', [{ path: `public.${table}`, events: ['*'], channels: ['*'] }])
  const published = (table: string) =>
    database.value<boolean>(`select exists (select from pg_publication_tables where pubname = 'integratedb' and tablename = $1)`, [table])
  /** The stakeholder's subscription, as the notifier was told last, too. */
  async function subscribed(table: string): Promise<[string | undefined, boolean, boolean]> {
    const [row] = await database.rows<{ status: string }>(`select status from integratedb.subscriptions where path = $1`, [
      `public.${table}`,
    ])
    const isTold = await database.value<boolean>(
      `select coalesce((array_agg(state->'subscriptions' @> jsonb_build_array(jsonb_build_object('path', $1::text)) order by version desc))[1], false)
         from integratedb.subscription_version where stakeholder = 'reader'`,
      [`public.${table}`],
    )
    return [row?.status, await published(table), isTold]
  }

  test('that hides rows from a stakeholder keeps it from being told of the table; one that shows it all does not', async () => {
    const table = await owned()
    await database.rows(
      `alter table public.${table} enable row level security; create policy own on public.${table} using (who = current_user)`,
    )
    await claim('reader', `public.${table}`)
    expect(await reader.rows(`select id from public.${table}`)).toEqual([{ id: 1 }])
    const error = await database.failure('select * from integratedb.set_notifications($1, $2)', [
      'reader',
      JSON.stringify({ match: [{ path: `public.${table}`, events: ['*'], channels: ['*'] }], channels: [{ name: 'jobs', kind: 'QUEUE' }] }),
    ])
    expect([error.code, error.detail]).toEqual([
      'IDB03',
      `/match/0/path: public.${table}: row level security hides rows from reader, and events would tell of them`,
    ])
    expect(error.hint).toContain('CREATE POLICY ... FOR SELECT TO it USING (true)')
    await database.rows(`create policy all_of_it on public.${table} for select to reader using (true)`)
    expect(await ask(table)).toMatchObject([{ status: 'met' }])
    expect(await subscribed(table)).toEqual(['met', true, true])
    // A restrictive one hides rows again.
    for (const ddl of [
      `create policy less on public.${table} as restrictive using (id < 2)`,
      `drop policy all_of_it on public.${table}`,
      `alter policy all_of_it on public.${table} using (id = 1)`,
    ])
      expect([ddl, (await database.failure(ddl)).code]).toEqual([ddl, 'IDB01'])
    await database.rows(`drop policy own on public.${table}`)
    expect(await subscribed(table)).toEqual(['met', true, true])
  })

  test.each(['enforce', 'warn', 'off'])(
    'that comes later, with enforcement %s: rejected, or nothing is told any more',
    async (enforcement) => {
      const table = await owned()
      const ddl = `alter table public.${table} enable row level security`
      await claim('reader', `public.${table}`)
      await ask(table)
      await database.rows(`select integratedb.set_enforcement('${enforcement}')`)
      try {
        if (enforcement === 'enforce') {
          expect((await database.failure(ddl)).code).toBe('IDB01')
          expect(await subscribed(table)).toEqual(['met', true, true])
        } else {
          await database.rows(ddl)
          expect(await subscribed(table)).toEqual(['unmet', false, false])
        }
      } finally {
        await database.rows(`select integratedb.set_enforcement('enforce')`)
      }
    },
  )

  test('that a role’s membership decides is told by audit_access() and doctor(), and its fix ends it', async () => {
    const table = await owned()
    await database.rows(
      `create role sees_all; grant sees_all to reader; alter table public.${table} enable row level security; create policy p on public.${table} to sees_all using (true)`,
    )
    await claim('reader', `public.${table}`)
    await ask(table)
    expect(await subscribed(table)).toEqual(['met', true, true])
    await database.rows('revoke sees_all from reader') // no event trigger tells
    const [row] = await database.rows<{ fix: string }>(`select * from integratedb.audit_access('reader') where source = 'notifications'`)
    expect(row).toMatchObject({
      ...{ stakeholder: 'reader', object: `table public.${table}`, finding: 'beyond claims' },
      privilege: 'events of rows that row level security hides',
    })
    expect(
      await database.rows(`select status, detail from integratedb.doctor() where check_name = 'notifications: what is told may be read'`),
    ).toEqual([{ status: 'problem', detail: `reader is told of events of rows that row level security hides of table public.${table}` }])
    await database.rows(row?.fix ?? '')
    expect(await subscribed(table)).toEqual(['unmet', false, false])
    expect(await database.rows(`select * from integratedb.audit_access('reader') where source = 'notifications'`)).toEqual([])
    await database.rows(`drop policy p on public.${table}; alter table public.${table} disable row level security; drop role sees_all`)
  })
})

test('a column that is revoked behind our back is told by audit_access(), until sync()', async () => {
  await claim('reader', 'public.orders')
  await set('reader', [{ path: 'public.orders', events: ['*'], channels: ['*'] }])
  await database.rows(
    `alter event trigger integratedb_note_ddl disable; revoke select (total) on public.orders from reader; alter event trigger integratedb_note_ddl enable always`,
  )
  const found = () => database.rows(`select object, privilege, fix from integratedb.audit_access('reader') where source = 'notifications'`)
  expect(await found()).toEqual([
    { object: 'table public.orders', privilege: 'events with total', fix: 'SELECT * FROM integratedb.sync()' },
  ])
  await database.rows('select * from integratedb.sync()')
  expect(await found()).toEqual([])
  expect(await reader.value('select count(total) from public.orders')).toBe(1)
})

test('one that is revoked while enforcement is warn is in no event any more', async () => {
  await database.rows(`select integratedb.set_enforcement('warn')`)
  await database.rows('revoke select (total) on public.orders from reader')
  const fields = `select fields from integratedb.subscriptions where stakeholder = 'reader'`
  expect(await database.value(fields)).not.toContain('total')
  await database.rows(`grant select (total) on public.orders to reader; select integratedb.set_enforcement('enforce')`)
  expect(await database.value(fields)).toContain('total')
})

describe('the power to read the stream', () => {
  test('is told by audit_access() of a stakeholder that gets it, by itself or by a role', async () => {
    for (const [give, take, privilege] of [
      ['alter role reader replication', 'alter role reader noreplication', 'REPLICATION'],
      ['grant bell to reader', 'revoke bell from reader', 'MEMBER (REPLICATION)'],
      ['grant integratedb_notifier to reader', 'revoke integratedb_notifier from reader', expect.stringMatching(/^MEMBER/)],
    ] as const) {
      await database.rows(give)
      const rows = await database.rows<{ privilege: string }>(
        `select privilege from integratedb.audit_access('reader') where source = 'role attribute' or privilege like 'MEMBER%'`,
      )
      expect([give, rows.map((row) => row.privilege)]).toEqual([give, expect.arrayContaining([privilege])])
      await database.rows(take)
    }
  })

  test('is more than the publication: doctor() says so', async () => {
    const detail = await database.value<string>(
      `select detail from integratedb.doctor() where check_name = 'notifications: who reads the stream'`,
    )
    expect(detail).toMatch(
      /^bell can read every change of every table, published or not, and drop any slot, in each database that it may connect to \(.*\)/,
    )
    expect(detail).toContain(database.name)
    // So it is.
    await database.rows(`create table public.never_told (secret text)`)
    await database.rows(`select pg_create_logical_replication_slot('peek', 'test_decoding')`)
    await database.rows(`begin; set local synchronous_commit = on; insert into public.never_told values ('s3cret'); commit`)
    const rows = await bell.rows<{ data: string }>(`select data from pg_logical_slot_peek_changes('peek', null, null)`)
    await database.rows(`select pg_drop_replication_slot('peek')`)
    expect(rows.some(({ data }) => data.includes('s3cret'))).toBe(true)
  })
})

describe('a stakeholder that is gone', () => {
  test('leaves no queue, no token, no channel; one of its name gets nothing of it', async () => {
    await database.rows(`select integratedb.add_stakeholder('leaver')`)
    await claim('leaver', 'public.orders')
    await set(
      'leaver',
      [{ path: 'public.orders', events: ['*'], channels: ['*'] }],
      [
        { name: 'jobs', kind: 'QUEUE' },
        { name: 'live', kind: 'SOCKET' },
      ],
    )
    const id = (name: string) =>
      database.value<number>(`select id from integratedb.channel where stakeholder = 'leaver' and name = $1`, [name])
    const [queue, live] = [await id('jobs'), await id('live')]
    await bell.rows(`select integratedb._enqueue($1, '{0000000000000001-00000000}', '{a}', '{"{}"}')`, [queue])
    await bell.rows(`select integratedb._keep($1, '{0000000000000001-00000000}', '{"{}"}')`, [live])
    const leaver = await database.connect('leaver')
    const { token } = await leaver.value<{ token: string }>(`select integratedb.issue_socket_token('1 hour')`)
    expect(await bell.value('select integratedb._socket_token($1)', [token])).toMatchObject({ stakeholder: 'leaver' })
    await database.rows(`select integratedb.remove_stakeholder('leaver', keep_data => false)`)
    const left = () => bell.rows('select integratedb._socket_token($1) as token, integratedb._socket_login($2) as login', [token, 'leaver'])
    expect(await left()).toEqual([{ token: null, login: null }])
    for (const table of ['queued', 'kept', 'parked'])
      expect([table, await database.value(`select count(*) from integratedb.${table} where channel in ($1, $2)`, [queue, live])]).toEqual([
        table,
        0,
      ])
    await database.rows(`select integratedb.add_stakeholder('leaver')`)
    await claim('leaver', 'public.orders')
    await set('leaver', [{ path: 'public.orders', events: ['*'], channels: ['*'] }])
    expect(await bell.value('select integratedb._socket_token($1)', [token])).toBeNull()
    const again = await database.connect('leaver')
    expect(await again.rows(`select * from integratedb.take_events('jobs')`)).toEqual([])
    await database.rows(`select integratedb.remove_stakeholder('leaver', keep_data => false)`)
  })

  test('a login that was rotated away or is over opens no socket, and neither does its token', async () => {
    const { credentials } = await database.value<{ credentials: { username: string } }>(
      `select integratedb.issue_credentials('reader', '1 hour')`,
    )
    const lease = await database.connect(credentials.username)
    const { token } = await lease.value<{ token: string }>(`select integratedb.issue_socket_token('1 hour')`)
    const who = () =>
      bell.rows('select integratedb._socket_token($1) as token, integratedb._socket_login($2) as login', [token, credentials.username])
    expect(await who()).toMatchObject([{ token: { stakeholder: 'reader' }, login: { stakeholder: 'reader' } }])
    await database.rows(`update integratedb.credential set valid_until = now() - interval '1 second' where username = $1`, [
      credentials.username,
    ])
    expect(await who()).toEqual([{ token: null, login: null }])
    await database.rows(`update integratedb.credential set valid_until = now() + interval '1 hour' where username = $1`, [
      credentials.username,
    ])
    await database.rows('select integratedb.revoke_credentials($1)', [credentials.username])
    expect(await who()).toEqual([{ token: null, login: null }])
    await database.rows('select * from integratedb.expire_credentials()')
  })
})
