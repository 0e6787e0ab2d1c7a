import format from 'pg-format'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, refusal, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reporter')`)
})
afterAll(() => database.drop())

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

describe('names', () => {
  test.each([
    'Order Items',
    'select',
    'UPPER',
    'with.dot',
    'with"quote',
    "with'apostrophe",
    'back\\slash',
    "'; drop table x; --",
    '%s %I $1 $$',
    ' leading and trailing ',
    'tab\tand\nnewline',
    '💥',
    'ünïcode',
    'ＦＵＬＬ',
    'é', // as two code points
    '{"json": [1]}',
    '*',
    'x'.repeat(63),
    '💥'.repeat(15),
    '1',
    '__proto__',
    'constructor',
    'null',
  ])('%j as a schema, a relation and a column', async (name) => {
    await database.rows(format('create schema %I; create table %I.%I (%I int, other text)', name, name, name, name))
    const path = `${quoted(name)}.${quoted(name)}`
    const [row] = await setClaims(database, 'reporter', [{ path, fields: name === '*' ? '*' : [name, { name: 'other', optional: true }] }])
    expect(row).toMatchObject({ path: format('%I.%I', name, name), field: name, type: 'integer', status: 'met' })
    await expectAllWell(database)
    // Found again from its path as the view shows it.
    expect(await database.rows('select claimed_field from integratedb.dependents($1, $2)', [row?.path, name])).toEqual([
      { claimed_field: name },
    ])
    expect(await database.failure(format('alter table %I.%I drop column %I', name, name, name))).toMatchObject({
      code: 'IDB01',
      schema: name,
      table: name,
      column: name,
    })
    await setClaims(database, 'reporter', [{ path: `${quoted(name)}.*`, fields: '*' }])
    await database.rows(format('alter table %I.%I add %I int', name, name, `${name.slice(0, 10)}+`))
    await expectAllWell(database)
    await database.rows(format(`select integratedb.remove_claims('reporter'); drop schema %I cascade`, name))
  })

  test('what cannot be a path is told, and why', async () => {
    const lines = await refusal(
      database,
      'reporter',
      [
        ...[
          'orders',
          'a.b.c',
          'public.',
          '.orders',
          '',
          ' ',
          '*',
          '*.*',
          '"public.orders',
          'public."orders"x',
          'public.""',
          'public.Orders',
        ],
        ...['Public.orders', 'public.order items', `public.${'x'.repeat(64)}`, `public."${'💥'.repeat(16)}"`, 'public.1a'],
        ...[
          'pg_catalog.pg_class',
          'information_schema.tables',
          'integratedb.claim',
          'pg_toast.x',
          'pg_temp.x',
          'pg_temp_3.x',
          'pg_catalog.*',
        ],
      ].map((path) => ({ path, fields: '*' })),
    )
    expect(lines).toMatchInlineSnapshot(`
      [
        "/match/0/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)",
        "/match/1/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)",
        "/match/2/path: has a name that is empty",
        "/match/3/path: has a name that is empty",
        "/match/4/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)",
        "/match/5/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)",
        "/match/6/path: must be "schema.table" or "schema.*" (put a name with a dot in double quotes)",
        "/match/7/path: has the name *, which needs double quotes: \\"*\\"; only "schema.*" is a wildcard",
        "/match/8/path: has a quote that is not closed",
        "/match/9/path: has text after a closing quote",
        "/match/10/path: has a name that is empty",
        "/match/11/path: has the name Orders, which needs double quotes: \\"Orders\\"",
        "/match/12/path: has the name Public, which needs double quotes: \\"Public\\"",
        "/match/13/path: has the name order items, which needs double quotes: \\"order items\\"",
        "/match/14/path: has a name that is 64 bytes long; a Postgres name has at most 63",
        "/match/15/path: has a name that is 64 bytes long; a Postgres name has at most 63",
        "/match/16/path: has the name 1a, which needs double quotes: \\"1a\\"",
        "/match/17/path: is in pg_catalog, which is not application data and cannot be claimed",
        "/match/18/path: is in information_schema, which is not application data and cannot be claimed",
        "/match/19/path: is in integratedb, which is not application data and cannot be claimed",
        "… and 4 more",
      ]
    `)
  })

  test('what is there but cannot be claimed', async () => {
    await database.rows(`
      create schema kinds;
      create table kinds.t (id serial primary key, a int generated always as (1) stored);
      create index i on kinds.t (a);
      create type kinds.c as (a int);
      create table kinds.parted (a int) partition by list (a);
      create index parted_index on kinds.parted (a);
      create table kinds.none ();`)
    expect(
      await refusal(database, 'reporter', [
        ...['kinds.t_id_seq', 'kinds.i', 'kinds.c', 'kinds.parted_index', 'kinds.nothing', 'nowhere.t'].map((path) => ({ path })),
        { path: 'kinds.t', fields: ['ctid', 'xmin', 'tableoid', 'ID', 'b'] },
        { path: 'nowhere.*', fields: '*' },
      ]),
    ).toMatchInlineSnapshot(`
      [
        "/match/0/path: needs kinds.t_id_seq: it is a sequence, which cannot be claimed",
        "/match/1/path: needs kinds.i: it is an index, which cannot be claimed",
        "/match/2/path: needs kinds.c: it is a composite type, which cannot be claimed",
        "/match/3/path: needs kinds.parted_index: it is a partitioned index, which cannot be claimed",
        "/match/4/path: needs kinds.nothing: there is no such relation",
        "/match/5/path: needs nowhere.t: there is no such relation",
        "/match/6/fields/0: needs kinds.t.ctid: it is a system column, which cannot be claimed",
        "/match/6/fields/1: needs kinds.t.xmin: it is a system column, which cannot be claimed",
        "/match/6/fields/2: needs kinds.t.tableoid: it is a system column, which cannot be claimed",
        "/match/6/fields/3: needs kinds.t."ID": there is no such column; there is "id", and field names are taken literally",
        "/match/6/fields/4: needs kinds.t.b: there is no such column",
        "/match/7/path: needs nowhere.*: schema nowhere has no table or view to claim",
      ]
    `)
    await setClaims(database, 'reporter', [
      { path: 'kinds.none', fields: '*' },
      { path: 'kinds.t', fields: ['a'] },
    ])
    await expectAllWell(database)
    await database.rows('alter table kinds.none add a int, add b int; alter table kinds.none drop a')
    await expectAllWell(database)
  })

  test('1600 columns', async () => {
    await database.rows(`create schema wide`)
    await database.rows(`create table wide.t (${Array.from({ length: 1600 }, (_, at) => `column_${at} int`).join(', ')})`)
    expect(await setClaims(database, 'reporter', [{ path: 'wide.*', fields: '*' }])).toHaveLength(1600)
    await expectAllWell(database)
    expect((await database.failure('alter table wide.t drop column_7, drop column_9')).message).toBe(
      'migration breaks 2 claims of 1 stakeholder',
    )
    await setClaims(database, 'reporter', [{ path: 'wide.t', fields: ['column_1599'] }])
    await database.rows('alter table wide.t drop column_0')
    await expectAllWell(database)
  })
})
