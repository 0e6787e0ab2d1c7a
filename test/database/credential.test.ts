/** Logins that overlap, end, are renewed, revoked and removed; and that nothing of them is left. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Row, type Session, TestDatabase } from '../support/database.ts'
import { diagnosis, engineOf } from '../support/installation.ts'
import { logIn, makeVerifier, matches, storedVerifier, withHba } from '../support/scram.ts'

interface Answer {
  stakeholder: string
  schema: string
  credentials: { username: string; password: string; valid_until?: string }
}

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.rows('create table public.orders (id int primary key, total numeric); insert into public.orders values (1, 2)')
})
afterEach(() => database.endSessions())
afterAll(() => database.drop())

/** A stakeholder of each test's own, which claims the orders. */
let name: string
let number = 0
beforeEach(async () => {
  name = `app_${++number}`
  database.notices.length = 0
  await database.value('select integratedb.add_stakeholder($1)', [name])
  await database.rows('select * from integratedb.set_claims($1, $2)', [
    name,
    JSON.stringify({ match: [{ path: 'public.orders', fields: '*' }] }),
  ])
})

const rotate = (grace = '1 hour') => database.value<Answer>('select integratedb.rotate_credentials($1, $2)', [name, grace])
const issue = (ttl = '1 hour') => database.value<Answer>('select integratedb.issue_credentials($1, $2)', [name, ttl])
const expire = () => database.rows('select * from integratedb.expire_credentials() where stakeholder = $1', [name])
const revoke = (username: string) => database.rows('select integratedb.revoke_credentials($1)', [username])

/** What Postgres has of a role. */
async function role(username: string): Promise<Row | undefined> {
  const [row] = await database.rows(
    `select r.rolcanlogin, a.rolpassword is not null as has_password, r.rolvaliduntil as valid_until, r.rolconnlimit,
            (select setconfig from pg_db_role_setting where setrole = r.oid and setdatabase = 0) as settings
       from pg_roles r join pg_authid a using (oid) where r.rolname = $1`,
    [username],
  )
  return row
}

async function validUntil(username: string): Promise<number | undefined> {
  const until = (await role(username))?.['valid_until']
  return until instanceof Date ? until.getTime() : undefined
}

/** Lets it have ended: as if the time had passed, for us and for Postgres. */
async function end(username: string): Promise<void> {
  await database.rows(`update integratedb.credential set valid_until = now() - interval '1 second' where username = $1`, [username])
  await database.rows(`alter role "${username}" valid until '2000-01-01'`)
}

async function ended(session: Session): Promise<void> {
  await expect
    .poll(async () => {
      try {
        await session.rows('select 1')
        return 'goes on'
      } catch (error) {
        return error instanceof pg.DatabaseError && error.code !== '57P01' ? 'goes on' : 'ended'
      }
    })
    .toBe('ended')
}

/** Everywhere in the cluster that a role can leave something. */
async function traces(like: string): Promise<Row> {
  const [row] = await database.rows(
    `with mentions (place, text) as (
       select 'role', rolname::text from pg_roles
       union all select 'credential', username from integratedb.credential
       union all select 'acl', a::text from (
         select datacl as acl from pg_database union all select nspacl from pg_namespace union all select relacl from pg_class
         union all select attacl from pg_attribute union all select proacl from pg_proc union all select typacl from pg_type
         union all select defaclacl from pg_default_acl) o, unnest(o.acl) a
     ), orphans (place, oid) as (
       select 'owner', relowner from pg_class union all select 'owner', nspowner from pg_namespace union all select 'owner', proowner from pg_proc
       union all select 'owner', typowner from pg_type union all select 'owner', defaclrole from pg_default_acl
       union all select 'setting', setrole from pg_db_role_setting where setrole <> 0
       union all select 'member', roleid from pg_auth_members union all select 'member', member from pg_auth_members
       union all select 'dependency', refobjid from pg_shdepend where refclassid = 'pg_authid'::regclass
       union all select 'acl', x.grantee from (
         select datacl as acl from pg_database union all select nspacl from pg_namespace union all select relacl from pg_class
         union all select attacl from pg_attribute) o, aclexplode(o.acl) x where x.grantee <> 0
     )
     select (select array_agg(place || ' ' || text) from mentions where text like $1) as mentions,
            (select array_agg(distinct place || ' ' || o.oid) from orphans o where not exists (select from pg_authid where oid = o.oid)) as orphans`,
    [like],
  )
  return row as Row
}
const none = { mentions: null, orphans: null }

