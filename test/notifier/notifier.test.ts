/** From a commit to a channel, on one server with one notifier: what an event says, who gets it, and what is acknowledged. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CloudEvent, distinct, eventually, Recorder, type Running, ready, Shop, start } from './shop.ts'

let shop: Shop
let running: Running
let recorder: Recorder

beforeAll(async () => {
  // A timeout of a second: whoever keeps the server waiting is cut off.
  shop = await Shop.open({ wal_sender_timeout: '1s' })
  await shop.subscribe([{ path: 'public.orders' }])
  recorder = new Recorder()
  running = await start(shop, recorder, 10_000)
  await ready(running)
})
afterAll(async () => {
  await running?.stop()
  await shop?.close()
})

/** What `work` brings a channel. */
async function eventsOf(work: string | (() => Promise<void>), count: number, channel = 'hook'): Promise<CloudEvent[]> {
  const before = recorder.of(channel).length
  if (typeof work === 'string') await shop.admin.rows(work)
  else await work()
  return (await recorder.until(channel, before + count)).slice(before)
}

async function flush(): Promise<string> {
  return await shop.admin.value<string>(`select confirmed_flush_lsn::text from pg_replication_slots`)
}

describe('an event', () => {
  test('says what happened', async () => {
    const events = await eventsOf(async () => {
      await shop.admin.rows(`insert into orders values (1, 'new', 12.50, 'a "note"')`)
      await shop.admin.rows(`update orders set status = 'paid' where id = 1`)
      await shop.admin.rows(`update orders set id = 2 where id = 1`)
      await shop.admin.rows(`delete from orders where id = 2`)
      await shop.admin.rows(`truncate orders`)
    }, 5)
    const of = (type: string, data: object) => ({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9A-F]{16}-00000000$/),
      source: '/integratedb/postgres',
      type: `integratedb.${type.toLowerCase()}`,
      subject: 'public.orders',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      datacontenttype: 'application/json',
      data: {
        stakeholder: 'reporter',
        operation: type,
        relation: { schema: 'public', name: 'orders' },
        transaction: { id: expect.any(Number), lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) },
        ...data,
      },
    })
    const record = { id: 1, status: 'new', total: '12.50', note: 'a "note"' }
    expect(events).toEqual([
      of('INSERT', { key: { id: 1 }, record }),
      of('UPDATE', { key: { id: 1 }, record: { ...record, status: 'paid' } }),
      of('UPDATE', { key: { id: 2 }, record: { ...record, id: 2, status: 'paid' }, old: { id: 1 }, changed: ['id'] }),
      of('DELETE', { key: { id: 2 }, old: { id: 2 } }),
      of('TRUNCATE', { key: null }),
    ])
    expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).sort())
    expect(
      events.every(
        ({ id, data }) =>
          id ===
          `${data.transaction.lsn
            .split('/')
            .map((half: string) => half.padStart(8, '0'))
            .join('')}-00000000`,
      ),
    ).toBe(true)
  })

  test('has values as they are, without loss', async () => {
    await shop.admin.rows(`create type mood as enum ('so "so"');
      create table types (id int8 primary key, s int2, b boolean, f float4, d float8, n numeric, t text, j json, jb jsonb, y bytea, z timestamptz, a text[], m mood, i interval, "Ü ""x""" int)`)
    await shop.subscribe([{ path: 'public.orders' }, { path: 'public.types' }])
    const [one, two] = await eventsOf(
      `insert into types values (9007199254740993, -5, true, 0.1, 'NaN', 12345678901234567890.10, E'line\\n\\ttab "quote" \\\\ \\u0001 ü \u{1f600}', E'{"a":\\n 1.50, "b": "\\\\n"}', '{"a": 1.50}', '\\xff00',
         '2026-11-26 20:00:00.5+01', array['a', null], 'so "so"', '1 day 2 hours', 7);
       insert into types (id, b, d, f) values (-1, false, '-Infinity', 1e20)`,
      2,
    )
    expect(one?.data.key).toEqual({ id: '9007199254740993' })
    expect(one?.data.record).toEqual({
      id: '9007199254740993',
      s: -5,
      b: true,
      f: 0.1,
      d: 'NaN',
      n: '12345678901234567890.10',
      t: 'line\n\ttab "quote" \\ \u0001 ü \u{1f600}',
      j: { a: 1.5, b: '\n' },
      jb: { a: 1.5 },
      y: '\\xff00',
      z: '2026-11-26 19:00:00.5+00',
      a: '{a,NULL}',
      m: 'so "so"',
      i: 'P1DT2H',
      'Ü "x"': 7,
    })
    expect(two?.data.record).toMatchObject({ id: '-1', b: false, d: '-Infinity', f: 1e20, t: null, j: null, m: null })
  })

  test('leaves out and lists a long value that was not touched, unless the old row has it', async () => {
    await shop.admin.rows(`create table long (id int primary key, n int, body text); alter table long alter body set storage external`)
    await shop.subscribe([{ path: 'public.long' }])
    const body = 'x'.repeat(10_000)
    const events = await eventsOf(async () => {
      await shop.admin.rows(`insert into long values (1, 1, repeat('x', 10000))`)
      await shop.admin.rows(`update long set n = 2`)
      await shop.admin.rows(`alter table long replica identity full`)
      await shop.admin.rows(`update long set n = 3`)
      await shop.admin.rows(`delete from long`)
    }, 4)
    expect(events.map(({ data: { key, record, old, changed, unchanged } }) => ({ key, record, old, changed, unchanged }))).toEqual([
      { key: { id: 1 }, record: { id: 1, n: 1, body } },
      { key: { id: 1 }, record: { id: 1, n: 2 }, unchanged: ['body'] },
      { key: { id: 1 }, record: { id: 1, n: 3, body }, old: { id: 1, n: 2, body }, changed: ['n'] },
      { key: { id: 1 }, old: { id: 1, n: 3, body } },
    ])
  })

  test('counts its place over all that the transaction has, whoever wants it', async () => {
    await shop.subscribe([
      { path: 'public.orders', events: ['INSERT'], where: 'id > 102' },
      { path: 'public.items', events: ['DELETE'] },
    ])
    const events = await eventsOf(
      `begin; insert into items values (1, 1); insert into orders select n from generate_series(101, 104) n; update items set quantity = 2; delete from items where id = 1; commit`,
      3,
    )
    expect(events.map(({ id, data }) => [id.slice(-8), data.operation])).toEqual([
      ['00000003', 'INSERT'],
      ['00000004', 'INSERT'],
      ['00000006', 'DELETE'],
    ])
    expect(new Set(events.map(({ id }) => id.slice(0, 16))).size).toBe(1)
  })
})

