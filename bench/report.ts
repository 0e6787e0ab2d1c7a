/** The figures as a table, on the screen and in RESULTS.md: one section for each engine, the others' stay as they are. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import type { Share } from './engine.ts'
import { type Figure, goalInWords, inWords, isReached, median, spread } from './figure.ts'

const file = 'bench/RESULTS.md'

export interface Report {
  engine: string
  versions: string
  fsync: string
  groups: Record<string, Figure[]>
  shares: Share[]
  notes: string[]
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function verdict(figure: Figure): string {
  const reached = isReached(figure)
  return reached === null ? '' : reached ? 'yes' : '**no**'
}

function tableOf(figures: readonly Figure[]): string {
  const lines = figures.map((figure) =>
    row([
      figure.what,
      figure.where,
      goalInWords(figure),
      inWords(median(figure.runs), figure.unit),
      verdict(figure),
      spread(figure),
      figure.detail ?? '',
    ]),
  )
  return [row(['what', 'where', 'goal', 'figure', 'reached', 'runs', 'of']), row(Array.from({ length: 7 }, () => '---')), ...lines].join(
    '\n',
  )
}

function sharesTable(shares: readonly Share[]): string {
  const lines = shares.map(({ part, duration, functions }) => row([part, `${Math.round(duration)} µs`, functions]))
  return [row(['part', 'time', 'µs of each function']), row(['---', '---', '---']), ...lines].join('\n')
}

export function sectionOf({ engine, versions, fsync, groups, shares, notes }: Report): string {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const parts = [
    `## ${engine}`,
    `${versions}; Node ${process.versions.node}; ${machine}, in use by others; fsync ${fsync}; ${date} UTC.`,
    ...notes,
    ...Object.entries(groups).flatMap(([name, figures]) => [`### ${name}`, tableOf(figures)]),
    ...(shares.length > 0 ? ['### Where the time of a judged migration goes', sharesTable(shares)] : []),
  ]
  return parts.join('\n\n')
}

/** Puts the section in the place of the last one of that engine. */
export function writeResults(report: Report): void {
  const [start, end] = [`<!-- ${report.engine} -->`, `<!-- /${report.engine} -->`]
  const section = `${start}\n${sectionOf(report)}\n${end}\n`
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '# Results of make bench\n'
  const [head, rest] = before.split(start)
  const tail = rest?.split(`${end}\n`)[1]
  writeFileSync(file, tail === undefined ? `${before.trimEnd()}\n\n${section}` : `${head}${section}${tail}`)
}
