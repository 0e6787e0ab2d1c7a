// Inputs of every operation, odd names among them: wherever the core runs, it answers them with the same bytes.

import fc from 'fast-check'
import type { Relation } from '../../src/core/catalog/catalog.ts'
import { anyDocument } from './documents.ts'
import { catalogOf, claimed, declaration, migrated, relation } from './fixture.ts'

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

function question(operation: string, input: unknown): Question {
  return { operation, input: typeof input === 'string' ? input : JSON.stringify(input) }
}

const documents = [
  { match },
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
  declaration(match, catalogOf([{ ...orders, grantable: false, owner: 'Hr 😀' }, odd, part])),
]
const judgements = migrations.map((after) => ({ claims, siblings: [], catalog: migrated(catalog, after) }))

export const recorded: Question[] = [
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