describe('rotate_credentials', () => {
  test('gives a second login at once; the first has the grace, and then is a group', async () => {
    const answer = await rotate('2 hours')
    const { username, password } = answer.credentials
    expect(answer).toEqual({
      stakeholder: name,
      schema: name,
      credentials: { username: expect.stringMatching(`^${name}_[a-z2-7]{10}$`), password: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) },
    })
    expect(matches(password, await storedVerifier(database, username))).toBe(true)
    expect(await role(username)).toMatchObject({ rolcanlogin: true, valid_until: null })
    const old = await role(name)
    expect(old).toMatchObject({ rolcanlogin: true, has_password: true })
    const left = ((await validUntil(name)) ?? 0) - Date.now()
    expect([left > 119 * 60_000, left < 121 * 60_000]).toEqual([true, true])
    // Both work, and are the stakeholder.
    for (const user of [name, username]) {
      const session = await database.connect(user)
      expect(await session.rows('select current_user::text, total from public.orders')).toEqual([{ current_user: name, total: '2' }])
      await session.end()
    }
    expect(await expire()).toEqual([])
    const late = await database.connect(name)
    await end(name)
    expect(await expire()).toEqual([{ username: name, stakeholder: name, problem: null }])
    await ended(late)
    expect(await role(name)).toMatchObject({ rolcanlogin: false, has_password: false })
    await expect(database.connect(name)).rejects.toMatchObject({ code: '28000' })
    const session = await database.connect(username)
    expect(await session.value('select total from public.orders')).toBe('2')
    await session.end()
    expect(await expire()).toEqual([])
    expect((await diagnosis(database, 'stakeholders')).status).toBe('ok')
  })

  test('again and again: no grace becomes longer, and those in between go', async () => {
    const first = await rotate('10 minutes')
    const second = await rotate('2 hours')
    await rotate()
    const times = await database.rows<{ username: string; minutes: number }>(
      `select username, ceil(extract(epoch from valid_until - now()) / 60)::int as minutes from integratedb.credentials where stakeholder = $1 order by issued_at`,
      [name],
    )
    expect(times).toEqual([
      { username: name, minutes: 10 },
      { username: first.credentials.username, minutes: 60 },
      { username: second.credentials.username, minutes: 60 },
      { username: expect.any(String), minutes: null },
    ])
    await end(first.credentials.username)
    expect(await expire()).toEqual([{ username: first.credentials.username, stakeholder: name, problem: null }])
    expect(await traces(`%${first.credentials.username}%`)).toEqual(none)
  })

  test('with no grace ends the others at once, and their sessions; not leases', async () => {
    const lease = await issue()
    const first = await rotate()
    const sessions = [await database.connect(name), await database.connect(first.credentials.username)]
    const leased = await database.connect(lease.credentials.username)
    const second = await rotate('0')
    for (const session of sessions) await ended(session)
    for (const user of [name, first.credentials.username]) await expect(database.connect(user)).rejects.toMatchObject({ code: '28000' })
    expect(await leased.value('select total from public.orders')).toBe('2')
    await leased.end()
    await (await database.connect(second.credentials.username)).end()
    expect((await expire()).map((row) => [row['username'], row['problem']]).sort()).toEqual([
      [name, null],
      [first.credentials.username, null],
    ])
  })

  test.each([null, '-1 second', '1 month -31 days -1 second', '300000 years', 'infinity'])('a grace of %s is refused', async (grace) => {
    const error = await database.failure('select integratedb.rotate_credentials($1, $2::text::interval)', [name, grace])
    // Before PostgreSQL 17 no interval is infinite.
    if (!(grace === 'infinity' && error.code === '22007'))
      expect([error.code, error.message]).toEqual(['IDB08', expect.stringContaining('the grace')])
    expect(await database.value('select count(*) from integratedb.credential where stakeholder = $1', [name])).toBe(1)
  })

  test('a password of the client’s own: its verifier is stored as it is, and anything else is refused and not repeated', async () => {
    const verifier = makeVerifier('made by the client', 15_000)
    for (const call of ['rotate_credentials($1, verifier => $2)', `issue_credentials($1, '1 hour', $2)`]) {
      const answer = await database.value<Answer>(`select integratedb.${call}`, [name, verifier])
      expect(Object.keys(answer.credentials)).not.toContain('password')
      expect(await database.value('select rolpassword from pg_authid where rolname = $1', [answer.credentials.username])).toBe(verifier)
    }
    const [, iterations, salt, stored, server] = /^SCRAM-SHA-256\$(\d+):(.+)\$(.+):(.+)$/.exec(verifier) as unknown as string[]
    const before = await database.value('select count(*) from pg_roles')
    for (const wrong of [
      'hunter2hunter2',
      '',
      verifier.toLowerCase(),
      ` ${verifier}`,
      `${verifier}\n`,
      `${verifier}=`,
      `md5${'0'.repeat(32)}`,
      `SCRAM-SHA-256$4095:${salt}$${stored}:${server}`,
      `SCRAM-SHA-256$2147483648:${salt}$${stored}:${server}`,
      `SCRAM-SHA-256$04096:${salt}$${stored}:${server}`,
      `SCRAM-SHA-256$${iterations}:$${stored}:${server}`,
      `SCRAM-SHA-256$${iterations}:abc$${stored}:${server}`,
      `SCRAM-SHA-256$${iterations}:${'A'.repeat(404)}$${stored}:${server}`,
      `SCRAM-SHA-256$${iterations}:${salt}$${stored?.slice(4)}:${server}`,
      `SCRAM-SHA-256$${iterations}:${salt}$${stored}`,
      `SCRAM-SHA-1$${iterations}:${salt}$${stored}:${server}`,
    ]) {
      for (const call of [
        'rotate_credentials($1, verifier => $2)',
        `issue_credentials($1, '1 hour', $2)`,
        'add_stakeholder($1 || $1, $2)',
      ]) {
        const error = await database.failure(`select integratedb.${call}`, [name, wrong])
        expect([wrong, error.code]).toEqual([wrong, 'IDB08'])
        if (wrong.length > 5) expect(JSON.stringify({ ...error, message: error.message })).not.toContain(JSON.stringify(wrong).slice(1, -1))
      }
    }
    expect(await database.value('select count(*) from pg_roles')).toBe(before)
  })

  test.each(['Order Items', 'ü'.repeat(31), '🦆'.repeat(15), `'; drop table x; --`, 'a"b\\c', '%I $$', 'n'.repeat(63)])(
    'of the name %s: a login that fits',
    async (odd) => {
      await database.value('select integratedb.add_stakeholder($1)', [odd])
      const { username } = (await database.value<Answer>('select integratedb.rotate_credentials($1)', [odd])).credentials
      expect(Buffer.byteLength(username)).toBeLessThanOrEqual(63)
      expect(odd.startsWith(username.slice(0, -11))).toBe(true)
      const session = await database.connect(username)
      await session.rows('create table made_here ()').catch(() => {})
      expect(await session.value('select current_user::text')).toBe(odd)
      await session.end()
      await database.rows('select integratedb.remove_stakeholder($1, false)', [odd])
      expect(await traces(`%${username}%`)).toEqual(none)
    },
  )

  test('a name that is taken is not adopted: another is tried, and at last it gives up', async () => {
    const source = await database.value<string>(`select pg_get_functiondef('integratedb._login_name(text)'::regprocedure)`)
    await database.rows(`create role early_bird login password 'mine'; create sequence public.tries`)
    await database.rows(`create or replace function integratedb._login_name(stakeholder text) returns text language sql as
      $$ select case when nextval('public.tries') < 4 then 'early_bird' else 'late_bird' end $$`)
    expect((await rotate()).credentials.username).toBe('late_bird')
    expect(await database.value('select last_value from public.tries')).toBe(4)
    const error = await database.failure('select integratedb.rotate_credentials($1)', [name])
    expect([error.code, await database.value('select last_value from public.tries')]).toEqual(['IDB05', 9])
    expect(await database.value(`select count(*) from pg_auth_members where member = 'early_bird'::regrole`)).toBe(0)
    await database.rows(source)
    await database.rows('drop role early_bird; drop sequence public.tries')
  })

  test('under load: 20 connections that keep reconnecting through 10 rotations, and no login fails', async ({ skip }) => {
    let current = await database.value<Answer>('select integratedb.rotate_credentials($1)', [name])
    let over = false
    let logins = 0
    const failures: unknown[] = []
    const users = new Set<string>()
    const client = async () => {
      while (!over) {
        const { username, password } = current.credentials
        // A fleet learns of a new password after a while.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
        try {
          const session = await logIn(database, username, password)
          await session.query('select total from public.orders')
          await session.end()
          users.add(username)
          logins++
        } catch (error) {
          failures.push(error)
        }
      }
    }
    const done = await withHba(database, [`host all +${name} all scram-sha-256`], async () => {
      await expect(logIn(database, current.credentials.username, 'another')).rejects.toMatchObject({ code: '28P01' })
      const clients = Array.from({ length: 20 }, client)
      for (let i = 0; i < 10; i++) {
        current = await rotate('3 seconds')
        await new Promise((resolve) => setTimeout(resolve, 400))
        await expire()
      }
      over = true
      await Promise.all(clients)
    })
    if (!done) skip('this server cannot write its own pg_hba.conf')
    console.log(`${logins} logins of 20 connections with ${users.size} usernames through 10 rotations, ${failures.length} of them failed`)
    expect(failures).toEqual([])
    expect(users.size).toBe(11)
    expect(logins).toBeGreaterThan(200)
    // Those of long ago are gone.
    expect(await database.value('select count(*) from integratedb.credential where stakeholder = $1', [name])).toBeLessThan(11)
  })

  test('two at once: one after the other, and a removal meanwhile leaves nothing', async () => {
    const [one, two] = [await database.connect(), await database.connect()]
    await one.rows('begin')
    await one.value('select integratedb.rotate_credentials($1)', [name])
    const second = two.value<Answer>('select integratedb.rotate_credentials($1)', [name])
    await new Promise((resolve) => setTimeout(resolve, 100))
    await one.rows('commit')
    const { username } = (await second).credentials
    // The first one's login was not yet there when the second began, and is ended by it all the same.
    expect(
      await database.rows('select username from integratedb.credentials where stakeholder = $1 and valid_until is null', [name]),
    ).toEqual([{ username }])
    await one.rows('begin')
    await one.value(`select integratedb.issue_credentials($1, '1 hour')`, [name])
    const removal = two.rows('select integratedb.remove_stakeholder($1, false)', [name])
    await new Promise((resolve) => setTimeout(resolve, 100))
    await one.rows('commit')
    await removal
    expect(await traces(`%${name}%`)).toEqual(none)
    await one.end()
    await two.end()
  })
})

