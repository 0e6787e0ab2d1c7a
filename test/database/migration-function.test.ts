/** Functions that a reader or a writer calls without naming them, with its own rights: who may not execute them any more is stopped. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, refusal, setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('desk')`)
})
afterAll(() => database.drop())

beforeEach(async () => {
  await database.rows(`
    select integratedb.remove_claims('desk');
    drop schema if exists shop, parts cascade;
    create schema shop; create schema parts;
    create function shop.f(int) returns int language plpgsql immutable as $$ begin return $1; end $$;
    create function shop.ok(int) returns boolean language plpgsql immutable as $$ begin return true; end $$`)
})

const all = ['select', 'insert', 'update', 'delete']
const table = 'create table shop.t (id int primary key, name text); insert into shop.t values (1)'
const shut = (name: 'f' | 'ok'): string => `revoke execute on function shop.${name}(int) from public`
const insert = `insert into shop.t (id, name) values (2, 'a')`
const update = 'update shop.t set name = name'
const remove = 'delete from shop.t'
const select = 'select id, name from shop.t'

interface Case {
  setup: string
  access?: string[]
  migration: string
  use: string
  /** What the claims are on, if not the table. */
  path?: string
}

/** Stopped, because the stakeholder could not go on. */
async function expectRejected({ setup, access = all, migration, use, path = 'shop.t' }: Case): Promise<string> {
  await database.rows(setup)
  await setClaims(database, 'desk', [{ path, fields: ['id', 'name'], access }])
  const asDesk = `set local role desk; ${use}`
  await database.rows(`begin; ${asDesk}; rollback`)
  const error = await database.failure(migration)
  expect(error).toMatchObject({ code: 'IDB01' })
  await expectAllWell(database)

  await database.rows(`begin; select integratedb.set_enforcement('warn'); ${migration}; set constraints all immediate`)
  expect(await database.failure(asDesk)).toMatchObject({ code: '42501' })
  await database.rows('rollback')
  return error.detail as string
}

const policy = 'alter table shop.t enable row level security; create policy p on shop.t using (shop.ok(id))'
const inherited = `${table}; create table parts.c () inherits (shop.t); insert into parts.c values (3)`
const ranged = 'create table shop.t (id int, name text) partition by range (id)'

