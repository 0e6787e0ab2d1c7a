/**
 * What each reader does beside reading: an event's JSON bytes out of a change, to a channel that does nothing. It says when it is ready,
 * and after so many changes what that took. Arguments: URL, slot, publication, rows. It ends with whoever started it.
 */
const [url = '', slot = '', publication = '', rows = ''] = process.argv.slice(2)

export { publication, slot, url }

export const source = '/integratedb/bench'
export const stakeholder = 'reporter'

/** What it says at the end: CPU in microseconds since it was ready, wall from the first change to the last, kilobytes at most. */
export interface Reading {
  changes: number
  bytes: number
  first: string
  cpu: number
  milliseconds: number
  resident: number
}

const reading: Reading = { changes: 0, bytes: 0, first: '', cpu: 0, milliseconds: 0, resident: 0 }
let idle = process.cpuUsage()
let started = 0

process.on('disconnect', () => process.exit())

export function ready(): void {
  idle = process.cpuUsage()
  process.send?.('ready')
}

/** The channel. */
export function take(body: Buffer): void {
  if (reading.changes === 0) {
    reading.first = body.toString()
    started = performance.now()
  }
  reading.bytes += body.length
  if (++reading.changes !== Number(rows)) return
  const { user, system } = process.cpuUsage(idle)
  reading.cpu = user + system
  reading.milliseconds = performance.now() - started
  reading.resident = process.resourceUsage().maxRSS
  process.send?.(reading)
}

let prefix = ''
let time = ''
let transaction: object = {}
let index = 0

/** What all events of a transaction have in common. `lsn` as X/X, with or without zeros before it. */
export function begin(lsn: string, committedAt: bigint, id: number): void {
  const [high = '', low = ''] = lsn.split('/')
  const short = (half: string) => Number.parseInt(half, 16).toString(16).toUpperCase()
  prefix = `${high.padStart(8, '0')}${low.padStart(8, '0')}-`
  time = `${new Date(Number(committedAt / 1000n)).toISOString().slice(0, -1)}${String(committedAt % 1000n).padStart(3, '0')}Z`
  transaction = { id, lsn: `${short(high)}/${short(low)}` }
  index = 0
}

/** The same text as IntegrateDB's own writer makes, as whoever has a row as an object would make it. */
export function insert({ schema, name }: { schema: string; name: string }, key: object, record: object): Buffer {
  return Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      id: prefix + (index++).toString(16).toUpperCase().padStart(8, '0'),
      source,
      type: 'integratedb.insert',
      subject: `${schema}.${name}`,
      time,
      datacontenttype: 'application/json',
      data: { stakeholder, operation: 'INSERT', relation: { schema, name }, key, record, transaction },
    }),
  )
}
