/** What Postgres asks of who reads a view, or of whom a policy filters: what it reads, and as what; not what it only names. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, refusal, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reader'); create role view_owner`)
})
afterAll(() => database.drop())

beforeEach(async () => {
  await database.rows('rollback') // of a test that failed
  await database.rows(`
    select integratedb.remove_claims('reader');
    drop schema if exists base, api cascade;
    create schema base;
    create schema api;
    grant usage on schema base to public;
    grant usage, create on schema api to view_owner;
    create table base.b (id int, name text);
    insert into base.b values (1, 'a');
    grant select (id, name) on base.b to view_owner;
    create function base.ok(text) returns boolean language plpgsql as 'begin return true; end'`)
})

/** The claimed relation, a view of view_owner's. */
const view = (query: string): string => `create view api.v as ${query}; alter view api.v owner to view_owner`
/** The claimed relation, a table with a policy. */
const policy = (using: string): string => `create table api.v (id int, name text); insert into api.v values (1, 'a');
  alter table api.v enable row level security; create policy p on api.v using (${using})`
const use = 'set local role reader; select * from api.v; reset role'
const claim = { path: 'api.v', fields: '*' }

const returns = (name: string, argument: string): string =>
  `create function base.${name}(${argument}) returns int language plpgsql as 'begin return 1; end'`

/** What would bring it back. */
const remedies = async (): Promise<string[]> =>
  (
    await database.rows<{ fix: string }>(`select distinct fix from integratedb.audit_access('reader') where finding = 'cannot be used'`)
  ).map(({ fix }) => fix)

const mine = `grant select (id, name) on base.b to public`
const moreColumns = 'alter table base.b add secret text'
const ofOwner = /^IDB404 reader needs api\.v \(select\): view_owner, the owner of the view api\.v, may not read base\.b\.secret$/

