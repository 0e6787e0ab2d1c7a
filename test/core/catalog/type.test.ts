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
})

test('a composite type, and one within it, may get attributes at its end', () => {
  const composite = (content: string) => ({
    type: 'shop.pair',
    base: 'shop.pair',
    length: null,
    scale: null,
    content: `composite of ${content}`,
  })
  const fits = (actual: string, wanted: string) => [
    fitType(composite(actual), composite(wanted)),
    fitDeclaredType(composite(actual), composite(wanted)),
  ]
  const [same, changed] = [Array(2).fill('same'), Array(2).fill('changed')]
  expect(fits('1: a integer, 2: b text', '1: a integer')).toEqual(same)
  expect(fits('1: a integer', '1: a integer, 2: b text')).toEqual(changed)
  expect(fits('1: ab integer', '1: a integer')).toEqual(changed)
  expect(fits('1: a integer, 2: c date, 3: b text', '1: a integer, 2: b text')).toEqual(changed)
  const nested = '1: a composite of 1.1: b text, 2: c date'
  expect(fits('1: a composite of 1.1: b text, 1.2: d text, 2: c date, 3: e text', nested)).toEqual(same)
  expect(fits('1: a composite of 1.1: d text, 2: c date', nested)).toEqual(changed)
  expect(fits('1: a text, 2: c date', nested)).toEqual(changed)
  expect(fitType({ ...composite(nested), content: null }, composite(nested))).toBe('changed')
  expect(fitType(composite(nested), { ...composite(nested), content: null })).toBe('changed')
})
