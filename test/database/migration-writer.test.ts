/**
 * Every way in which a migration breaks who writes, or what a column means: the line that its author sees, that what
 * the stakeholder does would fail, and that the way the hint names passes.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { expectAllWell } from '../support/oracle.ts'

let database: TestDatabase
let desk: Session

const document = {
  match: [
    { path: 'public.ticket', fields: ['id', 'title', 'note', 'state', 'mail'], access: ['select', 'insert', 'update', 'delete'] },
    { path: 'public.open_ticket', fields: ['id', 'title'] },
    { path: 'public.person', fields: [{ name: 'email', unique: true }, 'name'] },
  ],
}

beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create role app; grant usage, create on schema public to app;
    create schema kind; grant usage on schema kind to app;
    create type kind.state as enum ('open', 'closed');
    create table public.ticket (
      id serial primary key, title text not null, note text, state kind.state not null default 'open', mail text not null default '', inner_note text);
    alter table public.ticket owner to app;
    insert into public.ticket (title) values ('the first');
    create view public.open_ticket as select id, title from public.ticket where state = 'open';
    alter view public.open_ticket owner to app;
    create table public.person (name text not null, email text constraint person_email_key unique);
    select integratedb.add_stakeholder('desk')`)
  await database.rows(`select from integratedb.set_claims('desk', $1)`, [JSON.stringify(document)])
  desk = await database.connect('desk')
})
afterEach(() => database.drop())

/** What the application does with its tickets. */
const work = `
  begin;
  insert into public.ticket (title, note, state, mail) values ('another', null, 'closed', 'a@b');
  insert into public.ticket (title) values ('with defaults');
  update public.ticket set title = title, note = null, state = 'closed', mail = mail;
  do $$ begin if (select count(*) from public.ticket) < 3 then raise 'rows are hidden'; end if; end $$;
  select id, title from public.open_ticket;
  delete from public.ticket where title = 'another';
  rollback`

const release = `select from integratedb.set_claims('desk', '{"match": [{"path": "public.ticket", "fields": ["id"]}]}');`

interface Case {
  title: string
  rejected: string
  lines: string[]
  hint: RegExp
  /** Let through, the application's work goes on: only what it relies on is gone. */
  works?: true
  instead: string
}