const revoked: [string, Case][] = [
  ['a policy', { setup: `${table}; ${policy}`, access: ['select'], migration: shut('ok'), use: select }],
  [
    'a policy, of all functions',
    {
      setup: `${table}; ${policy}`,
      access: ['select'],
      migration: 'revoke execute on all functions in schema shop from public',
      use: select,
    },
  ],
  [
    'a policy behind a view',
    {
      setup: `${table}; ${policy}; create view parts.v as select id, name from shop.t;
        alter table shop.t force row level security; create role function_owner; grant select on shop.t to function_owner;
        grant usage on schema shop, parts to function_owner; grant create on schema parts to function_owner; alter view parts.v owner to function_owner`,
      access: ['select'],
      path: 'parts.v',
      migration: shut('ok'),
      use: 'select id, name from parts.v',
    },
  ],
  [
    'a policy for updates',
    {
      setup: `${table}; alter table shop.t enable row level security; create policy r on shop.t using (true);
        create policy w on shop.t as restrictive for update using (shop.ok(id))`,
      migration: shut('ok'),
      use: update,
    },
  ],
  ['an index', { setup: `${table}; create index on shop.t (shop.f(id))`, migration: shut('f'), use: insert }],
  ['the predicate of an index', { setup: `${table}; create index on shop.t (id) where shop.ok(id)`, migration: shut('ok'), use: insert }],
  [
    'an index behind a view',
    {
      setup: `${table}; create index on shop.t (shop.f(id)); create view parts.v as select id, name from shop.t`,
      path: 'parts.v',
      migration: shut('f'),
      use: `insert into parts.v values (2, 'a')`,
    },
  ],
  [
    'a partition key',
    {
      setup: 'create table shop.t (id int, name text) partition by range (shop.f(id)); create table parts.p partition of shop.t default',
      migration: shut('f'),
      use: insert,
    },
  ],
  [
    'the key of the table that it is a partition of',
    {
      setup:
        'create table parts.whole (id int, name text) partition by range (shop.f(id)); create table shop.t partition of parts.whole for values from (1) to (9)',
      migration: shut('f'),
      use: insert,
    },
  ],
  [
    'the check of a partition',
    { setup: `${ranged}; create table parts.p partition of shop.t (check (shop.ok(id))) default`, migration: shut('ok'), use: insert },
  ],
  [
    'an index of a partition',
    {
      setup: `${ranged}; create table parts.p partition of shop.t default; create index on parts.p (shop.f(id))`,
      migration: shut('f'),
      use: insert,
    },
  ],
  [
    'the check of a table that inherits',
    { setup: `${inherited}; alter table parts.c add check (shop.ok(id))`, migration: shut('ok'), use: update },
  ],
  [
    'a domain',
    {
      setup: 'create domain shop.d as int check (shop.ok(value)); create table shop.t (id shop.d, name text)',
      migration: shut('ok'),
      use: insert,
    },
  ],
  [
    'a domain in an array of a domain',
    {
      setup: `create domain shop.d as int check (shop.ok(value)); create domain shop.e as shop.d[]; create table shop.t (id shop.e, name text)`,
      migration: shut('ok'),
      use: `insert into shop.t values ('{1}', 'a')`,
    },
  ],
  [
    'the default of a domain',
    {
      setup: 'create domain shop.d as int default shop.f(3); create table shop.t (id int, name text, d shop.d)',
      migration: shut('f'),
      use: insert,
    },
  ],
  [
    'the default of an argument, which a column’s default leaves out',
    {
      setup: `create function shop.g(int default shop.f(3)) returns int language sql as 'select $1'; create table shop.t (id int, name text, d int default shop.g())`,
      migration: shut('f'),
      use: insert,
    },
  ],
  [
    'the condition of a trigger',
    {
      setup: `${table}; create function shop.act() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger g before insert on shop.t for each row when (shop.ok(new.id)) execute function shop.act()`,
      migration: shut('ok'),
      use: insert,
    },
  ],
  ...['shop.t', 'shop.t_1'].map((path): [string, Case] => [
    `the condition that a partition of a partition has from a trigger above it, ${path}`,
    {
      setup: `${ranged}; create table parts.all_of_it partition of shop.t for values from (minvalue) to (maxvalue) partition by range (id);
        create table shop.t_1 partition of parts.all_of_it for values from (minvalue) to (maxvalue);
        create function shop.act() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger g before insert on shop.t for each row when (shop.ok(new.id)) execute function shop.act()`,
      path,
      migration: shut('ok'),
      use: insert.replace('shop.t', path),
    },
  ]),
  [
    'the condition of a trigger on deletes',
    {
      setup: `${table}; create function shop.act() returns trigger language plpgsql as $$ begin return old; end $$;
        create trigger g before delete on shop.t for each row when (shop.ok(old.id)) execute function shop.act()`,
      access: ['select', 'delete'],
      migration: shut('ok'),
      use: remove,
    },
  ],
  [
    'a rule',
    {
      setup: `${table}; create table parts.log (id int); create rule also as on insert to shop.t do also insert into parts.log select shop.f(new.id)`,
      migration: shut('f'),
      use: insert,
    },
  ],
]

const act = 'create function shop.act() returns trigger language plpgsql as $$ begin return new; end $$'

