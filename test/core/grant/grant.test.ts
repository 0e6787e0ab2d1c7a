import { describe, expect, test } from 'vitest'
import type { Access, Catalog, Relation } from '../../../src/core/catalog/catalog.ts'
import type { Claim } from '../../../src/core/claim/claim.ts'
import type { GrantStep } from '../../../src/core/grant/grant.ts'
import { catalogOf, claimed, declaration, granted, judged, migrated, ok, relation } from '../fixture.ts'

const orders = relation(1, 'public.orders', ['1 id integer', '2 total numeric', '3 note text'])
const parts = relation(2, 'stock.parts', ['1 id integer'])

function withAccess(catalog: Catalog, relation: number, access: Partial<Access>): Catalog {
  return { ...catalog, access: catalog.access.map((each) => (each.relation === relation ? { ...each, ...access } : each)) }
}

/** As SQL would say it, shortened. */
function said(steps: readonly GrantStep[]): string[] {
  return steps.flatMap(({ schema, relation, revoke_all, revoke, grant, usage }) => {
    const path = `${schema}.${relation}`
    return [
      ...(revoke_all ? [`revoke all on ${path}`] : []),
      ...(revoke.length > 0 ? [`revoke ${revoke.join(', ')} on ${path}`] : []),
      ...(usage ? [`grant usage on ${schema}`] : []),
      ...(grant.length > 0 ? [`grant ${grant.join(', ')} on ${path}`] : []),
    ]
  })
}

function declared(match: unknown[], catalog: Catalog, previous: number[] = []): string[] {
  return said(ok<{ grants: GrantStep[] }>('declare_claims', declaration(match, catalog, previous)).grants)
}

function all(relations: Relation[]): { claims: Claim[]; catalog: Catalog } {
  return claimed(
    relations.map(({ schema, name }) => ({ path: `${schema}.${name}`, fields: '*' })),
    catalogOf(relations),
  )
}

describe('declaring', () => {
  test('grants what is claimed, and the usage that it takes', () => {
    expect(declared([{ path: 'public.orders', fields: ['id', 'note'] }], catalogOf([orders]))).toEqual([
      'grant usage on public',
      'grant id, note on public.orders',
    ])
  })

  test('grants nothing for the relation alone', () => {
    expect(declared([{ path: 'public.orders' }], catalogOf([orders]))).toEqual([])
  })

  test('grants the union of several claims on a relation', () => {
    const match = [
      { path: 'public.orders', fields: ['id'] },
      { alternatives: [{ path: 'public.orders', fields: ['id', 'total'] }, { path: 'public.none' }] },
    ]
    expect(declared(match, catalogOf([orders]))).toEqual(['grant usage on public', 'grant id, total on public.orders'])
  })

  test('moves the difference only', () => {
    const { catalog } = claimed([{ path: 'public.orders', fields: ['id', 'note'] }], catalogOf([orders]))
    expect(declared([{ path: 'public.orders', fields: ['id', 'total'] }], catalog, [1])).toEqual([
      'revoke note on public.orders',
      'grant total on public.orders',
    ])
    expect(declared([{ path: 'public.orders', fields: ['id', 'note'] }], catalog, [1])).toEqual([])
  })

  test('takes back what is no longer claimed', () => {
    const { catalog } = all([orders, parts])
    expect(declared([{ path: 'public.orders', fields: '*' }], catalog, [1, 2])).toEqual(['revoke all on stock.parts'])
    expect(declared([{ path: 'stock.parts' }], catalog, [1, 2])).toEqual(['revoke all on public.orders', 'revoke id on stock.parts'])
  })

  test('a table-level privilege, given by hand, goes first: it would make column revokes void', () => {
    const catalog = withAccess(catalogOf([orders]), 1, { surplus: true, granted: [1], usage_granted: true, usage: true })
    expect(declared([{ path: 'public.orders', fields: ['id'] }], catalog)).toEqual([
      'revoke all on public.orders',
      'grant id on public.orders',
    ])
  })

  test("an owner's privileges on its relation and its schema are its own", () => {
    const own = withAccess(catalogOf([parts]), 2, { owner: true, schema_owner: true, usage: true, usage_granted: true, readable: [1] })
    expect(declared([{ path: 'stock.parts', fields: '*' }], own)).toEqual([])
    expect(declared([{ path: 'later.x', optional: true }], own, [2])).toEqual([])
  })

  test("a table of somebody else's in the stakeholder's own schema", () => {
    const own = withAccess(catalogOf([parts]), 2, { schema_owner: true, usage: true })
    expect(declared([{ path: 'stock.parts', fields: '*' }], own)).toEqual(['grant id on stock.parts'])
  })
})

