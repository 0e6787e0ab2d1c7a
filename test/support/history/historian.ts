/** Plays histories in a database of their own, one after the other, and asks the oracle after every step. */
import type pg from 'pg'
import { operate } from '../../../src/core/index.ts'
import { type Session, TestDatabase } from '../database.ts'
import { worked } from '../oracle/attempt.ts'
import { allBehind, type Relation, readCatalogue } from '../oracle/catalogue.ts'
import type { Circumstances } from '../oracle/excuse.ts'
import { isForbidden, isNeverAsked, readLine, untruth } from '../oracle/finding.ts'
import { type ActAs, Ledger, newFlaws, reasonsOf, type Standing } from '../oracle/ledger.ts'
import { wrongPrivileges } from '../oracle/privilege.ts'
import { isNamedIn, refusedBehind, writtenByRules } from '../oracle/promise.ts'
import { stateOf } from '../oracle.ts'
import type { Dice } from './dice.ts'
import { beginning, owners, publications, schemas, stakeholders } from './pool.ts'
import { beginningOf, nextStep, type Step, scriptOf } from './step.ts'

/** A history as data. */
export interface History {
  beginning: string[]
  steps: Step[]
}

/** What the oracle and IntegrateDB see differently. */
export class Disagreement extends Error {
  readonly kind: string

  constructor(kind: string, detail: string) {
    super(`${kind}:\n${detail}`)
    this.kind = kind
  }
}

/** Postgres has broken its own catalogue: what comes after says nothing of us. */
class Abandoned extends Error {}

export type Counts = Map<string, number>

/** What cannot change which rows are seen, or which values a constraint meets. Everything else is taken to do both. */
const keepsRows =
  /^(grant|revoke|comment|create (policy|trigger|rule|index|unique|publication|type|domain|sequence|schema|or replace function)|(drop|alter) (policy|publication)|drop (trigger|rule|index)|alter (function|domain)|alter table .* (enable|disable|force|add (check|unique|primary|foreign|constraint)|owner|set not null|drop not null|(set|drop) default|replica identity|set (statistics|storage))|alter view .* (set|owner))/

const isOrdinary = (code: string | undefined): boolean => /^(0A|2[0-9B]|3[DFB]|42|40|54|55|P0001|25)/.test(code ?? '')

/** What set_claims, sync and a judged migration ask the core, and what the database's own core answers. */
const recordCore = `
  create unlogged table integratedb.core_call (op text, input text, output text);
  alter function integratedb._core(text, text) rename to _recorded_core;
  create function integratedb._core(op text, input text) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    output text := integratedb._recorded_core(op, input);
  begin
    insert into integratedb.core_call values (op, input, output);
    return output;
  end $$;
  revoke all on function integratedb._core(text, text) from public`

const leftBehind = 'behind'

/** What was tried a moment ago need not be tried again. */
const untried: ActAs = async () => [] as never

export class Historian {
  readonly counts: Counts = new Map()
  private readonly database: TestDatabase
  private readonly oracle: Session
  /** Nothing is claimed while a history begins: nothing need be noted. */
  private readonly rest: string
  private readonly sessions = new Map<string, Session>()
  private second: Session | undefined
  private ledger = new Ledger()
  private timing: 'commit' | 'statement' = 'commit'
  /** What was let through has broken claims that the oracle may find whole (a constraint that only rows refuse): they are no promise any more. Null: nothing was. */
  private unmet: Set<string> | null = null

  private constructor(database: TestDatabase, oracle: Session, rest: string) {
    this.database = database
    this.oracle = oracle
    this.rest = rest
  }

  static async open(): Promise<Historian> {
    const database = await TestDatabase.create()
    await database.rows(owners.map((owner) => `create role ${owner}`).join(';'))
    await database.rows(recordCore)
    const oracle = await database.connect(undefined, { options: '-c search_path=pg_catalog' })
    await database.rows('set search_path = pg_catalog')
    const canRest = (await database.value<number>(`select current_setting('server_version_num')::int`)) >= 170000
    return new Historian(database, oracle, canRest ? 'set event_triggers = off' : `select integratedb.set_enforcement('off')`)
  }

