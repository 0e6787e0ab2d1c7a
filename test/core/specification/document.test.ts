import { describe, expect, test } from 'vitest'
import { maxDocumentBytes, maxDocumentDepth } from '../../../src/core/specification/document.ts'
import { ask, failure, ok } from '../fixture.ts'

function problems(document: unknown): string[] {
  const { code, message, detail, hint } = failure('read_specification', document)
  const found = detail.split('\n')
  expect(code).toBe('IDB02')
  expect(message).toBe(`invalid claims document: ${found.length} problem${found.length === 1 ? '' : 's'}`)
  expect(hint).toMatch(/JSON pointer.*Nothing was changed/)
  return found
}

function inMatch(match: unknown): string[] {
  return problems({ match: [match] }).map((line) => line.replace('/match/0', '…'))
}

function inField(field: unknown): string[] {
  return problems({ match: [{ path: 'public.t', fields: [field] }] }).map((line) => line.replace('/match/0/fields/0', '…'))
}

describe('what a document says', () => {
  const plain = { schema: 'public', relation: 't', match: 0, alternative: null, optional: false, access: ['select'] }
  const field = { field: 0, alternative: null, optional: false, types: [], min_length: null, is_nullable: null, values: null, unique: null }

  test.each([
    ['no fields', { path: 'public.t' }, { fields: [] }],
    ['null', { path: 'public.t', fields: null }, { fields: [] }],
    ['an empty list', { path: 'public.t', fields: [] }, { fields: [] }],
    ['a star', { path: 'public.t', fields: '*' }, { fields: '*' }],
    ['a star in a list', { path: 'public.t', fields: ['*'] }, { fields: '*' }],
    ['a wildcard', { path: 'public.*', fields: '*' }, { relation: null, fields: '*' }],
    ['optional', { path: 'public.t', optional: true }, { optional: true, fields: [] }],
    ['access', { path: 'public.t', access: ['select'] }, { fields: [] }],
    [
      'access to write',
      { path: 'public.t', access: ['insert', 'update', 'delete'], fields: ['a'] },
      { access: ['insert', 'update', 'delete'], fields: [{ ...field, name: 'a' }] },
    ],
    [
      'access to write a wildcard',
      { path: 'public.*', access: ['select', 'insert'], fields: '*' },
      { relation: null, access: ['select', 'insert'], fields: '*' },
    ],
    ['a name', { path: 'public.t', fields: ['a'] }, { fields: [{ ...field, name: 'a' }] }],
    ['a type', { path: 'public.t', fields: [{ name: 'a', type: 'int' }] }, { fields: [{ ...field, name: 'a', types: ['int'] }] }],
    [
      'everything about a field',
      {
        path: 'public.t',
        fields: [
          {
            name: 'a',
            type: ['int', 'text'],
            min_length: 5,
            is_nullable: false,
            values: ['open', 'paid'],
            unique: true,
            optional: true,
          },
        ],
      },
      {
        fields: [
          {
            ...field,
            name: 'a',
            types: ['int', 'text'],
            min_length: 5,
            is_nullable: false,
            values: ['open', 'paid'],
            unique: true,
            optional: true,
          },
        ],
      },
    ],
    [
      'no labels, and need not be unique',
      { path: 'public.t', fields: [{ name: 'a', values: [], unique: false }] },
      { fields: [{ ...field, name: 'a', values: [], unique: false }] },
    ],
    [
      'labels of any kind',
      { path: 'public.t', fields: [{ name: 'a', values: ['', ' ', "o'clock", 'größe', 'Open', 'open'] }] },
      { fields: [{ ...field, name: 'a', values: ['', ' ', "o'clock", 'größe', 'Open', 'open'] }] },
    ],
    [
      'alternative fields',
      { path: 'public.t', fields: ['x', { alternatives: ['a', { name: 'b', type: 'int' }], optional: true }] },
      {
        fields: [
          { ...field, name: 'x' },
          { ...field, name: 'a', field: 1, alternative: 0, optional: true },
          { ...field, name: 'b', field: 1, alternative: 1, optional: true, types: ['int'] },
        ],
      },
    ],
  ])('%s', (_, match, said) => {
    expect(ok('read_specification', { match: [match] })).toEqual([{ ...plain, ...said }])
  })

  test('alternative relations share what is said of the match', () => {
    const match = {
      alternatives: [
        { path: 'public.a', fields: '*' },
        { path: 'public.*', fields: '*' },
      ],
      optional: true,
      access: ['select', 'update'],
    }
    const shared = { optional: true, access: ['select', 'update'] }
    expect(ok('read_specification', { match: [match] })).toEqual([
      { ...plain, relation: 'a', alternative: 0, ...shared, fields: '*' },
      { ...plain, relation: null, alternative: 1, ...shared, fields: '*' },
    ])
  })
})

