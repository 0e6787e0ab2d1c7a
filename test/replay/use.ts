/**
 * What a claim promises, as statements that the stakeholder tries: reading, writing, deleting. Each is undone at once.
 * What worked before a migration has to work after it; a constraint or a trigger may refuse values.
 */
import format from 'pg-format'
import type { Session } from '../support/database.ts'
import type { Catalog, Column, Relation } from './catalog.ts'
import type { Claims, PathClaim } from './document.ts'

export interface Use {
  kind: 'read' | 'rows' | 'insert' | 'update' | 'delete'
  path: string
  /** The column that this is about, where it is about one. */
  field: string | null
  sql: string
  /** What is claimed as optional may be gone. */
  optional: boolean
  /** One of those with the same number has to work. */
  group: string | null
}

/** `works`; `refused`: by a constraint or in a trigger; else SQLSTATE and message. */
export type Outcome = { result: 'works' | 'refused' | 'fails'; detail: string; rows: number | null }

export function usesOf(claims: Claims, catalog: Catalog, only?: ReadonlySet<string>): Use[] {
  const uses: Use[] = []
  for (const claim of claims.paths.values()) {
    const relation = catalog.get(claim.path)
    if (relation === undefined || (only !== undefined && !only.has(claim.path))) continue
    const names = new Set([...claim.fields.map(({ name }) => name), ...claim.alternatives.flat()])
    const columns = relation.columns.filter(({ name }) => claim.all || names.has(name))
    uses.push(...reading(claim, columns))
    if (claim.access.includes('insert')) uses.push(...inserting(claim, relation, columns))
    if (claim.access.includes('update')) uses.push(...updating(claim, columns))
    if (claim.access.includes('delete')) uses.push(...deleting(claim, columns))
  }
  return uses
}

function reading({ path, fields, alternatives, optional }: PathClaim, columns: Column[]): Use[] {
  const loose = new Set(fields.filter((field) => field.optional).map(({ name }) => name))
  const groupOf = (name: string) => alternatives.find((names) => names.includes(name))?.join() ?? null
  const firm = columns.filter(({ name }) => !loose.has(name) && groupOf(name) === null)
  const use = (chosen: Column[], one: Column | null): Use => ({
    kind: 'read',
    path,
    field: one?.name ?? null,
    sql: `select ${chosen.map(({ name }) => format.ident(name)).join(', ')} from ${path}`,
    optional: optional || (one !== null && loose.has(one.name)),
    group: one === null ? null : groupOf(one.name),
  })
  const uses = columns.filter((column) => !firm.includes(column)).map((column) => use([column], column))
  if (firm.length > 0) {
    uses.push(use(firm, null))
    // count(*) works with a privilege on any column.
    uses.push({ kind: 'rows', path, field: null, sql: `select count(*) from ${path}`, optional, group: null })
  }
  return uses
}

function isInsertable({ generated, identity }: Column): boolean {
  return generated === '' && identity !== 'a'
}

function inserting({ path, fields }: PathClaim, { columns: all }: Relation, claimed: Column[]): Use[] {
  const optional = new Set(fields.filter((field) => field.optional).map(({ name }) => name))
  const columns = claimed.filter((column) => isInsertable(column) && column.sample !== null)
  const given = (chosen: Column[], nulls: Column | null) =>
    `insert into ${path} (${chosen.map(({ name }) => format.ident(name))}) values (${chosen.map((column) =>
      column === nulls ? 'null' : (column.sample as string).replace('%n', '2'),
    )})`
  const use = (chosen: Column[], about: Column | null, nulls: Column | null = null): Use[] =>
    chosen.length === 0
      ? []
      : [
          {
            kind: 'insert',
            path,
            field: about?.name ?? null,
            sql: given(chosen, nulls),
            optional: chosen.some(({ name }) => optional.has(name)),
            group: null,
          },
        ]
  const isRequired = (column: Column) => column.not_null && !column.fills && isInsertable(column)
  return [
    ...use(columns, null),
    ...use(columns.filter(isRequired), null),
    ...columns.flatMap((column) =>
      isRequired(column)
        ? []
        : use(
            columns.filter((other) => other !== column),
            column,
          ),
    ),
    ...columns.flatMap((column) => (column.not_null ? [] : use(columns, column, column))),
  ].filter((_, at) => at < 2 * all.length + 2)
}

function updating({ path, fields }: PathClaim, claimed: Column[]): Use[] {
  const optional = new Set(fields.filter((field) => field.optional).map(({ name }) => name))
  return claimed.filter(isInsertable).flatMap((column) => {
    const name = format.ident(column.name)
    const use = (value: string): Use => ({
      kind: 'update',
      path,
      field: column.name,
      sql: `update ${path} set ${name} = ${value}`,
      optional: optional.has(column.name),
      group: null,
    })
    return [
      use(name),
      ...(column.sample === null ? [] : [use(column.sample.replace('%n', '3'))]),
      ...(column.not_null ? [] : [use('null')]),
    ]
  })
}

function deleting({ path, fields }: PathClaim, columns: Column[]): Use[] {
  const optional = new Set(fields.filter((field) => field.optional).map(({ name }) => name))
  const use = (sql: string): Use => ({
    kind: 'delete',
    path,
    field: null,
    sql,
    optional: columns.every(({ name }) => optional.has(name)),
    group: null,
  })
  const column = columns.find(({ name }) => !optional.has(name))
  return [
    use(`delete from ${path}`),
    ...(column === undefined ? [] : [use(`delete from ${path} where ${format.ident(column.name)} is not null`)]),
  ]
}

const TRY = `
do $replay$
declare
  use record;
  outcomes jsonb := '[]';
  code text;
  said text;
  place text;
  seen bigint;
begin
  for use in select value ->> 'kind' as kind, value ->> 'sql' as sql from jsonb_array_elements(current_setting('replay.uses')::jsonb) loop
    seen := null;
    begin
      if use.kind = 'rows' then
        execute use.sql into seen;
      else
        execute use.sql;
      end if;
      raise exception using errcode = 'RP000';
    exception when others then
      get stacked diagnostics code = returned_sqlstate, said = message_text, place = pg_exception_context;
      outcomes := outcomes || jsonb_build_array(jsonb_build_object('code', code, 'said', said, 'rows', seen,
        'inside', (select count(*) from regexp_matches(place, '(PL/\\w+|SQL) function', 'g')) > 1));
    end;
  end loop;
  perform set_config('replay.outcomes', outcomes::text, false);
end
$replay$`

const REFUSALS = new Set(['23514', '23503', '23505', '23P01', '23001', '44000'])

/** As whoever the session is. */
export async function tryUses(session: Session, uses: readonly Use[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let at = 0; at < uses.length; at += 300) {
    const some = uses.slice(at, at + 300).map(({ kind, sql }) => ({ kind, sql }))
    await session.value("select set_config('replay.uses', $1, false)", [JSON.stringify(some)])
    await session.rows(TRY)
    const answered = JSON.parse(await session.value<string>("select current_setting('replay.outcomes')")) as {
      code: string
      said: string
      rows: number | null
      inside: boolean
    }[]
    for (const { code, said, rows, inside } of answered) {
      const result = code === 'RP000' ? 'works' : REFUSALS.has(code) || inside ? 'refused' : 'fails'
      outcomes.push({ result, detail: code === 'RP000' ? '' : `${code} ${said}`, rows })
    }
  }
  return outcomes
}
