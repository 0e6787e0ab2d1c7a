import { expect, test } from 'vitest'
import { findings } from '../../../src/core/index.ts'
import { hintFor, publicationHint } from '../../../src/core/migration/hint.ts'
import { catalogOf, claimed, judged, migrated, relation, writable } from '../fixture.ts'

test('a report says who breaks, what, and what to do, with the fields of a constraint violation', () => {
  const orders = relation(1, 'public.orders', ['1 id integer', '2 total numeric(10,2)'])
  const items = relation(2, 'public.items', ['1 id integer'])
  const { claims, catalog } = claimed(
    [
      { path: 'public.orders', fields: [{ name: 'total', type: ['numeric', 'integer'] }] },
      { path: 'public.items', fields: '*' },
    ],
    catalogOf([orders, items], ['reporter']),
  )
  const after = migrated(catalog, [{ ...orders, columns: orders.columns.slice(0, 1) }])
  expect(judged(claims, after).report).toEqual({
    code: 'IDB01',
    message: 'migration breaks 2 claims of 1 stakeholder',
    detail: [
      'IDB201 reporter needs public.orders.total (numeric or integer): the column was dropped',
      'IDB101 reporter needs public.items: the relation was dropped',
    ].join('\n'),
    hint: [
      hintFor('IDB201', { stakeholder: 'reporter', path: 'public.orders', field: 'total', expected: null }),
      hintFor('IDB101', { stakeholder: 'reporter', path: 'public.items', field: null, expected: null }),
    ].join('\n'),
    constraint: 'claims_hold',
    schema: 'public',
    table: 'orders',
    column: 'total',
  })
})

function reportOf(columns: number): { message: string; detail: string[]; hint: string[] } {
  const wide = relation(
    1,
    'public.wide',
    Array.from({ length: columns }, (_, index) => `${index + 1} c${index + 1} integer`),
  )
  const { claims, catalog } = claimed([{ path: 'public.wide', fields: '*' }], catalogOf([wide]))
  const { report } = judged(claims, migrated(catalog, [{ ...wide, columns: [] }]))
  if (report === null) throw new Error('nothing was broken')
  return { message: report.message, detail: report.detail.split('\n'), hint: report.hint.split('\n') }
}

test('twenty lines, then how many more', () => {
  expect(reportOf(20).detail).toHaveLength(20)
  expect(reportOf(20).detail.at(-1)).toMatch(/^IDB201 .* public\.wide\.c20 /)

  const { message, detail, hint } = reportOf(23)
  expect(message).toBe('migration breaks 23 claims of 1 stakeholder')
  expect(detail).toHaveLength(21)
  expect(detail.at(-1)).toBe('… and 3 more')
  expect(hint).toHaveLength(3)
})

test('a name with a line break stays on its line', () => {
  const odd = relation(1, 'public.odd', ['1 id integer'])
  odd.columns = odd.columns.map((column) => ({ ...column, name: 'two\nlines\t' }))
  const { claims, catalog } = claimed([{ path: 'public.odd', fields: ['two\nlines\t'] }], catalogOf([odd]))
  const { report } = judged(claims, migrated(catalog, [{ ...odd, columns: [] }]))
  expect(report?.detail).toBe('IDB201 reporter needs public.odd."two\\u000alines\\u0009" (integer): the column was dropped')
  expect(report?.column).toBe('two\nlines\t')
})

test('names are quoted where SQL needs it', () => {
  const odd = relation(1, 'public.odd', ['1 Total integer'])
  const { claims, catalog } = claimed([{ path: 'public.odd', fields: ['Total'] }], catalogOf([odd]))
  const { findings, report } = judged(claims, migrated(catalog, [{ ...odd, columns: [] }]))
  expect(report?.detail).toMatch(/^IDB201 reporter needs public\.odd\."Total" \(integer\)/)
  // The column of the finding is a name, not SQL.
  expect(findings).toMatchObject([{ path: 'public.odd', field: 'Total' }])
})

test('the column of a report may be one that nobody claims', () => {
  const columns = ['1 id integer', '2 total numeric(10,2)']
  const match = { path: 'public.orders', fields: ['id'], access: ['insert'] }
  const { claims, catalog } = claimed([match], catalogOf([writable(1, 'public.orders', columns)]))
  const { report } = judged(claims, migrated(catalog, [writable(1, 'public.orders', [...columns, '3 Tax numeric not null'])]))
  expect(report).toMatchObject({
    message: 'migration breaks 1 claim of 1 stakeholder',
    detail: 'IDB211 reporter needs public.orders."Tax" (null or a default): an insert has to fill the column, and the claim does not',
    hint: hintFor('IDB211', { stakeholder: 'reporter', path: 'public.orders', field: 'Tax', expected: null }),
    table: 'orders',
    column: 'Tax',
  })
})

test('there is something to do about every finding', () => {
  for (const code of Object.keys(findings) as (keyof typeof findings)[]) {
    for (const field of ['total', null]) {
      const subject = { stakeholder: 'Reporter', path: 'public.orders', field, expected: 'numeric(10,2)' }
      const hint = code === 'IDB501' ? publicationHint(subject) : hintFor(code, subject)
      expect(hint, code).toMatch(/^[A-Z].*\.$/)
      expect(hint, code).not.toMatch(/undefined|(Keep|Give|beside|on) null/)
    }
  }
})
