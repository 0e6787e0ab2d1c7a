/**
 * What `make bench-quick` holds the figures to: the worst run of three measurements when this was last recorded, on the embedded server with pljs, on an
 * otherwise idle machine of two cores. A figure fails when its median is worse than that by more than the spread of its own
 * runs, by more than half, and by more than what the clock makes of a statement of a tenth of a millisecond. What it is for is
 * not the percent, but the look-up that reads everything. Recorded with: npx tsx bench/main.ts --quick --record
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Figure, inWords, median, spreadOf, worst } from './figure.ts'

const file = 'bench/bounds.json'

/** Below this no ratio of two short statements says anything. */
const least = 0.3

/** Times alone say more about the machine than about us; the floor is Postgres's own. */
function isBounded({ key, unit }: Figure): boolean {
  return (unit === '×' || unit === 'KB') && key !== 'floor'
}

/** The figures of several measurements, each beginning with databases of its own: between those a ratio differs more than between runs of one. */
export function recordBounds(figures: readonly Figure[]): void {
  const bounds: Record<string, number> = {}
  for (const figure of figures.filter(isBounded)) {
    const is = Number(worst(figure).toFixed(3))
    const before = bounds[figure.key] ?? is
    bounds[figure.key] = figure.goal?.at === 'least' ? Math.min(before, is) : Math.max(before, is)
  }
  writeFileSync(file, `${JSON.stringify(bounds, null, 2)}\n`)
}

/** The figures that have become worse: by their keys, a line for each. */
export function regressions(figures: readonly Figure[]): Map<string, string> {
  const bounds: Record<string, number> = JSON.parse(readFileSync(file, 'utf8'))
  const worse = new Map<string, string>()
  for (const figure of figures.filter(isBounded)) {
    const { key, what, where, unit, goal } = figure
    const bound = bounds[key]
    if (bound === undefined) {
      worse.set(key, `${key} has no recorded bound: npx tsx bench/main.ts --quick --record`)
      continue
    }
    const is = median(figure.runs)
    const allowed = Math.max(spreadOf(figure), bound * 0.5, least)
    if ((goal?.at === 'least' ? bound - is : is - bound) <= allowed) continue
    worse.set(key, `${what} (${where}): ${inWords(is, unit)}, recorded ${inWords(bound, unit)}, noise ${allowed.toFixed(2)}`)
  }
  return worse
}
