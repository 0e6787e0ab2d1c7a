import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { Batch } from '../../src/notifier/replication.ts'
import { Spool } from '../../src/notifier/spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'integratedb-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Messages of these sizes, with bytes between them that are none. */
function batchOf(sizes: number[], first: number): Batch {
  const bytes = Buffer.alloc(
    sizes.reduce((sum, size) => sum + size + 3, 0),
    0xff,
  )
  const positions: number[] = []
  let at = 3
  for (const [i, size] of sizes.entries()) {
    bytes.fill((first + i) & 0x7f, at, at + size)
    positions.push(at, at + size)
    at += size + 3
  }
  return { bytes, positions }
}

async function contents(spool: Spool): Promise<string[]> {
  const found: string[] = []
  for await (const { bytes, positions } of spool.batches()) {
    for (let i = 0; i < positions.length; i += 2) found.push(bytes.toString('latin1', positions[i], positions[i + 1]))
  }
  return found
}

test('what goes in comes out, in order, in memory or on disk, again and again; no file is to be seen', async () => {
  let [inMemory, onDisk] = [0, 0]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.constantFrom(1, 17, 500, 4000), { maxLength: 20 }), { maxLength: 12 }), async (batches) => {
      const spool = new Spool({ most: 10_000, folder })
      for (let round = 0; round < 2; round++) {
        const expected: string[] = []
        for (const [i, sizes] of batches.entries()) {
          const batch = batchOf(sizes, i)
          const [from, to] = [Math.min(1, sizes.length), sizes.length]
          for (let j = from; j < to; j++) expected.push(batch.bytes.toString('latin1', batch.positions[j * 2], batch.positions[j * 2 + 1]))
          await spool.add(batch, from, to)
        }
        expect(await contents(spool)).toEqual(expected)
        expect(await contents(spool)).toEqual(expected)
        if (expected.join('').length > 10_000) onDisk++
        else inMemory++
        expect(readdirSync(folder)).toEqual([])
        await spool.clear()
        expect(await contents(spool)).toEqual([])
      }
    }),
    { numRuns: 200, seed: 1 },
  )
  expect(inMemory).toBeGreaterThan(50)
  expect(onDisk).toBeGreaterThan(50)
})

test('a message that is larger than what is read at a time', async () => {
  const spool = new Spool({ most: 1000, folder })
  const sizes = [10, 900_000, 20, 300_000, 5]
  await spool.add(batchOf(sizes, 0), 0, sizes.length)
  expect((await contents(spool)).map(({ length }) => length)).toEqual(sizes)
  await spool.clear()
})

test('a folder that cannot be written to is told', async () => {
  const spool = new Spool({ most: 10, folder: join(folder, 'missing') })
  await expect(spool.add(batchOf([100], 0), 0, 1)).rejects.toThrow(/ENOENT/)
})
