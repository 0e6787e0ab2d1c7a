/**
 * What does IntegrateDB cost a migration? Each statement in turn in a database without it and in one with it, the same otherwise;
 * once as the client waits for it, the commit's wait for the disk included, and once as CPU time of the server, where only work counts.
 */
import { addStakeholder, documentOf, fill, isWildcard } from './catalogue.ts'
import { type Figure, median } from './figure.ts'
import type { BenchServer } from './server.ts'
import { type Clock, type Comparison, compare, repeat, type Session, type Statement, type Step, statement, timed } from './stopwatch.ts'

export interface Plan {
  /** Relations, and how many stakeholders one after the other; the last one is measured in full. */
  sizes: { relations: number; stakeholders: number[] }[]
  runs: number
  times: number
  /** Of calls that look at everything. */
  calls: number
  clocks: Clock[]
}

/** A pair of statements: without and with IntegrateDB. */
interface Case {
  key: string
  what: string
  /** At most so many times the bare one. */
  goal?: number
  /** The bare one, where it is not the same: with the grants that IntegrateDB makes by itself, say. */
  bare: (n: number, world: World) => Statement
  ours?: (n: number, world: World) => Statement
  times?: (times: number) => number
}

/** Of a site: wildcards are who claims everything in public. */
type World = Pick<Site, 'relations' | 'wildcards'>

const same = (write: (n: number) => Statement): Pick<Case, 'bare'> => ({ bare: write })

/** Concerns nobody: the goal of section 8. */
const unrelated: Case[] = [
  { key: 'alter-table', what: 'ALTER TABLE', ...same((n) => ({ sql: `alter table other.thing alter price set default ${n}` })) },
  {
    key: 'add-column',
    what: 'ALTER TABLE ADD COLUMN',
    ...same((n) => ({ sql: `alter table other.thing add column c${n} integer`, after: `alter table other.thing drop column c${n}` })),
  },
  {
    key: 'create-table',
    what: 'CREATE TABLE',
    ...same((n) => ({ sql: `create table other.n${n} (id bigint primary key, name varchar(40))`, after: `drop table other.n${n}` })),
  },
  {
    key: 'drop-table',
    what: 'DROP TABLE',
    ...same((n) => ({ before: `create table other.n${n} (id bigint primary key, name varchar(40))`, sql: `drop table other.n${n}` })),
  },
  {
    key: 'create-index',
    what: 'CREATE INDEX',
    ...same((n) => ({ sql: `create index i${n} on other.thing (name)`, after: `drop index other.i${n}` })),
  },
  { key: 'comment', what: 'COMMENT', ...same((n) => ({ sql: `comment on table other.thing is 'number ${n}'` })) },
  {
    key: 'create-view',
    what: 'CREATE VIEW',
    ...same((n) => ({ sql: `create view other.v${n} as select id, name from other.thing`, after: `drop view other.v${n}` })),
  },
  {
    key: 'create-function',
    what: 'CREATE FUNCTION',
    ...same((n) => ({ sql: `create or replace function other.f() returns integer language sql as 'select ${n}'` })),
  },
  {
    key: 'grant',
    what: 'GRANT',
    ...same(() => ({ sql: 'grant select on other.thing to pg_monitor', after: 'revoke select on other.thing from pg_monitor' })),
  },
  {
    key: 'revoke',
    what: 'REVOKE',
    ...same(() => ({ before: 'grant select on other.thing to pg_monitor', sql: 'revoke select on other.thing from pg_monitor' })),
  },
  {
    key: 'temp-table',
    what: 'CREATE TEMP TABLE',
    ...same((n) => ({ sql: `create temp table n${n} (id bigint, name varchar(40))`, after: `drop table n${n}` })),
  },
  {
    key: 'temp-table-drop',
    what: 'DROP of a temp table',
    ...same((n) => ({ before: `create temp table n${n} (id bigint, name varchar(40))`, sql: `drop table n${n}` })),
  },
]

/** Always the same ten tables, however many there are. */
const tenth = (n: number): string => `public.t${(n % 10) + 1}`

