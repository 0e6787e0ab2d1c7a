/** Does every invariant of SPEC.md name a test that is there? */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const spec = readFileSync('SPEC.md', 'utf8')

test('every invariant has a test, by file and name', () => {
  const invariants = spec.split(/\n(?=\d+\. )/).slice(1)
  expect(invariants.length).toBeGreaterThan(20)
  invariants.forEach((invariant, index) => {
    expect(invariant).toMatch(new RegExp(`^${index + 1}\\. `))
    const references = [...invariant.matchAll(/^ +`(test\/[\w/.-]+)` (.+)$/gm)]
    expect(references.length, invariant).toBeGreaterThan(0)
    for (const [, file = '', name = ''] of references)
      expect(readFileSync(file, 'utf8').includes(name), `${file} has no test "${name}"`).toBe(true)
  })
})