const needs = 'desk needs public.ticket'
const cases: Case[] = [
  {
    title: 'a required column that nobody fills',
    rejected: 'alter table public.ticket add column due date not null default now(); alter table public.ticket alter due drop default',
    lines: [`IDB211 ${needs}.due (null or a default): an insert has to fill the column, and the claim does not`],
    hint: /^Give due a default/,
    instead: 'alter table public.ticket add column due date not null default now()',
  },
  {
    title: 'a column that nobody claims becomes required',
    rejected: `update public.ticket set inner_note = ''; alter table public.ticket alter inner_note set not null`,
    lines: [`IDB211 ${needs}.inner_note (null or a default): an insert has to fill the column, and the claim does not`],
    hint: /^Give inner_note a default/,
    instead: `update public.ticket set inner_note = ''; alter table public.ticket alter inner_note set default '', alter inner_note set not null`,
  },
  {
    title: 'a column that takes no null any more',
    rejected: `update public.ticket set note = ''; alter table public.ticket alter note set not null`,
    lines: [`IDB212 ${needs}.note (null allowed): the column no longer accepts null`],
    hint: /^Keep note nullable/,
    instead: `${release} update public.ticket set note = ''; alter table public.ticket alter note set not null`,
  },
  {
    title: 'a column that is generated now',
    rejected: `alter table public.ticket drop column mail; alter table public.ticket add column mail text not null generated always as ('a@b') stored`,
    lines: [
      `IDB213 ${needs}.mail (insert): the column can no longer be inserted into`,
      `IDB213 ${needs}.mail (update): the column can no longer be updated`,
    ],
    hint: /^Keep mail an ordinary column/,
    instead: `alter table public.ticket add column mail_2 text generated always as (lower(mail)) stored`,
  },
  {
    title: 'a view in its place that cannot be written',
    rejected: `begin; alter table public.ticket rename to ticket_table; create view public.ticket as select distinct * from public.ticket_table; commit`,
    lines: [
      `IDB213 ${needs} (insert): it can no longer be inserted into`,
      `IDB213 ${needs} (update): it can no longer be updated`,
      `IDB213 ${needs} (delete): it can no longer be deleted from`,
    ],
    hint: /^Keep public.ticket writable/,
    instead: `begin; alter table public.ticket rename to ticket_table; create view public.ticket as select * from public.ticket_table; commit`,
  },
  {
    title: 'a default that an insert relies on',
    rejected: 'alter table public.ticket alter state drop default',
    lines: [`IDB214 ${needs}.state (default): the column no longer fills itself: an insert that leaves it out now fails`],
    hint: /^Keep a default on state/,
    instead: `alter table public.ticket alter state set default 'closed'`,
  },
  {
    title: 'a sequence that goes, and the default with it',
    rejected: 'drop sequence public.ticket_id_seq cascade',
    lines: [`IDB214 ${needs}.id (default): the column no longer fills itself: an insert that leaves it out now fails`],
    hint: /^Keep a default on id/,
    instead: `create sequence public.numbers start 100; alter sequence public.numbers owner to app;
      alter table public.ticket alter id set default nextval('public.numbers'); drop sequence public.ticket_id_seq`,
  },
  {
    title: 'no constraint that makes it unique',
    rejected: 'alter table public.person drop constraint person_email_key',
    lines: ['IDB301 desk needs public.person.email (unique): no primary key or unique constraint covers it alone any more'],
    hint: /^Keep a unique constraint on email alone/,
    works: true,
    instead: 'alter table public.person add constraint another unique (email), drop constraint person_email_key, add unique (name, email)',
  },
  {
    title: 'a constraint that rows break already',
    rejected: `alter table public.ticket add constraint named check (title <> 'the first') not valid`,
    lines: [`IDB302 ${needs}.title: the check constraint named was added, and there are rows that it refuses`],
    hint: /repair them first/,
    instead: `update public.ticket set title = 'repaired'; alter table public.ticket add constraint named check (title <> 'the first') not valid`,
  },
  {
    title: 'a label that has another name',
    rejected: `alter type kind.state rename value 'closed' to 'done'`,
    lines: [`IDB303 ${needs}.state ("closed"): kind.state has no label "closed"`],
    hint: /ADD VALUE/,
    instead: `alter type kind.state add value 'done'`,
  },
  {
    title: 'a privilege to write is revoked',
    rejected:
      'revoke insert (title) on public.ticket from desk; revoke delete on public.ticket from desk; revoke usage on public.ticket_id_seq from desk',
    lines: [
      `IDB401 ${needs} (delete): the privilege to delete was revoked`,
      `IDB401 ${needs} (usage): the privilege to use the sequence public.ticket_id_seq was revoked`,
      `IDB401 ${needs}.title (insert): the privilege to insert it was revoked`,
    ],
    hint: /^Grant it back in the same transaction/,
    instead: 'revoke insert (title) on public.ticket from desk; grant insert (title) on public.ticket to desk',
  },
  {
    title: 'row level security that hides rows',
    rejected: 'alter table public.ticket enable row level security',
    lines: ['select', 'insert', 'update', 'delete'].map(
      (privilege) => `IDB403 ${needs} (${privilege}): row level security of public.ticket now hides rows`,
    ),
    hint: /^Create a policy for desk/,
    instead:
      'alter table public.ticket enable row level security; create policy desk on public.ticket to desk using (true) with check (true)',
  },
  {
    title: "a view's owner that may not read what it reads",
    rejected: 'alter table public.ticket owner to postgres; revoke all on public.ticket from app',
    lines: [
      'IDB404 desk needs public.open_ticket (select): app, the owner of the view public.open_ticket, may not read public.ticket.id',
      'IDB404 desk needs public.open_ticket (select): app, the owner of the view public.open_ticket, may not read public.ticket.state',
      'IDB404 desk needs public.open_ticket (select): app, the owner of the view public.open_ticket, may not read public.ticket.title',
    ],
    hint: /^Grant it in the same transaction/,
    instead: 'alter table public.ticket owner to postgres; grant select on public.ticket to app',
  },
]

