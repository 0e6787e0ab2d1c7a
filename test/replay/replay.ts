/**
 * The run with IntegrateDB: claims on everything, and each verdict against the oracle (test/support/oracle.ts), which has the last word on
 * what stakeholders can do. Here: who claims what when, how a project gets on after a rejection, and what the oracle leaves open, which is
 * whether the warnings of unique indexes, triggers and lost uniqueness were given.
 */
import pg from 'pg'
import { expect } from 'vitest'
import type { Session, TestDatabase } from '../support/database.ts'
import { worked } from '../support/oracle/attempt.ts'
import { type Catalogue, type Relation, readCatalogue } from '../support/oracle/catalogue.ts'
import type { Circumstances } from '../support/oracle/excuse.ts'
import { untruth } from '../support/oracle/finding.ts'
import { type ActAs, Ledger, newFlaws, type Standing } from '../support/oracle/ledger.ts'
import { wrongPrivileges } from '../support/oracle/privilege.ts'
import type { Flaw } from '../support/oracle/promise.ts'
import { expectClaimsToHold, stateOf } from '../support/oracle.ts'
import { type Claims, claimsOf, documentOf, type Finding, giveUp, STAKEHOLDERS, type Stakeholder, withoutPaths } from './document.ts'
import { type Guard, readGuards } from './guard.ts'
import { changesRows, type MigrationFile } from './history.ts'
import { connectToLook, reset, type Step } from './rehearsal.ts'

export interface Event {
  kind: 'accepted' | 'rejected' | 'sync' | 'breaking' | 'warning' | 'disagreement' | 'known limit' | 'note'
  at: number
  file: string
  text?: string
  finding?: Finding
  milliseconds?: number
  tried?: number
}

/** After how many files do the sessions that use the engine end? */
const RENEW = Number(process.env['REPLAY_RENEW'] || 20)

/** After how many files, those that were rejected apart, is everything expanded anew? It takes as long as all else. */
const SYNC = Number(process.env['REPLAY_SYNC'] || 5)

const UNKNOWN: Circumstances = { rowsChanged: true, warnings: [] }

export class Replay {
  readonly events: Event[] = []
  private readonly database: TestDatabase
  private readonly files: readonly MigrationFile[]
  private readonly plan: readonly Step[]
  private at = 0
  private migrator!: Session
  /** Who declares claims: a new session now and then, as pljs keeps every string that it was ever given. */
  private admin!: Session
  /** The oracle's, which never meets the engine. */
  private eyes!: Session
  private readonly ledger = new Ledger()
  private guards: Guard[] = []
  /** Who has a claim that broke. It protects no more, and the next file shall find all claims well. */
  private readonly unwell = new Set<string>()
  private readonly stakeholders: Stakeholder[] = []
  private readonly logins = new Map<string, Session>()
  private readonly claims = new Map<string, Claims>()
  private readonly documents = new Map<string, string>()
  /** The last migration whose findings were read. */
  private lastMigration = 0

  constructor(database: TestDatabase, files: readonly MigrationFile[], plan: readonly Step[]) {
    this.database = database
    this.files = files
    this.plan = plan
  }

  async run(): Promise<void> {
    // Types are spelled with their schemas, as IntegrateDB does.
    await this.database.rows("set search_path = pg_catalog; set lock_timeout = '30s'")
    this.eyes = await connectToLook(this.database)
    this.migrator = await this.database.connect()
    const wanted = process.env['REPLAY_STAKEHOLDERS']?.split(',')
    for (const name of STAKEHOLDERS) {
      if (wanted !== undefined && !wanted.includes(name)) continue
      await this.database.value('select integratedb.add_stakeholder($1)', [name])
      const login = await this.database.connect(name)
      await login.rows("set lock_timeout = '30s'")
      this.logins.set(name, login)
      this.stakeholders.push(name)
    }
    await this.ledger.look(this.eyes)
    for (const [at, step] of this.plan.entries()) {
      this.at = at
      if (at % RENEW === 0) await this.renew()
      if (step.mode === 'skip') continue
      for (const sql of step.clear) await this.database.rows(sql)
      if (step.clear.length > 0) await this.prepare(true)
      await this.migrate(step)
      await reset(this.migrator)
      for (const sql of step.seeds) await this.seed(sql)
      await this.prepare(step.seeds.length > 0)
      if (at % 20 === 19) console.log(`… ${at + 1} of ${this.plan.length} files`)
    }
  }