describe('issue_credentials', () => {
  test('leases a login that is the stakeholder: what it makes is the stakeholder’s', async () => {
    const answer = await issue('90 minutes')
    const { username, valid_until } = answer.credentials
    expect(answer).toEqual({
      stakeholder: name,
      schema: name,
      credentials: { username: expect.any(String), password: expect.any(String), valid_until: expect.any(String) },
    })
    expect(Math.abs(Date.parse(valid_until as string) - Date.now() - 90 * 60_000)).toBeLessThan(30_000)
    expect(await validUntil(username)).toBe(Date.parse(valid_until as string))
    expect(
      await database.rows(
        `select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolinherit, array(
           select roleid::regrole::text || ' ' || admin_option from pg_auth_members where member = r.oid) as memberships
           from pg_roles r where rolname = $1`,
        [username],
      ),
    ).toEqual([
      {
        rolsuper: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolreplication: false,
        rolbypassrls: false,
        rolinherit: true,
        memberships: [`${name} false`],
      },
    ])
    const session = await database.connect(username)
    expect(await session.value('select total from public.orders')).toBe('2')
    await session.rows(`create table ${name}.draft (id int); create function ${name}.f() returns int language sql as 'select 1'`)
    expect((await session.failure('delete from public.orders')).code).toBe('42501')
    await session.end()
    expect(await database.value(`select relowner::regrole::text from pg_class where oid = '${name}.draft'::regclass`)).toBe(name)
    const own = await database.connect(name)
    await own.rows(`insert into ${name}.draft values (1)`)
    await own.end()
  })

  test('where PUBLIC may not connect, it may', async () => {
    await database.rows(`revoke connect on database ${database.name} from public`)
    name = 'of_the_few'
    await database.value('select integratedb.add_stakeholder($1)', [name])
    const { username } = (await issue()).credentials
    await (await database.connect(username)).end()
    await database.rows(`grant connect on database ${database.name} to public`)
    await database.rows('select integratedb.remove_stakeholder($1, false)', [name])
    expect(await traces('%of_the_few%')).toEqual(none)
  })

  test('over, it goes: no role, no session, and what it owned is the stakeholder’s', async () => {
    const { username } = (await issue()).credentials
    const session = await database.connect(username)
    // As itself, not as the stakeholder.
    await session.rows(`
      set role none;
      create table ${name}.leased (id int); create view ${name}.seen as select * from ${name}.leased; create temp table scratch ();
      alter default privileges in schema ${name} grant select on tables to public;
      grant select on ${name}.leased to public;
      alter role current_user set statement_timeout = '1min'`)
    await database.rows(`grant select on public.orders to "${username}"; grant usage on schema public to "${username}"`)
    expect(await expire()).toEqual([])
    await end(username)
    expect(await expire()).toEqual([{ username, stakeholder: name, problem: null }])
    await ended(session)
    expect(await traces(`%${username}%`)).toEqual(none)
    expect(await database.value(`select relowner::regrole::text from pg_class where oid = '${name}.leased'::regclass`)).toBe(name)
    expect(await database.rows('select * from integratedb.unmet_claims()')).toEqual([])
    await expect(database.connect(username)).rejects.toMatchObject({ code: '28000' })
  })

  test('100 leases leave nothing behind', async () => {
    const before = await database.rows('select relname, relacl, reloptions from pg_class where relacl is not null order by oid')
    const migrations = await database.value('select count(*) from integratedb.migration')
    await database.rows(`select integratedb.issue_credentials($1, '1 hour') from generate_series(1, 100)`, [name])
    expect(await database.value('select count(*) from integratedb.credentials where stakeholder = $1', [name])).toBe(101)
    // Grants are the stakeholder's alone.
    expect((await traces(`%${name}\\__%`))['mentions']).toHaveLength(200)
    await database.rows(`update integratedb.credential set valid_until = now() where stakeholder = $1 and kind = 'lease'`, [name])
    await database.rows(`do $$ declare r text; begin for r in select username from integratedb.credential where kind = 'lease' and stakeholder = '${name}' loop
      execute format('alter role %I valid until ''2000-01-01''', r); end loop; end $$`)
    expect(await expire()).toHaveLength(100)
    expect(await traces(`%${name}\\__%`)).toEqual(none)
    expect(await database.rows('select relname, relacl, reloptions from pg_class where relacl is not null order by oid')).toEqual(before)
    // No grant moved, so nothing was judged.
    expect(await database.value('select count(*) from integratedb.migration')).toBe(migrations)
  })

  test('nothing is dropped that is not its own: renewed elsewhere, renamed, made again, gone', async () => {
    const [prolonged, renamed, again, gone] = [await issue(), await issue(), await issue(), await issue()].map(
      (answer) => answer.credentials.username,
    ) as [string, string, string, string]
    await database.rows(`
      update integratedb.credential set valid_until = now() where stakeholder = '${name}' and kind = 'lease';
      alter role "${renamed}" rename to "${renamed}_2"; alter role "${renamed}_2" valid until '2000-01-01';
      drop role "${again}"; create role "${again}" login; drop role "${gone}"`)
    expect((await expire()).sort((a, b) => (String(a['username']) < String(b['username']) ? -1 : 1))).toEqual(
      [prolonged, renamed, again, gone].sort().map((username) => ({
        username,
        stakeholder: name,
        problem: username === prolonged ? expect.stringContaining('somebody let its role be valid until') : null,
      })),
    )
    expect((await role(prolonged))?.['rolcanlogin']).toBe(true)
    expect(await diagnosis(database, 'credentials are as they were given')).toMatchObject({
      status: 'warning',
      detail: `${prolonged} is valid longer than it was`,
    })
    expect([await role(renamed), await role(`${renamed}_2`), await role(gone)]).toEqual([undefined, undefined, undefined])
    expect((await role(again))?.['rolcanlogin']).toBe(true)
    await database.rows(`drop role "${again}"; alter role "${prolonged}" valid until '2000-01-01'`)
    expect(await expire()).toEqual([{ username: prolonged, stakeholder: name, problem: null }])
  })

  test('what cannot go now cannot log in, is told, and goes later', async () => {
    const { username } = (await issue()).credentials
    const other = (await issue()).credentials.username
    const elsewhere = await TestDatabase.create(null)
    await elsewhere.rows(`create table far (id int); alter table far owner to "${username}"`)
    await end(username)
    await end(other)
    const rows = await expire()
    expect(rows).toContainEqual({ username: other, stakeholder: name, problem: null })
    expect(rows).toContainEqual({ username, stakeholder: name, problem: expect.stringContaining(`in database ${elsewhere.name}`) })
    expect(await role(username)).toMatchObject({ rolcanlogin: false, has_password: false })
    expect(await database.value('select problem from integratedb.credentials where username = $1', [username])).toContain(
      'cannot be dropped',
    )
    await database.rows(`update integratedb.credential set revoked_at = now() - interval '1 hour' where username = $1`, [username])
    expect(await diagnosis(database, 'expired credentials are removed')).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(`^1 have been over .* ${username} \\(.*cannot be dropped`),
    })
    await elsewhere.drop()
    expect(await expire()).toEqual([{ username, stakeholder: name, problem: null }])
    expect((await diagnosis(database, 'expired credentials are removed')).status).toBe('ok')
  })

  test('a session that obeys no signal keeps its role, without login, until it ends', async () => {
    const { username } = (await issue()).credentials
    const session = await database.connect(username)
    await session.rows(`select * from integratedb.check_claims('{"match": []}')`) // loads the engine
    await revoke(username)
    if ((await engineOf(database)) === 'plv8') {
      await ended(session)
    } else {
      expect(await expire()).toEqual([{ username, stakeholder: name, problem: '1 of its sessions do not end' }])
      expect(await role(username)).toMatchObject({ rolcanlogin: false, has_password: false })
      await session.end()
    }
    expect(await expire()).toEqual([{ username, stakeholder: name, problem: null }])
  })

  test('a lock that somebody holds is waited for shortly', async () => {
    const { username } = (await issue()).credentials
    const session = await database.connect(username)
    await session.rows(`set role none; create table ${name}.locked ()`)
    await session.end()
    const holder = await database.connect()
    await holder.rows(`begin; lock table ${name}.locked`)
    await revoke(username)
    // On pljs, lock_timeout no longer works in a session that has used the engine.
    const reaper = await database.connect()
    expect(await reaper.rows('select * from integratedb.expire_credentials()')).toEqual([
      { username, stakeholder: name, problem: expect.stringContaining('lock timeout') },
    ])
    await reaper.end()
    await holder.end()
    expect(await expire()).toEqual([{ username, stakeholder: name, problem: null }])
  })

  test('a session that slips in while its role goes is ended by the next call', async () => {
    const { username } = (await issue()).credentials
    await end(username)
    const reaper = await database.connect()
    await reaper.rows('begin; select * from integratedb.expire_credentials()')
    const late = await database.connect(username) // VALID UNTIL is for passwords; this server trusts
    await reaper.rows('commit')
    expect(await late.value('select 1')).toBe(1)
    await reaper.rows('select * from integratedb.expire_credentials()')
    await ended(late)
    await reaper.end()
  })
})

