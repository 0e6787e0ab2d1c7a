/** The rules of acknowledging, against the plain statement of them, on random streams. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatLsn, Unacknowledged } from '../../src/notifier/unacknowledged.ts'

test('a keepalive counts with nothing in flight, or once what is before it is acknowledged', () => {
  const state = new Unacknowledged()
  state.keepalive(10n)
  expect(state.flush).toBe(10n)
  state.begin()
  state.keepalive(15n)
  expect([state.flush, state.received, state.inFlight]).toEqual([10n, 15n, true])
  state.unit(20n)
  state.keepalive(30n)
  expect([state.flush, state.received]).toEqual([10n, 30n])
  state.begin()
  state.acknowledge(20n)
  expect([state.flush, state.inFlight]).toEqual([30n, true])
})

test('only ends of what came can be acknowledged, and again', () => {
  const state = new Unacknowledged()
  state.unit(20n)
  state.unit(30n)
  for (const wrong of [19n, 21n, 31n]) expect(() => state.acknowledge(wrong)).toThrow(`nothing that was received ends at 0/`)
  expect(state.flush).toBe(0n)
  state.acknowledge(30n)
  state.acknowledge(20n)
  state.acknowledge(30n)
  expect([state.flush, state.size]).toEqual([30n, 0])
  expect(formatLsn(0x16_b374d848n)).toBe('16/B374D848')
})

test('the flush never passes what is not acknowledged, and reaches everything that is', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constantFrom('transaction' as const, 'message' as const, 'keepalive' as const),
      by: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ kind: fc.constant('acknowledge' as const), by: fc.nat(5) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000, size: 'max' }), (steps) => {
      const state = new Unacknowledged()
      let lsn = 0n
      const waiting: bigint[] = []
      const ends: bigint[] = []
      for (const { kind, by } of steps) {
        if (kind === 'acknowledge') {
          const [end] = waiting.splice(0, by).slice(-1)
          if (end !== undefined) state.acknowledge(end)
        } else {
          lsn += BigInt(by)
          if (kind === 'transaction') state.begin()
          if (kind === 'transaction') state.keepalive(lsn)
          if (kind === 'keepalive') state.keepalive(lsn)
          else {
            lsn += 1n
            state.unit(lsn)
            waiting.push(lsn)
            ends.push(lsn)
          }
        }
        const [first] = waiting
        // A unit whose commit record begins where the last one ended may still be sent again.
        if (first !== undefined) expect(state.flush < first).toBe(true)
        const done = ends.filter((end) => first === undefined || end < first).at(-1) ?? 0n
        expect(state.flush >= done).toBe(true)
        expect(state.size).toBe(waiting.length)
      }
    }),
    { numRuns: 20 },
  )
})
