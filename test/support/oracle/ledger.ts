/**
 * Who was promised what: for each stakeholder the document that was accepted last, and what it observed since. The oracle's own books;
 * it never asks IntegrateDB what is claimed.
 */
import type { Session } from '../database.ts'
import { attempt, type Outcome, type Use, type UsedColumn, worked } from './attempt.ts'
import { allBehind, type Catalogue, type Column, type Relation, readCatalogue } from './catalogue.ts'
import { type Access, type ChosenPath, type Document, type Field, type Match, readDocument, waysOf } from './document.ts'
import { type Circumstances, excuseFor, isConstraint, isWarned, type Usage } from './excuse.ts'
import { relationsOf } from './privilege.ts'
import { type Flaw, fieldsOf, fillsItself, leastOf, newConstraints, relationFlaws, type World } from './promise.ts'
import { sampleOf } from './value.ts'

/** A relation as it was when all was well, and what the application could do with it. */
interface Observed {
  relation: Relation
  /** What the application's INSERT names: what its document does, or what "*" was when it first saw it. What "*" takes in later it does not know. */
  filled: ReadonlySet<string>
  outcomes: readonly Outcome[]
  /** A partition that was let go, or what an extension owned, and a wildcard takes in: whoever let it go goes on to drop it. */
  mayGo?: true
}

/** One path of a match, with one option of each of its choices: by relation name what was observed. */
interface Claimed {
  match: Match
  path: ChosenPath
  observed: Map<string, Observed>
  /** Of an alternative: what was a matter of opinion once. Whether it still stands in for another, nobody can say. */
  doubts: Flaw[]
}

/** One match: it holds if one of its paths does, with one option of each choice. */
interface Promised {
  paths: Claimed[]
  match: Match
  /** What was wrong with it when it was looked at last, and with each of its ways to hold. */
  flaws: Flaw[]
  flawsOfAll: Flaw[]
}

export interface Holder {
  matches: Match[]
  promised: Promised[]
}

/** In which session may one act as a stakeholder? Its own, or another that takes its role for a while. */
export type ActAs = <T>(stakeholder: string, act: (session: Session) => Promise<T>) => Promise<T>

/** A match, with what is wrong with it. */
export interface Standing {
  stakeholder: string
  match: number
  flaws: Flaw[]
  /** What was wrong already. */
  flawsBefore: Flaw[]
  /** Of every alternative, also where one has none that count. */
  flawsOfAll: Flaw[]
  flawsOfAllBefore: Flaw[]
}

function declarationOf(path: ChosenPath, name: string): Field | undefined {
  if (path.fields === '*') return undefined
  return path.fields.find(({ field }) => field.name === name)?.field
}

const filledBy = (path: ChosenPath, relation: Relation): ReadonlySet<string> =>
  new Set(fieldsOf(path, relation, relation).map(({ field }) => field.name))

/** How an application uses a relation: every column that it knew and that is there, of options those that it chose. */
function useOf({ match, path }: Claimed, catalogue: Catalogue, then: Relation, filled: ReadonlySet<string>, now: Relation): Use {
  const chosen = filledBy(path, then)
  const isThere = ({ name }: Column) => now.columns.some((column) => column.name === name)
  const columns = then.columns
    .filter((column) => isThere(column) && chosen.has(column.name))
    .map((column): UsedColumn => {
      const acceptsNull = !column.isNotNull && declarationOf(path, column.name)?.isNullable == null
      return {
        quoted: column.quoted,
        value: sampleOf(catalogue.types, column.shown, 77),
        acceptsNull,
        mayBeLeftOut: acceptsNull || fillsItself(column),
        isUnique: column.isUnique,
        isInserted: column.isInsertable && then.accepts.insert && filled.has(column.name),
        isInsertedLater: column.isInsertable && then.accepts.insert && !filled.has(column.name),
        isUpdated: column.isUpdatable && then.accepts.update,
      }
    })
  const access = new Set(match.access)
  if (!then.accepts.delete) access.delete('delete')
  return { relation: now.name, access, columns }
}

