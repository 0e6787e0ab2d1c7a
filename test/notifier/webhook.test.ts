/** Webhooks against a receiver that checks each signature with the library of Standard Webhooks. */
import dns from 'node:dns'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Context, Event, Outcome, Sink } from '../../src/notifier/channel/sink.ts'
import { webhook } from '../../src/notifier/deliver/webhook.ts'
import { isPublic } from '../../src/notifier/deliver/webhook-address.ts'
import { Receiver, SECRET } from '../support/receiver.ts'

const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const environment = {
  INTEGRATEDB_SECRET_HOOK: SECRET,
  INTEGRATEDB_SECRET_OTHER: OTHER,
  INTEGRATEDB_SECRET_SHORT: `whsec_${Buffer.alloc(23).toString('base64')}`,
  INTEGRATEDB_SECRET_BARE: Buffer.alloc(32).toString('base64'),
  INTEGRATEDB_SECRET_ODD: `whsec_${'?'.repeat(44)}`,
  INTEGRATEDB_SECRET_KEY: 'Bearer for-the-receiver',
  PGPASSWORD: 'not to be sent',
}

let receiver: Receiver
let sinks: Sink[] = []
beforeEach(async () => {
  receiver = await Receiver.start()
})
afterEach(async () => {
  for (const sink of sinks) await sink.close()
  sinks = []
  await receiver.down()
  vi.restoreAllMocks()
})

async function open(more: Record<string, unknown> = {}, allowPrivate = true): Promise<Sink> {
  const configuration = { url: receiver.url, secrets: ['INTEGRATEDB_SECRET_HOOK'], ...more }
  const channel = { id: 1, name: 'hook', kind: 'WEBHOOK', stakeholder: 'reporter', configuration }
  const sink = await webhook.open(channel, { environment, allowPrivate } as Partial<Context> as Context)
  sinks.push(sink)
  return sink
}

function event(number: number, data: unknown = 'größer'): Event {
  const id = `${number.toString(16).padStart(16, '0').toUpperCase()}-00000000`
  return { id, key: null, body: Buffer.from(JSON.stringify({ specversion: '1.0', id, type: 'integratedb.insert', data })) }
}

async function deliver(sink: Sink, ...events: Event[]): Promise<Outcome> {
  return await sink.deliver(events, new AbortController().signal)
}