describe('a subscription', () => {
  test('tells its fields and no others, not in the key either; several on one channel make one event', async () => {
    await shop.subscribe(
      [
        { path: 'public.orders', events: ['INSERT'], fields: ['status'], channels: ['one', 'two'] },
        { path: 'public.orders', events: ['INSERT', 'DELETE'], fields: ['total'], channels: ['two'] },
        { path: 'public.orders', events: ['INSERT'], fields: ['id', 'note'], channels: ['two'], where: `note = 'all'` },
      ],
      ['one', 'two'],
    )
    await shop.admin.rows(`insert into orders values (201, 'new', 1, 'all'), (202, 'new', 2, 'some'); delete from orders where id = 201`)
    const told = (channel: string) => recorder.of(channel).map(({ data: { key, record, old } }) => ({ key, record, old }))
    await recorder.until('two', 3)
    await recorder.until('one', 2)
    expect(told('one')).toEqual([
      { key: {}, record: { status: 'new' } },
      { key: {}, record: { status: 'new' } },
    ])
    expect(told('two')).toEqual([
      { key: { id: 201 }, record: { id: 201, status: 'new', total: '1', note: 'all' } },
      { key: {}, record: { status: 'new', total: '2' } },
      { key: {}, old: {} },
    ])
  })

  test('never has what is not claimed: not of old rows, keys or long values; and of what is given up nothing from that commit on', async () => {
    await shop.admin.rows(`
      create table vault (id int, secret text, long text, open text, primary key (id, secret)); alter table vault alter long set storage external; alter table vault replica identity full;
      select integratedb.add_stakeholder('outsider')`)
    const claim = (...fields: string[]) =>
      shop.admin.rows(`select from integratedb.set_claims('outsider', $1)`, [JSON.stringify({ match: [{ path: 'public.vault', fields }] })])
    await claim('id', 'open')
    await shop.subscribe([{ path: 'public.vault' }], ['out'], 'outsider')
    const events = await eventsOf(
      async () => {
        await shop.admin.rows(`insert into vault values (1, 's3cret', '', 'a'), (2, 's3cret', repeat('s3cret', 1000), 'a')`)
        await shop.admin.rows(`update vault set open = 'b'; update vault set secret = 's3cret' || id; update vault set id = id + 10`)
        await shop.admin.rows('delete from vault where id = 11; truncate vault')
      },
      10,
      'out',
    )
    expect(events.map(({ data: { operation } }) => operation).join(' ')).toBe(
      'INSERT INSERT UPDATE UPDATE UPDATE UPDATE UPDATE UPDATE DELETE TRUNCATE',
    )
    expect(JSON.stringify(events)).not.toMatch(/s3cret|"secret"|"long"/)
    const after = await eventsOf(
      async () => {
        await claim('open')
        await shop.admin.rows(`insert into vault values (4711, 's3cret', 's3cret', 'c'); update vault set open = 'd'; delete from vault`)
      },
      3,
      'out',
    )
    expect(JSON.stringify(after)).not.toMatch(/s3cret|4711/)
    expect(after.map(({ data: { record, old } }) => [record, old])).toMatchObject([
      [{ open: 'c' }, undefined],
      [{ open: 'd' }, { open: 'c' }],
      [undefined, { open: 'd' }],
    ])
    await shop.admin.rows(`select integratedb.remove_stakeholder('outsider')`)
  })

  test('keeps the order of a row when its table is made anew', async () => {
    await shop.admin.rows(`create table places (id int primary key, n int); insert into places values (1, 0), (2, 0)`)
    // An alert would be a barrier.
    await shop.subscribe([{ path: 'public.places', events: ['UPDATE'] }], [{ name: 'ordered', alerts: false }])
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    // The first update of row 1 is on its way for long.
    recorder.behave = async (_, events) => {
      const { data } = JSON.parse(String(events[0]?.body))
      if (data.record?.id === 1 && data.record.n === 1) await released
      return { outcome: 'delivered' }
    }
    const before = recorder.of('ordered').length
    await shop.admin.rows('update places set n = 1 where id = 1')
    await shop.admin.rows(
      `begin; create table anew (like places including all); insert into anew select * from places; drop table places; alter table anew rename to places; commit`,
    )
    await shop.admin.rows('update places set n = 2')
    await recorder.until('ordered', before + 1) // row 2 does not wait
    await new Promise((resolve) => setTimeout(resolve, 300))
    const told = () =>
      recorder
        .of('ordered')
        .slice(before)
        .map(({ data: { record } }) => [record.id, record.n])
    expect(told()).toEqual([[2, 2]])
    release()
    await recorder.until('ordered', before + 3)
    expect(told()).toEqual([
      [2, 2],
      [1, 1],
      [1, 2],
    ])
    recorder.behave = () => undefined
  })

  test('changed() and conditions look at old and new', async () => {
    await shop.admin.rows(`create table tasks (id int primary key, state text, n numeric); alter table tasks replica identity full`)
    await shop.subscribe([
      { path: 'public.tasks', where: `changed(state) and (n > 9007199254740992 or state in ('done', 'gone'))`, fields: ['id', 'state'] },
    ])
    const events = await eventsOf(async () => {
      await shop.admin.rows(`insert into tasks values (1, 'new', 1), (2, 'new', 9007199254740993), (3, 'done', null)`)
      await shop.admin.rows(`update tasks set n = 5; update tasks set state = 'done'; update tasks set state = null; delete from tasks`)
    }, 4)
    expect(events.map(({ data: { operation, record } }) => [operation, record?.id, record?.state])).toEqual([
      ['INSERT', 2, 'new'],
      ['INSERT', 3, 'done'],
      ['UPDATE', 1, 'done'],
      ['UPDATE', 2, 'done'],
    ])
  })

  test('changes exactly at its commit, under load, and in order with the data', async () => {
    await shop.subscribe([{ path: 'public.orders', events: ['INSERT'], fields: ['id'] }], ['hook'])
    const writers = await Promise.all([1, 2, 3].map(() => shop.connect()))
    let over = false
    let next = 10_000
    const writing = writers.map(async (writer) => {
      while (!over) await writer.rows(`insert into orders values (${next++}, 'load')`)
    })
    const fields = [['id'], ['id', 'status'], ['id', 'total'], ['id', 'status', 'total', 'note']]
    /** What holds from which commit on, in the order of the log. */
    for (let i = 0; i < 12; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      await shop.subscribe(
        [{ path: 'public.orders', events: ['INSERT'], fields: fields[i % 4] }],
        i % 3 === 2 ? ['hook', 'other'] : ['hook'],
      )
    }
    over = true
    await Promise.all(writing)
    for (const writer of writers) await writer.end()
    const loaded = (events: CloudEvent[]) => events.filter(({ data }) => data.relation?.name === 'orders' && data.record?.id >= 10_000)
    await eventually(() => loaded(recorder.of('hook')).length >= next - 10_000)
    const events = loaded(recorder.of('hook'))
    // Each once, and all of one choice of fields before all of the next.
    expect(new Set(events.map(({ data }) => data.record.id)).size).toBe(next - 10_000)
    expect(events.length).toBe(next - 10_000)
    const inOrder = distinct(events).sort((a, b) => (a.id < b.id ? -1 : 1))
    const choices = inOrder.map(({ data }) => Object.keys(data.record).join()).filter((each, i, all) => each !== all[i - 1])
    expect(choices).toEqual(
      ['id', ...Array.from({ length: 12 }, (_, i) => fields[i % 4]?.join())].filter((each, i, all) => each !== all[i - 1]),
    )
  })
})

