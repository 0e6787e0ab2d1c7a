/** The run with IntegrateDB: claims on everything, and each verdict against what its stakeholders can do. */
import pg from 'pg'
import { expect } from 'vitest'
import type { Session, TestDatabase } from '../support/database.ts'
import { expectClaimsToHold, stateOf } from '../support/oracle.ts'
import { type Catalog, readCatalog } from './catalog.ts'
import { type Claims, claimsOf, documentOf, type Finding, giveUp, STAKEHOLDERS, withoutPaths } from './document.ts'
import type { MigrationFile } from './history.ts'
import { privilegeTrouble } from './privilege.ts'
import { reset, type Step } from './rehearsal.ts'
import { serves } from './type.ts'
import { type Outcome, tryUses, type Use, usesOf } from './use.ts'

export interface Event {
  kind: 'accepted' | 'rejected' | 'sync' | 'breaking' | 'warning' | 'disagreement' | 'note'
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

/** How often everything is tried, and not only what changed. */
const SWEEP = Number(process.env['REPLAY_SWEEP'] || 25)

export class Replay {
  readonly events: Event[] = []
  private readonly database: TestDatabase
  private readonly files: readonly MigrationFile[]
  private readonly plan: readonly Step[]
  private at = 0
  /** Does this build know of writers, and of all that comes with them? */
  private isForWriters = false
  private migrator!: Session
  /** Who declares claims: a new session now and then, as pljs keeps every string that it was ever given. */
  private admin!: Session
  private catalog: Catalog = new Map()
  private readonly stakeholders: string[] = []
  private readonly logins = new Map<string, Session>()
  private readonly claims = new Map<string, Claims>()
  private readonly documents = new Map<string, string>()
  /** By stakeholder and statement. */
  private readonly known = new Map<string, Outcome>()

  constructor(database: TestDatabase, files: readonly MigrationFile[], plan: readonly Step[]) {
    this.database = database
    this.files = files
    this.plan = plan
  }

