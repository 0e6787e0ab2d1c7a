/**
 * What an application does with a relation that it claims, done: as the stakeholder, each statement in a savepoint that is rolled back.
 * One round trip for all of them, because a history asks after every step.
 */
import format from 'pg-format'
import type { Session } from '../database.ts'
import type { Access } from './document.ts'

/** A column as the application knows it. */
export interface UsedColumn {
  quoted: string
  /** What it writes; null where the oracle knows no value. */
  value: string | null
  acceptsNull: boolean
  /** It filled itself, or accepts null: an INSERT may leave it out. */
  mayBeLeftOut: boolean
  isUnique: boolean
  isInserted: boolean
  /** "*" took it in later: no INSERT of the application names it yet, and one that does works as well. */
  isInsertedLater: boolean
  isUpdated: boolean
}

/** How an application uses a relation. */
export interface Use {
  relation: string
  access: ReadonlySet<Access>
  columns: UsedColumn[]
}

/** A thing to do, in one of these ways: the first that works. */
interface Attempt {
  name: string
  ways: string[]
}

/** What came of it. `rows`: seen or written. */
export interface Outcome {
  name: string
  state: string
  message: string
  rows: number
}

export const worked = '00000'

function insertions({ relation, access, columns }: Use): Attempt[] {
  const inserted = columns.filter(({ isInserted }) => isInserted)
  const later = columns.filter(({ isInsertedLater }) => isInsertedLater)
  if (!access.has('insert') || inserted.length + later.length === 0) return []
  /** With new values; else, where constraints want values that the oracle does not know, with those of a row that is there. */
  const insert = (name: string, into: UsedColumn[], isNull: (column: UsedColumn) => boolean): Attempt => {
    if (into.length === 0) return { name, ways: [`insert into ${relation} default values`] }
    const names = into.map(({ quoted }) => quoted).join(', ')
    const fresh = (column: UsedColumn) => (isNull(column) || column.value === null ? 'null' : format('%L', column.value))
    const kept = (column: UsedColumn) => (isNull(column) || column.isUnique ? fresh(column) : column.quoted)
    const ways = [`insert into ${relation} (${names}) values (${into.map(fresh).join(', ')})`]
    if (access.has('select')) ways.push(`insert into ${relation} (${names}) select ${into.map(kept).join(', ')} from ${relation} limit 1`)
    return { name, ways }
  }
  const never = () => false
  return [
    ...(inserted.length === 0 ? [] : [insert('insert', inserted, never)]),
    ...later.map((column) => insert(`insert with ${column.quoted}`, [...inserted, column], never)),
    ...inserted
      .filter(({ acceptsNull }) => acceptsNull)
      .map((column) => insert(`insert null into ${column.quoted}`, inserted, (one) => one === column)),
    ...inserted
      .filter(({ mayBeLeftOut }) => mayBeLeftOut)
      .map((column) =>
        insert(
          `insert without ${column.quoted}`,
          inserted.filter((one) => one !== column),
          never,
        ),
      ),
  ]
}

function updates({ relation, access, columns }: Use): Attempt[] {
  if (!access.has('update')) return []
  return columns
    .filter(({ isUpdated }) => isUpdated)
    .flatMap(({ quoted, value, acceptsNull }) => {
      const set = (name: string, to: string): Attempt => ({ name: `${name} ${quoted}`, ways: [`update ${relation} set ${quoted} = ${to}`] })
      return [
        ...(value === null ? [] : [set('update', format('%L', value))]),
        ...(access.has('select') ? [set('rewrite', quoted)] : []),
        ...(acceptsNull ? [set('set null', 'null')] : []),
      ]
    })
}

function attemptsOf(use: Use): Attempt[] {
  const { relation, access, columns } = use
  const [first] = columns
  if (first === undefined) return []
  const select = { name: 'select', ways: [`select ${columns.map(({ quoted }) => quoted).join(', ')} from ${relation}`] }
  const condition = access.has('select') ? ` where ${first.quoted} is null or ${first.quoted} is not null` : ''
  const remove = { name: 'delete', ways: [`delete from ${relation}${condition}`] }
  return [...(access.has('select') ? [select] : []), ...insertions(use), ...updates(use), ...(access.has('delete') ? [remove] : [])]
}

/** Tries it all in this session, with whatever rights it has now. A way that finds no row to copy has not worked (02000). */
export async function attempt(session: Session, uses: readonly Use[]): Promise<Outcome[][]> {
  const attempts = uses.map(attemptsOf)
  const flat = attempts.flat()
  if (flat.length === 0) return attempts.map(() => [])
  const answer = await session.value<string>(`
    do $oracle$
    declare
      attempt jsonb;
      way record;
      found bigint;
      tried jsonb;
      first_tried jsonb;
      outcomes jsonb := '[]';
    begin
      for attempt in select value from jsonb_array_elements(${format('%L', JSON.stringify(flat.map(({ ways }) => ways)))}::jsonb) loop
        first_tried := null;
        for way in select sql, place from jsonb_array_elements_text(attempt) with ordinality ways (sql, place) loop
          found := 0;
          begin
            execute way.sql;
            get diagnostics found = row_count;
            raise sqlstate 'ORACL';
          exception when others then
            tried := jsonb_build_object('rows', found, 'message', sqlerrm, 'state',
              case when sqlstate <> 'ORACL' then sqlstate when way.place > 1 and found = 0 then '02000' else '${worked}' end);
          end;
          first_tried := coalesce(first_tried, tried);
          exit when tried->>'state' in ('${worked}', '42501'); -- no other value gives a privilege
        end loop;
        outcomes := outcomes || case when tried->>'state' = '${worked}' then tried else first_tried end;
      end loop;
      perform set_config('oracle.outcomes', outcomes::text, false);
    end $oracle$;
    select current_setting('oracle.outcomes')`)
  const outcomes = JSON.parse(answer) as Omit<Outcome, 'name'>[]
  const named = flat.map(({ name }, at): Outcome => ({ ...(outcomes[at] as Omit<Outcome, 'name'>), name }))
  let taken = 0
  return attempts.map((one) => {
    taken += one.length
    return named.slice(taken - one.length, taken)
  })
}
