// Random migrations: whatever was accepted, what is granted is what is claimed, and looking at what was touched is as
// good as looking at everything.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Access, Catalog, Privilege, Relation } from '../../../src/core/catalog/catalog.ts'
import type { Claim } from '../../../src/core/claim/claim.ts'
import type { GrantStep } from '../../../src/core/grant/grant.ts'
import { ask, catalogOf, declaration, granted, judged, migrated, ok, updated, writable } from '../fixture.ts'

const runs = { numRuns: 400, seed: Number(process.env['INTEGRATEDB_TEST_SEED'] ?? 1) }

const names = ['a', 'b', 'c']
const types = ['integer', 'text', 'character varying(10)', 'character varying(20)', 'numeric(10,2)']

const relations: fc.Arbitrary<Relation[]> = fc
  .uniqueArray(
    fc.record({
      id: fc.constantFrom(1, 2, 3, 4),
      path: fc.constantFrom('public.x', 'public.y', 'stock.x', 'stock.y'),
      kind: fc.constantFrom('r', 'r', 'v', 'S'),
      ofView: fc.record({ insert: fc.boolean(), update: fc.boolean(), delete: fc.boolean() }),
      hasSequence: fc.boolean(),
      columns: fc.uniqueArray(
        fc.tuple(
          fc.constantFrom(1, 2, 3),
          fc.constantFrom(...names),
          fc.constantFrom(...types),
          fc.boolean(),
          fc.constantFrom('', '', '', ' default', ' always', ' generated'),
        ),
        { selector: ([num]) => num, comparator: (a, b) => a === b, maxLength: 3 },
      ),
    }),
    { selector: ({ id }) => id, maxLength: 4 },
  )
  .map((all) => {
    const seen = new Set<string>()
    return all
      .filter(({ path }) => !seen.has(path) && seen.add(path))
      .map(({ id, path, kind, ofView, hasSequence, columns }) => {
        const named = columns.filter(([, name], index) => columns.findIndex(([, other]) => other === name) === index)
        const texts = named
          .sort(([a], [b]) => a - b)
          .map(([num, name, type, notNull, filling]) => `${num} ${name} ${type}${notNull ? ' not null' : ''}${filling}`)
        const can = kind === 'r' ? {} : ofView
        const sequences = hasSequence ? [{ id: 100 + id, schema: 'public', name: `sequence_${id}`, grantable: true }] : []
        return writable(id, path, texts, { ...can, sequences }, { kind })
      })
  })

const path = fc.constantFrom('public.x', 'public.y', 'stock.x', 'stock.y')
const optional = fc.boolean()
const access: fc.Arbitrary<Privilege[]> = fc.oneof(
  fc.constant<Privilege[]>(['select']),
  fc.uniqueArray(fc.constantFrom<Privilege>('select', 'insert', 'update', 'delete'), { minLength: 1 }),
)
const named = fc.oneof(
  fc.constant<unknown>('*'),
  fc.uniqueArray(fc.record({ name: fc.constantFrom(...names), optional }), { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
  fc.constant([{ alternatives: ['a', 'b'] }]),
)
const match = fc.oneof(
  fc.record({ path, fields: fc.oneof({ arbitrary: named, weight: 3 }, { arbitrary: fc.constant([]), weight: 1 }), optional }),
  fc.record({ path, fields: named, optional, access }),
  fc.record({ path: fc.constantFrom('public.*', 'stock.*'), fields: fc.constant('*'), optional, access }),
  fc.record({
    alternatives: fc.uniqueArray(fc.record({ path, fields: named }), { selector: (each) => each.path, minLength: 2, maxLength: 2 }),
    optional,
    access,
  }),
)
const history = fc.record({
  match: fc.uniqueArray(match, { selector: (each) => JSON.stringify('path' in each ? each.path : each), minLength: 1, maxLength: 3 }),
  worlds: fc.array(relations, { minLength: 2, maxLength: 6 }),
})

/** What the claims say is to be used: every column that is there, of everything that is claimed, in each way that it allows. */
function wanted(claims: readonly Claim[], catalog: Catalog): Map<number, Access['granted']> {
  return new Map(
    catalog.relations.map(({ id, schema, name, columns, kind, writes }) => {
      const here = claims.filter((claim) => claim.schema_name === schema && claim.relation_name === name && 'rpvmf'.includes(kind))
      const isClaimed = (privilege: Privilege, column: string) =>
        here.some(({ access, fields }) => access.includes(privilege) && fields.some((field) => field.name === column))
      const all: Access['granted'] = {}
      for (const privilege of ['select', 'insert', 'update'] as const) {
        const can = columns.filter(({ num }) => privilege === 'select' || writes?.columns.find((each) => each.num === num)?.[privilege])
        const numbers = can.filter((column) => isClaimed(privilege, column.name)).map(({ num }) => num)
        if (numbers.length > 0) all[privilege] = numbers
      }
      if (writes?.delete === true && columns.some((column) => isClaimed('delete', column.name))) all.delete = true
      return [id, all]
    }),
  )
}

function remembered(claims: readonly Claim[]): Set<number> {
  return new Set(claims.flatMap(({ sequences }) => sequences))
}

/** What _release_usage.sql does: usage of a sequence that no claim remembers any more is taken back. */
function released(catalog: Catalog, before: readonly Claim[], after: readonly Claim[]): Catalog {
  const unused = [...remembered(before)].filter((id) => !remembered(after).has(id))
  const released: Catalog = structuredClone(catalog)
  for (const { sequences = [] } of released.access) {
    for (const sequence of sequences) if (unused.includes(sequence.id)) sequence.granted = sequence.effective = false
  }
  return released
}

/** Whoever inserts uses the sequences; what is granted without being remembered would never be taken back. */
function expectSequences(claims: readonly Claim[], catalog: Catalog): void {
  for (const { relation, granted, sequences = [] } of catalog.access) {
    const used = sequences.filter((each) => each.granted).map(({ id }) => id)
    expect(used.filter((id) => !remembered(claims).has(id))).toEqual([])
    const here = claims.filter(({ relid, status, access }) => relid === relation && status === 'met' && access.includes('insert'))
    if (here.length > 0 && granted.insert !== undefined) expect(used).toEqual(sequences.map(({ id }) => id))
  }
}

function expectGrants(claims: readonly Claim[], catalog: Catalog): void {
  expect(new Map(catalog.access.map((access) => [access.relation, access.granted]))).toEqual(wanted(claims, catalog))
  expectSequences(claims, catalog)
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
      expectGrants(claims, catalog)
      for (const relations of rest) {
        const after = migrated(catalog, relations)
        const judgement = judged(claims, after)
        // Nobody revoked anything.
        expect(judgement.findings.filter(({ code }) => code === 'IDB401' || code === 'IDB402')).toEqual([])

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
        const claimsBefore = claims
        claims = updated(claims, judgement.claims)
        catalog = released(granted(after, judgement.grants), claimsBefore, claims)
        expectGrants(claims, catalog)

        // Once more: nothing is left to do, and nothing to tell.
        expect(judged(claims, catalog)).toMatchObject({ verdict: 'accept', findings: [], claims: [], grants: [] })
        expect(ok('sync_claims', { claims, catalog })).toMatchObject({ grants: [] })
      }
    }),
    runs,
  )
  expect(Math.min(accepted, rejected)).toBeGreaterThan(20)
})