  async close(): Promise<void> {
    await this.database.rows(`drop owned by ${owners.join(', ')} cascade`).catch(() => {})
    await this.database.drop()
  }

  private count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  /** Nothing left of the history before; what it claimed goes after what is claimed, where it costs less. */
  private async clear(): Promise<void> {
    await this.database.rows('rollback; reset role')
    await this.database.rows(`
      ${this.rest};
      select integratedb.set_check_timing('commit');
      drop publication if exists ${publications.join(', ')};
      drop schema if exists ${[...schemas, 'attic'].join(', ')} cascade;
      delete from integratedb.core_call`)
    const there = await this.database.rows<{ name: string }>('select name from integratedb.stakeholder')
    const calls = stakeholders.map((name) => {
      const call = there.some((one) => one.name === name) ? 'remove_claims' : 'add_stakeholder'
      return `select integratedb.${call}('${name}')`
    })
    await this.database.rows(calls.join(';'))
    this.ledger = new Ledger()
    this.timing = 'commit'
    this.unmet = null
  }

  private async readUnmet(): Promise<Set<string>> {
    const rows = await this.database.rows<{ stakeholder: string; path: string }>(
      'select stakeholder, path from integratedb.unmet_claims(null)',
    )
    return new Set(rows.map(({ stakeholder, path }) => `${stakeholder} ${path}`))
  }

  private async begin(statements: AsyncIterable<string> | readonly string[]): Promise<string[]> {
    await this.clear()
    await this.database.rows(beginning.join(';'))
    const done: string[] = []
    for await (const statement of statements) {
      const worked = await this.database.rows(statement).catch(() => null)
      if (worked !== null) done.push(statement)
    }
    await this.database.rows(`reset all; set search_path = pg_catalog; select integratedb.set_enforcement('enforce')`)
    await this.ledger.look(this.oracle)
    return done
  }

  /** A history that is made up as it goes. What went wrong, and all of what happened until then. */
  async invent(dice: Dice, steps: number): Promise<{ history: History; wrong: unknown }> {
    const history: History = { beginning: [], steps: [] }
    this.count('histories')
    try {
      history.beginning = await this.begin(beginningOf(dice, () => readCatalogue(this.oracle)))
      for (let made = 0; made < steps; made++) {
        const step = nextStep(dice, made, this.ledger.last, this.timing)
        history.steps.push(step)
        await this.perform(step)
      }
      await this.expectSyncToChangeNothing()
      return { history, wrong: null }
    } catch (wrong) {
      return { history, wrong: wrong instanceof Abandoned ? null : wrong }
    }
  }

  /** A history that is known: what goes wrong with it, and after how many steps. */
  async replay({ beginning, steps }: History): Promise<{ steps: number; wrong: unknown }> {
    let done = 0
    try {
      await this.begin(beginning)
      for (const step of steps) {
        done++
        await this.perform(step)
      }
      await this.expectSyncToChangeNothing()
      return { steps: done, wrong: null }
    } catch (wrong) {
      return { steps: done, wrong: wrong instanceof Abandoned ? null : wrong }
    }
  }

  private async perform(step: Step): Promise<void> {
    this.count('steps')
    this.database.notices.length = 0
    switch (step.kind) {
      case 'migration':
        return await this.migrate(step)
      case 'race':
        return await this.race(step)
      case 'rows':
        await this.tolerate(() => this.database.rows(scriptOf(step)))
        return await this.observe({ rowsChanged: true, warnings: [] })
      case 'set_claims':
        return await this.setClaims(step)
      case 'remove_claims':
        if (await this.tolerate(() => this.database.rows(scriptOf(step)))) this.ledger.forget(step.stakeholder)
        await this.observe({ rowsChanged: true, warnings: [] })
        return await this.expectAllWell()
      case 'add_stakeholder':
        await this.tolerate(() => this.database.rows(scriptOf(step)))
        return await this.observe({ rowsChanged: true, warnings: [] })
      case 'remove_stakeholder':
        // What others granted on cannot be taken over by whoever asks.
        if (await this.tolerate(() => this.removeStakeholder(step.stakeholder), /^IDB0[13-68]/)) this.ledger.forget(step.stakeholder)
        // What it owned belongs to somebody else now, or is gone.
        await this.observeWhatever()
        return await this.expectAllWell()
      case 'set_check_timing':
        await this.database.rows(scriptOf(step))
        this.timing = step.timing
    }
  }

