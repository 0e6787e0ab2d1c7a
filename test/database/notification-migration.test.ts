// A migration on a published table just works, or is rejected: what is published follows in the same transaction.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create table public.orders (id bigint primary key, total numeric, status text, note text);
    insert into public.orders values (1, 10, 'open', 'n');
    create schema shop;
    create table shop.item (id int primary key, name text);
    select integratedb.add_stakeholder('notified');
    select integratedb.set_claims('notified', '{"match": [
      {"path": "public.orders", "fields": ["id", "total", {"name": "status", "optional": true}]}, {"path": "shop.*", "fields": "*"}]}')`)
  await set({ path: 'public.orders' }, { path: 'shop.*' })
})
afterEach(() => database.drop())

async function set(...match: Record<string, unknown>[]): Promise<void> {
  const document = {
    match: match.map((each) => ({ events: ['*'], channels: ['*'], ...each })),
    channels: [{ name: 'events', kind: 'QUEUE' }],
  }
  await database.rows('select * from integratedb.set_notifications($1, $2)', ['notified', JSON.stringify(document)])
}

async function published(): Promise<unknown[]> {
  const rows = await database.rows<{ name: string }>(
    `select r.prrelid::regclass::text as name from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
      where p.pubname = 'integratedb' order by 1`,
  )
  return rows.map(({ name }) => name).filter((name) => name !== 'integratedb.subscription_version')
}

/** What the notifier is told last, and how many times it was told. */
async function told(): Promise<{ versions: number; subscriptions: Record<string, unknown>[] }> {
  const [row] = await database.rows<{ versions: number; subscriptions: Record<string, unknown>[] }>(
    `select count(*) as versions, (array_agg(state->'subscriptions' order by version desc))[1] as subscriptions from integratedb.subscription_version`,
  )
  if (row === undefined) throw new Error('no version')
  return row
}

async function subscriptions(): Promise<unknown[]> {
  return await database.rows('select path, fields, status, reason from integratedb.subscriptions')
}

/** The application's own statements go on. */
async function write(table = 'public.orders'): Promise<void> {
  await database.rows(`update ${table} set id = id; delete from ${table}; truncate ${table}`)
}

describe('goes through', () => {
  test.each([
    ['dropping a column that is not claimed', 'alter table public.orders drop column note'],
    [
      'dropping a column with CASCADE',
      'create view v as select note from public.orders; alter table public.orders drop column note cascade',
    ],
    ['another type', 'alter table public.orders alter note type varchar(20)'],
    ['renaming and back', 'begin; alter table public.orders rename to o2; alter table public.orders rename total to t; rollback; select 1'],
    ['another replica identity', 'alter table public.orders replica identity full'],
    [
      'dropping the primary key for another index',
      'begin; alter table public.orders drop constraint orders_pkey; create unique index other on public.orders (id); alter table public.orders alter id set not null, replica identity using index other; commit',
    ],
    ['an index', 'create index on public.orders (total); drop index public.orders_total_idx'],
    ['another owner', 'create role other_owner; alter table public.orders owner to other_owner'],
  ])('%s', async (_, ddl) => {
    await database.rows(ddl.replace('public.orders rename total', 'public.o2 rename total'))
    expect(await published()).toEqual(['public.orders', 'shop.item'].map((name) => name.replace('public.', '')))
    await write()
  })

  test('drop and recreate: the new table is published, and the notifier told of it', async () => {
    const before = await told()
    await database.rows(
      'begin; drop table public.orders; create table public.orders (id bigint primary key, total numeric, status text); commit',
    )
    const after = await told()
    const oid = await database.value(`select 'public.orders'::regclass::oid::bigint`)
    expect(after.versions).toBe(before.versions + 1)
    expect(after.subscriptions[0]).toEqual({ ...before.subscriptions[0], relation: oid })
    expect(await published()).toEqual(['orders', 'shop.item'])
  })

  test('a new table in a wildcard is published at once, one that cannot be is told of, until it can', async () => {
    await database.rows('create table shop.price (item int primary key, price numeric)')
    expect(await published()).toEqual(['orders', 'shop.item', 'shop.price'])
    database.notices.length = 0
    await database.rows('create table shop.log (line text)')
    expect(database.notices.map(({ detail }) => detail)).toEqual([
      'IDB501 notified needs shop.log (notifications): log has no replica identity: once it is published, UPDATE and DELETE of it would fail',
    ])
    expect(await published()).toEqual(['orders', 'shop.item', 'shop.price'])
    await database.rows('update shop.price set price = 1; delete from shop.price')
    await database.rows('insert into shop.log values (1); update shop.log set line = 2; delete from shop.log')
    expect(await subscriptions()).toContainEqual({ path: 'shop.log', fields: ['line'], status: 'unmet', reason: expect.any(String) })
    await database.rows('alter table shop.log replica identity full')
    expect(await published()).toEqual(['orders', 'shop.item', 'shop.log', 'shop.price'])
  })

  test('a new column is in the events of who takes all fields; an optional one that goes leaves them', async () => {
    await database.rows('alter table shop.item add column price numeric; alter table public.orders drop column status')
    expect((await told()).subscriptions.map(({ fields }) => fields)).toEqual([
      ['id', 'total'],
      ['id', 'name', 'price'],
    ])
  })

  test('what touches no subscription tells the notifier nothing', async () => {
    const before = await told()
    await database.rows(
      'create table public.unrelated (id int); alter table public.orders add column more int; comment on table public.orders is $$x$$',
    )
    expect(await told()).toEqual(before)
  })
})