/** Concerns claims, and breaks none. */
const claimed: Case[] = [
  {
    key: 'claimed-add-column',
    what: 'ALTER TABLE ADD COLUMN on a claimed table, against the same and 1 GRANT',
    goal: 3,
    bare: (n, { wildcards }) => ({
      sql: `alter table ${tenth(n)} add column n${n} integer; grant select (n${n}) on ${tenth(n)} to ${wildcards.join(', ')}`,
    }),
    ours: (n) => ({ sql: `alter table ${tenth(n)} add column n${n} integer` }),
  },
  {
    key: 'claimed-create-table',
    what: 'CREATE TABLE that a wildcard takes in, against the same and 1 GRANT',
    bare: (n, { wildcards }) => ({
      sql: `create table public.n${n} (id bigint primary key, name varchar(40)); grant select (id, name) on public.n${n} to ${wildcards.join(', ')}`,
    }),
    ours: (n) => ({ sql: `create table public.n${n} (id bigint primary key, name varchar(40))` }),
  },
  {
    key: 'claimed-rename-column',
    what: 'RENAME COLUMN of a claimed table, of a column that nobody claims',
    bare: (n) => ({
      sql: `alter table shop.orders rename column unclaimed to u${n}`,
      after: `alter table shop.orders rename column u${n} to unclaimed`,
    }),
  },
  {
    key: 'rejected',
    what: 'a rejected DROP COLUMN, against the same rolled back',
    bare: (n) => ({ sql: `begin; alter table ${tenth(n)} drop column c5; rollback` }),
    ours: (n) => ({ sql: `alter table ${tenth(n)} drop column c5`, fails: 'IDB01' }),
  },
  {
    key: 'five-hundred',
    what: 'a migration of 500 statements that touches 100 claimed tables',
    bare: (n, { relations }) => {
      const statements = Array.from({ length: 100 }, (_, i) => {
        const table = `public.t${(i % relations) + 1}`
        return [
          `alter table ${table} alter c3 set default ${n + i}`,
          `alter table ${table} alter c2 set statistics ${(n + i) % 100}`,
          `comment on column ${table}.c1 is '${n}'`,
          `create index five_${i} on ${table} (c1, c2)`,
          `drop index public.five_${i}`,
        ]
      })
      return { sql: `begin; ${statements.flat().join('; ')}; commit` }
    },
    times: (times) => Math.max(1, Math.round(times / 10)),
  },
]

interface Sides {
  /** Sessions that wait for the disk, and such that do not. */
  bare: { patient: Session; hasty: Session }
  ours: { patient: Session; hasty: Session }
}

/** Two databases of so many relations, without and with IntegrateDB, and who was added to the second so far. */
interface Site {
  relations: number
  bareName: string
  oursName: string
  sides: Sides
  present: number
  wildcards: string[]
  /** What each wildcard took, in milliseconds of CPU. */
  setClaims: number[]
}

export async function measureMigrations(server: BenchServer, plan: Plan, engine: string): Promise<Figure[]> {
  const figures: Figure[] = []
  const sites: Site[] = []
  for (const { relations } of plan.sizes) {
    const site = await makeSite(server, relations)
    await populate(server, site, 1)
    sites.push(site)
  }
  figures.push(...(await measureSize(sites, plan)))
  for (const [index, { stakeholders: counts }] of plan.sizes.entries()) {
    const site = sites[index]
    if (site === undefined) continue
    for (const stakeholders of counts) {
      await populate(server, site, stakeholders)
      const isLast = index === sites.length - 1 && stakeholders === counts.at(-1)
      const place = {
        where: `${inNumbers(site)}, ${stakeholders} stakeholder${stakeholders === 1 ? '' : 's'}`,
        id: `${site.relations}/${stakeholders}`,
      }
      const cases = isLast ? [...unrelated, ...claimed] : [...unrelated.slice(0, 1), ...claimed.slice(0, 1)]
      for (const each of cases) figures.push(...(await measureCase(each, site, plan, place)))
      if (stakeholders === counts.at(-1)) figures.push(...(await measureCalls(server, site, plan, place)))
      if (isLast) figures.push(...(await measureFloor(server, site, plan)), ...(await measureFirst(server, site, plan, engine, place)))
    }
    figures.push({
      key: `set-claims/${site.relations}`,
      what: "set_claims('public.*'), with add_stakeholder()",
      where: `${inNumbers(site)}; CPU`,
      unit: 'ms',
      runs: site.setClaims,
    })
  }
  return figures
}

function inNumbers({ relations }: Site): string {
  return `${relations.toLocaleString('en-GB')} relations`
}

