/**
 * The whole notifier in a process of its own, to channels that do nothing: one transaction of so many rows, then as many in transactions
 * of 100 that wait in the slot. `npx tsx bench/notify.ts [rows]` (default 1,000,000): changes a second, CPU a change, and the most memory it took.
 */
import { eventually, Process, Shop } from '../test/notifier/shop.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const shop = await Shop.open({ synchronous_commit: 'off', max_wal_size: '8GB' })
const loader = await shop.connect()
try {
  await shop.subscribe([{ path: 'public.orders' }], ['hook'])
  const insert = (from: number, to: number) =>
    loader.rows(`insert into orders select n, 'new', n / 100.0, repeat('note ', 8) from generate_series(${from}, ${to}) n`)

  async function measure(what: string, work: () => Promise<unknown>): Promise<void> {
    // It has to have made its slot once.
    const before = new Process(shop.url, { detail: 'count' })
    await eventually(() => before.log.includes('streaming'))
    await before.kill('SIGTERM')
    await work()
    const notifier = new Process(shop.url, { detail: 'count' })
    await eventually(() => notifier.log.includes('streaming'), 60_000)
    const started = performance.now()
    const cpu = notifier.counted.cpu
    await eventually(() => notifier.counted.events >= rows, 600_000)
    const seconds = (performance.now() - started) / 1000
    const each = (notifier.counted.cpu - cpu) / rows
    console.log(
      `${what}: ${Math.round(rows / seconds)} changes/s, ${each.toFixed(2)} us CPU a change, resident at most ${(notifier.counted.maxRss / 1024).toFixed(0)} MB`,
    )
    await notifier.kill('SIGTERM')
  }

  await measure(`one transaction of ${rows} rows`, () => insert(1, rows))
  await measure(`${Math.round(rows / 100)} transactions of 100 rows`, async () => {
    for (let from = rows + 1; from <= 2 * rows; from += 100) await insert(from, from + 99)
  })
} finally {
  await loader.end()
  await shop.close()
}
