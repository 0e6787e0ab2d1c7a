import { describe, expect, test } from 'vitest'
import type { Access, Relation, Writes } from '../../../src/core/catalog/catalog.ts'
import type { Claim } from '../../../src/core/claim/claim.ts'
import type { GrantStep } from '../../../src/core/grant/grant.ts'
import { catalogOf, claimed, declaration, failure, ok, relation, rowFilter, withAccess, withColumn, writable } from '../fixture.ts'

const orders = relation(1, 'public.orders', ['1 id integer not null', '2 total numeric(10,2)', '3 Note text'])
const items = relation(2, 'public.items', ['1 id integer not null'])
const open = relation(3, 'public.open_orders', ['1 id integer'], { kind: 'v' })
const counter = relation(4, 'public.counter', [], { kind: 'S' })
const partition = relation(5, 'public.orders_2025', ['1 id integer'], { in_wildcard: false })
const shop = [orders, items, open, counter, partition]

/** `path field status` of each claimed field, or of the relation alone. */
function claimsOf(match: unknown[], relations: Relation[] = shop): string[] {
  return claimed(match, catalogOf(relations)).claims.flatMap((claim) => {
    const path = `${claim.schema_name}.${claim.relation_name || '*'}`
    return claim.fields.length === 0 ? [`${path} ${claim.status}`] : claim.fields.map(({ name, status }) => `${path}.${name} ${status}`)
  })
}

function refusal(match: unknown[], relations: Relation[] = shop): string[] {
  const { code, message, detail } = failure('declare_claims', declaration(match, catalogOf(relations)))
  return [`${code} ${message}`, ...detail.split('\n')]
}

describe('what a document expands to', () => {
  test.each<[string, unknown, string[]]>([
    ['a field', { path: 'public.orders', fields: ['id'] }, ['public.orders.id met']],
    ['all fields', { path: 'public.orders', fields: '*' }, ['public.orders.id met', 'public.orders.total met', 'public.orders.Note met']],
    ['the relation alone', { path: 'public.orders' }, ['public.orders met']],
    ['a view', { path: 'public.open_orders', fields: ['id'] }, ['public.open_orders.id met']],
    ['a partition by its name', { path: 'public.orders_2025', fields: ['id'] }, ['public.orders_2025.id met']],
    [
      'a wildcard: tables and views, no sequences, no single partitions',
      { path: 'public.*', fields: '*' },
      [
        'public.* met',
        'public.orders.id met',
        'public.orders.total met',
        'public.orders.Note met',
        'public.items.id met',
        'public.open_orders.id met',
      ],
    ],
    ['an optional relation that is not there', { path: 'public.later', fields: ['id'], optional: true }, ['public.later.id absent']],
    ['an optional wildcard on nothing', { path: 'later.*', fields: '*', optional: true }, ['later.* absent']],
    [
      'an optional field that is not there',
      { path: 'public.items', fields: ['id', { name: 'size', optional: true }] },
      ['public.items.id met', 'public.items.size absent'],
    ],
    [
      'alternative fields, one there',
      { path: 'public.items', fields: [{ alternatives: ['sku', 'id'] }] },
      ['public.items.sku absent', 'public.items.id met'],
    ],
    [
      'alternative relations, one there',
      {
        alternatives: [
          { path: 'public.goods', fields: ['id'] },
          { path: 'public.items', fields: ['id'] },
        ],
      },
      ['public.goods.id absent', 'public.items.id met'],
    ],
    [
      'one of several types',
      { path: 'public.orders', fields: [{ name: 'total', type: ['integer', 'numeric'] }] },
      ['public.orders.total met'],
    ],
  ])('%s', (_, match, claims) => {
    expect(claimsOf([match])).toEqual(claims)
  })
})

