import { describe, expect, test } from 'vitest'
import type { Catalog, Relation } from '../../../src/core/catalog/catalog.ts'
import type { Claim } from '../../../src/core/claim/claim.ts'
import type { GrantStep } from '../../../src/core/grant/grant.ts'
import { catalogOf, claimed, declaration, granted, judged, migrated, ok, relation, withAccess, writable } from '../fixture.ts'

const orders = relation(1, 'public.orders', ['1 id integer', '2 total numeric', '3 note text'])
const parts = relation(2, 'stock.parts', ['1 id integer'])

/** As SQL would say it, shortened. */
function said(steps: readonly GrantStep[]): string[] {
  const list = (all: GrantStep['grant']) =>
    all.map(({ privilege, columns }) => (columns.length === 0 ? privilege : `${privilege} (${columns.join(', ')})`)).join(', ')
  return steps.flatMap(({ object, schema, name, revoke_all, revoke, grant, usage }) => {
    const what = `${object === 'table' ? '' : `${object} `}${schema}.${name}`
    return [
      ...(revoke_all ? [`revoke all on ${what}`] : []),
      ...(revoke.length > 0 ? [`revoke ${list(revoke)} on ${what}`] : []),
      ...(usage ? [`grant usage on ${schema}`] : []),
      ...(grant.length > 0 ? [`grant ${list(grant)} on ${what}`] : []),
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
      'grant select (id, note) on public.orders',
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
    expect(declared(match, catalogOf([orders]))).toEqual(['grant usage on public', 'grant select (id, total) on public.orders'])
  })

  test('moves the difference only', () => {
    const { catalog } = claimed([{ path: 'public.orders', fields: ['id', 'note'] }], catalogOf([orders]))
    expect(declared([{ path: 'public.orders', fields: ['id', 'total'] }], catalog, [1])).toEqual([
      'revoke select (note) on public.orders',
      'grant select (total) on public.orders',
    ])
    expect(declared([{ path: 'public.orders', fields: ['id', 'note'] }], catalog, [1])).toEqual([])
  })

  test('takes back what is no longer claimed', () => {
    const { catalog } = all([orders, parts])
    expect(declared([{ path: 'public.orders', fields: '*' }], catalog, [1, 2])).toEqual(['revoke all on stock.parts'])
    expect(declared([{ path: 'stock.parts' }], catalog, [1, 2])).toEqual([
      'revoke all on public.orders',
      'revoke select (id) on stock.parts',
    ])
  })

  test('a table-level privilege, given by hand, goes first: it would make column revokes void', () => {
    const catalog = withAccess(catalogOf([orders]), 1, { surplus: true, granted: { select: [1] }, usage_granted: true, usage: true })
    expect(declared([{ path: 'public.orders', fields: ['id'] }], catalog)).toEqual([
      'revoke all on public.orders',
      'grant select (id) on public.orders',
    ])
  })

  test("an owner's privileges on its relation and its schema are its own", () => {
    const own = withAccess(catalogOf([parts]), 2, {
      owner: true,
      schema_owner: true,
      usage: true,
      usage_granted: true,
      effective: { select: [1] },
    })
    expect(declared([{ path: 'stock.parts', fields: '*' }], own)).toEqual([])
    expect(declared([{ path: 'later.x', optional: true }], own, [2])).toEqual([])
  })

  test("a table of somebody else's in the stakeholder's own schema", () => {
    const own = withAccess(catalogOf([parts]), 2, { schema_owner: true, usage: true })
    expect(declared([{ path: 'stock.parts', fields: '*' }], own)).toEqual(['grant select (id) on stock.parts'])
  })
})