/** What worked and does not any more, or shows fewer rows. */
function outcomeFlaws(usage: Usage, after: readonly Outcome[]): Flaw[] {
  const { now, behind, why, stakeholder, outcomesThen } = usage
  const relation = now.name
  const isWarnedOf = (code: string): boolean => isWarned(why, code, stakeholder, relation)
  return after.flatMap((outcome): Flaw[] => {
    const then = outcomesThen.find(({ name }) => name === outcome.name)
    const flaw = { code: 'attempt', relation, field: null }
    if (then?.state !== worked) {
      // What never worked is not promised; but an alternative that never worked stands in for nothing. Values that the oracle made up may be
      // why; not where no partition takes a row, because its key is left null. Of a constraint that is NOT VALID rows may show that it refuses.
      const isOfValues =
        isConstraint(outcome) &&
        !outcome.message.startsWith('no partition of relation') &&
        !behind.some(({ constraints }) => constraints.some(({ definition }) => definition.endsWith(' NOT VALID')))
      return outcome.state === worked || isOfValues
        ? []
        : [{ ...flaw, what: `${outcome.name} never worked: ${outcome.state} ${outcome.message}`, sure: false }]
    }
    if (outcome.state === worked) {
      if (outcome.rows >= then.rows || why.rowsChanged) return []
      const what = `${outcome.name}: ${outcome.rows} rows, before ${then.rows}`
      return [{ ...flaw, code: 'IDB403', what, sure: !isWarnedOf('IDB304') && !isWarnedOf('IDB302') }]
    }
    const excuse = excuseFor(usage, then, outcome)
    const what = `${outcome.name}: ${outcome.state} ${outcome.message}`
    return [{ ...flaw, what, sure: excuse === undefined, ...(excuse !== undefined && { excuse }) }]
  })
}

const attemptsAt: Record<Access, RegExp> = { select: /^select/, insert: /^insert/, update: /^(update|rewrite|set null)/, delete: /^delete/ }

/** Everything of this kind that was tried works, and what writes has written. */
function isShown(outcomes: readonly Outcome[], access: Access): boolean {
  const mine = outcomes.filter(({ name }) => attemptsAt[access].test(name))
  return mine.length > 0 && mine.every(({ state, rows }) => state === worked && (access === 'select' || rows > 0))
}

/** A relation that a path claims: as it was observed, as it is, and what is wrong with that. */
interface Examined {
  claimed: Claimed
  name: string
  then: Observed | undefined
  /** As it was tried now. */
  tried?: { use: Use; outcomes: Outcome[] }
  relation: Relation | undefined
  flaws: Flaw[]
}

const keyOf = (use: Use | undefined): string => JSON.stringify(use && { ...use, access: [...use.access] })

async function tryAll(stakeholder: string, uses: readonly Use[], actAs: ActAs): Promise<Outcome[][]> {
  return uses.length === 0 ? [] : await actAs(stakeholder, (session) => attempt(session, uses))
}

function standingOf(
  { match, paths, flaws: flawsBefore, flawsOfAll: flawsOfAllBefore }: Promised,
  examined: readonly Examined[],
): Omit<Standing, 'stakeholder' | 'match'> {
  const ways = paths.map((claimed) => {
    const mine = examined.filter((one) => one.claimed === claimed)
    const isThere = mine.some(({ relation }) => relation !== undefined)
    const flaws = mine.flatMap((one) => one.flaws)
    // Is a table of an optional `schema.*` optional itself? Either way will do.
    if (match.optional && claimed.path.relation === null) {
      for (const flaw of flaws) if (flaw.code === 'IDB101') flaw.sure = false
    }
    if (!isThere && flaws.length === 0) {
      const name = `${claimed.path.schema}.${claimed.path.relation ?? '*'}`
      flaws.push({ code: 'IDB101', relation: name, field: null, what: 'is not there', sure: true })
    }
    return { isThere, flaws: [...flaws, ...claimed.doubts] }
  })
  const isAbsent = match.optional && ways.every(({ isThere }) => !isThere)
  // Of a match that was absent nothing can be lost, also by what appears and does not fit.
  if (paths.every(({ observed }) => observed.size === 0)) for (const flaw of ways.flatMap((way) => way.flaws)) flaw.isNew = true
  const flaws = leastOf(ways.map((way) => way.flaws))
  const flawsOfAll = ways.flatMap((way) => way.flaws)
  const standing = { flawsBefore, flawsOfAll, flawsOfAllBefore }
  if (!isAbsent) return { ...standing, flaws }
  // All of an optional `schema.*` gone at once: what was ever in it should stay, what is optional may go.
  const wasWildcard = paths.some(({ path, observed }) => path.relation === null && observed.size > 0)
  return { ...standing, flaws: wasWildcard ? flaws.map((flaw) => ({ ...flaw, sure: false })) : [] }
}

const keyOfFlaw = ({ code, relation, field, what, sure }: Flaw): string =>
  JSON.stringify([code, relation, field, sure, code === 'attempt' || code === 'IDB403' ? what : null])

function without(flaws: readonly Flaw[], known: readonly Flaw[]): Flaw[] {
  const keys = new Set(known.map(keyOfFlaw))
  return flaws.filter((flaw) => !keys.has(keyOfFlaw(flaw)))
}

