import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, setClaims, stateOf } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    select integratedb.add_stakeholder('reporter');
    create table public.orders (id int, total int, "Über" int)`)
  await setClaims(database, 'reporter', [{ path: 'public.orders', fields: ['id'] }])
})
afterAll(() => database.drop())

/** The lines of DETAIL for a document that is refused; nothing has changed, and check_claims says the same. */
async function refused(document: string | null): Promise<string[]> {
  const before = await stateOf(database)
  const failure = await database.failure(`select integratedb.set_claims('reporter', $1)`, [document])
  expect(failure.code).toBe('IDB02')
  expect(failure.hint).not.toBe('')
  if (document !== null) {
    const findings = await database.rows('select * from integratedb.check_claims($1)', [document])
    expect(failure.message).toBe(`invalid claims document: ${findings.length} problem${findings.length === 1 ? '' : 's'}`)
    expect(findings.slice(0, 20).map((finding) => finding['message'])).toEqual(failure.detail?.split('\n').slice(0, 20))
  }
  expect(await stateOf(database)).toEqual(before)
  return failure.detail?.split('\n') ?? []
}

const orders = '"path": "public.orders"'

describe('a document that is wrong', () => {
  test.each<[string | null, string[]]>([
    [null, ['It is a JSON object with the key "match".']],
    ['null', ['(document): must be an object, not null']],
    ['1', ['(document): must be an object, not a number']],
    ['"match"', ['(document): must be an object, not a string']],
    ['true', ['(document): must be an object, not a boolean']],
    ['[]', ['(document): must be an object, not an array']],
    ['{}', ['/match: is required']],
    ['{"match": null}', ['/match: must be an array, not null']],
    ['{"match": {}}', ['/match: must be an array, not an object']],
    ['{"match": []}', ['/match: must not be empty']],
    ['{"Match": [], "a/b~c": 1}', ['/match: is required', '/Match: is not a known key', '/a~1b~0c: is not a known key']],
    [
      '{"match": [1, null, [], "public.orders"]}',
      [
        '/match/0: must be an object, not a number',
        '/match/1: must be an object, not null',
        '/match/2: must be an object, not an array',
        '/match/3: must be an object, not a string',
      ],
    ],
    ['{"match": [{}]}', ['/match/0/path: is required']],
    ['{"match": [{"path": null}]}', ['/match/0/path: must be a string, not null']],
    [`{"match": [{${orders}, "fields": "id"}]}`, ['/match/0/fields: must be "*", null or an array of fields']],
    [`{"match": [{${orders}, "fields": {"name": "id"}}]}`, ['/match/0/fields: must be "*", null or an array of fields']],
    [`{"match": [{${orders}, "fields": ["id", "*"]}]}`, ['/match/0/fields/1: "*" stands alone: "fields": ["*"] claims all fields']],
    [
      `{"match": [{${orders}, "fields": ["", 1, null, [], "${'x'.repeat(64)}"]}]}`,
      [
        '/match/0/fields/0: is a name that is empty',
        '/match/0/fields/1: must be an object, not a number',
        '/match/0/fields/2: must be an object, not null',
        '/match/0/fields/3: must be an object, not an array',
        '/match/0/fields/4: is a name that is 64 bytes long; a Postgres name has at most 63',
      ],
    ],
    [
      `{"match": [{${orders}, "fields": ["id", "\\u0069d", {"name": "id"}]}]}`,
      [
        '/match/0/fields/1: names again what /match/0/fields/0 names; put both into one',
        '/match/0/fields/2: names again what /match/0/fields/0 names; put both into one',
      ],
    ],
    [
      `{"match": [{${orders}}, {"path": "\\"public\\".\\"orders\\""}]}`,
      ['/match/1/path: names again what /match/0/path names; put both into one'],
    ],
    [
      `{"match": [{"path": "public.*", "fields": ["id"]}, {"path": "sales.*"}]}`,
      [
        '/match/0/fields: must be "*": a path of "schema.*" claims all fields',
        '/match/1/fields: must be "*": a path of "schema.*" claims all fields',
      ],
    ],
    [
      `{"match": [{${orders}, "optional": "yes", "access": [], "filter": 1}]}`,
      [
        '/match/0/optional: must be true or false, not a string',
        '/match/0/access: must not be empty',
        '/match/0/filter: is not a known key',
      ],
    ],
    [
      `{"match": [{${orders}, "access": ["select", "insert", "own", "select"]}]}`,
      [
        '/match/0/access/2: must be one of "select", "insert", "update", "delete"',
        '/match/0/access/3: names again what /match/0/access/0 names; put both into one',
        '/match/0/fields: must name the fields to write: without fields the relation has only to be there, and nothing is granted',
      ],
    ],
    [
      `{"match": [{${orders}, "fields": [{"name": "id", "type": 1, "min_length": 0, "is_nullable": "no", "values": ["a", 1, "a"], "unique": "yes"}]}]}`,
      [
        '/match/0/fields/0/min_length: must be at least 1',
        '/match/0/fields/0/is_nullable: must be true or false, not a string',
        '/match/0/fields/0/values/1: must be a string, not a number',
        '/match/0/fields/0/values/2: names again what /match/0/fields/0/values/0 names; put both into one',
        '/match/0/fields/0/unique: must be true or false, not a string',
        '/match/0/fields/0/type: must be a type, or an array of the types that will do',
      ],
    ],
    [
      `{"match": [{${orders}, "fields": [{"name": "id", "type": []}, {"name": "total", "type": ["int", "", "int"], "min_length": 1.5}]}]}`,
      [
        '/match/0/fields/0/type: must be a type, or an array of the types that will do',
        '/match/0/fields/1/min_length: must be a whole number, not 1.5',
        '/match/0/fields/1/type/1: must be the name of a type',
        '/match/0/fields/1/type/2: names again what /match/0/fields/1/type/0 names; put both into one',
      ],
    ],
    [
      `{"match": [{${orders}, "fields": [{"name": "id", "min_length": 1e100}, {"name": "total", "min_length": 2147483648}]}]}`,
      ['/match/0/fields/0/min_length: must be at most 1000000000', '/match/0/fields/1/min_length: must be at most 1000000000'],
    ],
    [
      `{"match": [{"alternatives": [], "path": "a.b"}, {"alternatives": [{${orders}, "optional": true}, {${orders}}, {"alternatives": []}]}]}`,
      [
        '/match/0/alternatives: must not be empty',
        '/match/0/path: is not a known key',
        '/match/1/alternatives/0/optional: is not a known key',
        '/match/1/alternatives/1/path: names again what /match/1/alternatives/0/path names; put both into one',
        '/match/1/alternatives/2/path: is required',
        '/match/1/alternatives/2/alternatives: is not a known key',
      ],
    ],
    [
      `{"match": [{${orders}, "fields": [{"alternatives": "id"}, {"alternatives": [{"name": "id", "optional": true}, "total", "total"]}, {"alternatives": [{"alternatives": ["id"]}]}]}]}`,
      [
        '/match/0/fields/0/alternatives: must be an array, not a string',
        '/match/0/fields/1/alternatives/0/optional: belongs beside "alternatives", for all of them',
        '/match/0/fields/1/alternatives/2: names again what /match/0/fields/1/alternatives/1 names; put both into one',
        '/match/0/fields/2/alternatives/0/name: is required',
        '/match/0/fields/2/alternatives/0/alternatives: is not a known key',
      ],
    ],
  ])('%s', async (document, lines) => {
    expect((await refused(document)).sort()).toEqual(lines.sort())
  })

  test('over 1 MB', async () => {
    const document = JSON.stringify({
      match: [{ path: 'public.orders', fields: Array.from({ length: 120_000 }, (_, at) => `field_${at}`) }],
    })
    expect(await refused(document)).toEqual(['(document): is larger than 1048576 bytes'])
    expect(await refused(`{"match": [{"path": "${'é'.repeat(600_000)}"}]}`)).toEqual(['(document): is larger than 1048576 bytes'])
    expect(await refused(`{"match": [{"path": "${'x'.repeat(1_000_000)}"}]}`)).toHaveLength(1)
    expect((await refused(`{"match": [{"path": "a.b", "${'\\n'.repeat(500_000)}": 1}]}`))[0]?.length).toBeLessThan(7_000)
  })

  test('21 levels deep, or 5,000', async () => {
    const nested = (levels: number) => `{"match": [{${orders}, "fields": [${'['.repeat(levels - 4)}${']'.repeat(levels - 4)}]}]}`
    expect(await refused(nested(20))).toEqual(['/match/0/fields/0: must be an object, not an array'])
    expect(await refused(nested(21))).toEqual(['(document): is nested deeper than 20 levels'])
    expect(await refused(nested(5_000))).toEqual(['(document): is nested deeper than 20 levels'])
    expect(await refused(`{"match": [{"path": "${'['.repeat(30)}"}]}`)).toEqual([expect.stringContaining('/match/0/path:')])
  })

  test('10,000 fields', async () => {
    const fields = Array.from({ length: 10_000 }, (_, at) => `field_${at}`)
    const document = JSON.stringify({ match: [{ path: 'public.orders', fields: [...fields, ...fields] }] })
    const lines = await refused(document)
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)).toBe('… and 9980 more')
    const failure = await database.failure(`select integratedb.set_claims('reporter', $1)`, [
      JSON.stringify({ match: [{ path: 'public.orders', fields }] }),
    ])
    expect(failure).toMatchObject({ code: 'IDB03', message: 'claims cannot be met: 10000 problems' })
  })

  test('what jsonb itself refuses never reaches us', async () => {
    for (const document of [`{"match": [{"path": "public.\\u0000"}]}`, '{"match": [', '', '\\']) {
      expect((await database.failure(`select integratedb.set_claims('reporter', $1)`, [document])).code).toMatch(/^22/)
    }
  })
})

test('unicode escapes are what they stand for', async () => {
  await setClaims(database, 'reporter', [{ path: 'public.orders', fields: ['Über'] }])
  const [row] = await database.rows(
    `select * from integratedb.set_claims('reporter', '{"match": [{"path": "public.\\u006frders", "fields": ["\\u00dcber"]}]}')`,
  )
  expect(row).toMatchObject({ path: 'public.orders', field: 'Über', status: 'met' })
  await expectAllWell(database)
})