describe('breaks', () => {
  const breaks: [string, string, string, RegExp, string?][] = [
    ['a row as text, of a table that gets a column', view('select b::text as b from base.b'), moreColumns, ofOwner],
    ['a row as JSON', view('select to_jsonb(b) as b from base.b'), moreColumns, ofOwner],
    ['a row that is counted', view('select (select count(o) from base.b o) as n, id from base.b'), moreColumns, ofOwner],
    [
      'a row that a function is given',
      `create function base.f(base.b) returns int language sql as 'select 1'; ${view('select base.f(b) as f from base.b')}`,
      moreColumns,
      ofOwner,
    ],
    [
      'a row that a policy looks at',
      `${mine}; ${policy('exists (select from base.b where to_jsonb(b) <> to_jsonb(v))')}`,
      moreColumns,
      /IDB404 reader needs api\.v \(select\): reader may not read base\.b\.secret, as a policy of api\.v does/,
    ],
    [
      'a row, to whoever reads it',
      `${mine}; create view api.v with (security_invoker) as select b::text as b from base.b`,
      moreColumns,
      /reader, which reads it through the view api\.v, may not read base\.b\.secret/,
    ],
    [
      'a column, of a sample, in a query with names like what PostgreSQL writes itself',
      view(
        'select id as ":relid", name as ":requiredPerms 6 :selectedCols (b 7)" from base.b ":requiredPerms" tablesample bernoulli (100)',
      ),
      'revoke select (name) on base.b from view_owner',
      /^IDB404 reader needs api\.v \(select\): view_owner, the owner of the view api\.v, may not read base\.b\.name$/,
    ],
    [
      'rows that are locked, which takes UPDATE',
      `grant update (id) on base.b to view_owner; ${view('select id from base.b for update')}`,
      'revoke update (id) on base.b from view_owner',
      /IDB404 reader needs api\.v \(update\): view_owner, the owner of the view api\.v, may not update base\.b, whose rows it locks/,
    ],
    [
      'rows that are locked, by whoever reads it',
      `grant select, update on base.b to public; create view api.v with (security_invoker) as select id from base.b for update`,
      'revoke update on base.b from public',
      /reader, which reads it through the view api\.v, may not update base\.b, whose rows it locks/,
    ],
    [
      'rows that are counted, by whoever reads it',
      `${mine}; create view api.v with (security_invoker) as select count(*) as n from base.b`,
      'revoke select (id, name) on base.b from public',
      /reader, which reads it through the view api\.v, may not read base\.b$/,
    ],
    [
      'rows that are locked from now on',
      view('select id from base.b'),
      'create or replace view api.v as select id from base.b for share',
      /view_owner, the owner of the view api\.v, may not update base\.b, whose rows it locks/,
    ],
    [
      'a sequence',
      `create sequence base.s; grant select on base.s to view_owner; ${view('select last_value as n from base.s')}`,
      'revoke select on sequence base.s from view_owner',
      /view_owner, the owner of the view api\.v, may not read base\.s\.last_value/,
    ],
    [
      'a sequence that gets another owner',
      `create sequence base.s; alter sequence base.s owner to view_owner; ${view('select last_value as n from base.s')}`,
      'alter sequence base.s owner to current_user',
      /view_owner, the owner of the view api\.v, may not read base\.s\.last_value/,
    ],
    [
      'a sequence, to whoever reads it',
      'create sequence base.s; grant select on base.s to public; create view api.v with (security_invoker) as select last_value as n from base.s',
      'revoke select on sequence base.s from public',
      /reader, which reads it through the view api\.v, may not read base\.s\.last_value/,
    ],
    [
      'one of PostgreSQL’s own catalogues',
      view('select nspname from pg_namespace'),
      'revoke select on pg_catalog.pg_namespace from public',
      /view_owner, the owner of the view api\.v, may not read pg_catalog\.pg_namespace\.nspname/,
    ],
    [
      'the check of a domain that a view casts to',
      `create domain base.d as text check (base.ok(value)); ${view('select id from base.b where name::base.d is not null')}`,
      'revoke execute on function base.ok(text) from public',
      /IDB404 reader needs api\.v \(execute\): reader may not execute base\.ok\(text\), which api\.v calls/,
    ],
    [
      'the check of a domain under the one in an array that a view casts to',
      `create domain base.d as text check (base.ok(value)); create domain base.e as base.d; ${view('select array[name]::base.e[] is null as n from base.b')}`,
      'revoke execute on function base.ok(text) from public',
      /reader may not execute base\.ok\(text\), which api\.v calls/,
    ],
    [
      'a check that the domain gets',
      `create domain base.d as text; revoke execute on function base.ok(text) from public; ${view('select id from base.b where name::base.d is not null')}`,
      'alter domain base.d add check (base.ok(value))',
      /reader may not execute base\.ok\(text\), which api\.v calls/,
    ],
    [
      'a check that a domain gets which a policy casts to',
      `create domain base.d as text; revoke execute on function base.ok(text) from public; ${policy('name::base.d is not null')}`,
      'alter domain base.d add check (base.ok(value))',
      /IDB401 reader needs api\.v \(execute\): reader may not execute base\.ok\(text\), which api\.v calls/,
    ],
    [
      'a sequence that counts on',
      `create sequence base.s; grant usage on sequence base.s to public; ${view(`select nextval('base.s') as n`)}`,
      'revoke usage on sequence base.s from public',
      /IDB404 reader needs api\.v \(usage\): reader may not use the sequence base\.s, which api\.v calls/,
    ],
    [
      'a sequence that is set',
      `create sequence base.s; grant update on sequence base.s to public; ${view(`select setval('base.s', 1) as n`)}`,
      'revoke update on sequence base.s from public',
      /IDB404 reader needs api\.v \(update\): reader may not use the sequence base\.s, which api\.v calls/,
    ],
    [
      'a sequence that counts on from now on',
      view('select 1::bigint as n'),
      `create sequence base.s; create or replace view api.v as select nextval('base.s') as n`,
      /IDB404 reader needs api\.v \(usage\): reader may not use the sequence base\.s, which api\.v calls/,
    ],
    [
      'a sequence that a policy uses',
      `create sequence base.s; grant usage on sequence base.s to public; ${policy(`nextval('base.s') > 0`)}`,
      'revoke usage on sequence base.s from public',
      /IDB401 reader needs api\.v \(usage\): reader may not use the sequence base\.s, which api\.v calls/,
    ],
    [
      'a function that the default of an argument calls, of a function that another one’s argument has by default',
      `${returns('f', `boolean default base.ok('a')`)}; ${returns('g', 'int default base.f()')}; ${view('select base.g() as n')}`,
      'revoke execute on function base.ok(text) from public',
      /IDB404 reader needs api\.v \(execute\): reader may not execute base\.ok\(text\), which api\.v calls/,
    ],
    [
      'a sequence that the default of an argument uses',
      `create sequence base.s; grant usage on sequence base.s to public; ${returns('f', `bigint default nextval('base.s')`)}; ${view('select base.f() as n')}`,
      'revoke usage on sequence base.s from public',
      /IDB404 reader needs api\.v \(usage\): reader may not use the sequence base\.s, which api\.v calls/,
    ],
    [
      'a materialized view that a policy reads, emptied',
      `create materialized view base.m as select id from base.b; grant select on base.m to public; ${policy('exists (select from base.m where m.id = v.id)')}`,
      'refresh materialized view base.m with no data',
      /IDB104 reader needs api\.v \(select\): the materialized view base\.m, which a policy reads, holds no data \(WITH NO DATA\) and cannot be read/,
      '55000',
    ],
  ]

  test.each(breaks)('%s', async (_, setup, migration, told, sqlstate = '42501') => {
    await database.rows(setup)
    await setClaims(database, 'reader', [claim])
    await expectAllWell(database)
    expect(await database.failure(migration)).toMatchObject({ code: 'IDB01', detail: expect.stringMatching(told) })
    await database.rows(
      `begin; ${use}; select integratedb.set_enforcement('warn'); ${migration}; set constraints all immediate; savepoint broken`,
    )
    expect(await database.failure(use)).toMatchObject({ code: sqlstate })
    await database.rows('rollback to broken')
    // What is said to bring it back does.
    for (const sql of await remedies()) await database.rows(sql)
    await database.rows(use)
    await database.rows('rollback')
    await expectAllWell(database)
  })
})

