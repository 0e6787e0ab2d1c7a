// More claims than an engine should be handed at once: they are looked at in parts, and nothing is told twice or not at all.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { setClaims } from '../support/oracle.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows(`select integratedb.add_stakeholder('reporter');
    create schema app;
    create schema gone;
    create schema old;
    create table gone.thing (id int);
    create table old.a (id int);
    do $$ begin for i in 1..1200 loop execute format('create table app.t%s (id int, name text)', i); end loop; end $$`)
  await setClaims(database, 'reporter', [
    { path: 'app.*', fields: '*' },
    { path: 'gone.*', fields: '*' },
    {
      alternatives: [
        { path: 'old.a', fields: ['id'] },
        { path: 'app.t1199', fields: ['id'] },
      ],
    },
  ])
})
afterAll(() => database.drop())

const unmet = async (most: number | null) =>
  (
    await database.rows<{ line: string }>(
      "select concat_ws(' ', code, path, field) as line from integratedb.unmet_claims($1) order by path, field",
      [most],
    )
  ).map(({ line }) => line)

test('what does not hold of many claims is told, once each, and no more than was asked for', async () => {
  expect(await unmet(null)).toEqual([])
  await database.rows(`select integratedb.set_enforcement('off');
    drop table app.t5;
    alter table app.t700 drop column name;
    drop table app.t1199;
    drop schema gone cascade;
    select integratedb.set_enforcement('enforce')`)
  const all = ['IDB101 app.t1199', 'IDB101 app.t5', 'IDB201 app.t700 name', 'IDB101 gone.thing']
  expect(await unmet(null)).toEqual(all) // the alternative is old.a
  expect(await unmet(2)).toHaveLength(2)
  await database.rows(`select integratedb.set_enforcement('off'); drop table old.a; select integratedb.set_enforcement('enforce')`)
  expect((await unmet(null)).filter((line) => !all.includes(line))).toEqual(['IDB101 old.a'])
})
