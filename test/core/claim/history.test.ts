// Random migrations: whatever was accepted, what is granted is what is claimed, and looking at what was touched is as
// good as looking at everything.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Catalog, Relation } from '../../../src/core/catalog/catalog.ts'
import type { Claim } from '../../../src/core/claim/claim.ts'
import type { GrantStep } from '../../../src/core/grant/grant.ts'
import { ask, catalogOf, declaration, granted, judged, migrated, ok, relation, updated } from '../fixture.ts'

const seed = process.env['INTEGRATEDB_TEST_SEED']
const runs = { numRuns: 400, ...(seed === undefined ? {} : { seed: Number(seed) }) }

const names = ['a', 'b', 'c']
const types = ['integer', 'text', 'character varying(10)', 'character varying(20)', 'numeric(10,2)']

const relations: fc.Arbitrary<Relation[]> = fc
  .uniqueArray(
    fc.record({
      id: fc.constantFrom(1, 2, 3, 4),
      path: fc.constantFrom('public.x', 'public.y', 'stock.x', 'stock.y'),
      kind: fc.constantFrom('r', 'r', 'v', 'S'),
      columns: fc.uniqueArray(fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(...names), fc.constantFrom(...types), fc.boolean()), {
        selector: ([num]) => num,
        comparator: (a, b) => a === b,
        maxLength: 3,
      }),
    }),
    { selector: ({ id }) => id, maxLength: 4 },
  )
  .map((all) => {
    const seen = new Set<string>()
    return all
      .filter(({ path }) => !seen.has(path) && seen.add(path))
      .map(({ id, path, kind, columns }) => {
        const named = columns.filter(([, name], index) => columns.findIndex(([, other]) => other === name) === index)
        const texts = named
          .sort(([a], [b]) => a - b)
          .map(([num, name, type, notNull]) => `${num} ${name} ${type}${notNull ? ' not null' : ''}`)
        return relation(id, path, texts, { kind })
      })
  })

const path = fc.constantFrom('public.x', 'public.y', 'stock.x', 'stock.y')
const optional = fc.boolean()
const fields = fc.oneof(
  fc.constantFrom<unknown>('*', []),
  fc.uniqueArray(fc.record({ name: fc.constantFrom(...names), optional }), { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
  fc.constant([{ alternatives: ['a', 'b'] }]),
)
const match = fc.oneof(
  fc.record({ path, fields, optional }),
  fc.record({ path: fc.constantFrom('public.*', 'stock.*'), fields: fc.constant('*'), optional }),
  fc.record({
    alternatives: fc.uniqueArray(fc.record({ path, fields }), { selector: (each) => each.path, minLength: 2, maxLength: 2 }),
    optional,
  }),
)
const history = fc.record({
  match: fc.uniqueArray(match, { selector: (each) => JSON.stringify('path' in each ? each.path : each), minLength: 1, maxLength: 3 }),
  worlds: fc.array(relations, { minLength: 2, maxLength: 6 }),
})

/** What the claims say is to be readable: every column that is there, of everything that is claimed. */
function wanted(claims: readonly Claim[], catalog: Catalog): Map<number, number[]> {
  return new Map(
    catalog.relations.map(({ id, schema, name, columns, kind }) => {
      const here = claims.filter((claim) => claim.schema_name === schema && claim.relation_name === name && 'rpvmf'.includes(kind))
      const claimed = new Set(here.flatMap((claim) => claim.fields.map((field) => field.name)))
      return [id, columns.filter((column) => claimed.has(column.name)).map(({ num }) => num)]
    }),
  )
}

function touched(before: readonly Relation[], after: readonly Relation[]): Relation[] {
  const unchanged = (all: readonly Relation[], one: Relation) => all.some((other) => JSON.stringify(other) === JSON.stringify(one))
  return [...before.filter((one) => !unchanged(after, one)), ...after.filter((one) => !unchanged(before, one))]
}

test('what is granted is what is claimed, after every accepted migration', () => {
  let accepted = 0
  let rejected = 0
  fc.assert(
    fc.property(history, ({ match, worlds: [first = [], ...rest] }) => {
      const declared = ask<{ claims: Claim[]; grants: GrantStep[] }>('declare_claims', declaration(match, catalogOf(first))).ok
      if (declared === undefined) return
      let { claims } = declared
      let catalog = granted(catalogOf(first), declared.grants)
      for (const relations of rest) {
        const after = migrated(catalog, relations)
        const judgement = judged(claims, after)

        // Only what was touched, with the siblings of its alternatives: the same verdict.
        const names = touched(catalog.relations, relations)
        const isAffected = (claim: Claim) =>
          names.some(
            ({ id, schema, name }) => claim.relid === id || (claim.schema_name === schema && ['', name].includes(claim.relation_name)),
          )
        const siblings = claims.filter((claim) => !isAffected(claim) && claim.alternative !== null)
        expect(judged(claims.filter(isAffected), after, siblings).verdict).toBe(judgement.verdict)

        if (judgement.verdict === 'reject') {
          rejected++
          continue
        }
        accepted++
        claims = updated(claims, judgement.claims)
        catalog = granted(after, judgement.grants)
        expect(new Map(catalog.access.map((access) => [access.relation, access.granted]))).toEqual(wanted(claims, catalog))

        // Once more: nothing is left to do, and nothing to tell.
        expect(judged(claims, catalog)).toMatchObject({ verdict: 'accept', findings: [], claims: [], grants: [] })
        expect(ok('sync_claims', { claims, catalog })).toMatchObject({ grants: [] })
      }
    }),
    runs,
  )
  expect(Math.min(accepted, rejected)).toBeGreaterThan(20)
})
