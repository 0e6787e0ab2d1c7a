/**
 * What is in a writer's way, told by what it means and where it is: IDB302 for each that is new, once, and for nothing that is not; and that what
 * the author is told to look at really fails.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { setClaims } from '../support/oracle.ts'

let database: TestDatabase
let writer: Session
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    select integratedb.add_stakeholder('writer'); create extension btree_gist schema public; create schema shop;
    create function public.pass() returns trigger language plpgsql as 'begin return coalesce(new, old); end'`)
  writer = await database.connect('writer')
})
beforeEach(() => database.rows('create schema if not exists shop'))
afterEach(async () => {
  await writer.rows('rollback')
  await database.rows(`rollback; select integratedb.remove_claims('writer'); drop schema shop cascade`)
})
afterAll(() => database.drop())

const every = ['select', 'insert', 'update', 'delete']

/** The details of warnings. */
async function told(sql: string): Promise<(string | undefined)[]> {
  database.notices.length = 0
  await database.rows(sql)
  return database.notices.filter(({ severity }) => severity === 'WARNING').flatMap(({ detail }) => detail?.split('\n'))
}

/** What is remembered of it is what is there: another look changes nothing. */
async function expectRemembered(): Promise<void> {
  const stored = () => database.rows('select to_jsonb(k) from integratedb.claim k order by k.relid')
  const before = await stored()
  await database.rows('select from integratedb.sync()')
  expect(await stored()).toEqual(before)
}

interface Case {
  title: string
  setup: string
  /** shop.t, all of it, unless it says otherwise. */
  path?: string
  fields?: string[]
  access?: string[]
  migration: string
  /** After "IDB302 writer needs ", up to " was added". */
  lines: string[]
  /** What the application does: it works before the migration, and not after. */
  fails?: string
}

const t = 'create table shop.t (id int primary key, a int, b int); insert into shop.t values (1, 1, 1), (2, 2, 2);'
const p = `create table shop.p (id int, a int) partition by range (id);
  create table shop.p1 partition of shop.p for values from (0) to (10); create table shop.p2 partition of shop.p for values from (10) to (20);
  insert into shop.p values (1, 1);`
const child = (column: string) => `${t} create table shop.c (id int, r int ${column}); insert into shop.c values (1, 1);`
const remade = (constraint: string, table = 'shop.t') =>
  `begin; alter table ${table} drop constraint k; alter table ${table} add constraint k ${constraint}; commit`

