/**
 * Do leases leave anything behind, and what do they cost? `npx tsx bench/lease.ts [leases]` (default 5,000): each is issued in a
 * transaction of its own and lasts two seconds; every tenth logs in and makes a table, every other one of those as itself and not
 * as the stakeholder. The reaper runs after every 250. What is there of them at the end, and how large are the catalogues?
 */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { startEmbeddedServer } from '../src/embedded/index.ts'
import { installFile } from '../src/sql-file.ts'

const leases = Number(process.argv[2] ?? 5_000)
const server = await startEmbeddedServer()
const connect = async (user = 'postgres') => {
  const url = new URL(server.url)
  url.username = user
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  return client
}
const admin = await connect()
await admin.query(readFileSync(installFile, 'utf8'))
await admin.query(`create table public.orders (id int primary key, total numeric); select integratedb.add_stakeholder('reporter');
  select integratedb.set_claims('reporter', '{"match": [{"path": "public.orders", "fields": "*"}]}')`)
// Not the session that has set claims: on pljs that one waits for locks without an end.
const reaper = await connect()

/** Everything in the cluster that can mention a role, but the tables that say what there was. */
const traces = `
  with orphan (place, role) as (
    select 'owner of a relation', relowner from pg_class union all select 'owner of a type', typowner from pg_type
    union all select 'default privileges', defaclrole from pg_default_acl union all select 'setting', setrole from pg_db_role_setting where setrole <> 0
    union all select 'membership', member from pg_auth_members union all select 'membership', roleid from pg_auth_members
    union all select 'dependency', refobjid from pg_shdepend where refclassid = 'pg_authid'::regclass
    union all select 'privilege', x.grantee from (
      select datacl as acl from pg_database union all select nspacl from pg_namespace union all select relacl from pg_class
      union all select attacl from pg_attribute union all select proacl from pg_proc) o, aclexplode(o.acl) x where x.grantee <> 0
  )
  select 'role ' || rolname as trace from pg_roles where rolname like 'reporter\\__%'
  union all select 'credential ' || username from integratedb.credential where kind = 'lease'
  union all select distinct place from orphan where not exists (select from pg_authid a where a.oid = role)`
const sizes = async () =>
  (
    await admin.query<{ size: string }>(`
      select string_agg(relname || ' ' || pg_total_relation_size(oid) / 1024 || ' kB', ', ' order by relname) as size from pg_class
       where oid in ('pg_authid'::regclass, 'pg_auth_members'::regclass, 'pg_db_role_setting'::regclass, 'pg_shdepend'::regclass,
         'integratedb.credential'::regclass, 'integratedb.tombstone'::regclass)`)
  ).rows[0]?.size

const before = await sizes()
const acl = async () => (await admin.query(`select relacl::text from pg_class where oid = 'public.orders'::regclass`)).rows[0]
const aclBefore = await acl()
let reaped = 0
let tables = 0
const problems: string[] = []
const spent = { issue: 0, expire: 0, rest: 0 }
const reap = async () => {
  const started = performance.now()
  const { rows } = await reaper.query<{ problem: string | null }>('select * from integratedb.expire_credentials()')
  spent.expire += performance.now() - started
  reaped += rows.filter(({ problem }) => problem === null).length
  problems.push(...rows.flatMap(({ problem }) => (problem === null ? [] : [problem])))
  return rows.length
}
const started = performance.now()
for (let i = 1; i <= leases; i++) {
  const since = performance.now()
  const { rows } = await admin.query(`select integratedb.issue_credentials('reporter', '2 seconds') as answer`)
  spent.issue += performance.now() - since
  if (i % 10 === 0) {
    const session = await connect(rows[0].answer.credentials.username)
    await session.query(`${i % 20 === 0 ? 'set role none;' : ''} create table reporter.made_${i} (id int)`)
    tables++
    if (i % 30 !== 0)
      await session.end() // the others are ended by the reaper
    else session.on('error', () => {})
  }
  if (i % 250 === 0) await reap()
}
await new Promise((resolve) => setTimeout(resolve, 2_100))
while ((await reap()) > 0);
const seconds = (performance.now() - started) / 1000

const left = (await admin.query<{ trace: string }>(traces)).rows.map(({ trace }) => trace)
const owned = await admin.query(
  `select relowner::regrole::text as owner, count(*)::int as tables from pg_class where relname like 'made\\_%' and relkind = 'r' group by 1`,
)
console.log(`${leases} leases issued, ${reaped} expired in ${seconds.toFixed(1)} s`)
console.log(
  `issue_credentials ${(spent.issue / leases).toFixed(1)} ms each, expire_credentials ${(spent.expire / leases).toFixed(1)} ms a lease`,
)
console.log(`tables made ${tables}, their owners ${JSON.stringify(owned.rows)}`)
console.log(`privileges on the claimed table as before: ${JSON.stringify(aclBefore) === JSON.stringify(await acl())}`)
console.log(
  `left behind: ${left.length === 0 ? 'nothing' : left.join(', ')}; problems on the way: ${problems.length === 0 ? 'none' : [...new Set(problems)].join('; ')}`,
)
console.log(`catalogues before: ${before}\n           after: ${await sizes()}`)
for (const catalogue of [
  'pg_authid',
  'pg_auth_members',
  'pg_db_role_setting',
  'pg_shdepend',
  'integratedb.credential',
  'integratedb.tombstone',
])
  await admin.query(`vacuum full ${catalogue}`)
console.log(`and vacuumed full: ${await sizes()}`)
await admin.end()
await reaper.end()
await server.stop()
