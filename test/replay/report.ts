/** What a replay came to, for a person. */
import type { MigrationFile } from './history.ts'
import type { Step } from './rehearsal.ts'
import type { Event } from './replay.ts'

export function report(name: string, files: readonly MigrationFile[], plan: readonly Step[], events: readonly Event[]): string {
  const lines: string[] = [`\n== ${name}`]
  const skipped = plan.filter(({ mode }) => mode === 'skip').length
  const statements = files.reduce((sum, file) => sum + file.statements.length, 0)
  lines.push(
    `${files.length} files (${skipped} fail by themselves and are skipped, ${plan.filter(({ mode }) => mode === 'statements').length} run statement by statement), ${statements} statements, ${plan.reduce((sum, { seeds }) => sum + seeds.length, 0)} made-up rows`,
  )
  for (const [at, { mode, error, failing }] of plan.entries()) {
    if (mode === 'skip' || failing.length > 0)
      lines.push(`  skipped ${files[at]?.name}${failing.length > 0 ? ` statements ${failing.map((n) => n + 1)}` : ''}: ${error}`)
  }
  const of = (kind: Event['kind']) => events.filter((event) => event.kind === kind)
  lines.push(
    `accepted ${of('accepted').length}, rejected ${of('rejected').length} files; uses tried ${events.reduce((sum, event) => sum + (event.tried ?? 0), 0)}`,
  )
  lines.push(`findings that rejected: ${tally(of('breaking').map((event) => `${event.finding?.code} ${event.finding?.stakeholder}`))}`)
  lines.push(`warnings: ${tally(of('warning').map((event) => `${event.finding?.code} ${event.finding?.stakeholder}`))}`)
  for (const event of of('note')) lines.push(`  note ${event.file}: ${event.text}`)
  const disagreements = of('disagreement')
  lines.push(`disagreements: ${disagreements.length}`)
  for (const { file, text } of disagreements) lines.push(`  ${file}: ${text}`)
  const limits = of('known limit')
  lines.push(`known limits: ${limits.length}`)
  for (const { file, text } of limits) lines.push(`  ${file}: ${text}`)
  lines.push(times(plan, events))
  const syncs = of('sync')
  const last = syncs.at(-1)
  if (last !== undefined)
    lines.push(`sync() ${syncs.length} times: the last in ${last.milliseconds?.toFixed(0)} ms, and unmet_claims() in ${last.text} ms`)
  return lines.join('\n')
}

function tally(names: string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return (
    [...counts]
      .sort()
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  )
}

function times(plan: readonly Step[], events: readonly Event[]): string {
  const pairs = events.flatMap(({ kind, at, milliseconds }) =>
    kind === 'accepted' && milliseconds !== undefined ? [{ without: plan[at]?.milliseconds ?? 0, with: milliseconds }] : [],
  )
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  const worst = (values: number[]) => Math.max(0, ...values)
  const added = pairs.map((pair) => pair.with - pair.without)
  const show = (value: number) => `${value.toFixed(1)} ms`
  return (
    `time per accepted file: without ${show(median(pairs.map((pair) => pair.without)))}, with ${show(median(pairs.map((pair) => pair.with)))} (medians); ` +
    `added: median ${show(median(added))}, at most ${show(worst(added))}`
  )
}
