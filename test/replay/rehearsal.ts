/** The bare run: how does each file run where there is no IntegrateDB, and which rows can be made up on the way? */
import pg from 'pg'
import type { Session, TestDatabase } from '../support/database.ts'
import { readCatalogue } from '../support/oracle/catalogue.ts'
import type { MigrationFile } from './history.ts'
import { seed, type Tried } from './seed.ts'

export interface Step {
  /** `statements`: one by one, as something in it cannot run in a transaction. `skip`: fails by itself. */
  mode: 'transaction' | 'statements' | 'skip'
  /** Of `statements`: which fail by themselves. */
  failing: number[]
  /** Made-up rows that have to go first. */
  clear: string[]
  /** To be run afterwards. */
  seeds: string[]
  milliseconds: number
  error: string
}

export async function rehearse(database: TestDatabase, files: readonly MigrationFile[]): Promise<Step[]> {
  const steps: Step[] = []
  const tried: Tried = new Set()
  let seeded: string[] = []
  const session = await database.connect()
  const eyes = await connectToLook(database)
  for (const file of files) {
    const step: Step = { mode: 'transaction', failing: [], clear: [], seeds: [], milliseconds: 0, error: '' }
    let error = await inTransaction(session, file, step)
    if (error !== null && !needsNoTransaction(error) && seeded.length > 0) {
      step.clear = await clear(session, seeded)
      seeded = []
      error = await inTransaction(session, file, step)
    }
    if (error !== null && needsNoTransaction(error)) {
      step.mode = 'statements'
      await oneByOne(session, file, step)
    } else if (error !== null) {
      step.mode = 'skip'
      step.error = error.message
    }
    await reset(session)
    const rows = await seed(session, await readCatalogue(eyes), tried)
    step.seeds = rows.map(({ sql }) => sql)
    seeded = [...seeded, ...rows.map(({ table }) => table)]
    steps.push(step)
  }
  return steps
}

/** Types and tables are spelled with their schemas. */
export async function connectToLook(database: TestDatabase): Promise<Session> {
  return await database.connect(undefined, { options: '-c search_path=pg_catalog' })
}

/** Like a new connection. */
export async function reset(session: Session): Promise<void> {
  await session.rows('set session authorization default; reset role; reset all')
}

function needsNoTransaction({ code, message }: pg.DatabaseError): boolean {
  // 55P04: a label of an enum is used in the transaction that adds it.
  return code === '55P04' || (code === '25001' && /transaction block/.test(message))
}

async function inTransaction(session: Session, { text }: MigrationFile, step: Step): Promise<pg.DatabaseError | null> {
  const start = performance.now()
  try {
    await session.rows('begin')
    if (text !== '') await session.rows(text)
    await session.rows('commit')
    step.milliseconds = performance.now() - start
    return null
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    await session.rows('rollback')
    return error
  }
}

async function oneByOne(session: Session, { statements }: MigrationFile, step: Step): Promise<void> {
  const start = performance.now()
  for (const [at, statement] of statements.entries()) {
    try {
      await session.rows(statement)
    } catch (error) {
      step.failing.push(at)
      step.error = (error as Error).message
    }
  }
  step.milliseconds = performance.now() - start
}

/** Tables may be gone or have other names by now. */
async function clear(session: Session, tables: string[]): Promise<string[]> {
  const left: string[] = []
  for (const table of new Set(tables)) {
    const sql = `truncate ${table} cascade`
    await session.rows(sql).then(
      () => left.push(sql),
      () => {},
    )
  }
  return left
}
