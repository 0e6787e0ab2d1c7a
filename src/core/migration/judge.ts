/**
 * The judgement: claims as they were, claims as they are now, and what follows from the difference.
 *
 * Only what a migration newly broke counts against it: a claim that was met before and is not after.
 * Within a match, alternatives stand in for each other; so do the alternatives of a field.
 */
import { type Claim, type ClaimedField, fieldGroups, fieldKey, isGroupMet, metAlternatives, pathOf } from '../claim/claim.ts'
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

function byMatch<T>(all: readonly T[], claimOf: (each: T) => Claim): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const each of all) {
    const key = matchKey(claimOf(each))
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  return groups
}

/** Was it met before? `problem.field` is the field as it was; a relation that was unmet takes its fields with it. */
function isLost(expansion: Expansion, problem: Problem): boolean {
  return expansion.before.status === 'met' && (problem.field === null || problem.field.status === 'met')
}

function keysOf(group: readonly ClaimedField[]): Set<string> {
  return new Set(group.map(fieldKey))
}

/** The problems that keep the claim from being met, without those of fields that others stand in for. */
function blockingProblems({ after, problems }: Expansion): Problem[] {
  const unmet = keysOf(
    fieldGroups(after)
      .filter((group) => !isGroupMet(group))
      .flat(),
  )
  return problems.filter((problem) => problem.field === null || unmet.has(fieldKey(problem.field)))
}

/** What happened to one relation that has no alternative. */
function judgeRelation(expansion: Expansion): Finding[] {
  const { before, after, problems } = expansion
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

  const fieldsBefore = new Map(before.fields.map((field) => [fieldKey(field), field]))
  for (const group of fieldGroups(after)) {
    const groupBefore = group.map((field) => fieldsBefore.get(fieldKey(field))).filter((field) => field !== undefined)
    const wasMet = before.status === 'met' && groupBefore.some((field) => field.status === 'met')
    const wasUnmet = before.status === 'met' && groupBefore.length > 0 && !isGroupMet(groupBefore)
    const keys = keysOf(group)
    const ofGroup = problems.filter((problem) => problem.field !== null && keys.has(fieldKey(problem.field)))
    const lost = ofGroup.filter((problem) => isLost(expansion, problem))
    if (isGroupMet(group)) add(lost, 'info')
    else if (wasMet) add(lost, 'breaking')
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
    .flatMap((expansion) => {
      const lost = expansion.problems.filter((problem) => isLost(expansion, problem))
      if (!isBroken) return lost.map((problem) => findingOf(expansion.after, problem, 'info'))
      return blockingProblems(expansion).map((problem) =>
        findingOf(expansion.after, problem, lost.includes(problem) ? 'breaking' : 'warning'),
      )
    })
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

/** Two matches may claim the same thing: it is told once. */
export function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}

/**
 * @param expansions every claim that the migration touched
 * @param siblings untouched claims of the same matches, whose alternatives may stand in
 */
export function judge(expansions: readonly Expansion[], siblings: readonly Claim[]): Verdict {
  const all = expansions.filter(({ before }) => before.alternative === null).flatMap(judgeRelation)
  const siblingsByMatch = byMatch(siblings, (claim) => claim)
  const withAlternatives = expansions.filter(({ before }) => before.alternative !== null)
  for (const [key, match] of byMatch(withAlternatives, ({ before }) => before)) {
    all.push(...judgeAlternatives(match, siblingsByMatch.get(key) ?? []))
  }
  const findings = distinct(all)
  const breaking = findings.filter((finding) => finding.severity === 'breaking')
  return { verdict: breaking.length > 0 ? 'reject' : 'accept', findings, report: reportOf(breaking, expansions) }
}

/** Everything of these claims that does not hold now, whoever broke it and whenever. */
export function unmetProblems(expansions: readonly Expansion[]): { expansion: Expansion; problem: Problem }[] {
  const withAlternatives = expansions.map(({ after }) => after).filter((claim) => claim.alternative !== null)
  const isMatchMet = new Map<string, boolean>()
  for (const [key, match] of byMatch(withAlternatives, (claim) => claim)) {
    const mayBeAbsent = match.every((claim) => claim.optional && claim.status === 'absent')
    isMatchMet.set(key, mayBeAbsent || metAlternatives(match).size > 0)
  }
  return expansions.flatMap((expansion) => {
    const { after } = expansion
    const needNotBe = after.alternative === null ? after.status === 'absent' : isMatchMet.get(matchKey(after)) === true
    return needNotBe ? [] : blockingProblems(expansion).map((problem) => ({ expansion, problem }))
  })
}
