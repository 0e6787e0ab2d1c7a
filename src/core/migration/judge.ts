/**
 * The judgement: claims as they were, claims as they are now, and what follows from the difference.
 *
 * Only what a migration newly broke counts against it: a claim that was met before and is not after.
 * Within a match, alternatives stand in for each other; so do the alternatives of a field.
 */
import { type Claim, fieldGroups, isGroupMet, metAlternatives, pathOf } from '../claim/claim.ts'
import type { Expansion, Problem } from '../claim/expand.ts'
import { count, type Failure, lines } from '../errors.ts'
import { type Finding, findingLine } from './finding.ts'
import { hintFor } from './hint.ts'

export interface Verdict {
  verdict: 'accept' | 'reject'
  findings: Finding[]
  /** What to raise for a rejection, with the fields of a constraint violation. */
  report: (Failure & { constraint: string; schema: string; table: string; column: string | null }) | null
}

export function findingOf(claim: Claim, problem: Problem, severity: Finding['severity']): Finding {
  const subject = {
    stakeholder: claim.stakeholder,
    path: pathOf(claim),
    field: problem.field?.name ?? null,
    expected: problem.expected,
  }
  const { code, actual, message } = problem
  return { code, severity, ...subject, actual, message, hint: hintFor(code, subject) }
}

function matchKey(claim: Claim): string {
  return JSON.stringify([claim.stakeholder, claim.match])
}

/** What happened to one relation that has no alternative. */
function judgeRelation({ before, after, problems }: Expansion): Finding[] {
  const findings: Finding[] = []
  const add = (those: readonly Problem[], severity: Finding['severity']): void => {
    for (const problem of those) findings.push(findingOf(after, problem, severity))
  }

  const ofRelation = problems.filter((problem) => problem.field === null)
  if (after.status === 'absent') {
    if (before.status === 'met') add(ofRelation, 'info')
    return findings
  }
  if (after.status === 'unmet') {
    if (before.status === 'met') add(ofRelation, 'breaking')
    else if (before.status === 'absent') add(ofRelation, 'warning')
    return findings
  }

  const fieldsBefore = new Map(before.fields.map((field) => [JSON.stringify([field.field, field.alternative, field.name]), field]))
  for (const group of fieldGroups(after)) {
    const groupBefore = group.flatMap((field) => {
      const found = fieldsBefore.get(JSON.stringify([field.field, field.alternative, field.name]))
      return found === undefined ? [] : [found]
    })
    const wasMet = groupBefore.some((field) => field.status === 'met')
    const wasUnmet = groupBefore.some((field) => field.status === 'unmet') && !wasMet
    const lost = (problem: Problem): boolean => groupBefore.some((field) => field.name === problem.field?.name && field.status === 'met')
    const ofGroup = problems.filter((problem) => problem.field !== null && group.some((field) => field.name === problem.field?.name))
    if (isGroupMet(group)) add(ofGroup.filter(lost), 'info')
    else if (wasMet) add(ofGroup.filter(lost), 'breaking')
    else if (!wasUnmet) add(ofGroup, 'warning')
  }
  return findings
}

/** What happened to a match whose alternatives stand in for each other. */
function judgeAlternatives(expansions: readonly Expansion[], siblings: readonly Claim[]): Finding[] {
  const metBefore = metAlternatives([...expansions.map(({ before }) => before), ...siblings])
  const after = [...expansions.map((expansion) => expansion.after), ...siblings]
  const mayBeAbsent = after.every((claim) => claim.optional && claim.status === 'absent')
  const isBroken = metBefore.size > 0 && metAlternatives(after).size === 0 && !mayBeAbsent
  return expansions
    .filter(({ before }) => before.alternative !== null && metBefore.has(before.alternative))
    .flatMap((expansion) =>
      expansion.problems
        .filter(
          (problem) =>
            !(problem.field?.optional && expansion.after.fields.some((f) => f.name === problem.field?.name && f.status === 'absent')),
        )
        .map((problem) => findingOf(expansion.after, problem, isBroken ? 'breaking' : 'info')),
    )
}

function reportOf(breaking: readonly Finding[], expansions: readonly Expansion[]): Verdict['report'] {
  const first = breaking[0]
  if (first === undefined) return null
  const claim = expansions.map(({ after }) => after).find((each) => each.stakeholder === first.stakeholder && pathOf(each) === first.path)
  const stakeholders = new Set(breaking.map((finding) => finding.stakeholder)).size
  const claims = new Set(breaking.map((finding) => JSON.stringify([finding.stakeholder, finding.path, finding.field]))).size
  const hints = [...new Set(breaking.map((finding) => finding.hint))]
  return {
    code: 'IDB01',
    message: `migration breaks ${count(claims, 'claim')} of ${count(stakeholders, 'stakeholder')}`,
    detail: lines(breaking.map(findingLine)),
    hint: lines(hints.slice(0, 3)),
    constraint: 'claims_hold',
    schema: claim?.schema_name ?? '',
    table: claim?.relation_name ?? '',
    column: first.field,
  }
}

/**
 * @param expansions every claim that the migration touched
 * @param siblings untouched claims of the same matches, whose alternatives may stand in
 */
export function judge(expansions: readonly Expansion[], siblings: readonly Claim[]): Verdict {
  const findings: Finding[] = []
  const withAlternatives = new Map<string, Expansion[]>()
  for (const expansion of expansions) {
    if (expansion.before.alternative === null) findings.push(...judgeRelation(expansion))
    else {
      const key = matchKey(expansion.before)
      const match = withAlternatives.get(key)
      if (match === undefined) withAlternatives.set(key, [expansion])
      else match.push(expansion)
    }
  }
  for (const [key, match] of withAlternatives) {
    findings.push(
      ...judgeAlternatives(
        match,
        siblings.filter((claim) => matchKey(claim) === key),
      ),
    )
  }
  const breaking = findings.filter((finding) => finding.severity === 'breaking')
  return { verdict: breaking.length > 0 ? 'reject' : 'accept', findings, report: reportOf(breaking, expansions) }
}

/** Everything of these claims that does not hold now, whoever broke it and whenever. */
export function unmetProblems(expansions: readonly Expansion[]): { expansion: Expansion; problem: Problem }[] {
  const metByMatch = new Map<string, boolean>()
  for (const { after } of expansions) {
    if (after.alternative === null || metByMatch.has(matchKey(after))) continue
    const match = expansions.map((expansion) => expansion.after).filter((claim) => matchKey(claim) === matchKey(after))
    const mayBeAbsent = match.every((claim) => claim.optional && claim.status === 'absent')
    metByMatch.set(matchKey(after), mayBeAbsent || metAlternatives(match).size > 0)
  }
  return expansions.flatMap((expansion) => {
    const { after } = expansion
    if (after.alternative !== null && metByMatch.get(matchKey(after))) return []
    if (after.status === 'absent' && after.alternative === null) return []
    const unmet = new Set(
      fieldGroups(after)
        .filter((group) => !isGroupMet(group))
        .flat()
        .map((field) => field.name),
    )
    return expansion.problems
      .filter((problem) => problem.field === null || unmet.has(problem.field.name))
      .map((problem) => ({ expansion, problem }))
  })
}