  private async removeStakeholder(name: string): Promise<void> {
    const session = this.sessions.get(name)
    this.sessions.delete(name)
    await session?.end().catch(() => {})
    await this.database.rows(`select integratedb.remove_stakeholder('${name}', false)`)
  }

  /** Errors that a user's own mistake explains are no disagreement. */
  private async tolerate(act: () => Promise<unknown>, answers = /^IDB0[13458]/): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      const { code, detail = '' } = error as pg.DatabaseError
      await this.database.rows('rollback; reset role')
      if (!isOrdinary(code) && !answers.test(code ?? '')) throw new Disagreement(`an error ${code}`, `${error}\n${detail}`)
      this.count(/^IDB/.test(code ?? '') ? `error ${code}` : 'SQL errors')
      return false
    }
  }

  /** As an application does: connected as the stakeholder. */
  private asStakeholder: ActAs = async (stakeholder, act) => {
    let session = this.sessions.get(stakeholder)
    if (session === undefined) {
      session = await this.database.connect(stakeholder)
      this.sessions.set(stakeholder, session)
    }
    return await act(session)
  }

  /** In the transaction that is open, to look at what will be undone. */
  private inTransaction: ActAs = async (stakeholder, act) => {
    await this.database.rows(`set local role ${stakeholder}`)
    try {
      return await act(this.database)
    } finally {
      await this.database.rows('reset role')
    }
  }

  /** The statements in one transaction; one that Postgres refuses is undone and the rest goes on. */
  private async execute(statements: readonly string[]): Promise<void> {
    for (const statement of statements) {
      if (/^(savepoint|release|rollback)/.test(statement)) {
        await this.database.rows(statement)
        continue
      }
      try {
        await this.database.rows(`savepoint history; ${statement}; release history`)
      } catch (error) {
        if (!isOrdinary((error as pg.DatabaseError).code)) throw error
        this.count('SQL errors')
        await this.database.rows('rollback to history')
      }
    }
  }

  private warnings({ notices }: Session = this.database): string[] {
    const lines = notices.flatMap(({ message, detail }) => [message, ...(detail?.split('\n') ?? [])])
    return lines.filter((line) => /^IDB[1-4]/.test(line))
  }

  private async migrate(step: Step & { kind: 'migration' }): Promise<void> {
    const { by, warned, statements } = step
    const [only] = statements
    if (warned) await this.database.rows(`select integratedb.set_enforcement('warn')`)
    let rejection: pg.DatabaseError | null = null
    const done = await this.tolerate(async () => {
      try {
        if (by !== null) await this.database.rows(`set role ${by}`)
        if (statements.length === 1) await this.database.rows(only as string)
        else {
          await this.database.rows('begin')
          await this.execute(statements)
          await this.database.rows('commit')
        }
        if (by !== null) await this.database.rows('reset role')
      } catch (error) {
        if ((error as pg.DatabaseError).code === 'IDB01') rejection = error as pg.DatabaseError
        throw error
      }
    })
    if (warned) await this.database.rows(`select integratedb.set_enforcement('enforce')`)
    const why = { rowsChanged: !statements.every((one) => keepsRows.test(one)), warnings: this.warnings() }
    for (const line of why.warnings) this.count(`warned ${line.slice(0, 6)}`)
    if (rejection !== null) return await this.expectReason(step, rejection)
    if (!done) return
    this.count(warned ? 'let through' : 'accepted')
    if (warned) {
      await this.database.rows('select from integratedb.sync()')
      await this.observeWhatever(why.warnings)
      this.unmet = await this.readUnmet()
    } else {
      await this.observe(why)
      if (this.unmet !== null) this.unmet = await this.readUnmet()
    }
    await this.expectAllWell(warned ? [] : statements)
  }

  private async rival(): Promise<Session> {
    this.second ??= await this.database.connect(undefined, { options: '-c search_path=pg_catalog' })
    return this.second
  }

  private async race({ first, second }: Step & { kind: 'race' }): Promise<void> {
    const other = await this.rival()
    other.notices.length = 0
    const all = async (session: Session, statements: readonly string[]): Promise<void> => {
      for (const statement of statements) await session.rows(statement)
    }
    await this.tolerate(async () => await all(this.database, ['begin', ...first]))
    const rival = all(other, ['begin', ...second, 'commit']).catch(async (error) => {
      await other.rows('rollback')
      return error
    })
    await Promise.race([rival, new Promise((resolve) => setTimeout(resolve, 20))])
    // A function may be gone that the other session has just used (below), and Postgres says so in its own words.
    await this.tolerate(async () => await this.database.rows('commit'), /^(IDB0[13458]|XX000)/)
    await rival
    this.count('races')
    await this.expectNothingLost()
    await this.observe({ rowsChanged: true, warnings: [...this.warnings(), ...this.warnings(other)], isRace: true })
    await this.expectAllWell([...first, ...second])
  }

  /** DDL locks neither types nor functions that it mentions: another session can drop them meanwhile (seen on PostgreSQL 18). */
  private async expectNothingLost(): Promise<void> {
    const isLost = await this.database.value<boolean>(`
      select exists (
        select from pg_attribute a where a.attnum > 0 and not a.attisdropped and not exists (select from pg_type t where t.oid = a.atttypid)
      ) or exists (
        select from pg_depend d where d.refclassid = 'pg_proc'::regclass and not exists (select from pg_proc p where p.oid = d.refobjid))`)
    if (!isLost) return
    this.count('abandoned: a type or a function in use is gone')
    throw new Abandoned()
  }

  private async setClaims(step: Step & { kind: 'set_claims' }): Promise<void> {
    try {
      await this.database.rows(scriptOf(step))
    } catch (error) {
      const { code, detail } = error as pg.DatabaseError
      this.count(`set_claims ${code}`)
      // Others claim views that it owns, which read with its privileges.
      const isOwner = [...this.ledger.last.relations.values()].some(({ kind, owner }) => kind === 'v' && owner === step.stakeholder)
      if (code !== 'IDB02' && code !== 'IDB03' && code !== 'IDB04' && !(code === 'IDB01' && isOwner))
        throw new Disagreement(`set_claims fails with ${code}`, `${error}\n${detail}`)
      return
    }
    this.count('set_claims accepted')
    this.ledger.declare(step.stakeholder, step.document)
    await this.observe({ rowsChanged: true, warnings: [] })
    const standings = await this.ledger.standings(this.ledger.last, untried, { rowsChanged: false, warnings: [] })
    const unmet = standings.filter(({ stakeholder, flaws }) => stakeholder === step.stakeholder && flaws.some(({ sure }) => sure))
    if (unmet.length > 0) throw new Disagreement('a document is accepted that is not met', JSON.stringify(unmet, null, 1))
    /** Postgres tells no schema: a policy's other table, or the same. */
    const isNamesake = ({ name, relation, policies, policiesRead }: Relation): boolean =>
      policiesRead.some((read) => this.ledger.last.relations.get(read)?.relation === relation) ||
      policies.some(({ using, check }) => `${using} ${check}`.includes(`FROM ${name} `))
    /** What a rule writes to besides is not seen (docs/limits.md). */
    const isOfRule = ({ name }: Relation, message: string): boolean => {
      const behind = allBehind(this.ledger.last, name)
      return writtenByRules(this.ledger.last, behind).some(
        (target) => message.includes('in rules for relation') || (!behind.includes(target) && isNamedIn(message, target)),
      )
    }
    for (const { stakeholder, relation, name, state, message, isStandIn, isOfWildcard } of this.ledger.outcomes()) {
      // Of alternatives one has to work; which, those say that keep the document from being accepted.
      if (stakeholder !== step.stakeholder || state === worked || isStandIn) continue
      // What a view hands on its table may refuse; that it cannot be read, or nobody may write it for its owner's sake, is told (of a wildcard only the first).
      const isView = relation.kind === 'v' || relation.kind === 'm'
      if (
        isView &&
        (state === '42P17' || (isOfWildcard && state === '55000') || (name !== 'select' && (isOfWildcard || state !== '42501')))
      )
        this.count(`claimed view does not ${name.split(' ')[0]}`)
      // What a wildcard finds that policies, or functions, keep from being written is none of its business.
      else if (
        isOfWildcard &&
        name !== 'select' &&
        (!message.endsWith(` ${relation.relation}`) || isNamesake(relation) || refusedBehind(this.ledger.last, relation.name).length > 0)
      )
        this.count('a wildcard cannot write it all')
      else if (name !== 'select' && (isOfRule(relation, message) || message.startsWith('referential integrity query')))
        this.count('a rule keeps from writing')
      else if (relation.owner === stakeholder) this.count('cannot use the schema of what it owns and claims')
      // Its own usage of schemas is compared with its claims; a foreign key is looked after by the table's owner.
      else if (
        message.startsWith('permission denied for schema') &&
        relation.constraints.some(({ definition }) => definition.startsWith('FOREIGN'))
      )
        this.count('the owner of a table cannot look after its foreign key')
      // What a row may be, policies and constraints say.
      else if (!/^(2[123]|02|44|P0001|ORACL)/.test(state) && !message.startsWith('new row violates row-level security')) {
        throw new Disagreement('what is claimed cannot be done', `${stakeholder} ${relation.name} ${name}: ${state} ${message}`)
      }
    }
    await this.expectAllWell()
  }

  /** The catalogue and what works are as they are now, whatever that breaks. */
  private async observeWhatever(warnings: readonly string[] = []): Promise<Standing[]> {
    return await this.ledger.observe(await readCatalogue(this.oracle), this.asStakeholder, { rowsChanged: true, warnings })
  }

  /** Accepted: every promise that held before holds. */
  private async observe(why: Circumstances): Promise<void> {
    const standings = await this.ledger.observe(await readCatalogue(this.oracle), this.asStakeholder, why)
    // Of a match that is known to be broken, by any of its alternatives, nobody can say what is left.
    const isUnmet = ({ stakeholder, flawsOfAll }: Standing): boolean =>
      flawsOfAll.some(({ relation }) => this.unmet?.has(`${stakeholder} ${relation}`))
    const expected = standings.filter((standing) => !isUnmet(standing))
    for (const { excuse } of expected.flatMap(newFlaws)) if (excuse !== undefined) this.count(`excused: ${excuse}`)
    const broken = expected.flatMap((standing) =>
      newFlaws(standing)
        .filter(({ sure }) => sure)
        .map((flaw) => `${standing.stakeholder} match ${standing.match} ${flaw.relation} ${flaw.field ?? ''}: ${flaw.code} ${flaw.what}`),
    )
    if (broken.length > 0) throw new Disagreement('accepted, but it breaks a promise', broken.join('\n'))
  }

  /** Rejected: let through, it would break a promise, and what the rejection says is so. */
  private async expectReason(
    { by, statements }: Step & { kind: 'migration' },
    { detail = '', hint = '' }: pg.DatabaseError,
  ): Promise<void> {
    this.count('rejected')
    await this.expectCoreParity()
    await this.database.rows(`begin; select integratedb.set_enforcement('warn')`)
    if (by !== null) await this.database.rows(`set local role ${by}`)
    await this.execute(statements)
    await this.database.rows('reset role; set constraints all immediate')
    const after = await readCatalogue(this.database)
    const why = { rowsChanged: false, warnings: [] }
    const standings = await this.ledger.standings(after, this.inTransaction, why)
    await this.expectCoreParity()
    await this.database.rows('rollback')
    // A new constraint is worth a warning, and a reason to reject only where rows may break it already.
    const reasons = standings.flatMap(reasonsOf).filter(({ code, what }) => code !== 'IDB302' || what.includes('NOT VALID'))
    const relations = [...this.ledger.last.relations.keys(), ...after.relations.keys()]
    const lines = detail.split('\n').map((text) => ({ text, line: readLine(text, relations) }))
    const isUnknown = lines.every(
      ({ line }) => line !== null && (this.unmet?.has(`${line.stakeholder} ${line.relation}`) || isNeverAsked(line, after)),
    )
    if (reasons.length === 0 && !isUnknown) throw new Disagreement('rejected, but it breaks nothing', `${detail}\n${hint}`)
    for (const { text, line } of lines) {
      if (line === null) {
        if (!/more/.test(text)) throw new Disagreement('a line of a rejection cannot be read', text)
        continue
      }
      this.count(`rejected ${line.code}`)
      // Of a relation that is known to be broken the oracle has not learnt what is there now.
      if (this.unmet?.has(`${line.stakeholder} ${line.relation}`)) continue
      const own = standings.filter(({ stakeholder }) => stakeholder === line.stakeholder)
      const flaws = own.flatMap((standing) => standing.flawsOfAll)
      if (
        relations.includes(line.relation) &&
        !isNeverAsked(line, after) &&
        !own.flatMap(reasonsOf).some(({ relation }) => relation === line.relation)
      )
        throw new Disagreement(`${line.code} without a reason`, `${text}\n${JSON.stringify(flaws, null, 1)}`)
      // With a relation goes what was granted on it; what is let through keeps that, and a view that reads it goes on to.
      const isLostWith =
        line.code === 'IDB404' &&
        lines.some(({ line: other }) => {
          const moved = other && /^IDB10[23]/.test(other.code) ? this.ledger.last.relations.get(other.relation) : undefined
          return [...after.relations.values()].some(({ oid, name }) => oid === moved?.oid && isForbidden(line, name))
        })
      const lie = isLostWith ? null : untruth(line, this.ledger.last, after, flaws)
      if (lie !== null) throw new Disagreement(`${line.code} is not so`, `${text}\n${lie}`)
    }
  }

  /**
   * What holds always: privileges are as promised. Where another alternative stood in, nobody gives back what these revoked, until somebody asks
   * (of the schema of what it owns an owner has usage or not: there nobody sees it).
   */
  private async expectAllWell(statements: readonly string[] = []): Promise<void> {
    const claimed = new Map([...this.ledger.holders].map(([stakeholder, { matches }]) => [stakeholder, matches]))
    let wrong = await wrongPrivileges(this.oracle, this.ledger.last, claimed)
    const revoked = statements.filter((one) => one.includes('revoke'))
    if (revoked.some((one) => wrong.length > 0 || one.startsWith('revoke usage on schema'))) {
      await this.database.rows('select from integratedb.sync()')
      wrong = await wrongPrivileges(this.oracle, this.ledger.last, claimed)
    }
    if (wrong.length > 0) throw new Disagreement('privileges are not what is claimed', JSON.stringify(wrong, null, 1))
  }

  /** Expanding all claims anew changes nothing. Not after every step: what drifts apart goes on to, and sync() itself is a step that repairs. */
  private async expectSyncToChangeNothing(): Promise<void> {
    const before = await this.stateLines()
    await this.database.rows('select from integratedb.sync()')
    const after = await this.stateLines()
    const changes = [
      ...before.filter((line) => !after.includes(line) && !line.startsWith(leftBehind)).map((line) => `- ${line}`),
      ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    ]
    if (changes.length > 0) throw new Disagreement('sync() changes something', changes.join('\n'))
    await this.expectCoreParity()
  }

  /** What is behind a claim has a line each: it may name more than there is, which costs a look, until somebody looks (DROP INDEX: of a function that it called). */
  private async stateLines(): Promise<string[]> {
    return Object.values(await stateOf(this.database))
      .flat()
      .flatMap((row) => {
        const { behind, ...claim } = (row['claim'] ?? {}) as { behind?: number[]; stakeholder?: string; match?: number; relid?: number }
        if (behind === undefined) return [JSON.stringify(row)]
        const { stakeholder, match, relid } = claim
        return [JSON.stringify(claim), ...behind.map((oid) => `${leftBehind} ${stakeholder} ${match} ${relid}: ${oid}`)]
      })
  }

  /** In Node the core answered the same, whatever it was asked since this was asked last: at the end, and before it is undone. */
  private async expectCoreParity(): Promise<void> {
    const calls = await this.database.rows<{ op: string; input: string; output: string }>(
      'delete from integratedb.core_call returning op, input, output',
    )
    if (calls.length > 0) this.count('core calls compared', calls.length)
    for (const { op, input, output } of calls) {
      const answer = operate(op, input)
      if (answer !== output)
        throw new Disagreement('the core answers differently in Node', `${op}\n${input}\nNode: ${answer}\ndatabase: ${output}`)
    }
  }
}
