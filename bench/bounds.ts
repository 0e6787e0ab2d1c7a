/**
 * What `make bench-quick` holds the figures to: the worst of the runs when this was last recorded, on the embedded server with pljs, on a
 * machine of two cores that others were using too. A figure fails when its median is worse than that by more than the spread of its own
 * runs, by more than 15 %, and by more than what the clock makes of a statement of a tenth of a millisecond. What it is for is
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

export function recordBounds(figures: readonly Figure[]): void {
  const bounds = Object.fromEntries(figures.filter(isBounded).map((figure) => [figure.key, Number(worst(figure).toFixed(3))]))
  writeFileSync(file, `${JSON.stringify(bounds, null, 2)}\n`)
}

/** One line for each figure that has become worse. */
export function regressions(figures: readonly Figure[]): string[] {
  const bounds: Record<string, number> = JSON.parse(readFileSync(file, 'utf8'))
  return figures.filter(isBounded).flatMap((figure) => {
    const bound = bounds[figure.key]
    if (bound === undefined) return [`${figure.key} has no recorded bound: npx tsx bench/main.ts --quick --record`]
    const is = median(figure.runs)
    const worse = figure.goal?.at === 'least' ? bound - is : is - bound
    const allowed = Math.max(spreadOf(figure), bound * 0.15, least)
    if (worse <= allowed) return []
    return [
      `${figure.what} (${figure.where}): ${inWords(is, figure.unit)}, recorded ${inWords(bound, figure.unit)}, noise ${allowed.toFixed(2)}`,
    ]
  })
}
