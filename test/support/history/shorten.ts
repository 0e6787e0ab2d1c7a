/** A failing history made short: without every statement that it fails without as well, in the same way. */
import type { History } from './historian.ts'
import type { Step } from './step.ts'

/** Without one element at a time, from the end, as long as `fails`. */
async function without<T>(all: readonly T[], fails: (fewer: T[]) => Promise<boolean>): Promise<T[]> {
  let kept = [...all]
  for (let at = kept.length - 1; at >= 0; at--) {
    const fewer = kept.toSpliced(at, 1)
    if (await fails(fewer)) kept = fewer
  }
  return kept
}

export async function shorten(history: History, fails: (history: History) => Promise<boolean>): Promise<History> {
  let short = history
  short = { ...short, steps: await without(short.steps, (steps) => fails({ ...short, steps })) }
  short = { ...short, beginning: await without(short.beginning, (beginning) => fails({ ...short, beginning })) }
  for (const [at, step] of short.steps.entries()) {
    const withStep = (changed: Step): History => ({ ...short, steps: short.steps.with(at, changed) })
    if (step.kind === 'migration') {
      const statements = await without(step.statements, (fewer) =>
        fewer.length === 0 ? Promise.resolve(false) : fails(withStep({ ...step, statements: fewer })),
      )
      short = withStep({ ...step, statements })
    } else if (step.kind === 'set_claims') {
      const match = await without(step.document.match, (fewer) =>
        fewer.length === 0 ? Promise.resolve(false) : fails(withStep({ ...step, document: { match: fewer } })),
      )
      short = withStep({ ...step, document: { match } })
    }
  }
  return short
}