const meanings: Case[] = [
  {
    title: 'a foreign key to another table, under the name that it gets by itself',
    setup: `create table shop.one (id int primary key); create table shop.other (id int primary key); insert into shop.one values (1);
      create table shop.t (r int references shop.one)`,
    migration: 'begin; alter table shop.t drop constraint t_r_fkey; alter table shop.t add foreign key (r) references shop.other; commit',
    lines: ['shop.t.r: the foreign key t_r_fkey'],
    fails: 'insert into shop.t values (1)',
  },
  {
    title: 'a foreign key to a table that was made anew, or that took the name of another',
    setup:
      'create table shop.one (id int primary key); insert into shop.one values (1); create table shop.t (r int constraint k references shop.one)',
    migration: `begin; alter table shop.t drop constraint k; alter table shop.one rename to old; create table shop.one (id int primary key);
      alter table shop.t add constraint k foreign key (r) references shop.one; commit`,
    lines: ['shop.t.r: the foreign key k'],
    fails: 'insert into shop.t values (1)',
  },
  {
    title: 'a foreign key to another column',
    setup:
      'create table shop.one (x int primary key, y int unique); insert into shop.one values (1, 2); create table shop.t (r int constraint k references shop.one)',
    migration: remade('foreign key (r) references shop.one (y)'),
    lines: ['shop.t.r: the foreign key k'],
    fails: 'insert into shop.t values (1)',
  },
  {
    title: 'MATCH FULL',
    setup:
      'create table shop.one (x int, y int, primary key (x, y)); create table shop.t (x int, y int, constraint k foreign key (x, y) references shop.one)',
    migration: remade('foreign key (x, y) references shop.one match full'),
    lines: ['shop.t: the foreign key k'],
    fails: 'insert into shop.t values (1, null)',
  },
  {
    title: 'NULLS NOT DISTINCT',
    setup: 'create table shop.t (r int constraint k unique); insert into shop.t values (null)',
    migration: remade('unique nulls not distinct (r)'),
    lines: ['shop.t.r: the unique constraint k'],
    fails: 'insert into shop.t values (null)',
  },
  {
    title: 'another operator',
    setup: `create table shop.t (r int, s int4range, constraint k exclude using gist (r with =, s with =)); insert into shop.t values (1, '[1,5)')`,
    migration: remade('exclude using gist (r with =, s with &&)'),
    lines: ['shop.t: the exclusion constraint k'],
    fails: `insert into shop.t values (1, '[2,3)')`,
  },
  {
    title: 'another condition',
    setup: 'create table shop.t (r int, constraint k exclude using gist (r with =) where (r > 100)); insert into shop.t values (1)',
    migration: remade('exclude using gist (r with =)'),
    lines: ['shop.t.r: the exclusion constraint k'],
    fails: 'insert into shop.t values (1)',
  },
  {
    title: 'ON DELETE SET NULL of all its columns',
    setup: `create table shop.t (id int, k int, primary key (id, k)); insert into shop.t values (1, 1);
      create table shop.c (r int not null, q int, constraint k foreign key (r, q) references shop.t on delete set null (q)); insert into shop.c values (1, 1)`,
    migration: remade('foreign key (r, q) references shop.t on delete set null', 'shop.c'),
    lines: ['shop.t: NOT NULL of shop.c.r', 'shop.t: the foreign key k of shop.c'],
    fails: 'delete from shop.t',
  },
  {
    title: 'a foreign key of the same name, of another table',
    setup: `${t} create table shop.c (r int constraint k references shop.t); create table shop.d (r int); insert into shop.d values (1)`,
    migration: 'begin; alter table shop.c drop constraint k; alter table shop.d add constraint k foreign key (r) references shop.t; commit',
    lines: ['shop.t.id: the foreign key k of shop.d'],
    fails: 'delete from shop.t',
  },
  {
    title: 'a foreign key of the same name, of one more table',
    setup: `${t} create table shop.c (r int constraint k references shop.t); create table shop.d (r int); insert into shop.d values (1)`,
    migration: 'alter table shop.d add constraint k foreign key (r) references shop.t',
    lines: ['shop.t.id: the foreign key k of shop.d'],
    fails: 'delete from shop.t',
  },
  {
    title: 'the same check of another table that inherits',
    setup: `${t} create table shop.c () inherits (shop.t); create table shop.d () inherits (shop.t);
      alter table shop.c add constraint k check (b < 7); insert into shop.d values (5, 5, 5)`,
    migration: 'alter table shop.d add constraint k check (b < 7)',
    lines: ['shop.t.b: the constraint k of shop.d'],
    fails: 'update shop.t set b = 9',
  },
  {
    title: 'the same check of another partition',
    setup: `${p} alter table shop.p2 add constraint k check (a > 5)`,
    path: 'shop.p',
    migration: 'update shop.p set a = 9; alter table shop.p1 add constraint k check (a > 5)',
    lines: ['shop.p.a: the constraint k of shop.p1'],
    fails: 'insert into shop.p values (2, 2)',
  },
  {
    title: 'a second trigger with the same function',
    setup: `${t} create function shop.first() returns trigger language plpgsql as $$ begin if tg_name = 'x2' then raise 'no'; end if; return new; end $$;
      create trigger x1 before update on shop.t for each row execute function shop.first()`,
    migration: 'create trigger x2 before update on shop.t for each row execute function shop.first()',
    lines: ['shop.t: the trigger x2'],
    fails: 'update shop.t set a = 2',
  },
  {
    title: 'a foreign key to the table that it is a partition of',
    setup: `${p} alter table shop.p add primary key (id); create table shop.c (r int); insert into shop.c values (1)`,
    path: 'shop.p1',
    migration: 'alter table shop.c add foreign key (r) references shop.p',
    lines: ['shop.p1.id: the foreign key c_r_fkey of shop.c'],
    fails: 'delete from shop.p1',
  },
  {
    title: 'an attribute more of a type',
    setup: 'create type shop.pair as (a int, b text); create table shop.t (x shop.pair[], y int)',
    migration: 'alter type shop.pair add attribute c int',
    lines: ['shop.t.x: the attribute c of shop.pair'],
    fails: `insert into shop.t (x) values ('{"(1,x)"}')`,
  },
]