describe('a document that is wrong', () => {
  test.each([
    ['', '(document): is not JSON'],
    ['{"match": [}', '(document): is not JSON'],
    ['null', '(document): must be an object, not null'],
    ['[]', '(document): must be an object, not an array'],
    ['"text"', '(document): must be an object, not a string'],
    ['1', '(document): must be an object, not a number'],
    ['true', '(document): must be an object, not a boolean'],
    ['{}', '/match: is required'],
    ['{"match": null}', '/match: must be an array, not null'],
    ['{"match": {}}', '/match: must be an array, not an object'],
    ['{"match": []}', '/match: must not be empty'],
    ['{"match": [1]}', '/match/0: must be an object, not a number'],
    ['{"match": [[]]}', '/match/0: must be an object, not an array'],
    ['{"match": [{"path": "a.b"}], "matches": []}', '/matches: is not a known key'],
    ['{"match": [{"path": "a.b"}], "a/b~c": 1}', '/a~1b~0c: is not a known key'],
    ['{"match": [{"path": "a.b"}], "": 1}', '/: is not a known key'],
    ['{"match": [{"path": "a.b"}], "__proto__": {"x": 1}}', '/__proto__: is not a known key'],
    ['{"match": [{"path": "a.b"}], "constructor": {}}', '/constructor: is not a known key'],
    ['{"match": [{"path": "a.b", "toString": 1}]}', '/match/0/toString: is not a known key'],
    ['{"match": [{"__proto__": {"path": "a.b"}}]}', ['/match/0/path: is required', '/match/0/__proto__: is not a known key']],
    ['{"match": [{"__proto__": {"alternatives": []}}]}', ['/match/0/path: is required', '/match/0/__proto__: is not a known key']],
    ['{"match": [{"path": "a.b"}], "line\\nbreak": 1}', '/line\\u000abreak: is not a known key'],
  ])('%s', (text, expected) => {
    expect(problems(text)).toEqual([expected].flat())
  })
})

describe('a match that is wrong', () => {
  const nothingToWrite = 'must name the fields to write: without fields the relation has only to be there, and nothing is granted'
  test.each<[unknown, string | string[]]>([
    [{}, '…/path: is required'],
    [{ path: null }, '…/path: must be a string, not null'],
    [{ path: 1 }, '…/path: must be a string, not a number'],
    [{ path: 'orders' }, '…/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)'],
    [{ path: 'a.b', optional: 'yes' }, '…/optional: must be true or false, not a string'],
    [{ path: 'a.b', optional: null }, '…/optional: must be true or false, not null'],
    [{ path: 'a.b', field: [] }, '…/field: is not a known key'],
    [{ path: 'a.b', access: 'select' }, '…/access: must be an array, not a string'],
    [{ path: 'a.b', access: [] }, '…/access: must not be empty'],
    [{ path: 'a.b', access: ['truncate'] }, '…/access/0: must be one of "select", "insert", "update", "delete"'],
    [{ path: 'a.b', access: ['select', 'select'] }, '…/access/1: names again what …/access/0 names; put both into one'],
    [{ path: 'a.b', access: ['insert', 7], fields: '*' }, '…/access/1: must be one of "select", "insert", "update", "delete"'],
    [{ path: 'a.b', access: ['select', 'INSERT'], fields: '*' }, '…/access/1: must be one of "select", "insert", "update", "delete"'],
    [{ path: 'a.b', access: ['delete'] }, `…/fields: ${nothingToWrite}`],
    [{ path: 'a.b', access: ['select', 'insert'], fields: [] }, `…/fields: ${nothingToWrite}`],
    [{ path: 'a.b', access: ['update'], fields: null }, `…/fields: ${nothingToWrite}`],
    [{ path: 'a.b', access: ['update'], fields: 'x' }, '…/fields: must be "*", null or an array of fields'],
    [{ path: 'a.b', access: ['update'], fields: [7] }, '…/fields/0: must be an object, not a number'],
    [{ path: 'a.*', access: ['insert'] }, '…/fields: must be "*": a path of "schema.*" claims all fields'],
    [{ path: 'a.*' }, '…/fields: must be "*": a path of "schema.*" claims all fields'],
    [{ path: 'a.*', fields: ['x'] }, '…/fields: must be "*": a path of "schema.*" claims all fields'],
    [{ path: 'a.b', fields: 'x' }, '…/fields: must be "*", null or an array of fields'],
    [{ path: 'a.b', fields: {} }, '…/fields: must be "*", null or an array of fields'],
    [{ path: 'a.b', fields: ['*', 'x'] }, '…/fields/0: "*" stands alone: "fields": ["*"] claims all fields'],
    [{ path: 'a.b', fields: ['x', 'y', 'x'] }, '…/fields/2: names again what …/fields/0 names; put both into one'],
    [{ path: 'a.b', fields: ['x', { name: 'x', type: 'int' }] }, '…/fields/1: names again what …/fields/0 names; put both into one'],
    [{ path: 'a.b', fields: [{}, {}] }, ['…/fields/0/name: is required', '…/fields/1/name: is required']],
    [{ alternatives: [] }, '…/alternatives: must not be empty'],
    [{ alternatives: 'a.b' }, '…/alternatives: must be an array, not a string'],
    [{ alternatives: ['a.b'] }, '…/alternatives/0: must be an object, not a string'],
    [{ alternatives: [{ path: 'a.b' }], path: 'a.b' }, '…/path: is not a known key'],
    [{ alternatives: [{ path: 'a.b' }], fields: '*' }, '…/fields: is not a known key'],
    [
      { alternatives: [{ path: 'a.b' }, { path: 'a.b' }] },
      '…/alternatives/1/path: names again what …/alternatives/0/path names; put both into one',
    ],
    [{ alternatives: [{ path: 'a.b', fields: '*' }, { path: 'a.c' }], access: ['insert'] }, `…/alternatives/1/fields: ${nothingToWrite}`],
    [{ alternatives: [{ path: 'a.b', access: ['insert'] }] }, '…/alternatives/0/access: is not a known key'],
    [{ alternatives: [{ path: 'a.b', optional: true }] }, '…/alternatives/0/optional: is not a known key'],
    [{ alternatives: [{ path: 'a.b', fields: [3] }] }, '…/alternatives/0/fields/0: must be an object, not a number'],
  ])('%j', (match, expected) => {
    const lines = [expected].flat().map((line) => line.replace(/again what …/, 'again what /match/0'))
    expect(inMatch(match)).toEqual(lines)
  })

  test('the same path twice', () => {
    const match = [{ path: 'a.b' }, { path: '"a"."b"', fields: '*' }]
    expect(problems({ match })).toEqual(['/match/1/path: names again what /match/0/path names; put both into one'])
  })
})