describe('renew_credentials', () => {
  test('from now on, shorter or longer, up to max_ttl since it was issued', async () => {
    await database.rows(`select integratedb.set_stakeholder_option($1, 'max_ttl', '2 hours')`, [name])
    const { username } = (await issue('1 hour')).credentials
    const renew = (ttl: string) => database.value<Answer>('select integratedb.renew_credentials($1, $2)', [username, ttl])
    const minutes = (answer: Answer) => Math.round((Date.parse(answer.credentials.valid_until as string) - Date.now()) / 60_000)
    const renewed = await renew('90 minutes')
    expect(renewed).toEqual({ stakeholder: name, schema: name, credentials: { username, valid_until: expect.any(String) } })
    expect(minutes(renewed)).toBe(90)
    expect(minutes(await renew('30 minutes'))).toBe(30)
    const capped = await renew('5 hours')
    expect(minutes(capped)).toBe(120)
    expect(await validUntil(username)).toBe(Date.parse(capped.credentials.valid_until as string))
    const error = await database.failure(`select integratedb.renew_credentials($1, '3 hours')`, [username])
    expect([error.code, error.message]).toEqual(['IDB08', `the lease ${username} lasts as long as it may`])
  })

  test('not what is over, revoked, unknown or no lease', async () => {
    const { username } = (await issue()).credentials
    const fails = async (of: string | null, ttl: string | null = '1 hour') =>
      (await database.failure('select integratedb.renew_credentials($1, $2)', [of, ttl])).code
    expect([await fails(username, null), await fails(username, '0'), await fails(username, '-1 hour')]).toEqual(['IDB08', 'IDB08', 'IDB08'])
    expect([await fails(name), await fails((await rotate()).credentials.username)]).toEqual(['IDB08', 'IDB08'])
    expect([await fails('nobody'), await fails(''), await fails(null)]).toEqual(['IDB04', 'IDB04', 'IDB04'])
    await end(username)
    expect(await fails(username)).toBe('IDB04')
    const second = (await issue()).credentials.username
    await revoke(second)
    expect(await fails(second)).toBe('IDB04')
    await expire()
    expect(await fails(second)).toBe('IDB04')
  })

  test('a lease lasts 32 days at most, unless max_ttl says otherwise', async () => {
    for (const ttl of ['32 days 1 second', '1000 years', '-1 second', '0', null]) {
      const error = await database.failure('select integratedb.issue_credentials($1, $2)', [name, ttl])
      expect([ttl, error.code]).toEqual([ttl, 'IDB08'])
    }
    await issue('32 days')
    await database.rows(`select integratedb.set_stakeholder_option($1, 'max_ttl', '1 hour')`, [name])
    expect((await database.failure(`select integratedb.issue_credentials($1, '61 minutes')`, [name])).detail).toContain('01:00:00')
    await issue('1 hour')
    await database.rows(`select integratedb.set_stakeholder_option($1, 'max_ttl', null)`, [name])
    await issue('10 days')
  })
})