/** What the action of a foreign key writes. */
const actions: Case[] = [
  [
    'check',
    'references shop.t on delete set null',
    'alter table shop.c add constraint k check (r is not null)',
    'the constraint k of shop.c',
  ],
  ['NOT NULL', 'references shop.t on delete set null', 'alter table shop.c alter r set not null', 'NOT NULL of shop.c.r'],
  [
    'an exclusion',
    'references shop.t on delete set null',
    'alter table shop.c add constraint k exclude (coalesce(r, 0) with =); insert into shop.c values (2, null)',
    'the constraint k of shop.c',
  ],
  [
    'no default',
    'not null default 2 references shop.t on delete set default',
    'alter table shop.c alter r drop default',
    'NOT NULL of shop.c.r',
  ],
  [
    'another default',
    'default null references shop.t on delete set default',
    'alter table shop.c alter r set default 7',
    'the default of shop.c.r',
  ],
  [
    'a trigger',
    'references shop.t on delete cascade',
    `create function shop.no() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
    create trigger k before delete on shop.c for each row execute function shop.no()`,
    'the trigger k of shop.c',
  ],
  ['a rule', 'references shop.t on delete cascade', 'create rule k as on delete to shop.c do instead nothing', 'the rule k of shop.c'],
  [
    'a foreign key',
    'unique references shop.t on delete cascade',
    `create table shop.g (r int); insert into shop.g values (1);
    alter table shop.g add constraint k foreign key (r) references shop.c (r)`,
    'the foreign key k of shop.g',
  ],
].map(([title, column, migration, line]) => ({
  title: title as string,
  setup: child(column as string),
  access: ['select', 'delete'],
  migration: migration as string,
  lines: [`shop.t: ${line}`],
  fails: 'delete from shop.t where id = 1',
}))
actions.push(
  {
    title: 'a primary key',
    setup: child('references shop.t on delete set null'),
    access: ['select', 'delete'],
    migration: 'alter table shop.c add constraint k primary key (r)',
    lines: ['shop.t: NOT NULL of shop.c.r', 'shop.t: the constraint k of shop.c'],
    fails: 'delete from shop.t',
  },
  {
    title: 'NOT NULL of a domain',
    setup: `${t} create domain shop.d as int; create table shop.c (r shop.d references shop.t on delete set null); insert into shop.c values (1)`,
    migration: 'alter domain shop.d set not null',
    lines: ['shop.t: NOT NULL of shop.c.r'],
    fails: 'delete from shop.t',
  },
  {
    title: 'NOT NULL one table further',
    setup: `${t} create table shop.c (id int primary key references shop.t on delete cascade); create table shop.g (r int references shop.c on delete set null);
      insert into shop.c values (1); insert into shop.g values (1)`,
    migration: 'alter table shop.g alter r set not null',
    lines: ['shop.t: NOT NULL of shop.g.r'],
    fails: 'delete from shop.t',
  },
  {
    title: 'NOT NULL of its own column, for who only deletes',
    setup: 'create table shop.t (id int primary key, r int references shop.t on delete set null); insert into shop.t values (1, 1), (2, 1)',
    access: ['select', 'delete'],
    migration: 'alter table shop.t alter r set not null',
    lines: ['shop.t: NOT NULL of shop.t.r'],
    fails: 'delete from shop.t where id = 1',
  },
  {
    title: 'NOT NULL, through a view',
    setup: `${child('references shop.t on delete set null')} create view shop.v as select id as key from shop.t`,
    path: 'shop.v',
    migration: 'alter table shop.c alter r set not null',
    lines: ['shop.v: NOT NULL of shop.c.r'],
    fails: 'delete from shop.v',
  },
  ...(
    [
      ['a check', 'alter table shop.c add constraint k check (r < 100)', 'the constraint k of shop.c'],
      [
        'a generated column',
        'alter table shop.c alter r set not null, alter r add generated always as identity',
        'GENERATED ALWAYS of shop.c.r',
      ],
    ] as const
  ).map(([title, migration, line]) => ({
    title: `${title} ON UPDATE CASCADE`,
    setup: child('references shop.t on update cascade'),
    access: ['select', 'update'],
    migration,
    lines: [`shop.t.id: ${line}`],
    fails: 'update shop.t set id = 200 where id = 1',
  })),
)

