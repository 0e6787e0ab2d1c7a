import { expect, test } from 'vitest'
import { operate, operations } from '../../src/core/index.ts'
import { catalogOf, claimed, ok, relation } from './fixture.ts'

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', ''])('"%s" is no operation', (operation) => {
  expect(() => operate(operation, '{}')).toThrow(`IntegrateDB has no operation ${operation}`)
})

test('what an operation cannot read is a fault of the caller, and no answer', () => {
  for (const operation of Object.keys(operations).filter((each) => !each.endsWith('_specification'))) {
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
