/** Tries one row of the table and answers what came of it. */
import pg from 'pg'
import type { Row, Session, TestDatabase } from '../support/database.ts'
import { stakeholder } from './fixture.ts'
import type { Form, Outcome } from './form.ts'

/** What the stakeholder got: an error, or columns and rows. */
interface Use {
  error: string | null
  columns: string
  rows: number
  content: string
}

type Findings = { code: string; severity: string }[]

async function useAll(session: Session, statements: string[]): Promise<Use[]> {
  const uses: Use[] = []
  for (const sql of statements) {
    await session.rows('savepoint use')
    try {
      await session.rows(`set local role ${stakeholder}`)
      const { fields, rows, rowCount } = await session.client.query(sql)
      const columns = fields.map((field) => `${field.name} ${field.dataTypeID} ${field.dataTypeModifier}`).join()
      uses.push({ error: null, columns, rows: rowCount ?? 0, content: JSON.stringify(rows) })
    } catch (error) {
      uses.push({ error: `${sql}: ${(error as Error).message}`, columns: '', rows: 0, content: '' })
    }
    await session.rows('rollback to savepoint use')
  }
  return uses
}

/** After what was accepted: whatever ran still runs, and shows no fewer rows. */
async function stillWorks(session: Session, form: Form, before: Use[]): Promise<boolean> {
  const after = await useAll(session, usual(form))
  const added = await useAll(session, form.newUse ?? [])
  return (
    before.every((use, at) => after[at]?.error === null && (form.fewer === true || use.rows <= after[at].rows)) &&
    added.every(({ error }) => error === null)
  )
}

/** After what was rejected and let through all the same: is there any difference at all? */
function isUnchanged(before: Use[], after: Use[]): boolean {
  return JSON.stringify(before) === JSON.stringify(after)
}

const codesOf = (findings: Findings, severity: string): string[] =>
  [...new Set(findings.filter((finding) => finding.severity === severity).map(({ code }) => code))].sort()

function codesIn(error: pg.DatabaseError): string[] {
  return [...new Set(error.detail?.match(/^IDB\d{3}/gm) ?? [])].sort()
}

async function prepare(session: Session, { setup, claims }: Form): Promise<void> {
  if (setup !== undefined) await session.rows(setup)
  await session.rows('select from integratedb.set_claims($1, $2)', [stakeholder, JSON.stringify({ match: claims.match })])
}

/** The codes in WARNINGs: that an index was created is told, but not recorded. */
function warningsTold({ notices }: Session): string[] {
  return notices.filter(({ severity }) => severity === 'WARNING').flatMap(({ detail }) => detail?.match(/^IDB\d{3}/gm) ?? [])
}

/** Of doctor(), where the row asks for them. */
async function complaints(session: Session, { gives }: Form): Promise<string[]> {
  if (gives.doctor.length === 0) return []
  const rows = await session.rows<{ check_name: string }>("select check_name from integratedb.doctor() where status <> 'ok' order by 1")
  return rows.map(({ check_name }) => check_name)
}

/** What the stakeholder does all day. */
const usual = ({ use, claims }: Form): string[] => use ?? claims.use

async function afterwards(
  session: Session,
  form: Form,
  findings: Findings,
  complained: string[],
): Promise<Pick<Outcome, 'warnings' | 'infos' | 'unmet' | 'doctor'>> {
  const warned = warningsTold(session)
  const unmet = await session.rows<{ code: string }>('select distinct code from integratedb.unmet_claims(null) order by 1')
  return {
    warnings: [...new Set([...codesOf(findings, 'warning'), ...warned])].sort(),
    infos: codesOf(findings, 'info'),
    unmet: unmet.map(({ code }) => code),
    doctor: (await complaints(session, form)).filter((check) => !complained.includes(check)),
  }
}

function statements({ sql }: Form): string[] {
  return typeof sql === 'string' ? [sql] : sql
}

async function attempt(run: () => Promise<void>): Promise<pg.DatabaseError | null> {
  try {
    await run()
    return null
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error
    throw error
  }
}

const nothing = { codes: [], warnings: [], infos: [], unmet: [], doctor: [], works: true, sqlstate: null }

/** What PostgreSQL or IntegrateDB said no to. */
function failed(error: pg.DatabaseError, works: boolean): Outcome {
  const sqlstate = error.code ?? ''
  return { ...nothing, verdict: sqlstate === 'IDB01' ? 'rejected' : 'refused', codes: codesIn(error), works, sqlstate }
}

/** In one transaction, of which nothing is left. */
export async function tryInside(session: Session, form: Form): Promise<Outcome> {
  const migrate = async (): Promise<void> => {
    for (const sql of statements(form)) await session.rows(sql)
    await session.rows('set constraints all immediate')
  }
  await session.rows('begin')
  try {
    await prepare(session, form)
    await session.rows('set constraints all immediate; set constraints all deferred')
    const before = await useAll(session, usual(form))
    const wrong = before.find(({ error }) => error !== null)
    if (wrong) throw new Error(`the stakeholder cannot do this to begin with: ${wrong.error}`)
    const complained = await complaints(session, form)
    await session.rows('savepoint migration')
    session.notices.length = 0
    const error = await attempt(migrate)
    if (error === null) {
      const mine = 'select findings from integratedb.migration where xid = pg_current_xact_id()'
      const findings = (await session.rows<{ findings: Findings }>(mine)).flatMap((row) => row.findings)
      const works = await stillWorks(session, form, before)
      return { ...nothing, verdict: 'accepted', ...(await afterwards(session, form, findings, complained)), works }
    }
    await session.rows('rollback to savepoint migration')
    if (error.code !== 'IDB01') return failed(error, true)
    await session.rows(`select integratedb.set_enforcement('warn')`)
    await migrate()
    return failed(error, isUnchanged(before, await useAll(session, usual(form))))
  } finally {
    await session.rows('rollback')
  }
}

/** In a database of its own, each statement by itself. */
export async function tryOutside(database: TestDatabase, form: Form): Promise<Outcome> {
  const inside = async <T>(look: () => Promise<T>): Promise<T> => {
    await database.rows('begin')
    const seen = await look()
    await database.rows('rollback')
    return seen
  }
  const use = (): Promise<Use[]> => inside(() => useAll(database, usual(form)))
  await prepare(database, form)
  const before = await use()
  const complained = await complaints(database, form)
  database.notices.length = 0
  const error = await attempt(async () => {
    for (const sql of statements(form)) await database.rows(sql)
  })
  await database.rows('rollback')
  if (error !== null) {
    // What is refused must have changed nothing: commands like these could have committed midway.
    const untouched = isUnchanged(before, await use())
    if (!untouched) throw new Error(`left half done: ${error.message}`)
    return failed(error, form.gives.works)
  }
  const rows = await database.rows<{ findings: Findings } & Row>('select findings from integratedb.migrations')
  const works = await inside(() => stillWorks(database, form, before))
  return {
    ...nothing,
    verdict: 'accepted',
    ...(await afterwards(
      database,
      form,
      rows.flatMap((row) => row.findings),
      complained,
    )),
    works,
  }
}