describe('a migration', () => {
  test('that changes nothing moves nothing and stores nothing', () => {
    const { claims, catalog } = all([orders, parts])
    expect(judged(claims, catalog)).toMatchObject({ verdict: 'accept', claims: [], grants: [] })
  })

  test('that adds a column grants it', () => {
    const { claims, catalog } = all([orders])
    const wider = relation(1, 'public.orders', ['1 id integer', '2 total numeric', '3 note text', '4 paid boolean'])
    expect(said(judged(claims, migrated(catalog, [wider])).grants)).toEqual(['grant paid on public.orders'])
  })

  test('that drops and adds a column, or the relation, grants it again', () => {
    const { claims, catalog } = all([orders])
    const column = relation(1, 'public.orders', ['1 id integer', '3 note text', '4 total numeric'])
    expect(said(judged(claims, migrated(catalog, [column])).grants)).toEqual(['grant total on public.orders'])
    const table = { ...orders, id: 9 }
    expect(said(judged(claims, migrated(catalog, [table])).grants)).toEqual(['grant id, total, note on public.orders'])
  })

  test('that renames and puts a view in its place leaves nothing on the renamed relation', () => {
    const { claims, catalog } = all([orders])
    const renamed = { ...orders, name: 'orders_v1' }
    const view = relation(9, 'public.orders', ['1 id integer', '2 total numeric', '3 note text'], { kind: 'v' })
    const after = migrated(catalog, [renamed, view])
    const { verdict, grants } = judged(claims, after)
    expect(verdict).toBe('accept')
    expect(said(grants)).toEqual(['grant id, total, note on public.orders', 'revoke id, total, note on public.orders_v1'])
    expect(granted(after, grants).access).toMatchObject([{ granted: [] }, { granted: [1, 2, 3] }])
  })

  test('that takes the relation out of our hands is not stopped by what cannot be granted or revoked', () => {
    const { claims, catalog } = claimed([{ path: 'public.orders', fields: ['id'] }], catalogOf([orders]))
    const foreign = withAccess(migrated(catalog, [{ ...orders, owner: 'hr', grantable: false }]), 1, { granted: [1, 2], surplus: true })
    expect(judged(claims, foreign)).toMatchObject({ verdict: 'accept', grants: [] })
  })

  test('usage that was revoked is not granted again through another claim on the relation', () => {
    const match = [
      { path: 'stock.parts', fields: ['id'] },
      { path: 'stock.*', fields: '*' },
    ]
    const { claims, catalog } = claimed(match, catalogOf([parts]))
    const revoked = withAccess(catalog, 2, { usage: false, usage_granted: false })
    expect(judged(claims, revoked).grants).toEqual([])
    expect(judged([...claims].reverse(), revoked).grants).toEqual([])
  })
})

test('sync grants whatever is missing, and takes what is too much', () => {
  const { claims } = claimed([{ path: 'public.orders', fields: ['id', 'total'] }], catalogOf([orders]))
  const restored = withAccess(catalogOf([{ ...orders, id: 77 }]), 77, { granted: [2, 3], readable: [2, 3] })
  const { grants } = ok<{ grants: GrantStep[] }>('sync_claims', { claims, catalog: restored })
  expect(said(grants)).toEqual(['revoke note on public.orders', 'grant usage on public', 'grant id on public.orders'])
})
