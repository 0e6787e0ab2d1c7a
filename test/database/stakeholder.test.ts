/** Stakeholders: what add, rename and remove answer, leave, and refuse. */
import { createHash, createHmac } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import {
  logIn as connectWith,
  makeVerifier,
  matches,
  readVerifier,
  storedVerifier as stored,
  type Verifier,
  withHba,
} from '../support/scram.ts'

interface Answer {
  stakeholder: string
  schema: string
  credentials: { username: string; password: string }
}

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
})
afterEach(() => database.endSessions())
afterAll(() => database.drop())

async function add(name: string): Promise<Answer> {
  return await database.value<Answer>('select integratedb.add_stakeholder($1)', [name])
}

async function claim(name: string, ...paths: string[]): Promise<void> {
  const match = paths.map((path) => ({ path, fields: '*' }))
  await database.rows('select * from integratedb.set_claims($1, $2)', [name, JSON.stringify({ match })])
}

/** All that a stakeholder leaves in the catalogue, in one value: nothing half made. */
async function traces(name: string): Promise<unknown> {
  return await database.value(
    `select json_build_array(
       (select count(*) from pg_roles where rolname = $1),
       (select count(*) from pg_namespace where nspname = $1),
       (select count(*) from integratedb.stakeholder where name = $1))`,
    [name],
  )
}

