/** Our own reader, decoder and writer, without the rest of the notifier: what the peers are compared with. */
import { EventWriter, type Transaction, transactionOf } from '../../src/notifier/event.ts'
import { decode } from '../../src/notifier/pgoutput.ts'
import { startReplication } from '../../src/notifier/replication.ts'
import { publication, ready, slot, source, stakeholder, take, url } from './reader.ts'

const stream = await startReplication({ connection: { connectionString: url }, slot, publications: [publication] })
ready()
let writer: EventWriter | undefined
let transaction: Transaction | undefined
let index = 0
for await (const { bytes, positions } of stream) {
  for (let i = 0; i < positions.length; i += 2) {
    const message = decode(bytes, positions[i], positions[i + 1])
    if (message.kind === 'begin') {
      // The peers know no other position before the first change; the notifier takes the commit's end.
      transaction = transactionOf(message, message.commitLsn)
      index = 0
    } else if (message.kind === 'relation') {
      const columns = message.columns.map((_, column) => column)
      writer = new EventWriter({ source, stakeholder, operation: 'INSERT', relation: message, key: [0], columns, secret: 'x' })
    } else if (message.kind === 'insert' && writer && transaction) take(writer.insert(transaction, index++, message).body)
    else if (message.kind === 'commit') stream.acknowledge(message.endLsn)
  }
}
