import { expect, test } from 'vitest'
import { operate, operations } from '../../src/core/index.ts'
import { catalogOf, claimed, ok, relation, withAccess, writable } from './fixture.ts'

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', ''])('"%s" is no operation', (operation) => {
  expect(() => operate(operation, '{}')).toThrow(`IntegrateDB has no operation ${operation}`)
})

test('what an operation cannot read is a fault of the caller, and no answer', () => {
  for (const operation of Object.keys(operations).filter((each) => !/_specification$|^read_/.test(each))) {
    expect(() => operate(operation, 'nonsense')).toThrow(SyntaxError)
  }
})

test('unmet_claims tells of what does not hold, whoever broke it', () => {
  const match = [
    { path: 'public.orders', fields: ['id', { name: 'note', optional: true }] },
    { alternatives: [{ path: 'public.a' }, { path: 'public.orders', fields: ['total'] }] },
    { path: 'later.*', fields: '*', optional: true },
  ]
  const orders = relation(1, 'public.orders', ['1 id integer', '2 total numeric'])
  const { claims, catalog } = claimed(match, catalogOf([orders]))
  const unmet = (inspected: object) =>
    ok<{ code: string; message: string }[]>('inspect_claims', { claims, catalog: inspected }).map(
      ({ code, message }) => `${code} ${message}`,
    )

  expect(unmet(catalog)).toEqual([])
  expect(unmet(catalogOf([orders]))).toEqual([
    'IDB402 it has no usage of schema public',
    'IDB401 it cannot be read',
    'IDB101 there is no such relation',
    'IDB401 it cannot be read',
  ])
  expect(unmet(catalogOf([]))).toEqual(['IDB101 the relation was dropped', 'IDB101 there is no such relation'])
})

test('unmet_claims tells of what cannot be written', () => {
  const sequence = { id: 900, schema: 'public', name: 'goods_id_seq', grantable: true }
  const goods = (...more: string[]) => writable(6, 'public.goods', ['1 id integer default', ...more], { sequences: [sequence] })
  const match = [{ path: 'public.goods', fields: ['id', 'name'], access: ['insert', 'update', 'delete'] }]
  const { claims, catalog } = claimed(match, catalogOf([goods('2 name text')]))
  const unmet = (inspected: object) =>
    ok<{ code: string; field: string | null; message: string }[]>('inspect_claims', { claims, catalog: inspected }).map(
      ({ code, field, message }) => `${code} ${field ?? '-'} ${message}`,
    )

  expect(unmet(catalog)).toEqual([])
  expect(unmet(withAccess(catalog, 6, { granted: {}, effective: {}, sequences: [{ id: 900, granted: false, effective: false }] }))).toEqual(
    [
      'IDB401 - the privilege to delete was revoked',
      'IDB401 id it cannot be inserted into',
      'IDB401 id it cannot be updated',
      'IDB401 name it cannot be inserted into',
      'IDB401 name it cannot be updated',
    ],
  )
  expect(unmet(withAccess(catalog, 6, { sequences: [{ id: 900, granted: false, effective: false }] }))).toEqual([
    'IDB401 - the privilege to use the sequence public.goods_id_seq was revoked',
  ])
  expect(unmet({ ...catalog, relations: [goods('2 name text not null', '3 sku text not null')] })).toEqual([
    'IDB211 sku an insert has to fill the column, and the claim does not',
    'IDB212 name the column no longer accepts null',
  ])
})
