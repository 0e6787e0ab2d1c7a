/** The same with npm pgwire. */
// @ts-expect-error: it has no types
import { pgconnection } from 'pgwire'
import { begin, insert, publication, ready, slot, take, url } from './reader.ts'

interface Column {
  name: string
  typeOid: number
  flags: number
}

const INT4 = 23
const connection = pgconnection({ replication: 'database' }, url)
await connection.query('select 1')
const stream = connection.logicalReplication({ slot, options: { proto_version: 1, publication_names: publication } })
ready()
for await (const { messages } of stream.pgoutputDecode()) {
  for (const message of messages) {
    if (message.tag === 'begin') begin(message.commitLsn, message.commitTime, message.xid)
    else if (message.tag === 'insert') {
      // What it makes of values loses microseconds, and is not in the row itself: so from the text.
      const { relation, afterRaw: row } = message
      const key: Record<string, string> = {}
      for (const { name, typeOid, flags } of relation.columns as Column[]) {
        if (typeOid === INT4 && row[name] !== null) row[name] = Number(row[name])
        if (flags & 1) key[name] = row[name]
      }
      take(insert(relation, key, row))
    }
  }
}