describe('is rejected with IDB501, and what its hint says passes', () => {
  test.each([
    ['the primary key goes', 'alter table public.orders drop constraint orders_pkey', 'orders has no replica identity'],
    ['the column of the key goes', 'alter table shop.item drop column id, add column id int not null', 'item has no replica identity'],
    ['the identity is none', 'alter table public.orders replica identity nothing', 'orders has no replica identity'],
  ])('%s', async (_, ddl, message) => {
    const error = await database.failure(ddl)
    expect([error.code, error.constraint]).toEqual(['IDB01', 'claims_hold'])
    expect(error.detail).toContain('IDB501 notified needs ')
    expect(error.detail).toContain(message)
    expect(error.hint).toContain('REPLICA IDENTITY FULL')
    const table = error.table === 'item' ? 'shop.item' : 'public.orders'
    await database.rows(`begin; ${ddl}; alter table ${table} replica identity full; commit`)
    expect(await published()).toEqual(['orders', 'shop.item'])
    await write(table)
  })

  test('the index goes that the identity rests on', async () => {
    await database.rows('create unique index other on public.orders (id); alter table public.orders replica identity using index other')
    const error = await database.failure('drop index public.other')
    expect([error.code, error.table]).toEqual(['IDB01', 'orders'])
    await database.rows('begin; drop index public.other; alter table public.orders replica identity default; commit')
    await write()
  })

  test('a table becomes a view', async () => {
    const ddl = 'alter table public.orders rename to orders_v2; create view public.orders as select id, total, status from public.orders_v2'
    const error = await database.failure(`begin; ${ddl}; commit`)
    expect(error.detail).toBe(
      'IDB501 notified needs public.orders (notifications): it is no table: what happens behind it is not in the stream',
    )
    await database.rows('rollback')
    await set({ path: 'shop.*' }) // given up first
    await database.rows(`begin; ${ddl}; commit`)
    expect(await published()).toEqual(['shop.item'])
  })

  test('a partition comes without an identity; a child of a table, too', async () => {
    await database.rows(`
      create table public.parted (id int, at date) partition by list (id);
      alter table public.parted replica identity full;
      create table public.parent (id int primary key);
      select integratedb.set_claims('notified', '{"match": [{"path": "public.parted", "fields": "*"}, {"path": "public.parent", "fields": "*"}]}')`)
    await set({ path: 'public.parted' }, { path: 'public.parent' })
    for (const ddl of [
      'create table public.part1 partition of public.parted for values in (1)',
      'create table public.child () inherits (public.parent)',
    ]) {
      const error = await database.failure(ddl)
      expect([error.code, error.detail]).toEqual(['IDB01', expect.stringMatching(/(part1|child) has no replica identity/)])
      const name = /table (\S+)/.exec(ddl)?.[1]
      await database.rows(
        `begin; ${ddl}; alter table ${name} replica identity full; commit; insert into ${name} values (1); update ${name} set id = 1`,
      )
    }
    expect(await published()).toEqual(['child', 'parent', 'parted'])
  })

  test('a partition is attached without an identity; one is detached, also concurrently, and is told of no more', async () => {
    await database.rows(`
      create table public.parted (id int primary key, at date) partition by list (id);
      create table public.part1 partition of public.parted for values in (1);
      create table public.part2 (id int not null, at date);
      select integratedb.set_claims('notified', '{"match": [{"path": "public.parted", "fields": "*"}]}')`)
    await set({ path: 'public.parted' })
    const attach = 'alter table public.parted attach partition public.part2 for values in (2)'
    await database.rows(attach) // the parent's key makes one for it
    for (const statement of [
      'insert into public.parted values (1), (2)',
      'update public.parted set at = now()',
      'delete from public.parted',
    ])
      await database.rows(statement)
    await database.rows('alter table public.parted detach partition public.part1')
    await database.rows('alter table public.parted detach partition public.part2 concurrently')
    expect(await published()).toEqual(['parted'])
    await database.rows('alter table public.part1 replica identity nothing; alter table public.part2 replica identity nothing')
    await write('public.part1')
    await write('public.part2')
    const error = await database.failure('alter table public.parted attach partition public.part1 for values in (1)')
    expect([error.code, error.detail]).toEqual(['IDB01', expect.stringContaining('part1 has no replica identity')])
    await database.rows('alter table public.part1 replica identity full')
    await database.rows('alter table public.parted attach partition public.part1 for values in (1)')
    await write('public.parted')
  })

  test('a table that is told of itself becomes a partition; a partition of what is told of becomes its own', async () => {
    await database.rows('create table public.parted (id bigint primary key, total numeric, status text, note text) partition by list (id)')
    const error = await database.failure('alter table public.parted attach partition public.orders for values in (1)')
    expect([error.code, error.detail]).toEqual([
      'IDB01',
      `IDB501 notified needs public.orders (notifications): it is a partition: what happens to its rows is told as its parent's`,
    ])
  })

  test('a table becomes unlogged: Postgres itself refuses, until nothing is told of it', async () => {
    const ddl = 'alter table public.orders set unlogged'
    expect((await database.failure(ddl)).message).toContain('it is part of a publication')
    await set({ path: 'shop.*' })
    await database.rows(ddl)
    expect(
      (
        await database.failure('select * from integratedb.set_notifications($1, $2)', [
          'notified',
          JSON.stringify({
            match: [{ path: 'public.orders', events: ['*'], channels: ['*'] }],
            channels: [{ name: 'events', kind: 'QUEUE' }],
          }),
        ])
      ).detail,
    ).toBe('/match/0/path: public.orders: orders is not logged, and so not in the stream')
    await database.rows('alter table public.orders set logged')
    await set({ path: 'public.orders' })
    await write()
  })

  test('a child that inherits no more is told of no more', async () => {
    await database.rows(`
      create table public.parent (id int primary key); create table public.child () inherits (public.parent); alter table public.child replica identity full;
      select integratedb.set_claims('notified', '{"match": [{"path": "public.parent", "fields": "*"}]}')`)
    await set({ path: 'public.parent' })
    expect(await published()).toEqual(['child', 'parent'])
    await database.rows('alter table public.child no inherit public.parent')
    expect(await published()).toEqual(['parent'])
    await database.rows('alter table public.child inherit public.parent')
    expect(await published()).toEqual(['child', 'parent'])
  })

  test('a condition loses the values that it needs', async () => {
    await database.rows('alter table public.orders replica identity full')
    await set({ path: 'public.orders', where: 'changed(total)' })
    const error = await database.failure('alter table public.orders replica identity default')
    expect(error.detail).toBe(
      'IDB501 notified needs public.orders (notifications): "where" needs the value before of total, which the replica identity does not cover',
    )
  })

  test.each([
    'alter publication integratedb drop table public.orders',
    'alter publication integratedb rename to other',
    'drop publication integratedb',
  ])('%s', async (ddl) => {
    const error = await database.failure(ddl)
    expect([error.code, error.detail]).toEqual([
      'IDB01',
      expect.stringContaining('public.orders (notifications): it was taken out of the publication'),
    ])
    expect(await published()).toEqual(['orders', 'shop.item'])
  })

  test('what else somebody does to the publication is undone', async () => {
    await database.rows(`create table public.stranger (id int)`)
    for (const ddl of [
      'alter publication integratedb add table public.stranger',
      `alter publication integratedb set (publish = 'insert', publish_via_partition_root = false)`,
      'alter publication integratedb set table integratedb.subscription_version, public.orders (id, total, status), shop.item where (id > 1)',
    ]) {
      await database.rows(ddl)
      expect(await published()).toEqual(['orders', 'shop.item'])
      expect(
        await database.rows(
          `select pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot from pg_publication where pubname = 'integratedb'`,
        ),
      ).toEqual([{ pubinsert: true, pubupdate: true, pubdelete: true, pubtruncate: true, pubviaroot: true }])
      expect(await database.value('select count(*) from pg_publication_rel where prqual is not null or prattrs is not null')).toBe(0)
    }
  })
})