describe('whoever writes', () => {
  const sequence = { id: 900, schema: 'stock', name: 'numbers', grantable: true }
  const goodsColumns = ['1 id integer not null default', '2 name text', '3 gross numeric generated', '4 num integer not null always']
  const goods = writable(6, 'public.goods', goodsColumns, { sequences: [sequence] })
  const view = writable(
    7,
    'public.open',
    ['1 id integer'],
    { insert: false, update: false, delete: false, sequences: [sequence] },
    { kind: 'v' },
  )
  const claim = (access: string[], fields: unknown = '*') => ({ path: 'public.goods', access, fields })
  const everything = ['select', 'insert', 'update', 'delete']

  test.each<[string, string[], unknown, string[]]>([
    [
      'column by column, without what fills itself always',
      everything,
      '*',
      [
        'grant usage on public',
        'grant select (id, name, gross, num), insert (id, name), update (id, name), delete on public.goods',
        'grant usage on sequence stock.numbers',
      ],
    ],
    [
      'what is claimed of it',
      everything,
      ['name', 'gross'],
      [
        'grant usage on public',
        'grant select (name, gross), insert (name), update (name), delete on public.goods',
        'grant usage on sequence stock.numbers',
      ],
    ],
    [
      'to insert',
      ['insert'],
      ['name'],
      ['grant usage on public', 'grant insert (name) on public.goods', 'grant usage on sequence stock.numbers'],
    ],
    ['to update', ['update'], ['id'], ['grant usage on public', 'grant update (id) on public.goods']],
    ['to delete, of all rows', ['delete'], ['num'], ['grant usage on public', 'grant delete on public.goods']],
    ['to read', ['select'], ['id'], ['grant usage on public', 'grant select (id) on public.goods']],
  ])('%s', (_, access, fields, steps) => {
    const { claims, catalog } = claimed([claim(access, fields)], catalogOf([goods]))
    expect(declared([claim(access, fields)], catalogOf([goods]))).toEqual(steps)
    // And nothing is left to do.
    expect(declared([claim(access, fields)], catalog, [6])).toEqual([])
    expect(judged(claims, catalog)).toMatchObject({ verdict: 'accept', findings: [], claims: [], grants: [] })
    expect(ok('sync_claims', { claims, catalog })).toMatchObject({ claims: [], grants: [] })
  })

  test('nothing on what cannot be written', () => {
    expect(declared([{ path: 'public.*', fields: '*', access: ['insert', 'update', 'delete'] }], catalogOf([view]))).toEqual([])
  })

  test('the union of several claims', () => {
    const match = [claim(['select'], ['id']), { path: 'public.*', fields: '*', access: ['delete'] }]
    const alternatives = [
      { path: 'public.goods', fields: ['name'] },
      { path: 'public.none', fields: '*' },
    ]
    expect(declared([...match, { alternatives, access: ['update'] }], catalogOf([goods]))).toEqual([
      'grant usage on public',
      'grant select (id), update (name), delete on public.goods',
    ])
  })

  test('the difference', () => {
    const { catalog } = claimed([claim(everything, ['id', 'name'])], catalogOf([goods]))
    expect(declared([claim(['select', 'update'], ['name'])], catalog, [6])).toEqual([
      'revoke select (id), insert (id, name), update (id), delete on public.goods',
    ])
    expect(declared([{ path: 'later.x', optional: true }], catalog, [6])).toEqual(['revoke all on public.goods'])
    const deletes = claimed([claim(['delete'], ['id'])], catalogOf([goods]))
    expect(declared([{ path: 'later.x', optional: true }], deletes.catalog, [6])).toEqual(['revoke all on public.goods'])
  })

  test('by hand: a migration leaves it, whoever declares or repairs takes it away', () => {
    const { claims, catalog } = claimed([claim(['select'], ['id'])], catalogOf([goods]))
    const byHand = withAccess(catalog, 6, { granted: { select: [1], insert: [2], update: [1, 2], delete: true } })
    const taken = ['revoke insert (name), update (id, name), delete on public.goods']
    expect(judged(claims, byHand)).toMatchObject({ verdict: 'accept', findings: [], grants: [] })
    expect(said(ok<{ grants: GrantStep[] }>('sync_claims', { claims, catalog: byHand }).grants)).toEqual(taken)
    expect(declared([claim(['select'], ['id'])], byHand, [6])).toEqual(taken)
  })

  test('by hand, of the kind that is claimed: that is ours to move', () => {
    const { claims, catalog } = claimed([claim(['insert'], ['id'])], catalogOf([goods]))
    const byHand = withAccess(catalog, 6, { granted: { insert: [1, 2], update: [1] } })
    expect(said(judged(claims, byHand).grants)).toEqual(['revoke insert (name) on public.goods'])
  })

  test('a privilege on the whole table, given by hand, goes first, and what is claimed comes again', () => {
    const { claims, catalog } = claimed([claim(['insert', 'delete'], ['name'])], catalogOf([goods]))
    const byHand = withAccess(catalog, 6, { surplus: true })
    expect(judged(claims, byHand).grants).toEqual([])
    expect(declared([claim(['insert', 'delete'], ['name'])], byHand, [6])).toEqual([
      'revoke all on public.goods',
      'grant insert (name), delete on public.goods',
    ])
  })

  test('what its owner granted is neither granted again nor taken away', () => {
    const foreign = { ...goods, owner: 'hr', grantable: false }
    const held = { select: [1], insert: [1, 2], update: [1], delete: true }
    const catalog = withAccess(catalogOf([foreign]), 6, { granted: held, effective: held, usage: true, usage_granted: true })
    expect(declared([claim(['select'], ['id'])], catalog)).toEqual([])
    expect(declared([claim(['update', 'delete'], ['id'])], catalog)).toEqual([])
  })

  test("a sequence that is somebody else's, and may be used", () => {
    const foreign = writable(6, 'public.goods', goodsColumns, { sequences: [{ ...sequence, grantable: false }] })
    const catalog = withAccess(catalogOf([foreign]), 6, { sequences: [{ id: 900, granted: false, effective: true }] })
    expect(declared([claim(['insert'], ['id'])], catalog)).toEqual(['grant usage on public', 'grant insert (id) on public.goods'])
  })

  test('a migration grants what can be written now, and takes back what cannot', () => {
    const { claims, catalog } = claimed([claim(['insert', 'update'], '*')], catalogOf([goods]))
    const grantsFor = (...texts: string[]) =>
      said(judged(claims, migrated(catalog, [writable(6, 'public.goods', texts, { sequences: [sequence] })])).grants)
    const [id = '', name = '', gross = '', num = ''] = goodsColumns
    expect(grantsFor(id, name, '3 gross numeric', num)).toEqual(['grant insert (gross), update (gross) on public.goods'])
    expect(grantsFor(id, name, gross, num, '5 sku text')).toEqual(['grant insert (sku), update (sku) on public.goods'])
    expect(grantsFor(id, '2 name text generated', gross, num)).toEqual(['revoke insert (name), update (name) on public.goods'])
  })

  test('a table that is made anew, and its sequence', () => {
    const { claims, catalog } = claimed([claim(everything, ['id'])], catalogOf([goods]))
    const anew = writable(8, 'public.goods', goodsColumns, { sequences: [{ ...sequence, id: 901, name: 'others' }] })
    const { findings, claims: after, grants } = judged(claims, migrated(catalog, [anew]))
    expect(findings).toEqual([])
    expect(said(grants)).toEqual([
      'grant select (id), insert (id), update (id), delete on public.goods',
      'grant usage on sequence stock.others',
    ])
    expect(after).toMatchObject([{ sequences: [901] }])
  })

  test('what can no longer be deleted from: the privilege goes, and is not given to what takes its place', () => {
    const { claims, catalog } = claimed([claim(['select', 'delete'], ['id'])], catalogOf([goods]))
    const grantsFor = (id: number) =>
      said(judged(claims, migrated(catalog, [writable(id, 'public.goods', goodsColumns, { delete: false }, { kind: 'v' })])).grants)
    expect(grantsFor(6)).toEqual(['revoke delete on public.goods'])
    expect(grantsFor(9)).toEqual(['grant select (id) on public.goods'])
  })

  test('a table that is renamed, and a view in its place', () => {
    const { claims, catalog } = claimed([claim(everything, ['id', 'name'])], catalogOf([goods]))
    const same = writable(9, 'public.goods', goodsColumns, { sequences: [sequence] }, { kind: 'v' })
    const after = migrated(catalog, [{ ...goods, name: 'goods_v1' }, same])
    const { findings, grants } = judged(claims, after)
    expect(findings).toEqual([])
    expect(said(grants)).toEqual([
      'grant select (id, name), insert (id, name), update (id, name), delete on public.goods',
      'revoke select (id, name), insert (id, name), update (id, name), delete on public.goods_v1',
    ])
    expect(granted(after, grants).access[0]).toMatchObject({ granted: {} })
  })

  test("an owner's sequences are not ours to grant", () => {
    const own = withAccess(catalogOf([goods]), 6, {
      owner: true,
      usage_granted: true,
      usage: true,
      effective: { select: [1, 2, 3, 4], insert: [1, 2], update: [1, 2], delete: true },
      sequences: [{ id: 900, granted: false, effective: true }],
    })
    expect(declared([claim(everything)], own)).toEqual([])
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
    expect(said(judged(claims, migrated(catalog, [wider])).grants)).toEqual(['grant select (paid) on public.orders'])
  })

  test('that drops and adds a column, or the relation, grants it again', () => {
    const { claims, catalog } = all([orders])
    const column = relation(1, 'public.orders', ['1 id integer', '3 note text', '4 total numeric'])
    expect(said(judged(claims, migrated(catalog, [column])).grants)).toEqual(['grant select (total) on public.orders'])
    const table = { ...orders, id: 9 }
    expect(said(judged(claims, migrated(catalog, [table])).grants)).toEqual(['grant select (id, total, note) on public.orders'])
  })

  test('that renames and puts a view in its place leaves nothing on the renamed relation', () => {
    const { claims, catalog } = all([orders])
    const renamed = { ...orders, name: 'orders_v1' }
    const view = relation(9, 'public.orders', ['1 id integer', '2 total numeric', '3 note text'], { kind: 'v' })
    const after = migrated(catalog, [renamed, view])
    const { verdict, grants } = judged(claims, after)
    expect(verdict).toBe('accept')
    expect(said(grants)).toEqual(['grant select (id, total, note) on public.orders', 'revoke select (id, total, note) on public.orders_v1'])
    expect(granted(after, grants).access).toMatchObject([{ granted: {} }, { granted: { select: [1, 2, 3] } }])
  })

  test('that takes the relation out of our hands is not stopped by what cannot be granted or revoked', () => {
    const { claims, catalog } = claimed([{ path: 'public.orders', fields: ['id'] }], catalogOf([orders]))
    const foreign = withAccess(migrated(catalog, [{ ...orders, owner: 'hr', grantable: false }]), 1, {
      granted: { select: [1, 2] },
      surplus: true,
    })
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

test('what was revoked is not granted again through an alternative that never held', () => {
  const access = ['select', 'delete']
  const match = [
    { path: 'public.goods', fields: ['id'], access },
    {
      alternatives: [
        { path: 'public.orders', fields: ['id'] },
        { path: 'public.goods', fields: [{ name: 'id', type: 'date' }] },
      ],
      access,
    },
  ]
  const [sold, goods] = [writable(1, 'public.orders', ['1 id integer']), writable(6, 'public.goods', ['1 id integer'])]
  const { claims, catalog } = claimed(match, catalogOf([sold, goods]))
  const access6 = catalog.access.find(({ relation }) => relation === 6)
  expect(access6?.granted).toEqual({ select: [1], delete: true })
  const revoked = withAccess(catalog, 6, { granted: {}, effective: {} })
  expect(judged(claims, revoked)).toMatchObject({ verdict: 'reject', grants: [] })
})

test('sync grants whatever is missing, and takes what is too much', () => {
  const { claims } = claimed([{ path: 'public.orders', fields: ['id', 'total'] }], catalogOf([orders]))
  const restored = withAccess(catalogOf([{ ...orders, id: 77 }]), 77, { granted: { select: [2, 3] }, effective: { select: [2, 3] } })
  const { grants } = ok<{ grants: GrantStep[] }>('sync_claims', { claims, catalog: restored })
  expect(said(grants)).toEqual(['revoke select (note) on public.orders', 'grant usage on public', 'grant select (id) on public.orders'])
})
