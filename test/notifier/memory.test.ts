/** How much memory does a large transaction take, in a process like that of the npm package? INTEGRATEDB_TEST_ROWS: 1000000 for all of it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, Process, Shop } from './shop.ts'

const rows = Number(process.env.INTEGRATEDB_TEST_ROWS ?? 200_000)
const most = 120
let shop: Shop

beforeAll(async () => {
  shop = await Shop.open({ synchronous_commit: 'off', max_wal_size: '4GB' })
  await shop.subscribe([{ path: 'public.orders' }])
})
afterAll(() => shop?.close())

test(
  `one transaction of ${rows} rows stays below ${most} MB, and all of it arrives`,
  async () => {
    const notifier = new Process(shop.url, { detail: 'count' })
    await eventually(() => notifier.log.includes('streaming'))
    const session = await shop.connect()
    await session.rows(`insert into orders select n, 'new', n / 100.0, repeat('note ', 8) from generate_series(1, ${rows}) n`)
    await session.end()
    await eventually(() => notifier.counted.events >= rows, 100_000 + rows / 5)
    const { maxRss } = notifier.counted
    await notifier.kill('SIGTERM')
    expect(notifier.counted.events).toBe(rows)
    expect(maxRss / 1024).toBeLessThan(most)
  },
  180_000 + rows / 4,
)