/** A view through which is written, found by reading another table. */
const writable = (option = ''): string =>
  `grant select, insert, update, delete on base.b to view_owner; create table base.u (id int); insert into base.u values (1), (2);
   grant select on base.u to view_owner; ${view(`select id, name from base.b where id in (select id from base.u) ${option}`)}`
const filtered = 'alter table base.u enable row level security; create policy p on base.u for select using (true)'
const isRead = /^IDB404 reader needs api\.v \(select\): view_owner, the owner of the view api\.v, may not read base\.u\.id$/
const changes: Record<string, string> = {
  select: 'select id, name from api.v',
  insert: `insert into api.v values (2, 'b')`,
  update: `update api.v set name = 'c'`,
  delete: 'delete from api.v',
}
/** What it does, as the reader. */
const done = async (access: string): Promise<unknown> => {
  const results = [await database.client.query(`set local role reader; ${changes[access]}`)].flat()
  await database.rows('reset role')
  return results[1]?.rowCount
}

describe('who only writes', () => {
  const breaks: [string, string, string, string, RegExp][] = [
    ['updates', 'update', writable(), 'revoke select on base.u from view_owner', isRead],
    ['deletes', 'delete', writable(), 'revoke select on base.u from view_owner', isRead],
    ['inserts, and is checked', 'insert', writable('with check option'), 'revoke select on base.u from view_owner', isRead],
    [
      'inserts, and is checked by a view above',
      'insert',
      `${writable().replaceAll('api.v', 'api.w')}; create view api.v as select * from api.w with check option; alter view api.v owner to view_owner`,
      'revoke select on base.u from view_owner',
      /the owner of the view api\.w, may not read base\.u\.id$/,
    ],
    [
      'updates what is read in a subquery, too',
      'update',
      `grant select, update on base.b to view_owner; ${view('select id, name from base.b where id in (select max(o.id) from base.b o)')}`,
      'revoke select on base.b from view_owner; revoke select (id, name) on base.b from view_owner',
      /view_owner, the owner of the view api\.v, may not read base\.b\.id/,
    ],
    [
      'updates, found in a materialized view',
      'update',
      `create materialized view base.m as select 1 as id; grant select on base.m to view_owner; grant update on base.b to view_owner;
       ${view('select id, name from base.b where id in (select id from base.m)')}`,
      'refresh materialized view base.m with no data',
      /^IDB104 reader needs api\.v \(select\): the materialized view base\.m, which is read to write, holds no data/,
    ],
    [
      'updates',
      'update',
      `${writable()}; ${filtered}`,
      'drop policy p on base.u',
      /^IDB403 reader needs api\.v \(update\): .* base\.u now hides/,
    ],
    [
      'deletes',
      'delete',
      `${writable()}; ${filtered}`,
      'drop policy p on base.u',
      /^IDB403 reader needs api\.v \(delete\): .* base\.u now hides/,
    ],
    [
      'updates, through a policy that calls a function',
      'update',
      `${writable()}; alter table base.u enable row level security; create policy p on base.u for select using (base.ok(id::text))`,
      'revoke execute on function base.ok(text) from public',
      /^IDB401 reader needs api\.v \(execute\): reader may not execute base\.ok\(text\), which base\.u calls$/,
    ],
  ]

  test.each(breaks)('%s (%s)', async (_, access, setup, migration, told) => {
    await database.rows(setup)
    await setClaims(database, 'reader', [{ path: 'api.v', fields: access === 'update' ? ['name'] : '*', access: [access] }])
    await database.rows('begin')
    expect(await done(access)).toBe(1)
    await database.rows('rollback')
    expect(await database.failure(migration)).toMatchObject({ code: 'IDB01', detail: expect.stringMatching(told) })
    await database.rows(`begin; select integratedb.set_enforcement('warn'); ${migration}; set constraints all immediate`)
    expect(await done(access).catch(({ code }) => code)).not.toBe(1)
    await database.rows('rollback')
    expect(await database.rows('select distinct status from integratedb.claims')).toEqual([{ status: 'met' }])
  })

  const passes: [string, string[], string, string][] = [
    ['inserts, and is not checked', ['insert'], writable(), 'revoke select on base.u from view_owner'],
    ['finds what a policy for reading shows', ['select', 'insert', 'update', 'delete'], writable('with check option'), filtered],
    [
      'does not write what is only read',
      ['select', 'insert', 'update', 'delete'],
      `${writable()}; ${filtered}; create policy q on base.u for insert with check (id > 0)`,
      'drop policy q on base.u',
    ],
    [
      'is checked by this view, and not by the one behind it',
      ['insert'],
      `${writable().replaceAll('api.v', 'api.w')}; create view api.v as select * from api.w with local check option; alter view api.v owner to view_owner`,
      'revoke select on base.u from view_owner',
    ],
    [
      'updates, and no column of the table is read',
      ['update'],
      writable(),
      'revoke select on base.b from view_owner; revoke select (id, name) on base.b from view_owner',
    ],
  ]

  test.each(passes)('%s (%s)', async (_, access, setup, migration) => {
    await database.rows(setup)
    await setClaims(database, 'reader', [{ path: 'api.v', fields: access.includes('insert') ? '*' : ['name'], access }])
    await database.rows(migration)
    for (const each of access) {
      await database.rows('begin')
      expect(await done(each)).toBe(1)
      await database.rows('rollback')
    }
    expect(await database.rows('select distinct status from integratedb.claims')).toEqual([{ status: 'met' }])
  })
})