describe('a sequence is used by', () => {
  test.each<[string, string]>([
    [
      'the condition of a trigger',
      `${act}; create trigger g before insert on shop.t for each row when (nextval('shop.s') > 0) execute function shop.act()`,
    ],
    [
      'a policy',
      `alter table shop.t enable row level security; create policy r on shop.t for select using (true);
      create policy w on shop.t for insert with check (nextval('shop.s') > 0)`,
    ],
    [
      'a rule',
      `create table parts.log (n bigint); create rule also as on insert to shop.t do also insert into parts.log values (nextval('shop.s'))`,
    ],
    ['a check', `alter table shop.t add check (nextval('shop.s') > 0)`],
  ])('%s', async (_, caller) => {
    const setup = `${table}; create sequence shop.s; ${caller}`
    await database.rows(setup)
    const claims = [{ path: 'shop.t', fields: ['id', 'name'], access: ['select', 'insert'] }]
    expect(await refusal(database, 'desk', claims)).toEqual([
      expect.stringContaining('desk may not use the sequence shop.s, which shop.t calls'),
    ])
    await database.rows('grant usage on sequence shop.s to public')
    await setClaims(database, 'desk', claims)
    await database.rows(`begin; set local role desk; ${insert}; rollback`)
    await expectAllWell(database)
    expect(await database.failure('revoke usage on sequence shop.s from public')).toMatchObject({
      code: 'IDB01',
      detail: expect.stringContaining('IDB401'),
    })
  })

  test('a default, too, for which the claim grants it', async () => {
    await database.rows(
      `${table}; create sequence shop.s; alter table shop.t add n bigint default nextval('shop.s'), add check (nextval('shop.s') > 0)`,
    )
    await setClaims(database, 'desk', [{ path: 'shop.t', fields: ['id', 'name'], access: ['select', 'insert'] }])
    await database.rows(`begin; set local role desk; ${insert}; rollback`)
  })
})

describe('execute is revoked on what calls', () => {
  test.each(revoked)('%s', async (_, row) => {
    try {
      expect(await expectRejected(row)).toContain('desk may not execute shop.')
    } finally {
      await database.rows(
        `rollback; select integratedb.remove_claims('desk'); drop schema shop, parts cascade; drop role if exists function_owner`,
      )
    }
  })
})

const added: [string, Case][] = [
  ...(
    [
      ['a check', 'check (id::shop.d is not null)'],
      ['a default', 'default (7::shop.d)'],
      ['a generated column', 'unique, more int generated always as ((id::shop.d)::int) stored'],
    ] as const
  ).map(([what, column]): [string, Case] => [
    `the constraint of a domain that ${what} casts to`,
    {
      setup: `${shut('ok')}; create domain shop.d as int; create table shop.t (id int ${column}, name text)`,
      migration: 'alter domain shop.d add check (shop.ok(value))',
      use: `insert into shop.t (${what === 'a default' ? '' : 'id, '}name) values (${what === 'a default' ? '' : '2, '}'a')`,
    },
  ]),
  [
    'the constraint of a domain that an index casts to',
    {
      // (A session leaves out the cast to a domain without constraints when it reads the index, and does not read it again.)
      setup: `${shut('ok')}; create domain shop.d as int check (value > -9); ${table}; create index on shop.t (((id::shop.d)::int))`,
      migration: 'alter domain shop.d add check (shop.ok(value))',
      use: insert,
    },
  ],
  [
    'the constraint of a domain that the condition of a trigger casts to',
    {
      setup: `${shut('ok')}; create domain shop.d as int; ${table}; create function shop.act() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger g before insert on shop.t for each row when (new.id::shop.d is not null) execute function shop.act()`,
      migration: 'alter domain shop.d add check (shop.ok(value))',
      use: insert,
    },
  ],
  ['an index', { setup: `${shut('f')}; ${table}`, migration: 'create index on shop.t (shop.f(id))', use: insert }],
  [
    'an index with a predicate',
    { setup: `${shut('ok')}; ${table}`, migration: 'create index on shop.t (id) where shop.ok(id)', use: insert },
  ],
  [
    'an index behind a view',
    {
      setup: `${shut('f')}; ${table}; create view parts.v as select id, name from shop.t`,
      path: 'parts.v',
      migration: 'create index on shop.t (shop.f(id))',
      use: `insert into parts.v values (2, 'a')`,
    },
  ],
  [
    'an index of one partition',
    {
      setup: `${shut('f')}; ${ranged}; create table parts.p partition of shop.t default`,
      migration: 'create index on parts.p (shop.f(id))',
      use: insert,
    },
  ],
  [
    'an index of all partitions, of which one is claimed',
    {
      setup: `${shut('f')}; create table parts.whole (id int, name text) partition by range (id); create table shop.t partition of parts.whole default`,
      migration: 'create index on parts.whole (shop.f(id))',
      use: insert,
    },
  ],
  [
    'an exclusion constraint',
    { setup: `${shut('f')}; ${table}`, migration: 'alter table shop.t add exclude (shop.f(id) with =)', use: insert },
  ],
  [
    'the constraint of a domain',
    {
      setup: `${shut('ok')}; create domain shop.d as int; create table shop.t (id shop.d, name text)`,
      migration: 'alter domain shop.d add check (shop.ok(value))',
      use: insert,
    },
  ],
  [
    'the default of a domain',
    {
      setup: `${shut('f')}; create domain shop.d as int default 3; create table shop.t (id int, name text, d shop.d)`,
      migration: 'alter domain shop.d set default shop.f(4)',
      use: insert,
    },
  ],
  [
    'a policy',
    {
      setup: `${shut('ok')}; ${table}; alter table shop.t enable row level security; create policy p on shop.t using (id > 0)`,
      access: ['select'],
      migration: 'create policy q on shop.t using (shop.ok(id))',
      use: select,
    },
  ],
]