/** Resolves when the server has ended the session. */
async function ended(session: Session): Promise<void> {
  for (let i = 0; i < 100; i++) {
    try {
      await session.rows('select 1')
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code === '57P01') return
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the session goes on')
}

const storedVerifier = (role: string): Promise<Verifier> => stored(database, role)

describe('add_stakeholder', () => {
  test('answers a role, a schema and a password', async () => {
    const answer = await add('shape')
    expect(answer).toEqual({
      stakeholder: 'shape',
      schema: 'shape',
      credentials: { username: 'shape', password: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) },
    })
    expect(
      await database.rows(
        `select rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolvaliduntil, rolconfig,
                (select count(*) from pg_auth_members where member = r.oid) as memberships
           from pg_roles r where rolname = 'shape'`,
      ),
    ).toEqual([
      {
        rolcanlogin: true,
        rolsuper: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolreplication: false,
        rolbypassrls: false,
        rolvaliduntil: null,
        rolconfig: null,
        memberships: 0,
      },
    ])
    expect(await database.value(`select nspowner::regrole::text from pg_namespace where nspname = 'shape'`)).toBe('shape')
    const own = await database.connect('shape')
    await own.rows('create table shape.draft (id int); insert into shape.draft values (1)')
    expect(await own.value('select count(*) from shape.draft')).toBe(1)
  })

  test('stores a verifier of exactly that password, with a salt of its own', async () => {
    const one = await add('verified_1')
    const two = await add('verified_2')
    const verifier = await storedVerifier('verified_1')
    expect(verifier.iterations).toBeGreaterThanOrEqual(4096)
    expect(verifier.salt.length).toBe(16)
    expect(matches(one.credentials.password, verifier)).toBe(true)
    expect(matches(two.credentials.password, verifier)).toBe(false)
    expect((await storedVerifier('verified_2')).salt.equals(verifier.salt)).toBe(false)
  })

  test('the verifier is that of RFC 7677', async () => {
    const verifier = readVerifier(
      await database.value<string>(`select integratedb._scram_verifier('pencil', decode('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'))`),
    )
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
    const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`
    const sign = (key: Buffer) => createHmac('sha256', key).update(message).digest()
    expect(sign(verifier.serverKey).toString('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
    // What the client proves is a key whose hash is stored.
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
    const clientKey = Buffer.from(sign(verifier.storedKey).map((byte, i) => byte ^ (proof[i] as number)))
    expect(createHash('sha256').update(clientKey).digest().equals(verifier.storedKey)).toBe(true)
    // Longer than a block of the hash; and other iterations.
    for (const password of ['x', 'p'.repeat(64), 'p'.repeat(65), 'p'.repeat(200)]) {
      const text = await database.value<string>(`select integratedb._scram_verifier($1, '\\x00ff10', 7)`, [password])
      expect(matches(password, readVerifier(text))).toBe(true)
    }
    // What a session has SET does not change it.
    const odd = await database.connect()
    await odd.rows(`set standard_conforming_strings = off; set escape_string_warning = off; set bytea_output = 'escape'`).catch(() => {})
    const text = await odd.value<string>(`select integratedb._scram_verifier('pencil', decode('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'))`)
    expect(matches('pencil', readVerifier(text))).toBe(true)
    await odd.end()
  })

  test('takes the verifier of a password that nobody here knows', async () => {
    const verifier = makeVerifier('made elsewhere', 10_000)
    const answer = await database.value<Answer>(`select integratedb.add_stakeholder('brought', verifier => $1)`, [verifier])
    expect(answer).toEqual({ stakeholder: 'brought', schema: 'brought', credentials: { username: 'brought' } })
    expect(await database.value(`select rolpassword from pg_authid where rolname = 'brought'`)).toBe(verifier)
    expect((await database.failure(`select integratedb.add_stakeholder('clear', 'a password in clear')`)).code).toBe('IDB08')
    expect(await traces('clear')).toEqual([0, 0, 0])
  })

  test('the password logs in where only SCRAM does, and a wrong one does not', async ({ skip }) => {
    const { credentials } = await add('login')
    // Both: pg_hba knows the role's name as it was at the last reload.
    const done = await withHba(database, ['host all login all scram-sha-256', 'host all login_2 all scram-sha-256'], async () => {
      await logIn('login', credentials.password)
      await expect(logIn('login', `${credentials.password}x`)).rejects.toMatchObject({ code: '28P01' })
      await expect(logIn('login', '')).rejects.toThrow()
      const renamed = await database.value<Answer>(`select integratedb.rename_stakeholder('login', 'login_2')`)
      await logIn('login_2', renamed.credentials.password)
      await expect(logIn('login_2', credentials.password)).rejects.toMatchObject({ code: '28P01' })
    })
    if (!done) skip('this server cannot write its own pg_hba.conf')
  })

  test.each([
    'Order Items',
    'select',
    'a'.repeat(63),
    'größe',
    '売上',
    '🦆',
    `'; drop table x; --`,
    'a"b',
    'back\\slash',
    '%I',
    '$$',
    'user',
  ])('takes the name %s', async (name) => {
    const { credentials } = await add(name)
    expect(credentials.username).toBe(name)
    expect(matches(credentials.password, await storedVerifier(name))).toBe(true)
    await database.rows('drop table if exists public.odd; create table public.odd (id int)')
    await claim(name, 'public.odd')
    const own = await database.connect(name)
    expect(await own.rows('select * from public.odd')).toEqual([])
    await own.end()
    const renamed = await database.value<Answer>('select integratedb.rename_stakeholder($1, $2)', [name, `${name.slice(0, 10)} 2`])
    await database.rows('select integratedb.remove_stakeholder($1, keep_data => false)', [renamed.stakeholder])
    expect(await traces(renamed.stakeholder)).toEqual([0, 0, 0])
    expect(await traces(name)).toEqual([0, 0, 0])
  })

  test.each([
    ['', 'IDB05', 'empty'],
    ['a'.repeat(64), 'IDB05', '64 bytes'],
    ['ü'.repeat(32), 'IDB05', '64 bytes'],
    ['pg_x', 'IDB05', 'pg_'],
    ['public', 'IDB05', 'Postgres keeps it'],
    ['none', 'IDB05', 'Postgres keeps it'],
    ['information_schema', 'IDB05', 'Postgres keeps it'],
    ['integratedb', 'IDB05', 'IntegrateDB keeps it'],
    ['integratedb_admin', 'IDB05', 'IntegrateDB keeps it'],
    [' a', 'IDB05', 'space'],
    ['a ', 'IDB05', 'space'],
    ['a\tb', 'IDB05', 'control'],
    ['a\nb', 'IDB05', 'control'],
    ['a\u007f', 'IDB05', 'control'],
    [null, 'IDB08', 'role and a schema'],
  ])('refuses the name %j', async (name, code, reason) => {
    for (const call of ['add_stakeholder($1)', `rename_stakeholder('keeper', $1)`]) {
      if (call.startsWith('rename') && (await database.value(`select count(*) from integratedb.stakeholder where name = 'keeper'`)) === 0)
        await add('keeper')
      const error = await database.failure(`select integratedb.${call}`, [name])
      expect([error.code, error.detail]).toEqual([code, expect.stringContaining(reason)])
      expect(error.hint).toBeTruthy()
    }
    expect(await traces('keeper')).toEqual([1, 1, 1])
  })

  test('nothing that exists is adopted, whoever made it', async () => {
    await database.rows('create role a_role; create schema a_schema')
    await add('a_stakeholder')
    const elsewhere = await TestDatabase.create()
    await elsewhere.value(`select integratedb.add_stakeholder('of_another_database')`)
    for (const name of ['a_role', 'a_schema', 'a_stakeholder', 'of_another_database']) {
      const before = await traces(name)
      const error = await database.failure('select integratedb.add_stakeholder($1)', [name])
      expect(error).toMatchObject({ code: 'IDB05', message: expect.stringContaining('is taken') })
      expect((await database.failure(`select integratedb.rename_stakeholder('keeper', $1)`, [name])).code).toBe('IDB05')
      expect(await traces(name)).toEqual(before)
    }
    expect(await database.value(`select rolcanlogin from pg_roles where rolname = 'a_role'`)).toBe(false)
    await elsewhere.drop()
    // Databases have names of their own.
    await add(database.name)
    await database.rows('select integratedb.remove_stakeholder($1, false)', [database.name])
  })

  test('two sessions add the same name at once: one does, the other is told', async () => {
    const [one, two] = [await database.connect(), await database.connect()]
    await one.rows('begin')
    await one.value(`select integratedb.add_stakeholder('raced')`)
    const second = two.rows(`select integratedb.add_stakeholder('raced')`).then(
      () => 'added',
      (error: pg.DatabaseError) => [error.code, error.detail],
    )
    await new Promise((resolve) => setTimeout(resolve, 200))
    await one.rows('commit')
    expect(await second).toEqual(['IDB05', expect.stringContaining('There is a')])
    expect(await traces('raced')).toEqual([1, 1, 1])

    await one.rows('begin')
    await one.value(`select integratedb.add_stakeholder('raced_2')`)
    const third = two.rows(`select integratedb.add_stakeholder('raced_2')`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await one.rows('rollback')
    await third
    expect(await traces('raced_2')).toEqual([1, 1, 1])
    await one.end()
    await two.end()
  })

  test('an error leaves nothing half made', async () => {
    const other = await database.connect()
    await other.rows('begin')
    await other.value(`select integratedb.add_stakeholder('undone')`)
    await other.rows('rollback')
    expect(await traces('undone')).toEqual([0, 0, 0])
    await other.end()
  })

  test('may connect where PUBLIC may not', async () => {
    await database.rows(`revoke connect on database ${database.name} from public`)
    await add('connects')
    const own = await database.connect('connects')
    expect(await own.value('select current_user')).toBe('connects')
    await own.end()
    await database.rows(`select integratedb.remove_stakeholder('connects', false); grant connect on database ${database.name} to public`)
    expect(await traces('connects')).toEqual([0, 0, 0])
  })
})

describe('rename_stakeholder', () => {
  test('role, schema, claims and grants follow; the password is new; open sessions go on', async () => {
    const before = await add('old_name')
    await database.rows('create table public.renamed (id int, total numeric); insert into public.renamed values (1, 2)')
    await claim('old_name', 'public.renamed')
    const own = await database.connect('old_name')
    await own.rows('create table old_name.note (id int)')
    const after = await database.value<Answer>(`select integratedb.rename_stakeholder('old_name', 'new_name')`)
    expect(after).toEqual({
      stakeholder: 'new_name',
      schema: 'new_name',
      credentials: { username: 'new_name', password: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) },
    })
    const verifier = await storedVerifier('new_name')
    expect([matches(after.credentials.password, verifier), matches(before.credentials.password, verifier)]).toEqual([true, false])
    expect(await traces('old_name')).toEqual([0, 0, 0])
    expect(await own.rows('select total from public.renamed')).toEqual([{ total: '2' }])
    expect(await own.value('select count(*) from new_name.note')).toBe(0)
    expect(await database.rows(`select distinct stakeholder, path, status from integratedb.claims where path = 'public.renamed'`)).toEqual([
      { stakeholder: 'new_name', path: 'public.renamed', status: 'met' },
    ])
    expect(await database.value(`select integratedb.get_claims('new_name')`)).toEqual({ match: [{ path: 'public.renamed', fields: '*' }] })
    const error = await database.failure('alter table public.renamed drop column total')
    expect(error).toMatchObject({ code: 'IDB01', detail: expect.stringContaining('new_name needs public.renamed.total') })
    expect(await database.rows('select * from integratedb.sync()')).toEqual([])
    await own.end()
  })

  test('is rejected while others claim what is in its schema', async () => {
    await add('producer')
    await add('consumer')
    await database.rows('create table producer.feed (id int); alter table producer.feed owner to producer')
    await claim('consumer', 'producer.feed')
    const error = await database.failure(`select integratedb.rename_stakeholder('producer', 'maker')`)
    expect(error).toMatchObject({ code: 'IDB01', detail: expect.stringContaining('IDB103 consumer needs producer.feed') })
    expect([await traces('producer'), await traces('maker')]).toEqual([
      [1, 1, 1],
      [0, 0, 0],
    ])
    const reader = await database.connect('consumer')
    expect(await reader.rows('select * from producer.feed')).toEqual([])
    await reader.end()
  })

  test('of the unknown, and of itself', async () => {
    for (const name of ['nobody_here', '', null]) {
      expect((await database.failure(`select integratedb.rename_stakeholder($1, 'whoever')`, [name])).code).toBe('IDB04')
      expect((await database.failure('select integratedb.remove_stakeholder($1)', [name])).code).toBe('IDB04')
    }
    await add('itself')
    await database.rows('grant integratedb_admin to itself')
    const own = await database.connect('itself')
    expect((await own.failure(`select integratedb.rename_stakeholder('itself', 'another')`)).code).toBe('IDB08')
    expect((await own.failure(`select integratedb.remove_stakeholder('itself')`)).code).toBe('IDB08')
    await own.end()
    // In its clothes: what it owns would have been handed to itself, and then dropped.
    await database.rows('create role boss login; grant itself to boss')
    const boss = await database.connect('boss')
    await boss.rows('set role itself')
    expect((await boss.failure(`select integratedb.remove_stakeholder('itself')`)).code).toBe('IDB08')
    await boss.end()
    expect(await traces('itself')).toEqual([1, 1, 1])
  })
})

