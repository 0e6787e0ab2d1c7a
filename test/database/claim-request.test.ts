/** Stakeholders ask, owners decide: what is granted when, who has a say, and who only seems to be somebody. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { complaints, grantsAndClaims, installFile, uninstallFile } from '../support/installation.ts'

let database: TestDatabase
let reporter: Session
/** A member of shop, which owns the schema shop and most of what is in it. */
let ann: Session
/** Owns shop.invoice. */
let bill: Session
/** Owns nothing of the shop's. */
let evil: Session
beforeEach(async () => {
  database = await TestDatabase.create()
  await database.rows(`
    create role shop; create role ann login in role shop; create role bill login; create role evil login;
    create role boss login in role integratedb_admin;
    create schema shop authorization shop;
    create table shop.orders (id int primary key, total numeric, secret text); alter table shop.orders owner to shop;
    create table shop.invoice (id int primary key, amount numeric); alter table shop.invoice owner to bill;
    grant usage on schema shop to bill, evil; create schema evil authorization evil;
    select integratedb.add_stakeholder('reporter')`)
  reporter = await database.connect('reporter')
  ann = await database.connect('ann')
  bill = await database.connect('bill')
  evil = await database.connect('evil')
})
afterEach(() => database.drop())

interface Answer {
  request: number
  stakeholder: string
  status: string
  waiting_for: string[]
}

const orders = { path: 'shop.orders', fields: ['id', 'total'] }
const invoice = { path: 'shop.invoice', fields: ['amount'] }
const everything = { path: 'shop.*', fields: '*' }

async function ask(...match: unknown[]): Promise<Answer> {
  return await reporter.value('select integratedb.request_claims($1, $2)', [JSON.stringify({ match }), 'monthly report'])
}

async function approve(session: Session, request: number | null = null): Promise<Answer> {
  return await session.value(`select integratedb.approve_claims('reporter', $1)`, [request])
}

async function allow(session: Session, owner: string, pattern: string, access = ['select']): Promise<void> {
  await session.rows('select integratedb.allow_claims($1, $2, $3, $4)', [owner, 'reporter', pattern, access])
}

/** All that could tell that something was approved. */
async function expectNothingGranted(): Promise<void> {
  expect((await grantsAndClaims(database, 'reporter')).granted).toEqual([])
  expect(await database.value('select count(*) from integratedb.claim')).toBe(0)
  expect(await database.value(`select document from integratedb.stakeholder`)).toBeNull()
}

async function expectGranted(...granted: string[]): Promise<void> {
  expect((await grantsAndClaims(database, 'reporter')).granted).toEqual(granted)
  expect((await grantsAndClaims(database, 'reporter')).claimed).toEqual(granted)
}