describe('revoke_credentials', () => {
  test('ends login and sessions, busy or idle; the role goes with the next expire_credentials()', async () => {
    const { username } = (await issue()).credentials
    const [idle, busy, open] = [await database.connect(username), await database.connect(username), await database.connect(username)]
    const sleep = busy.rows('select pg_sleep(30)').catch((error: { code?: string }) => error.code)
    await open.rows('begin; select * from public.orders')
    await revoke(username)
    expect(await sleep).toBe('57P01')
    for (const session of [idle, open]) await ended(session)
    await expect(database.connect(username)).rejects.toMatchObject({ code: '28000' })
    expect(await role(username)).toMatchObject({ rolcanlogin: false, has_password: false })
    expect(database.notices).toEqual([])
    await revoke(username) // to be sure
    expect(await expire()).toEqual([{ username, stakeholder: name, problem: null }])
    expect((await database.failure('select integratedb.revoke_credentials($1)', [username])).code).toBe('IDB04')
    for (const nobody of [null, '', 'nobody', 'postgres'])
      expect((await database.failure('select integratedb.revoke_credentials($1)', [nobody])).code).toBe('IDB04')
  })

  test('of the last login there is a warning; the stakeholder and its claims stay', async () => {
    await revoke(name)
    expect(database.notices).toEqual([
      expect.objectContaining({
        severity: 'WARNING',
        message: `${name} cannot log in any more`,
        hint: expect.stringContaining('rotate_credentials'),
      }),
    ])
    expect(await expire()).toEqual([{ username: name, stakeholder: name, problem: null }])
    expect((await diagnosis(database, 'stakeholders')).status).toBe('ok')
    const told = await diagnosis(database, 'credentials are as they were given')
    expect(told).toMatchObject({ status: 'warning', detail: `${name} cannot log in` })
    await database.rows(told.fix as string)
    expect((await diagnosis(database, 'credentials are as they were given')).status).toBe('ok')
    expect(await database.value('select total from public.orders')).toBe('2')
  })

  test('a login that succeeds before the commit is ended by expire_credentials()', async () => {
    const { username } = (await issue()).credentials
    const admin = await database.connect()
    await admin.rows('begin')
    await admin.rows('select integratedb.revoke_credentials($1)', [username])
    const late = await database.connect(username)
    await admin.rows('commit')
    await admin.end()
    expect(await late.value('select 1')).toBe(1)
    expect(await expire()).toEqual([{ username, stakeholder: name, problem: null }])
    await ended(late)
  })

  test('the holder of a lease can set the stakeholder’s own password: doctor() tells, and revoking it is the way out', async () => {
    const { username } = (await issue()).credentials
    const thief = await database.connect(username)
    await thief.rows(`alter role ${name} password 'mine for ever'`)
    const told = await diagnosis(database, 'credentials are as they were given')
    expect(told).toMatchObject({ status: 'warning', detail: `the password of ${name} was changed` })
    await database.rows(told.fix as string)
    expect(await role(name)).toMatchObject({ rolcanlogin: false, has_password: false })
    expect((await diagnosis(database, 'credentials are as they were given')).status).toBe('ok')
    // And it cannot let itself last longer, or in again.
    for (const statement of [
      `alter role "${username}" valid until 'infinity'`,
      `alter role ${name} login`,
      `alter role ${name} connection limit 9`,
    ])
      expect((await thief.failure(statement)).code).toBe('42501')
    await thief.rows(`alter role ${name} password 'mine again'`)
    await expect(database.connect(name)).rejects.toMatchObject({ code: '28000' })
    await thief.end()
  })
})