describe('what cannot be met', () => {
  const one = 'IDB03 claims cannot be met: 1 problem'
  test.each<[string, unknown, string[]]>([
    ['no relation', { path: 'public.later' }, [one, '/match/0/path: needs public.later: there is no such relation']],
    ['a sequence', { path: 'public.counter' }, [one, '/match/0/path: needs public.counter: it is a sequence, which cannot be claimed']],
    [
      'an empty wildcard',
      { path: 'later.*', fields: '*' },
      [one, '/match/0/path: needs later.*: schema later has no table or view to claim'],
    ],
    ['no field', { path: 'public.items', fields: ['size'] }, [one, '/match/0/fields/0: needs public.items.size: there is no such column']],
    [
      'another case',
      { path: 'public.orders', fields: ['note'] },
      [one, '/match/0/fields/0: needs public.orders.note: there is no such column; there is "Note", and field names are taken literally'],
    ],
    [
      'another type',
      { path: 'public.orders', fields: [{ name: 'total', type: ['integer', 'text'] }] },
      [one, '/match/0/fields/0: needs public.orders.total (integer or text): the type is numeric(10,2)'],
    ],
    [
      'too narrow',
      { path: 'public.orders', fields: [{ name: 'total', min_length: 12 }] },
      [one, '/match/0/fields/0: needs public.orders.total (length 12 or more): the type is numeric(10,2)'],
    ],
    [
      'nullable',
      { path: 'public.orders', fields: [{ name: 'total', is_nullable: false }] },
      [one, '/match/0/fields/0: needs public.orders.total (not null): the column may be null'],
    ],
    [
      'no alternative field',
      { path: 'public.items', fields: [{ alternatives: ['a', 'b'] }] },
      [
        'IDB03 claims cannot be met: 2 problems',
        '/match/0/fields/0/alternatives/0: needs public.items.a: there is no such column',
        '/match/0/fields/0/alternatives/1: needs public.items.b: there is no such column',
      ],
    ],
    [
      'no alternative relation',
      { alternatives: [{ path: 'public.a' }, { path: 'public.items', fields: ['size'] }] },
      [
        'IDB03 claims cannot be met: 2 problems',
        '/match/0/alternatives/0/path: needs public.a: there is no such relation',
        '/match/0/alternatives/1/fields/0: needs public.items.size: there is no such column',
      ],
    ],
    [
      'an optional field of another type',
      { path: 'public.items', fields: [{ name: 'id', type: 'text', optional: true }] },
      [one, '/match/0/fields/0: needs public.items.id (text): the type is integer'],
    ],
  ])('%s', (_, match, said) => {
    expect(refusal([match])).toEqual(said)
  })

  test('all of it at once', () => {
    const match = [{ path: 'public.later' }, { path: 'public.items', fields: ['size', 'id'] }, { path: 'public.orders', fields: '*' }]
    expect(refusal(match)).toEqual([
      'IDB03 claims cannot be met: 2 problems',
      '/match/0/path: needs public.later: there is no such relation',
      '/match/1/fields/0: needs public.items.size: there is no such column',
    ])
  })

  test('a type that nobody knows is a mistake of the document', () => {
    expect(refusal([{ path: 'public.orders', fields: ['id', { name: 'total', type: 'nonsense' }] }])).toEqual([
      'IDB02 invalid claims document: 1 problem',
      '/match/0/fields/1/type: this database has no type "nonsense"',
    ])
  })
})