async function makeSite(server: BenchServer, relations: number): Promise<Site> {
  console.error(`${relations} relations`)
  const { bareName, oursName } = await server.prepare(async () => {
    const bareName = await server.createDatabase(`bare_${relations}`)
    const session = await server.connect(bareName, { hasty: true })
    await fill(session, relations)
    await session.client.end()
    return { bareName, oursName: await server.createDatabase(`with_${relations}`, bareName) }
  })
  const sides: Sides = {
    bare: { patient: await server.connect(bareName), hasty: await server.connect(bareName, { hasty: true }) },
    ours: { patient: await server.connect(oursName), hasty: await server.connect(oursName, { hasty: true }) },
  }
  await server.install(sides.ours.hasty)
  const document = { match: [{ path: 'shop.orders', fields: ['id', 'customer', 'total'] }] }
  await addStakeholder(sides.ours.hasty, `shop_${relations}`, document)
  return { relations, bareName, oursName, sides, present: 0, wildcards: [], setClaims: [] }
}

async function populate(server: BenchServer, site: Site, stakeholders: number): Promise<void> {
  console.error(`${site.relations} relations, ${stakeholders} stakeholders`)
  const session = site.sides.ours.hasty
  while (site.present < stakeholders) {
    const k = ++site.present
    const name = `s${site.relations}_${k}`
    if (!isWildcard(k)) {
      await addStakeholder(session, name, documentOf(k, site.relations))
      continue
    }
    // In a session of its own: an engine's memory is a session's, and what it has read stays in it (pljs).
    const own = await server.connect(site.oursName, { hasty: true })
    const { cpu } = await timed(own, () => addStakeholder(own, name, documentOf(k, site.relations)))
    await own.client.end()
    site.wildcards.push(name)
    site.setClaims.push(cpu)
  }
  await session.client.query('vacuum analyze')
}

interface Place {
  where: string
  id: string
}

async function measureCase(each: Case, site: Site, plan: Plan, { id, where }: Place): Promise<Figure[]> {
  const { ours = each.bare } = each
  const { sides } = site
  const isUnrelated = unrelated.includes(each)
  const times = each.times?.(plan.times) ?? plan.times
  const figures: Figure[] = []
  for (const clock of plan.clocks) {
    const haste = clock === 'wall' ? 'patient' : 'hasty'
    const one = statement(sides.ours[haste], (n) => ours(n, site))
    const other = statement(sides.bare[haste], (n) => each.bare(n, site))
    const comparison = await compare(one, other, { runs: plan.runs, times, clock })
    const goal = isUnrelated ? 1.15 : each.goal
    figures.push({
      key: `${each.key}/${id}/${clock}`,
      what: `${each.what}${isUnrelated ? ' that concerns nobody' : ''}`,
      where: `${where}${inClock[clock]}`,
      unit: '×',
      runs: comparison.ratios,
      ...(goal !== undefined && { goal: { at: 'most' as const, figure: goal } }),
      detail: against(comparison),
    })
  }
  return figures
}

const inClock: Record<Clock, string> = { wall: '', cpu: '; CPU' }

function against({ one, other }: Comparison): string {
  return `${one.toFixed(2)} ms against ${other.toFixed(2)} ms`
}

/** The same statement where there are many relations and where there are few; one stakeholder claims them all, in both. */
async function measureSize(sites: Site[], plan: Plan): Promise<Figure[]> {
  const [few, many] = [sites.at(0), sites.at(-1)]
  if (few === undefined || many === undefined || few === many) return []
  const add = ({ sides }: Site): Step => statement(sides.ours.hasty, (n) => ({ sql: `alter table ${tenth(n)} add column n${n} integer` }))
  const comparison = await compare(add(many), add(few), { ...plan, clock: 'cpu' })
  return [
    {
      key: 'size',
      what: `ALTER TABLE ADD COLUMN on a claimed table: ${inNumbers(many)} against ${few.relations}`,
      where: '1 stakeholder; CPU',
      unit: '×',
      runs: comparison.ratios,
      goal: { at: 'most', figure: 1.2 },
      detail: against(comparison),
    },
  ]
}

