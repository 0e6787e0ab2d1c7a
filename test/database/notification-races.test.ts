/**
 * Two sessions at once, in every order of their steps, of which one changes who is told of what: afterwards no subscription is to
 * what is not there, the publication holds what they say, and the application's own UPDATE and DELETE work.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { type Actor, interleave, type Level, schedules } from '../support/interleave.ts'

// Each takes moments, and more on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reporter'), integratedb.add_stakeholder('billing')`)
})
afterAll(() => database.drop())

const tables = `create schema shop; create schema other;
  create table shop.orders (id int not null constraint orders_pkey primary key, code int not null, total numeric, note text);
  create unique index orders_code on shop.orders (code);
  create table shop.item (id int primary key, name text);
  create table shop.parted (id int not null, at int not null) partition by list (id);
  create table shop.part partition of shop.parted for values in (1);
  alter table shop.parted replica identity full; create unique index part_at on shop.part (at); alter table shop.part replica identity using index part_at;
  create table shop.parent (id int primary key); create table shop.child (more int) inherits (shop.parent);
  alter table shop.child replica identity full;
  insert into shop.orders values (1, 1, 1, 'n'); insert into shop.item values (1, 'n'); insert into shop.parted values (1, 1); insert into shop.child values (1)`

/** Everything as before, so that one database serves all schedules. */
async function reset(setup: string): Promise<void> {
  await database.rows(`select integratedb.remove_notifications(name), integratedb.remove_claims(name) from integratedb.stakeholders`)
  await database.rows('drop schema if exists shop, moved, other cascade')
  for (const statement of `${tables}; ${setup}`.split(';')) await database.rows(statement)
}

function told(stakeholder: string, ...match: Record<string, unknown>[]): string {
  const document = {
    match: match.map((each) => ({ events: ['*'], channels: ['*'], ...each })),
    channels: [{ name: 'hook', kind: 'WEBHOOK', url: 'https://example.org', secrets: ['INTEGRATEDB_SECRET_A'] }],
  }
  return `select from integratedb.set_notifications('${stakeholder}', '${JSON.stringify(document)}')`
}

function claims(stakeholder: string, ...match: Record<string, unknown>[]): string {
  return `select from integratedb.set_claims('${stakeholder}', '${JSON.stringify({ match })}')`
}

