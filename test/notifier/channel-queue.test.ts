/** The rules of delivering, on a clock of the test's own. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoff, type Delivery, type Entry, newEntry, Queue } from '../../src/notifier/channel/queue.ts'
import type { Outcome } from '../../src/notifier/channel/sink.ts'

const delivered: Outcome = { outcome: 'delivered' }
const retry: Outcome = { outcome: 'retry', reason: 'busy' }
const rejected: Outcome = { outcome: 'rejected', reason: 'no' }

function entry(number: number, key: string | null, size = 10): Entry {
  const id = String(number).padStart(8, '0')
  return newEntry({ id, key, body: Buffer.alloc(size) }, 0, null)
}

function queueOf(keys: (string | null)[], limits: { concurrency?: number; maxBatch?: number; maxBatchBytes?: number } = {}): Queue {
  const queue = new Queue({ concurrency: 4, maxBatch: 1, maxBatchBytes: 1000, ...limits }, () => 0)
  for (const [i, key] of keys.entries()) queue.push(entry(i, key))
  return queue
}

function ids(delivery: Delivery | null): number[] | null {
  return delivery?.events.map(({ id }) => Number(id)) ?? null
}

function take(queue: Queue, now = 0): Delivery {
  const delivery = queue.take(now)
  if (!delivery) throw new Error('nothing to take')
  return delivery
}

describe('lanes', () => {
  test('different keys overlap, one key does not', () => {
    const queue = queueOf(['a', 'a', 'b'])
    const first = take(queue)
    expect([ids(first), ids(queue.take(0)), queue.take(0)]).toEqual([[0], [2], null])
    queue.settle(first, delivered, 0)
    expect(ids(queue.take(0))).toEqual([1])
  })

  test('no more requests at a time than the sink takes', () => {
    const queue = queueOf(['a', 'b', 'c'], { concurrency: 2 })
    expect([ids(queue.take(0)), ids(queue.take(0)), queue.take(0)]).toEqual([[0], [1], null])
  })

  test('a sink that takes one gets everything in order', () => {
    const queue = queueOf(['a', 'b', null, 'a'], { concurrency: 1, maxBatch: 3 })
    const first = take(queue)
    expect(ids(first)).toEqual([0, 1, 2])
    queue.settle(first, retry, 0)
    expect(queue.take(999)).toBe(null)
    expect(ids(queue.take(1000))).toEqual([0, 1, 2])
  })

  test('a barrier waits for all before it, and all behind it wait', () => {
    const queue = queueOf(['a', 'b', null, null, 'a', 'c'])
    const [a, b] = [take(queue), take(queue)]
    expect(queue.take(0)).toBe(null)
    queue.settle(a, delivered, 0)
    expect(queue.take(0)).toBe(null)
    queue.settle(b, retry, 0)
    expect([queue.take(0), queue.wakeAt()]).toEqual([null, 1000])
    queue.settle(take(queue, 1000), delivered, 1000)
    const barrier = take(queue, 1000)
    expect([ids(barrier), queue.take(1000)]).toEqual([[2], null])
    queue.settle(barrier, delivered, 1000)
    const second = take(queue, 1000)
    expect([ids(second), queue.take(1000)]).toEqual([[3], null])
    queue.settle(second, delivered, 1000)
    expect([ids(queue.take(1000)), ids(queue.take(1000)), queue.take(1000)]).toEqual([[4], [5], null])
  })

  test('a batch is of several lanes, in the order of the stream, bounded in number and bytes; one that is larger goes alone', () => {
    const queue = queueOf(['a', 'b', 'a', 'c'], { maxBatch: 3 })
    expect(ids(queue.take(0))).toEqual([0, 1, 2])
    expect(ids(queueOf(['a', 'b', 'a', 'c'], { maxBatch: 9, maxBatchBytes: 25 }).take(0))).toEqual([0, 2])
    const large = new Queue({ concurrency: 4, maxBatch: 9, maxBatchBytes: 100 })
    large.push(entry(0, 'a', 5000))
    large.push(entry(1, 'a', 50))
    expect(ids(large.take(0))).toEqual([0])
  })
})

describe('failures', () => {
  test('hold up their lane, longer each time, and no other', () => {
    const queue = queueOf(['a', 'b', 'a'])
    const first = take(queue)
    queue.settle(first, retry, 0)
    queue.settle(take(queue), delivered, 0)
    expect([queue.take(0), queue.take(999), queue.wakeAt()]).toEqual([null, null, 1000])
    const again = take(queue, 1000)
    expect(ids(again)).toEqual([0])
    queue.settle(again, retry, 1000)
    expect([queue.take(2999), ids(queue.take(3000))]).toEqual([null, [0]])
  })

  test('and nothing but failures hold up the channel: one tries for all', () => {
    const queue = queueOf(Array.from({ length: 20 }, (_, i) => String(i)))
    for (let i = 0; i < 4; i++) queue.settle(take(queue), retry, 0)
    queue.settle(take(queue), retry, 0)
    expect(queue.take(999)).toBe(null)
    const probe = take(queue, 1000)
    expect(queue.take(1000)).toBe(null)
    queue.settle(probe, delivered, 1000)
    expect([queue.take(1000), queue.take(1000), queue.take(1000), queue.take(1000)].every(Boolean)).toBe(true)
  })

  test('the other side may say when', () => {
    const queue = queueOf(['a', 'b'])
    queue.settle(take(queue), { outcome: 'retry', reason: '429', after: 7000 }, 0)
    expect([queue.take(6999), queue.wakeAt(), ids(queue.take(7000))]).toEqual([null, 7000, [1]])
  })

  test('pauses grow to a minute, and are never longer', () => {
    expect([1, 2, 3, 7, 50].map((failures) => backoff(failures, 0))).toEqual([1000, 2000, 4000, 60_000, 60_000])
    expect(backoff(1, 1)).toBe(750)
  })
})

describe('rejections', () => {
  test('of a batch show who was meant, one by one; the fifth ends it, and the others go out', () => {
    const queue = queueOf(['a', 'b', 'a'], { maxBatch: 10 })
    queue.settle(take(queue), rejected, 0)
    let now = 0
    const dead: number[] = []
    const sent: number[] = []
    while (queue.size > 0) {
      const delivery = queue.take(now)
      if (!delivery) {
        now = queue.wakeAt() ?? Number.NaN
        continue
      }
      expect(delivery.events.length).toBe(1)
      const [number = -1] = ids(delivery) ?? []
      const settled = queue.settle(delivery, number === 0 ? rejected : delivered, now)
      dead.push(...settled.dead.map(({ event }) => Number(event.id)))
      sent.push(...settled.delivered.map(({ event }) => Number(event.id)))
    }
    expect([dead, sent, now]).toEqual([[0], [1, 2], 15_000])
  })
})

test('what is on its way when the queue is cleared is still settled, and counts for nothing in what comes', () => {
  const queue = queueOf(['a', 'b'])
  const [a, b] = [take(queue), take(queue)]
  queue.clear()
  queue.push(entry(7, 'a'))
  expect(queue.settle(a, retry, 0)).toEqual({ delivered: [], dead: [], failed: [] })
  expect(queue.settle(b, delivered, 0).delivered.length).toBe(1)
  expect([queue.size, queue.bytes, queue.deliveries, ids(queue.take(0))]).toEqual([1, 310, 0, [7]])
})

test('random histories: in order per key, barriers hold, nothing is lost, sizes are right', () => {
  const outcome = fc.constantFrom<Outcome['outcome']>('delivered', 'delivered', 'delivered', 'retry', 'rejected')
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.constantFrom('a', 'b', 'c', 'd', null) }) },
    { weight: 2, arbitrary: fc.constant({ take: true }) },
    { weight: 2, arbitrary: fc.record({ settle: fc.nat(), outcome }) },
  )
  const limits = fc.record({
    concurrency: fc.integer({ min: 1, max: 4 }),
    maxBatch: fc.integer({ min: 1, max: 5 }),
    maxBatchBytes: fc.constantFrom(15, 1000),
  })
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 200 }), (limit, steps) => {
      const queue = new Queue(limit, () => 0)
      const open: Delivery[] = []
      const left = new Map<number, Entry>()
      let now = 0
      let next = 0
      const begin = () => {
        const delivery = queue.take(now)
        if (!delivery) return false
        for (const [at, each] of delivery.entries.entries()) {
          const mine = Number(each.event.id)
          const isBarrier = each.event.key === null || limit.concurrency === 1
          for (const [number, other] of left) {
            const isBefore = number < mine && !delivery.entries.slice(0, at).includes(other)
            if (isBefore && (isBarrier || other.event.key === null || other.event.key === each.event.key)) {
              throw new Error(`${mine} goes before ${number}`)
            }
          }
        }
        open.push(delivery)
        return true
      }
      const end = (delivery: Delivery, kind: Outcome['outcome']) => {
        const settled = queue.settle(delivery, { outcome: kind, reason: '' } as Outcome, now)
        for (const { event } of [...settled.delivered, ...settled.dead]) expect(left.delete(Number(event.id))).toBe(true)
        expect(settled.delivered.length + settled.dead.length + settled.failed.length).toBe(delivery.entries.length)
      }
      for (const each of steps) {
        if ('push' in each) {
          const made = entry(next, each.push)
          left.set(next++, made)
          queue.push(made)
        } else if ('take' in each) begin()
        else if (open.length > 0) end(open.splice(each.settle % open.length, 1)[0] as Delivery, each.outcome)
        expect(queue.size).toBe(left.size)
        expect([...queue.waiting()].map(({ event }) => Number(event.id))).toEqual([...left.keys()])
        expect(queue.bytes).toBe(left.size * 310)
      }
      while (left.size > 0) {
        if (!begin()) {
          if (open.length === 0) now = queue.wakeAt() ?? expect.fail('nothing will ever go')
          else end(open.shift() as Delivery, 'delivered')
        }
      }
    }),
    { numRuns: 2000, seed: 1 },
  )
})
