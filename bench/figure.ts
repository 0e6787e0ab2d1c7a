/** What was measured: a figure for each run, the goal of DESIGN.md section 8 if it has one, and how to say it. */

export type Unit = '×' | 'ms' | 'µs' | 'KB' | 'MB' | '/s'

export interface Figure {
  /** Stays the same from one version to the next: bounds.ts knows figures by it. */
  key: string
  what: string
  where: string
  unit: Unit
  /** One for each run. */
  runs: number[]
  /** Reached when the figure is at most (least) this. */
  goal?: { at: 'most' | 'least'; figure: number }
  /** What the ratio is of: "0.42 ms against 0.36 ms". */
  detail?: string
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** Between the lowest and the highest run: what one run more or less can make of it. */
export function spreadOf({ runs }: Figure): number {
  return Math.max(...runs) - Math.min(...runs)
}

export function worst({ runs, goal }: Figure): number {
  return goal?.at === 'least' ? Math.min(...runs) : Math.max(...runs)
}

export function isReached({ runs, goal }: Figure): boolean | null {
  if (goal === undefined) return null
  return goal.at === 'most' ? median(runs) <= goal.figure : median(runs) >= goal.figure
}

export function rounded(figure: number): string {
  if (figure >= 100) return Math.round(figure).toLocaleString('en-GB')
  return figure >= 10 ? figure.toFixed(1) : figure.toFixed(2)
}

export function milliseconds(figure: number): string {
  return figure >= 1000 ? `${rounded(figure / 1000)} s` : `${rounded(figure)} ms`
}

export function inWords(figure: number, unit: Unit): string {
  if (Number.isNaN(figure)) return 'failed'
  if (unit === 'ms') return milliseconds(figure)
  return unit === '/s' ? `${rounded(figure)}/s` : `${rounded(figure)} ${unit}`
}

export function spread({ runs, unit }: Figure): string {
  if (runs.length < 2) return ''
  const [least, most] = [Math.min(...runs), Math.max(...runs)]
  return unit === 'ms' ? `${milliseconds(least)} to ${milliseconds(most)}` : `${rounded(least)} to ${rounded(most)}`
}

export function goalInWords({ goal, unit }: Figure): string {
  if (goal === undefined) return ''
  const figure = `${goal.figure.toLocaleString('en-GB')}${unit === '/s' ? '' : ' '}${unit}`
  return `${goal.at === 'most' ? '≤' : '≥'} ${unit === 'ms' ? milliseconds(goal.figure) : figure}`
}