test('a view whose rows can be deleted from now on has lost none, whatever row level security hides of them', async () => {
  await database.rows(`
    alter table base.b enable row level security; create policy p on base.b using (id = 1);
    create view api.v with (security_invoker = true) as select distinct id, name from base.b;
    create function base.take() returns trigger language plpgsql as 'begin return old; end'`)
  await setClaims(database, 'reader', [
    { path: 'base.b', fields: '*' },
    { path: 'api.*', fields: '*', access: ['select', 'delete'] },
  ])
  await database.rows('create trigger watch instead of delete on api.v for each row execute function base.take()')
  await database.rows('set role reader; delete from api.v; reset role')
  // From then on there are rows to lose.
  const { detail } = await database.failure('alter policy p on base.b using (id = 2)')
  expect(detail).toContain('IDB403 reader needs api.v (delete)')
  await expectAllWell(database)
})

describe('a table that two roles read', () => {
  beforeAll(() => database.rows('create role other_owner'))
  const behind = (name: string, owner: string): string =>
    `create view api.${name} as select * from base.b; alter view api.${name} owner to ${owner}`
  const two = (query = 'select x.id from api.x join api.y using (id)', one = 'using (true)', other = 'using (true)'): string =>
    `alter table base.b enable row level security; create policy p on base.b to view_owner ${one}; create policy q on base.b to other_owner ${other};
     grant usage, create on schema api to other_owner; grant select on base.b to other_owner;
     ${behind('x', 'view_owner')}; ${behind('y', 'other_owner')}; create view api.v as ${query}`
  const now = /^IDB403 reader needs api\.v \(select\): row level security of base\.b now hides rows$/
  const more = /^IDB403 reader needs api\.v \(select\): row level security of base\.b may hide more rows than before/
  const owned = (view: string, owner: string): string => `alter view api.${view} owner to ${owner}`

  test.each<[string, string, string, RegExp]>([
    ['the policy of one is dropped', two(), 'drop policy p on base.b', now],
    ['the policy of the other is dropped', two(), 'drop policy q on base.b', now],
    [
      'a policy is dropped that says what the other says',
      two(undefined, 'using (id = 1)', 'using (id = 1)'),
      'drop policy q on base.b',
      more,
    ],
    ['the policy of one shows less', two(undefined, undefined, 'using (id > 0)'), 'alter policy q on base.b using (id > 1)', more],
    [
      'one of them takes the place of one that sees all',
      `${two(undefined, 'using (id > 0)').replaceAll('api.y owner to other_owner', 'api.y owner to current_user')}`,
      owned('y', 'view_owner'),
      now,
    ],
    [
      'a third takes the place of one, and no policy is for it',
      `${two()}; create policy r on base.b to current_user using (true)`,
      'alter policy q on base.b to current_user',
      now,
    ],
    [
      'two that see different rows change places',
      two('select id from api.x', 'using (true)', 'using (id > 1)'),
      owned('x', 'other_owner'),
      now,
    ],
  ])('%s', async (_, setup, migration, told) => {
    await database.rows(setup)
    await setClaims(database, 'reader', [claim])
    expect(await database.failure(migration)).toMatchObject({ code: 'IDB01', detail: expect.stringMatching(told) })
    await expectAllWell(database)
  })

  const same = `${two(undefined, 'using (id > 0)', 'using (id < 9)')}; alter policy q on base.b to other_owner, view_owner; alter policy p on base.b to view_owner, other_owner`
  test.each<[string, string, string]>([
    ['another owner, for whom the same policies are', same, owned('y', 'view_owner')],
    ['another name', two(undefined, 'using (id > 0)', 'using (id < 9)'), 'alter view api.y rename to z; alter table base.b rename to c'],
    [
      'another view, which is read instead',
      same,
      `${behind('z', 'other_owner')}; create or replace view api.v as select x.id from api.x join api.z using (id)`,
    ],
  ])('it is no loss: %s', async (_, setup, migration) => {
    await database.rows(setup)
    await setClaims(database, 'reader', [claim])
    await database.rows(migration)
    await database.rows(`begin; ${use}; commit`)
    await expectAllWell(database)
  })
})

