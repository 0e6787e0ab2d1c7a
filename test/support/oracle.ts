/**
 * The oracle: what a claim means, told without any of our code. A stakeholder can do what its document speaks of, gets columns of the
 * claimed types, and of the privileges in the database its role holds exactly those; what worked before a migration works after it.
 *
 * It reads documents and the view `integratedb.claims` as any user can, and otherwise only Postgres's own catalogue:
 *
 * - oracle/document.ts: what does a document say?
 * - oracle/catalogue.ts: what is in the database?
 * - oracle/promise.ts: which properties does a claim rest on, and which of them are worse than they were?
 * - oracle/attempt.ts, oracle/value.ts: what does an application do with what it claims, and does it work?
 * - oracle/privilege.ts: which privileges should its role hold, and which does it?
 * - oracle/excuse.ts: may it fail all the same?
 * - oracle/ledger.ts: who was promised what, and does it still hold?
 * - oracle/finding.ts: is what a rejection says really so?
 */
import format from 'pg-format'
import { expect } from 'vitest'
import type { Row, Session, TestDatabase } from './database.ts'
import { readCatalogue } from './oracle/catalogue.ts'
import { type Document, readDocument } from './oracle/document.ts'
import { privilegesOf, wrongPrivileges } from './oracle/privilege.ts'

export { privilegesOf }

/** One row of `integratedb.claims`. */
export interface ClaimRow extends Record<string, unknown> {
  stakeholder: string
  path: string
  field: string | null
  type: string | null
  min_length: number | null
  is_nullable: boolean | null
  optional: boolean
  alternative: number | null
  status: string
}

/** A type as the protocol tells of it: a domain's columns go out as what is under the domain. */
const shownType = `
  with recursive under (type, modifier) as (
    select to_regtype($1)::oid, null::integer
    union all
    select t.typbasetype, t.typtypmod from under u join pg_type t on t.oid = u.type where t.typtype = 'd'
  )
  select case when modifier is null then $1 else format_type(type, modifier) end
    from under u join pg_type t on t.oid = u.type where t.typtype <> 'd'`

/** Runs, as the stakeholder, the query over each path that it claims. Answers what is wrong. */
async function unreadableClaims(database: TestDatabase, stakeholder: string): Promise<string[]> {
  const claims = await database.rows<ClaimRow>(
    `select * from integratedb.claims where stakeholder = $1 and status = 'met' and field is not null`,
    [stakeholder],
  )
  const byPath = new Map<string, Map<string, string | null>>()
  for (const { path, field, type } of claims) {
    const fields = byPath.get(path) ?? new Map<string, string | null>()
    byPath.set(path, fields.set(field as string, type))
  }
  const wrong: string[] = []
  const session = await database.connect(stakeholder)
  for (const [path, fields] of byPath) {
    const names = [...fields.keys()]
    try {
      const result = await session.client.query(`select ${format('%I', names)} from ${path} where false`)
      for (const [at, { name, dataTypeID, dataTypeModifier }] of result.fields.entries()) {
        const got = await database.value('select format_type($1, $2)', [dataTypeID, dataTypeModifier])
        const wanted = await database.value(shownType, [fields.get(names[at] as string)])
        if (got !== wanted) wrong.push(`${path}.${name}: claimed ${wanted}, read ${got}`)
      }
    } catch (error) {
      wrong.push(`${path}: ${(error as Error).message}`)
    }
  }
  await session.end()
  return wrong
}

/** Every stakeholder can read what it claims, and holds exactly the privileges that its document speaks of. */
export async function expectClaimsToHold(database: TestDatabase): Promise<void> {
  const catalogue = await readCatalogue(database)
  const stakeholders = await database.rows<{ name: string; document: Document | null }>(
    'select name, integratedb.get_claims(name) as document from integratedb.stakeholders order by name',
  )
  for (const { name } of stakeholders) {
    expect({ stakeholder: name, wrong: await unreadableClaims(database, name) }).toEqual({ stakeholder: name, wrong: [] })
  }
  const claimed = new Map(stakeholders.map(({ name, document }) => [name, document === null ? [] : readDocument(document)]))
  expect(await wrongPrivileges(database, catalogue, claimed)).toEqual([])
}

/** All that claims amount to: the claims themselves, without what a row's storage says, and every privilege in the database. */
export async function stateOf(session: Session): Promise<Record<string, Row[]>> {
  return {
    documents: await session.rows('select name, document from integratedb.stakeholder order by name'),
    claims: await session.rows(
      `select to_jsonb(c) - 'id' as claim from integratedb.claim c order by stakeholder, match, alternative, schema_name, relation_name`,
    ),
    acls: await session.rows(
      `select c.oid::regclass::text as object, c.relacl::text as acl from pg_class c
        where c.relacl is not null and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
       union all
       select a.attrelid::regclass || '.' || a.attname, a.attacl::text from pg_attribute a where a.attacl is not null
       union all
       select nspname, nspacl::text from pg_namespace where nspacl is not null
       order by 1`,
    ),
  }
}

/** What was expanded migration by migration is what expanding everything anew gives. */
export async function expectSyncToChangeNothing(database: TestDatabase): Promise<void> {
  const before = await stateOf(database)
  const rows = 'select ctid::text, id from integratedb.claim order by id'
  const stored = await database.rows(rows)
  const unmet = await database.rows('select * from integratedb.unmet_claims(null)')
  expect(await database.rows('select * from integratedb.sync()')).toEqual(unmet)
  expect(await stateOf(database)).toEqual(before)
  // Not even rewritten.
  expect(await database.rows(rows)).toEqual(stored)
}

/** Both: after each step of a history, whatever it was. */
export async function expectAllWell(database: TestDatabase): Promise<void> {
  await expectClaimsToHold(database)
  await expectSyncToChangeNothing(database)
}

/** `set_claims`, with the matches of the document. */
export async function setClaims(session: Session, stakeholder: string, match: unknown[]): Promise<ClaimRow[]> {
  return await session.rows<ClaimRow>('select * from integratedb.set_claims($1, $2)', [stakeholder, JSON.stringify({ match })])
}

/** What `set_claims` says of matches that it refuses: the lines of DETAIL. Nothing may have changed. */
export async function refusal(session: Session, stakeholder: string, match: unknown[]): Promise<string[]> {
  const before = await stateOf(session)
  const failure = await session.failure('select integratedb.set_claims($1, $2)', [stakeholder, JSON.stringify({ match })])
  expect(['IDB02', 'IDB03']).toContain(failure.code)
  expect(failure.hint).not.toBe('')
  expect(await stateOf(session)).toEqual(before)
  return failure.detail?.split('\n') ?? []
}
