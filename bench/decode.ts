/**
 * What does a row change cost the notifier, from pgoutput's bytes to an event's JSON bytes? CPU of this process, not the clock.
 * `npx tsx bench/decode.ts [rows]`: first the decoder alone, on one batch again and again; then one transaction of so
 * many rows (default 1,000,000) from an embedded server through the replication connection, with the resident memory.
 */
import pg from 'pg'
import { startEmbeddedServer } from '../src/embedded/index.ts'
import { EventWriter, type Transaction, transactionOf } from '../src/notifier/event.ts'
import { decode, type Relation, relationOf } from '../src/notifier/pgoutput.ts'
import { startReplication } from '../src/notifier/replication.ts'

const rows = Number(process.argv[2] ?? 1_000_000)

function writerOf(relation: Relation): EventWriter {
  const columns = relation.columns.map((_, column) => column)
  return new EventWriter({
    source: '/integratedb/bench',
    stakeholder: 'reporter',
    operation: 'INSERT',
    relation,
    key: [0],
    columns,
    secret: 'x',
  })
}

async function measure(what: string, changes: number, work: () => Promise<void> | void): Promise<void> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - started) / 1000
  console.log(`${what}: ${((user + system) / changes).toFixed(2)} us CPU a change, ${seconds.toFixed(1)} s`)
}

const server = await startEmbeddedServer({ settings: { synchronous_commit: 'on' } })
const client = new pg.Client({ connectionString: server.url })
await client.connect()
await client.query(`create table t (id int8 primary key, n int, name text, price numeric, at timestamptz, note text);
  create publication p for table t`)
await client.query(`select pg_create_logical_replication_slot('s', 'pgoutput')`)
const insert = (from: number, to: number) =>
  client.query(
    `insert into t select n, n % 1000, 'customer "' || n || '"', n / 100.0, now(), repeat('note ', 8) from generate_series(${from}, ${to}) n`,
  )

await insert(1, 1000)
const { rows: recorded } = await client.query<{ data: Buffer }>(
  `select data from pg_logical_slot_get_binary_changes('s', null, null, 'proto_version', '1', 'publication_names', 'p')`,
)
const inserts = recorded.map(({ data }) => data).filter((data) => relationOf(data) !== null)
const relation = recorded.map(({ data }) => decode(data)).find((message) => message.kind === 'relation')
if (relation?.kind !== 'relation') throw new Error('no relation message')
const writer = writerOf(relation)
const transaction: Transaction = transactionOf({ kind: 'begin', commitLsn: 1n, committedAt: 1_764_000_000_000_000n, xid: 731 }, 2n)
let sink = 0
for (const round of ['warming up', 'again']) {
  await measure(`skipped (${round})`, 1e6, () => {
    for (let i = 0; i < 1000; i++) for (const bytes of inserts) sink += relationOf(bytes) ?? 0
  })
  await measure(`decoded (${round})`, 1e6, () => {
    for (let i = 0; i < 1000; i++) for (const bytes of inserts) sink += decode(bytes).kind.length
  })
  await measure(`decoded and to an event's JSON bytes (${round})`, 1e6, () => {
    for (let i = 0; i < 1000; i++) {
      for (const bytes of inserts) {
        const message = decode(bytes)
        if (message.kind === 'insert') sink += writer.insert(transaction, i, message).body.length
      }
    }
  })
}

await insert(1001, 1000 + rows)
global.gc?.()
console.log(`resident before the stream: ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MB`)
let most = 0
const stream = await startReplication({ connection: { connectionString: server.url }, slot: 's', publications: ['p'] })
await measure(`one transaction of ${rows} rows, from the socket to JSON bytes`, rows, async () => {
  for await (const { bytes, positions } of stream) {
    for (let i = 0; i < positions.length; i += 2) {
      const message = decode(bytes, positions[i], positions[i + 1])
      if (message.kind === 'insert') sink += writer.insert(transaction, i, message).body.length
      if (message.kind === 'commit') return stream.acknowledge(message.endLsn)
    }
    most = Math.max(most, process.memoryUsage.rss())
  }
})
console.log(`resident at most: ${(most / 2 ** 20).toFixed(0)} MB (${sink > 0 ? 'done' : ''})`)
await stream.stop()
await client.end()
await server.stop()
