import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quoteName } from '../../src/core/index.ts'
import { TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create schema app;
    create type app.mood as enum ('sad', 'happy');
    create type public.mood as enum ('other');
    create type public.colour as enum ('red');
    create type app."Odd (3) type" as enum ('a');
    create type app.pair as (a int, b text);
    create domain app.email as varchar(80);
    create domain app.work_email as app.email not null;
    create domain app."int4" as text;
    create table app.row_type (a int);
  `)
})
afterAll(() => database.drop())

const spellings = [
  ...[
    'int',
    'int4',
    'integer',
    'INTEGER',
    'pg_catalog.int4',
    '  int  ',
    'int -- a comment',
    '/* a comment */ int',
    'smallint',
    'int2',
    'bigint',
  ],
  ...['serial'].slice(1),
  ...[
    'text',
    'bool',
    'boolean',
    'uuid',
    'jsonb',
    'json',
    'bytea',
    'oid',
    'name',
    'xml',
    'inet',
    'point',
    'tsvector',
    'money',
    'regclass',
    'int4range',
  ],
  ...[
    'varchar',
    'varchar(50)',
    'character varying(50)',
    'CHARACTER VARYING (50)',
    'varchar ( 50 )',
    'national character varying(7)',
    'varchar(10485760)',
  ],
  ...[
    'char',
    'char(10)',
    'character',
    'character(3)',
    'nchar(3)',
    'bpchar',
    'bpchar(4)',
    '"char"',
    'pg_catalog."char"',
    'pg_catalog.varchar(9)',
  ],
  ...[
    'numeric',
    'numeric(10,2)',
    'numeric(10, 2)',
    'numeric(5)',
    'numeric(3,-2)',
    'numeric(3,5)',
    'numeric(1000,1000)',
    'numeric(1000,-1000)',
    'decimal',
    'decimal(8,3)',
    'dec(4)',
  ],
  ...['float', 'float(1)', 'float(24)', 'float(25)', 'float(53)', 'real', 'float4', 'float8', 'double precision'],
  ...[
    'timestamp',
    'timestamptz',
    'timestamp with time zone',
    'timestamp without time zone',
    'timestamp(3)',
    'timestamptz(0)',
    'timestamp(3) with time zone',
  ],
  ...['time', 'timetz', 'time(2)', 'time(2) with time zone', 'date'],
  ...[
    'interval',
    'interval(3)',
    'interval year to month',
    'interval day to second',
    'interval day to second(3)',
    'interval second(0)',
    'interval hour',
  ],
  ...['bit', 'bit(3)', 'bit varying', 'bit varying(9)', 'varbit(9)', 'varbit'],
  ...[
    'int[]',
    '_int4',
    'integer[][]',
    'int[3]',
    'int array',
    'int array[4]',
    'varchar(50)[]',
    'numeric(10,2)[]',
    'timestamptz(3)[]',
    'bit(3)[]',
    'interval day[]',
    'int2vector',
  ],
  ...[
    'mood',
    'app.mood',
    'public.mood',
    'colour',
    'public.colour',
    'mood[]',
    '_mood',
    'public.mood[]',
    '"Odd (3) type"',
    'app."Odd (3) type"[]',
  ],
  ...['app.email', 'email', 'work_email', 'email[]', 'app."int4"', 'pair', 'app.row_type', 'row_type[]', 'orders'].slice(0, -1),
]

describe('a type in any spelling', () => {
  test.each(spellings)('%s: as of a column that is made with it', async (spelling) => {
    await database.rows(`begin; set local search_path = pg_catalog, app, public`)
    await database.rows(`create table app.probe (c ${spelling}\n)`)
    await database.rows(`set local search_path = pg_catalog`)
    const [column] = await database.rows<{ type: string; base: string }>(
      `select format_type(atttypid, atttypmod) as type, format_type(atttypid, null) as base
         from pg_attribute where attrelid = 'app.probe'::regclass and attname = 'c'`,
    )
    const resolved = await database.value<{ type: string; base: string; length: number; scale: number }>(
      `select integratedb._resolve_type($1, 'app')`,
      [spelling],
    )
    const [seen] = await database.rows(
      `select c->>'type' as type, (c->>'length')::int as length, (c->>'scale')::int as scale
         from json_array_elements(integratedb._catalog(array[''], array['app.probe'::regclass::bigint], '{}')::json->'relations'->0->'columns') c`,
    )
    await database.rows('rollback')
    expect(resolved.base).toBe(column?.base)
    // Written without modifiers a type means "with any".
    if (resolved.type !== resolved.base) expect(resolved.type).toBe(column?.type)
    else expect([column?.base, `${column?.base}(1)`, 'bpchar']).toContain(column?.type)
    // What a person declares of a plain type is what the catalogue says of a column.
    const isDomain = /email|int4"/.test(spelling)
    if (resolved.type === column?.type && !isDomain) {
      expect({ length: resolved.length, scale: resolved.scale }).toEqual({ length: seen?.['length'], scale: seen?.['scale'] })
    }
  })

  test.each([
    ...[
      'no_such_type',
      'public.no_such_type',
      'nowhere.mood',
      '',
      ' ',
      'int; drop table x',
      'int) from pg_class --',
      'int(3)',
      'varchar(0)',
    ],
    ...[
      'varchar(-1)',
      'varchar(99999999999)',
      'varchar(a)',
      'varchar((select 1))',
      'varchar(1,2)',
      'numeric(0)',
      'numeric(1001)',
      'a.b.c.d',
    ],
    ...[
      'setof int',
      'int,int',
      '"unclosed',
      'int /* unclosed',
      'email(3)',
      'mood(3)',
      "'int'",
      '\\',
      '💥',
      '1',
      'null',
      'int default 1',
      '%TYPE',
    ],
    ...['app.row_type.a%type', 'interval second to day', '23', '-', '-1'],
  ])('%s: none', async (spelling) => {
    expect(await database.value(`select integratedb._resolve_type($1, 'app')`, [spelling])).toBeNull()
  })

  test('nor what is nested too deep to be read', async () => {
    const spelling = `varchar${'('.repeat(100_000)}1${')'.repeat(100_000)}`
    expect(await database.value(`select integratedb._resolve_type($1, 'app')`, [spelling])).toBeNull()
  })

  test('the schema of the relation goes before public, and neither before pg_catalog', async () => {
    const resolve = async (spelling: string, schema: string) =>
      (await database.value<{ type: string }>('select integratedb._resolve_type($1, $2)', [spelling, schema])).type
    expect(await resolve('mood', 'app')).toBe('app.mood')
    expect(await resolve('mood', 'sales')).toBe('public.mood')
    expect(await resolve('int4', 'app')).toBe('integer')
    expect(await database.value('show search_path')).toBe('"$user", public')
  })
})

describe('a column', () => {
  test('of a domain over a domain holds what the innermost allows', async () => {
    await database.rows(`create table app.person (address app.work_email, spare app.email)`)
    const columns = await database.rows(
      `select c->>'name' as name, (c->>'length')::int as length, (c->>'nullable')::boolean as nullable
         from json_array_elements(integratedb._catalog(array[''], array['app.person'::regclass::bigint], '{}')::json->'relations'->0->'columns') c`,
    )
    expect(columns).toEqual([
      { name: 'address', length: 80, nullable: false },
      { name: 'spare', length: 80, nullable: true },
    ])
    await database.rows(`
      create domain app.strict as text not null;
      create domain app.stricter as app.strict;
      create table app.inner_not_null (a app.stricter)`)
    expect(
      await database.value(
        `select integratedb._catalog(array[''], array['app.inner_not_null'::regclass::bigint], '{}')::json#>>'{relations,0,columns,0,nullable}'`,
      ),
    ).toBe('false')
  })
})

test('names are quoted as Postgres quotes them', async () => {
  const odd = ['orders', 'Orders', 'order items', 'a$1', '_x', '1a', 'größe', 'say "hi"', '😀', 'a.b']
  const words = await database.rows<{ word: string }>("select word from pg_get_keywords() where catcode <> 'U'")
  expect(words.length).toBeGreaterThan(100)
  for (const name of [...odd, ...words.map(({ word }) => word)]) {
    expect(quoteName(name)).toBe(await database.value('select quote_ident($1)', [name]))
  }
})
