/**
 * The judgement: claims as they were, claims as they are now, and what follows from the difference.
 *
 * Only what a migration newly broke counts against it: a claim that was met before and is not after.
 * Within a match, alternatives stand in for each other; so do the alternatives of a field.
 */
import { groupBy, keyOf } from '../catalog/catalog.ts'
import { type Claim, fieldGroups, fieldKey, isGroupMet, isMatchMet, isWildcard, metAlternatives, pathOf } from '../claim/claim.ts'
import type { Expansion } from '../claim/expand.ts'
import type { Problem } from '../claim/problem.ts'
import { count, type Failure, lines } from '../errors.ts'
import { type Finding, findingLine } from './finding.ts'
import { hintFor } from './hint.ts'

export interface Verdict {
  verdict: 'accept' | 'reject'
  findings: Finding[]
  /** What to raise for a rejection, with the fields of a constraint violation. */
  report: (Failure & { constraint: string; schema: string; table: string; column: string | null }) | null
  /** What to tell of an accepted one. */
  warning: Omit<Failure, 'code'> | null
}

export function findingOf(claim: Claim, problem: Problem, severity: Finding['severity']): Finding {
  const { code, field, column = null, expected = null, actual = null, message } = problem
  const subject = { stakeholder: claim.stakeholder, path: pathOf(claim), field: field?.name ?? column, expected }
  return { code, severity, ...subject, actual, message, hint: hintFor(code, subject) }
}

function matchKey({ stakeholder, match }: Claim): string {
  return keyOf(stakeholder, match)
}

/** Was it met before? `problem.field` is the field as it was; a relation that was unmet takes its fields with it. */
function isLost({ before }: Expansion, { field }: Problem): boolean {
  return before.status === 'met' && (field === undefined || field.status === 'met')
}

/** The problems that keep the claim from being met, without those of fields that others stand in for. */
function blockingProblems({ after, problems }: Expansion): Problem[] {
  if (problems.length === 0) return [] // as nearly always
  const stoodIn = new Set(fieldGroups(after).filter(isGroupMet).flat().map(fieldKey))
  return problems.filter(({ field }) => field === undefined || !stoodIn.has(fieldKey(field)))
}

/** What happened to one relation that has no alternative. */
function judgeRelation(expansion: Expansion): Finding[] {
  const { before, after, relation, problems } = expansion
  if (problems.length === 0) return []
  const tell = (those: readonly Problem[], severity: Finding['severity']): Finding[] =>
    those.map((problem) => findingOf(after, problem, severity))

  const ofRelation = problems.filter(({ field }) => field === undefined)
  const wasMet = before.status === 'met'
  if (after.status === 'absent') return wasMet ? tell(ofRelation, 'info') : []
  const findings = after.status === 'met' || before.status === 'unmet' ? [] : tell(ofRelation, wasMet ? 'breaking' : 'warning')
  if (relation === null) return findings

  const fieldsBefore = new Map(before.fields.map((field) => [fieldKey(field), field]))
  const ofFields = fieldGroups(after).flatMap((group) => {
    const keys = group.map(fieldKey)
    const groupBefore = keys.map((key) => fieldsBefore.get(key)).filter((field) => field !== undefined)
    const ofGroup = problems.filter(({ field }) => field !== undefined && keys.includes(fieldKey(field)))
    const lost = ofGroup.filter((problem) => isLost(expansion, problem))
    if (isGroupMet(group)) return tell(lost, 'info')
    if (wasMet && groupBefore.some(({ status }) => status === 'met')) return tell(lost, 'breaking')
    const wasUnmet = before.status !== 'absent' && groupBefore.length > 0 && !isGroupMet(groupBefore)
    return wasUnmet ? [] : tell(ofGroup, 'warning')
  })
  return [...findings, ...ofFields]
}