describe('a migration is rejected, and what its hint says passes', () => {
  test.each(cases)('$title', async ({ rejected, lines, hint, works, instead }) => {
    await desk.rows(work)
    const error = await database.failure(rejected)
    expect(error.detail?.split('\n')).toEqual(lines)
    expect(error.code).toBe('IDB01')
    expect(error.hint).toMatch(hint)
    await database.rows('rollback')
    await expectAllWell(database)

    await database.rows(
      `begin; select integratedb.set_enforcement('warn'); ${rejected.replace(/^begin;|commit$/g, '')}; set constraints all immediate; set role desk`,
    )
    const [, ...statements] = work.split(/;\n/)
    const failing = statements.slice(0, -1).join(';\n')
    if (works) await database.rows(failing)
    else await database.failure(failing)
    await database.rows('rollback')

    await database.rows(instead)
    if (!instead.startsWith(release)) await desk.rows(work)
    await expectAllWell(database)
  })
})

test('null that a table refuses which inherits: who updates the whole updates it, who inserts does not insert there', async () => {
  await database.rows(`
    create table public.vehicle (plate text, colour text); create table public.truck () inherits (public.vehicle);
    select integratedb.add_stakeholder('painter'), integratedb.add_stakeholder('registrar')`)
  const claim = (name: string, access: string) =>
    database.rows(`select from integratedb.set_claims('${name}', $1)`, [
      JSON.stringify({ match: [{ path: 'public.vehicle', fields: ['plate', 'colour'], access: ['select', access] }] }),
    ])
  await claim('registrar', 'insert')
  await database.rows('alter table public.truck alter plate set not null')
  await claim('painter', 'update')
  const { code, detail } = await database.failure('alter table public.truck alter colour set not null')
  expect({ code, detail }).toEqual({
    code: 'IDB01',
    detail: 'IDB212 painter needs public.vehicle.colour (null allowed): the column no longer accepts null',
  })
})