describe('a request', () => {
  test('waits for the owner of each relation that it names; with the last approval it is what is claimed', async () => {
    const asked = await ask(orders, invoice)
    expect(asked).toEqual({ request: asked.request, stakeholder: 'reporter', status: 'pending', waiting_for: ['bill', 'shop'] })
    await expectNothingGranted()
    expect(await approve(ann, asked.request)).toMatchObject({ status: 'pending', waiting_for: ['bill'] })
    await expectNothingGranted()
    expect(await approve(bill, asked.request)).toMatchObject({ status: 'approved', waiting_for: [] })
    await expectGranted('shop.invoice.amount', 'shop.orders.id', 'shop.orders.total')
    expect((await bill.failure('alter table shop.invoice drop column amount')).code).toBe('IDB01')
    expect(await database.value(`select integratedb.get_claims('reporter')`)).toEqual({ match: [orders, invoice] })
    expect(
      await database.rows(
        'select request, stakeholder, decision, owners, decided_by, reason, document from integratedb.decisions order by id',
      ),
    ).toEqual(
      [
        { owners: ['shop'], decided_by: 'ann' },
        { owners: ['bill'], decided_by: 'bill' },
      ].map((each) => ({
        request: asked.request,
        stakeholder: 'reporter',
        decision: 'approve',
        ...each,
        reason: 'monthly report',
        document: { match: [orders, invoice] },
      })),
    )
    expect(
      await database.rows('select status, waiting_for, requested_by, ended_at is not null as ended from integratedb.claim_requests'),
    ).toEqual([{ status: 'approved', waiting_for: [], requested_by: 'reporter', ended: true }])
  })

  test('that is pending blocks no migration, even while its transaction is open', async () => {
    await reporter.rows('begin')
    await ask(orders, everything)
    await ann.rows(`set lock_timeout = '5s'; set role shop`)
    await ann.rows('alter table shop.orders drop column secret; create table shop.later (id int); drop table shop.later')
    await database.rows(
      `set lock_timeout = '5s'; select integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["id"]}]}')`,
    )
    await reporter.rows('commit')
    await ann.rows('alter table shop.orders drop column total')
    expect(await database.rows('select id from integratedb.migrations where touched is not null and verdict is null')).toEqual([])
    // And it is told, when somebody wants to approve what is no longer there.
    expect(await approve(ann)).toMatchObject({ status: 'pending', waiting_for: ['bill'] })
  })

  test('is an administrator’s to approve alone, and the installer’s', async () => {
    const boss = await database.connect('boss')
    await ask(orders, everything, { path: 'nowhere.t', optional: true })
    expect(await approve(boss)).toMatchObject({ status: 'approved' })
    expect(await database.rows(`select decided_by, owners from integratedb.decisions`)).toEqual([
      { decided_by: 'boss', owners: ['integratedb_admin'] },
    ])
    await ask(orders)
    expect(await approve(database)).toMatchObject({ status: 'approved' })
    await expectGranted('shop.orders.id', 'shop.orders.total')
  })

  test('for a wildcard waits for the owner of the schema, and for those of all that it takes in when it is approved', async () => {
    await database.rows(`
      create table shop.of_day (d date) partition by list (d); alter table shop.of_day owner to shop;
      create table shop.of_monday partition of shop.of_day for values in ('2024-01-01'); alter table shop.of_monday owner to evil`)
    await ask(everything)
    expect(await approve(bill)).toMatchObject({ waiting_for: ['shop'] })
    await database.rows('create table shop.of_evil (id int); alter table shop.of_evil owner to evil')
    expect(await approve(ann)).toMatchObject({ status: 'pending', waiting_for: ['evil'] })
    expect(await approve(evil)).toMatchObject({ status: 'approved' })
    await database.rows('create schema of_shop authorization shop')
    // Nothing in it yet.
    expect(await ask({ path: 'of_shop.*', fields: '*', optional: true })).toMatchObject({ waiting_for: ['shop'] })
  })

  test('for what is not there waits for the owner of the schema, and without schema for an administrator', async () => {
    expect(await ask({ path: 'shop.later', fields: '*', optional: true })).toMatchObject({ waiting_for: ['shop'] })
    expect((await evil.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB06')
    expect(await ask({ path: 'nowhere.later', fields: '*', optional: true })).toMatchObject({ waiting_for: ['integratedb_admin'] })
    for (const session of [ann, bill, evil]) {
      expect(await session.failure(`select integratedb.approve_claims('reporter')`)).toMatchObject({
        code: 'IDB06',
        detail: expect.stringContaining('integratedb_admin'),
      })
    }
    expect(await approve(database)).toMatchObject({ status: 'approved' })
  })

  test('for what may go and come back as another’s waits for the owner of the schema as well', async () => {
    // Evil makes a table under a name that somebody else is going to use, and lets it be claimed.
    await database.rows('grant create on schema shop to evil')
    await evil.rows('create table shop.payroll (id int)')
    expect(await ask({ path: 'shop.payroll', fields: '*' })).toMatchObject({ waiting_for: ['evil'] })
    expect(await ask({ path: 'shop.payroll', fields: '*', optional: true })).toMatchObject({ waiting_for: ['evil', 'shop'] })
    expect(
      await ask({
        alternatives: [
          { path: 'shop.payroll', fields: '*' },
          { path: 'reporter.t', fields: '*' },
        ],
      }),
    ).toMatchObject({ waiting_for: ['evil', 'shop'] })
  })

  test('for its own waits for nobody', async () => {
    await reporter.rows('create table reporter.note (id int)')
    expect(await ask({ path: 'reporter.*', fields: '*' })).toMatchObject({ status: 'approved', waiting_for: [] })
    expect(await database.rows('select decided_by, owners, reason from integratedb.decisions')).toEqual([
      { decided_by: 'reporter', owners: ['reporter'], reason: 'its own' },
    ])
    expect(await reporter.value('select count(*) from integratedb.my_claims()')).toBe(1)
    expect(await ask({ path: 'reporter.*', fields: '*' }, orders)).toMatchObject({ waiting_for: ['shop'] })
  })

  test('replaces the one before, and approvals of that one count for nothing', async () => {
    const first = await ask(orders, invoice)
    await approve(ann, first.request)
    const second = await ask({ path: 'shop.orders', fields: '*' }, invoice)
    expect(second.waiting_for).toEqual(['bill', 'shop'])
    // Ann looked at the first.
    expect(await ann.failure(`select integratedb.approve_claims('reporter', ${first.request})`)).toMatchObject({
      code: 'IDB08',
      message: 'that is not what reporter asks for now',
      detail: expect.stringContaining(`is ${second.request}.`),
    })
    expect((await ann.failure(`select integratedb.reject_claims('reporter', 'no', ${first.request})`)).code).toBe('IDB08')
    expect(await approve(bill, second.request)).toMatchObject({ waiting_for: ['shop'] })
    await expectNothingGranted()
    expect(await database.rows('select status from integratedb.claim_requests order by request')).toEqual([
      { status: 'replaced' },
      { status: 'pending' },
    ])
  })

  test('is refused by any of the owners; what is claimed stays, and the stakeholder is told why', async () => {
    await ask(orders)
    await approve(ann)
    const asked = await ask(orders, invoice)
    await approve(ann)
    for (const reason of ['null', `''`, `'  '`, `repeat('x', 2001)`])
      expect((await bill.failure(`select integratedb.reject_claims('reporter', ${reason})`)).code).toBe('IDB08')
    expect(await bill.value(`select integratedb.reject_claims('reporter', 'amounts are confidential')`)).toEqual({
      request: asked.request,
      stakeholder: 'reporter',
      status: 'rejected',
      waiting_for: [],
    })
    await expectGranted('shop.orders.id', 'shop.orders.total')
    expect(await reporter.rows('select status, rejected_because from integratedb.my_requests()')).toEqual([
      { status: 'approved', rejected_because: null },
      { status: 'rejected', rejected_because: 'amounts are confidential' },
    ])
    expect(await bill.failure(`select integratedb.approve_claims('reporter', ${asked.request})`)).toMatchObject({
      code: 'IDB08',
      message: 'reporter has no pending request',
    })
  })

  test('that can no longer be met is not approved, and nothing is recorded', async () => {
    await ask(orders)
    await database.rows('alter table shop.orders rename column total to amount')
    expect((await ann.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB03')
    expect(await database.value('select count(*) from integratedb.decision')).toBe(0)
    await expectNothingGranted()
    await database.rows('alter table shop.orders rename column amount to total')
    expect(await approve(ann)).toMatchObject({ status: 'approved' })
  })

  test('is judged by who owns what when it is approved', async () => {
    await ask(orders, invoice)
    await approve(ann)
    await database.rows('alter table shop.orders owner to evil')
    expect(await approve(bill)).toMatchObject({ status: 'pending', waiting_for: ['evil'] })
    await database.rows('alter table shop.orders owner to bill')
    expect(await approve(bill)).toMatchObject({ status: 'approved' })
  })

  test('is for a stakeholder to make, of a right document that can be met, with a reason', async () => {
    const document = JSON.stringify({ match: [orders] })
    for (const session of [ann, evil, database])
      expect((await session.failure('select integratedb.request_claims($1, $2)', [document, 'x'])).code).toBe('IDB04')
    for (const [given, reason, code] of [
      [document, null, 'IDB08'],
      [document, ' ', 'IDB08'],
      [null, 'x', 'IDB02'],
      ['null', 'x', 'IDB02'],
      ['{"match": [{"path": "shop", "fields": ["*", 1]}]}', 'x', 'IDB02'],
      ['{"match": [{"path": "integratedb.*", "fields": "*"}]}', 'x', 'IDB02'],
      ['{"match": [{"path": "pg_catalog.pg_authid", "fields": "*"}]}', 'x', 'IDB02'],
      ['{"match": [{"path": "shop.orders", "fields": ["nope"]}]}', 'x', 'IDB03'],
    ])
      expect([given, (await reporter.failure('select integratedb.request_claims($1, $2)', [given, reason])).code]).toEqual([given, code])
    expect(await database.value('select count(*) from integratedb.claim_request')).toBe(0)
    expect((await ann.failure(`select integratedb.approve_claims('nobody')`)).code).toBe('IDB04')
    expect((await ann.failure(`select integratedb.approve_claims(null)`)).code).toBe('IDB04')
    expect((await ann.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB08')
  })

  test.each(['repeatable read', 'serializable'])('is made and decided at READ COMMITTED, not at %s', async (level) => {
    await ask(orders)
    for (const [session, call] of [
      [reporter, `request_claims('{"match": [{"path": "shop.orders"}]}', 'x')`],
      [ann, `approve_claims('reporter')`],
      [ann, `reject_claims('reporter', 'x')`],
      [ann, `allow_claims('shop', 'reporter', 'shop.*')`],
    ] as const) {
      await session.rows(`begin isolation level ${level}`)
      expect((await session.failure(`select integratedb.${call}`)).code).toBe('IDB08')
      await session.rows('rollback')
    }
    // To look is possible, on a standby too.
    await reporter.rows(`begin isolation level ${level} read only`)
    expect(await reporter.value('select count(*) from integratedb.pending_claims()')).toBe(1)
    await reporter.rows('select * from integratedb.my_claims(); select * from integratedb.my_requests(); commit')
  })
})

describe('what is allowed beforehand', () => {
  test('is approved at once, for these relations and this access, and only what the owner owns', async () => {
    await allow(ann, 'shop', 'shop.*', ['select', 'insert'])
    expect(await ask(orders)).toMatchObject({ status: 'approved', waiting_for: [] })
    expect(await ask({ ...orders, access: ['insert', 'select'] })).toMatchObject({ status: 'approved' })
    expect(await ask({ ...orders, access: ['select', 'update'] })).toMatchObject({ status: 'pending', waiting_for: ['shop'] })
    expect(await ask(orders, invoice)).toMatchObject({ waiting_for: ['bill'] })
    expect(await ask(everything)).toMatchObject({ waiting_for: ['bill'] })
    await allow(bill, 'bill', 'shop.orders')
    expect(await ask(orders, invoice)).toMatchObject({ waiting_for: ['bill'] })
    await allow(bill, 'bill', 'shop.invoice')
    expect(await ask(everything)).toMatchObject({ status: 'approved' })
    // Decided by who allowed it.
    expect(
      await database.rows(
        `select decided_by, owners, reason from integratedb.decisions where decision = 'approve' order by id desc limit 2`,
      ),
    ).toEqual([
      { decided_by: 'ann', owners: ['shop'], reason: 'allowed beforehand' },
      { decided_by: 'bill', owners: ['bill'], reason: 'allowed beforehand' },
    ])
  })

  test('of one relation is not all of the schema', async () => {
    await allow(ann, 'shop', 'shop.orders')
    await allow(bill, 'bill', 'shop.*')
    expect(await ask(everything)).toMatchObject({ waiting_for: ['shop'] })
    expect(await ask({ path: 'shop.later', optional: true })).toMatchObject({ waiting_for: ['shop'] })
    await allow(ann, 'shop', 'shop.*')
    expect(await ask(everything)).toMatchObject({ status: 'approved' })
  })

  test('lets a pending request through that waited for just this', async () => {
    await ask(orders, invoice)
    await approve(bill)
    await allow(ann, 'shop', 'shop.orders')
    await expectGranted('shop.invoice.amount', 'shop.orders.id', 'shop.orders.total')
    await ask({ path: 'shop.orders', fields: '*', access: ['select', 'update'] })
    // Not allowed that far: still pending.
    await allow(ann, 'shop', 'shop.orders')
    expect(await database.value(`select count(*) from integratedb.claim_requests where status = 'pending'`)).toBe(1)
  })

  test('is allowed all the same when what is pending cannot be met', async () => {
    await ask({ path: 'shop.orders', fields: ['secret'] })
    await database.rows('alter table shop.orders drop column secret')
    await allow(ann, 'shop', 'shop.orders')
    await expectNothingGranted()
    expect(await database.rows('select status, waiting_for from integratedb.claim_requests')).toEqual([
      { status: 'pending', waiting_for: [] },
    ])
    expect((await ann.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB03')
    expect(await ask(orders)).toMatchObject({ status: 'approved' })
  })

  test('is allowed no longer, and what is claimed already stays', async () => {
    await allow(ann, 'shop', 'shop.*')
    await ask(orders)
    expect(await ann.failure(`select integratedb.disallow_claims('shop', 'reporter', 'shop.orders')`)).toMatchObject({
      code: 'IDB08',
      detail: 'It allows: shop.*.',
    })
    await ann.rows(`select integratedb.disallow_claims('shop', 'reporter', 'shop.*')`)
    await expectGranted('shop.orders.id', 'shop.orders.total')
    expect(await ask(orders)).toMatchObject({ status: 'pending' })
    expect(
      await database.rows(`select decision, decided_by, owners, path from integratedb.decisions where decision <> 'approve' order by id`),
    ).toEqual([
      { decision: 'allow', decided_by: 'ann', owners: ['shop'], path: 'shop.*' },
      { decision: 'disallow', decided_by: 'ann', owners: ['shop'], path: 'shop.*' },
    ])
  })

  test('is for members of the owner, and administrators', async () => {
    for (const session of [evil, bill, reporter]) {
      expect((await session.failure(`select integratedb.allow_claims('shop', 'reporter', 'shop.*')`)).code).toBe('IDB06')
      expect((await session.failure(`select integratedb.disallow_claims('shop', 'reporter', 'shop.*')`)).code).toBe('IDB06')
    }
    for (const [owner, name, pattern, access, code] of [
      ['shop', 'nobody', 'shop.*', ['select'], 'IDB04'],
      ['nobody', 'reporter', 'shop.*', ['select'], 'IDB08'],
      [null, 'reporter', 'shop.*', ['select'], 'IDB08'],
      ['shop', 'reporter', null, ['select'], 'IDB08'],
      ['shop', 'reporter', 'shop', ['select'], 'IDB08'],
      ['shop', 'reporter', '*.orders', ['select'], 'IDB08'],
      ['shop', 'reporter', 'shop.Orders', ['select'], 'IDB08'],
      ['shop', 'reporter', 'integratedb.*', ['select'], 'IDB08'],
      ['shop', 'reporter', 'shop.*', ['all'], 'IDB08'],
      ['shop', 'reporter', 'shop.*', [], 'IDB08'],
      ['shop', 'reporter', 'shop.*', null, 'IDB08'],
    ] as const) {
      const error = await ann.failure('select integratedb.allow_claims($1, $2, $3, $4)', [owner, name, pattern, access])
      expect([owner, name, pattern, access, error.code]).toEqual([owner, name, pattern, access, code])
      expect(error.hint).toBeTruthy()
    }
    expect(await database.value('select count(*) from integratedb.allowance')).toBe(0)
    expect(await database.value('select count(*) from integratedb.decision')).toBe(0)
    await allow(await database.connect('boss'), 'shop', 'shop.*')
    expect(await ask(orders)).toMatchObject({ status: 'approved' })
  })

  test('and what was approved are the owner’s that said so, not another’s that takes its name', async () => {
    await allow(ann, 'shop', 'shop.orders')
    await allow(bill, 'bill', 'shop.invoice')
    await database.rows('alter role bill rename to billing; create role bill; alter table shop.invoice owner to bill')
    expect(await ask(orders, invoice)).toMatchObject({ waiting_for: ['bill'] })
    await ask({ ...invoice, access: ['update'] }, { ...orders, access: ['update'] })
    await approve(ann)
    // Nor does the oid alone tell: in another cluster, after a restore, it is another role's.
    await database.rows('alter role shop rename to store')
    expect(await database.rows('select waiting_for from integratedb.pending_claims()')).toEqual([{ waiting_for: ['bill', 'store'] }])
    await database.rows('create role shop; alter table shop.orders owner to shop')
    expect(await database.rows('select waiting_for from integratedb.pending_claims()')).toEqual([{ waiting_for: ['bill', 'shop'] }])
  })
})

/** Who calls is the role that runs the call, and nobody can make it look like another. */
describe('somebody else', () => {
  const call = `integratedb.approve_claims('reporter')`

  test('cannot approve with a function that an owner happens to call', async () => {
    await ask(orders)
    await evil.rows(`
      grant usage on schema evil to public;
      create table evil.inbox (id int); grant insert, select on evil.inbox to public;
      create function evil.innocent() returns text language plpgsql security definer as $$
        begin perform ${call}; return 'approved'; exception when sqlstate 'IDB06' then return format('%s may not', current_user); end $$;
      create function evil.on_insert() returns trigger language plpgsql security definer as $$ begin perform evil.innocent(); return new; end $$;
      create trigger t before insert on evil.inbox for each row execute function evil.on_insert();
      create view evil.window as select evil.innocent() as answer;
      create function evil.raw() returns text language plpgsql security definer as $$
        begin insert into integratedb._act (call, stakeholder) values ('approve_claims', 'reporter'); return 'approved';
        exception when sqlstate 'IDB06' then return format('%s may not', current_user); end $$`)
    for (const session of [ann, database]) {
      expect(await session.value('select evil.innocent()')).toBe('evil may not')
      expect(await session.value('select evil.raw()')).toBe('evil may not')
      await session.rows('insert into evil.inbox values (1)')
    }
    expect(await database.value('select answer from evil.window')).toBe('evil may not')
    // The same with the session as the owner, and with the setting "role".
    await ann.rows('set role shop')
    expect(await ann.value('select evil.innocent()')).toBe('evil may not')
    expect(await database.value('select count(*) from integratedb.decision')).toBe(0)
    await expectNothingGranted()
  })

  test('cannot request in a stakeholder’s name, or see what is only for it', async () => {
    await database.rows(`select integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["id"]}]}')`)
    await ask(invoice)
    await evil.rows(`
      grant usage on schema evil to public;
      create function evil.innocent() returns text language plpgsql security definer as $$
        begin perform integratedb.request_claims('{"match": [{"path": "shop.*", "fields": "*"}]}', 'x'); return 'requested';
        exception when sqlstate 'IDB04' then return format('%s may not', current_user); end $$;
      create function evil.peek() returns bigint language sql security definer as $$
        select (select count(*) from integratedb.my_claims()) + (select count(*) from integratedb.my_requests()) + (select count(*) from integratedb.pending_claims()) $$`)
    expect(await reporter.value('select evil.innocent()')).toBe('evil may not')
    expect(await reporter.value('select evil.peek()')).toBe(0)
    expect(await reporter.value('select count(*) from integratedb.my_claims()')).toBe(1)
    // A condition that tells what it sees is shown nothing.
    await evil.rows(
      `create function evil.tell(anyelement) returns boolean language plpgsql cost 0.0000001 as $$ begin raise notice 'EVIL %', $1; return true; end $$`,
    )
    for (const view of ['_my_claims', '_pending_claims', '_my_requests'])
      expect(await evil.rows(`select * from integratedb.${view} v where evil.tell(v::text)`)).toEqual([])
    expect(evil.notices).toEqual([])
    expect(await ann.value('select count(*) from integratedb.pending_claims()')).toBe(0)
    expect(await bill.value('select count(*) from integratedb.pending_claims()')).toBe(1)
  })

  test('cannot write the tables, or say who it is', async () => {
    await ask(orders)
    for (const session of [evil, ann, reporter, await database.connect('boss')]) {
      for (const statement of [
        `insert into integratedb._act (caller, call, stakeholder) values ('shop'::regrole, 'approve_claims', 'reporter')`,
        `insert into integratedb._act (answer) values ('{}')`,
        `insert into integratedb._act select 'shop'::regrole, 'approve_claims', 'reporter'`,
        `update integratedb._act set caller = null`,
        'delete from integratedb._act',
        'select caller from integratedb._act',
        'insert into integratedb._my_claims default values',
        `insert into integratedb._my_requests (status) values ('approved')`,
        `update integratedb._my_requests set status = 'approved'`,
        `update integratedb._pending_claims set document = '{}'`,
        'delete from integratedb._pending_claims',
        `insert into integratedb.decision (stakeholder, request, decision, decided_by, owners, owner_ids) values ('reporter', 1, 'approve', 'shop', '{shop}', '{1}')`,
        `insert into integratedb.decision (stakeholder, request, decision) values ('reporter', 1, 'approve')`,
        `update integratedb.claim_request set document = '{}'`,
        `insert into integratedb.allowance values ('reporter', 'shop', 1, 'shop', '', '{select}', 'shop')`,
        'truncate integratedb.decision cascade',
        `select integratedb._approve_claims('shop', 'reporter', null)`,
        `select integratedb._settle(1)`,
        `select integratedb._stakeholder_of('reporter')`,
        'select * from integratedb._request_owner',
        'create trigger mine instead of insert on integratedb._act execute function suppress_redundant_updates_trigger()',
        'alter view integratedb._act disable trigger all',
        'alter table integratedb._act disable trigger act_as_caller',
      ])
        expect([statement, (await session.failure(statement)).code]).toEqual([
          statement,
          expect.stringMatching(/^(42501|42809|0A000|55000|42601)$/),
        ])
    }
    expect(await database.value('select count(*) from integratedb.decision')).toBe(0)
  })

  test('cannot say who it is with a view that has another default', async () => {
    await ask(orders)
    const shop = await database.value<number>(`select 'shop'::regrole::oid`)
    // PostgreSQL asks for no privilege on a column that a view's default fills.
    await evil.rows(`
      create view evil.forged as select caller, call, stakeholder from integratedb._act;
      alter view evil.forged alter column caller set default ${shop}`)
    expect((await evil.failure(`insert into evil.forged (call, stakeholder) values ('approve_claims', 'reporter')`)).code).toBe('IDB06')
    await database.rows('grant select, insert on integratedb._act to evil') // as if it had every privilege
    expect((await evil.failure(`insert into evil.forged (call, stakeholder) values ('approve_claims', 'reporter')`)).code).toBe('IDB06')
    expect(
      (
        await evil.failure(
          `insert into integratedb._act (caller, call, stakeholder) values ('shop'::regrole, 'approve_claims', 'reporter')`,
        )
      ).code,
    ).toBe('IDB06')
    await expectNothingGranted()
  })

  test('is not an owner by belonging to the session, only by what it may use now', async () => {
    await database.rows('create role keeper login noinherit in role shop')
    const keeper = await database.connect('keeper')
    const { request } = await ask(orders)
    expect((await keeper.failure(`select ${call}`)).code).toBe('IDB06')
    await keeper.rows('set role shop')
    await keeper.rows('begin')
    expect(await approve(keeper, request)).toMatchObject({ status: 'approved' })
    expect(await keeper.rows('rollback'))
    // Ann loses her membership, in a session that is open.
    expect(await ann.value('select count(*) from integratedb.pending_claims()')).toBe(1)
    await database.rows('revoke shop from ann')
    expect(await ann.value('select count(*) from integratedb.pending_claims()')).toBe(0)
    expect((await ann.failure(`select ${call}`)).code).toBe('IDB06')
    expect((await ann.failure(`select integratedb.reject_claims('reporter', 'x')`)).code).toBe('IDB06')
    // The superuser’s session, as somebody else.
    for (const become of ['set role evil', 'set session authorization evil', 'set role reporter']) {
      await database.rows(become)
      expect((await database.failure(`select ${call}`)).code).toBe('IDB06')
      await database.rows('reset role; reset session authorization')
    }
  })

  test('who has approved for an owner and left has approved', async () => {
    await ask(orders, invoice)
    await approve(ann)
    await database.rows('revoke shop from ann; drop role ann')
    expect(await approve(bill)).toMatchObject({ status: 'approved' })
  })

  test('puts nothing into a search path', async () => {
    await database.rows('grant create on schema evil to public; grant usage on schema evil to public')
    await evil.rows(`
      create function evil.pg_has_role(name, oid, text) returns boolean language sql as 'select true';
      create function evil.request_claims(jsonb, text) returns jsonb language sql as $$ select '1'::jsonb $$;
      create table evil.decision (id int); create table evil._act (caller name)`)
    await ask(orders)
    for (const session of [evil, ann, reporter]) {
      await session.rows(
        `set search_path = evil, pg_catalog; create temp table _act (caller name); create temp table claim_request (id int)`,
      )
    }
    expect((await evil.failure(`select ${call}`)).code).toBe('IDB06')
    expect(await ask(orders, invoice)).toMatchObject({ waiting_for: ['bill', 'shop'] })
    expect(await approve(ann)).toMatchObject({ waiting_for: ['bill'] })
  })
})

describe('what a stakeholder may look at', () => {
  test('is its own claims, what it asked for, and what would be wrong with a document', async () => {
    await database.rows(`
      select integratedb.add_stakeholder('other');
      select integratedb.set_claims('other', '{"match": [{"path": "shop.orders", "fields": "*"}]}');
      select integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["id"]}]}')`)
    await ask(invoice)
    expect(await reporter.rows('select * from integratedb.my_claims()')).toEqual(
      await database.rows(`select * from integratedb.claims where stakeholder = 'reporter'`),
    )
    const other = await database.connect('other')
    expect(await other.value('select count(*) from integratedb.my_claims()')).toBe(3)
    for (const call of ['my_requests', 'pending_claims']) expect(await other.rows(`select * from integratedb.${call}()`)).toEqual([])
    expect(await reporter.rows('select status, reason, document, rejected_because from integratedb.my_requests()')).toEqual([
      { status: 'pending', reason: 'monthly report', document: { match: [invoice] }, rejected_because: null },
    ])
    expect(await reporter.rows(`select stakeholder, waiting_for, requested_by from integratedb.pending_claims()`)).toEqual([
      { stakeholder: 'reporter', waiting_for: ['bill'], requested_by: 'reporter' },
    ])
    expect(
      await reporter.rows(`select code from integratedb.check_claims('{"match": [{"path": "shop.orders", "fields": ["nope"]}]}')`),
    ).toEqual([{ code: 'IDB03' }])
    for (const session of [ann, database, await database.connect('boss')])
      expect(await session.rows('select * from integratedb.my_claims()')).toEqual([])
    expect(await database.value('select count(*) from integratedb.pending_claims()')).toBe(1)
  })
})

test('a further login asks for its stakeholder, also with that role put off; one that was revoked does not', async () => {
  const issue = `select integratedb.issue_credentials('reporter', '1 hour')->'credentials'->>'username'`
  const [login, revoked] = [await database.value<string>(issue), await database.value<string>(issue)]
  const asking = `select integratedb.request_claims('{"match": [{"path": "shop.orders", "fields": ["id"]}]}', 'x')->>'stakeholder'`
  const session = await database.connect(login)
  expect(await session.value(asking)).toBe('reporter')
  await session.rows('set role none')
  expect(await session.value('select current_user')).toBe(login)
  expect(await session.value(asking)).toBe('reporter')
  expect(await session.value('select count(*) from integratedb.my_requests()')).toBe(2)
  const goesOn = await database.connect(revoked)
  await goesOn.rows('set role none')
  // As a session that a signal does not reach.
  await database.rows('update integratedb.credential set revoked_at = now() where username = $1', [revoked])
  expect((await goesOn.failure(asking)).code).toBe('IDB04')
  expect(await goesOn.value('select count(*) from integratedb.my_requests()')).toBe(0)
})

test('odd names are names', async () => {
  const long = 'x'.repeat(63)
  const odd = ['Order Items', '🦆 & co', long, `"; drop table shop.orders; --`, `it's`, '%I', '*', 'select', '\\']
  const quoted = odd.map((name) => `"${name.replaceAll('"', '""')}"`)
  for (const name of quoted) {
    await database.rows(`create role ${name} login; create schema ${name} authorization ${name};
      create table ${name}.${name} (${name} int); alter table ${name}.${name} owner to ${name}`)
  }
  await database.rows('select integratedb.add_stakeholder($1)', ['Ünser 🦊 "App"'])
  const app = await database.connect('Ünser 🦊 "App"')
  const document = JSON.stringify({ match: quoted.map((name) => ({ path: `${name}.${name}`, fields: '*' })) })
  const asked = await app.value<Answer>('select integratedb.request_claims($1, $2)', [document, `it's; drop`])
  expect([...asked.waiting_for].sort()).toEqual([...odd].sort())
  const last = odd.at(-1) as string
  for (const name of odd) {
    const owner = await database.connect(name)
    const path = `"${name.replaceAll('"', '""')}".*`
    if (name === last) await owner.rows('select integratedb.allow_claims($1, $2, $3)', [name, 'Ünser 🦊 "App"', path])
    else await owner.rows('select integratedb.approve_claims($1, $2)', ['Ünser 🦊 "App"', asked.request])
  }
  expect(await app.value(`select status from integratedb.my_requests()`)).toBe('approved')
  expect((await grantsAndClaims(database, '"Ünser 🦊 ""App"""')).granted.length).toBe(odd.length)
  expect(await database.rows('select distinct path from integratedb.decisions where path is not null')).toEqual([{ path: '"\\".*' }])
})

describe('a stakeholder', () => {
  test('that is renamed keeps its pending request and what it is allowed; what has ended keeps the name', async () => {
    await ask(orders)
    await approve(ann)
    await allow(bill, 'bill', 'shop.invoice')
    await ask(orders, invoice)
    await reporter.end()
    await database.rows(`select integratedb.rename_stakeholder('reporter', 'insights')`)
    reporter = await database.connect('insights')
    expect(await database.rows('select stakeholder, status from integratedb.claim_requests order by request')).toEqual([
      { stakeholder: 'reporter', status: 'approved' },
      { stakeholder: 'insights', status: 'pending' },
    ])
    expect(await ann.value(`select integratedb.approve_claims('insights')`)).toMatchObject({ stakeholder: 'insights', status: 'approved' })
    expect((await grantsAndClaims(database, 'insights')).granted).toContain('shop.invoice.amount')
  })

  test('that is removed has asked for nothing; the history stays, and another of its name inherits nothing', async () => {
    await allow(ann, 'shop', 'shop.*')
    await ask(orders, invoice)
    await database.rows(`select integratedb.remove_stakeholder('reporter', keep_data => false)`)
    expect(await database.rows('select stakeholder, status from integratedb.claim_requests')).toEqual([
      { stakeholder: 'reporter', status: 'withdrawn' },
    ])
    expect(await database.value('select count(*) from integratedb.allowance')).toBe(0)
    expect((await ann.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB04')
    await database.rows(`select integratedb.add_stakeholder('reporter')`)
    expect((await ann.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB08')
    reporter = await database.connect('reporter')
    expect(await ask(orders)).toMatchObject({ status: 'pending' })
    expect(await database.value(`select count(*) from integratedb.decisions where decision = 'allow'`)).toBe(1)
  })
})

describe('the installation', () => {
  test('a second time loses no request, approval or allowance', async () => {
    await ask(orders, invoice)
    await approve(ann)
    await allow(bill, 'bill', 'shop.orders')
    const before = await database.rows('select * from integratedb.claim_requests, integratedb.decisions')
    await database.rows(installFile)
    expect(await database.rows('select * from integratedb.claim_requests, integratedb.decisions')).toEqual(before)
    expect((await evil.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB06')
    expect(await approve(bill)).toMatchObject({ status: 'approved' })
    expect(await complaints(database)).toEqual([])
  })

  test('over one that had no requests, with claims that stay', async () => {
    await database.rows(`
      select integratedb.set_claims('reporter', '{"match": [{"path": "shop.orders", "fields": ["id"]}]}');
      drop table integratedb.claim_request, integratedb.decision, integratedb.allowance cascade; drop view integratedb._acts_for cascade;
      drop view integratedb._act cascade; drop trigger requests_follow on integratedb.stakeholder`)
    await database.rows(installFile)
    await expectGranted('shop.orders.id')
    expect(await ask(orders)).toMatchObject({ waiting_for: ['shop'] })
    expect(await approve(ann)).toMatchObject({ status: 'approved' })
    await ask(invoice)
    await database.rows(`select integratedb.remove_stakeholder('reporter')`)
    expect(await database.value(`select count(*) from integratedb.claim_requests where status = 'withdrawn'`)).toBe(1)
  })

  test('is taken away with what is pending', async () => {
    await ask(orders, invoice)
    await allow(ann, 'shop', 'shop.*')
    await reporter.end()
    await database.rows(uninstallFile)
    expect(await database.rows(`select nspname from pg_namespace where nspname in ('integratedb')`)).toEqual([])
  })

  test('doctor() tells when PUBLIC may write what is ours', async () => {
    await database.rows('grant insert (caller) on integratedb._act to public; grant update on integratedb._my_requests to public')
    expect(await database.value(`select detail from integratedb.doctor() where check_name = 'internal objects'`)).toBe(
      'PUBLIC may use: integratedb._act.caller, integratedb._my_requests',
    )
    await database.rows(installFile)
    expect(await complaints(database)).toEqual([])
  })
})

describe('two at once', () => {
  /** Until it waits for a lock. */
  async function waits(session: Session): Promise<void> {
    const pid = (session.client as unknown as { processID: number }).processID
    while ((await database.value<number>('select count(*) from pg_locks where pid = $1 and not granted', [pid])) === 0);
  }

  test('two owners approve: the second sees the first', async () => {
    const { request } = await ask(orders, invoice)
    await ann.rows('begin')
    await approve(ann, request)
    const second = approve(bill, request)
    await waits(bill)
    await ann.rows('commit')
    expect(await second).toMatchObject({ status: 'approved' })
    await expectGranted('shop.invoice.amount', 'shop.orders.id', 'shop.orders.total')
  })

  test('two members of one owner approve: one of them', async () => {
    await database.rows('create role amy login in role shop')
    const amy = await database.connect('amy')
    await ask(orders)
    await ann.rows('begin')
    await approve(ann)
    const second = amy.failure(`select integratedb.approve_claims('reporter')`)
    await waits(amy)
    await ann.rows('commit')
    expect((await second).code).toBe('IDB08')
    expect(await database.value('select count(*) from integratedb.decision')).toBe(1)
  })

  test('one approves and one rejects: the first counts', async () => {
    await ask(orders, invoice)
    await approve(bill)
    await bill.rows('begin')
    await bill.rows(`select integratedb.reject_claims('reporter', 'on second thoughts')`)
    const second = ann.failure(`select integratedb.approve_claims('reporter')`)
    await waits(ann)
    await bill.rows('commit')
    expect((await second).code).toBe('IDB08')
    await expectNothingGranted()
  })

  test.each([true, false])(
    'an owner approves while the stakeholder replaces the request: not what nobody has looked at (named: %s)',
    async (isNamed) => {
      const { request } = await ask(orders)
      await reporter.rows('begin')
      await ask({ path: 'shop.orders', fields: '*' })
      const approval = ann.failure(`select integratedb.approve_claims('reporter', ${isNamed ? request : null})`)
      await waits(ann)
      // It waits for the stakeholder, and nobody waits for it.
      await database.rows(
        `set lock_timeout = '5s'; select integratedb.set_claims('reporter', '{"match": [{"path": "shop.invoice"}]}'); alter table shop.orders add more int`,
      )
      await reporter.rows('commit')
      expect(await approval).toMatchObject({ code: 'IDB08', message: 'that is not what reporter asks for now' })
      expect((await grantsAndClaims(database, 'reporter')).granted).toEqual([])
    },
  )

  test('an owner approves while the stakeholder takes a replacement back: what was looked at', async () => {
    const { request } = await ask(orders)
    await reporter.rows('begin')
    await ask({ path: 'shop.orders', fields: '*' })
    const approval = approve(ann, request)
    await waits(ann)
    await reporter.rows('rollback')
    expect(await approval).toMatchObject({ status: 'approved' })
    await expectGranted('shop.orders.id', 'shop.orders.total')
  })

  test('a stakeholder replaces its request while an owner approves it: the approved one is claimed, the other waits', async () => {
    const { request } = await ask(orders)
    await ann.rows('begin')
    await approve(ann, request)
    const asking = ask({ path: 'shop.orders', fields: '*' })
    await waits(reporter)
    await ann.rows('commit')
    expect(await asking).toMatchObject({ status: 'pending', waiting_for: ['shop'] })
    await expectGranted('shop.orders.id', 'shop.orders.total')
    expect(await database.rows('select status from integratedb.claim_requests order by request')).toEqual([
      { status: 'approved' },
      { status: 'pending' },
    ])
  })

  test.each(['first', 'again'])('a stakeholder asks twice, %s: the last one counts', async (which) => {
    if (which === 'again') await ask(orders)
    const twin = await database.connect('reporter')
    await reporter.rows('begin')
    await ask(orders)
    const second = twin.value<Answer>('select integratedb.request_claims($1, $2)', [JSON.stringify({ match: [invoice] }), 'x'])
    await waits(twin)
    await reporter.rows('commit')
    expect(await second).toMatchObject({ status: 'pending', waiting_for: ['bill'] })
    expect(await database.value(`select count(*) from integratedb.claim_requests where status = 'pending'`)).toBe(1)
  })

  test('a migration runs first: the approval sees what it did', async () => {
    await ask(orders)
    await database.rows('begin; alter table shop.orders drop column total')
    const approval = ann.failure(`select integratedb.approve_claims('reporter')`)
    await waits(ann)
    await database.rows('commit')
    expect((await approval).code).toBe('IDB03')
    await expectNothingGranted()
  })

  test('a migration runs first and hands the table to another: that one is asked', async () => {
    await ask(orders)
    await database.rows('begin; alter table shop.orders owner to evil')
    const approval = approve(ann)
    await waits(ann)
    await database.rows('commit')
    expect(await approval).toMatchObject({ status: 'pending', waiting_for: ['evil'] })
    await expectNothingGranted()
    // And whoever waits behind it is not kept.
    await database.rows('alter table shop.orders drop column total')
  })

  test('a migration puts another’s table in the place of the one that was looked at: that one is asked', async () => {
    await ask(orders)
    await database.rows(`create table shop.of_evil (id int, total numeric); alter table shop.of_evil owner to evil`)
    await database.rows('begin; alter table shop.orders rename to old; alter table shop.of_evil rename to orders')
    const approval = approve(ann)
    await waits(ann)
    await database.rows('commit')
    expect(await approval).toMatchObject({ status: 'pending', waiting_for: ['evil'] })
    await expectNothingGranted()
  })

  test('the approval runs first: the migration is judged by it', async () => {
    await ask(orders)
    await ann.rows('begin')
    await approve(ann)
    const tool = await database.connect()
    const migration = tool.failure('alter table shop.orders drop column total')
    await waits(tool)
    await ann.rows('commit')
    expect((await migration).code).toBe('IDB01')
    await expectGranted('shop.orders.id', 'shop.orders.total')
  })

  test('a stakeholder is renamed while a migration gives it more: both happen', async () => {
    await database.rows(`select integratedb.set_claims('reporter', '{"match": [{"path": "shop.*", "fields": "*"}]}')`)
    await database.rows(`begin; alter table shop.orders add column more int; select integratedb.validate_migration()`)
    const renamer = await database.connect()
    const renaming = renamer.rows(`select integratedb.rename_stakeholder('reporter', 'insights')`)
    await waits(renamer)
    await database.rows('create table shop.two (id int); select integratedb.validate_migration(); commit')
    await renaming
    const { granted, claimed } = await grantsAndClaims(database, 'insights')
    expect(granted).toEqual(claimed)
    expect(granted).toContain('shop.two.id')
  })

  test('a stakeholder is renamed, and another takes its name, while it asks: it has asked for nothing', async () => {
    const admin = await database.connect()
    await admin.rows(`begin; select integratedb.rename_stakeholder('reporter', 'insights'); select integratedb.add_stakeholder('reporter')`)
    const asking = ask(orders)
    await waits(reporter)
    await admin.rows('commit')
    expect(await asking).toMatchObject({ stakeholder: 'insights', status: 'pending' })
  })

  test('a stakeholder is removed while an owner decides: first the one, then the other', async () => {
    await ask(orders)
    await ann.rows('begin')
    await approve(ann)
    const remover = await database.connect()
    const removing = remover.rows(`select integratedb.remove_stakeholder('reporter')`)
    await waits(remover)
    await ann.rows('commit')
    await removing
    expect(await database.rows('select status from integratedb.claim_requests')).toEqual([{ status: 'approved' }])
    expect((await ann.failure(`select integratedb.approve_claims('reporter')`)).code).toBe('IDB04')
  })

  test('a stakeholder is renamed or removed while it asks: first the one, then the other, and nobody else waits', async () => {
    await reporter.rows('begin')
    await ask(orders)
    const renamer = await database.connect()
    const renaming = renamer.rows(`select integratedb.rename_stakeholder('reporter', 'insights')`)
    await waits(renamer)
    await database.rows(
      `set lock_timeout = '5s'; select integratedb.add_stakeholder('other'); select integratedb.set_claims('other', '{"match": [{"path": "shop.orders"}]}')`,
    )
    await reporter.rows('commit')
    await renaming
    expect(await database.rows(`select stakeholder from integratedb.claim_requests where status = 'pending'`)).toEqual([
      { stakeholder: 'insights' },
    ])
  })
})
