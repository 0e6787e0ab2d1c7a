/**
 * What `make bench-quick` holds the figures to: as they were when this was last recorded, on the embedded server with pljs, on a
 * machine of two cores that others were using too. A figure fails when it is worse than its bound by more than the noise that
 * its own runs show, and by more than a tenth. Recorded from a run with: npx tsx bench/main.ts --quick --record
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Figure, inWords, median, noiseOf } from './figure.ts'

const file = 'bench/bounds.json'

/** Times alone say more about the machine than about us. */
function isBounded({ unit }: Figure): boolean {
  return unit === '×' || unit === 'KB'
}

export function recordBounds(figures: readonly Figure[]): void {
  const bounds = Object.fromEntries(figures.filter(isBounded).map((figure) => [figure.key, Number(median(figure.runs).toFixed(3))]))
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
    const allowed = Math.max(noiseOf(figure), bound / 10)
    if (worse <= allowed) return []
    return [
      `${figure.what} (${figure.where}): ${inWords(is, figure.unit)}, recorded ${inWords(bound, figure.unit)}, noise ${allowed.toFixed(2)}`,
    ]
  })
}
