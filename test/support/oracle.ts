/**
 * The oracle: what a claim means, told without any of our code. A stakeholder can run the query that its document
 * speaks of and gets columns of the claimed types; and of the privileges in the database its role holds exactly those.
 *
 * It reads documents and the view `integratedb.claims` as any user can, and otherwise only Postgres's own catalogue.
 */
import format from 'pg-format'
import { expect } from 'vitest'
import type { Session, TestDatabase } from './database.ts'

interface Path {
  path: string
  fields?: unknown
}

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

function pathsOf(document: { match: (Path | { alternatives: Path[] })[] }): Path[] {
  return document.match.flatMap((match) => ('alternatives' in match ? match.alternatives : [match]))
}

/** The names in a document's `fields`, alternatives included; null for all of them. */
function namesOf(fields: unknown): string[] | null {
  if (fields === '*' || JSON.stringify(fields) === '["*"]') return null
  if (!Array.isArray(fields)) return []
  return fields.flatMap((field) => {
    if (typeof field === 'string') return [field]
    return 'alternatives' in field ? (namesOf(field.alternatives) ?? []) : [field.name]
  })
}

/** Every column that a document speaks of and that is there: `schema.relation.column`, quoted as SQL does. */
async function columnsOf(
  session: Session,
  stakeholder: string,
  document: { match: (Path | { alternatives: Path[] })[] },
): Promise<string[]> {
  const found = new Set<string>()
  for (const { path, fields } of pathsOf(document)) {
    const isWildcard = path.endsWith('.*')
    const columns = await session.rows<{ name: string }>(
      `select format('%I.%I.%I', n.nspname, c.relname, a.attname) as name
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname = (parse_ident($1))[1]
          and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and case when $2 then
                not c.relispartition
                and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
              else c.relname = (parse_ident($1))[2] end
          and ($3::text[] is null or a.attname = any ($3))
          and pg_get_userbyid(c.relowner) <> $4`,
      [isWildcard ? `${path.slice(0, -1)}x` : path, isWildcard, namesOf(fields), stakeholder],
    )
    for (const { name } of columns) found.add(name)
  }
  return [...found]
}

/** Exactly the privileges that the role itself holds on what others own, on anything in this database that we grant on. */
export async function privilegesOf(session: Session, role: string): Promise<string[]> {
  const rows = await session.rows<{ privilege: string }>(
    `with role as (select oid from pg_roles where rolname = $1)
     select format('%s on %I.%I.%I', x.privilege_type, n.nspname, c.relname, a.attname) as privilege
       from role, pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace, aclexplode(a.attacl) x
      where x.grantee = role.oid and c.relowner <> role.oid and not a.attisdropped
     union
     select format('%s on %I.%I', x.privilege_type, n.nspname, c.relname)
       from role, pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
      where x.grantee = role.oid and c.relowner <> role.oid
     union
     select format('%s on schema %I', x.privilege_type, n.nspname)
       from role, pg_namespace n, aclexplode(n.nspacl) x
      where x.grantee = role.oid and n.nspowner <> role.oid
      order by 1`,
    [role],
  )
  return rows.map(({ privilege }) => privilege)
}

/** What the role should hold, by its document alone. */
async function privilegesClaimed(session: Session, stakeholder: string): Promise<string[]> {
  const document = await session.value<Parameters<typeof columnsOf>[2] | null>('select integratedb.get_claims($1)', [stakeholder])
  const columns = document === null ? [] : await columnsOf(session, stakeholder, document)
  const rows = await session.rows<{ privilege: string }>(
    `select 'SELECT on ' || name as privilege from unnest($1::text[]) name
     union
     select format('USAGE on schema %I', n.nspname) from unnest($1::text[]) name, pg_namespace n
      where n.nspname = (parse_ident(name))[1] and pg_get_userbyid(n.nspowner) <> $2
      order by 1`,
    [columns, stakeholder],
  )
  return rows.map(({ privilege }) => privilege)
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

/** Every stakeholder can read what it claims, and holds exactly that. */
export async function expectClaimsToHold(database: TestDatabase): Promise<void> {
  for (const { name } of await database.rows<{ name: string }>('select name from integratedb.stakeholders order by name')) {
    expect({ stakeholder: name, wrong: await unreadableClaims(database, name) }).toEqual({ stakeholder: name, wrong: [] })
    expect({ stakeholder: name, privileges: await privilegesOf(database, name) }).toEqual({
      stakeholder: name,
      privileges: await privilegesClaimed(database, name),
    })
  }
}

/** All that claims amount to: the claims themselves, without what a row's storage says, and every privilege in the database. */
export async function stateOf(session: Session): Promise<unknown> {
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
