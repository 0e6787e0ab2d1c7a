/**
 * What does the core cost in the database's JavaScript engine, and where does the time of a judged migration go? Each operation
 * is called with what the database itself gave it; Postgres's own counters say which of our functions takes how long.
 */
import { readFileSync } from 'node:fs'
import { operate } from '../src/core/index.ts'
import { addStakeholder, documentOf, fill } from './catalogue.ts'
import { type Figure, median } from './figure.ts'
import type { BenchServer } from './server.ts'
import { type Session, timed } from './stopwatch.ts'

export interface Share {
  part: string
  /** Microseconds of one migration; of its parts by the clock on the wall, so that they say more in proportion than by themselves. */
  duration: number
  /** Of its functions, the dearest first. */
  functions: string
}

interface Call {
  op: string
  input: string
}

export function bundleSize(): Figure {
  const [, source = ''] = readFileSync('dist-sql/integratedb.sql', 'utf8').split('$core$')
  const runs = [Buffer.byteLength(source) / 1024]
  return { key: 'bundle', what: 'the bundle, names and lines as they were', where: '', unit: 'KB', runs, goal: { at: 'most', figure: 64 } }
}

export async function measureEngine(
  server: BenchServer,
  { runs, times }: { runs: number; times: number },
): Promise<{ figures: Figure[]; shares: Share[] }> {
  console.error('the engine')
  const relations = 100
  const database = await server.prepare(async () => {
    const database = await server.createDatabase('engine')
    const client = await server.connect(database, { hasty: true })
    await fill(client, relations)
    await server.install(client)
    for (const k of [1, 2]) await addStakeholder(client, `engine_${k}`, documentOf(k, relations))
    await client.client.end()
    return database
  })
  const client = await server.connect(database, { hasty: true })
  const shares = await measureShares(client, times * 2)
  const calls = await recordCalls(client)
  const figures: Figure[] = []
  for (const call of calls) figures.push(await measureCall(server, database, client, call, { runs, times }))
  return { figures, shares }
}

/** Postgres's own counters: what each function takes by itself, without those that it calls. */
async function measureShares(client: Session, times: number): Promise<Share[]> {
  await client.client.query("set track_functions = 'all'")
  const add = (n: number) => client.client.query(`alter table public.t${(n % 10) + 1} add column shared${n} integer`)
  for (let n = 0; n < 10; n++) await add(n)
  await client.client.query('select pg_stat_force_next_flush(), pg_stat_reset()')
  const durations: number[] = []
  for (let n = 10; n < 10 + times; n++) durations.push(await (await timed(client, () => add(n))).cpu)
  await client.client.query('select pg_stat_force_next_flush()')
  const { rows } = await client.client.query<{ name: string; self: number }>(`
    select p.funcname as name, p.self_time * 1000 / ${times} as self
      from pg_stat_user_functions p where p.schemaname = 'integratedb' order by 2 desc`)
  const parts: Record<string, (name: string) => boolean> = {
    'the core, JSON in and out included (JavaScript)': (name) => name === '_core',
    'its answer as jsonb, errors': (name) => name === '_call',
    'the catalogue as JSON': (name) => /^_(catalog|type_|writes|obstacles|behind|row_filters|read_through|functions_in)/.test(name),
    'noting what was touched, at the statement': (name) => name.startsWith('_note') || name.startsWith('_touched_indirectly'),
    granting: (name) => name === '_apply_grants' || name === '_privilege_list',
    'which claims, storing them, the verdict': () => true,
  }
  const left = new Set(rows)
  const shares = Object.entries(parts).map(([part, isOf]): Share => {
    const ofIt = [...left].filter(({ name }) => isOf(name))
    for (const each of ofIt) left.delete(each)
    return {
      part,
      duration: ofIt.reduce((sum, { self }) => sum + self, 0),
      functions: ofIt.map(({ name, self }) => `${name} ${Math.round(self)}`).join(', '),
    }
  })
  const whole = median(durations) * 1000
  return [{ part: 'all of ALTER TABLE ADD COLUMN on a claimed table, whole', duration: whole, functions: '' }, ...shares]
}

/** What is the core asked? A function in its place writes it down and asks it. */
async function recordCalls(client: Session): Promise<Call[]> {
  await client.client.query(`
    create table other.asked (op text, input text);
    alter function integratedb._core(text, text) rename to _core_itself;
    create function integratedb._core(op text, input text) returns text language plpgsql as
      'begin insert into other.asked values (op, input); return integratedb._core_itself(op, input); end'`)
  const document = JSON.stringify(documentOf(2, 100))
  await client.client.query('select count(*) from integratedb.set_claims($1, $2)', ['engine_2', document])
  await client.client.query('select count(*) from integratedb.check_claims($1)', [document])
  await client.client.query('alter table public.t41 add column recorded integer')
  await client.client.query('select count(*) from integratedb.unmet_claims()')
  await client.client.query('select count(*) from integratedb.sync()')
  await client.client.query(
    'drop function integratedb._core(text, text); alter function integratedb._core_itself(text, text) rename to _core',
  )
  // Of 20 tables, where the wildcard's has a hundred; of a migration, the one that adds the column.
  const { rows } = await client.client.query<Call>(
    "select distinct on (op) op, input from other.asked order by op, case op when 'judge_migration' then -length(input) else length(input) end",
  )
  return rows
}

function clocked(work: () => unknown): number {
  const started = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1000
}

async function measureCall(
  server: BenchServer,
  database: string,
  client: Session,
  { op, input }: Call,
  { runs, times }: { runs: number; times: number },
): Promise<Figure> {
  const sql = 'select length(integratedb._core($1, $2)) as length'
  const call = async (session: Session) => (await timed(session, () => session.client.query(sql, [op, input]))).cpu
  const nothing = async () => (await timed(client, () => client.client.query('select length($1) + length($2) as length', [op, input]))).cpu
  const warm: number[] = []
  const cold: number[] = []
  for (let run = 0; run < runs; run++) {
    const durations: number[] = []
    const ways: number[] = []
    for (let i = 0; i < times; i++) {
      durations.push(await call(client))
      ways.push(await nothing())
    }
    warm.push((median(durations) - median(ways)) * 1000)
    const fresh = await server.connect(database, { hasty: true })
    cold.push(await call(fresh))
    await fresh.client.end()
  }
  const inNode = Array.from({ length: times }, () => 0)
  const parsing = [...inNode]
  for (let i = 0; i < times; i++) {
    inNode[i] = clocked(() => operate(op, input))
    parsing[i] = clocked(() => JSON.stringify(JSON.parse(input)))
  }
  const detail = `${(input.length / 1024).toFixed(1)} KB of JSON in; first in a session ${median(cold).toFixed(1)} ms; in Node ${Math.round(median(inNode) * 1000)} µs, of which about ${Math.round(median(parsing) * 1000)} JSON`
  return {
    key: `core/${op}`,
    what: `_core('${op}')`,
    where: 'warm; CPU',
    unit: 'µs',
    runs: warm,
    detail,
  }
}