/** What went wrong with a match in this step. What is wrong already protects no more, so that beside it nothing is sure. */
export function newFlaws({ flaws, flawsBefore }: Standing): Flaw[] {
  const wasWell = flawsBefore.every(({ sure }) => !sure)
  // What appeared with a flaw has it still when it is known better.
  const known = flawsBefore.flatMap((flaw) => (flaw.isNew ? [flaw, { ...flaw, sure: true }] : [flaw]))
  return without(flaws, known).map((flaw) => ({ ...flaw, sure: flaw.sure && wasWell && !flaw.isNew }))
}

/** What may justify to reject this step: which alternative was held to be well before is a matter of opinion where none is flawless. */
export function reasonsOf({ flaws, flawsOfAll, flawsOfAllBefore }: Standing): Flaw[] {
  return flaws.length === 0 ? [] : without(flawsOfAll, flawsOfAllBefore)
}

export class Ledger {
  readonly holders = new Map<string, Holder>()
  private catalogue: Catalogue | undefined

  /** What the database looked like when it was looked at last. */
  get last(): Catalogue {
    if (this.catalogue === undefined) throw new Error('look() first')
    return this.catalogue
  }

  async look(session: Session): Promise<Catalogue> {
    this.catalogue = await readCatalogue(session)
    return this.catalogue
  }

  /** A document was accepted. */
  declare(stakeholder: string, document: Document): void {
    const matches = readDocument(document)
    const promised = matches.map((match) => ({
      match,
      paths: match.paths.flatMap(waysOf).map((path) => ({ match, path, observed: new Map<string, Observed>(), doubts: [] })),
      flaws: [],
      flawsOfAll: [],
    }))
    this.holders.set(stakeholder, { matches, promised })
  }

  forget(stakeholder: string): void {
    this.holders.delete(stakeholder)
  }

  /** Each relation that somebody claims, for an application that knows what was observed of it. */
  private async examine(stakeholder: string, holder: Holder, now: Catalogue, actAs: ActAs, why: Circumstances): Promise<Examined[]> {
    const before: World = { catalogue: this.last, stakeholder }
    const after: World = { catalogue: now, stakeholder }
    const examined = holder.promised.flatMap((promised) =>
      promised.paths.flatMap((claimed) => {
        const names = new Set([...claimed.observed.keys(), ...relationsOf(now, claimed.path).map(({ name }) => name)])
        return [...names].map((name): Examined => {
          const then = claimed.observed.get(name)
          const relation = now.relations.get(name)
          const flaws = relationFlaws(claimed.match, claimed.path, name, then?.relation, then?.filled ?? new Set(), relation, before, after)
          // Of what a wildcard took in and nothing of which ever worked, or what it was never allowed to read and should be, nothing can be lost.
          const isUseless =
            claimed.path.relation === null &&
            then !== undefined &&
            then.relation.columns.length > 0 &&
            (then.outcomes.every(({ state }) => state !== worked) ||
              then.outcomes.some(({ name, state }) => name === 'select' && state === '42501'))
          // While another alternative holds, a table may go from `schema.*`; then the other is judged without it.
          const mayGoFirst = why.isRace === true && claimed.path.relation === null && promised.paths.length > 1
          if (isUseless || (relation === undefined && (then?.mayGo || mayGoFirst))) for (const flaw of flaws) flaw.sure = false
          if (relation !== undefined && then === undefined) for (const flaw of flaws) flaw.isNew = true
          return { claimed, name, then, relation, flaws }
        })
      }),
    )
    const used = examined.flatMap((one) => {
      const { claimed, relation } = one
      // What is new need not work; but what does not is nothing that could stand in for something.
      const isStandIn = holder.promised.some(({ paths }) => paths.length > 1 && paths.includes(claimed))
      const appeared = relation && isStandIn ? { relation, filled: filledBy(claimed.path, relation), outcomes: [] } : undefined
      const then = one.then ?? appeared
      return then === undefined || relation === undefined ? [] : [{ ...one, one, then, relation }]
    })
    const uses = used.map(({ claimed, then, relation }) => useOf(claimed, this.last, then.relation, then.filled, relation))
    const outcomes = await tryAll(stakeholder, uses, actAs)
    for (const [at, { one, claimed, then, relation, name, flaws }] of used.entries()) {
      const use = uses[at] as Use
      one.tried = { use, outcomes: outcomes[at] ?? [] }
      const behind = allBehind(now, name)
      const isOfWildcard = claimed.path.relation === null
      const { outcomes: tried } = one.tried
      one.flaws = flaws.filter(({ shownBy }) => !shownBy?.every((access) => isShown(tried, access)))
      // Nor of what it could never write: at all, or, where it is still updated, insert.
      const never = (...acts: Access[]): boolean =>
        then.outcomes.every(({ name: what, state }) => state !== worked || acts.every((act) => !attemptsAt[act].test(what)))
      const isUpdated = ({ columns }: Relation, field: string | null): boolean =>
        columns.some((column) => column.name === field && column.isUpdatable)
      if (isOfWildcard) {
        for (const flaw of one.flaws) {
          const isOfInserts = never('insert') && isUpdated(then.relation, flaw.field) === isUpdated(relation, flaw.field)
          if (flaw.code === 'IDB213' && (never('insert', 'update', 'delete') || isOfInserts)) flaw.sure = false
        }
      }
      const { relation: relationThen, outcomes: outcomesThen, filled } = then
      const usage = { stakeholder, use, filled, isOfWildcard, relationThen, outcomesThen, now: relation, behind, catalogue: now, why }
      one.flaws.push(...outcomeFlaws(usage, tried))
      if (isWarned(why, 'IDB302', stakeholder, name) || (isOfWildcard && never('insert', 'update', 'delete'))) continue
      for (const { definition } of newConstraints(claimed.match.access, claimed.path, then.relation, relation, this.last)) {
        one.flaws.push({ code: 'IDB302', relation: name, field: null, what: `${definition} was added without a warning`, sure: true })
      }
    }
    return examined
  }

