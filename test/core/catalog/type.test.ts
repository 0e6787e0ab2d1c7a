import { describe, expect, test } from 'vitest'
import { fitDeclaredType, fitType } from '../../../src/core/catalog/type.ts'
import { typeOf } from '../fixture.ts'

const varchar = (length: number) => `character varying(${length})`

/** What is there, what the stakeholder read until now, and what it wrote in its document. */
describe('does a type still serve?', () => {
  test.each([
    // actual, wanted, observed, declared
    ['integer', 'integer', 'same', 'same'],
    ['bigint', 'integer', 'changed', 'changed'],
    ['integer', 'bigint', 'changed', 'changed'],
    ['text', 'text', 'same', 'same'],
    ['text', varchar(50), 'same', 'same'],
    ['text', 'character varying', 'same', 'same'],
    [varchar(50), varchar(50), 'same', 'same'],
    [varchar(51), varchar(50), 'same', 'same'],
    ['character varying', varchar(50), 'same', 'same'],
    [varchar(49), varchar(50), 'narrowed', 'narrowed'],
    // Without modifiers: observed it means "no limit", declared it means "any".
    [varchar(50), 'character varying', 'narrowed', 'same'],
    [varchar(50), 'text', 'changed', 'changed'],
    ['character(5)', 'character(5)', 'same', 'same'],
    ['character(6)', 'character(5)', 'changed', 'changed'],
    ['numeric(10,2)', 'numeric(10,2)', 'same', 'same'],
    ['numeric(12,2)', 'numeric(10,2)', 'same', 'same'],
    ['numeric(8,2)', 'numeric(10,2)', 'narrowed', 'narrowed'],
    ['numeric(12,3)', 'numeric(10,2)', 'changed', 'changed'],
    ['numeric', 'numeric(10,2)', 'changed', 'changed'],
    ['numeric(10,2)', 'numeric', 'narrowed', 'same'],
    ['numeric', 'numeric', 'same', 'same'],
    ['timestamp(3) with time zone', 'timestamp with time zone', 'changed', 'changed'],
    ['integer[]', 'integer', 'changed', 'changed'],
    ['shop.mood', 'public.mood', 'changed', 'changed'],
  ] as const)('%s for %s: observed %s, declared %s', (actual, wanted, observed, declared) => {
    expect(fitType(typeOf(actual), typeOf(wanted))).toBe(observed)
    expect(fitDeclaredType(typeOf(actual), typeOf(wanted))).toBe(declared)
  })

  test('a precision in the middle of a type is a modifier all the same', () => {
    const base = 'timestamp with time zone'
    const rough = { type: 'timestamp(0) with time zone', base, length: null, scale: null, content: null }
    const fine = { type: base, base, length: null, scale: null, content: null }
    expect(fitType(rough, fine)).toBe('narrowed')
    expect(fitDeclaredType(rough, fine)).toBe('same')
    expect(fitType(fine, rough)).toBe('changed')
  })
})

test('a type made anew under the name of another is another type', () => {
  const type = { type: 'shop.email', base: 'shop.email', length: null, scale: null, content: 'domain over text' }
  expect(fitType({ ...type, content: 'domain over integer' }, type)).toBe('changed')
  expect(fitDeclaredType({ ...type, content: 'domain over integer' }, type)).toBe('changed')
  expect(fitDeclaredType(type, type)).toBe('same')
  const pair = { ...type, content: 'composite of a integer' }
  expect(fitType({ ...pair, content: 'composite of a integer, b text' }, pair)).toBe('same')
  expect(fitType(pair, { ...pair, content: 'composite of a integer, b text' })).toBe('changed')
})