test('check_migration tells of it, and changes nothing', async () => {
  const before = await told()
  expect(
    await database.rows(
      `select code, severity, path from integratedb.check_migration('alter table public.orders replica identity nothing')`,
    ),
  ).toEqual([{ code: 'IDB501', severity: 'breaking', path: 'public.orders' }])
  expect(await told()).toEqual(before)
})

test.each(['warn', 'off'])(
  'with enforcement %s it goes through, and out of the publication: the application can still write',
  async (enforcement) => {
    await database.rows(`select integratedb.set_enforcement('${enforcement}')`)
    await database.rows('alter table public.orders drop constraint orders_pkey')
    expect(await published()).toEqual(['shop.item'])
    await write()
    expect(await subscriptions()).toContainEqual({
      path: 'public.orders',
      fields: ['id', 'total', 'status'],
      status: 'unmet',
      reason: expect.stringContaining('no replica identity'),
    })
    await database.rows(`alter table public.orders add primary key (id)`)
    await database.rows(`select integratedb.set_enforcement('enforce')`)
    expect(await published()).toEqual(['orders', 'shop.item'])
  },
)

test('an index that goes CONCURRENTLY has gone already: the table is out of the publication, and can be written', async () => {
  await database.rows('create unique index other on public.orders (id); alter table public.orders replica identity using index other')
  database.notices.length = 0
  await database.rows('drop index concurrently public.other')
  expect(database.notices).toMatchObject([
    { severity: 'WARNING', code: 'IDB01', detail: expect.stringContaining('IDB501 notified needs public.orders') },
  ])
  expect(await published()).toEqual(['shop.item'])
  await write()
  await database.rows('alter table public.orders replica identity default')
  expect(await published()).toEqual(['orders', 'shop.item'])
})