  /** What an application could do when it was tried last, in words: what never worked is not promised, but some of it should have. */
  *outcomes(): Iterable<Outcome & { stakeholder: string; relation: Relation; isStandIn: boolean; isOfWildcard: boolean }> {
    for (const [stakeholder, { promised }] of this.holders) {
      for (const { paths } of promised) {
        for (const { path, observed } of paths) {
          for (const { relation, outcomes } of observed.values()) {
            for (const outcome of outcomes)
              yield { ...outcome, stakeholder, relation, isStandIn: paths.length > 1, isOfWildcard: path.relation === null }
          }
        }
      }
    }
  }

  /** What is wrong in the world `now` with each match. */
  async standings(now: Catalogue, actAs: ActAs, why: Circumstances): Promise<Standing[]> {
    const standings: Standing[] = []
    for (const [stakeholder, holder] of this.holders) {
      const examined = await this.examine(stakeholder, holder, now, actAs, why)
      standings.push(...holder.promised.map((promised, match) => ({ stakeholder, match, ...standingOf(promised, examined) })))
    }
    return standings
  }

  /** After what was accepted: what holds is observed anew, what does not hold keeps what it expects. */
  async observe(now: Catalogue, actAs: ActAs, why: Circumstances): Promise<Standing[]> {
    const standings: Standing[] = []
    for (const [stakeholder, holder] of this.holders) {
      const examined = await this.examine(stakeholder, holder, now, actAs, why)
      for (const [match, promised] of holder.promised.entries()) {
        const standing = standingOf(promised, examined)
        standings.push({ stakeholder, match, ...standing })
        promised.flaws = standing.flaws
        promised.flawsOfAll = standing.flawsOfAll
        if (standing.flaws.some(({ sure }) => sure)) continue
        if (promised.paths.length > 1) {
          for (const claimed of promised.paths) {
            const flaws = examined.filter((one) => one.claimed === claimed).flatMap((one) => one.flaws)
            claimed.doubts.push(...without(flaws, claimed.doubts).map((flaw) => ({ ...flaw, sure: false })))
          }
        }
        // What may be gone and is gone is no part of it any more, and what takes its name is another.
        for (const { path, observed } of promised.paths) {
          for (const name of observed.keys()) {
            if (now.relations.has(name)) continue
            observed.delete(name)
            // If that was forgiven of a `schema.*`, and no other alternative holds, nobody can say what is left of the promise.
            if (path.relation === null && promised.paths.length > 1)
              promised.flaws = standing.flaws.map((flaw) => ({ ...flaw, sure: true }))
          }
        }
      }
      const seen = examined.flatMap(({ claimed, relation, then, tried, flaws }) => {
        if (relation === undefined || flaws.some(({ sure }) => sure)) return []
        const filled = then?.filled ?? filledBy(claimed.path, relation)
        const use = useOf(claimed, now, relation, filled, relation)
        // Nothing changed that an application would notice: nor would another try.
        const known = keyOf(use) === keyOf(tried?.use) ? tried?.outcomes : undefined
        const last = this.last.relations.get(relation.name)
        const isLetGo = claimed.path.relation === null && then === undefined && (last?.isPartition || last?.isOfExtension)
        return [{ claimed, relation, filled, use, known, ...((isLetGo || then?.mayGo) && { mayGo: true as const }) }]
      })
      const untried = seen.filter(({ known }) => known === undefined)
      const outcomes = await tryAll(
        stakeholder,
        untried.map(({ use }) => use),
        actAs,
      )
      for (const one of seen) {
        const { claimed, relation, filled, known, mayGo } = one
        claimed.observed.set(relation.name, {
          relation,
          filled,
          outcomes: known ?? outcomes[untried.indexOf(one)] ?? [],
          ...(mayGo && { mayGo }),
        })
      }
    }
    this.catalogue = now
    return standings
  }
}