describe('what calls a function that the stakeholder may not execute is added:', () => {
  test.each(added)('%s', async (_, row) => {
    await expectRejected(row)
  })

  test('an index, CONCURRENTLY: it is there and valid, with a warning, and what is broken is known', async () => {
    await database.rows(`${shut('f')}; ${table}`)
    await setClaims(database, 'desk', [{ path: 'shop.t', fields: ['id', 'name'], access: all }])
    database.notices.length = 0
    await database.rows('create index concurrently one on shop.t (shop.f(id))')
    expect(database.notices).toMatchObject([
      {
        severity: 'WARNING',
        detail: 'IDB401 desk needs shop.t (execute): desk may not execute shop.f(integer), which shop.t calls',
        hint: expect.stringContaining('done CONCURRENTLY cannot be undone'),
      },
    ])
    expect(await database.value(`select indisvalid from pg_index where indexrelid = 'shop.one'::regclass`)).toBe(true)
    expect(await database.value('select code from integratedb.unmet_claims()')).toBe('IDB401')
    await database.rows('drop index shop.one; select integratedb.sync()')
    await expectAllWell(database)
  })
})

describe('nobody is stopped by what the stakeholder does not call:', () => {
  const trigger = (event: string): string =>
    `${table}; create function shop.act() returns trigger language plpgsql as $$ begin return new; end $$;
     create trigger g before ${event} on shop.t for each row when (shop.ok(new.id)) execute function shop.act()`

  test.each<[string, Case]>([
    [
      'an index that goes with its function',
      { setup: `${table}; create index on shop.t (shop.f(id))`, migration: 'drop function shop.f(int) cascade', use: insert },
    ],
    [
      'the check of a domain that goes with its function',
      {
        setup: 'create domain shop.d as int check (shop.ok(value)); create table shop.t (id shop.d, name text)',
        migration: 'drop function shop.ok(int) cascade',
        use: insert,
      },
    ],
    [
      'an index, of a reader',
      { setup: `${table}; create index on shop.t (shop.f(id))`, access: ['select'], migration: shut('f'), use: select },
    ],
    [
      'the condition of a trigger on updates',
      { setup: trigger('update'), access: ['select', 'insert'], migration: shut('ok'), use: insert },
    ],
    [
      'the condition of a trigger that is disabled',
      { setup: `${trigger('insert')}; alter table shop.t disable trigger g`, migration: shut('ok'), use: insert },
    ],
    [
      'the function of a trigger',
      {
        setup: `create function shop.act() returns trigger language plpgsql as $$ begin return new; end $$; ${table};
          create trigger g before insert on shop.t for each row when (new.id > 0) execute function shop.act()`,
        migration: 'revoke execute on function shop.act() from public',
        use: insert,
      },
    ],
    [
      'the check of a table that inherits, of who inserts',
      {
        setup: `${inherited}; alter table parts.c add check (shop.ok(id))`,
        access: ['select', 'insert'],
        migration: shut('ok'),
        use: insert,
      },
    ],
    [
      'the default of a domain that the column has its own instead of',
      {
        setup: 'create domain shop.d as int default shop.f(3); create table shop.t (id int, name text, d shop.d default 1)',
        migration: shut('f'),
        use: insert,
      },
    ],
    [
      'a policy that is not applied',
      { setup: `${table}; create policy p on shop.t using (shop.ok(id))`, migration: shut('ok'), use: select },
    ],
    [
      'a policy for somebody else',
      {
        setup: `${table}; ${policy}; alter policy p on shop.t to current_user; create policy q on shop.t to desk using (true)`,
        migration: shut('ok'),
        use: select,
      },
    ],
    [
      'a policy beside one that shows all',
      { setup: `${table}; ${policy}; create policy q on shop.t using (true)`, access: ['select'], migration: shut('ok'), use: select },
    ],
  ])('%s', async (_, { setup, access = all, migration, use }) => {
    await database.rows(setup)
    await setClaims(database, 'desk', [{ path: 'shop.t', fields: ['id', 'name'], access }])
    await database.rows(migration)
    await database.rows(`begin; set local role desk; ${use}; rollback`)
    await expectAllWell(database)
  })
})