test('a row is the claim’s own, if the stakeholder claims all of the table', async () => {
  await database.rows('create view api.v with (security_invoker) as select b::text as b from base.b')
  expect(await refusal(database, 'reader', [claim, { path: 'base.b', fields: ['id'] }])).toEqual([
    expect.stringContaining('reader, which reads it through the view api.v, may not read base.b.name'),
  ])
  await setClaims(database, 'reader', [claim, { path: 'base.b', fields: '*' }])
  await database.rows(moreColumns)
  await database.rows(`begin; ${use}; commit`)
  await expectAllWell(database)
})

test('a sequence that the view reads is no privilege too many', async () => {
  await database.rows(`create sequence base.s; grant select on base.s to reader;
    create view api.v with (security_invoker) as select last_value as n from base.s`)
  await setClaims(database, 'reader', [claim])
  await database.rows(`begin; ${use}; commit`)
  expect(await database.rows(`select * from integratedb.audit_access('reader') where object like '%base.s%'`)).toEqual([])
})

test('a materialized view that is filled again is a policy’s again', async () => {
  await database.rows(`create materialized view base.m as select id from base.b; grant select on base.m to public;
    ${policy('exists (select from base.m where m.id = v.id)')}`)
  await setClaims(database, 'reader', [claim])
  await database.rows(
    `select integratedb.set_enforcement('warn'); refresh materialized view base.m with no data; select integratedb.set_enforcement('enforce')`,
  )
  expect(await database.rows('select code from integratedb.unmet_claims()')).toEqual([{ code: 'IDB104' }])
  await database.rows('refresh materialized view base.m')
  expect(await database.rows(`select distinct status from integratedb.claims`)).toEqual([{ status: 'met' }])
  await expectAllWell(database)
})

