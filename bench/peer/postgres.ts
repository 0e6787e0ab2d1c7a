/** The same with npm postgres (postgres.js), which makes a slot of its own and says nothing of the transaction: those parts are made up, as long. */
import postgres from 'postgres'
import { begin, insert, publication, ready, take, url } from './reader.ts'

interface Relation {
  schema: string
  table: string
  keys: { name: string }[]
}

const text = { to: 1184, from: [1184], serialize: String, parse: String }
// A Date would lose the microseconds.
const sql = postgres(url, { publications: publication, types: { timestamptz: text }, onnotice: () => {} })
begin('0/1234567', 1_764_000_000_123_456n, 1234)
await sql.subscribe(
  'insert',
  (row, { relation }) => {
    const { schema, table: name, keys } = relation as unknown as Relation
    if (row === null) return
    const key = Object.fromEntries(keys.map((column) => [column.name, row[column.name]]))
    take(insert({ schema, name }, key, row))
  },
  ready,
)