describe('the slot', () => {
  test('moves when nothing happens here but much elsewhere, and when what happens is not subscribed to', async () => {
    const before = await flush()
    await shop.admin.rows(`insert into hidden select n from generate_series(1, 5000) n`)
    const here = await shop.admin.value<string>('select pg_current_wal_lsn()::text')
    await eventually(() => shop.admin.value<boolean>(`select $1::pg_lsn <= confirmed_flush_lsn from pg_replication_slots`, [here]))
    expect(await flush()).not.toBe(before)
  })

  test('does not move past what a channel has not taken, while the stream goes on for longer than wal_sender_timeout', async () => {
    await shop.subscribe([{ path: 'public.orders' }])
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    recorder.behave = () => gate.then(() => ({ outcome: 'delivered' }))
    const before = recorder.of('hook').length
    await shop.admin.rows(`insert into orders values (300)`)
    const here = await shop.admin.value<string>('select pg_current_wal_lsn()::text')
    const log = running.log.length
    await new Promise((resolve) => setTimeout(resolve, 3500))
    expect(await shop.admin.value(`select confirmed_flush_lsn < $1::pg_lsn from pg_replication_slots`, [here])).toBe(true)
    open()
    recorder.behave = () => undefined
    expect((await recorder.until('hook', before + 1)).at(-1)?.data.record.id).toBe(300)
    await eventually(() => shop.admin.value<boolean>(`select confirmed_flush_lsn >= $1::pg_lsn from pg_replication_slots`, [here]))
    expect(running.log.slice(log).filter(({ level }) => level !== 'info')).toEqual([])
  })
})

