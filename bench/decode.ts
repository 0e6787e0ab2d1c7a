/** What does a row change cost the notifier, step by step, from pgoutput's bytes to an event's JSON bytes? In this process, on the same changes again and again. */
import type { State } from '../src/core/index.ts'
import { EventWriter, type Transaction, transactionOf } from '../src/notifier/event.ts'
import { decode, type Relation, relationOf } from '../src/notifier/pgoutput.ts'
import { ChangedRow, type Routes, routesOf } from '../src/notifier/route.ts'
import type { Figure } from './figure.ts'
import { prepareTable, rowsOf } from './readers.ts'
import type { BenchServer } from './server.ts'

const CHANGES = 1000
/** Of all changes. */
const TIMES = 300

type Interest = Routes['INSERT'][number]
type Subscription = State['subscriptions'][number]

const source = '/integratedb/bench'
const stakeholder = 'reporter'
const secret = 'x'

function writerOf(relation: Relation): EventWriter {
  const columns = relation.columns.map((_, column) => column)
  return new EventWriter({ source, stakeholder, operation: 'INSERT', relation, key: [0], columns, secret })
}

/** One stakeholder who wants what costs more than a cent. */
function interestIn(relation: Relation): Interest {
  const subscription: Subscription = {
    relation: relation.oid,
    path: 'public.t',
    events: ['INSERT'],
    fields: relation.columns.map(({ name }) => name),
    where: ['>', 'number', { field: 'price' }, { literal: '0.01' }],
    channels: [1],
  }
  const states = [{ stakeholder, channels: [], subscriptions: [subscription] }]
  const [interest] = routesOf(relation, { states, channels: new Map(), source, secret }).INSERT
  if (!interest) throw new Error('nobody is interested')
  return interest
}

export async function measureDecoding(server: BenchServer, { runs }: { runs: number }): Promise<Figure[]> {
  const { session, database } = await prepareTable(server, 'decode')
  const { client } = session
  await client.query(`create publication p for table t`)
  await client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [database])
  await client.query(`insert into t ${rowsOf(1, CHANGES)}`)
  const { rows } = await client.query<{ data: Buffer }>(
    `select data from pg_logical_slot_get_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', 'p')`,
    [database],
  )
  await server.dropSlots(database)
  await client.end()

  const inserts = rows.map(({ data }) => data).filter((data) => relationOf(data) !== null)
  const relation = rows.map(({ data }) => decode(data)).find((message) => message.kind === 'relation')
  if (relation?.kind !== 'relation' || inserts.length !== CHANGES) throw new Error(`the slot had ${inserts.length} inserts, not ${CHANGES}`)
  const writer = writerOf(relation)
  const interest = interestIn(relation)
  const row = new ChangedRow()
  const transaction: Transaction = transactionOf({ kind: 'begin', commitLsn: 1n, committedAt: 1_764_000_000_000_000n, xid: 731 }, 2n)

  let sink = 0
  const steps: Record<string, (bytes: Buffer, i: number) => void> = {
    'passed over: nobody wants its relation': (bytes) => {
      sink += relationOf(bytes) ?? 0
    },
    decoded: (bytes) => {
      sink += decode(bytes).kind.length
    },
    'decoded, and a condition on a numeric column matched': (bytes) => {
      const message = decode(bytes)
      if (message.kind === 'insert') sink += interest.events(row.set(relation, message)).length
    },
    'decoded, and an event written in JSON bytes': (bytes, i) => {
      const message = decode(bytes)
      if (message.kind === 'insert') sink += writer.insert(transaction, i, message).body.length
    },
  }
  const names = Object.keys(steps)
  const durations = new Map(names.map((name) => [name, [] as number[]]))
  // The first run warms up.
  for (let run = -1; run < runs; run++)
    for (const [name, step] of Object.entries(steps)) {
      const before = process.cpuUsage()
      for (let i = 0; i < TIMES; i++) for (const bytes of inserts) step(bytes, i)
      const { user, system } = process.cpuUsage(before)
      if (run >= 0) durations.get(name)?.push((user + system) / (TIMES * CHANGES))
    }
  if (sink === 0) throw new Error('nothing was decoded')
  return names.map((name, i) => ({
    key: `notifier/step/${i}`,
    what: `CPU a change that is ${name}`,
    where: 'a row of six columns, in memory',
    unit: 'µs',
    runs: durations.get(name) ?? [],
    ...(i === names.length - 1 && { goal: { at: 'most' as const, figure: 5 } }),
  }))
}