describe('set_stakeholder_option', () => {
  const set = (option: string | null, value: string | null) =>
    database.rows('select integratedb.set_stakeholder_option($1, $2, $3)', [name, option, value])

  test('holds for every login that is there, and for every later one', async () => {
    const users = [name, (await rotate()).credentials.username, (await issue()).credentials.username]
    await set('search_path', `"$user", public, "Odd, 'Schema"`)
    await set('statement_timeout', '7s')
    await set('idle_in_transaction_session_timeout', '90000')
    await set('connection_limit', '5')
    users.push((await rotate()).credentials.username, (await issue()).credentials.username)
    for (const user of users) {
      const session = await database.connect(user)
      expect(
        await session.rows(
          `select current_setting('search_path') as path, current_setting('statement_timeout') as timeout,
                  current_setting('idle_in_transaction_session_timeout') as idle, current_schema() as schema`,
        ),
      ).toEqual([{ path: `"$user", public, "Odd, 'Schema"`, timeout: '7s', idle: '90s', schema: name }])
      await session.end()
      expect((await role(user))?.['rolconnlimit']).toBe(5)
    }
    expect(await database.value('select options from integratedb.stakeholders where name = $1', [name])).toEqual({
      search_path: `"$user", public, "Odd, 'Schema"`,
      statement_timeout: '7s',
      idle_in_transaction_session_timeout: '90000',
      connection_limit: '5',
    })
    for (const option of ['search_path', 'statement_timeout', 'idle_in_transaction_session_timeout', 'connection_limit'])
      await set(option, null)
    for (const user of users)
      expect(await role(user)).toMatchObject({ rolconnlimit: -1, settings: user === name ? null : [`role=${name}`] })
    expect(await database.value('select options from integratedb.stakeholders where name = $1', [name])).toEqual({})
  })

  test('connection_limit counts the sessions of each login', async () => {
    await set('connection_limit', '1')
    const { username } = (await issue()).credentials
    const one = await database.connect(username)
    await expect(database.connect(username)).rejects.toMatchObject({ code: '53300' })
    await one.end()
  })

  test.each([
    ['statement_timeout', 'soon'],
    ['statement_timeout', '-5'],
    ['statement_timeout', `1; alter role x superuser`],
    ['idle_in_transaction_session_timeout', '1 fortnight'],
    ['search_path', 'a, "b'],
    ['search_path', 'a,,b'],
    ['connection_limit', '-2'],
    ['connection_limit', '1.5'],
    ['connection_limit', '99999999999'],
    ['connection_limit', ''],
    ['max_ttl', 'long'],
    ['max_ttl', '-1 hour'],
    ['max_ttl', '0'],
    ['role', 'postgres'],
    ['work_mem', '1GB'],
    ['SEARCH_PATH', 'a'],
    ['', 'a'],
    [null, 'a'],
  ])('refuses %s = %s, and changes nothing', async (option, value) => {
    const before = [await role(name), await database.value('show search_path')]
    const error = await database.failure('select integratedb.set_stakeholder_option($1, $2, $3)', [name, option, value])
    expect(error.code).toBe('IDB08')
    expect(error.detail).toBeTruthy()
    expect(error.hint).toContain('Nothing was changed')
    expect([await role(name), await database.value('show search_path')]).toEqual(before)
    expect(await database.value('select options from integratedb.stakeholders where name = $1', [name])).toEqual({})
  })

  test('nothing of a search_path that is set runs with our rights', async () => {
    await database.rows(`
      create schema snare;
      create function snare.set_config(text, text, boolean) returns text language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return ''; end $$;
      create function snare.eq(text, text) returns boolean language plpgsql as $$ begin raise warning 'EVIL as %', current_user; return true; end $$;
      create operator snare.= (leftarg = text, rightarg = text, function = snare.eq)`)
    await set('search_path', 'snare, pg_catalog')
    await rotate()
    await issue()
    const before = await database.value('show search_path')
    await set('search_path', 'snare, pg_temp, pg_catalog')
    expect(database.notices).toEqual([])
    expect(await database.value('show search_path')).toBe(before)
    await database.rows('drop schema snare cascade')
  })
})