describe('what only may refuse is told', () => {
  test.each([
    [
      'alter table public.ticket add check (length(title) < 100)',
      `IDB302 ${needs}.title: the check constraint ticket_title_check was added: it can refuse what is written`,
    ],
    [
      'alter table public.ticket add unique (title)',
      `IDB302 ${needs}.title: the unique constraint ticket_title_key was added: it can refuse what is written`,
    ],
    [
      'create unique index one_title on public.ticket (title)',
      `IDB302 ${needs}.title: the unique index one_title was added: it can refuse what is written`,
    ],
    [
      `create function public.pass() returns trigger language plpgsql as 'begin return new; end';
       create trigger watch before insert on public.ticket for each row execute function public.pass()`,
      `IDB302 ${needs}: the trigger watch was added: it can refuse or change what is written`,
    ],
    [
      'create table public.answer (ticket int references public.ticket)',
      `IDB302 ${needs}.id: the foreign key answer_ticket_fkey of public.answer was added: it can refuse what is written`,
    ],
    [
      'alter table public.ticket add parent int generated always as (1) stored references public.ticket',
      // On each side: who deletes the 1, and who inserts where there is none.
      `IDB302 ${needs}: the foreign key ticket_parent_fkey was added: it can refuse what is written\nIDB302 ${needs}.id: the foreign key ticket_parent_fkey of public.ticket was added: it can refuse what is written`,
    ],
    [
      'create or replace view public.open_ticket as select id, upper(title) as title from public.ticket',
      "IDB304 desk needs public.open_ticket: the view's query was changed",
    ],
  ])('%s', async (sql, line) => {
    database.notices.length = 0
    await database.rows(sql)
    expect(database.notices.filter(({ severity }) => severity === 'WARNING').map(({ detail }) => detail)).toEqual([line])
    await expectAllWell(database)
    // Once: it is what is there now.
    database.notices.length = 0
    await database.rows('alter table public.ticket add column more text')
    expect(database.notices).toEqual([])
  })

  test('rows that a constraint refuses stop updates, and inserts only of the columns that are in it', async () => {
    await database.rows(`
      create table public.letter (id int, topic text, kind int default 1);
      insert into public.letter values (1, '', 7);
      create table public.kind_of (id int primary key);
      insert into public.kind_of values (1);
      select integratedb.add_stakeholder('writer')`)
    const added = async (columns: string[], access: string[], constraint: string): Promise<string | undefined> => {
      const match = [{ path: 'public.letter', fields: columns, access }]
      await database.rows(`select from integratedb.set_claims('writer', $1)`, [JSON.stringify({ match })])
      database.notices.length = 0
      await database.rows(`alter table public.letter add constraint new ${constraint} not valid`)
      await database.rows(
        `set role writer; insert into public.letter (topic) values ('a'); reset role; alter table public.letter drop constraint new`,
      )
      return database.notices[0]?.detail
    }
    const check = 'check (kind < 5)'
    const key = 'foreign key (kind) references public.kind_of'
    const warning = (name: string) => `IDB302 writer needs public.letter: the ${name} new was added: it can refuse what is written`
    expect(await added(['topic'], ['insert'], check)).toBe(warning('check constraint'))
    expect(await added(['topic'], ['insert'], key)).toBe(warning('foreign key'))
    expect(await added(['topic'], ['select', 'insert', 'update'], key)).toBe(warning('foreign key'))
    await database.rows(`set role writer; update public.letter set topic = 'b'; reset role`)
    const refused = { code: 'IDB01', detail: expect.stringMatching(/ new was added, and there are rows that it refuses$/) }
    await expect(added(['topic'], ['select', 'insert', 'update'], check)).rejects.toMatchObject(refused)
    await expect(added(['topic', 'kind'], ['insert'], check)).rejects.toMatchObject(refused)
    await expect(added(['topic', 'kind'], ['insert'], key)).rejects.toMatchObject(refused)
  })

  test('a check of the whole row, of a table or of one of its parts', async () => {
    await database.rows(`
      create table public.day (on_day date, note text) partition by range (on_day);
      create table public.today partition of public.day default;
      create table public.memo (note text);
      select integratedb.add_stakeholder('writer')`)
    const match = ['public.day', 'public.memo'].map((path) => ({ path, fields: ['note'], access: ['update'] }))
    await database.rows(`select from integratedb.set_claims('writer', $1)`, [JSON.stringify({ match })])
    for (const [table, what] of [
      ['today', 'public.day.note: the constraint whole of public.today'],
      ['memo', 'public.memo.note: the check constraint whole'],
    ]) {
      database.notices.length = 0
      await database.rows(`alter table public.${table} add constraint whole check (${table} is not null)`)
      expect(database.notices.filter(({ severity }) => severity === 'WARNING').map(({ detail }) => detail)).toEqual([
        `IDB302 writer needs ${what} was added: it can refuse what is written`,
      ])
      await database.rows(`alter table public.${table} drop constraint whole`)
    }
  })

  test('a partition made beside the default one, to who writes that or a part of it', async () => {
    await database.rows(`
      create table public.day (on_day date, note text) partition by range (on_day);
      create table public.rest partition of public.day default partition by list (note);
      create table public.rest_of_rest partition of public.rest default;
      create table public.first partition of public.day for values from ('2026-01-01') to ('2026-02-01');
      select integratedb.add_stakeholder('writer')`)
    const match = ['public.rest', 'public.rest_of_rest', 'public.first'].map((path) => ({ path, fields: '*', access: ['insert'] }))
    await database.rows(`select from integratedb.set_claims('writer', $1)`, [JSON.stringify({ match })])
    database.notices.length = 0
    await database.rows(`create table public.second partition of public.day for values from ('2026-02-01') to ('2026-03-01')`)
    expect(database.notices.map(({ detail }) => detail)).toEqual([
      ['rest', 'rest_of_rest']
        .map((name) => `IDB302 writer needs public.${name}: the partition bound was added: it can refuse what is written`)
        .join('\n'),
    ])
    expect(await database.rows('select paths from integratedb.migration order by id desc limit 1')).toEqual([
      { paths: ['public.rest', 'public.rest_of_rest'] },
    ])
    const stored = () => database.rows('select to_jsonb(k) from integratedb.claim k order by k.relid')
    for (const letGo of ['drop table public.second', 'alter table public.day detach partition public.first']) {
      await database.rows(letGo)
      const before = await stored()
      await database.rows('select from integratedb.sync()')
      expect(await stored()).toEqual(before)
    }
  })

  test('a unique index behind a view, to who writes through it', async () => {
    await database.rows(`
      create view public.draft as select id, title as name from public.ticket;
      create view public.reminder as select id, note from public.ticket;
      select integratedb.add_stakeholder('writer')`)
    const match = ['public.draft', 'public.reminder'].map((path) => ({ path, fields: '*', access: ['update'] }))
    await database.rows(`select from integratedb.set_claims('writer', $1)`, [JSON.stringify({ match })])
    database.notices.length = 0
    await database.rows('create unique index one_title on public.ticket (title)')
    expect(database.notices.map(({ detail }) => detail)).toEqual([
      [`IDB302 ${needs}.title`, 'IDB302 writer needs public.draft.name']
        .map((line) => `${line}: the unique index one_title was added: it can refuse what is written`)
        .join('\n'),
    ])
  })

  test('a unique index made CONCURRENTLY is valid, with its warning', async () => {
    database.notices.length = 0
    await database.rows('create unique index concurrently one_title on public.ticket (title)')
    expect(database.notices.map(({ detail }) => detail)).toEqual([
      `IDB302 ${needs}.title: the unique index one_title was added: it can refuse what is written`,
    ])
    expect(await database.value(`select indisvalid from pg_index where indexrelid = 'public.one_title'::regclass`)).toBe(true)
  })
})

