// Inputs of every operation, odd names among them: wherever the core runs, it answers them with the same bytes.

import fc from 'fast-check'
import type { Catalog, Relation } from '../../src/core/catalog/catalog.ts'
import { anyDocument } from './documents.ts'
import { ask, catalogOf, claimed, declaration, migrated, relation, rowFilter, withAccess, withColumn, writable } from './fixture.ts'

export interface Question {
  operation: string
  input: string
}

const orders = relation(1, 'public.orders', ['1 id integer not null', '2 total numeric(10,2)', '3 name character varying(50)'])
const odd: Relation = {
  ...relation(2, '😀.größe', ['1 👩‍👩‍👧 text', '2 b integer', '3 c integer']),
  name: 'Order "Items"\n\t\\ \u2028 \u{1F600}',
}
const part = relation(3, '😀.größe', ['1 id integer'])
const before = [orders, odd, part]

const oddPath = `😀."${odd.name.replaceAll('"', '""')}"`
const match = [
  { path: 'public.orders', fields: ['id', { name: 'total', type: ['numeric', 'text'] }, { alternatives: ['name', 'title'] }] },
  { path: oddPath, fields: '*' },
  { path: '😀.*', fields: '*' },
  { alternatives: [{ path: 'public.none' }, { path: '😀.größe', fields: ['id'] }] },
  { path: 'later.*', fields: '*', optional: true },
]
const { claims, catalog } = claimed(match, catalogOf(before))

const migrations: Relation[][] = [
  before,
  [],
  [orders],
  [{ ...orders, columns: orders.columns.slice(0, 1) }, { ...odd, name: '"' }, part],
  [relation(1, 'public.orders', ['1 id bigint', '2 total numeric(8,2)', '9 name text']), { ...odd, columns: [] }, part],
  [{ ...orders, name: 'orders_v1' }, relation(9, 'public.orders', ['1 id integer not null', '2 total text'], { kind: 'v' }), odd],
  [relation(8, 'public.orders', [], { kind: 'S' }), relation(7, '😀.new', ['1 id integer'])],
]

const goodsColumns = ['1 id integer not null unique default', '2 größe text', '3 mood mood', '4 gross numeric generated']
const hurdle = { name: 'the check constraint "😀"', marks: ['1', 'a'], events: 'iu', columns: [2] }
const sequence = { id: 900, schema: '😀', name: 'Numbers', grantable: true }
const goods = withColumn(writable(5, 'public.goods', goodsColumns, { sequences: [sequence] }), 'mood', { labels: ['sad', "o'clock"] })
const writing = [
  { path: 'public.goods', access: ['select', 'insert', 'update', 'delete'], fields: ['id', 'größe', { name: 'mood', values: ['sad'] }] },
  { path: 'public.*', access: ['insert', 'delete'], fields: '*' },
]
const written = claimed(writing, catalogOf([goods]))
const broken = { constraints: [{ ...hurdle, is_broken: true }], triggers: [{ name: 'the trigger "\n"', marks: ['t'], events: 'd' }] }
const rows = { select: [rowFilter('😀.größe', ['own'], ['strict'])] }
const changes: Catalog[] = [
  written.catalog,
  migrated(written.catalog, [
    writable(5, 'public.goods', ['1 id integer not null', '2 größe text not null', '7 Sku text not null'], broken),
  ]),
  migrated(written.catalog, [writable(5, 'public.goods', goodsColumns, { insert: false, delete: false, without_partition: true })]),
  migrated(written.catalog, [
    writable(6, 'public.goods', goodsColumns, { constraints: [hurdle] }, { kind: 'v', definition: ['1'], behind: [5] }),
    orders,
  ]),
  withAccess(written.catalog, 5, { granted: { select: [1] }, effective: { select: [1, 2] }, sequences: [], rows }),
  withAccess(written.catalog, 5, { obstacles: [{ code: 'IDB404', expected: 'select', message: '"Hr 😀" may not read 😀.größe' }] }),
]

function question(operation: string, input: unknown): Question {
  return { operation, input: typeof input === 'string' ? input : JSON.stringify(input) }
}

