/** A row for each empty table, where one can be made up: only rows make defaults, NOT NULL and constraints matter. */
import format from 'pg-format'
import type { Session } from '../support/database.ts'
import type { Catalog, Column, Relation } from './catalog.ts'

/** What was tried on tables of this shape before, and need not be again. */
export type Tried = Set<string>

const VARIANTS: ((value: string) => string)[] = [
  (value) => value,
  (value) => (value === "'x1'" ? "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" : value),
  (value) => (value === "'x1'" ? "'https://example.org/x'" : value),
]

/** Inserts what it can, and answers the statements that went through. */
export async function seed(session: Session, catalog: Catalog, tried: Tried): Promise<{ table: string; sql: string }[]> {
  const done: { table: string; sql: string }[] = []
  for (let progress = true; progress; ) {
    progress = false
    for (const relation of catalog.values()) {
      if (relation.kind !== 'r' && relation.kind !== 'p') continue
      const columns = relation.columns.map(({ name, type, not_null }) => [name, type, not_null])
      const shape = `${relation.oid} ${JSON.stringify(columns)}`
      if (tried.has(shape)) continue
      if (await session.value<boolean>(`select exists (select from ${relation.path})`)) {
        tried.add(shape)
        continue
      }
      for (const sql of attempts(relation)) {
        try {
          await session.rows(sql)
        } catch {
          continue
        }
        tried.add(shape)
        done.push({ table: relation.path, sql })
        progress = true
        break
      }
    }
  }
  for (const relation of catalog.values()) {
    tried.add(`${relation.oid} ${JSON.stringify(relation.columns.map(({ name, type, not_null }) => [name, type, not_null]))}`)
  }
  return done
}

function attempts({ path, columns }: Relation): string[] {
  const insert = (chosen: Column[], variant: (value: string) => string) =>
    chosen.length === 0
      ? `insert into ${path} default values`
      : `insert into ${path} (${chosen.map(({ name }) => format.ident(name))}) overriding system value values (${chosen.map((column) => {
          if (column.reference !== null) return column.reference
          return column.sample === null ? 'null' : variant(column.sample.replace('%n', '1'))
        })})`
  // Not the next of a sequence, which is another one each time.
  const isNumbered = ({ fills, sample, not_null }: Column) => fills && not_null && sample === '%n'
  const all = columns.filter((column) => column.generated === '' && (!column.fills || isNumbered(column)))
  const required = all.filter(({ not_null }) => not_null)
  return [...new Set(VARIANTS.flatMap((variant) => [insert(all, variant), insert(required, variant)]))]
}