test('claims that go take their subscriptions along, with a warning, and bring them back', async () => {
  const claims = await database.value('select integratedb.get_claims($1)', ['notified'])
  database.notices.length = 0
  await database.rows(`select integratedb.set_claims('notified', '{"match": [{"path": "public.orders", "fields": ["id"]}]}')`)
  expect(await published()).toEqual(['orders'])
  expect((await told()).subscriptions).toMatchObject([{ path: 'public.orders', fields: ['id'] }])
  await database.rows(`select integratedb.remove_claims('notified')`)
  expect(database.notices.map(({ message }) => message)).toEqual(['notified is no longer told of all that its notifications ask for'])
  expect(await published()).toEqual([])
  expect((await told()).subscriptions).toEqual([])
  await database.rows('select integratedb.set_claims($1, $2)', ['notified', JSON.stringify(claims)])
  expect(await published()).toEqual(['orders', 'shop.item'])
})

test('a stakeholder is renamed, and removed', async () => {
  await database.rows(`select integratedb.rename_stakeholder('notified', 'Told "x"')`)
  expect(
    await database.rows('select stakeholder, state is null as gone from integratedb.subscription_version order by version desc limit 2'),
  ).toEqual([
    { stakeholder: 'Told "x"', gone: false },
    { stakeholder: 'notified', gone: true },
  ])
  expect(await database.value(`select count(*) from "Told ""x""".events`)).toBe(0)
  await database.rows(`select integratedb.remove_stakeholder('Told "x"', keep_data => false)`)
  expect(await published()).toEqual([])
  expect(
    await database.rows('select stakeholder, state is null as gone from integratedb.subscription_version order by version desc limit 1'),
  ).toEqual([{ stakeholder: 'Told "x"', gone: true }])
  expect(await database.value('select count(*) from integratedb.channel')).toBe(0)
})