test('a sequence that the default of a column’s domain calls is granted, and its owner may be another one', async () => {
  await database.rows(`
    create sequence kind.numbers; create domain kind.number as int default nextval('kind.numbers'); create domain kind.mark as kind.number;
    create table public.form (id int, n kind.mark not null);
    select integratedb.add_stakeholder('writer')`)
  const match = [{ path: 'public.form', fields: ['id'], access: ['insert'] }]
  await database.rows(`select from integratedb.set_claims('writer', $1)`, [JSON.stringify({ match })])
  const insert = async () => await database.rows('set role writer; insert into public.form values (1); reset role')
  await insert()
  expect((await database.failure('alter domain kind.mark drop default')).detail).toContain('IDB211 writer needs public.form.n')
  await database.rows('alter sequence kind.numbers owner to writer')
  await database.rows('alter sequence kind.numbers owner to app')
  await insert()
  await database.rows('alter domain kind.mark set default 7')
  await insert()
  expect(await database.value(`select has_sequence_privilege('writer', 'kind.numbers', 'usage')`)).toBe(false)
  // One that nobody calls any more is nobody's business.
  await database.rows('alter sequence kind.numbers owner to postgres')
  expect(await database.rows(`select from integratedb.migrations where 'ALTER SEQUENCE' = any (commands)`)).toHaveLength(2)
})

describe('what breaks nothing passes', () => {
  test('a column that others refer to gets another type, which makes their foreign keys anew', async () => {
    await database.rows(`
      create table public.kind_of as select id from public.ticket; alter table public.kind_of add primary key (id);
      alter table public.ticket add constraint kind_fkey foreign key (id) references public.kind_of;
      alter table public.kind_of alter id type bigint`)
    await expectAllWell(database)
    database.notices.length = 0
    await database.rows('alter table public.ticket alter constraint kind_fkey deferrable')
    expect(database.notices).toEqual([])
  })

  test.each([
    "alter table public.ticket add column extra text not null default ''",
    'alter table public.ticket owner to desk; alter table public.ticket owner to app',
    'begin; alter table public.ticket owner to desk; alter table public.ticket owner to app; commit',
    'alter view public.open_ticket set (security_invoker = true)',
    'alter table public.person rename constraint person_email_key to renamed',
    'alter sequence public.ticket_id_seq rename to renamed',
    "alter table public.ticket alter inner_note set default 'x'",
    'alter table public.ticket drop column inner_note',
    'refresh materialized view public.stored',
  ])('%s', async (sql) => {
    await database.rows('create materialized view public.stored as select 1 as x')
    database.notices.length = 0
    await database.rows(sql)
    expect(database.notices).toEqual([])
    await desk.rows(work)
    await expectAllWell(database)
  })
})