describe('remove_stakeholder', () => {
  test('keeps the data for the caller', async () => {
    await add('leaver')
    await add('stayer')
    await database.rows('create table public.shared (id int); create schema common; grant create, usage on schema common to leaver')
    await claim('leaver', 'public.shared')
    const own = await database.connect('leaver')
    await own.rows(`
      create table leaver.book (id int); insert into leaver.book values (7);
      create table common.page (id int);
      create sequence leaver.number; create type leaver.mood as enum ('good');
      grant usage on schema leaver to stayer; grant select on leaver.book to stayer;
      alter default privileges in schema leaver grant select on tables to stayer`)
    await own.end()
    await database.rows(`select integratedb.remove_stakeholder('leaver')`)
    expect(await traces('leaver')).toEqual([0, 1, 0])
    expect(
      await database.rows(
        `select relname::text as name, relowner::regrole::text as owner from pg_class
          where relnamespace in ('leaver'::regnamespace, 'common'::regnamespace) and relkind in ('r', 'S') order by 1`,
      ),
    ).toEqual(['book', 'number', 'page'].map((name) => ({ name, owner: 'postgres' })))
    expect(await database.value('select id from leaver.book')).toBe(7)
    // What it had given to others still holds: they may depend on it.
    const stayer = await database.connect('stayer')
    expect(await stayer.value('select id from leaver.book')).toBe(7)
    await stayer.end()
    expect(await database.value(`select count(*) from pg_default_acl`)).toBe(0)
    expect(await database.value(`select count(*) from integratedb.claims where stakeholder = 'leaver'`)).toBe(0)
    // The name is free for a role again, and the schema is in the way: nothing is adopted.
    expect((await database.failure(`select integratedb.add_stakeholder('leaver')`)).detail).toContain('a schema')
  })

  test('or drops what it owns, wherever that is', async () => {
    await add('goner')
    await database.rows('grant create on schema common to goner')
    const own = await database.connect('goner')
    await own.rows('create table goner.a (id int); create view goner.b as select * from goner.a; create table common.of_goner (id int)')
    await own.end()
    await database.rows(`select integratedb.remove_stakeholder('goner', keep_data => false)`)
    expect(await traces('goner')).toEqual([0, 0, 0])
    expect(await database.value(`select to_regclass('common.of_goner')`)).toBeNull()
  })

  test('drops nothing of others', async () => {
    await add('typist')
    const own = await database.connect('typist')
    await own.rows(`create type typist.mood as enum ('good', 'bad'); create table typist.parent (id int primary key)`)
    await own.end()
    await database.rows(
      `create table public.orders_of_others (id int, mood typist.mood); insert into public.orders_of_others values (1, 'good')`,
    )
    const error = await database.failure(`select integratedb.remove_stakeholder('typist', keep_data => false)`)
    expect(error).toMatchObject({ code: 'IDB06', detail: expect.stringContaining('public.orders_of_others') })
    expect(await traces('typist')).toEqual([1, 1, 1])
    expect(await database.value('select mood from public.orders_of_others')).toBe('good')
    expect(await database.value(`select rolcanlogin from pg_roles where rolname = 'typist'`)).toBe(true)
    await database.rows(`select integratedb.remove_stakeholder('typist')`)
  })

  test('is rejected while others claim what would be dropped', async () => {
    const error = await database.failure(`select integratedb.remove_stakeholder('producer', keep_data => false)`)
    expect(error).toMatchObject({ code: 'IDB01', detail: expect.stringContaining('IDB101 consumer needs producer.feed') })
    expect(await traces('producer')).toEqual([1, 1, 1])
    // Handed over, the claim holds.
    await database.rows(`select integratedb.remove_stakeholder('producer')`)
    const reader = await database.connect('consumer')
    expect(await reader.rows('select * from producer.feed')).toEqual([])
    await reader.end()
    expect(await database.rows(`select * from integratedb.unmet_claims()`)).toEqual([])
  })

  test('ends its sessions, busy, idle, or idle in a transaction that holds its tables', async () => {
    await add('connected')
    const sessions = [await database.connect('connected'), await database.connect('connected'), await database.connect('connected')]
    await sessions[0]?.rows('create table connected.held (id int)')
    await sessions[1]?.rows('begin; select * from connected.held')
    const busy = sessions[2]?.rows('select pg_sleep(30)').catch((error: { code?: string }) => error.code)
    await database.rows(`set lock_timeout = '5s'; select integratedb.remove_stakeholder('connected'); reset lock_timeout`)
    expect(await busy).toBe('57P01')
    for (const session of sessions) await ended(session)
    expect(await database.value(`select count(*) from pg_stat_activity where usename = 'connected'`)).toBe(0)
  })

  test('a session that slips in before the commit can read nothing', async () => {
    await add('slippery')
    await database.rows('create table public.secret (id int); insert into public.secret values (1)')
    await claim('slippery', 'public.secret')
    const admin = await database.connect()
    await admin.rows(`begin; select integratedb.remove_stakeholder('slippery')`)
    const late = await database.connect('slippery')
    await admin.rows('commit')
    await admin.end()
    expect((await late.failure('select * from public.secret')).code).toBe('42501')
    for (const statement of [
      'create table slippery.t (id int)',
      'create table public.t_of_nobody (id int)',
      'create schema x',
      `select integratedb.get_claims('slippery')`,
    ])
      await late.failure(statement)
    await late.end()
    await expect(database.connect('slippery')).rejects.toMatchObject({ code: '28000' })
  })

  test('says where else it is used, and leaves everything as it was', async () => {
    await add('traveller')
    await database.rows('create table public.seen (id int)')
    await claim('traveller', 'public.seen')
    const elsewhere = await TestDatabase.create(null)
    await elsewhere.rows('create table far (id int); alter table far owner to traveller')
    const own = await database.connect('traveller')
    const error = await database.failure(`select integratedb.remove_stakeholder('traveller')`)
    expect(error).toMatchObject({ code: 'IDB06', detail: expect.stringContaining(elsewhere.name) })
    expect(await traces('traveller')).toEqual([1, 1, 1])
    // Not even its session.
    expect(await own.rows('select * from public.seen')).toEqual([])
    await elsewhere.rows('reassign owned by traveller to postgres; drop owned by traveller')
    await database.rows(`select integratedb.remove_stakeholder('traveller', false)`)
    expect(await traces('traveller')).toEqual([0, 0, 0])
    await elsewhere.drop()
    await own.end().catch(() => {})
  })

  test('works when somebody dropped the role before', async () => {
    await add('half')
    await database.rows('drop schema half; drop role half')
    expect(await traces('half')).toEqual([0, 0, 1])
    await database.rows(`select integratedb.remove_stakeholder('half')`)
    expect(await traces('half')).toEqual([0, 0, 0])
  })

  test('rolled back, everything is there again', async () => {
    await add('returner')
    await database.rows('create table public.again (id int)')
    await claim('returner', 'public.again')
    await database.rows(`begin; select integratedb.remove_stakeholder('returner', false); rollback`)
    const own = await database.connect('returner')
    expect(await own.rows('select * from public.again')).toEqual([])
    await own.end()
  })

  test('the heir is who called: the login, or the role that it has SET', async () => {
    await database.rows(`
      create role caretaker login; grant integratedb_admin to caretaker;
      create role warehouse; grant integratedb_admin to warehouse; grant warehouse to caretaker`)
    const caretaker = await database.connect('caretaker')
    for (const [role, heir] of [
      ['none', 'caretaker'],
      ['integratedb_admin', 'caretaker'],
      ['warehouse', 'warehouse'],
    ]) {
      await add('testator')
      await database.rows('create table testator.estate (id int); alter table testator.estate owner to testator')
      await caretaker.rows(`set role ${role}; select integratedb.remove_stakeholder('testator'); reset role`)
      expect(await database.value(`select relowner::regrole::text from pg_class where oid = 'testator.estate'::regclass`)).toBe(heir)
      expect(await database.value(`select nspowner::regrole::text from pg_namespace where nspname = 'testator'`)).toBe(heir)
      await database.rows('drop schema testator cascade')
    }
    await caretaker.end()
  })
})

