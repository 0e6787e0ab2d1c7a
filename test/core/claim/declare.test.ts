import { describe, expect, test } from 'vitest'
import type { Relation } from '../../../src/core/catalog/catalog.ts'
import type { Claim } from '../../../src/core/claim/claim.ts'
import type { GrantStep } from '../../../src/core/grant/grant.ts'
import { catalogOf, claimed, declaration, failure, ok, relation } from '../fixture.ts'

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

describe('what cannot be granted', () => {
  const foreign = { ...orders, owner: 'Hr', grantable: false }

  test('the relation belongs to somebody else', () => {
    expect(refusal([{ path: 'public.orders', fields: ['id'] }], [foreign])).toEqual([
      'IDB06 cannot grant select on 1 relation',
      'public.orders belongs to "Hr"',
    ])
  })

  test('without fields there is nothing to grant', () => {
    expect(claimsOf([{ path: 'public.orders' }], [foreign])).toEqual(['public.orders met'])
  })

  test('the schema belongs to somebody else', () => {
    expect(refusal([{ path: 'public.orders', fields: ['id'] }], [{ ...orders, schema_grantable: false }])).toEqual([
      'IDB06 cannot grant select on 1 relation',
      'public.orders is in a schema that reporter may not use, and its usage cannot be granted',
    ])
  })

  test('what the stakeholder owns needs no grant', () => {
    const catalog = catalogOf([foreign])
    for (const access of catalog.access) Object.assign(access, { owner: true, schema_owner: true, usage: true, readable: [1, 2, 3] })
    const { grants } = ok<{ claims: Claim[]; grants: GrantStep[] }>(
      'declare_claims',
      declaration([{ path: 'public.orders', fields: '*' }], catalog),
    )
    expect(grants).toEqual([])
  })
})