  private async renew(): Promise<void> {
    await this.admin?.end()
    this.admin = await this.database.connect()
    await this.migrator?.end()
    this.migrator = await this.database.connect()
    for (const session of [this.admin, this.migrator]) await session.rows("set lock_timeout = '30s'")
    await this.admin.rows('set search_path = pg_catalog')
  }

  private tell(kind: Event['kind'], more: Partial<Event>): void {
    this.events.push({ kind, at: this.at, file: this.files[this.at]?.name ?? '', ...more })
    if (kind === 'disagreement') console.log(`disagreement ${this.files[this.at]?.name}: ${more.text}`)
  }

  private async seed(sql: string): Promise<void> {
    await this.migrator.rows(sql).catch((error) => this.tell('note', { text: `a made-up row fails here only: ${error.message}: ${sql}` }))
  }

  private asStakeholder: ActAs = async (stakeholder, act) => await act(this.logins.get(stakeholder) as Session)

  /** Everybody claims what is there now, and what they can do is known before the next migration. */
  private async prepare(hasOtherRows: boolean): Promise<void> {
    const changed: string[] = []
    for (const name of this.stakeholders) {
      const result = await this.declare(claimsOf(name, this.ledger.last))
      if (result === 'changed') changed.push(name)
    }
    for (const name of this.unwell) this.ledger.declare(name, JSON.parse(this.documents.get(name) as string))
    const isUnwell = this.unwell.size > 0
    this.unwell.clear()
    if (changed.length === 0 && !isUnwell && !hasOtherRows) return
    await this.observe(UNKNOWN)
    for (const { stakeholder, relation, name, state, message } of this.ledger.outcomes()) {
      if (state === worked || !changed.includes(stakeholder) || relation.kind === 'v' || relation.kind === 'm') continue
      if (name !== 'select' && !(state === '42501' && message.startsWith('permission denied'))) continue
      if (isInsideTrigger(relation, message)) continue
      this.tell('disagreement', { text: `what is claimed cannot be done: ${stakeholder} ${relation.name} ${name}: ${state} ${message}` })
    }
  }

  private async declare(claims: Claims, ifRefused: 'disagreement' | 'note' = 'disagreement'): Promise<'changed' | 'same' | 'refused'> {
    const { stakeholder } = claims
    const document = documentOf(claims)
    const text = JSON.stringify(document)
    if (this.documents.get(stakeholder) === text) {
      this.claims.set(stakeholder, claims)
      return 'same'
    }
    try {
      if (claims.paths.size === 0) await this.admin.value('select integratedb.remove_claims($1)', [stakeholder])
      else await this.admin.rows('select integratedb.set_claims($1, $2)', [stakeholder, text])
    } catch (error) {
      const { code, message, detail } = error as pg.DatabaseError
      this.tell(ifRefused, {
        text: `set_claims of ${stakeholder} refused: ${code} ${message}: ${detail?.split('\n').slice(0, 3).join(' / ')}`,
      })
      return 'refused'
    }
    this.documents.set(stakeholder, text)
    this.claims.set(stakeholder, claims)
    this.ledger.declare(stakeholder, document)
    return 'changed'
  }

  private async migrate(step: Step): Promise<void> {
    const { statements } = this.files[this.at] as MigrationFile
    const rowsChanged = statements.some(changesRows)
    let from = 0
    let overridden = false
    for (let attempt = 0; ; attempt++) {
      const start = performance.now()
      const rejection = await this.attempt(step, from)
      const milliseconds = performance.now() - start
      if (rejection === null) {
        this.tell('accepted', attempt === 0 ? { milliseconds } : {})
        break
      }
      if (rejection.error.code !== 'IDB01') {
        const { code, message, detail, where } = rejection.error
        this.tell('disagreement', { text: `fails only with IntegrateDB: ${code} ${message} ${detail ?? ''} ${where ?? ''}` })
        overridden = await this.pass(step, rejection.at)
        break
      }
      if (attempt === 0) this.tell('rejected', {})
      // The statements before it stay.
      if (rejection.at > from) await this.judgeAccepted(rowsChanged, false)
      from = rejection.at
      if (attempt > 2) {
        this.tell('disagreement', { text: `still rejected after giving up: ${rejection.error.detail?.split('\n')[0]}` })
        await this.database.value("select integratedb.set_enforcement('warn')")
        overridden = true
        await this.attempt(step, from)
        await this.database.value("select integratedb.set_enforcement('enforce')")
        break
      }
      await this.investigate(step, from, rejection.error, attempt > 0, rowsChanged)
    }
    await this.judgeAccepted(rowsChanged, overridden)
  }

