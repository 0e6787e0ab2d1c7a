/** From a commit to a channel: what an event says, and when it comes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Recorder, type Running, ready, Shop, start } from './shop.ts'

let shop: Shop
let running: Running
let recorder: Recorder

beforeAll(async () => {
  shop = await Shop.open({ wal_sender_timeout: '1s' })
  await shop.subscribe([{ path: 'public.orders' }])
})
afterAll(async () => {
  await shop?.close()
})
afterEach(async () => {
  await running?.stop()
})

async function run(kind = new Recorder()): Promise<void> {
  recorder = kind
  running = await start(shop, kind)
  await ready(running)
}

describe('an event', () => {
  test('says what happened', async () => {
    await run()
    await shop.admin.rows(`insert into orders values (1, 'new', 12.50, 'a "note"')`)
    await shop.admin.rows(`update orders set status = 'paid' where id = 1`)
    await shop.admin.rows(`update orders set id = 2 where id = 1`)
    await shop.admin.rows(`delete from orders where id = 2`)
    await shop.admin.rows(`truncate orders`)
    const events = await recorder.until('hook', 5)
    expect(events[0]).toMatchObject({
      specversion: '1.0',
      source: '/integratedb/postgres',
      type: 'integratedb.insert',
      subject: 'public.orders',
      datacontenttype: 'application/json',
      data: {
        stakeholder: 'reporter',
        operation: 'INSERT',
        relation: { schema: 'public', name: 'orders' },
        key: { id: 1 },
        record: { id: 1, status: 'new', total: '12.50', note: 'a "note"' },
      },
    })
    expect(events.map(({ data }) => data.operation)).toEqual(['INSERT', 'UPDATE', 'UPDATE', 'DELETE', 'TRUNCATE'])
  })
})
