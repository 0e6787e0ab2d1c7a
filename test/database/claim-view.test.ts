/** Views with security_invoker: what is behind them, the stakeholder needs itself, from a claim or otherwise. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, refusal, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reporter')`)
})
afterAll(() => database.drop())

beforeEach(async () => {
  await database.rows(`
    select integratedb.remove_claims('reporter');
    drop schema if exists base, api, tools, kit cascade;
    create schema base;
    create schema api;
    create table base.item (id int primary key, name text);
    create view api.item with (security_invoker = true) as select id, name from base.item`)
})

const view = { path: 'api.item', fields: '*' }
const table = { path: 'base.item', fields: '*' }

async function rejected(sql: string): Promise<string> {
  const { code, detail } = await database.failure(sql)
  expect(code).toBe('IDB01')
  await expectAllWell(database)
  return detail as string
}

async function expectToRead(path: string): Promise<void> {
  await expectAllWell(database)
  await database.rows(`set role reporter; select * from ${path}; reset role`)
}

test('what is behind the view is claimed too', async () => {
  expect(await refusal(database, 'reporter', [view])).toContainEqual(expect.stringContaining('may not read base.item'))
  await setClaims(database, 'reporter', [view, table])
  await expectToRead('api.item')
})

test('or another role may read it', async () => {
  await database.rows('grant usage on schema base to public; grant select on base.item to public')
  await setClaims(database, 'reporter', [view])
  await expectToRead('api.item')
  expect(await rejected('revoke select on base.item from public')).toContain('IDB404 reporter needs api.item (select)')
})

test('an alternative that goes takes its grant with it, and the view that needed it is no alternative any more', async () => {
  await setClaims(database, 'reporter', [{ alternatives: [{ path: 'api.*', fields: '*' }, table] }])
  expect(await rejected('alter table base.item rename to moved')).toContain('IDB404 reporter needs api.item (select)')
})

test('so does a table that is optional', async () => {
  await setClaims(database, 'reporter', [view, { ...table, optional: true }])
  expect(await rejected('alter table base.item rename to moved')).toContain('IDB404 reporter needs api.item (select)')
})

test('what the document before it gave does not count', async () => {
  const access = ['select', 'update']
  await setClaims(
    database,
    'reporter',
    [table, view].map((match) => ({ ...match, access })),
  )
  await expectAllWell(database)
  expect(await refusal(database, 'reporter', [table, { ...view, access }])).toContainEqual(
    expect.stringContaining('may not update base.item'),
  )
  await setClaims(database, 'reporter', [table, view])
  await expectToRead('api.item')
})

test('nobody need be able to write what cannot be written, or is not claimed', async () => {
  await database.rows(`
    drop view api.item;
    create table base.numbered (id bigint generated always as identity primary key, name text, note text);
    create view api.item with (security_invoker = true) as select id, name, note from base.numbered`)
  const access = ['select', 'update']
  await setClaims(database, 'reporter', [
    { path: 'base.numbered', fields: ['id', 'name'], access },
    { alternatives: [{ path: 'base.numbered', fields: ['note'] }] },
    { path: 'api.item', fields: ['id', 'name'], access },
  ])
  await expectAllWell(database)
  await database.rows(`revoke usage on schema api from public`)
  await database.rows(`alter table base.numbered add extra int`)
  await database.rows(`set role reporter; update api.item set name = 'a'; reset role`)
  expect(await rejected('revoke update (name) on base.numbered from reporter')).toContain('may not update base.numbered.name')
})

test('an INSTEAD OF trigger has the view read, which who only deletes may not', async () => {
  const writer = [view, table].map((match) => ({ ...match, access: ['delete'] }))
  const use = 'set role reporter; delete from api.item; reset role'
  await setClaims(database, 'reporter', writer)
  await database.rows(`${use}; create function api.pass() returns trigger language plpgsql as $$ begin return old; end $$`)
  const watch = 'create trigger watch instead of delete on api.item for each row execute function api.pass()'
  expect(await database.failure(watch)).toMatchObject({
    code: 'IDB01',
    detail: expect.stringContaining('IDB404 reporter needs api.item (select)'),
  })
  await setClaims(database, 'reporter', [writer[0], { ...table, access: ['select', 'delete'] }])
  await database.rows(`${watch}; ${use}`)
})

test('to who could not delete through it either, such a trigger does nothing', async () => {
  await setClaims(database, 'reporter', [{ path: 'api.*', fields: '*', access: ['update', 'delete'] }])
  await database.rows(`
    create function api.pass() returns trigger language plpgsql as $$ begin return old; end $$;
    create trigger watch instead of delete on api.item for each row execute function api.pass()`)
  // What it is seen to be able to do at last, it may not lose again.
  await database.rows('grant usage on schema base to public; grant select, delete on base.item to public; select integratedb.sync()')
  await database.rows('set role reporter; delete from api.item; reset role')
  expect(await database.failure('revoke select on base.item from public')).toMatchObject({
    code: 'IDB01',
    detail: expect.stringContaining('IDB404 reporter needs api.item (select)'),
  })
})

test('who can write a part of it loses that with such a trigger', async () => {
  await setClaims(database, 'reporter', [
    { path: 'api.*', fields: '*', access: ['update'] },
    { ...table, fields: ['id'], access: ['select', 'update'] },
  ])
  await database.rows('set role reporter; update api.item set id = 1; reset role')
  await database.rows('create function api.pass() returns trigger language plpgsql as $$ begin return new; end $$')
  expect(
    await database.failure('create trigger watch instead of update on api.item for each row execute function api.pass()'),
  ).toMatchObject({
    code: 'IDB01',
    detail: expect.stringContaining('may not read base.item.name'),
  })
})

test('an INSTEAD OF trigger for inserts hides nothing of what updates write', async () => {
  await database.rows(`
    create view api.name as select id, name from base.item;
    create function api.pass() returns trigger language plpgsql as $$ begin return new; end $$`)
  await setClaims(database, 'reporter', [{ path: 'api.name', fields: ['name'], access: ['select', 'update'] }])
  await database.rows('create trigger watch instead of insert on api.name for each row execute function api.pass()')
  expect(await rejected('alter table base.item alter name set not null')).toContain('IDB212 reporter needs api.name.name')
  await database.rows('create trigger change instead of update on api.name for each row execute function api.pass()')
  await database.rows('alter table base.item alter name set not null')
  await expectAllWell(database)
})

test('a foreign key on what the view leaves to its default can refuse what is inserted', async () => {
  await database.rows(`
    create table base.kind (id int primary key);
    alter table base.item add kind int default 7;
    create view api.name as select id, name from base.item`)
  await setClaims(database, 'reporter', [{ path: 'api.name', fields: ['id', 'name'], access: ['insert'] }])
  database.notices.length = 0
  await database.rows('alter table base.item add foreign key (kind) references base.kind')
  expect(database.notices.map(({ detail }) => detail)).toEqual([
    'IDB302 reporter needs api.name: the foreign key item_kind_fkey was added: it can refuse what is written',
  ])
  expect(await database.failure(`set role reporter; insert into api.name values (1, 'a')`)).toMatchObject({ code: '23503' })
})

test('a default on what the view computes stops every insert', async () => {
  await database.rows(`
    create view api.priced as select id, 1 + 1 as price from base.item;
    alter view api.priced alter price set default 1`)
  const match = { path: 'api.priced', fields: ['id'], access: ['insert'] }
  expect(await refusal(database, 'reporter', [match])).toEqual([expect.stringContaining('api.priced')])
})

test('a default of a view behind fills what the view over it leaves out, unless a trigger takes the insert before', async () => {
  await database.rows(`${pass};
    create table base.page (id int, state text not null default 'new');
    create view api.behind as select id, state, id + 1 as next from base.page;
    create view api.front as select id from api.behind`)
  await setClaims(database, 'reporter', [{ path: 'api.front', fields: '*', access: ['select', 'insert'] }])
  const use = async () => await database.rows('set role reporter; insert into api.front values (1); reset role')
  await database.rows(`alter view api.behind alter state set default 'old'; alter table base.page alter state drop default`)
  await use()
  expect(await rejected('alter view api.behind alter state drop default')).toContain('IDB211 reporter needs api.front.state')
  expect(await rejected('alter view api.behind alter next set default 7')).toBe(
    'IDB213 reporter needs api.front (insert): it can no longer be inserted into',
  )
  await database.rows(
    `${instead('api.front')}; alter view api.behind alter state drop default; alter view api.behind alter next set default 7`,
  )
  await use()
  await expectAllWell(database)
})

test('the query of a view behind is a part of the view; what it is called, and making all anew, is none', async () => {
  await database.rows(`
    create view api.behind as select id, name from base.item;
    create view api.front as select id, name from api.behind where name <> ''`)
  await setClaims(database, 'reporter', [{ path: 'api.front', fields: '*' }])
  const told = async (sql: string): Promise<(string | undefined)[]> => {
    database.notices.length = 0
    await database.rows(sql)
    return database.notices.filter(({ severity }) => severity === 'WARNING').map(({ detail }) => detail)
  }
  expect(await told('alter view api.behind rename to back; alter view api.back rename to behind')).toEqual([])
  expect(
    await told(`begin; drop view api.behind cascade; create view api.behind as select id, name from base.item;
      create view api.front as select id, name from api.behind where name <> ''; commit`),
  ).toEqual([])
  expect(await told('create or replace view api.behind as select id, name from base.item where id > 1')).toEqual([
    "IDB304 reporter needs api.front: the view's query was changed",
  ])
  expect(await told('alter table base.item add more text')).toEqual([])
})

test('a view that takes no insert, found by a wildcard, is protected all the same', async () => {
  await database.rows('drop view api.item; create table api.strict (id int not null, name text)')
  await setClaims(database, 'reporter', [{ path: 'api.*', fields: '*', access: ['select', 'insert'] }])
  await database.rows('create view api.name as select name from api.strict')
  expect(await database.failure('drop view api.name')).toMatchObject({ code: 'IDB01', detail: expect.stringContaining('api.name') })
})

const pass = `create function api.pass() returns trigger language plpgsql as $$ begin return new; end $$`
const instead = (view: string): string => `create trigger watch instead of insert on ${view} for each row execute function api.pass()`

test('a view over a view whose inserts a trigger takes can be inserted into, whatever the table behind takes', async () => {
  await database.rows(`${pass};
    create table base.numbered (id int generated always as identity, name text not null);
    create view api.behind as select id, 1 + 1 as two from base.numbered;
    create view api.front as select id, two, id + two as sum from api.behind`)
  await setClaims(database, 'reporter', [{ path: 'api.front', fields: '*', optional: true, access: ['select'] }])
  const writer = { match: [{ path: 'api.front', fields: ['id', 'two'], access: ['select', 'insert'] }] }
  const use = 'set role reporter; insert into api.front (id, two) values (7, 2); reset role'
  const claim = `select from integratedb.set_claims('reporter', '${JSON.stringify(writer)}')`
  expect((await database.failure(claim)).detail).toContain('api.front (insert): it cannot be inserted into')
  await database.rows(`${instead('api.behind')}; ${claim}; ${use}`)
  await expectAllWell(database)
  expect(await rejected('drop trigger watch on api.behind')).toContain('IDB213 reporter needs api.front')
  // What is not taken by a trigger goes on to the table: here nothing does.
  await database.rows('alter table base.numbered add must text not null')
  await database.rows(use)
})

test('a view that only a trigger makes writable makes writable what is over it', async () => {
  await database.rows(`${pass};
    create view api.behind as select id, count(*) from base.item group by id;
    ${instead('api.behind')};
    create view api.front as select id, count, id + count as sum from api.behind`)
  await setClaims(database, 'reporter', [{ path: 'api.front', fields: '*', access: ['select', 'insert'] }])
  await database.rows('set role reporter; insert into api.front (id, count) values (7, 2); reset role')
  expect(await database.value(`select has_column_privilege('reporter', 'api.front', 'sum', 'insert')`)).toBe(false)
  await expectAllWell(database)
})

test('a rule for one event leaves the others as they are, and a conditional one stops its own unless something else takes it', async () => {
  await database.rows(
    `${pass}; create view api.behind as select id, name from base.item; create view api.front as select id, name from api.behind`,
  )
  await setClaims(database, 'reporter', [{ path: 'api.front', fields: '*', access: ['select', 'insert', 'update'] }])
  const use = async () =>
    await database.rows(
      `set role reporter; insert into api.front values (1, 'a'); update api.front set name = 'b'; reset role; delete from base.item`,
    )
  await database.rows('create rule keep as on delete to api.behind where old.id > 9 do instead nothing')
  await use()
  const conditional = 'create rule high as on insert to api.behind where new.id > 9 do instead nothing'
  expect(await rejected(conditional)).toBe('IDB213 reporter needs api.front (insert): it can no longer be inserted into')
  // The trigger takes what the rule leaves; so does one further out.
  await database.rows(`begin; ${conditional}; ${instead('api.behind')}; commit`)
  await use()
  expect(await rejected('drop trigger watch on api.behind')).toContain('IDB213 reporter needs api.front')
  await database.rows(`begin; drop trigger watch on api.behind; create rule all_of_it as on insert to api.front do instead nothing; commit`)
  await use()
  await expectAllWell(database)
})

test('a view with a rule for its deletes can be claimed to be written', async () => {
  await database.rows(`alter table base.item add gone boolean not null default false;
    create view api.kept as select id, name from base.item where not gone;
    create rule hide as on delete to api.kept do instead update base.item set gone = true where id = old.id`)
  await setClaims(database, 'reporter', [{ path: 'api.kept', fields: '*', access: ['select', 'insert', 'update', 'delete'] }])
  await database.rows(
    `set role reporter; insert into api.kept values (1, 'a'); update api.kept set name = 'b'; delete from api.kept; reset role`,
  )
  expect(await database.rows('select * from base.item')).toEqual([{ id: 1, name: 'b', gone: true }])
  // What is behind it still concerns who inserts, and no longer who deletes.
  expect(await rejected('alter table base.item alter gone drop default')).toContain('IDB211 reporter needs api.kept.gone')
  await database.rows(
    'alter table base.item drop constraint item_pkey; create publication outgoing for table base.item with (publish = $$delete$$)',
  )
  await expectAllWell(database)
  await database.rows('drop publication outgoing')
})

test('of views over views each owner needs what it writes through', async () => {
  await database.rows(`
    create role api_owner; create role base_owner;
    grant usage on schema base, api to api_owner, base_owner;
    grant create on schema api to api_owner, base_owner;
    create view api.behind as select id, name from base.item;
    alter view api.behind owner to base_owner;
    grant select, insert, update on base.item to base_owner;
    create view api.front as select id, name from api.behind;
    alter view api.front owner to api_owner;
    grant select, insert on api.behind to api_owner`)
  try {
    await setClaims(database, 'reporter', [{ path: 'api.front', fields: '*', access: ['select', 'insert'] }])
    await database.rows(`set role reporter; insert into api.front values (1, 'a'); reset role`)
    expect(await rejected('revoke insert on api.behind from api_owner')).toContain(
      'api_owner, who writes it through the view, may not insert api.behind',
    )
    expect(await rejected('revoke insert on base.item from base_owner')).toContain(
      'base_owner, who writes it through the view, may not insert base.item',
    )
    await database.rows('revoke update on base.item from base_owner')
  } finally {
    await database.rows(
      `select integratedb.remove_claims('reporter'); drop owned by api_owner, base_owner cascade; drop role api_owner, base_owner`,
    )
  }
})

describe('a stakeholder that owns a view', () => {
  const all = [{ path: 'base.item', fields: '*' }]

  beforeEach(async () => {
    await database.rows(`select integratedb.add_stakeholder('owner')`)
    await setClaims(database, 'owner', all)
    await database.rows('alter view api.item set (security_invoker = false); alter view api.item owner to owner')
    await setClaims(database, 'reporter', [{ path: 'api.item', fields: '*' }])
  })
  afterEach(() => database.rows(`select integratedb.remove_claims('reporter'); select integratedb.remove_stakeholder('owner', false)`))

  const lacking = 'IDB404 reporter needs api.item (select): owner, the owner of the view api.item, may not read base.item.name'

  test.each(['commit', 'statement'])('gives up nothing that who claims the view needs, %s', async (timing) => {
    await database.rows(`select integratedb.set_check_timing('${timing}')`)
    for (const less of [
      `select integratedb.remove_claims('owner')`,
      `select from integratedb.set_claims('owner', '{"match": [{"path": "base.item", "fields": ["id"]}]}')`,
    ]) {
      const error = await database.failure(less)
      expect(error).toMatchObject({ code: 'IDB01', detail: expect.stringContaining(lacking) })
    }
    expect(await database.value(`select integratedb.get_claims('owner')`)).toEqual({ match: all })
    await expectAllWell(database)
    await database.rows(`begin; alter view api.item owner to postgres; select integratedb.remove_claims('owner'); commit`)
    await expectAllWell(database)
    await database.rows(`select integratedb.set_check_timing('commit')`)
  })

  const broken: [string, unknown, string][] = [
    [
      'gives its name to a view',
      { path: 'base.item', fields: '*' },
      'alter table base.item rename to old; create view base.item as select * from base.old',
    ],
    [
      'is optional and goes to another schema',
      { path: 'base.item', fields: '*', optional: true },
      'create schema tools; alter table base.item set schema tools',
    ],
    [
      'has an optional column that gets another name',
      { path: 'base.item', fields: ['id', { name: 'name', optional: true }] },
      'alter table base.item rename name to title',
    ],
    [
      'is one of two alternatives',
      {
        alternatives: [
          { path: 'base.item', fields: '*' },
          { path: 'base.other', fields: '*' },
        ],
      },
      'alter table base.item rename to old',
    ],
    [
      'leaves a wildcard',
      { path: 'base.*', fields: '*' },
      'create table base.whole (id int, name text) partition by range (id); alter table base.whole attach partition base.item default',
    ],
  ]
  test.each(broken)('loses none of its own grants on what it claims itself: that %s', async (_, match, migration) => {
    await database.rows('create table base.other (id int)')
    await setClaims(database, 'owner', [match])
    const use = 'begin; set local role reporter; select * from api.item; rollback'
    await database.rows(use)
    const { code, detail } = await database.failure(`begin; ${migration}; commit`)
    expect({ code, detail }).toMatchObject({
      code: 'IDB01',
      detail: expect.stringContaining('IDB404 reporter needs api.item (select): owner, the owner of the view api.item, may not read'),
    })
    await database.rows('rollback')
    await database.rows(use)
    // It is let through where the view goes to an owner that may.
    await database.rows(`begin; alter view api.item owner to postgres; ${migration}; commit`)
    await database.rows(use)
  })

  const harmless: [string, string][] = [
    ['a new column', 'alter table base.item add z int; create or replace view api.item as select id, name, z from base.item'],
    [
      'a table made anew',
      'drop view api.item; drop table base.item; create table base.item (id int primary key, name text); create view api.item as select id, name from base.item; alter view api.item owner to owner',
    ],
    [
      'a column made anew',
      'drop view api.item; alter table base.item drop name; alter table base.item add name text; create view api.item as select id, name from base.item; alter view api.item owner to owner',
    ],
    ['a table that it owned for a moment', 'alter table base.item owner to owner; alter table base.item owner to postgres'],
  ]
  test.each(harmless)('gets what the view needs with the migration: %s', async (_, migration) => {
    await database.rows(`begin; ${migration}; commit`)
    await database.rows('begin; set local role reporter; select * from api.item; rollback')
    await expectAllWell(database)
  })

  test('a role that inherits from it, too; a document that gives up nothing passes, and so does all where somebody is only told', async () => {
    await database.rows('create role heir in role owner; grant usage, create on schema api to heir; alter view api.item owner to heir')
    try {
      await setClaims(database, 'owner', all)
      expect((await database.failure(`select integratedb.remove_claims('owner')`)).detail).toContain('heir, the owner of the view')
      await database.rows(
        `select integratedb.set_enforcement('warn'); select integratedb.remove_claims('owner'); select integratedb.set_enforcement('enforce')`,
      )
      expect(await database.rows('select distinct code from integratedb.unmet_claims()')).toEqual([{ code: 'IDB404' }])
      expect(await database.value('select commands from integratedb.migrations order by id desc limit 1')).toEqual(['remove_claims()'])
    } finally {
      await database.rows(`alter view api.item owner to postgres; drop owned by heir; drop role heir`)
    }
  })
})

test('through a view that computes all its columns rows can be deleted; what nobody can update nobody has to be granted', async () => {
  await database.rows(`
    create schema computed; create role api_owner; grant usage on schema base, computed to api_owner; grant create on schema computed to api_owner;
    grant select, delete on base.item to api_owner;
    create view computed.sum as select id + 1 as sum from base.item; alter view computed.sum owner to api_owner;
    create view computed.whole as select i as item from base.item i;
    create view computed.over_it as select item from computed.whole`)
  try {
    const paths = [
      { path: 'computed.*', fields: '*' },
      { path: 'base.item', fields: ['gone'] },
    ]
    await setClaims(database, 'reporter', [{ alternatives: paths, optional: true, access: ['update', 'delete'] }])
    const use = async () =>
      await database.rows('begin; set local role reporter; delete from computed.over_it; delete from computed.sum; commit')
    await use()
    await database.rows('alter view computed.over_it set (security_invoker = true)')
    await use()
    const error = await database.failure('revoke delete on base.item from api_owner')
    expect(error.detail).toContain('api_owner, who writes it through the view, may not delete base.item')
    await use()
  } finally {
    await database.rows(
      `select integratedb.remove_claims('reporter'); drop schema computed cascade; drop owned by api_owner; drop role api_owner`,
    )
  }
})

test('what cannot be written in the table that views lead to, nobody on the way has to be granted', async () => {
  await database.rows(`
    create role api_owner; grant usage on schema base, api to api_owner; grant create on schema api to api_owner;
    create table base.counted (n int generated always as identity, twice int generated always as (2) stored, note text);
    create view api.inner as select n, twice, note from base.counted;
    create view api.outer as select n, twice, note from api.inner`)
  try {
    await setClaims(database, 'reporter', [{ path: 'api.*', fields: '*', access: ['insert', 'update'] }])
    await database.rows('grant select, insert (note), update (note) on api.inner to api_owner')
    await database.rows('alter view api.outer owner to api_owner')
    await database.rows(`set role reporter; insert into api.outer (note) values ('a'); reset role`)
    const error = await database.failure('revoke insert (note) on api.inner from api_owner')
    expect(error.detail).toContain('api_owner, who writes it through the view, may not insert api."inner".note')
  } finally {
    await database.rows(`
      select integratedb.remove_claims('reporter'); drop table base.counted cascade; drop owned by api_owner; drop role api_owner`)
  }
})

test('the defaults of a table that a view only reads are no concern of who writes the view', async () => {
  await database.rows(`
    create function base.next() returns int language sql as 'select 7';
    create table base.known (id int default base.next());
    create view api.front as select id, name from base.item where id in (select id from base.known)`)
  await setClaims(database, 'reporter', [{ path: 'api.front', fields: '*', access: ['select', 'insert'] }])
  await database.rows('revoke execute on function base.next() from public')
  await database.rows(`set role reporter; insert into api.front values (1, 'a'); reset role`)
  await database.rows('grant execute on function base.next() to public; alter table base.item alter id set default base.next()')
  expect(await rejected('revoke execute on function base.next() from public')).toContain(
    'reporter may not execute base.next(), which base.item calls',
  )
})

test('what a view, a policy or a column speaks of may be renamed: that is no change, and sync() finds none', async () => {
  await database.rows(`
    create schema tools;
    create type tools.mood as enum ('sad', 'happy');
    create function tools.f(n int) returns int language sql immutable as 'select n + 1';
    create collation tools.c from "C";
    create domain base.positive as int constraint more check (value > 0);
    create table base.note (id base.positive primary key, later int generated always as (tools.f(id)) stored, mood text collate tools.c);
    alter table base.note enable row level security;
    create policy own on base.note using (tools.f(id) > 0 and mood = 'sad'::tools.mood::text);
    create view api.note as select id, tools.f(id) as next from base.item where name = 'sad'::tools.mood::text`)
  await setClaims(database, 'reporter', [
    { path: 'api.note', fields: '*' },
    { path: 'base.note', fields: '*', access: ['select', 'update'] },
  ])
  const stored = () => database.rows('select to_jsonb(k) from integratedb.claim k order by k.relid')
  await database.rows(`alter schema tools rename to kit; alter function kit.f(int) rename to g; alter type kit.mood rename to temper;
    alter collation kit.c rename to d; alter domain base.positive rename constraint more to above; alter index base.note_pkey rename to note_key`)
  const before = await stored()
  await database.rows('select from integratedb.sync()')
  expect(await stored()).toEqual(before)
})