/** What happened to a match whose alternatives stand in for each other. */
function judgeAlternatives(expansions: readonly Expansion[], siblings: readonly Claim[]): Finding[] {
  const before = [...expansions.map((expansion) => expansion.before), ...siblings]
  const wildcards = new Set(before.filter(isWildcard).map(({ alternative }) => alternative))
  // What a wildcard takes in just now was no part of the alternative before.
  const isNew = ({ alternative, status }: Claim): boolean => status === 'absent' && wildcards.has(alternative)
  const metBefore = metAlternatives(before.filter((claim) => isWildcard(claim) || !isNew(claim)))
  const isBroken = metBefore.size > 0 && !isMatchMet([...expansions.map(({ after }) => after), ...siblings])
  return expansions
    .filter(({ before }) => metBefore.has(before.alternative))
    .flatMap((expansion) => {
      const lost = expansion.problems.filter((problem) => isLost(expansion, problem))
      const told = isBroken ? blockingProblems(expansion) : lost
      return told.map((problem) =>
        findingOf(expansion.after, problem, !isBroken ? 'info' : lost.includes(problem) ? 'breaking' : 'warning'),
      )
    })
}

function toldOf(findings: readonly Finding[]): Pick<Failure, 'detail' | 'hint'> {
  const hints = new Set(findings.map(({ hint }) => hint))
  return { detail: lines(findings.map(findingLine)), hint: lines([...hints].slice(0, 3)) }
}

function reportOf(breaking: readonly Finding[], claims: readonly Claim[]): Verdict['report'] {
  const first = breaking[0]
  if (first === undefined) return null
  const claim = claims.find((each) => each.stakeholder === first.stakeholder && pathOf(each) === first.path)
  const stakeholders = new Set(breaking.map(({ stakeholder }) => stakeholder)).size
  const broken = new Set(breaking.map(({ stakeholder, path, field }) => keyOf(stakeholder, path, field))).size
  return {
    code: 'IDB01',
    message: `migration breaks ${count(broken, 'claim')} of ${count(stakeholders, 'stakeholder')}`,
    ...toldOf(breaking),
    constraint: 'claims_hold',
    schema: claim?.schema_name ?? '',
    table: claim?.relation_name ?? '',
    column: first.field,
  }
}

/** Two matches may claim the same thing: it is told once. */
export function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}

/**
 * @param expansions every claim that the migration touched
 * @param siblings untouched claims of the same matches, whose alternatives may stand in
 */
export function judge(expansions: readonly Expansion[], siblings: readonly Claim[]): Verdict {
  const changed = expansions.filter(({ before }) => before.status !== 'absent')
  const single = expansions.filter(({ before }) => before.alternative === null)
  const alternatives = expansions.filter(({ before }) => before.alternative !== null)
  const siblingsOf = groupBy(siblings, matchKey)
  const findings = distinct([
    ...changed.flatMap(({ after, changes }) => changes.map((change) => findingOf(after, change, 'warning'))),
    ...single.flatMap(judgeRelation),
    ...[...groupBy(alternatives, ({ before }) => matchKey(before))].flatMap(([key, match]) =>
      judgeAlternatives(match, siblingsOf.get(key) ?? []),
    ),
  ])
  return verdictOf(
    findings,
    expansions.map(({ after }) => after),
  )
}

/** What follows from findings about these claims. */
export function verdictOf(findings: Finding[], claims: readonly Claim[]): Verdict {
  const breaking = findings.filter(({ severity }) => severity === 'breaking')
  const warnings = findings.filter(({ severity }) => severity === 'warning')
  return {
    verdict: breaking.length > 0 ? 'reject' : 'accept',
    findings,
    report: reportOf(breaking, claims),
    warning: warnings.length === 0 ? null : { message: 'migration accepted, with something to look at', ...toldOf(warnings) },
  }
}

/**
 * Everything of these claims that does not hold now, whoever broke it and whenever.
 *
 * @param isDeclared they are being made: nothing of them may be missing
 */
export function unmetProblems(expansions: readonly Expansion[], isDeclared = false): { claim: Claim; problem: Problem }[] {
  const alternatives = expansions.map(({ after }) => after).filter(({ alternative }) => alternative !== null)
  const met = new Set([...groupBy(alternatives, matchKey).values()].filter((match) => isMatchMet(match, isDeclared)).flat())
  return expansions.flatMap((expansion) => {
    const claim = expansion.after
    const needNotBe = claim.alternative === null ? claim.status === 'absent' : met.has(claim)
    return needNotBe ? [] : blockingProblems(expansion).map((problem) => ({ claim, problem }))
  })
}