const documents = [
  { match },
  { match: writing },
  {
    match: [
      { path: 'public.goods', access: ['insert', 'insert', 'Größe'], fields: [{ name: 'x', values: ['😀', '😀', 1], unique: 'ja' }] },
    ],
  },
  {
    match: [{ path: 'public.Orders', fields: [{ name: '\u0000', type: [], colour: 'rot\n' }] }, { path: '\ud83d' }, '💥'],
    __proto__x: 1e308,
  },
  { match: Array.from({ length: 30 }, (_, index) => ({ path: `public.${index}` })) },
  {
    match: [
      {
        path: 'public.orders',
        fields: [
          { name: 'id', min_length: 1e21 },
          { name: 'x', min_length: 0.1 },
          { name: 'y', min_length: -0 },
        ],
      },
    ],
  },
]
const texts = [
  '',
  'nonsense',
  '{"match": [}',
  `${'['.repeat(30)}`,
  '{"a": "\\ud800", "__proto__": []}',
  '"\u2028"',
  ' '.repeat(1024 * 1024 + 1),
]
const declarations = [
  declaration(match, catalogOf(before)),
  declaration(match, catalog, [1, 2, 3]),
  declaration([{ path: 'public.orders', fields: ['id'] }], catalog, [1, 2, 3]),
  declaration(match, catalogOf([])),
  declaration([{ path: 'public.orders', fields: [{ name: 'id', type: 'nonsense' }] }], catalog),
  declaration(writing, catalogOf([goods])),
  declaration(writing, written.catalog, [5]),
  declaration(writing, catalogOf([{ ...goods, grantable: false, owner: 'Hr 😀' }])),
  declaration(
    writing,
    catalogOf([writable(5, 'public.goods', ['1 id integer always', '2 größe text not null', '3 mood text'], { hidden: ['\n'] })]),
  ),
  declaration(match, catalogOf([{ ...orders, grantable: false, owner: 'Hr 😀' }, odd, part])),
]
const judgements = [
  ...migrations.map((after) => ({ claims, siblings: [], catalog: migrated(catalog, after) })),
  ...changes.map((after) => ({ claims: written.claims, siblings: [], catalog: after })),
]

const notifying = {
  match: [
    { path: 'public.orders', events: ['*'], channels: ['*'] },
    {
      path: 'public.orders',
      events: ['UPDATE', 'DELETE'],
      fields: ['id'],
      channels: ['WEBHOOK'],
      where: `id > 1e3 and changed(total) or not "id" in (1, '2')`,
    },
    { path: '😀.*', events: ['INSERT'], channels: ['größe'] },
  ],
  channels: [
    {
      name: 'hook',
      kind: 'WEBHOOK',
      url: 'https://example.org/in',
      secrets: ['INTEGRATEDB_SECRET_HOOK'],
      headers: { Authorization: 'INTEGRATEDB_SECRET_A' },
    },
    { name: 'größe', kind: 'SOCKET', retention: 5, alerts: false },
  ],
}
const notificationTexts: unknown[] = [
  notifying,
  {
    match: [{ path: 'public.orders', events: ['NEVER'], fields: [], channels: ['nobody'], where: 'x = = 1' }],
    channels: [{ kind: 'PIGEON' }, { name: '*' }],
  },
  {
    match: [{ path: 'a.*', events: ['*', '*'], fields: ['x'], channels: [], where: "x = '" }],
    channels: [{ name: 'a', kind: 'WEBHOOK', url: 'ftp://x', secrets: ['X'], batch: 0 }],
  },
  ...texts,
]
const { notifications: read } = ask('read_notifications', notifying).ok as { notifications: object[] }
const expansions = [true, false].flatMap((is_declared) =>
  [['id'], null].map((identity) => ({
    notifications: read.map((each) => ({ ...each, stakeholder: 'reporter' })),
    claims,
    publishing: [
      {
        relation: 1,
        is_table: true,
        problem: null,
        hidden_from: is_declared ? null : ['reporter'],
        identity,
        indexes: [],
        columns: { id: 'number', total: 'number', name: 'text' },
        is_published: true,
      },
      { relation: 2, is_table: true, problem: 'it has the name "\n😀"', identity, indexes: [9], columns: {}, is_published: false },
    ],
    is_declared,
  })),
)

export const recorded: Question[] = [
  ...notificationTexts.map((each) => question('read_notifications', each)),
  ...expansions.map((each) => question('expand_notifications', each)),
  ...expansions.map((each) => {
    const { ok: subscriptions = [] } = ask<object[]>('expand_notifications', { ...expansions[1], is_declared: false })
    return question('judge_notifications', { ...each, subscriptions, findings: [] })
  }),
  ...['read_specification', 'check_specification'].flatMap((operation) =>
    [...documents, ...texts].map((each) => question(operation, each)),
  ),
  ...['declare_claims', 'check_claims'].flatMap((operation) => declarations.map((each) => question(operation, each))),
  ...['judge_migration', 'sync_claims', 'inspect_claims'].flatMap((operation) => judgements.map((each) => question(operation, each))),
  question('judge_migration', { claims: claims.slice(0, 1), siblings: claims.slice(1), catalog: migrated(catalog, []) }),
]

export function random(count: number, seed: number): Question[] {
  return fc.sample(anyDocument, { numRuns: count, seed }).map((document) => question('read_specification', document))
}