  /** Without IntegrateDB, so that the history goes on. */
  private async pass(step: Step, from: number): Promise<true> {
    await this.migrator.rows('set event_triggers = off')
    const failure = await this.attempt(step, from)
    if (failure !== null) this.tell('note', { text: `does not even run with event triggers off: ${failure.error.message}` })
    await reset(this.migrator)
    await this.database
      .rows('select * from integratedb.sync()')
      .catch((error) => this.tell('disagreement', { text: `sync: ${error.message}` }))
    return true
  }

  /** null: it went through. Else at which statement it was rejected; what came before that stays, if it runs statement by statement. */
  private async attempt(step: Step, from: number): Promise<{ at: number; error: pg.DatabaseError } | null> {
    const file = this.files[this.at] as MigrationFile
    let at = from
    try {
      if (step.mode === 'transaction') {
        await this.migrator.rows('begin')
        if (file.text !== '') await this.migrator.rows(file.text)
        await this.migrator.rows('commit')
      } else {
        for (; at < file.statements.length; at++) {
          if (!step.failing.includes(at)) await this.migrator.rows(file.statements[at] as string)
          else await this.migrator.rows(file.statements[at] as string).catch(() => {})
        }
      }
      return null
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error
      await this.migrator.rows('rollback')
      return { at, error }
    }
  }

  /** Rejected: rightly? Let it through in a transaction that is rolled back, and look. Then whoever breaks gives that up. */
  private async investigate(step: Step, from: number, error: pg.DatabaseError, isRepeated: boolean, rowsChanged: boolean): Promise<void> {
    const file = this.files[this.at] as MigrationFile
    const before = this.ledger.last
    const session = await this.database.connect()
    const text = step.mode === 'transaction' ? file.text : (file.statements[from] as string)
    const findings: Finding[] = []
    let after = before
    try {
      await session.rows("begin; select integratedb.set_enforcement('warn')")
      await session.rows(text)
      await reset(session)
      await session.rows('select integratedb.validate_migration(); set local search_path = pg_catalog')
      const all = await this.findingsSince(session)
      findings.push(...all.filter(({ severity }) => severity === 'breaking'))
      after = await readCatalogue(session)
      for (const finding of findings) this.tell('breaking', { finding })
      if (isRepeated) this.tell('note', { text: `rejected again after giving up: ${findings.map(lineOf).join('; ').slice(0, 400)}` })
      const told = (error.detail ?? '').split('\n').filter((line) => line.startsWith('IDB'))
      if (told.length < Math.min(20, findings.length))
        this.tell('disagreement', { text: `${told.length} lines of DETAIL, ${findings.length} findings` })
      // With a search path of its own, which triggers run with too.
      const inTransaction: ActAs = async (stakeholder, act) => {
        await session.rows(`set local role ${stakeholder}; set local search_path to default`)
        const result = await act(session)
        await session.rows('reset role; set local search_path = pg_catalog')
        return result
      }
      const warnings = all.filter(({ severity }) => severity !== 'breaking').map(lineOf)
      this.verify(findings, await this.ledger.standings(after, inTransaction, { rowsChanged, warnings }), after)
    } catch (failure) {
      if (!(failure instanceof pg.DatabaseError)) throw failure
      this.tell('note', { text: `rejected, and it cannot be tried with 'warn': ${failure.message}` })
      findings.push(...(error.detail ?? '').split('\n').flatMap(parseLine))
    }
    await session.rows('rollback')
    await session.end()
    for (const name of this.stakeholders) {
      const some = findings.filter(({ stakeholder }) => stakeholder === name)
      const claims = this.claims.get(name)
      if (some.length === 0 || claims === undefined) continue
      const fewer = isRepeated ? withoutPaths(claims, some) : giveUp(claims, some, before, after)
      if ((await this.declare(fewer, 'note')) === 'refused') await this.declare(withoutPaths(claims, some))
    }
    await this.observe(UNKNOWN)
  }

