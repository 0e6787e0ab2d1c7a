/**
 * The figures of DESIGN.md section 8, side by side, in one run.
 *
 *   make bench          everything; the table goes to bench/RESULTS.md. Takes half an hour
 *   make bench BRIEF=1  the same with fewer stakeholders and repetitions
 *   make bench-quick    a part, in less than three minutes; fails when a ratio is worse than its recorded bound (bounds.ts)
 *
 * On the embedded server with pljs, or at INTEGRATEDB_BENCH_URL (plv8). INTEGRATEDB_BENCH_ORIGINAL: see peer.ts.
 */
import { recordBounds, regressions } from './bounds.ts'
import { bundleSize, measureEngine } from './engine.ts'
import type { Figure } from './figure.ts'
import { measureMigrations } from './migrations.ts'
import { measurePeer, missingPeer } from './peer.ts'
import { sectionOf, writeResults } from './report.ts'
import { BenchServer } from './server.ts'

const isQuick = process.argv.includes('--quick')
const original = process.env['INTEGRATEDB_BENCH_ORIGINAL'] ?? ''

const plans = {
  quick: {
    migrations: { sizes: [10, 200].map((relations) => ({ relations, stakeholders: [1, 20] })), runs: 3, times: 8, calls: 3 },
    peer: { claims: [10], patience: 20, runs: 3 },
    engine: { runs: 3, times: 10 },
  },
  brief: {
    migrations: {
      sizes: [
        { relations: 10, stakeholders: [1, 20] },
        { relations: 1_000, stakeholders: [1, 20, 200] },
        { relations: 10_000, stakeholders: [1, 20] },
      ],
      runs: 3,
      times: 12,
      calls: 1,
    },
    peer: { claims: [10, 30, 1_000], patience: 60, runs: 3 },
    engine: { runs: 3, times: 40 },
  },
  whole: {
    migrations: {
      sizes: [10, 1_000, 10_000].map((relations) => ({ relations, stakeholders: [1, 20, 200] })),
      runs: 3,
      times: 40,
      calls: 3,
    },
    peer: { claims: [10, 50, 1_000], patience: 240, runs: 3 },
    engine: { runs: 3, times: 100 },
  },
}
const name = isQuick ? 'quick' : process.argv.includes('--brief') ? 'brief' : 'whole'
const plan = plans[name]

const server = await BenchServer.start()
try {
  const { engine, versions, fsync } = await server.versions()
  const groups: Record<string, Figure[]> = {}
  const notes = [`The ${name} plan of bench/main.ts.`]

  groups['Migrations'] = await measureMigrations(server, plan.migrations, engine)
  if (original !== '') groups['The original'] = await measurePeer(server, original, plan.peer)
  else notes.push(missingPeer)
  const { figures, shares } = await measureEngine(server, plan.engine)
  groups['Engine'] = [bundleSize(), ...figures]
  // The notifier's group comes here: groups['Notifier'] = await measureNotifier(server, plan.notifier)

  const report = { engine, versions, fsync, groups, shares, notes }
  console.log(sectionOf(report))
  const all = Object.values(groups).flat()
  if (!isQuick) writeResults(report)
  else if (process.argv.includes('--record')) recordBounds(all)
  else {
    const worse = regressions(all)
    for (const line of worse) console.error(`WORSE: ${line}`)
    if (worse.length > 0) process.exitCode = 1
  }
} finally {
  await server.stop()
}