test('a materialized view that only the policy of somebody else reads may be emptied', async () => {
  await database.rows(`${table}; create materialized view shop.m as select 1 as a; alter table shop.t enable row level security;
    create policy p on shop.t using (true); create policy o on shop.t to current_user using (exists (select from shop.m));
    create view parts.v with (security_invoker) as select id, name from shop.t`)
  await setClaims(database, 'desk', [
    { path: 'shop.t', fields: ['id', 'name'] },
    { path: 'parts.v', fields: ['id', 'name'] },
  ])
  await database.rows('refresh materialized view shop.m with no data')
  await expectAllWell(database)
})

test('a set-up that cannot work is refused when it is claimed', async () => {
  await database.rows(`${shut('ok')}; ${table}; ${policy}`)
  expect(await refusal(database, 'desk', [{ path: 'shop.t', fields: ['id'] }])).toEqual([
    expect.stringContaining('desk may not execute shop.ok(integer), which shop.t calls'),
  ])
})

test('what is owned by one of the roles that a policy is for is dropped: the policy goes from it', async () => {
  await database.rows(`${table}; create role function_team; create role function_team2; grant function_team to desk;
    alter table shop.t enable row level security; create policy p on shop.t to function_team, function_team2 using (true)`)
  try {
    await setClaims(database, 'desk', [{ path: 'shop.t', fields: ['id'] }])
    expect(await database.failure('drop owned by function_team')).toMatchObject({
      code: 'IDB01',
      detail: expect.stringContaining('IDB403'),
    })
    await database.rows('drop owned by function_team2')
    await expectAllWell(database)
  } finally {
    await database.rows(`select integratedb.remove_claims('desk'); drop table shop.t; drop role function_team, function_team2`)
  }
})