describe('what cannot be written', () => {
  const goodsColumns = ['1 id integer not null always', '2 name text', '3 price integer not null']
  const none = { insert: false, update: false, delete: false }
  const goods = (writes: Partial<Writes> = {}, more: Partial<Relation> = {}) => writable(6, 'public.goods', goodsColumns, writes, more)
  const needs = (what: string) => `/match/0/path: needs public.goods (${what}`

  function said(match: object, one: Relation = goods(), access: Partial<Access> = {}): string[] {
    const catalog = withAccess(catalogOf([one]), 6, access)
    const { code, message, detail } = failure('declare_claims', declaration([{ path: 'public.goods', ...match }], catalog))
    const found = detail.split('\n')
    expect(`${code} ${message}`).toBe(`IDB03 claims cannot be met: ${found.length} problem${found.length === 1 ? '' : 's'}`)
    return found
  }

  test.each<[string, object, Relation, string[]]>([
    ['a view: insert', { access: ['insert'], fields: '*' }, goods(none), [`${needs('insert): it cannot be inserted into')}`]],
    ['a view: update', { access: ['select', 'update'], fields: ['name'] }, goods(none), [`${needs('update): it cannot be updated')}`]],
    ['a view: delete', { access: ['delete'], fields: ['name'] }, goods(none), [`${needs('delete): it cannot be deleted from')}`]],
    [
      'only columns that are always identities',
      { access: ['insert', 'update'], fields: ['id'] },
      writable(6, 'public.goods', ['1 id integer not null always']),
      [`${needs('insert): it cannot be inserted into')}`, `${needs('update): it cannot be updated')}`],
    ],
    [
      'not what has to be filled',
      { access: ['insert'], fields: ['name'] },
      goods(),
      ['/match/0/path: needs public.goods.price (null or a default): an insert has to fill the column, and the claim does not'],
    ],
    [
      'not what has to be filled behind a view',
      { access: ['insert'], fields: '*' },
      goods({ hidden: ['sku'] }),
      ['/match/0/path: needs public.goods.sku (null or a default): an insert has to fill the column, and the claim does not'],
    ],
    [
      'no data in the materialized view',
      { fields: ['id'] },
      goods(none, { kind: 'm', unpopulated: true }),
      ['/match/0/path: needs public.goods: it holds no data (WITH NO DATA) and cannot be read'.replace('goods:', 'goods (data):')],
    ],
    [
      'nullable, though it only inserts',
      { access: ['insert'], fields: [{ name: 'name', is_nullable: false }, 'price'] },
      goods(),
      ['/match/0/fields/0: needs public.goods.name (not null): the column may be null'],
    ],
    [
      'no enum',
      { fields: [{ name: 'name', values: ['a', 'b'] }] },
      goods(),
      ['/match/0/fields/0: needs public.goods.name ("a", "b"): text is no enum'],
    ],
    [
      'no such label',
      { fields: ['id', { name: 'name', values: ['a', 'b'] }] },
      withColumn(goods(), 'name', { labels: ['b', 'c'] }),
      ['/match/0/fields/1: needs public.goods.name ("a"): text has no label "a"'],
    ],
    [
      'not unique',
      { fields: [{ alternatives: [{ name: 'name', unique: true }] }] },
      goods(),
      ['/match/0/fields/0/alternatives/0: needs public.goods.name (unique): no primary key or unique constraint covers it alone'],
    ],
    [
      'an optional column that is not unique',
      { fields: [{ name: 'name', unique: true, optional: true }] },
      goods(),
      ['/match/0/fields/0: needs public.goods.name (unique): no primary key or unique constraint covers it alone'],
    ],
  ])('%s', (_, match, one, lines) => {
    expect(said(match, one)).toEqual(lines)
  })

  test('what keeps the stakeholder from using it', () => {
    const execute = (['insert', 'update'] as const).map((of_access) => ({
      code: 'IDB401' as const,
      expected: 'execute' as const,
      of_access,
      message: 'it may not execute public.price_of()',
    }))
    const owner = { code: 'IDB404' as const, expected: 'select' as const, message: 'hr, the owner of the view, may not read public.staff' }
    const access = { obstacles: [...execute, owner] }
    const unread = [needs('select): hr, the owner of the view, may not read public.staff')]
    expect(said({ fields: ['id'] }, goods(), access)).toEqual(unread)
    expect(said({ access: ['update'], fields: ['name'] }, goods(), access)).toEqual([
      needs('execute): it may not execute public.price_of()'),
    ])
    // Once, though inserts and updates both call it.
    expect(said({ access: ['select', 'insert', 'update'], fields: '*' }, goods(), access)).toHaveLength(2)
  })

  test.each<[string, object, Relation]>([
    ['"*", with a column that is always an identity', { access: ['insert', 'update', 'delete'], fields: '*' }, goods()],
    ['by name, beside others', { access: ['insert', 'update'], fields: ['id', 'price'] }, goods()],
    ['to delete alone', { access: ['delete'], fields: ['id'] }, goods()],
    ['to delete, where nothing else can be done', { access: ['delete'], fields: ['id'] }, goods({ ...none, delete: true })],
    ['without a partition yet', { access: ['insert'], fields: '*' }, goods({ without_partition: true })],
    [
      'a label and unique',
      { fields: [{ name: 'name', values: ['b'], unique: true }] },
      withColumn(goods(), 'name', { labels: ['b'], unique: true }),
    ],
    ['no label, not unique', { fields: [{ name: 'name', values: [], unique: false }] }, goods()],
    [
      'with constraints and triggers in the way',
      { access: ['insert'], fields: '*' },
      goods({
        constraints: [{ name: 'c', marks: ['c'], events: 'iu', columns: [2], is_broken: true }],
        triggers: [{ name: 't', marks: ['t'], events: 'i' }],
      }),
    ],
  ])('what can: %s', (_, match, one) => {
    expect(claimed([{ path: 'public.goods', ...match }], catalogOf([one])).claims).toMatchObject([{ status: 'met' }])
  })

  test('a wildcard leaves out what cannot be written', () => {
    const match = { path: 'public.*', fields: '*', access: ['insert', 'update', 'delete'] }
    expect(claimsOf([match], [goods(none)])).toEqual([
      'public.* met',
      'public.goods.id met',
      'public.goods.name met',
      'public.goods.price met',
    ])
  })

  test('one of alternatives that can be', () => {
    const [open, table] = [goods(none), { ...goods(), id: 7, name: 'wares' }]
    const alternatives = ['public.goods', 'public.wares'].map((path) => ({ path, fields: ['name', 'price'] }))
    const { claims } = claimed([{ alternatives, access: ['insert'] }], catalogOf([open, table]))
    expect(claims.map(({ status }) => status)).toEqual(['unmet', 'met'])
  })

  test('rows that are hidden were so before anybody claimed them', () => {
    const catalog = withAccess(catalogOf([goods()]), 6, { rows: { select: [rowFilter('public.goods', [])] } })
    expect(claimed([{ path: 'public.goods', fields: '*' }], catalog).claims).toMatchObject([{ status: 'met' }])
  })
})

