/** The replication connection and a real server: what comes, what is acknowledged, what goes wrong. */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/embedded/index.ts'
import { type Replication, type ReplicationOptions, startReplication } from '../../src/notifier/replication.ts'
import type { ReplicationError } from '../../src/notifier/replication-error.ts'
import { formatLsn } from '../../src/notifier/unacknowledged.ts'
import { Session } from '../support/database.ts'
import { Reader } from './reader.ts'

let server: EmbeddedServer
let admin: Session
const open: Replication[] = []

async function connect(url = server.url): Promise<Session> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const session = new Session(client)
  // A commit that is not on disk yet is not sent yet.
  await session.rows('set synchronous_commit = on')
  return session
}

async function stream(more: Partial<ReplicationOptions> = {}, parameters = ''): Promise<Reader> {
  const connection = { connectionString: server.url, ...(parameters && { options: parameters }) }
  const started = await startReplication({ connection, slot: 'notifier', publications: ['notifier'], ...more })
  open.push(started)
  return new Reader(started)
}

async function failure(work: Promise<unknown>): Promise<ReplicationError> {
  return await work.then(
    () => {
      throw new Error('this should have failed')
    },
    (error) => error,
  )
}

/** Tables, then a publication of all of them and a slot. */
async function publish(sql: string, options = 'for tables in schema public'): Promise<void> {
  await admin.rows(`${sql}; create publication notifier ${options}`)
  await admin.rows(`select pg_create_logical_replication_slot('notifier', 'pgoutput')`)
}

async function flushed(): Promise<bigint> {
  const text = await admin.value<string>(
    `select confirmed_flush_lsn - '0/0'::pg_lsn from pg_replication_slots where slot_name = 'notifier'`,
  )
  return BigInt(text)
}