describe('rename_stakeholder and remove_stakeholder', () => {
  test('renamed, its logins keep their names and are the stakeholder of the new one', async () => {
    const leased = (await issue()).credentials.username
    const rotated = await rotate('1 hour')
    const new_name = `${name}_renamed`
    const answer = await database.value<Answer>('select integratedb.rename_stakeholder($1, $2)', [name, new_name])
    expect(answer.credentials).toEqual({ username: new_name, password: expect.any(String), valid_until: expect.any(String) })
    expect(matches(answer.credentials.password, await storedVerifier(database, new_name))).toBe(true)
    expect(matches(rotated.credentials.password, await storedVerifier(database, rotated.credentials.username))).toBe(true)
    for (const user of [new_name, leased, rotated.credentials.username]) {
      const session = await database.connect(user)
      expect(await session.rows('select current_user::text, total from public.orders')).toEqual([{ current_user: new_name, total: '2' }])
      await session.end()
    }
    expect(
      await database.rows('select username, kind from integratedb.credentials where stakeholder = $1 order by kind', [new_name]),
    ).toEqual([
      { username: leased, kind: 'lease' },
      { username: new_name, kind: 'own' },
      { username: rotated.credentials.username, kind: 'rotated' },
    ])
    expect((await diagnosis(database, 'credentials are as they were given')).detail).not.toContain(name)
    // Its own login over, there is nothing to give.
    await revoke(new_name)
    const newer = `${name}_newer`
    expect(await database.value('select integratedb.rename_stakeholder($1, $2)', [new_name, newer])).toEqual({
      stakeholder: newer,
      schema: newer,
    })
    await expire()
    expect(await database.value('select integratedb.rename_stakeholder($1, $2)', [newer, name])).toEqual({
      stakeholder: name,
      schema: name,
    })
    const session = await database.connect(leased)
    expect(await session.value('select current_user::text')).toBe(name)
    await session.end()
    name = newer
  })

  test.each([true, false])('removed, all its logins go, and their sessions (keep_data => %s)', async (keep) => {
    const users = [name, (await rotate()).credentials.username, (await issue()).credentials.username]
    const revoked = (await issue()).credentials.username
    const sessions: Session[] = []
    for (const user of users) sessions.push(await database.connect(user))
    await sessions[2]?.rows(`set role none; create table ${name}.mine (id int); create type ${name}.t as enum ()`)
    await sessions[1]?.rows(`begin; create table ${name}.held (id int)`)
    await revoke(revoked)
    await database.rows('select integratedb.remove_stakeholder($1, $2)', [name, keep])
    for (const session of sessions) await ended(session)
    expect((await traces(`%${name}\\__%`))['mentions']).toBeNull()
    expect(await database.value('select count(*) from integratedb.credential where stakeholder = $1', [name])).toBe(0)
    expect(await database.value('select to_regclass($1) is not null', [`${name}.mine`])).toBe(keep)
  })

  test('removed, though somebody dropped its role before', async () => {
    const { username } = (await issue()).credentials
    await database.rows(`select integratedb.remove_claims('${name}')`)
    await database.rows(`drop schema ${name}; drop owned by ${name}; drop role ${name}`)
    expect((await database.failure(`select integratedb.issue_credentials($1, '1 hour')`, [name])).code).toBe('IDB04')
    await database.rows('select integratedb.remove_stakeholder($1)', [name])
    expect(await traces(`%${username}%`)).toEqual(none)
  })

  test('a login of it cannot remove or rename it', async () => {
    const { username } = (await issue()).credentials
    await database.rows(`grant integratedb_admin to ${name}`)
    const session = await database.connect(username)
    for (const call of ['remove_stakeholder($1)', `rename_stakeholder($1, 'whatever')`]) {
      for (const role of [name, 'none'])
        expect((await session.failure(`set role ${role}; select integratedb.${call.replace('$1', `'${name}'`)}`)).code).toBe('IDB08')
    }
    await session.end()
    await database.rows(`revoke integratedb_admin from ${name}`)
  })

  test('where a login owns something elsewhere it says so, and nothing is changed', async () => {
    const { username } = (await issue()).credentials
    const elsewhere = await TestDatabase.create(null)
    await elsewhere.rows(`create table far (id int); alter table far owner to "${username}"`)
    const error = await database.failure('select integratedb.remove_stakeholder($1)', [name])
    expect(error).toMatchObject({ code: 'IDB06', detail: expect.stringContaining(elsewhere.name) })
    expect((await role(username))?.['rolcanlogin']).toBe(true)
    await elsewhere.drop()
  })
})