async function logIn(user: string, password: string): Promise<void> {
  await (await connectWith(database, user, password)).end()
}

describe('a stakeholder whose role was renamed by hand', () => {
  test('stops no migration, is told of, and is repaired by renaming it back', async () => {
    await add('wanderer')
    await database.rows('create table public.wandered (id int, note text)')
    await claim('wanderer', 'public.wandered')
    await database.rows('alter role wanderer rename to stray')
    await database.rows('alter table public.wandered add column later date')
    const refused = await database.failure('alter table public.wandered drop column note')
    expect(refused.detail).toBe('IDB201 wanderer needs public.wandered.note (text): the column was dropped')
    const unmet = await database.rows("select field, message from integratedb.unmet_claims() where stakeholder = 'wanderer'")
    expect(unmet).toContainEqual({ field: 'id', message: 'there is no role wanderer to read it with' })
    expect(await database.value("select detail from integratedb.doctor() where check_name = 'stakeholders'")).toContain(
      'wanderer has no role',
    )
    expect((await database.failure('select * from integratedb.sync()')).code).toBe('IDB04')

    await database.rows('alter role stray rename to wanderer')
    await database.rows('select * from integratedb.sync()')
    expect(await database.value("select has_column_privilege('wanderer', 'public.wandered', 'later', 'select')")).toBe(true)
    await database.rows("select integratedb.remove_stakeholder('wanderer')")
  })
})