async function until(what: () => Promise<boolean> | boolean, patience = 10_000): Promise<void> {
  for (const end = Date.now() + patience; !(await what()); ) {
    if (Date.now() > end) throw new Error(`not within ${patience} ms: ${what}`)
    await sleep(20)
  }
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

beforeAll(async () => {
  server = await startEmbeddedServer({ settings: { synchronous_commit: 'on', autovacuum: 'off' } })
  admin = await connect()
})
afterEach(async () => {
  for (const stream of open.splice(0)) await stream.stop()
  await until(async () => (await admin.value(`select count(*) from pg_replication_slots where active`)) === 0)
  await admin.rows(`select pg_drop_replication_slot(slot_name) from pg_replication_slots`)
  await admin.rows('drop publication if exists notifier; drop schema public cascade; create schema public')
})
afterAll(async () => {
  await admin?.end()
  await server?.stop()
})

describe('what comes', () => {
  test('each kind of change under each replica identity', async () => {
    await publish(`create table def (id int primary key, name text); create table ful (id int, name text);
      create table ind (id int primary key, code text not null unique, name text); create table non (id int);
      alter table ful replica identity full; alter table ind replica identity using index ind_code_key; alter table non replica identity nothing`)
    await admin.rows(`insert into def values (1, 'a'), (2, null); update def set name = 'b' where id = 1; update def set id = 3 where id = 1;
      delete from def where id = 3`)
    await admin.rows(`insert into ful values (1, null); update ful set name = 'b'; delete from ful`)
    await admin.rows(`insert into ind values (1, 'x', 'n'); update ind set id = 2; update ind set code = 'y'; delete from ind`)
    await admin.rows(`insert into non values (1)`)
    expect((await admin.failure('update non set id = 2')).message).toContain('does not have a replica identity')
    await admin.rows(`truncate def, ful, non`)
    const reader = await stream()
    expect(await reader.lines(5)).toEqual([
      'relation public.def (id,name) default (id)',
      'insert def (1, a)',
      'insert def (2, null)',
      'update def new (1, b)',
      'update def key (1, null) new (3, b)',
      'delete def key (3, null)',
      'relation public.ful (id,name) full (id,name)',
      'insert ful (1, null)',
      'update ful old (1, null) new (1, b)',
      'delete ful old (1, b)',
      'relation public.ind (id,code,name) index (code)',
      'insert ind (1, x, n)',
      'update ind new (2, x, n)',
      'update ind key (null, x, null) new (2, y, n)',
      'delete ind key (null, y, null)',
      'relation public.non (id) nothing ()',
      'insert non (1)',
      'truncate def,ful,non',
    ])
  })

  test('a long value that was not touched is not null, and a long key is told', async () => {
    await publish(`create table long (id int primary key, body text, name text); alter table long alter column body set storage external;
      create table long_key (id text primary key, n int); alter table long_key alter column id set storage external;
      create table whole (id int, body text); alter table whole alter column body set storage external; alter table whole replica identity full`)
    await admin.rows(`insert into long values (1, repeat('x', 9000), 'a'); update long set name = 'b'; update long set body = null;
      insert into long_key values (repeat('k', 2500), 1); update long_key set n = 2;
      insert into whole values (1, repeat('x', 9000)); update whole set id = 2`)
    expect((await (await stream()).lines()).filter((line) => !line.startsWith('relation'))).toEqual([
      'insert long (1, 9000 characters, a)',
      'update long new (1, unchanged, b)',
      'update long new (1, null, b)',
      'insert long_key (2500 characters, 1)',
      'update long_key key (2500 characters, null) new (unchanged, 2)',
      'insert whole (1, 9000 characters)',
      'update whole old (1, 9000 characters) new (2, unchanged)',
    ])
  })

  test('tables that change their shape, savepoints, odd names, partitions', async () => {
    await publish(
      `create table changing (id int primary key, a text); create table "Odd ""name"" ä.é" ("a b" int primary key, "select" text);
      create table parted (id int primary key, v text) partition by range (id);
      create table parted_1 partition of parted for values from (0) to (10); create table parted_2 partition of parted for values from (10) to (20)`,
      'for tables in schema public with (publish_via_partition_root = true)',
    )
    await admin.rows(
      `begin; insert into changing values (1, 'x'); alter table changing add b int default 7; insert into changing values (2, 'y', 8); commit`,
    )
    await admin.rows('alter table changing drop a; alter table changing rename b to c; alter table changing rename to changed')
    await admin.rows('insert into changed values (3, 9)')
    await admin.rows(`begin; insert into changed values (4, 1); savepoint a; insert into changed values (5, 1); savepoint b;
      update changed set c = 2; rollback to a; insert into changed values (6, 1); commit`)
    await admin.rows(`begin; insert into changed values (7, 1); rollback`)
    await admin.rows(`insert into "Odd ""name"" ä.é" values (1, 'ö')`)
    await admin.rows(`insert into parted values (1, 'a'), (11, 'b'); update parted set id = 12 where id = 1`)
    expect(await (await stream()).lines(5)).toEqual([
      'relation public.changing (id,a) default (id)',
      'insert changing (1, x)',
      'relation public.changing (id,a,b) default (id)',
      'insert changing (2, y, 8)',
      'relation public.changed (id,c) default (id)',
      'insert changed (3, 9)',
      'insert changed (4, 1)',
      'insert changed (6, 1)',
      'relation public.Odd "name" ä.é (a b,select) default (a b)',
      'insert Odd "name" ä.é (1, ö)',
      'relation public.parted (id,v) default (id)',
      'relation public.parted_1 (id,v) default (id)',
      'insert parted (1, a)',
      'relation public.parted_2 (id,v) default (id)',
      'insert parted (11, b)',
      // A row that moves to another partition is deleted there and inserted here.
      'delete parted key (1, null)',
      'insert parted (12, a)',
    ])
  })

  test('emitted messages, also of a transaction that rolled back, and origins', async () => {
    await publish('create table t (id int primary key)')
    await admin.rows(`begin; insert into t values (1); select pg_logical_emit_message(true, 'in', 'kept'); commit`)
    await admin.rows(`begin; insert into t values (2); select pg_logical_emit_message(true, 'in', 'gone');
      select pg_logical_emit_message(false, 'rejected', 'still here'); rollback`)
    await admin.rows(`select pg_replication_origin_create('elsewhere'), pg_replication_origin_session_setup('elsewhere')`)
    await admin.rows('insert into t values (3)')
    await admin.rows(`select pg_replication_origin_session_reset(), pg_replication_origin_drop('elsewhere')`)
    const reader = await stream()
    expect(await reader.lines(3)).toEqual([
      'relation public.t (id) default (id)',
      'insert t (1)',
      'message in kept',
      'outside rejected still here',
      'origin elsewhere',
      'insert t (3)',
    ])
  })

  test('values do not depend on how the database or the role is set up', async () => {
    await publish('create table t (id int primary key, d date, z timestamptz, f float8, b bytea, i interval)')
    const database = await admin.value<string>('select current_database()')
    await admin.rows(`alter database ${database} set datestyle = 'German'; alter database ${database} set timezone = 'Asia/Tokyo';
      alter database ${database} set extra_float_digits = -5; alter database ${database} set bytea_output = 'escape';
      alter database ${database} set client_encoding = 'LATIN1'`)
    try {
      await admin.rows(`insert into t values (1, '2026-01-02', '2026-01-02 03:04:05.678901+00', 0.1::float8 + 0.2, 'a', '1 day 2 hours')`)
      expect((await (await stream()).lines())[1]).toBe(
        'insert t (1, 2026-01-02, 2026-01-02 03:04:05.678901+00, 0.30000000000000004, \\x61, P1DT2H)',
      )
    } finally {
      await admin.rows(`alter database ${database} reset all`)
    }
  })
})

describe('what is acknowledged', () => {
  test('the next connection begins exactly behind it, with transactions and with messages outside of them', async () => {
    await publish('create table t (id int primary key)')
    await admin.rows('insert into t values (1)')
    await admin.rows('insert into t values (2)')
    await admin.rows(`select pg_logical_emit_message(false, 'm', '3')`)
    await admin.rows(`select pg_logical_emit_message(false, 'm', '4')`)
    await admin.rows('insert into t values (5)')
    const expected = ['insert t (1)', 'insert t (2)', 'outside m 3', 'outside m 4', 'insert t (5)']
    for (let acknowledged = 0; acknowledged <= 5; acknowledged++) {
      const reader = await stream()
      const units = await reader.units(6 - Math.max(acknowledged, 1), false)
      expect(units.flatMap(({ lines }) => lines).filter((line) => !line.startsWith('relation'))).toEqual(
        expected.slice(Math.max(acknowledged - 1, 0)),
      )
      const [first] = units
      if (first && acknowledged > 0) reader.stream.acknowledge(first.end)
      await reader.stream.stop()
      if (first && acknowledged > 0) expect(formatLsn(await flushed())).toBe(formatLsn(first.end))
      if (acknowledged === 5) break
    }
    await admin.rows('insert into t values (6)')
    expect((await (await stream()).lines()).at(-1)).toBe('insert t (6)')
  })

  test('nothing that was not handed out, and nothing in between', async () => {
    await publish('create table t (id int primary key)')
    await admin.rows('insert into t values (1)')
    const reader = await stream()
    await until(() => reader.stream.progress.inFlight === 1)
    const end = reader.stream.progress.received
    expect(() => reader.stream.acknowledge(end)).toThrow('nothing that was handed out ends at')
    const unit = await reader.unit()
    expect(() => reader.stream.acknowledge(unit.end - 8n)).toThrow('nothing that was received ends at')
    reader.stream.acknowledge(unit.end)
    reader.stream.acknowledge(unit.end)
    await until(async () => (await flushed()) >= unit.end)
  })

  test('traffic elsewhere moves the slot of an idle database, unless something is in flight', async () => {
    await publish('create table t (id int primary key)')
    await admin.rows('create schema if not exists elsewhere; create table if not exists elsewhere.t (body text)')
    const reader = await stream({}, '-c wal_sender_timeout=300')
    const traffic = async () => {
      await admin.rows(`insert into elsewhere.t select repeat('x', 1000) from generate_series(1, 200)`)
      return BigInt(await admin.value<string>(`select pg_current_wal_lsn() - '0/0'::pg_lsn`))
    }
    const idle = await traffic()
    await until(async () => (await flushed()) >= idle)
    await admin.rows('insert into t values (1)')
    const unit = await reader.unit()
    const busy = await traffic()
    await until(() => reader.stream.progress.received >= busy)
    await sleep(400)
    expect((await flushed()) < unit.end).toBe(true)
    reader.stream.acknowledge(unit.end)
    await until(async () => (await flushed()) >= busy)
    await admin.rows('drop schema elsewhere cascade')
  })
})

describe('a consumer that takes its time', () => {
  test('a busy one of 5 s outlives a wal_sender_timeout of 1 s', async () => {
    await publish('create table t (id int primary key)')
    const reader = await stream({}, '-c wal_sender_timeout=1000')
    await admin.rows('insert into t values (1)')
    await reader.unit()
    await sleep(5000)
    await admin.rows('insert into t values (2)')
    expect((await reader.unit()).lines).toEqual(['insert t (2)'])
  })

  test('a paused one is not disconnected, and what waits for it is bounded', async () => {
    await publish('create table t (id int primary key, body text)')
    await admin.rows(`insert into t select n, repeat('x', 100) from generate_series(1, 100000) n`)
    const reader = await stream({ maxWaiting: 256 << 10 }, '-c wal_sender_timeout=600')
    await until(() => reader.stream.progress.paused)
    await sleep(1500) // of silence on our side of the socket
    expect(reader.stream.progress.waiting).toBeLessThan(512 << 10)
    let most = 0
    let rows = 0
    for await (const { positions } of reader.stream) {
      rows += positions.length / 2
      most = Math.max(most, reader.stream.progress.waiting)
      if (rows === 100_003) break // begin, relation, commit
    }
    expect(most).toBeLessThan(512 << 10)
    expect(reader.stream.progress).toMatchObject({ inFlight: 1, waiting: 0, paused: false })
  })

  test('a row of 20 MB comes in one piece, with small ones around it', async () => {
    await publish('create table t (id int primary key, body text); alter table t alter column body set storage external')
    await admin.rows(`insert into t values (1, 'a'), (2, repeat('x', 20000000)), (3, 'b')`)
    const [, ...rows] = await (await stream()).lines()
    expect(rows).toEqual(['insert t (1, a)', 'insert t (2, 20000000 characters)', 'insert t (3, b)'])
  })

  test('stop() in the middle of a large transaction ends at once, and it comes again', async () => {
    await publish('create table t (id int primary key, body text)')
    await admin.rows(`insert into t select n, repeat('x', 100) from generate_series(1, 50000) n`)
    const first = await stream({ maxWaiting: 64 << 10 })
    await until(() => first.stream.progress.paused)
    const started = Date.now()
    await first.stream.stop()
    expect(Date.now() - started).toBeLessThan(3000)
    await expect(first.unit()).rejects.toThrow('the stream has ended')
    await until(async () => (await admin.value(`select count(*) from pg_replication_slots where active`)) === 0)
    const again = await stream()
    expect((await again.unit()).lines).toHaveLength(50_001)
  })
})

describe('what goes wrong', () => {
  test('the slot: missing, active, of another database, of another plugin', async () => {
    expect(await failure(stream())).toMatchObject({ kind: 'slot missing', code: '42704' })
    await publish('create table t (id int primary key)')
    await stream()
    expect(await failure(stream())).toMatchObject({ kind: 'slot active', code: '55006', walStatus: 'reserved' })
    await admin.rows(`select pg_create_logical_replication_slot('other', 'test_decoding')`)
    expect(await failure(stream({ slot: 'other' }))).toMatchObject({ kind: 'failed' })
    const url = new URL(server.url)
    url.pathname = 'template1'
    await admin.rows(`select pg_create_logical_replication_slot('here', 'pgoutput')`)
    const elsewhere = { connection: { connectionString: url.href }, slot: 'here' }
    expect(await failure(stream(elsewhere))).toMatchObject({ kind: 'failed', code: '55000', walStatus: 'reserved' })
  })

  test('the role may not, or is not', async () => {
    await publish('create table t (id int primary key)')
    await admin.rows('create role mere login')
    const url = new URL(server.url)
    url.username = 'mere'
    const refused = await failure(stream({ connection: { connectionString: url.href } }))
    url.username = 'nobody_at_all'
    const unknown = await failure(stream({ connection: { connectionString: url.href } }))
    await admin.rows('drop role mere')
    expect([refused.kind, refused.code, unknown.kind]).toEqual(['not permitted', '42501', 'not permitted'])
  })

  test('the server is not there', async () => {
    expect(await failure(stream({ connection: { host: '127.0.0.1', port: 1, user: 'x' } }))).toMatchObject({
      kind: 'unavailable',
      code: 'ECONNREFUSED',
    })
  })

  test('nothing is heard: silent, though the connection stands', async () => {
    await publish('create table t (id int primary key)')
    const sockets: Socket[] = []
    const proxy = createServer((near) => {
      const far = createConnection(server.port, '127.0.0.1')
      sockets.push(near, far)
      for (const socket of [near, far]) socket.on('error', () => {})
      near.pipe(far).pipe(near)
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const url = new URL(server.url)
    url.port = String((proxy.address() as AddressInfo).port)
    const reader = await stream({ connection: { connectionString: url.href, options: '-c wal_sender_timeout=600' } })
    await sleep(2000) // an idle server answers
    await admin.rows('insert into t values (1)')
    await reader.unit()
    const ended = failure(reader.unit())
    for (const socket of sockets) socket.unpipe().pause()
    const started = Date.now()
    expect(await ended).toMatchObject({ kind: 'silent' })
    expect(Date.now() - started).toBeLessThan(4000)
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })

  test('a publication that is missing, or was when it happened, is an error and never a gap', async () => {
    await publish('create table t (id int primary key)')
    const before = await flushed()
    await admin.rows('drop publication notifier')
    await admin.rows('insert into t values (1)')
    expect(await failure((await stream()).unit())).toMatchObject({ kind: 'publication missing' })
    await admin.rows('create publication notifier for table t')
    await until(async () => (await admin.value(`select count(*) from pg_replication_slots where active`)) === 0)
    expect(await failure((await stream()).unit())).toMatchObject({ kind: 'publication missing' })
    expect(await flushed()).toBe(before)
  })

  test('the session is ended by somebody: unavailable, and it comes again', async () => {
    await publish('create table t (id int primary key)')
    const reader = await stream()
    await admin.rows('insert into t values (1)')
    const { end } = await reader.unit()
    const waiting = failure(reader.unit())
    await admin.rows(`select pg_terminate_backend(active_pid) from pg_replication_slots`)
    expect(await waiting).toMatchObject({ kind: 'unavailable', code: '57P01' })
    reader.stream.acknowledge(end) // too late, and harmless
    await reader.stream.stop()
    await until(async () => (await admin.value(`select count(*) from pg_replication_slots where active`)) === 0)
    expect((await (await stream()).lines()).at(-1)).toBe('insert t (1)')
  })
})