describe('what is sent', () => {
  test('one event, as it is, signed, and over one connection', async () => {
    const sink = await open({ concurrency: 1 })
    for (const number of [1, 2, 3]) expect(await deliver(sink, event(number))).toEqual({ outcome: 'delivered' })
    expect(receiver.complaints).toEqual([])
    expect(receiver.deliveries.map(({ body }) => body)).toEqual([1, 2, 3].map((number) => event(number).body.toString()))
    const [first] = receiver.deliveries
    expect(first?.headers).toMatchObject({ 'webhook-id': event(1).id, 'content-type': 'application/cloudevents+json' })
    expect(first?.headers['user-agent']).toMatch(/^IntegrateDB\/\d/)
    expect(Math.abs(Number(first?.headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(5)
    expect(receiver.connections).toBe(1)
  })

  test('a batch is a list, also of one event; its id is the first one of it', async () => {
    const sink = await open({ batch: 10, url: `${receiver.url}?key=a%20b` })
    await deliver(sink, event(1), event(2), event(3))
    await deliver(sink, event(4))
    expect(receiver.deliveries.map(({ events }) => events.map(({ id }) => id))).toEqual([[1, 2, 3].map((n) => event(n).id), [event(4).id]])
    expect(receiver.deliveries[0]?.headers).toMatchObject({
      'webhook-id': event(1).id,
      'content-type': 'application/cloudevents-batch+json',
    })
    expect(receiver.deliveries[0]?.path).toBe('/hook?key=a%20b')
    expect(JSON.parse(receiver.deliveries[1]?.body ?? '')).toHaveLength(1)
    expect(sink.maxBatch).toBe(10)
  })

  test('every secret signs, so that a receiver may have either of them', async () => {
    const sink = await open({ secrets: ['INTEGRATEDB_SECRET_OTHER', 'INTEGRATEDB_SECRET_HOOK'] })
    await deliver(sink, event(1))
    const [delivery] = receiver.deliveries
    const headers = delivery?.headers as Record<string, string>
    for (const secret of [SECRET, OTHER])
      expect(new Webhook(secret).verify(delivery?.body ?? '', headers)).toMatchObject({ data: 'größer' })
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
    const third = new Webhook(Buffer.alloc(32, 9).toString('base64'))
    expect(() => third.verify(delivery?.body ?? '', headers)).toThrow()
  })

  test('headers from the environment, but none that are ours', async () => {
    const sink = await open({ headers: { Authorization: 'INTEGRATEDB_SECRET_KEY' } })
    await deliver(sink, event(1))
    expect(receiver.deliveries[0]?.headers.authorization).toBe('Bearer for-the-receiver')
    for (const header of ['Webhook-Id', 'content-type', 'Host', 'transfer-encoding'])
      await expect(open({ headers: { [header]: 'INTEGRATEDB_SECRET_KEY' } })).rejects.toThrow('is not for a channel to set')
  })

  test.each([
    ['INTEGRATEDB_SECRET_GONE', "the notifier's environment has no INTEGRATEDB_SECRET_GONE"],
    ['PGPASSWORD', 'PGPASSWORD is not the name of a secret'],
    ['INTEGRATEDB_SECRET_SHORT', 'INTEGRATEDB_SECRET_SHORT is not a key of Standard Webhooks'],
    ['INTEGRATEDB_SECRET_BARE', 'INTEGRATEDB_SECRET_BARE is not a key of Standard Webhooks'],
    ['INTEGRATEDB_SECRET_ODD', 'INTEGRATEDB_SECRET_ODD is not a key of Standard Webhooks'],
  ])('a secret that is none: %s', async (name, message) => {
    await expect(open({ secrets: ['INTEGRATEDB_SECRET_HOOK', name] })).rejects.toThrow(message)
  })
})

describe('what the answer means', () => {
  test.each<[number, Record<string, string>, Outcome]>([
    [200, {}, { outcome: 'delivered' }],
    [204, {}, { outcome: 'delivered' }],
    [301, { location: 'http://127.0.0.1:1/' }, { outcome: 'retry', reason: 'the receiver answered 301; redirects are not followed' }],
    [400, {}, { outcome: 'rejected', reason: 'the receiver answered 400' }],
    [401, {}, { outcome: 'retry', reason: 'the receiver answered 401' }],
    [404, { 'retry-after': '5' }, { outcome: 'retry', reason: 'the receiver answered 404' }],
    [410, {}, { outcome: 'gone', reason: 'the receiver answered 410' }],
    [413, {}, { outcome: 'rejected', reason: 'the receiver answered 413' }],
    [415, {}, { outcome: 'rejected', reason: 'the receiver answered 415' }],
    [422, {}, { outcome: 'rejected', reason: 'the receiver answered 422' }],
    [429, { 'retry-after': '7' }, { outcome: 'retry', reason: 'the receiver answered 429', after: 7000 }],
    [500, {}, { outcome: 'retry', reason: 'the receiver answered 500' }],
    [502, { 'retry-after': '99999999' }, { outcome: 'retry', reason: 'the receiver answered 502', after: 3_600_000 }],
    [503, { 'retry-after': 'Wed, 01 Jan 2020 00:00:00 GMT' }, { outcome: 'retry', reason: 'the receiver answered 503', after: 0 }],
    [504, { 'retry-after': 'whenever' }, { outcome: 'retry', reason: 'the receiver answered 504' }],
  ])('%i %j', async (status, headers, outcome) => {
    receiver.behave = () => ({ status, headers })
    expect(await deliver(await open(), event(1))).toEqual(outcome)
  })

  test('Retry-After as a date', async () => {
    receiver.behave = () => ({ status: 429, headers: { 'retry-after': new Date(Date.now() + 30_000).toUTCString() } })
    const outcome = (await deliver(await open(), event(1))) as { after?: number }
    expect(outcome.after).toBeGreaterThan(27_000)
    expect(outcome.after).toBeLessThan(31_000)
  })

  test('a long answer is not read to its end, and the next event gets through', async () => {
    const sink = await open({ concurrency: 1 })
    receiver.behave = () => ({ answer: 'x'.repeat(30_000_000) })
    expect(await deliver(sink, event(1))).toEqual({ outcome: 'delivered' })
    await expect.poll(() => receiver.unread).toBe(1)
    receiver.behave = () => ({})
    expect(await deliver(sink, event(2))).toEqual({ outcome: 'delivered' })
  })
})

describe('no answer', () => {
  test.each(['before', 'midway'] as const)('the connection closes %s it', async (close) => {
    const sink = await open()
    receiver.behave = () => ({ close })
    expect(await deliver(sink, event(1))).toEqual({ outcome: 'retry', reason: 'other side closed' })
    receiver.behave = () => ({})
    expect(await deliver(sink, event(1))).toEqual({ outcome: 'delivered' })
  })

  test('the timeout is of the whole exchange', async () => {
    const sink = await open({ timeout: 1 })
    for (const behaviour of [{ close: 'never' }, { delay: 1500 }] as const) {
      receiver.behave = () => behaviour
      const started = Date.now()
      expect(await deliver(sink, event(1))).toEqual({ outcome: 'retry', reason: 'no whole answer within 1 s' })
      expect(Date.now() - started).toBeGreaterThan(900)
      expect(Date.now() - started).toBeLessThan(1400)
    }
  })

  test('nobody listens', async () => {
    const sink = await open()
    await receiver.down()
    expect(await deliver(sink, event(1))).toMatchObject({ outcome: 'retry', reason: expect.stringContaining('ECONNREFUSED') })
    await receiver.up()
    expect(await deliver(sink, event(1))).toEqual({ outcome: 'delivered' })
  })

  test('stopped meanwhile, and before', async () => {
    const sink = await open()
    receiver.behave = () => ({ close: 'never' })
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('stopping')), 100)
    expect(await sink.deliver([event(1)], stop.signal)).toEqual({ outcome: 'retry', reason: 'stopping' })
    expect(await sink.deliver([event(1)], stop.signal)).toEqual({ outcome: 'retry', reason: 'stopping' })
    expect(receiver.deliveries.length).toBeLessThan(2)
  })
})

describe('addresses', () => {
  const allowed = ['93.184.216.34', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1', '64:ff9b::1.1.1.1']
  const refused = [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
    ...['172.31.255.255', '192.0.0.192', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '168.63.129.16'],
    ...['::', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe', '::127.0.0.1', '64:ff9b::10.0.0.1', '64:ff9b:1::1'],
    ...[
      '2002:7f00:1::',
      '2001::1',
      '2001:db8::1',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'fe80::1%eth0',
      'ff02::1',
      '100::1',
      'localhost',
      '',
    ],
  ]
  test.each([...allowed.map((address) => [address, true] as const), ...refused.map((address) => [address, false] as const)])(
    '%s: %s',
    (address, expected) => {
      expect(isPublic(address)).toBe(expected)
    },
  )

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]'])(
    'http://%s is not connected to',
    async (host) => {
      const url = new URL(receiver.url)
      const sink = await open({ url: `http://${host}:${url.port}/` }, false)
      expect(await deliver(sink, event(1))).toMatchObject({ outcome: 'retry', reason: expect.stringContaining('is no public address') })
      expect(receiver.connections).toBe(0)
    },
  )

  test('a name is judged by the very addresses that are connected to, each time, and all of them', async () => {
    const { port } = new URL(receiver.url)
    const sink = await open({ url: `http://rebinding.example:${port}/`, concurrency: 1, timeout: 2 }, false)
    let answers = [{ address: '127.0.0.1', family: 4 }]
    const lookup = vi
      .spyOn(dns, 'lookup')
      .mockImplementation(((_: string, __: unknown, callback: (...answer: unknown[]) => void) =>
        callback(null, answers)) as unknown as typeof dns.lookup)
    expect(await deliver(sink, event(1))).toMatchObject({ reason: expect.stringContaining('rebinding.example (127.0.0.1) is no public') })
    answers = [...answers, { address: '1.1.1.1', family: 4 }].reverse()
    expect(await deliver(sink, event(1))).toMatchObject({ reason: expect.stringContaining('rebinding.example (127.0.0.1) is no public') })
    expect(lookup).toHaveBeenCalledTimes(2)
    expect(receiver.connections).toBe(0)
  })
})
