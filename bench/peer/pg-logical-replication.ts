/** The same with npm pg-logical-replication. */
import pg from 'pg'
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication'
import { begin, insert, publication, ready, slot, take, url } from './reader.ts'

// A Date would lose the microseconds.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, String)

const service = new LogicalReplicationService({ connectionString: url }, { acknowledge: { auto: false, timeoutSeconds: 10 } })
service.on('start', ready)
service.on('error', (error) => {
  throw error
})
service.on('data', (_: string, message: Pgoutput.Message) => {
  if (message.tag === 'begin') begin(message.commitLsn ?? '', message.commitTime.valueOf(), message.xid)
  else if (message.tag === 'insert') {
    const { relation, new: row } = message
    const key = Object.fromEntries(relation.keyColumns.map((column) => [column, row[column]]))
    take(insert(relation, key, row))
  }
})
await service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] }), slot)
