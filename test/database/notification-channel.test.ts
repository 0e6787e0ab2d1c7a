// What the notifier does with a channel, and what stakeholders and administrators do: all as those who do it.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'

let database: TestDatabase
/** A notifier, a stakeholder, and another one. */
let bell: Session
let reader: Session
let other: Session
/** Ids of channels by name. */
let channels: Record<string, number>
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create table public.orders (id bigint primary key);
    select integratedb.add_notifier('bell'), integratedb.add_stakeholder('reader'), integratedb.add_stakeholder('other');
    select integratedb.set_claims(name, '{"match": [{"path": "public.orders", "fields": "*"}]}') from integratedb.stakeholders`)
  bell = await database.connect('bell')
  reader = await database.connect('reader')
  other = await database.connect('other')
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.rows(`select integratedb.remove_notifications(name) from integratedb.stakeholders`)
  channels = await set('reader')
})

async function set(stakeholder: string, max_parked = 5): Promise<Record<string, number>> {
  const document = {
    match: [{ path: 'public.orders', events: ['*'], channels: ['*'] }],
    channels: [
      { name: 'jobs', kind: 'QUEUE', max_parked },
      { name: 'live', kind: 'SOCKET', retention: 3 },
      { name: 'hook', kind: 'WEBHOOK', url: 'https://example.org', secrets: ['INTEGRATEDB_SECRET_A'], max_parked },
    ],
  }
  await database.rows('select * from integratedb.set_notifications($1, $2)', [stakeholder, JSON.stringify(document)])
  const rows = await database.rows<{ name: string; id: number }>('select name, id from integratedb.channel where stakeholder = $1', [
    stakeholder,
  ])
  return Object.fromEntries(rows.map(({ name, id }) => [name, id]))
}

/** Ids as events have them. */
function id(n: number): string {
  return `0000000000000001-${n.toString(16).toUpperCase().padStart(8, '0')}`
}

const ids = (...numbers: number[]): string[] => numbers.map(id)

async function park(...numbers: number[]): Promise<number> {
  return await bell.value('select integratedb._park($1, $2, $3, $4)', [
    channels['hook'],
    ids(...numbers),
    numbers.map(() => 'k'),
    numbers.map((n) => `{"n":${n}}`),
  ])
}

async function parked(after: string | null = null): Promise<string[]> {
  const rows = await bell.rows<{ id: string }>('select id from integratedb._parked($1, $2, 100)', [channels['hook'], after])
  return rows.map((row) => row.id)
}

async function hook(): Promise<Record<string, unknown>> {
  const [row] = await database.rows(
    `select status, reason, parked, dead from integratedb.channels where stakeholder = 'reader' and name = 'hook'`,
  )
  return row ?? {}
}

describe('what is parked', () => {
  test('comes back in order, once, after where one was', async () => {
    expect(await park(2, 1, 1)).toBe(2)
    expect(await park(1, 2, 3)).toBe(1)
    expect(await parked()).toEqual(ids(1, 2, 3))
    expect(await parked(id(1))).toEqual(ids(2, 3))
    await bell.rows('select integratedb._unpark($1, $2)', [channels['hook'], ids(1, 2, 9)])
    expect(await parked()).toEqual(ids(3))
    expect(await hook()).toMatchObject({ parked: 1 })
  })

  test('over the quota is a gap in its place, that grows, and is counted once', async () => {
    expect(await park(1, 2, 3, 4, 5, 6, 7)).toBe(5)
    expect(await park(6, 7, 8)).toBe(0)
    expect(await parked()).toEqual([...ids(1, 2, 3, 4, 5), `${id(6)}-gap`])
    const [gap] = await bell.rows<{ key: null; body: string }>('select key, body from integratedb._parked($1, $2, 1)', [
      channels['hook'],
      id(5),
    ])
    expect(gap?.key).toBeNull()
    expect(JSON.parse(gap?.body ?? '')).toEqual({
      specversion: '1.0',
      id: `${id(6)}-gap`,
      source: `/integratedb/${database.name}`,
      type: 'integratedb.gap',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      datacontenttype: 'application/json',
      data: { stakeholder: 'reader', channel: 'hook', reason: 'quota', first: id(6), last: id(8), number: 3 },
    })
    await bell.rows('select integratedb._unpark($1, $2)', [channels['hook'], ids(1, 2, 3)])
    expect(await park(9)).toBe(1)
    expect(await parked()).toEqual([...ids(4, 5), `${id(6)}-gap`, id(9)])
    await bell.rows('select integratedb._unpark($1, $2)', [channels['hook'], [...ids(4, 5, 9), `${id(6)}-gap`]])
    expect(await hook()).toMatchObject({ parked: 0 })
  })

  test('a gap that the notifier tells of', async () => {
    await bell.rows('select integratedb._gap($1, $2, $3, null, $4)', [channels['hook'], id(1), id(9), 'slot lost'])
    await bell.rows('select integratedb._gap($1, $2, $3, null, $4)', [channels['hook'], id(1), id(9), 'slot lost'])
    expect(await parked()).toEqual([`${id(1)}-gap`])
    expect(await hook()).toMatchObject({ parked: 1 })
  })

  test('what is refused becomes a dead letter, is played again with its id, or dropped', async () => {
    await park(1, 2, 3)
    await bell.rows('select integratedb._failed($1, $2, $3)', [channels['hook'], ids(1, 2), 'status 400'])
    await bell.rows('select integratedb._bury($1, $2, $3)', [channels['hook'], ids(1, 2), 'status 400'])
    expect(await parked()).toEqual(ids(3))
    expect(await hook()).toMatchObject({ parked: 1, dead: 2 })
    expect(
      await database.rows('select stakeholder, channel, id, key, event, attempts, reason from integratedb.dead_letters limit 1'),
    ).toEqual([{ stakeholder: 'reader', channel: 'hook', id: id(1), key: 'k', event: { n: 1 }, attempts: 2, reason: 'status 400' }])
    const version = 'select max(version) from integratedb.subscription_version'
    const before = await database.value<number>(version)
    expect(await database.value(`select integratedb.replay_dead_letters('reader', 'hook', $1)`, [ids(1, 7)])).toBe(1)
    expect(await database.value<number>(version)).toBeGreaterThan(before)
    expect(await parked()).toEqual(ids(1, 3))
    expect(await database.value(`select integratedb.drop_dead_letters('reader', 'hook')`)).toBe(1)
    expect(await hook()).toMatchObject({ parked: 2, dead: 0 })
  })

  test('a channel whose receiver is gone counts, and keeps nothing, until it is enabled', async () => {
    await park(1)
    await bell.rows('select integratedb._disable_channel($1, $2)', [channels['hook'], '410 Gone'])
    expect(await hook()).toMatchObject({ status: 'disabled', reason: '410 Gone' })
    expect(await park(2, 3)).toBe(0)
    expect(await parked()).toEqual([id(1), `${id(2)}-gap`])
    await database.rows(`select integratedb.enable_channel('reader', 'hook')`)
    expect(await park(4)).toBe(1)
    expect(await parked()).toEqual([id(1), `${id(2)}-gap`, id(4)])
    expect(
      await database.rows(
        `select state->'channels'->2->'disabled' as disabled from integratedb.subscription_version where stakeholder = 'reader' order by version desc limit 2`,
      ),
    ).toEqual([{ disabled: false }, { disabled: true }])
  })

  test('of a channel that keeps its name and kind stays; of one that is gone goes', async () => {
    await park(1)
    const again = await set('reader', 6)
    expect(again).toEqual(channels)
    expect(await parked()).toEqual(ids(1))
    await database.rows(`select integratedb.remove_notifications('reader')`)
    const error = await bell.failure('select integratedb._park($1, $2, $3, $4)', [channels['hook'], ids(1), ['k'], ['{}']])
    expect([error.code, error.message]).toEqual(['IDB08', `there is no channel ${channels['hook']}`])
    expect(await database.value('select count(*) from integratedb.parked')).toBe(0)
  })
})

describe('a queue', () => {
  async function enqueue(...events: [number, string | null][]): Promise<void> {
    await bell.rows('select integratedb._enqueue($1, $2, $3, $4)', [
      channels['jobs'],
      events.map(([n]) => id(n)),
      events.map(([, key]) => key),
      events.map(([n]) => `{"n":${n}}`),
    ])
  }
  async function take(session = reader, most = 100, visibility = '30 seconds'): Promise<string[]> {
    const rows = await session.rows<{ id: string }>(`select id from integratedb.take_events('jobs', $1, $2)`, [most, visibility])
    return rows.map((row) => row.id)
  }
  async function ack(...numbers: number[]): Promise<number> {
    return await reader.value(`select integratedb.ack_events('jobs', $1)`, [ids(...numbers)])
  }

  test('gives of each key the first event, and the next when it is acknowledged', async () => {
    await enqueue([1, 'a'], [2, 'a'], [3, 'b'])
    expect(await reader.rows(`select * from integratedb.take_events('jobs', 1)`)).toEqual([{ id: id(1), event: { n: 1 }, attempt: 1 }])
    expect(await take()).toEqual(ids(3))
    expect(await take()).toEqual([])
    expect(await ack(1, 9)).toBe(1)
    expect(await take()).toEqual(ids(2))
    expect(await ack(2, 3)).toBe(2)
    expect(await reader.value('select count(*) from reader.jobs')).toBe(0)
  })

  test('what has no key comes after all before it, and before all after it', async () => {
    await enqueue([1, 'a'], [2, null], [3, 'b'])
    expect(await take()).toEqual(ids(1))
    expect(await take()).toEqual([])
    await ack(1)
    expect(await take()).toEqual(ids(2))
    expect(await take()).toEqual([])
    await ack(2)
    expect(await take()).toEqual(ids(3))
  })

  test('the same event is in it once', async () => {
    await enqueue([1, 'a'], [2, 'a'])
    await enqueue([2, 'a'], [3, 'a'])
    expect(await reader.value('select count(*) from reader.jobs')).toBe(3)
  })

  test('what is not acknowledged in time, or given back, is given again', async () => {
    await enqueue([1, 'a'])
    expect(await take(reader, 1, '1 second')).toEqual(ids(1))
    expect(await take()).toEqual([])
    await expect.poll(() => take(), { timeout: 5000, interval: 100 }).toEqual(ids(1))
    expect(await reader.value(`select integratedb.release_events('jobs', $1)`, [ids(1)])).toBe(1)
    expect(await reader.rows(`select id, attempt from integratedb.take_events('jobs')`)).toEqual([{ id: id(1), attempt: 3 }])
  })

  test('two takers at once: nobody waits, and nobody gets what the other has', async () => {
    await enqueue([1, 'a'], [2, 'b'], [3, 'c'], [4, 'a'])
    const second = await database.connect('reader')
    await reader.rows('begin')
    expect(await take(reader, 2)).toEqual(ids(1, 2))
    expect(await take(second)).toEqual(ids(3))
    await reader.rows('rollback')
    expect(await take(second)).toEqual(ids(1, 2))
    await second.end()
  })

  test('many takers: each event once, those of a key in order', async () => {
    await set('reader', 1000)
    const keys = ['a', 'b', 'c', 'd', 'e']
    const events = Array.from({ length: 200 }, (_, index): [number, string] => [index, keys[(index * 7) % 5] as string])
    await enqueue(...events)
    const handled: { key: string; n: number }[] = []
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const session = await database.connect('reader')
        for (;;) {
          const taken = await session.rows<{ id: string; event: { n: number } }>(`select id, event from integratedb.take_events('jobs', 3)`)
          if (taken.length === 0 && (await session.value('select count(*) from reader.jobs')) === 0) break
          for (const { event } of taken) handled.push({ key: events[event.n]?.[1] ?? '', n: event.n })
          await session.rows(`select integratedb.ack_events('jobs', $1)`, [taken.map((each) => each.id)])
        }
        await session.end()
      }),
    )
    expect(handled.map(({ n }) => n).sort((a, b) => a - b)).toEqual(events.map(([n]) => n))
    for (const key of keys) {
      const order = handled.filter((each) => each.key === key).map(({ n }) => n)
      expect(order).toEqual([...order].sort((a, b) => a - b))
    }
  })

  test('NOTIFY wakes its reader', async () => {
    const woken: string[] = []
    const listener = await database.connect('reader')
    listener.client.on('notification', ({ channel, payload }) => woken.push(`${channel} ${payload}`))
    await listener.rows('listen reader')
    await enqueue([1, 'a'])
    await expect.poll(() => woken).toEqual(['reader jobs'])
    await listener.end()
  })

  test('that is full takes no more', async () => {
    await enqueue([1, 'a'], [2, 'a'], [3, 'a'], [4, 'a'], [5, 'a'])
    const error = await bell.failure('select integratedb._enqueue($1, $2, $3, $4)', [channels['jobs'], ids(6), ['a'], ['{}']])
    expect([error.code, error.message]).toEqual(['IDB08', 'the queue jobs of reader is full'])
  })

  test.each([
    [`select * from integratedb.take_events('none')`, 'IDB08', /^reader has no queue 'none'$/],
    [`select * from integratedb.take_events('hook')`, 'IDB08', /^reader has no queue 'hook'$/],
    [`select * from integratedb.take_events(null)`, 'IDB08', /^reader has no queue null$/],
    [`select * from integratedb.take_events('jobs', 0)`, 'IDB08', /^most cannot be 0$/],
    [`select * from integratedb.take_events('jobs', null)`, 'IDB08', /^most cannot be null$/],
    [`select * from integratedb.take_events('jobs', 1, '-1 s')`, 'IDB08', /^visibility cannot be/],
    [`select * from integratedb.take_events('jobs', 1, '1 day')`, 'IDB08', /^visibility cannot be/],
  ])('%s', async (call, code, message) => {
    const error = await reader.failure(call)
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
    expect(error.hint).not.toBe('')
  })

  test("another's are not to be had", async () => {
    await enqueue([1, 'a'])
    expect((await other.failure(`select * from integratedb.take_events('jobs')`)).message).toBe("other has no queue 'jobs'")
    await set('other')
    expect(await take(other)).toEqual([])
    expect(await other.value(`select integratedb.ack_events('jobs', $1)`, [ids(1)])).toBe(0)
    expect(await other.value(`select integratedb.release_events('jobs', $1)`, [ids(1)])).toBe(0)
    expect((await other.failure('select * from reader.jobs')).code).toBe('42501')
    expect((await other.failure('select * from integratedb.queued')).code).toBe('42501')
    expect(await other.value('select count(*) from other.jobs')).toBe(0)
    expect(await take()).toEqual(ids(1))
  })

  test('one that is dropped by its owner comes back with the next set_notifications', async () => {
    await enqueue([1, 'a'])
    await reader.rows('drop view reader.jobs')
    await enqueue([2, 'a'])
    expect(await take()).toEqual(ids(1))
    await set('reader')
    expect(await reader.value('select count(*) from reader.jobs')).toBe(2)
  })

  test('replaces nothing that is there', async () => {
    await database.rows(`select integratedb.remove_notifications('reader')`)
    await reader.rows('create table reader.jobs (x int)')
    const error = await database.failure('select * from integratedb.set_notifications($1, $2)', [
      'reader',
      JSON.stringify({ match: [], channels: [{ name: 'jobs', kind: 'QUEUE' }] }),
    ])
    expect([error.code, error.message]).toEqual(['IDB05', 'the queue jobs cannot be shown in the schema reader'])
    await reader.rows('drop table reader.jobs')
  })
})

describe('a socket', () => {
  test('keeps as many as it retains', async () => {
    for (const n of [1, 2, 3, 4, 5]) await bell.rows('select integratedb._keep($1, $2, $3)', [channels['live'], ids(n), [`{"n":${n}}`]])
    await bell.rows('select integratedb._keep($1, $2, $3)', [channels['live'], ids(5), ['{"n":5}']])
    expect(await bell.rows('select id, body from integratedb._kept($1, null, 10)', [channels['live']])).toEqual(
      [3, 4, 5].map((n) => ({ id: id(n), body: `{"n":${n}}` })),
    )
    expect(await bell.rows('select id from integratedb._kept($1, $2, 10)', [channels['live'], id(4)])).toEqual([{ id: id(5) }])
    expect(await bell.value('select integratedb._kept_from($1)', [channels['live']])).toBe(id(3))
  })

  test('is for whoever can log in as its stakeholder, or has a token of one that can', async () => {
    const sockets = { stakeholder: 'reader', channels: [{ id: channels['live'], name: 'live' }], valid_until: null }
    expect(await bell.value(`select integratedb._socket_login('reader')`)).toEqual(sockets)
    expect(await bell.value(`select integratedb._socket_login('bell')`)).toBeNull()
    const { token, valid_until } = await reader.value<{ token: string; valid_until: string }>('select integratedb.issue_socket_token()')
    const ofToken = { ...sockets, valid_until }
    expect(await bell.value('select integratedb._socket_token($1)', [token])).toEqual(ofToken)
    expect(await bell.value(`select integratedb._socket_token('x')`)).toBeNull()
    expect(await database.value('select count(*) from integratedb.access_token where hash like $1', [`%${token}%`])).toBe(0)
  })

  test('a token ends with the login that asked for it', async () => {
    const lease = await database.value<{ credentials: { username: string } }>(`select integratedb.issue_credentials('reader', '1 hour')`)
    const leased = await database.connect(lease.credentials.username)
    const { token } = await leased.value<{ token: string }>(`select integratedb.issue_socket_token('2 hours')`)
    const known = await bell.value<{ valid_until: string }>('select integratedb._socket_token($1)', [token])
    expect(Date.parse(known.valid_until)).toBeLessThan(Date.now() + 3_700_000)
    await database.rows('select integratedb.revoke_credentials($1)', [lease.credentials.username])
    expect(await bell.value('select integratedb._socket_token($1)', [token])).toBeNull()
  })

  test.each([`'2 days'`, `'0'`, 'null'])('a token of %s', async (ttl) => {
    expect((await reader.failure(`select integratedb.issue_socket_token(${ttl})`)).code).toBe('IDB08')
  })

  test('a notifier, or anybody else, is no stakeholder', async () => {
    for (const session of [bell, database]) {
      expect((await session.failure('select integratedb.issue_socket_token()')).code).toBe('IDB04')
      expect((await session.failure(`select * from integratedb.take_events('jobs')`)).code).toBe('IDB04')
    }
  })
})