describe('breaks nothing', () => {
  const closed = 'revoke select (id, name) on base.b from view_owner'
  const passes: [string, string, string][] = [
    [
      'a table that the view names as what a function returns',
      `create function base.all_of_it() returns setof base.b language sql security definer as 'select * from base.b'; ${view('select id from base.all_of_it()')}`,
      `${closed}; alter table base.b enable row level security`,
    ],
    ['a table that the view names as a constant', view(`select 'base.b'::regclass::text as b`), closed],
    ['a table that the view names as a type', view('select null::base.b is null as b'), closed],
    [
      'a row of a table of which the owner may read all',
      `grant select on base.b to view_owner; ${view('select b::text as b from base.b')}`,
      moreColumns,
    ],
    ['columns, of a table that gets another', view('select row(b.*)::text as b from base.b'), moreColumns],
    [
      'a sequence of which the view reads nothing',
      `create sequence base.s; grant select on base.s to view_owner; ${view(`select 'base.s'::regclass::text as s`)}`,
      'revoke select on sequence base.s from view_owner',
    ],
    [
      'a sequence that may be used otherwise',
      `create sequence base.s; grant usage, update on sequence base.s to public; ${view(`select nextval('base.s') as n`)}`,
      'revoke usage on sequence base.s from public',
    ],
    [
      'a function that the body of one with another default calls, with its owner’s rights',
      `create function base.f(text default 'a') returns boolean language sql security definer begin atomic select base.ok($1); end; ${view('select base.f() as n')}`,
      'revoke execute on function base.ok(text) from public',
    ],
    [
      'the check of a domain that a column is of',
      `create domain base.d as text check (base.ok(value)); alter table base.b add d base.d; grant select (d) on base.b to view_owner; ${view('select d from base.b')}`,
      'revoke execute on function base.ok(text) from public',
    ],
    [
      'a materialized view that a policy for somebody else reads, emptied',
      `create materialized view base.m as select id from base.b; grant select on base.m to public; ${policy('exists (select from base.m where m.id = v.id)')};
       alter policy p on api.v to view_owner; create policy q on api.v using (id > 0)`,
      'refresh materialized view base.m with no data',
    ],
  ]

  test.each(passes)('%s', async (_, setup, migration) => {
    await database.rows(setup)
    await setClaims(database, 'reader', [claim])
    await database.rows(migration)
    await database.rows(`begin; ${use}; commit`)
    await expectAllWell(database)
  })
})

test('before anybody claims it, check_claims() tells what a view that reads as its reader comes to', async () => {
  await database.rows('create view api.v with (security_invoker) as select id, name from base.b')
  expect(
    await database.rows('select code from integratedb.check_claims($1)', [{ match: [{ path: 'api.v', fields: ['id', 'gone'] }] }]),
  ).toEqual([{ code: 'IDB03' }])
})