  async run(): Promise<void> {
    // Types are spelled with their schemas, as IntegrateDB does.
    await this.database.rows("set search_path = pg_catalog; set lock_timeout = '30s'")
    this.migrator = await this.database.connect()
    const wanted = process.env['REPLAY_STAKEHOLDERS']?.split(',')
    this.isForWriters = await this.canWrite()
    for (const name of STAKEHOLDERS) {
      if (wanted !== undefined && !wanted.includes(name)) continue
      if (name === 'writer' && !this.isForWriters) {
        this.tell('note', { text: 'claims for writing are not supported by this build: no writer' })
        continue
      }
      await this.database.value('select integratedb.add_stakeholder($1)', [name])
      const login = await this.database.connect(name)
      await login.rows("set lock_timeout = '30s'")
      this.logins.set(name, login)
      this.stakeholders.push(name)
    }
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

  private async canWrite(): Promise<boolean> {
    const document = JSON.stringify({ match: [{ path: 'integratedb.setting', fields: ['name'], access: ['update'] }] })
    const answer = await this.database.rows('select * from integratedb.check_claims($1)', [document]).catch((error) => [String(error)])
    return !/not supported/.test(JSON.stringify(answer))
  }

  private tell(kind: Event['kind'], more: Partial<Event>): void {
    this.events.push({ kind, at: this.at, file: this.files[this.at]?.name ?? '', ...more })
    if (kind === 'disagreement') console.log(`disagreement ${this.files[this.at]?.name}: ${more.text}`)
  }

  private async seed(sql: string): Promise<void> {
    await this.migrator.rows(sql).catch((error) => this.tell('note', { text: `a made-up row fails here only: ${error.message}: ${sql}` }))
  }

  /** Everybody claims what is there now, and what they can do is known before the next migration. */
  private async prepare(hasNewRows: boolean): Promise<void> {
    const before = this.catalog
    this.catalog = await readCatalog(this.database, STAKEHOLDERS as readonly string[] as string[])
    for (const name of this.stakeholders) {
      const claims = claimsOf(name as (typeof STAKEHOLDERS)[number], this.catalog)
      await this.declare(claims)
    }
    if (hasNewRows || this.at % SWEEP === 0) this.known.clear()
    this.catalog = await readCatalog(this.database, STAKEHOLDERS as readonly string[] as string[])
    const changed = new Set(
      [...this.catalog.values()].filter(({ path, fingerprint }) => before.get(path)?.fingerprint !== fingerprint).map(({ path }) => path),
    )
    for (const name of this.stakeholders) {
      const claims = this.claims.get(name)
      if (claims === undefined) continue
      await this.know(name, usesOf(claims, this.catalog), changed)
    }
  }

  private async know(name: string, uses: Use[], changed: ReadonlySet<string>): Promise<void> {
    const unknown = uses.filter((use) => changed.has(use.path) || !this.known.has(`${name} ${use.sql}`))
    const outcomes = await tryUses(this.logins.get(name) as Session, unknown)
    for (const [at, use] of unknown.entries()) this.known.set(`${name} ${use.sql}`, outcomes[at] as Outcome)
  }

  private async declare(claims: Claims, ifRefused: 'disagreement' | 'note' = 'disagreement'): Promise<boolean> {
    const document = JSON.stringify(documentOf(claims))
    if (this.documents.get(claims.stakeholder) === document) {
      this.claims.set(claims.stakeholder, claims)
      return true
    }
    if (claims.paths.size === 0) {
      await this.admin.value('select integratedb.remove_claims($1)', [claims.stakeholder])
      this.documents.set(claims.stakeholder, document)
      this.claims.set(claims.stakeholder, claims)
      return true
    }
    try {
      await this.admin.rows('select integratedb.set_claims($1, $2)', [claims.stakeholder, document])
      this.documents.set(claims.stakeholder, document)
      this.claims.set(claims.stakeholder, claims)
      return true
    } catch (error) {
      const { code, message, detail } = error as pg.DatabaseError
      this.tell(ifRefused, {
        text: `set_claims of ${claims.stakeholder} refused: ${code} ${message}: ${detail?.split('\n').slice(0, 3).join(' / ')}`,
      })
      return false
    }
  }

  private async migrate(step: Step): Promise<void> {
    const last = await this.database.value<number>('select coalesce(max(id), 0) from integratedb.migration')
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
      from = rejection.at
      if (attempt > 2) {
        this.tell('disagreement', { text: `still rejected after giving up: ${rejection.error.detail?.split('\n')[0]}` })
        await this.database.value("select integratedb.set_enforcement('warn')")
        overridden = true
        await this.attempt(step, from)
        await this.database.value("select integratedb.set_enforcement('enforce')")
        break
      }
      await this.investigate(step, from, rejection.error, attempt > 0)
    }
    await this.judgeAccepted(last, overridden)
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
  private async investigate(step: Step, from: number, error: pg.DatabaseError, isRepeated: boolean): Promise<void> {
    const file = this.files[this.at] as MigrationFile
    const session = await this.database.connect()
    const text = step.mode === 'transaction' ? file.text : (file.statements[from] as string)
    const findings: Finding[] = []
    let after: Catalog = this.catalog
    const last = await this.database.value<number>('select coalesce(max(id), 0) from integratedb.migration')
    try {
      await session.rows("begin; select integratedb.set_enforcement('warn')")
      await session.rows(text)
      await reset(session)
      await session.rows('select integratedb.validate_migration()')
      for (const row of await session.rows<{ findings: Finding[] | null }>('select findings from integratedb.migration where id > $1', [
        last,
      ])) {
        findings.push(...(row.findings ?? []).filter(({ severity }) => severity === 'breaking'))
      }
      after = await readCatalog(session, STAKEHOLDERS as readonly string[] as string[])
      for (const finding of findings) this.tell('breaking', { finding })
      if (isRepeated) this.tell('note', { text: `rejected again after giving up: ${findings.map(line).join('; ').slice(0, 400)}` })
      const told = (error.detail ?? '').split('\n').filter((line) => line.startsWith('IDB'))
      if (told.length < Math.min(20, findings.length))
        this.tell('disagreement', { text: `${told.length} lines of DETAIL, ${findings.length} findings` })
      await this.verify(session, findings, after)
    } catch (failure) {
      if (!(failure instanceof pg.DatabaseError)) throw failure
      this.tell('note', { text: `rejected, and it cannot be tried with 'warn': ${failure.message}` })
      findings.push(...(error.detail ?? '').split('\n').flatMap(parseLine))
    }
    await session.rows('rollback')
    await session.end()
    const types = (path: string, field: string) => {
      const before = this.catalog.get(path)?.columns.find(({ name }) => name === field)?.type ?? null
      const column = after.get(path)?.columns.find(({ name }) => name === field)
      // A type that the migration makes cannot be claimed before it.
      const isKnown =
        column !== undefined &&
        [...this.catalog.values()].some(({ columns }) => columns.some(({ type_oid }) => type_oid === column.type_oid))
      return { before, after: isKnown || (column !== undefined && column.type_oid < 16384) ? column.type : null }
    }
    for (const name of this.stakeholders) {
      const some = findings.filter(({ stakeholder }) => stakeholder === name)
      if (some.length === 0) continue
      const claims = this.claims.get(name)
      if (claims === undefined) continue
      let fewer = isRepeated ? withoutPaths(claims, some) : giveUp(claims, some, types)
      if (!(await this.declare(fewer, 'note'))) fewer = withoutPaths(claims, some)
      if (await this.declare(fewer)) {
        const paths = new Set(some.map(({ path }) => path))
        this.catalog = await readCatalog(this.database, STAKEHOLDERS as readonly string[] as string[])
        await this.know(name, usesOf(fewer, this.catalog), paths)
      }
    }
  }

  private async verify(session: Session, findings: readonly Finding[], after: Catalog): Promise<void> {
    for (const name of this.stakeholders) {
      const claims = this.claims.get(name)
      if (claims === undefined) continue
      const uses = usesOf(claims, this.catalog)
      const of = findings.filter(({ stakeholder }) => stakeholder === name)
      const touched = new Set([...of.map(({ path }) => path), ...this.changed(after)])
      const some = uses.filter(({ path }) => touched.has(path))
      await session.rows(`set local role ${name}`)
      const outcomes = await tryUses(session, some)
      await session.rows('reset role')
      const broken = await this.broken(session, name, some, outcomes, after, null)
      for (const finding of of) {
        const why = this.isProven(finding, after, broken)
        if (!why) this.tell('disagreement', { text: `rejected without a reason: ${line(finding)}` })
      }
      for (const { use, reason } of broken) {
        const isTold = of.some(
          ({ path, field }) => path === use.path && (field === null || use.field === null || field === use.field || use.kind !== 'read'),
        )
        if (!isTold) this.tell('disagreement', { text: `rejected, and this is not told: ${name}: ${reason}` })
      }
    }
  }

  private changed(after: Catalog): string[] {
    return [...this.catalog.values()]
      .filter(({ path, fingerprint }) => after.get(path)?.fingerprint !== fingerprint)
      .map(({ path }) => path)
  }

  private isProven({ code, stakeholder, path, field }: Finding, after: Catalog, broken: { use: Use }[]): boolean {
    const was = this.catalog.get(path)
    const is = after.get(path)
    const isUsed = broken.some(({ use }) => use.path === path)
    // What is optional, or has an alternative, may go.
    if (stakeholder === 'loose' && /^IDB(10|201|202)/.test(code)) return isUsed || this.noneFits(path, field, after)
    if (code.startsWith('IDB10')) return is === undefined
    const columnWas = was?.columns.find(({ name }) => name === field)
    const columnIs = is?.columns.find(({ name }) => name === field)
    switch (code) {
      case 'IDB201':
      case 'IDB202':
        return columnWas !== undefined && columnIs === undefined
      case 'IDB203':
      case 'IDB204':
        return (
          columnWas !== undefined &&
          columnIs !== undefined &&
          (columnIs.type !== columnWas.type || columnIs.type_oid !== columnWas.type_oid)
        )
      case 'IDB205':
        return columnWas?.not_null === true && columnIs?.not_null === false
      case 'IDB301':
        return columnWas?.is_unique === true && columnIs?.is_unique === false
      case 'IDB303':
        return columnWas?.labels?.some((label) => !columnIs?.labels?.includes(label)) ?? false
      case 'IDB211':
      case 'IDB212':
        // Something refuses every row: what else would, cannot be tried.
        return (
          isUsed ||
          (columnIs?.not_null === true &&
            ![...this.known].some(([key, { result }]) => result === 'works' && key.startsWith(`${stakeholder} insert into ${path} (`)))
        )
      default:
        return isUsed
    }
  }

  /** Which uses worked before and do not now? */
  private async broken(
    owner: Session,
    name: string,
    uses: readonly Use[],
    outcomes: readonly Outcome[],
    after: Catalog,
    refused: ((use: Use, outcome: Outcome) => void) | null,
  ): Promise<{ use: Use; reason: string }[]> {
    const broken: { use: Use; reason: string }[] = []
    const groups = new Map<string, { use: Use; works: boolean; worked: boolean; reason: string }>()
    for (const [at, use] of uses.entries()) {
      const was = this.known.get(`${name} ${use.sql}`)
      const is = outcomes[at] as Outcome
      if (was === undefined || was.result === 'fails') continue
      let reason = is.result === 'fails' ? is.detail : ''
      // Two types are claimed: a value of the other one will do.
      if (use.kind !== 'read' && /^(22|42804)/.test(is.detail) && this.hasTypeLists(name, use.path)) reason = ''
      if (use.kind === 'read' && reason === '') reason = this.typeTrouble(name, use, after)
      if (use.kind === 'rows' && reason === '' && is.result === 'works') {
        const really = await owner.value<number>(use.sql)
        if (was.rows === null || is.rows !== really) reason = `${is.rows} rows are seen of ${really}`
      }
      if (use.group !== null) {
        const group = groups.get(`${use.path} ${use.group}`) ?? { use, works: false, worked: false, reason: '' }
        group.worked = true
        group.works ||= reason === ''
        group.reason ||= reason
        groups.set(`${use.path} ${use.group}`, group)
      } else if (reason !== '') {
        const isGone =
          after.get(use.path) === undefined ||
          is.detail.startsWith('42703') ||
          (use.kind === 'delete' && this.allGone(name, use.path, after))
        if (!(use.optional && isGone)) broken.push({ use, reason: `${use.sql}: ${reason}` })
      } else if (was.result === 'works' && is.result === 'refused') refused?.(use, is)
    }
    for (const { use, works, reason } of groups.values()) {
      if (!works && !(use.optional && after.get(use.path) === undefined)) broken.push({ use, reason: `no alternative works: ${reason}` })
    }
    return broken
  }

  /** Deleting is granted with a column that is claimed. */
  private allGone(name: string, path: string, after: Catalog): boolean {
    const fields = this.claims.get(name)?.paths.get(path)?.fields ?? []
    return !after.get(path)?.columns.some((column) => fields.some((field) => field.name === column.name))
  }

  /** Is none of the alternatives what it was? */
  private noneFits(path: string, field: string | null, after: Catalog): boolean {
    const names = this.claims
      .get('loose')
      ?.paths.get(path)
      ?.alternatives.find((pair) => field !== null && pair.includes(field))
    return (
      (names ?? []).length > 0 &&
      (names ?? []).every((name) => {
        const was = this.catalog.get(path)?.columns.find((column) => column.name === name)
        const is = after.get(path)?.columns.find((column) => column.name === name)
        return was === undefined || is === undefined || !serves(was, is) || (was.not_null && !is.not_null)
      })
    )
  }

  private hasTypeLists(name: string, path: string): boolean {
    return (
      this.claims
        .get(name)
        ?.paths.get(path)
        ?.fields.some(({ type }) => Array.isArray(type)) ?? false
    )
  }

  private typeTrouble(name: string, use: Use, after: Catalog): string {
    const was = this.catalog.get(use.path)
    const is = after.get(use.path)
    if (was === undefined || is === undefined) return ''
    const claimed = this.claims.get(name)?.paths.get(use.path)
    for (const column of was.columns) {
      if (use.field !== null ? column.name !== use.field : !use.sql.includes(column.name)) continue
      const now = is.columns.find((other) => other.name === column.name)
      const mayBe = claimed?.fields.find((field) => field.name === column.name)?.type
      if (now !== undefined && !serves(column, now) && !(Array.isArray(mayBe) && mayBe.includes(now.type))) {
        return `${column.name} was ${column.type} and is ${now.type}`
      }
    }
    return ''
  }

  private async judgeAccepted(last: number, overridden: boolean): Promise<void> {
    const warned = new Set<string>()
    // Some are told and not recorded.
    for (const { severity, message, detail } of this.migrator.notices.splice(0)) {
      if (severity !== 'WARNING') continue
      for (const text of `${message}\n${detail ?? ''}`.split('\n')) {
        const [, code, name, path] = /(IDB\d+) (\S+) needs ((?:"[^"]*"|[^".\s]+)\.(?:"[^"]*"|[^".\s:]+))/.exec(text) ?? []
        if (code === 'IDB302') warned.add(`${name} ${path}`)
      }
    }
    for (const { findings } of await this.database.rows<{ findings: Finding[] | null }>(
      'select findings from integratedb.migration where id > $1',
      [last],
    )) {
      for (const finding of findings ?? []) {
        if (finding.severity === 'breaking') continue
        this.tell('warning', { finding })
        if (finding.code === 'IDB302') warned.add(`${finding.stakeholder} ${finding.path}`)
        if (finding.code === 'IDB301') warned.add(`uniqueness of ${finding.path}.${finding.field}`)
      }
    }
    const after = await readCatalog(this.database, STAKEHOLDERS as readonly string[] as string[])
    const changed = new Set(this.changed(after))
    let tried = 0
    for (const name of this.stakeholders) {
      const claims = this.claims.get(name)
      if (claims === undefined) continue
      const all = usesOf(claims, this.catalog)
      const uses = this.at % SWEEP === 0 ? all : all.filter(({ path }) => changed.has(path))
      const outcomes = await tryUses(this.logins.get(name) as Session, uses)
      tried += uses.length
      const refusals = new Set<string>()
      const broken = await this.broken(this.database, name, uses, outcomes, after, (use, { detail }) => {
        // New values collide with rows; a check is the only one of these that may be a domain's.
        if (!warned.has(`${name} ${use.path}`) && detail.startsWith('23514')) refusals.add(`${use.path}: ${use.kind} is refused: ${detail}`)
      })
      if (overridden) continue
      for (const { reason } of broken) this.tell('disagreement', { text: `accepted, but ${name} breaks: ${reason}` })
      for (const text of this.lost(claims, after))
        if (!warned.has(text)) this.tell('disagreement', { text: `accepted, but ${name} has lost ${text}` })
      if (this.isForWriters) for (const text of this.unannounced(claims, after, warned)) refusals.add(text)
      for (const text of refusals) this.tell('disagreement', { text: `accepted without a warning for ${name}: ${text}` })
    }
    const accepted = this.events.findLast(({ kind, at }) => kind === 'accepted' && at === this.at)
    if (accepted !== undefined) accepted.tried = tried
    if (overridden) return
    for (const claims of this.claims.values()) {
      const trouble = await privilegeTrouble(this.database, claims, this.inSchemasOf(claims, after))
      if (trouble.length > 0)
        this.tell('disagreement', { text: `${claims.stakeholder} ${trouble.slice(0, 5).join(', ')} (${trouble.length})` })
    }
    if (this.at % SYNC !== 0 && !this.events.some(({ kind, at }) => kind === 'rejected' && at === this.at)) return
    await this.expect('the role holds what it claims', () => expectClaimsToHold(this.database))
    await this.expect('sync changes nothing', () => this.expectSyncToChangeNothing())
  }

  /** A wildcard is for the schemas that were there when it was declared. */
  private inSchemasOf({ paths }: Claims, after: Catalog): string[] {
    const schemas = new Set([...paths.keys()].map((path) => this.catalog.get(path)?.schema))
    return [...after.values()].filter(({ schema }) => schemas.has(schema)).map(({ path }) => path)
  }

  /** Which properties that were observed are gone? What is claimed as optional, too, has to fit while it is there. */
  private lost({ paths }: Claims, after: Catalog): string[] {
    return [...paths.values()].flatMap(({ path, all, fields }) => {
      const [was, is] = [this.catalog.get(path), after.get(path)]
      if (was === undefined || is === undefined || is.kind === 'v' || is.kind === 'm') return []
      return was.columns.flatMap((column) => {
        const field = fields.find(({ name }) => name === column.name)
        const now = is.columns.find(({ name }) => name === column.name)
        if (now === undefined || (!all && field === undefined)) return []
        const lost: string[] = []
        if (column.not_null && !now.not_null && field?.is_nullable !== true) lost.push('NOT NULL')
        if (this.isForWriters && column.is_unique && !now.is_unique && field?.unique !== false) lost.push('uniqueness')
        if (this.isForWriters && field?.values === undefined && column.labels?.some((label) => !now.labels?.includes(label)))
          lost.push('labels')
        return lost.map((what) => `${what} of ${path}.${column.name}`)
      })
    })
  }

  /** What may refuse a writer's rows from now on, and was not told. */
  private unannounced({ stakeholder, paths }: Claims, after: Catalog, warned: ReadonlySet<string>): string[] {
    return [...paths.values()].flatMap(({ path, access, all, fields }) => {
      if (access.length === 1 || warned.has(`${stakeholder} ${path}`)) return []
      const before = this.catalog.get(path)?.guards ?? []
      const added = (after.get(path)?.guards ?? []).filter(
        ({ oid, definition, columns }) =>
          !before.some((guard) => guard.oid === oid || guard.definition === definition) &&
          (columns === null || all || columns.some((column) => fields.some(({ name }) => name === column))),
      )
      return added.map(({ definition }) => `${path}: ${definition}`)
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

function line({ code, stakeholder, path, field, expected, actual, message }: Finding): string {
  return `${code} ${stakeholder} needs ${path}${field === null ? '' : `.${field}`} (${expected}): ${message}, ${actual}`
}

function parseLine(text: string): Finding[] {
  const match = /^(IDB\d+) (\S+) needs ((?:"[^"]*"|[^."]+)\.(?:"[^"]*"|[^." ]+))(?:\.("[^"]*"|[^ "(:]+))?(?: \((.*?)\))?: (.*)$/.exec(text)
  if (match === null) return []
  const [, code = '', stakeholder = '', path = '', field, expected = null, message = ''] = match
  return [{ code, severity: 'breaking', stakeholder, path, field: field?.replaceAll('"', '') ?? null, expected, actual: null, message }]
}
