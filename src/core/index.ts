/**
 * The functional core: plain data in, plain data out. No SQL, no clock, no randomness, no I/O.
 * This is its only door; `operations` is what `integratedb._core(op, input)` can be asked.
 */
import { type Catalog, CatalogIndex } from './catalog/catalog.ts'
import { type Claim, isEqual } from './claim/claim.ts'
import { type Declaration, declare } from './claim/declare.ts'
import { type Expansion, expandClaims } from './claim/expand.ts'
import type { Mode } from './claim/problem.ts'
import { OperationError, oneLine } from './errors.ts'
import { grantSteps } from './grant/grant.ts'
import type { Finding } from './migration/finding.ts'
import { distinct, findingOf, judge, unmetProblems, type Verdict } from './migration/judge.ts'
import { readNotifications } from './notification/document.ts'
import { judgeNotifications, subscriptionsOf } from './notification/subscription.ts'
import { type MatchSpecification, readDocument } from './specification/document.ts'

export { errors, type FindingCode, findings } from './errors.ts'
export { hintFor, publicationHint } from './migration/hint.ts'
export type { Row } from './notification/evaluate.ts'
export { type ChannelState, Interest, type Operation, type State, subscriptionsTo } from './notification/match.ts'
export { quoteName } from './specification/path.ts'

export interface Judgement extends Verdict, Change {}

/** What this operation complains of. */
function complaintsOf(run: () => unknown): Finding[] {
  try {
    run()
    return []
  } catch (error) {
    if (!(error instanceof OperationError)) throw error
    const { code, hint } = error.failure
    return error.problems.map(({ line, path = null, field = null, expected = null, actual = null }) => {
      return { code, severity: 'breaking', stakeholder: null, path, field, expected, actual, message: oneLine(line), hint }
    })
  }
}

/** A specification expanded: the claims to store and the grants to move. IDB02, IDB03, IDB06 */
function declareClaims(text: string): Declaration {
  return declare(JSON.parse(text))
}

/** As `read_specification`, but problems are findings. */
function checkSpecification(text: string): { specification: MatchSpecification[] | null; findings: Finding[] } {
  let specification: MatchSpecification[] | null = null
  const findings = complaintsOf(() => {
    specification = readDocument(text)
  })
  return { specification, findings }
}

/** As `declare_claims`, but problems are findings, and there is nothing else. */
function checkClaims(text: string): Finding[] {
  return complaintsOf(() => declareClaims(text))
}

interface Expanded {
  expansions: Expansion[]
  siblings: Claim[]
  catalog: CatalogIndex
}

/** Claims expanded anew. */
function expand(text: string, mode: Mode): Expanded {
  const input: { claims: Claim[]; catalog: Catalog; siblings?: Claim[]; has_privileges?: boolean } = JSON.parse(text)
  const catalog = new CatalogIndex(input.catalog)
  return { expansions: expandClaims(input.claims, catalog, mode, input.has_privileges), siblings: input.siblings ?? [], catalog }
}

interface Change extends Declaration {
  /** Claims that are unmet, whether they are as they were or not: what they still held (a column of the wrong type) may have gone. */
  unmet: Claim[]
}

/** What follows for the claims that are no longer as they were, and for the grants. */
function changeOf({ expansions, catalog }: Expanded, mode: Mode): Change {
  const afterOf = ({ after }: Expansion): Claim => after
  const claims = expansions.filter(({ before, after }) => !isEqual(before, after)).map(afterOf)
  const unmet = expansions.filter(({ problems }) => problems.length > 0).map(afterOf)
  return { claims, grants: grantSteps(expansions, catalog, mode), unmet }
}

/** A migration judged by the claims it touched. */
function judgeMigration(text: string): Judgement {
  const expanded = expand(text, 'judge')
  return { ...judge(expanded.expansions, expanded.siblings), ...changeOf(expanded, 'judge') }
}

/** All claims of a stakeholder expanded anew, and its grants repaired. */
function syncClaims(text: string): Change {
  return changeOf(expand(text, 'sync'), 'sync')
}

/** What does not hold now of all claims of a stakeholder. */
function inspectClaims(text: string): Finding[] {
  const { expansions } = expand(text, 'inspect')
  return distinct(unmetProblems(expansions).map(({ claim, problem }) => findingOf(claim, problem, 'breaking')))
}

type Operations = Readonly<Record<string, (text: string) => unknown>>

const claimOperations: Operations = {
  read_specification: readDocument,
  declare_claims: declareClaims,
  check_specification: checkSpecification,
  check_claims: checkClaims,
  judge_migration: judgeMigration,
  sync_claims: syncClaims,
  inspect_claims: inspectClaims,
}

const notificationOperations: Operations = {
  read_notifications: readNotifications,
  expand_notifications: (text) => subscriptionsOf(JSON.parse(text)),
  judge_notifications: (text) => judgeNotifications(JSON.parse(text)),
}

/** All of them; in the database they are two functions, so that who is told of nothing does not load the second. */
export const operations: Operations = /* @__PURE__ */ Object.assign({}, claimOperations, notificationOperations)

function answer(known: Operations, operation: string, input: string): string {
  const run = Object.entries(known).find(([name]) => name === operation)?.[1]
  if (run === undefined) throw new Error(`IntegrateDB has no operation ${operation}`)
  try {
    return JSON.stringify({ ok: run(input) })
  } catch (error) {
    if (!(error instanceof OperationError)) throw error
    return JSON.stringify({ error: error.failure })
  }
}

export function operateOnClaims(operation: string, input: string): string {
  return answer(claimOperations, operation, input)
}

export function operateOnNotifications(operation: string, input: string): string {
  return answer(notificationOperations, operation, input)
}

/** Runs one operation: JSON text in, `{"ok": …}` or `{"error": {code, message, detail, hint}}` out. */
export function operate(operation: string, input: string): string {
  return answer(operations, operation, input)
}