const indexes: Case[] = [
  {
    title: 'of a partition that is attached',
    setup: `${p} create table shop.p3 (id int, a int); create unique index k on shop.p3 (a)`,
    path: 'shop.p',
    migration: 'alter table shop.p attach partition shop.p3 for values from (20) to (30)',
    lines: ['shop.p.a: the unique index k of shop.p3'],
  },
  {
    title: 'of a table that inherits now',
    setup:
      'create table shop.t (a int); create table shop.c (a int); create unique index k on shop.c (a); insert into shop.c values (7), (8)',
    access: ['select', 'update'],
    migration: 'alter table shop.c inherit shop.t',
    lines: ['shop.t.a: the unique index k of shop.c'],
    fails: 'update shop.t set a = 5',
  },
  {
    title: 'of a table that is made anew',
    setup: 'create table shop.t (id int, a int)',
    migration: 'begin; drop table shop.t; create table shop.t (id int, a int); create unique index k on shop.t (a); commit',
    lines: ['shop.t.a: the unique index k'],
    fails: 'insert into shop.t values (1, 1), (2, 1)',
  },
  {
    title: 'of a table in its place',
    setup: 'create table shop.t (id int, a int); create table shop.n (id int, a int); create unique index k on shop.n (a)',
    migration: 'begin; alter table shop.t rename to old; alter table shop.n rename to t; commit',
    lines: ['shop.t.a: the unique index k'],
    fails: 'insert into shop.t values (1, 1), (2, 1)',
  },
  ...(
    [
      ['a default', 'default 5', 'create unique index k on shop.t (k)', 'index'],
      ['NULLS NOT DISTINCT', '', 'create unique index k on shop.t (k) nulls not distinct', 'index'],
      ['NULLS NOT DISTINCT, as a constraint', '', 'alter table shop.t add constraint k unique nulls not distinct (k)', 'constraint'],
    ] as const
  ).map(([title, column, migration, kind]) => ({
    title: `over an unclaimed column with ${title}`,
    setup: `create table shop.t (id int, k int ${column})`,
    fields: ['id'],
    access: ['insert'],
    migration,
    lines: [`shop.t: the unique ${kind} k`],
    fails: 'insert into shop.t (id) values (1), (2)',
  })),
]

describe.each([
  ['another meaning, or another place', meanings],
  ['what an action of a foreign key writes runs into', actions],
  ['a unique index', indexes],
])('%s', (_, cases) => {
  test.each(cases)('$title', async ({ setup, path = 'shop.t', fields, access = every, migration, lines, fails }) => {
    await database.rows(setup)
    await setClaims(database, 'writer', [{ path, fields: fields ?? '*', access }])
    const work = `begin; ${fails ?? ''}; set constraints all immediate; rollback`
    await writer.rows(work)
    expect(await told(migration)).toEqual(
      lines.map(
        (line) =>
          `IDB302 writer needs ${line} was added: it can ${/: the trigger \w+$/.test(line) ? 'refuse or change' : 'refuse'} what is written`,
      ),
    )
    if (fails !== undefined) await writer.failure(work)
    await writer.rows('rollback')
    expect(await told(`alter table ${path === 'shop.v' ? 'shop.t' : path.replace('p1', 'p')} add column more int`)).toEqual([])
    await expectRemembered()
  })
})

