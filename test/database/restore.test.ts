// A dump, restored into another database: the same names, other oids. After sync() everything works.

import { execFileSync, spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { complaints, diagnosis, grantsAndClaims, installFile, inventory } from '../support/installation.ts'

const tables = `
  create schema shop;
  create table shop.customer (id int primary key, name varchar(40) not null, email text);
  create table shop.orders (id int primary key, customer int references shop.customer, total numeric(10, 2), note text);
  create table shop.secret (id int primary key, pin text);
  create view shop.big_order as select id, total from shop.orders where total > 100;
  insert into shop.customer values (1, 'Ada', null);
  insert into shop.orders values (1, 1, 120, 'x');`

const documents = {
  reporter: {
    match: [
      { path: 'shop.orders', fields: ['id', { name: 'total', type: 'numeric' }] },
      { path: 'shop.big_order', fields: '*' },
    ],
  },
  mirror: { match: [{ path: 'shop.*', fields: '*' }] },
  mailer: {
    match: [
      {
        alternatives: [
          { path: 'shop.contact', fields: ['email'] },
          { path: 'shop.customer', fields: ['email'] },
        ],
      },
      { path: 'shop.orders', fields: ['id', { name: 'sent_at', optional: true }] },
    ],
  },
}
const stakeholders = Object.keys(documents)

let source: TestDatabase
let target: TestDatabase

beforeEach(async () => {
  source = await TestDatabase.create()
  await source.rows(tables)
  for (const [name, document] of Object.entries(documents)) {
    await source.rows('select integratedb.add_stakeholder($1)', [name])
    await source.rows('select integratedb.set_claims($1, $2)', [name, JSON.stringify(document)])
  }
  await source.rows('alter table shop.customer add phone text')
  await (await source.connect('reporter')).rows('create table reporter.cache (id int); insert into reporter.cache values (7)')
  target = await TestDatabase.create(null)
})
afterEach(async () => {
  // Roles are the cluster's: both databases use them.
  for (const database of [source, target]) {
    for (const name of stakeholders) await database.rows(`drop owned by ${name} cascade`).catch(() => {})
    await database
      .rows(
        'drop event trigger if exists integratedb_note_ddl; drop event trigger if exists integratedb_note_drop; drop schema if exists integratedb cascade',
      )
      .catch(() => {})
    for (const name of stakeholders) await database.rows(`drop owned by ${name} cascade`).catch(() => {})
  }
  await target.drop()
  await source.drop()
})

/** pg_dump, where one is at hand that is not older than the server. */
function dumper(server: number): boolean {
  const { stdout } = spawnSync('pg_dump', ['--version'], { encoding: 'utf8' })
  return Number(/\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0) >= server
}

async function restoreDump(): Promise<void> {
  // INSERT and not COPY, so that any client can run it; \restrict is for psql alone.
  const dump = execFileSync('pg_dump', ['--inserts', source.url()], { encoding: 'utf8', maxBuffer: 1e9 })
  const session = await target.connect()
  await session.rows(dump.replace(/^\\.*$/gm, ''))
}

/** The same in plain SQL: objects, rows, privileges and, last, event triggers. */
async function restoreByHand(): Promise<void> {
  await target.rows(installFile)
  const eventTriggers = await source.rows<{ statement: string }>(`
    select format('create event trigger %I on %s %s execute function %s(); alter event trigger %I enable always',
      evtname, evtevent, 'when tag in (' || (select string_agg(quote_literal(t), ', ') from unnest(evttags) t) || ')', evtfoid::regproc, evtname) as statement
      from pg_event_trigger`)
  await target.rows(
    'drop event trigger integratedb_note_ddl; drop event trigger integratedb_note_drop; delete from integratedb.setting; delete from integratedb.epoch',
  )
  await target.rows(tables)
  await target.rows('alter table shop.customer add phone text')
  for (const name of stakeholders) await target.rows(`create schema ${name} authorization ${name}`)
  await target.rows(
    'create table reporter.cache (id int); alter table reporter.cache owner to reporter; insert into reporter.cache values (7)',
  )
  for (const table of ['setting', 'epoch', 'stakeholder', 'credential', 'claim', 'migration', 'claim_request', 'decision', 'allowance']) {
    const rows = await source.value<string>(`select json_agg(t)::text from integratedb.${table} t`)
    await target.rows(
      `insert into integratedb.${table} overriding system value select * from json_populate_recordset(null::integratedb.${table}, $1)`,
      [rows],
    )
  }
  await target.rows(`
    select setval('integratedb.claim_id_seq', (select max(id) from integratedb.claim)),
           setval('integratedb.migration_id_seq', (select max(id) from integratedb.migration)),
           setval('integratedb.claim_request_id_seq', (select max(id) from integratedb.claim_request)),
           setval('integratedb.decision_id_seq', (select max(id) from integratedb.decision))`)
  const grants = await source.rows<{ statement: string }>(
    `
    select format('grant select (%I) on %s to %s', a.attname, a.attrelid::regclass, x.grantee::regrole) as statement
      from pg_attribute a, aclexplode(a.attacl) x where x.grantee <> 0 and x.grantee::regrole::text = any ($1)
    union all
    select format('grant %s on schema %I to %s', x.privilege_type, n.nspname, x.grantee::regrole)
      from pg_namespace n, aclexplode(n.nspacl) x where x.grantee <> 0 and x.grantee <> n.nspowner and x.grantee::regrole::text = any ($1)`,
    [stakeholders],
  )
  expect(grants.length).toBeGreaterThan(10)
  for (const { statement } of grants) await target.rows(statement)
  for (const { statement } of eventTriggers) await target.rows(statement)
}

async function restore(): Promise<void> {
  const server = Math.floor((await source.value<number>("select current_setting('server_version_num')::int")) / 10000)
  await (dumper(server) ? restoreDump() : restoreByHand())
}

async function expectGrantsToBeClaims(): Promise<void> {
  for (const name of stakeholders) {
    const { granted, claimed } = await grantsAndClaims(target, name)
    expect(granted, name).toEqual(claimed)
  }
}

/** Oids are another database's, and so are the marks that are made with them. */
const withoutId = (rows: Record<string, unknown>[]) => rows.map(({ id, relid, schema_id, behind, observed, ...rest }) => rest)

describe('a restored database', () => {
  test('before sync() lets no migration break a claim, lets others pass, and doctor() tells', async () => {
    await restore()
    expect(await complaints(target)).toContain('remembered relations: problem')
    expect((await diagnosis(target, 'remembered relations')).fix).toBe('SELECT * FROM integratedb.sync()')
    await target.rows('create table public.unrelated (id int); alter table public.unrelated add note text; drop table public.unrelated')
    for (const ddl of [
      'alter table shop.orders drop column total cascade',
      'alter table shop.orders rename total to amount',
      'alter table shop.orders rename to purchase',
      'alter table shop.secret drop column pin',
      'drop table shop.secret',
      'drop schema shop cascade',
    ]) {
      expect((await target.failure(ddl)).code, ddl).toBe('IDB01')
    }
    await target.rows('alter table shop.orders add later int')
    expect((await grantsAndClaims(target, 'mirror')).granted).toContain('shop.orders.later')
  })

  test('after sync() has every claim met, what is granted is what is claimed, and doctor() is content', async () => {
    await restore()
    expect(await target.rows('select * from integratedb.sync()')).toEqual([])
    expect(await complaints(target)).toEqual([])
    await expectGrantsToBeClaims()
    expect(withoutId(await target.rows('select * from integratedb.claim order by id'))).toEqual(
      withoutId(await source.rows('select * from integratedb.claim order by id')),
    )
    expect(await target.rows('select name, document, created_at, claimed_at from integratedb.stakeholder order by 1')).toEqual(
      await source.rows('select name, document, created_at, claimed_at from integratedb.stakeholder order by 1'),
    )
    expect(await target.rows('select * from integratedb.migrations')).toEqual(await source.rows('select * from integratedb.migrations'))
    expect(
      await target.rows(`select from integratedb.claim k join pg_class c on c.oid = k.relid::oid join pg_namespace n on n.oid = c.relnamespace
        where (n.nspname, c.relname, n.oid) is distinct from (k.schema_name, k.relation_name, k.schema_id::oid)`),
    ).toEqual([])
    const reporter = await target.connect('reporter')
    expect(await reporter.rows('select id, total from shop.orders')).toEqual([{ id: 1, total: '120.00' }])
    expect(await reporter.rows('select * from reporter.cache')).toEqual([{ id: 7 }])
    expect((await reporter.failure('select pin from shop.secret')).code).toBe('42501')
  })

  test('after sync() judges and follows migrations, and takes new claims', async () => {
    await restore()
    await target.rows('select * from integratedb.sync()')
    const renamed = await target.failure('alter table shop.orders rename total to amount')
    expect([renamed.code, renamed.constraint, renamed.table, renamed.column]).toEqual(['IDB01', 'claims_hold', 'orders', 'total'])
    expect(renamed.detail).toContain('IDB202')
    expect((await target.failure('drop table shop.customer cascade')).code).toBe('IDB01')
    await target.rows('create table shop.contact (email text); alter table shop.orders add sent_at timestamptz')
    await expectGrantsToBeClaims()
    expect((await grantsAndClaims(target, 'mailer')).granted).toEqual([
      'shop.contact.email',
      'shop.customer.email',
      'shop.orders.id',
      'shop.orders.sent_at',
    ])
    await target.rows("select integratedb.set_claims('reporter', $1)", ['{"match": [{"path": "shop.secret", "fields": ["id"]}]}'])
    await target.rows("select integratedb.remove_claims('mirror')")
    await target.rows("select integratedb.add_stakeholder('newcomer')")
    await target.rows(
      "select integratedb.rename_stakeholder('newcomer', 'resident'); select integratedb.remove_stakeholder('resident', keep_data => false)",
    )
    await expectGrantsToBeClaims()
    expect(await complaints(target)).toEqual([])
  })

  test('has the logins of the other: nothing happens to them before sync(), and then they are its own', async () => {
    const issue = "select integratedb.issue_credentials('reporter', '1 hour')->'credentials'->>'username'"
    const [over, runs] = [await source.value<string>(issue), await source.value<string>(issue)]
    await restore()
    // As in another cluster: the same names, other oids. One name is by chance that of a role of others.
    const stranger = 'reporter_abcdefghij'
    await target.rows(`create role ${stranger} login`)
    await target.rows(`
      update integratedb.credential set role_id = role_id + 100000;
      update integratedb.credential set valid_until = now() where username = '${over}';
      alter role ${over} valid until '2000-01-01';
      insert into integratedb.credential (username, stakeholder, kind, role_id, valid_until, max_until)
      values ('${stranger}', 'reporter', 'lease', 1, now(), now())`)
    const expire = 'select username, problem from integratedb.expire_credentials() order by 1'
    expect(await target.rows(expire)).toEqual([{ username: null, problem: expect.stringContaining('sync()') }])
    await target.rows('select * from integratedb.sync()')
    expect(await target.rows(expire)).toEqual([stranger, over].sort().map((username) => ({ username, problem: null })))
    expect(
      await target.rows('select rolname::text as name from pg_roles where rolname = any ($1) order by 1', [[over, runs, stranger]]),
    ).toEqual([runs, stranger].sort().map((name) => ({ name })))
    expect(await target.value('select count(*) from integratedb.credentials where username = $1', [runs])).toBe(1)
    await target.rows(`drop role ${stranger}`)
    expect(await complaints(target)).toEqual([])
  })

  test('has what was asked for and decided, and goes on from there', async () => {
    await source.rows('create role keeper; alter table shop.secret owner to keeper')
    const asking = `set role reporter; select integratedb.request_claims('{"match": [{"path": "shop.secret", "fields": ["id"]}, {"path": "shop.orders", "fields": ["id"]}]}', 'x');`
    await source.rows(`${asking} ${asking} set role keeper; select integratedb.approve_claims('reporter'); reset role`)
    await source.rows(`select integratedb.allow_claims('keeper', 'mailer', 'shop.*', '{select,update}')`)
    await restore()
    await target.rows('alter table shop.secret owner to keeper; select * from integratedb.sync()')
    for (const view of ['claim_requests', 'decisions', 'allowance'])
      expect(await target.rows(`select * from integratedb.${view} order by 1`)).toEqual(
        await source.rows(`select * from integratedb.${view} order by 1`),
      )
    const [asked] = await target.rows<{ waiting_for: string[] }>('select waiting_for from integratedb.pending_claims()')
    expect(asked?.waiting_for).toEqual([await target.value('select current_user')])
    expect(await target.value(`select integratedb.approve_claims('reporter')->>'status'`)).toBe('approved')
    expect((await grantsAndClaims(target, 'reporter')).granted).toEqual(['shop.orders.id', 'shop.secret.id'])
    await target.rows(asking)
    await target.rows('reset role')
    for (const database of [source, target]) await database.rows('alter table shop.secret owner to current_user')
  })

  test('is an installation like any other: the file run again changes nothing', async () => {
    await restore()
    const restored = await inventory(target)
    await target.rows(installFile)
    expect(await inventory(target)).toEqual(restored)
    expect(restored).toEqual(await inventory(source))
  })

  test('whose old oids belong to other relations now', async () => {
    await restore()
    // Every claim remembers a relation of this database that it does not speak of: claimed by others, by itself, by nobody.
    await target.rows('create table public.unclaimed (id int, total numeric)')
    await target.rows(`
      update integratedb.claim k
         set schema_id = 'public'::regnamespace::oid::bigint,
             relid = case relation_name when 'orders' then 'public.unclaimed' when 'customer' then 'shop.orders' when 'secret' then 'shop.customer' else 'shop.secret' end::regclass::oid::bigint
       where relid is not null`)
    expect(await target.rows('select * from integratedb.sync()')).toEqual([])
    await expectGrantsToBeClaims()
    expect(await complaints(target)).toEqual([])
    expect(await target.rows("select from pg_attribute where attrelid = 'public.unclaimed'::regclass and attacl is not null")).toEqual([])
    await target.rows('drop table public.unclaimed')
    expect((await target.failure('alter table shop.orders drop column total cascade')).code).toBe('IDB01')
  })

  test('in a cluster without the roles: sync() and doctor() say what to do', async () => {
    await restore()
    await target.rows("select integratedb.set_enforcement('off'); drop owned by mailer; drop owned by mirror")
    await source.rows(
      "select integratedb.set_enforcement('off'); drop owned by mailer cascade; drop owned by mirror cascade; drop role mailer; drop role mirror",
    )
    const error = await target.failure('select * from integratedb.sync()')
    expect([error.code, error.detail]).toEqual(['IDB04', 'No such role in this cluster: mailer, mirror.'])
    const { status, fix } = await diagnosis(target, 'stakeholders')
    expect(status).toBe('problem')
    await target.rows(fix ?? '')
    await target.rows("select integratedb.set_enforcement('enforce')")
    expect(await complaints(target)).toEqual([])
    await expectGrantsToBeClaims()
  })
})
