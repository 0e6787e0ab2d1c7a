/** A row for each empty table, where one can be made up: only rows make defaults, NOT NULL and constraints matter. */
import type { Session } from '../support/database.ts'
import type { Catalogue, Column, Relation, Types } from '../support/oracle/catalogue.ts'
import { fillsItself } from '../support/oracle/promise.ts'
import { sampleOf } from '../support/oracle/value.ts'

/** What was tried on tables of this shape before, and need not be again. */
export type Tried = Set<string>

/** Texts that one constraint or another may want. */
const TEXTS = ['x1', 'a'.repeat(40), 'https://example.org/x']

/** Of types that the oracle has no value for, most of them an extension's. */
const OTHERS: Record<string, string> = {
  oid: '1',
  tsvector: 'x',
  tsquery: 'x',
  ltree: 'x',
  lquery: 'x',
  hstore: '',
  cidr: '10.0.0.1',
  macaddr: '08:00:2b:01:02:01',
  bit: '1',
  'bit varying': '1',
  'time without time zone': '10:01',
  'time with time zone': '10:01',
  tsrange: 'empty',
  int8range: 'empty',
  numrange: 'empty',
  daterange: 'empty',
}

const shapeOf = ({ oid, columns }: Relation): string =>
  `${oid} ${JSON.stringify(columns.map(({ name, type, isNotNull }) => [name, type, isNotNull]))}`

/** Inserts what it can, and answers the statements that went through. */
export async function seed(session: Session, catalogue: Catalogue, tried: Tried): Promise<{ table: string; sql: string }[]> {
  const done: { table: string; sql: string }[] = []
  for (let progress = true; progress; ) {
    progress = false
    for (const relation of catalogue.relations.values()) {
      if ((relation.kind !== 'r' && relation.kind !== 'p') || relation.isPartition || relation.isOfExtension) continue
      const shape = shapeOf(relation)
      if (tried.has(shape)) continue
      if (await session.value<boolean>(`select exists (select from ${relation.name})`)) {
        tried.add(shape)
        continue
      }
      for (const sql of attempts(relation, catalogue.types)) {
        try {
          await session.rows(sql)
        } catch {
          continue
        }
        tried.add(shape)
        done.push({ table: relation.name, sql })
        progress = true
        break
      }
    }
  }
  for (const relation of catalogue.relations.values()) tried.add(shapeOf(relation))
  return done
}

function attempts(relation: Relation, types: Types): string[] {
  const insert = (chosen: Column[], text: string) =>
    chosen.length === 0
      ? `insert into ${relation.name} default values`
      : `insert into ${relation.name} (${chosen.map(({ quoted }) => quoted)}) overriding system value values (${chosen.map(
          (column) => referenceOf(relation, column) ?? literal(textFor(types, column, text)),
        )})`
  // Not the next of a sequence, which is another one each time.
  const isNumbered = (column: Column) => column.isNotNull && /^(smallint|integer|bigint)$/.test(column.shown)
  const all = relation.columns.filter((column) => !column.generated && (!fillsItself(column) || isNumbered(column)))
  const required = all.filter(({ isNotNull }) => isNotNull)
  return [...new Set(TEXTS.flatMap((text) => [insert(all, text), insert(required, text)]))]
}

const literal = (value: string | null): string => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`)

function textFor(types: Types, { shown }: Column, text: string): string | null {
  const [, base = shown, size] = /^(?:.*\.)?([^.(]*)(?:\((\d+)\))?$/.exec(shown) ?? []
  if (/^(text|character varying|citext|name)$/.test(base)) return text.slice(0, Number(size ?? 63))
  return sampleOf(types, shown, 1) ?? (shown.endsWith('[]') ? '{}' : (OTHERS[base] ?? null))
}

/** A value that is there, where a foreign key wants one. */
function referenceOf({ constraints }: Relation, { quoted }: Column): string | null {
  for (const { definition } of constraints.filter(({ isForeign }) => !isForeign)) {
    const [, keys = '', table = '', others = ''] = /^FOREIGN KEY \((.*?)\) REFERENCES (.*?)\((.*?)\)/.exec(definition) ?? []
    const at = keys.split(', ').indexOf(quoted)
    if (at !== -1) return `(select ${others.split(', ')[at]} from ${table} limit 1)`
  }
  return null
}