describe('a field that is wrong', () => {
  test.each<[unknown, string]>([
    [null, '…: must be an object, not null'],
    [1, '…: must be an object, not a number'],
    [[], '…: must be an object, not an array'],
    ['', '…: is a name that is empty'],
    ['x'.repeat(64), '…: is a name that is 64 bytes long; a Postgres name has at most 63'],
    [{}, '…/name: is required'],
    [{ name: 1 }, '…/name: must be a string, not a number'],
    [{ name: '' }, '…/name: is a name that is empty'],
    [{ name: 'a\0' }, '…/name: is a name that contains a NUL character'],
    [{ name: '*' }, '…/name: "*" stands alone: "fields": ["*"] claims all fields'],
    [{ name: 'a', nullable: true }, '…/nullable: is not a known key'],
    [{ name: 'a', is_nullable: 1 }, '…/is_nullable: must be true or false, not a number'],
    [{ name: 'a', min_length: '5' }, '…/min_length: must be a whole number, not a string'],
    [{ name: 'a', min_length: 1.5 }, '…/min_length: must be a whole number, not 1.5'],
    [{ name: 'a', min_length: 0 }, '…/min_length: must be at least 1'],
    [{ name: 'a', min_length: -1 }, '…/min_length: must be at least 1'],
    [{ name: 'a', min_length: 1e300 }, '…/min_length: must be at most 1000000000'],
    [{ name: 'a', type: 1 }, '…/type: must be a type, or an array of the types that will do'],
    [{ name: 'a', type: null }, '…/type: must be a type, or an array of the types that will do'],
    [{ name: 'a', type: [] }, '…/type: must be a type, or an array of the types that will do'],
    [{ name: 'a', type: ' ' }, '…/type: must be the name of a type'],
    [{ name: 'a', type: ['int', 2] }, '…/type/1: must be the name of a type'],
    [{ name: 'a', type: ['int', 'int'] }, '…/type/1: names again what /match/0/fields/0/type/0 names; put both into one'],
    [{ name: 'a', values: 'open' }, '…/values: must be an array, not a string'],
    [{ name: 'a', values: null }, '…/values: must be an array, not null'],
    [{ name: 'a', values: ['open', 1] }, '…/values/1: must be a string, not a number'],
    [{ name: 'a', values: ['open', 'paid', 'open'] }, '…/values/2: names again what /match/0/fields/0/values/0 names; put both into one'],
    [{ name: 'a', unique: 'yes' }, '…/unique: must be true or false, not a string'],
    [{ name: 'a', unique: null }, '…/unique: must be true or false, not null'],
    [{ alternatives: ['a'], values: [] }, '…/values: is not a known key'],
    [{ alternatives: [] }, '…/alternatives: must not be empty'],
    [{ alternatives: ['a'], name: 'a' }, '…/name: is not a known key'],
    [{ alternatives: ['a', 'a'] }, '…/alternatives/1: names again what /match/0/fields/0/alternatives/0 names; put both into one'],
    [{ alternatives: [{ name: 'a', optional: true }] }, '…/alternatives/0/optional: belongs beside "alternatives", for all of them'],
    [{ alternatives: ['*'] }, '…/alternatives/0: "*" stands alone: "fields": ["*"] claims all fields'],
  ])('%j', (field, expected) => {
    expect(inField(field)).toEqual([expected])
  })

  test('alternatives of alternatives', () => {
    expect(inField({ alternatives: [{ alternatives: ['a'] }] })).toEqual([
      '…/alternatives/0/name: is required',
      '…/alternatives/0/alternatives: is not a known key',
    ])
  })
})

