/**
 * Random histories: whatever DDL runs, after an accepted migration every stakeholder can do what it could, and holds exactly what it claims; a
 * rejected one would have broken a promise, and says which. What a promise is, the oracle says (test/support/oracle.ts), which shares no code with us.
 *
 * `make test` plays a few histories, always the same; `make fuzz` others, as long as one likes, and `make fuzz SEED=seed:path` one of them again.
 */
import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dice } from '../support/history/dice.ts'
import { Disagreement, Historian, type History } from '../support/history/historian.ts'
import { beginning } from '../support/history/pool.ts'
import { shorten } from '../support/history/shorten.ts'
import { scriptOf } from '../support/history/step.ts'

const environment = (name: string): string | undefined => process.env[`INTEGRATEDB_HISTORY_${name}`] || undefined
const number = (name: string): number | undefined => {
  const value = environment(name)
  return value === undefined ? undefined : Number(value)
}

const steps = number('STEPS') ?? 10
const seconds = number('SECONDS')
const asked = number('COUNT')
const [wishedSeed, path] = environment('SEED')?.split(':') ?? []
/** Without any wish a sample, always the same; a seed alone asks for its first history. */
const isSample = seconds === undefined && asked === undefined && wishedSeed === undefined
/** Not by the clock: each database takes the next, and two processes that begin at once would play the same. */
const seed = wishedSeed === undefined ? (isSample ? 1 : randomInt(2 ** 31)) : Number(wishedSeed)
const histories = asked ?? (isSample ? 60 : seconds === undefined ? 1 : Number.POSITIVE_INFINITY)
const maxFailures = number('FAILURES') ?? 1
/** A database collects dead rows in its catalogue; a new one takes a tenth of a second. Each has a seed of its own. */
const historiesPerDatabase = 40

const kindOf = (wrong: unknown): string => (wrong instanceof Disagreement ? wrong.kind : String(wrong))

function told({ beginning: begun, steps }: History): string {
  return [...beginning, ...begun]
    .map((one) => `${one};`)
    .concat('-- steps', ...steps.map(scriptOf))
    .join('\n')
}

/** As short as it fails, each try in a database that knows nothing of the one before. fast-check knows dice, and not what a step is. */
async function shortest(history: History, wrong: unknown): Promise<{ history: History; wrong: unknown }> {
  const historian = await Historian.open()
  let last = wrong
  try {
    const short = await shorten(history, async (fewer) => {
      const again = await historian.replay(fewer)
      if (again.wrong === null || kindOf(again.wrong) !== kindOf(wrong)) return false
      last = again.wrong
      return true
    })
    return { history: short, wrong: last }
  } finally {
    await historian.close()
  }
}

test('whatever is accepted, the stakeholders can do what they claim; what is rejected breaks something', {
  timeout: 2 ** 31 - 1,
}, async () => {
  const counts = new Map<string, number>()
  const started = Date.now()
  const isLate = (): boolean => seconds !== undefined && Date.now() - started > seconds * 1000
  let played = 0
  let playing = 0
  let failures = 0
  let nextSeed = seed
  const playSome = async (): Promise<{ command: string; history: History; wrong: unknown } | null> => {
    const historian = await Historian.open()
    let failure: { history: History; wrong: unknown } | undefined
    try {
      const property = fc.asyncProperty(fc.gen(), async (draw) => {
        if (isLate()) return
        played++
        const { history, wrong } = await historian.invent(new Dice(draw), steps)
        if (wrong === null) return
        failure = { history, wrong }
        throw wrong
      })
      const details = await fc.check(property, {
        seed: nextSeed++,
        ...(path === undefined ? {} : { path }),
        numRuns: Math.min(historiesPerDatabase, histories - played),
        endOnFailure: true,
      })
      if (details.failed && failure === undefined) throw details.errorInstance
      return failure === undefined ? null : { ...failure, command: `make fuzz SEED=${details.seed}:${details.counterexamplePath}` }
    } finally {
      for (const [what, count] of historian.counts) counts.set(what, (counts.get(what) ?? 0) + count)
      await historian.close()
    }
  }
  console.log(`histories from seed ${seed}`)
  while (played < histories && failures < maxFailures && !isLate()) {
    const from = Date.now()
    const lastTold = Math.floor(played / 200)
    const failure = await playSome()
    playing += Date.now() - from
    if (!isSample && Math.floor(played / 200) > lastTold) console.log(`${played} played`)
    if (failure === null) continue
    failures++
    const short = await shortest(failure.history, failure.wrong)
    console.log(`${failure.command}\n${told(short.history)}\n${short.wrong}`)
  }
  const perHistory = (playing / played).toFixed(0)
  console.log([`${perHistory} ms a history`, ...[...counts].sort().map(([what, count]) => `${what}: ${count}`)].join('\n'))
  expect(failures, 'histories fail; each is told above').toBe(0)
})