  private async findingsSince(session: Session): Promise<Finding[]> {
    const rows = await session.rows<{ findings: Finding[] | null }>(
      'select findings from integratedb.migration where id > $1 order by id',
      [this.lastMigration],
    )
    return rows.flatMap(({ findings }) => findings ?? [])
  }

  /** Is each line of the rejection so, and is everything told? */
  private verify(findings: readonly Finding[], standings: readonly Standing[], after: Catalogue): void {
    for (const name of this.stakeholders) {
      const mine = standings.filter(({ stakeholder }) => stakeholder === name)
      const broken = mine.flatMap(newFlaws)
      const all = mine.flatMap(({ flawsOfAll }) => flawsOfAll)
      const told = findings.filter(({ stakeholder }) => stakeholder === name)
      for (const finding of told) {
        const { code, path, field } = finding
        const of = (flaws: readonly Flaw[]) => flaws.filter(({ relation }) => relation === path)
        const text = lineOf(finding)
        const lie = untruth({ code, stakeholder: name, relation: path, field, text }, this.ledger.last, after, all)
        if (lie !== null) this.tell('disagreement', { text: `rejected, and this is not so (${lie}): ${text}` })
        else if (of(broken).length === 0) this.tell('disagreement', { text: `rejected without a reason: ${text}` })
        else if (/^IDB(20[345]|30[13])$/.test(code) && !of(all).some((flaw) => flaw.field === field && isAlike(flaw.code, code)))
          this.tell('disagreement', { text: `rejected, and the oracle sees no such change: ${text}` })
        else if (/^IDB21[124]$/.test(code) && !of(all).some((flaw) => flaw.code === 'attempt')) {
          if (!this.isInsertTried(name, path, after)) continue
          // What a trigger does inside is not seen (docs/limits.md): it may fill what is not given, or is null.
          const isFilled = after.relations
            .get(path)
            ?.triggers.some((trigger) => / BEFORE [^(]*\bINSERT\b.* FOR EACH ROW .*[^D]$/.test(trigger))
          if (isFilled) this.tell('known limit', { text: `writing works as it did, by a BEFORE INSERT trigger: ${text}` })
          else this.tell('disagreement', { text: `rejected, and writing works as it did: ${text}` })
        }
      }
      const untold = broken.filter(
        (flaw) =>
          !told.some(({ path, field }) => path === flaw.relation && (!field || !flaw.field || field === flaw.field)) &&
          !this.isStoodInFor(name, flaw, broken),
      )
      this.blame('rejected, and this is not told', name, untold, after)
    }
  }

  /** Where no INSERT ever worked, or no column is left to insert, what else would refuse one cannot be tried. */
  private isInsertTried(stakeholder: string, path: string, after: Catalogue): boolean {
    const names =
      this.claims
        .get(stakeholder)
        ?.paths.get(path)
        ?.fields.map(({ name }) => name) ?? []
    const isLeft = after.relations.get(path)?.columns.some(({ name, isInsertable }) => isInsertable && names.includes(name)) ?? false
    const outcomes = [...this.ledger.outcomes()].filter((one) => one.stakeholder === stakeholder && one.relation.name === path)
    return isLeft && outcomes.some(({ name, state }) => name.startsWith('insert') && state === worked)
  }

  /** Of what is broken for sure, what nothing explains: once for all that was tried on a relation and failed the same way. */
  private blame(what: string, stakeholder: string, flaws: readonly Flaw[], after: Catalogue): void {
    const disagreements = new Map<string, { flaw: Flaw; count: number }>()
    for (const flaw of flaws) {
      if (!flaw.sure || this.isValueOfOtherType(stakeholder, flaw) || this.isAllGone(stakeholder, flaw, after)) continue
      const key = JSON.stringify([flaw.relation, flaw.field, flaw.code, flaw.what.replace(/^.*?: /, '')])
      const { count } = disagreements.get(key) ?? { count: 0 }
      disagreements.set(key, { flaw, count: count + 1 })
    }
    for (const { flaw, count } of disagreements.values()) {
      const text = `${what}: ${stakeholder} ${textOf(flaw)}${count > 1 ? ` (${count} ways of use)` : ''}`
      if (flaw.code === 'attempt' && isInsideTrigger(after.relations.get(flaw.relation), flaw.what))
        this.tell('known limit', { text: `inside a trigger's function: ${text}` })
      else this.tell('disagreement', { text })
    }
  }

  /** Two types are claimed: a value of the other one will do. */
  private isValueOfOtherType(stakeholder: string, { code, relation, what }: Flaw): boolean {
    const fields = this.claims.get(stakeholder)?.paths.get(relation)?.fields ?? []
    return code === 'attempt' && /: (22...|42804) /.test(what) && fields.some(({ type }) => Array.isArray(type))
  }

  /** Another column may take its place, and nothing is wrong with that: what else is wrong is told of. */
  private isStoodInFor(stakeholder: string, { relation, field }: Flaw, broken: readonly Flaw[]): boolean {
    const alternatives = this.claims.get(stakeholder)?.paths.get(relation)?.alternatives ?? []
    const isWell = (name: string) => !broken.some((flaw) => flaw.relation === relation && flaw.field === name)
    return field !== null && alternatives.some((names) => names.includes(field) && names.some(isWell))
  }

  /** Of columns that are all optional none is left: then there is nothing to write, which is as good as there being none. */
  private isAllGone(stakeholder: string, { code, relation, field }: Flaw, after: Catalogue): boolean {
    const claim = this.claims.get(stakeholder)?.paths.get(relation)
    const columns = after.relations.get(relation)?.columns ?? []
    if (code !== 'IDB213' || field !== null || claim === undefined || claim.all || claim.alternatives.length > 0) return false
    return claim.fields.every(({ name, optional }) => optional && !columns.some((column) => column.name === name))
  }

  /** What is in the database now is what counts from now on. Answers what broke on the way. */
  private async observe(why: Circumstances, report = true): Promise<Standing[]> {
    const standings = await this.ledger.observe(await readCatalogue(this.eyes), this.asStakeholder, why)
    this.guards = await readGuards(this.eyes)
    for (const standing of standings) {
      if (report) this.blame('accepted, but this breaks', standing.stakeholder, newFlaws(standing), this.ledger.last)
      if (standing.flaws.some(({ sure }) => sure)) this.unwell.add(standing.stakeholder)
    }
    return standings
  }

  private async judgeAccepted(rowsChanged: boolean, overridden: boolean): Promise<void> {
    const findings = (await this.findingsSince(this.database)).filter(({ severity }) => severity !== 'breaking')
    this.lastMigration = await this.database.value<number>('select coalesce(max(id), 0) from integratedb.migration')
    for (const finding of findings) this.tell('warning', { finding })
    // Some are told and not recorded.
    const told = this.migrator.notices
      .splice(0)
      .flatMap(({ message, detail }) => `${message}\n${detail ?? ''}`.split('\n').flatMap(parseLine))
    const warned = [...findings, ...told]
    const guards = this.guards
    const standings = await this.observe({ rowsChanged, warnings: warned.map(lineOf) }, !overridden)
    const accepted = this.events.findLast(({ kind, at }) => kind === 'accepted' && at === this.at)
    if (accepted !== undefined) accepted.tried = [...this.ledger.outcomes()].length
    if (overridden) return
    const isWarned = (code: string, stakeholder: string, path: string, field?: string | null): boolean =>
      warned.some((one) => one.code === code && one.stakeholder === stakeholder && one.path === path && (!field || one.field === field))
    for (const standing of standings) {
      for (const { code, relation, field } of newFlaws(standing)) {
        const isTable = !/[vm]/.test(this.ledger.last.relations.get(relation)?.kind ?? 'v')
        if (code === 'IDB301' && isTable && !isWarned(code, standing.stakeholder, relation, field))
          this.tell('disagreement', {
            text: `accepted without a warning: ${standing.stakeholder} has lost uniqueness of ${relation}.${field}`,
          })
      }
    }
    for (const claims of this.claims.values()) {
      for (const { relation, definition } of this.newGuards(claims, guards)) {
        if (!isWarned('IDB302', claims.stakeholder, relation))
          this.tell('disagreement', { text: `accepted without a warning for ${claims.stakeholder}: ${relation}: ${definition}` })
      }
    }
    const matches = new Map([...this.ledger.holders].map(([stakeholder, holder]) => [stakeholder, holder.matches]))
    for (const { stakeholder, tooMuch, missing } of await wrongPrivileges(this.eyes, this.ledger.last, matches)) {
      const trouble = [...tooMuch.map((one) => `has ${one}`), ...missing.map((one) => `has not ${one}`)]
      this.tell('disagreement', { text: `${stakeholder} ${trouble.slice(0, 5).join(', ')} (${trouble.length})` })
    }
    if (this.at % SYNC !== 0 && !this.events.some(({ kind, at }) => kind === 'rejected' && at === this.at)) return
    await this.expect('the role holds what it claims', () => expectClaimsToHold(this.database))
    await this.expect('sync changes nothing', () => this.expectSyncToChangeNothing())
  }

  /** What may refuse a writer's rows from now on. Not on tables that are new: who claims them knows. */
  private newGuards({ paths }: Claims, before: readonly Guard[]): Guard[] {
    return this.guards.filter(({ oid, relation, definition, columns }) => {
      const claim = paths.get(relation)
      if (claim === undefined || claim.access.length === 1) return false
      if (before.some((one) => one.oid === oid || (one.relation === relation && one.definition === definition))) return false
      return columns === null || claim.all || claim.fields.some(({ name }) => columns.includes(name))
    })
  }

  /** As test/support/oracle.ts has it, in a session that is not too old. */
  private async expectSyncToChangeNothing(): Promise<void> {
    const before = await stateOf(this.admin)
    const start = performance.now()
    const unmet = await this.admin.rows('select * from integratedb.unmet_claims(null)')
    const between = performance.now()
    const synced = await this.admin.rows('select * from integratedb.sync()')
    this.tell('sync', { milliseconds: performance.now() - between, text: (between - start).toFixed(0) })
    expect(synced).toEqual(unmet)
    expect(await stateOf(this.admin)).toEqual(before)
  }

  private async expect(what: string, check: () => Promise<void>): Promise<void> {
    try {
      await check()
    } catch (error) {
      this.tell('disagreement', { text: `not so: ${what}: ${difference(error) || (error as Error).message.slice(0, 500)}` })
    }
  }
}

/** The paths at which two answers differ, and what stands there. */
function difference(error: unknown): string {
  const { actual, expected } = error as { actual?: unknown; expected?: unknown }
  const found: string[] = []
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  const compare = (is: unknown, should: unknown, at: string): void => {
    if (found.length >= 6 || JSON.stringify(is) === JSON.stringify(should)) return
    if (isObject(is) && isObject(should)) {
      for (const key of new Set([...Object.keys(is), ...Object.keys(should)])) compare(is[key], should[key], `${at}/${nameOf(is, key)}`)
    } else found.push(`${at} is ${JSON.stringify(is)?.slice(0, 200)} and should be ${JSON.stringify(should)?.slice(0, 200)}`)
  }
  compare(actual, expected, '')
  return found.join('; ')
}

function nameOf(parent: Record<string, unknown>, key: string): string {
  const claim = (parent[key] as { claim?: Record<string, unknown> } | null)?.claim
  return claim === undefined ? key : `${claim['stakeholder']} ${claim['schema_name']}.${claim['relation_name']}`
}

/** Whether a type is narrower or another is often a matter of words. */
const isAlike = (one: string, other: string): boolean => one === other || (/^IDB20[34]$/.test(one) && /^IDB20[34]$/.test(other))

/** A trigger's function may use what the application may not: what functions do inside is not seen (docs/limits.md). */
function isInsideTrigger(relation: Relation | undefined, failure: string): boolean {
  const [, table] = /\b(?:permission denied for|must be owner of) table (.*)$/.exec(failure) ?? []
  return table !== undefined && relation !== undefined && relation.relation !== table && relation.triggers.length > 0
}

const textOf = ({ code, relation, field, what }: Flaw): string => `${relation}${field === null ? '' : `.${field}`}: ${code} ${what}`

function lineOf({ code, stakeholder, path, field, expected, actual, message }: Finding): string {
  return `${code} ${stakeholder} needs ${path}${field === null ? '' : `.${field}`} (${expected}): ${message}, ${actual}`
}

function parseLine(text: string): Finding[] {
  const match = /^(IDB\d+) (\S+) needs ((?:"[^"]*"|[^."]+)\.(?:"[^"]*"|[^." ]+))(?:\.("[^"]*"|[^ "(:]+))?(?: \((.*?)\))?: (.*)$/.exec(text)
  if (match === null) return []
  const [, code = '', stakeholder = '', path = '', field, expected = null, message = ''] = match
  return [{ code, severity: 'breaking', stakeholder, path, field: field?.replaceAll('"', '') ?? null, expected, actual: null, message }]
}
