/**
 * How long does something take against something else? In turn, so that whatever else the machine does is in the way of both.
 *
 * Two clocks: the one on the wall, which is what a user waits for, the disk included; and the CPU time of the session's own
 * process on the server, which is the same however busy the machine is. The second needs the server on this machine, on Linux.
 */
import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { median } from './figure.ts'

/** A session, and the process that serves it: null where it cannot be looked at. */
export interface Session {
  client: pg.Client
  pid: number | null
}

export type Clock = 'wall' | 'cpu'

/** In milliseconds. */
export type Duration = Record<Clock, number>

/** Runs it once more and says how long it took. What has to be undone is undone off the clock. */
export type Step = () => Promise<Duration>

/** What the kernel counted for the process so far. */
function cpuOf({ pid }: Session): number {
  if (pid === null) return Number.NaN
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
}

export async function timed(session: Session, work: () => Promise<unknown>): Promise<Duration> {
  const before = cpuOf(session)
  const started = performance.now()
  await work()
  const wall = performance.now() - started
  return { wall, cpu: session.pid === null ? wall : cpuOf(session) - before }
}

let ran = 0

export interface Statement {
  sql: string
  /** Before and after it, off the clock. */
  before?: string
  after?: string
  /** It has to fail with this SQLSTATE. */
  fails?: string
}

/** A statement that is new each time: `write` gets a number that no other run had. */
export function statement(session: Session, write: (n: number) => Statement): Step {
  return async () => {
    const { sql, before, after, fails } = write(++ran)
    if (before !== undefined) await session.client.query(before)
    let failure: unknown
    const duration = await timed(session, () => session.client.query(sql).catch((error) => (failure = error)))
    const code = (failure as { code?: string } | undefined)?.code
    if (code !== fails) throw failure ?? new Error(`this should have failed with ${fails}: ${sql}`)
    if (after !== undefined) await session.client.query(after)
    return duration
  }
}

export interface Comparison {
  /** Of each run: the median of one against the median of the other. */
  ratios: number[]
  /** The medians of all, in milliseconds. */
  one: number
  other: number
}

export async function compare(
  one: Step,
  other: Step,
  { runs, times, clock }: { runs: number; times: number; clock: Clock },
): Promise<Comparison> {
  const all = { one: [] as number[], other: [] as number[] }
  const ratios: number[] = []
  for (let run = 0; run < runs; run++) {
    const durations = { one: [] as number[], other: [] as number[] }
    const fillsCaches = run === 0 ? 3 : 1
    for (let i = 0; i < times + fillsCaches; i++) {
      // Neither is always the first after the other's cache misses.
      for (const side of i % 2 === 0 ? (['one', 'other'] as const) : (['other', 'one'] as const)) {
        const duration = await (side === 'one' ? one : other)()
        if (i >= fillsCaches) durations[side].push(duration[clock])
      }
    }
    ratios.push(median(durations.one) / median(durations.other))
    all.one.push(...durations.one)
    all.other.push(...durations.other)
  }
  return { ratios, one: median(all.one), other: median(all.other) }
}

/** Each time it takes, in milliseconds. */
export async function repeat(step: Step, times: number, clock: Clock = 'cpu'): Promise<number[]> {
  const durations: number[] = []
  for (let i = 0; i < times; i++) durations.push((await step())[clock])
  return durations
}
