/** Two sessions at once, in the order of steps that a schedule says. Nothing here sleeps: a step has ended, or waits for a lock. */
import type { Session, TestDatabase } from './database.ts'

export const levels = ['read committed', 'repeatable read', 'serializable'] as const
export type Level = (typeof levels)[number]

/** a, b: the work of each transaction; A, B: its COMMIT. Both have begun, and taken their snapshot, before. */
export const schedules = ['abAB', 'abBA', 'baAB', 'baBA', 'aAbB', 'bBaA']

let turn = 0
/**
 * All of them where both may see what the other has committed. Above that a half, and the next time the other: over the tests of a file each
 * schedule comes at each level, in the time that there is.
 */
export function schedulesAt(...those: Level[]): string[] {
  if (those.every((level) => level === 'read committed')) return schedules
  const half = turn++ % 2
  return schedules.filter((_, i) => i % 2 === half)
}

export interface Actor {
  sql: string
  level: Level
}

async function begin(database: TestDatabase, level: Level): Promise<Session> {
  const session = await database.connect()
  await session.rows(`set deadlock_timeout = '20ms'`)
  await session.rows(`begin isolation level ${level}`)
  await session.rows('select from pg_class limit 1')
  return session
}

/** Until the step has ended, or waits for the other session. */
async function settled(database: TestDatabase, session: Session, step: Promise<unknown>): Promise<void> {
  let ended = false
  const end = step.then(() => {
    ended = true
  })
  const pid = (session.client as unknown as { processID: number }).processID
  while (!ended) {
    if ((await database.value<number>('select count(*) from pg_locks where pid = $1 and not granted', [pid])) > 0) return
    await Promise.race([end, new Promise((resolve) => setImmediate(resolve))])
  }
}

/** Runs both as the schedule says, and tells how each ended: 'done', or the SQLSTATE of its failure. */
export async function interleave(database: TestDatabase, a: Actor, b: Actor, schedule: string): Promise<string[]> {
  const sessions = { a: await begin(database, a.level), b: await begin(database, b.level) }
  const outcome = { a: 'done', b: 'done' }
  const steps: Promise<unknown>[] = []
  for (const step of schedule) {
    const actor = step.toLowerCase() as 'a' | 'b'
    const sql = step === actor ? { a, b }[actor].sql : 'commit'
    const running = sessions[actor].rows(sql).catch((error) => {
      if (outcome[actor] === 'done') outcome[actor] = `${error.code} ${error.message}`
    })
    steps.push(running)
    await settled(database, sessions[actor], running)
  }
  await Promise.all(steps)
  await Promise.all([sessions.a.end(), sessions.b.end()])
  return [outcome.a, outcome.b]
}