/** What does an event trigger cost that does nothing, in a language and with the attributes that ours has? */
async function measureFloor(server: BenchServer, { sides }: Site, plan: Plan): Promise<Figure[]> {
  const session = await server.connect(await server.createDatabase('floor'), { hasty: true })
  await fill(session, 1)
  await session.client.query(`
    create function public.nothing() returns event_trigger language plpgsql security definer
      set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
      begin
        perform from pg_event_trigger_ddl_commands();
      end $$;
    create event trigger nothing on ddl_command_end execute function public.nothing()`)
  const alter = (n: number): Statement => ({ sql: `alter table other.thing alter price set default ${n}` })
  const comparison = await compare(statement(session, alter), statement(sides.bare.hasty, alter), { ...plan, clock: 'cpu' })
  return [
    {
      key: 'floor',
      what: 'ALTER TABLE with an event trigger that only asks which objects there were: the floor of any',
      where: 'CPU',
      unit: '×',
      runs: comparison.ratios,
      detail: against(comparison),
    },
  ]
}

/** Calls that look at everything, and the one that tries a migration. */
async function measureCalls(server: BenchServer, { oursName }: Site, plan: Plan, { id, where }: Place): Promise<Figure[]> {
  const few = plan.calls
  const calls: { key: string; what: string; times: number; sql: string }[] = [
    {
      key: 'check-migration',
      what: 'check_migration() of an ADD COLUMN',
      times: plan.times,
      sql: "select * from integratedb.check_migration('alter table public.t1 add column checked integer')",
    },
    { key: 'unmet-claims', what: 'unmet_claims()', times: few, sql: 'select * from integratedb.unmet_claims()' },
    { key: 'sync', what: 'sync()', times: few, sql: 'select * from integratedb.sync()' },
  ]
  const figures: Figure[] = []
  for (const { key, what, times, sql } of calls) {
    const session = await server.connect(oursName, { hasty: true }) // as above
    const figure = { key: `${key}/${id}`, what, where: `${where}; CPU`, unit: 'ms' as const }
    try {
      const runs = await repeat(() => timed(session, () => session.client.query(sql)), times)
      figures.push({ ...figure, runs: times === few ? runs : [median(runs)] })
    } catch (error) {
      // Told in the table, not lost with all the rest.
      const { code, message, detail } = error as { code?: string; message: string; detail?: string }
      figures.push({ ...figure, runs: [Number.NaN], detail: `${code}: ${message}. ${detail ?? ''}` })
    }
    await session.client.end()
  }
  return figures
}

/** The first judged migration in a session, over an empty JavaScript function's first call in one. */
async function measureFirst(
  server: BenchServer,
  { bareName: bare, oursName: ours }: Site,
  plan: Plan,
  engine: string,
  { where }: Place,
): Promise<Figure[]> {
  const maker = await server.connect(bare)
  await maker.client.query(`create extension if not exists ${engine}; create function public.empty() returns void language ${engine} as ''`)
  await maker.client.end()
  const inNewSession = (database: string, write: (n: number) => Statement): Step => {
    return async () => {
      const session = await server.connect(database, { hasty: true })
      const duration = await statement(session, write)()
      await session.client.end()
      return duration
    }
  }
  const add = (n: number): Statement => ({ sql: `alter table ${tenth(n)} add column n${n} integer` })
  const first = inNewSession(ours, add)
  const start = inNewSession(bare, () => ({ sql: 'select public.empty()' }))
  const bareFirst = inNewSession(bare, add)
  const runs: number[] = []
  const all = { first: [] as number[], start: [] as number[], bare: [] as number[] }
  for (let run = 0; run < plan.runs; run++) {
    const durations = { first: [] as number[], start: [] as number[], bare: [] as number[] }
    for (let i = 0; i < Math.max(4, plan.times / 3); i++) {
      durations.first.push((await first()).cpu)
      durations.start.push((await start()).cpu)
      durations.bare.push((await bareFirst()).cpu)
    }
    runs.push(median(durations.first) - median(durations.start))
    for (const key of ['first', 'start', 'bare'] as const) all[key].push(...durations[key])
  }
  const { first: whole, start: engineStart, bare: without } = { first: median(all.first), start: median(all.start), bare: median(all.bare) }
  return [
    {
      key: 'first',
      what: "the first judged migration in a session, over the engine's own start",
      where: `${where}; CPU`,
      unit: 'ms',
      runs,
      goal: { at: 'most', figure: 12 },
      detail: `${whole.toFixed(1)} ms, of which the engine ${engineStart.toFixed(1)}; the same without IntegrateDB ${without.toFixed(1)}`,
    },
  ]
}