async function published(): Promise<string[]> {
  const rows = await database.rows<{ name: string }>(
    `select r.prrelid::regclass::text as name from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
      where p.pubname = 'integratedb' and r.prrelid <> 'integratedb.subscription_version'::regclass order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** What the notifier goes by, as the last versions tell it. */
const state = `select stakeholder, state->'channels' as channels, array(
    -- A child that was dropped is in no stream any more.
    select s from jsonb_array_elements(state->'subscriptions') s where exists (select from pg_class where oid = (s->>'relation')::oid)) as subscriptions
  from (select distinct on (stakeholder) stakeholder, state from integratedb.subscription_version order by stakeholder, version desc) v`

async function survives(a: Actor, b: Actor, setup = '', more: () => Promise<void> = async () => {}): Promise<void> {
  // One after the other is a matter of snapshots that are older; without them it is what other tests are about.
  const isOlder = [a, b].some(({ level }) => level !== 'read committed')
  for (const schedule of isOlder ? schedules : schedules.slice(0, 4)) {
    await reset(setup)
    const outcomes = await interleave(database, a, b, schedule)
    const told = `${a.sql} | ${b.sql} | ${schedule}: ${outcomes.join(', ')}`
    // Rejected, or to be run again. The last is Postgres's own: two transactions changed one row of the catalogue.
    const ends = ['done', 'IDB01', 'IDB03', '40001', '40P01', 'XX000 tuple concurrently (updated|deleted)']
    // Somebody who alters our publication by hand finds it another one, or is in the way of who holds the epoch.
    if (/publication/.test(`${a.sql} ${b.sql}`)) ends.splice(0, 0, '42704')
    // Postgres itself keeps a table that is published from it.
    if (/unlogged/.test(b.sql)) ends.push('55000')
    for (const [at, outcome] of outcomes.entries()) {
      const isOurs = /integratedb\.[a-z]+_/.test(([a, b][at] as Actor).sql)
      const own = isOurs ? ends.slice(0, /publication/.test(`${a.sql} ${b.sql}`) ? 6 : 4) : ends
      expect(outcome, told).toMatch(new RegExp(`^(${own.join('|')})`))
    }
    await expectSound(told)
    await more()
  }
}

async function expectSound(told: string): Promise<void> {
  // Whom the subscriptions are to, without any of our code.
  const wanted = await database.rows<{ name: string }>(
    `with recursive family (oid) as (
       select s.relid::oid from integratedb.subscription s where s.status = 'met'
       union
       select i.inhrelid from family f join pg_class c on c.oid = f.oid and c.relkind = 'r' join pg_inherits i on i.inhparent = f.oid
     ) select oid::regclass::text as name from family order by 1`,
  )
  expect(await published(), told).toEqual(wanted.map(({ name }) => name))
  expect(
    await database.rows(
      `select s.stakeholder, s.schema_name, s.relation_name, f.field
         from integratedb.subscription s cross join unnest(s.fields) f (field)
        where s.status = 'met' and not exists (
          select from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
           where c.oid = s.relid::oid and n.nspname = s.schema_name and c.relname = s.relation_name and a.attname = f.field
             and has_column_privilege(s.stakeholder, c.oid, a.attnum, 'select'))`,
    ),
    told,
  ).toEqual([])
  // The application goes on.
  const all = await database.rows<{ name: string; column: string }>(
    `select c.oid::regclass::text as name, quote_ident(min(a.attname)) as column from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace in (select oid from pg_namespace where nspname in ('shop', 'moved', 'other')) and c.relkind in ('r', 'p') group by c.oid`,
  )
  for (const { name, column } of all) {
    for (const statement of [`update ${name} set ${column} = ${column}`, `delete from ${name}`]) {
      const outcome = await database.rows(`begin; ${statement}; rollback`).then(
        () => 'done',
        (error) => database.rows('rollback').then(() => error.message),
      )
      expect(`${statement}: ${outcome}`, told).toBe(`${statement}: done`)
    }
  }
  // The notifier goes by what is there, and expanding everything anew changes nothing.
  const before = [
    await database.rows('select * from integratedb.subscription order by 1, 2, 3, 4'),
    await published(),
    await database.rows(state),
  ]
  await database.rows('select * from integratedb.sync()')
  expect(
    [await database.rows('select * from integratedb.subscription order by 1, 2, 3, 4'), await published(), await database.rows(state)],
    told,
  ).toEqual(before)
}

const read = (sql: string): Actor => ({ sql, level: 'read committed' })
const all = claims('reporter', { path: 'shop.*', fields: '*' })

/** On what set_notifications speaks of meanwhile. */
const migrations = [
  'alter table shop.orders drop column total',
  'alter table shop.orders rename total to amount',
  'alter table shop.orders alter total type text',
  'alter table shop.orders rename to purchase',
  'alter table shop.orders set schema other',
  'drop table shop.orders',
  'drop table shop.orders; create table shop.orders (id int primary key, code int, total numeric, note text)',
  'alter schema shop rename to moved',
  // What the application's UPDATE needs.
  'alter table shop.orders drop constraint orders_pkey',
  'alter table shop.orders replica identity nothing',
  'alter table shop.orders set unlogged',
]

/** Of those what is tried above READ COMMITTED. */
const sample = /drop column|create table shop.orders|drop constraint|drop index|publication|no inherit/

describe.each(['read committed', 'repeatable read'] as const)('set_notifications against a migration at %s', (level) => {
  test.each(level === 'read committed' ? migrations : migrations.filter((each) => sample.test(each)))('%s', async (migration) => {
    await survives(read(told('reporter', { path: 'shop.orders' })), { sql: migration, level }, all)
  })

  test.each(
    [
      ['orders', 'drop index shop.orders_code', 'alter table shop.orders replica identity using index orders_code'],
      ['parted', 'drop index shop.part_at', ''],
      ['parted', 'alter table shop.part replica identity nothing', ''],
      ['parted', 'create table shop.part_2 partition of shop.parted for values in (2)', ''],
      ['parted', 'alter table shop.parted detach partition shop.part', ''],
      ['parent', 'alter table shop.child replica identity nothing', ''],
      ['parent', 'create table shop.child_2 () inherits (shop.parent)', ''],
      ['parent', 'alter table shop.child no inherit shop.parent', ''],
      ['parent', 'drop table shop.child', ''],
      ['parent', 'alter publication integratedb drop table only shop.parent', ''],
      ['parent', 'drop publication integratedb', ''],
      ['*', 'create table shop.later (id int primary key)', ''],
      ['*', 'create table shop.bare (id int)', ''],
    ].filter(([, migration]) => level === 'read committed' || sample.test(migration ?? '')),
  )('what %s rests on: %s', async (table, migration, setup) => {
    const claim = table === '*' ? all : claims('reporter', { path: `shop.${table}`, fields: '*' })
    await survives(read(told('reporter', { path: `shop.${table}` })), { sql: migration, level }, `${setup}; ${claim}`)
  })
})

describe('set_notifications against other calls', () => {
  const orders = { path: 'shop.orders', fields: ['id', 'total'] }
  const claimed = claims('reporter', { path: 'shop.orders', fields: ['id', 'total'] })

  test.each([
    ['a field is given up', claims('reporter', { path: 'shop.orders', fields: ['id'] })],
    ['the table is given up', claims('reporter', { path: 'shop.item', fields: '*' })],
    ['all claims are', `select integratedb.remove_claims('reporter')`],
    ['the stakeholder goes', `select integratedb.remove_stakeholder('reporter')`],
  ])('%s', async (_, call) => {
    const both = [read(told('reporter', orders)), read(call)] as const
    if (/remove_stakeholder/.test(call)) {
      for (const schedule of schedules) {
        await reset(claimed)
        const outcomes = await interleave(database, ...both, schedule)
        expect(outcomes, schedule).toEqual([expect.stringMatching(/^(done|IDB04)/), 'done'])
        expect(await published(), schedule).toEqual([])
        expect(await database.value('select count(*) from integratedb.channel'), schedule).toBe(0)
        await database.rows(`drop schema reporter cascade; select integratedb.add_stakeholder('reporter')`)
      }
    } else await survives(...both, claimed)
  })

  test('of the same stakeholder: the last one counts, whole', async () => {
    await survives(
      read(told('reporter', { path: 'shop.orders' })),
      read(told('reporter', { path: 'shop.item', where: 'id > 1' })),
      all,
      async () => {
        const rows = await database.rows<{ path: string }>('select path from integratedb.subscriptions')
        const [{ document }] = (await database.rows(`select integratedb.get_notifications('reporter') as document`)) as [
          { document: { match: { path: string }[] } },
        ]
        expect(rows.map(({ path }) => path)).toEqual(document.match.map(({ path }) => path))
      },
    )
  })

  const both = `${claims('reporter', { path: 'shop.orders', fields: '*' })}; ${claims('billing', { path: 'shop.orders', fields: '*' })}`

  test('of two stakeholders, on the same table', async () => {
    await survives(read(told('reporter', { path: 'shop.orders' })), read(told('billing', { path: 'shop.orders' })), both, async () =>
      expect(await database.rows('select stakeholder, status from integratedb.subscriptions')).toEqual([
        { stakeholder: 'billing', status: 'met' },
        { stakeholder: 'reporter', status: 'met' },
      ]),
    )
  })

  test('the last that was told of a table is told no more, while another begins to be', async () => {
    await survives(
      read(`select integratedb.remove_notifications('reporter')`),
      read(told('billing', { path: 'shop.orders' })),
      `${both}; ${told('reporter', { path: 'shop.orders' })}`,
      async () => expect(await published()).toEqual(['shop.orders']),
    )
  })

  test('the last of all goes, and with it the last notifier', async () => {
    for (const schedule of schedules) {
      await reset(`${both}; ${told('reporter', { path: 'shop.orders' })}`)
      await database.rows(`select integratedb.add_notifier('bell')`)
      const outcomes = await interleave(
        database,
        read(`select integratedb.remove_notifications('reporter'); select integratedb.remove_notifier('bell')`),
        read(told('billing', { path: 'shop.orders' })),
        schedule,
      )
      expect(outcomes, schedule).toEqual(['done', 'done'])
      await expectSound(schedule)
      expect(await published()).toEqual(['shop.orders'])
    }
  })
})

describe.each(['read committed', 'repeatable read'] as const)('what is published already, against a migration at %s', (level: Level) => {
  const setup = `${all}; ${told('reporter', { path: 'shop.*' })}`
  test.each([
    ['alter table shop.orders drop column total', 'alter table shop.item add column price int'],
    ['alter table shop.orders drop constraint orders_pkey', `select integratedb.remove_notifications('reporter')`],
    ['drop table shop.orders', `select integratedb.remove_claims('reporter')`],
    ['create table shop.later (id int primary key)', 'create table shop.later_2 (id int primary key)'],
    [
      'alter table shop.orders set schema other',
      `select from integratedb.set_claims('reporter', '{"match": [{"path": "shop.item", "fields": "*"}]}')`,
    ],
    ['alter publication integratedb drop table shop.item', told('reporter', { path: 'shop.orders' })],
    ['drop publication integratedb', told('reporter', { path: 'shop.orders' })],
  ])('%s | %s', async (migration, other) => {
    await survives({ sql: migration, level }, read(other), setup)
  })
})