describe('what cannot be granted', () => {
  const foreign = { ...orders, owner: 'Hr', grantable: false }

  test('the relation belongs to somebody else', () => {
    expect(refusal([{ path: 'public.orders', fields: ['id'] }], [foreign])).toEqual([
      'IDB06 cannot grant select on 1 relation',
      'public.orders belongs to "Hr"',
    ])
  })

  test('to write into it neither', () => {
    const goods = writable(6, 'public.goods', ['1 id integer', '2 always integer always'], {}, { owner: 'hr', grantable: false })
    const match = (access: string[], fields: unknown = '*') => [{ path: 'public.goods', fields, access }]
    const belongs = 'public.goods belongs to hr'
    expect(refusal(match(['insert', 'delete', 'select']), [goods])).toEqual([
      'IDB06 cannot grant select, insert, delete on 1 relation',
      belongs,
    ])
    expect(refusal(match(['update']), [goods])).toEqual(['IDB06 cannot grant update on 1 relation', belongs])

    // Whatever was granted by its owner will do.
    const held = withAccess(catalogOf([goods]), 6, { granted: { insert: [1] }, effective: { insert: [1] }, usage: true })
    expect(claimed(match(['insert']), held).claims).toMatchObject([{ status: 'met' }])
  })

  test('a sequence belongs to somebody else', () => {
    const sequence = { id: 900, schema: 'hr', name: 'Numbers', grantable: false }
    const goods = writable(6, 'public.goods', ['1 id integer default'], { sequences: [sequence] })
    const match = (access: string[]) => [{ path: 'public.goods', fields: '*', access }]
    expect(refusal(match(['insert']), [goods])).toEqual([
      'IDB06 cannot grant usage on 1 relation',
      'the sequence hr."Numbers", which public.goods takes numbers from, belongs to somebody else',
    ])
    expect(claimsOf(match(['update', 'delete']), [goods])).toEqual(['public.goods.id met'])
    const held = withAccess(catalogOf([goods]), 6, { sequences: [{ id: 900, granted: false, effective: true }] })
    expect(claimed(match(['insert']), held).claims).toMatchObject([{ status: 'met' }])
  })

  test('without fields there is nothing to grant', () => {
    expect(claimsOf([{ path: 'public.orders' }], [foreign])).toEqual(['public.orders met'])
  })

  test('the schema belongs to somebody else', () => {
    expect(refusal([{ path: 'public.orders', fields: ['id'] }], [{ ...orders, schema_grantable: false }])).toEqual([
      'IDB06 cannot grant usage on 1 relation',
      'public.orders is in a schema that reporter may not use, and its usage cannot be granted',
    ])
  })

  test('what the stakeholder owns needs no grant', () => {
    const catalog = catalogOf([foreign])
    for (const access of catalog.access)
      Object.assign(access, { owner: true, schema_owner: true, usage: true, effective: { select: [1, 2, 3] } })
    const { grants } = ok<{ claims: Claim[]; grants: GrantStep[] }>(
      'declare_claims',
      declaration([{ path: 'public.orders', fields: '*' }], catalog),
    )
    expect(grants).toEqual([])
  })
})