test('every problem is told at once, in the order of the document', () => {
  const document = {
    match: [
      { path: 'Orders', fields: [{ name: 'total', type: [], min_length: 0, is_nullable: 'no', colour: 'red' }], optional: 1 },
      { alternatives: [{ path: 'a.*', fields: ['x'] }, 7], extra: true },
      'public.orders',
    ],
    version: 2,
  }
  expect(problems(document)).toEqual([
    '/version: is not a known key',
    '/match/0/optional: must be true or false, not a number',
    '/match/0/fields/0/min_length: must be at least 1',
    '/match/0/fields/0/is_nullable: must be true or false, not a string',
    '/match/0/fields/0/colour: is not a known key',
    '/match/0/fields/0/type: must be a type, or an array of the types that will do',
    '/match/0/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)',
    '/match/1/extra: is not a known key',
    '/match/1/alternatives/0/fields: must be "*": a path of "schema.*" claims all fields',
    '/match/1/alternatives/1: must be an object, not a number',
    '/match/2: must be an object, not a string',
  ])
})

describe('limits', () => {
  function nested(depth: number): string {
    return '['.repeat(depth) + ']'.repeat(depth)
  }

  test('as deep as allowed, and one deeper', () => {
    expect(problems(nested(maxDocumentDepth))).toEqual(['(document): must be an object, not an array'])
    expect(problems(nested(maxDocumentDepth + 1))).toEqual([`(document): is nested deeper than ${maxDocumentDepth} levels`])
  })

  test('a million brackets do not overflow the stack', () => {
    expect(problems(nested(500_000))).toEqual([`(document): is nested deeper than ${maxDocumentDepth} levels`])
  })

  test('brackets in a string are no depth', () => {
    expect(problems(JSON.stringify(`\\"${'['.repeat(100)}`))).toEqual(['(document): must be an object, not a string'])
  })

  test('as large as allowed, and one byte larger', () => {
    const text = '{"match": [{"path": "public.t"}]}'
    const padding = ' '.repeat(maxDocumentBytes - text.length)
    expect(ask('read_specification', text + padding).error).toBeUndefined()
    expect(problems(`${text}${padding} `)).toEqual([`(document): is larger than ${maxDocumentBytes} bytes`])
  })

  test('bytes are counted, not characters', () => {
    const text = JSON.stringify({ match: '😀'.repeat(maxDocumentBytes / 4) })
    expect(problems(text)).toEqual([`(document): is larger than ${maxDocumentBytes} bytes`])
  })

  test('hundreds of thousands of problems are counted, and twenty told', () => {
    const elements = 500_000
    const { message, detail } = failure('read_specification', `{"match":[${'0,'.repeat(elements - 1)}0]}`)
    expect(message).toBe(`invalid claims document: ${elements} problems`)
    expect(detail.split('\n')).toHaveLength(21)
    expect(detail).toMatch(/\n… and 499980 more$/)
  })

  test('a long key is cut short, not in the middle of a character', () => {
    const [line = ''] = problems({ match: [{ path: 'public.t' }], ['😀'.repeat(10_000)]: 1 })
    expect(line.length).toBeLessThan(1100)
    expect(line).toMatch(/^\/😀+…$/u)
  })
})