describe('alerts', () => {
  test('go to the channels that take them, signed ones and no others', async () => {
    await shop.subscribe([{ path: 'public.orders' }], ['hook', { name: 'quiet', alerts: false }])
    const secret = await shop.admin.value<string>('select secret from integratedb.notifier_state')
    const alert = (text: string, key: string) => `${createHmac('sha256', key).update(text).digest('hex')} ${text}`
    const json = (id: number) => JSON.stringify({ stakeholder: 'reporter', type: 'integratedb.migration.rejected', data: { id } })
    const emit = (transactional: boolean, content: string) =>
      shop.admin.rows(`select pg_logical_emit_message($1, 'integratedb.alert', $2)`, [transactional, content])
    const events = await eventsOf(async () => {
      await emit(false, json(1))
      await emit(true, alert(json(2), 'another secret'))
      await emit(false, `${'0'.repeat(64)} ${json(3)}`)
      await emit(false, 'x')
      await shop.admin.rows('begin; insert into orders values (400)')
      await emit(true, alert(json(4), secret))
      await emit(false, alert(json(5), secret))
      await shop.admin.rows('rollback')
      await shop.admin.rows('begin; insert into orders values (401)')
      await emit(true, alert(json(6), secret))
      await shop.admin.rows('commit')
    }, 3)
    expect(events.map(({ type, data, id }) => [type, data.id ?? data.record.id, id.slice(-8)])).toEqual([
      ['integratedb.migration.rejected', 5, '00000000'],
      ['integratedb.insert', 401, '00000000'],
      ['integratedb.migration.rejected', 6, '00000001'],
    ])
    expect(events[0]?.data).toEqual({ stakeholder: 'reporter', id: 5 })
    await recorder.until('quiet', 1)
    expect(recorder.of('quiet').map(({ type }) => type)).toEqual(['integratedb.insert'])
    expect(running.log.filter(({ message }) => message === 'a message that looks like an alert is not ours').length).toBe(4)
  })
})