describe('the views', () => {
  test('tell who can log in, until when, and who is there', async () => {
    await database.rows('create role watcher login; grant integratedb_admin to watcher')
    const watcher = await database.connect('watcher')
    const { username } = (await watcher.value<Answer>(`select integratedb.issue_credentials('${name}', '1 hour')`)).credentials
    const over = (await issue()).credentials.username
    const sessions = [await database.connect(username), await database.connect(username)]
    await revoke(over)
    expect(
      await watcher.rows(
        `select username, kind, valid_until > now() as valid, sessions, last_seen > now() - interval '1 minute' as seen, issued_by, problem
           from integratedb.credentials where stakeholder = $1 order by issued_at`,
        [name],
      ),
    ).toEqual([
      { username: name, kind: 'own', valid: null, sessions: 0, seen: null, issued_by: 'postgres', problem: null },
      { username, kind: 'lease', valid: true, sessions: 2, seen: true, issued_by: 'watcher', problem: null },
      { username: over, kind: 'lease', valid: false, sessions: 0, seen: null, issued_by: 'postgres', problem: null },
    ])
    expect(
      await watcher.rows('select credentials, last_seen is not null as seen from integratedb.stakeholders where name = $1', [name]),
    ).toEqual([
      {
        credentials: [
          { username: name, kind: 'own', valid_until: null },
          { username, kind: 'lease', valid_until: expect.any(String) },
        ],
        seen: true,
      },
    ])
    for (const session of [...sessions, watcher]) await session.end()
  })
})