describe('what a policy reads', () => {
  const lookup = `${table}; create table shop.lookup (id int, secret text); insert into shop.lookup values (1);
    grant select (id) on shop.lookup to public; alter table shop.t enable row level security`
  const reads = 'create policy p on shop.t using (exists (select from shop.lookup l where l.id = t.id))'
  const desk = (sql: string): string => `set local role desk; ${sql}`

  const breaks: [string, string, string, RegExp, string | null, string[]?][] = [
    [
      'may not be read',
      reads,
      'revoke select (id) on shop.lookup from public',
      /IDB404 .*desk may not read shop\.lookup\.id, as a policy of shop\.t does/,
      '42501',
    ],
    [
      'has its rows hidden',
      reads,
      'alter table shop.lookup enable row level security',
      /IDB403 .*row level security of shop\.lookup now hides rows/,
      null,
    ],
    [
      'has a policy that comes back',
      reads,
      'alter table shop.lookup enable row level security; create policy b on shop.lookup using (exists (select from shop.t where t.id = lookup.id))',
      /IDB404 .*infinite recursion/,
      '42P17',
    ],
    [
      'is the table itself',
      'create policy p on shop.t using (true)',
      'create policy q on shop.t using (exists (select from shop.t o where o.id = t.id))',
      /IDB404 .*infinite recursion/,
      '42P17',
    ],
    [
      'is a view that comes back',
      'create view shop.v as select 1 as id; grant select on shop.v to public; create policy p on shop.t using (exists (select from shop.v where v.id = t.id))',
      'create or replace view shop.v with (security_invoker) as select id from shop.t',
      /IDB404 .*infinite recursion/,
      '42P17',
    ],
    [
      'may not be read, by a new policy',
      'create policy p on shop.t using (id > 0)',
      'create policy q on shop.t using (exists (select from shop.lookup l where l.secret = t.name))',
      /IDB404 .*desk may not read shop\.lookup\.secret/,
      '42501',
    ],
    [
      'may not be read, when something is written',
      'create policy p on shop.t using (true)',
      'create policy q on shop.t as restrictive for insert with check (exists (select from shop.lookup l where l.secret = t.name))',
      /IDB404 .*desk may not read shop\.lookup\.secret/,
      '42501',
      ['select', 'insert'],
    ],
    [
      'is a column of the table itself, which its writer may not read',
      'alter table shop.t add other text; create policy p on shop.t for insert with check (true); create policy q on shop.t for select using (true)',
      'alter policy p on shop.t with check (name not in (select o.other from shop.t o))',
      /IDB404 .*desk may not read shop\.t\.other/,
      '42501',
      ['select', 'insert'],
    ],
    [
      'is read by a restrictive one, beside one that shows nothing',
      'create policy p on shop.t using (false)',
      'create policy q on shop.t as restrictive using (exists (select from shop.lookup l where l.secret = t.name))',
      /IDB404 .*desk may not read shop\.lookup\.secret/,
      '42501',
    ],
  ]

  test.each(breaks)('%s', async (_, policy, migration, told, sqlstate, access = ['select']) => {
    await database.rows(`${lookup}; ${policy}`)
    await setClaims(database, 'desk', [{ path: 'shop.t', fields: ['id', 'name'], access }])
    await expectAllWell(database)
    expect(await database.failure(migration)).toMatchObject({ code: 'IDB01', detail: expect.stringMatching(told) })
    await expectAllWell(database)
    await database.rows(`begin; select integratedb.set_enforcement('warn'); ${migration}; set constraints all immediate`)
    const use = desk(access.includes('insert') ? insert : select)
    if (sqlstate === null) expect(await database.rows(use)).toEqual([])
    else expect(await database.failure(use)).toMatchObject({ code: sqlstate })
    await database.rows('rollback')
  })

  test('by the owner of a view', async () => {
    await database.rows(`${lookup}; ${reads}; create role function_owner; grant select on shop.t to function_owner; create view parts.v as select id, name from shop.t;
      grant usage on schema shop, parts to function_owner; grant create on schema parts to function_owner; alter view parts.v owner to function_owner`)
    try {
      await setClaims(database, 'desk', [{ path: 'parts.v', fields: ['id'] }])
      for (const [migration, told] of [
        ['revoke select (id) on shop.lookup from public', 'function_owner may not read shop.lookup.id'],
        ['alter table shop.lookup enable row level security', 'row level security of shop.lookup now hides rows'],
        [
          'alter table shop.lookup enable row level security; create policy b on shop.lookup using (exists (select from shop.t))',
          'infinite recursion',
        ],
      ]) {
        expect(await database.failure(migration as string)).toMatchObject({
          code: 'IDB01',
          detail: expect.stringContaining(told as string),
        })
      }
      await expectAllWell(database)
    } finally {
      await database.rows(`select integratedb.remove_claims('desk'); drop schema shop, parts cascade; drop role function_owner`)
    }
  })

  test('may be what the stakeholder claims too, and then that claim is needed', async () => {
    await database.rows(`${lookup}; ${reads}; revoke select (id) on shop.lookup from public`)
    const claim = { path: 'shop.t', fields: ['id'] }
    expect(await refusal(database, 'desk', [claim])).toEqual([expect.stringContaining('desk may not read shop.lookup.id')])
    await setClaims(database, 'desk', [claim, { path: 'shop.lookup', fields: ['id'] }])
    await expectAllWell(database)
    expect(await database.failure('revoke select (id) on shop.lookup from desk')).toMatchObject({ code: 'IDB01' })
  })

  const passes: [string, string, string, string[]?][] = [
    [
      'nobody looks at beside a policy that shows all',
      `${reads}; create policy q on shop.t using (true)`,
      'revoke select (id) on shop.lookup from public',
    ],
    [
      'for somebody else',
      `create policy q on shop.t to desk using (id > 0); ${reads}; alter policy p on shop.t to current_user`,
      'revoke select (id) on shop.lookup from public',
    ],
    [
      'for somebody else, by a view that comes back',
      `create policy q on shop.t to desk using (id > 0); create view shop.v with (security_invoker) as select id from shop.t;
       create policy p on shop.t to current_user using (exists (select from shop.v where v.id = t.id))`,
      'alter table shop.lookup add more int',
    ],
    ['is read no less', reads, 'alter table shop.lookup enable row level security; create policy l on shop.lookup using (true)'],
    [
      'is no business of who only reads, when it is written',
      'create policy q on shop.t using (true); create policy w on shop.t as restrictive for insert with check (exists (select from shop.lookup l where l.id = t.id))',
      'revoke select (id) on shop.lookup from public',
    ],
    [
      'is the table itself, of which policies for reading read nothing more',
      'create policy r on shop.t for select using (true)',
      'create policy w on shop.t for insert with check (not exists (select from shop.t o where o.id = t.id))',
      ['select', 'insert'],
    ],
    [
      'is read by a restrictive one that nobody looks at where none is permissive',
      'create policy q on shop.t for select using (true)',
      `create policy w on shop.t as restrictive for update using (exists (select from shop.lookup l where l.secret = t.name));
       create policy o on shop.t as restrictive for delete using (exists (select from shop.t o where o.id = t.id))`,
      ['select', 'update', 'delete'],
    ],
    ['gets more columns', reads, 'alter table shop.lookup add more text; alter table shop.lookup rename to looked_up'],
  ]

  test.each(passes)('%s', async (_, policy, migration, access = ['select']) => {
    await database.rows(`${lookup}; ${policy}`)
    await setClaims(database, 'desk', [{ path: 'shop.t', fields: ['id', 'name'], access }])
    await database.rows(migration)
    await database.rows('begin; set local role desk')
    expect(await database.rows(select)).toHaveLength(1)
    if (access.includes('insert')) await database.rows(insert)
    if (access.includes('update')) await database.rows('update shop.t set name = name; delete from shop.t')
    await database.rows('rollback')
    await expectAllWell(database)
  })
})