describe('how it is doing', () => {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${running.port}${path}`)
    return { status: response.status, text: await response.text() }
  }

  test('is told truly, in all and for each channel', async () => {
    await shop.subscribe([{ path: 'public.orders' }], ['hook', { name: 'nobody', kind: 'SOCKET', url: undefined, secrets: undefined }])
    await eventually(async () => (await get('/readyz/reporter/nobody')).status === 503)
    expect(await get('/healthz')).toMatchObject({ status: 200 })
    expect((await get('/readyz/reporter/hook')).status).toBe(200)
    expect((await get('/readyz/reporter/strange')).status).toBe(404)
    const { status, text } = await get('/readyz')
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({
      phase: 'streaming',
      channels: [
        { channel: 'hook', status: 'direct', reason: null },
        { channel: 'nobody', status: 'broken', reason: 'this notifier has no channels of kind SOCKET' },
      ],
    })
    const metrics = (await get('/metrics')).text
    expect(metrics).toMatch(/^integratedb_streaming 1$/m)
    expect(metrics).toMatch(/^integratedb_lag_seconds 0$/m)
    expect(metrics).toMatch(/^integratedb_channel_delivered_total\{stakeholder="reporter",channel="hook"\} \d\d+$/m)
    expect(metrics).toMatch(/^integratedb_channel_up\{stakeholder="reporter",channel="nobody"\} 0$/m)
    for (const line of metrics.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) integratedb_\w+ .+|integratedb_\w+(\{[^}]+\})? -?[\d.e+]+)$/)
    expect((await get('/strange')).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${running.port}/metrics`, { method: 'POST' })).status).toBe(405)
  })

  test('is reported to the database', async () => {
    await eventually(
      async () =>
        (await shop.admin.value<{ instance?: string } | null>('select report from integratedb.notifier_state'))?.instance !== undefined,
    )
    const { log } = running
    expect(await shop.admin.value(`select report from integratedb.notifier_state`)).toMatchObject({
      instance: log[0]?.instance,
      received: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
      channels: expect.arrayContaining([expect.objectContaining({ status: expect.any(String), queued: expect.any(Number) })]),
    })
  })
})