describe('nothing is told of', () => {
  const rich = `${child('constraint k references shop.t on delete set null')} create unique index of_t on shop.t (b); create unique index of_c on shop.c (r) where r > 0;
    create table shop.one (x int primary key); alter table shop.t add constraint to_one foreign key (a) references shop.one not valid;
    create trigger x1 before update on shop.t for each row execute function public.pass(); create trigger x2 before update on shop.t for each row execute function public.pass();
    alter table shop.c add constraint positive check (r > 0);`
  test.each([
    [
      'names of others',
      'alter table shop.one rename to two; alter table shop.two rename x to y; alter table shop.c rename to d; alter table shop.d rename r to s',
    ],
    ['another name for its schema', 'alter schema shop rename to store; alter schema store rename to shop'],
    [
      'other names of constraints, triggers and indexes',
      'alter table shop.t rename constraint to_one to one_more; alter trigger x1 on shop.t rename to x3; alter index shop.of_t rename to another; alter table shop.c rename constraint positive to more',
    ],
    [
      'what is made anew the same',
      `begin; alter table shop.t drop constraint to_one; alter table shop.t add constraint to_one foreign key (a) references shop.one not valid;
      alter table shop.c drop constraint k; alter table shop.c add constraint k foreign key (r) references shop.t on delete set null;
      drop index shop.of_t; create unique index other on shop.t (b); drop trigger x1 on shop.t; create trigger x3 before update on shop.t for each row execute function public.pass();
      alter table shop.c drop constraint positive; alter table shop.c add constraint positive check (r > 0); commit`,
    ],
    [
      'what is renamed and made anew the same',
      `alter table shop.one rename to two; alter table shop.two rename x to y; alter table shop.c rename r to s;
      begin; alter table shop.t drop constraint to_one; alter table shop.t add constraint to_one foreign key (a) references shop.two not valid;
      alter table shop.c drop constraint k; alter table shop.c add constraint k foreign key (s) references shop.t on delete set null; commit`,
    ],
    ['an index made anew by itself', 'reindex table shop.t; reindex table concurrently shop.t'],
  ])('%s', async (_, migration) => {
    await database.rows(rich)
    await setClaims(database, 'writer', [{ path: 'shop.t', fields: '*', access: every }])
    for (const statement of migration.startsWith('reindex') ? migration.split(';') : [migration]) expect(await told(statement)).toEqual([])
    expect(await told('alter table shop.t add column more int')).toEqual([])
    if (!migration.startsWith('reindex')) await expectRemembered()
  })

  test('a partition more of what is written with it', async () => {
    await database.rows(`${t}
      create table shop.w (id int, r int not null default 2 unique references shop.t on delete set default on update cascade check (r > 0)) partition by list (r);
      create table shop.w1 partition of shop.w for values in (1);
      create trigger x before update or delete on shop.w for each row execute function public.pass()`)
    await setClaims(database, 'writer', [{ path: 'shop.t', fields: '*', access: every }])
    expect(await told('create table shop.w2 partition of shop.w for values in (2)')).toEqual([])
    await expectRemembered()
    expect(await told('alter table shop.w2 add constraint k check (id is not null)')).toEqual([])
    expect(await told('alter table shop.w2 add constraint k2 check (r < 7)')).toEqual(
      ['shop.t', 'shop.t.id'].map(
        (what) => `IDB302 writer needs ${what}: the constraint k2 of shop.w2 was added: it can refuse what is written`,
      ),
    )
    await database.rows('drop table shop.w2')
    await expectRemembered()
  })

  test('an index that is gone, and it is told of again when it is back', async () => {
    await database.rows(`${t} create unique index one on shop.t (b)`)
    await setClaims(database, 'writer', [{ path: 'shop.t', fields: '*', access: every }])
    expect(await told('drop index shop.one')).toEqual([])
    await expectRemembered()
    expect(await told('create unique index one on shop.t (b)')).toHaveLength(1)
  })
})
