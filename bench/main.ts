/**
 * The figures of DESIGN.md section 8, side by side, in one run.
 *
 *   make bench          everything; the table goes to bench/RESULTS.md. Takes hours
 *   make bench PLAN=brief   10,000 relations and 200 stakeholders, less in between, fewer repetitions; PLAN=small: 1,000 and 20
 *   make bench ONLY=notifier   one group (engine, original, migrations, notifier), on the screen and not in the file
 *   make bench-quick    a part, in less than three minutes; fails when a ratio is worse than its recorded bound (bounds.ts)
 *
 * On the embedded server with pljs, or at INTEGRATEDB_BENCH_URL (plv8). INTEGRATEDB_BENCH_ORIGINAL: see peer.ts.
 */
import { recordBounds, regressions } from './bounds.ts'
import { bundleSize, measureEngine, type Share } from './engine.ts'
import type { Figure } from './figure.ts'
import { measureMigrations, type Plan } from './migrations.ts'
import { measureNotifier, type NotifierPlan } from './notifier.ts'
import { measurePeer, missingPeer, type PeerPlan } from './peer.ts'
import { type Report, sectionOf, writeResults } from './report.ts'
import { BenchServer } from './server.ts'

const original = process.env['INTEGRATEDB_BENCH_ORIGINAL'] ?? ''

const plans: Record<
  'quick' | 'small' | 'brief' | 'whole',
  { migrations: Plan; peer: PeerPlan | null; engine: { runs: number; times: number } | null; notifier: NotifierPlan | null }
> = {
  quick: {
    // The CPU's clock only: under load it is the one whose ratios stay.
    migrations: {
      sizes: [10, 100].map((relations) => ({ relations, stakeholders: [1, 20] })),
      runs: 3,
      times: 6,
      calls: 1,
      clocks: ['cpu'],
    },
    peer: null,
    engine: null,
    notifier: null,
  },
  small: {
    migrations: {
      sizes: [10, 1_000].map((relations) => ({ relations, stakeholders: [1, 20] })),
      runs: 3,
      times: 10,
      calls: 1,
      clocks: ['wall', 'cpu'],
    },
    peer: { claims: [10, 30, 1_000], patience: 240, runs: 3 },
    engine: { runs: 3, times: 20 },
    notifier: { rows: 200_000, seconds: 5, runs: 3 },
  },
  brief: {
    migrations: {
      sizes: [
        { relations: 10, stakeholders: [1] },
        { relations: 10_000, stakeholders: [1, 20, 200] },
      ],
      runs: 3,
      times: 12,
      calls: 3,
      clocks: ['wall', 'cpu'],
    },
    peer: { claims: [10, 30, 1_000], patience: 240, runs: 3 },
    engine: { runs: 3, times: 40 },
    notifier: { rows: 200_000, seconds: 5, runs: 3 },
  },
  whole: {
    migrations: {
      sizes: [10, 1_000, 10_000].map((relations) => ({ relations, stakeholders: [1, 20, 200] })),
      runs: 3,
      times: 40,
      calls: 3,
      clocks: ['wall', 'cpu'],
    },
    peer: { claims: [10, 50, 1_000], patience: 240, runs: 3 },
    engine: { runs: 3, times: 100 },
    notifier: { rows: 1_000_000, seconds: 20, runs: 3 },
  },
}
const name = (['quick', 'small', 'brief'] as const).find((each) => process.argv.includes(`--${each}`)) ?? 'whole'
const isQuick = name === 'quick'
const plan = plans[name]

const groups = ['engine', 'original', 'migrations', 'notifier'] as const
const only = process.argv.find((each) => each.startsWith('--only='))?.slice('--only='.length)
if (only !== undefined && !groups.some((group) => group === only)) {
  throw new Error(`--only=${only} names no group of the bench: it is one of ${groups.join(', ')}`)
}
const isWanted = (group: (typeof groups)[number]): boolean => only === undefined || only === group

async function measure(): Promise<Report> {
  const server = await BenchServer.start()
  const interrupt = () => void server.stop().finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt)
  try {
    const { engine, versions, fsync } = await server.versions()
    const notes = [`The ${name} plan of bench/main.ts.`]
    if (original === '' && plan.peer !== null && isWanted('original')) notes.push(missingPeer)
    const report: Report = { engine, versions, fsync, groups: {}, shares: [], notes }
    // Written after each group: a machine that is taken away in the middle leaves what was measured.
    const add = (group: string, figures: Figure[], shares: Share[] = []) => {
      report.groups[group] = figures
      report.shares.push(...shares)
      if (!isQuick && only === undefined) writeResults(report)
    }

    if (isWanted('engine')) {
      const { figures, shares } = plan.engine === null ? { figures: [], shares: [] } : await measureEngine(server, plan.engine)
      add('Engine', [bundleSize(), ...figures], shares)
    }
    if (original !== '' && plan.peer !== null && isWanted('original')) {
      add('The original', await measurePeer(server, original, plan.peer))
    }
    if (isWanted('migrations')) add('Migrations', await measureMigrations(server, plan.migrations, engine))
    if (plan.notifier !== null && isWanted('notifier')) {
      const { figures, notes: more } = await measureNotifier(server, plan.notifier)
      notes.push(...more)
      add('Notifier', figures)
    }
    return report
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt)
    await server.stop()
  }
}

const report = await measure()
console.log(sectionOf(report))
const figuresOf = ({ groups }: Report): Figure[] => Object.values(groups).flat()
if (process.argv.includes('--record')) recordBounds([report, await measure(), await measure()].flatMap(figuresOf))
else if (isQuick) {
  const worse = regressions(figuresOf(report))
  // A busy minute is no regression: what looks worse has to look so again.
  const still = worse.size > 0 ? regressions(figuresOf(await measure())) : worse
  for (const [key, line] of still) {
    if (!worse.has(key)) continue
    console.error(`WORSE: ${line}`)
    process.exitCode = 1
  }
}
