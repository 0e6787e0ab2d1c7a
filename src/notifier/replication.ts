/**
 * Reads one logical slot: what pgoutput wrote, in order and in batches, as it came from the network.
 *
 * pg connects, authenticates and asks; then its parser is taken off the socket and START_REPLICATION spoken here. pg's parser
 * reuses its buffer, so that a row kept for later could change under its reader, and it makes an object and two
 * events of each message. Here a batch is a chunk of the network's and where its messages are: nothing is copied.
 *
 * An async iterator, because then the consumer's pace is the pace: while it is busy nothing is handed out, what waits is bounded in
 * bytes, and above that bound the socket is not read. Of batches and not of messages, because a message costs less than an await.
 * Status goes out by a timer, whatever the consumer does (but for blocking the event loop).
 */
import type { Duplex } from 'node:stream'
import pg from 'pg'
import { kindOf, ReplicationError } from './replication-error.ts'
import { formatLsn, Unacknowledged } from './unacknowledged.ts'

export interface ReplicationOptions {
  /** A role with REPLICATION, in the slot's database. */
  connection: pg.ClientConfig
  slot: string
  publications: string[]
  /** What may wait for the consumer, in bytes. Above, the socket is paused; below half of it, resumed. Default 4 MB. */
  maxWaiting?: number
}

/** Messages of pgoutput, in one piece of memory. */
export interface Batch {
  bytes: Buffer
  /** Where they are: message i is bytes[positions[2i], positions[2i+1]). */
  positions: number[]
}

const DEFAULT_MAX_WAITING = 4 << 20
/** Milliseconds. */
const CONNECT_TIMEOUT = 30_000
/** The server's default, for one that has its timeout off. */
const DEFAULT_TIMEOUT = 60_000
const MAX_STATUS_INTERVAL = 10_000
/** What is acknowledged in this time goes out as one status. */
const STATUS_DELAY = 50
/** For the server to end the stream; in the middle of a large transaction it does not. */
const STOP_TIMEOUT = 2_000
/** What a chunk costs beside its bytes. */
const CHUNK_OVERHEAD = 512

/**
 * Values come as text, which settings of the role or the database would change. What a receiver is told must not depend
 * on them; these are the ones of ISO 8601, to the last digit.
 */
const SETTINGS = `set client_encoding = 'UTF8'; set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601'; set timezone = 'UTC';
set extra_float_digits = 1; set bytea_output = 'hex'; set xmlbinary = 'base64'; set statement_timeout = 0; set lock_timeout = 0; set client_min_messages = warning`

/** Connects and starts to stream where the slot is. Throws a ReplicationError. */
export async function startReplication(options: ReplicationOptions): Promise<Replication> {
  const config = {
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    application_name: 'integratedb notifier',
    ...options.connection,
  }
  const client = new pg.Client({ ...config, replication: 'database' } as pg.ClientConfig)
  client.on('error', () => {}) // what matters comes with the query that fails, or with the socket
  try {
    await client.connect()
    await client.query(SETTINGS)
    const timeout = await askTimeout(client)
    const walStatus = await askSlot(client, options.slot)
    const replication = new Replication(client, timeout, walStatus, options, () => isStopping(config))
    await replication.started
    return replication
  } catch (error) {
    client.connection.stream.destroy()
    if (error instanceof ReplicationError) throw error
    const { code, message } = error as { code?: string; message: string }
    throw new ReplicationError(kindOf(code), message, { code, cause: error })
  }
}

/** Does the server refuse sessions because it stops? */
async function isStopping(config: pg.ClientConfig): Promise<boolean> {
  const probe = new pg.Client(config)
  probe.on('error', () => {})
  try {
    await probe.connect()
    return false
  } catch (error) {
    return (error as { code?: string }).code === '57P03'
  } finally {
    await probe.end().catch(() => {})
  }
}

async function askTimeout(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ setting: string }>(`select setting from pg_catalog.pg_settings where name = 'wal_sender_timeout'`)
  return Number(rows[0]?.setting) || DEFAULT_TIMEOUT
}

async function askSlot(client: pg.Client, slot: string): Promise<string | null> {
  const { rows } = await client.query<{ wal_status: string | null }>(
    `select wal_status from pg_catalog.pg_replication_slots where slot_name = ${client.escapeLiteral(slot)}`,
  )
  if (!rows[0]) throw new ReplicationError('slot missing', `replication slot ${slot} does not exist`, { code: '42704' })
  return rows[0].wal_status
}

export class Replication implements AsyncIterable<Batch> {
  /** The server has said yes. */
  readonly started: Promise<void>
  readonly #client: pg.Client
  readonly #socket: Duplex
  readonly #walStatus: string | null
  readonly #slot: string
  readonly #maxWaiting: number
  readonly #isStopping: () => Promise<boolean>
  #probing = false
  readonly #unacknowledged = new Unacknowledged()
  readonly #ticks: NodeJS.Timeout
  /** So many ticks without a sound are an error. */
  readonly #patience: number
  #silentTicks = 0
  #soon: NodeJS.Timeout | undefined
  #sentFlush = 0n

  /** The beginning of a message whose end has not come. */
  #parts: Buffer[] = []
  #partsLength = 0
  #partsNeeded = 0

  #queue: Batch[] = []
  #waiting = 0
  #paused = false
  #wake: (() => void) | undefined
  /** The end of the last unit that the consumer was given. */
  #given = 0n

  #state: 'starting' | 'streaming' | 'stopping' | 'ended' = 'starting'
  #failure: ReplicationError | undefined
  #start!: { resolve: () => void; reject: (error: ReplicationError) => void }
  #ended!: () => void
  readonly #end = new Promise<void>((resolve) => {
    this.#ended = resolve
  })

  /** Not for others: startReplication() makes one. */
  constructor(
    client: pg.Client,
    timeout: number,
    walStatus: string | null,
    { slot, publications, maxWaiting }: ReplicationOptions,
    isStopping: () => Promise<boolean>,
  ) {
    this.#client = client
    this.#isStopping = isStopping
    this.#slot = slot
    this.#walStatus = walStatus
    this.#maxWaiting = maxWaiting ?? DEFAULT_MAX_WAITING
    this.started = new Promise((resolve, reject) => {
      this.#start = { resolve, reject }
    })
    this.#socket = client.connection.stream
    this.#socket.removeAllListeners('data')
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail('unavailable', error.message, error.code, error))
    this.#socket.on('close', () => {
      this.#fail('unavailable', 'the connection to the server has ended')
      this.#ended()
    })

    const interval = Math.min(timeout / 3, MAX_STATUS_INTERVAL)
    this.#patience = Math.ceil((timeout * 2) / interval)
    this.#ticks = setInterval(() => this.#tick(), interval)
    const names = publications.map((name) => client.escapeIdentifier(name)).join(',')
    const settings = `proto_version '1', publication_names ${literal(names)}, messages 'true'`
    this.#query(`START_REPLICATION SLOT ${client.escapeIdentifier(slot)} LOGICAL 0/0 (${settings})`)
  }

  /** How far the server has come, how far we acknowledged, what is in between, and what waits for the consumer in bytes. */
  get progress(): { received: bigint; flush: bigint; inFlight: number; waiting: number; paused: boolean } {
    const { received, flush, size } = this.#unacknowledged
    return { received, flush, inFlight: size, waiting: this.#waiting, paused: this.#paused }
  }

  /** Ends after stop(); throws the ReplicationError that ended the stream. Only one may read. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch> {
    while (true) {
      // Not what still waits: nothing of it could be acknowledged, and it comes again.
      if (this.#failure) throw this.#failure
      if (this.#state !== 'streaming') return
      const batch = this.#queue.shift()
      if (!batch) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      this.#given = lastEnd(batch) ?? this.#given
      try {
        yield batch
      } finally {
        this.#took(batch)
      }
    }
  }

  /**
   * Everything up to `end` is delivered, or safe elsewhere: the slot may forget it. `end` is the endLsn of a commit or the lsn of
   * a message that is not transactional, out of a batch that was handed out; anything else throws. Keepalives are
   * acknowledged here, where it is known what is in flight. On a stream that has ended nothing happens: it comes again.
   */
  acknowledge(end: bigint): void {
    if (this.#state !== 'streaming') return
    if (end > this.#given) throw new RangeError(`nothing that was handed out ends at ${formatLsn(end)}`)
    this.#unacknowledged.acknowledge(end)
    this.#soon ??= setTimeout(() => this.#sendStatus(), STATUS_DELAY)
  }

  /** Tells the server what was acknowledged, and ends the stream. Never throws. */
  async stop(): Promise<void> {
    if (this.#state === 'streaming') {
      this.#sendStatus()
      this.#state = 'stopping'
      this.#send(Buffer.from([0x63, 0, 0, 0, 4])) // CopyDone
      this.#discard()
      const timer = setTimeout(() => this.#socket.destroy(), STOP_TIMEOUT)
      this.#end.finally(() => clearTimeout(timer))
    }
    if (this.#state === 'starting') this.#close('stopped before it began')
    await this.#end
  }

  /** Once a third of the server's timeout. Counted in ticks and not by the clock: an event loop that was blocked has heard nothing either. */
  #tick(): void {
    if (this.#paused) {
      this.#silentTicks = 0
      this.#probe()
    } else if (++this.#silentTicks > this.#patience) {
      this.#fail('silent', `nothing was heard of the server for ${this.#patience} status intervals`)
      return
    }
    if (this.#state === 'streaming') this.#sendStatus(this.#silentTicks > 1)
  }

  /**
   * A server that stops waits until a walsender has sent everything, which it cannot while we do not read, and the
   * stream itself cannot tell us. So we look from outside, and let go. It comes again.
   */
  #probe(): void {
    if (this.#probing) return
    this.#probing = true
    this.#isStopping().then((stopping) => {
      this.#probing = false
      if (stopping && this.#paused) this.#fail('unavailable', 'the server is stopping', '57P03')
    })
  }

  #read(chunk: Buffer): void {
    this.#silentTicks = 0
    let bytes = chunk
    if (this.#partsLength > 0) {
      this.#parts.push(chunk)
      this.#partsLength += chunk.length
      if (this.#partsLength < this.#partsNeeded) return
      bytes = Buffer.concat(this.#parts, this.#partsLength)
      this.#parts = []
      this.#partsLength = 0
    }
    const batch: Batch = { bytes, positions: [] }
    let at = 0
    let needed = 5
    try {
      while (at + 5 <= bytes.length) {
        const size = bytes.readUInt32BE(at + 1)
        if (size < 4) throw new ReplicationError('protocol', `a message of the server's that is ${size} bytes long`)
        needed = size + 1
        if (at + needed > bytes.length) break
        this.#handle(batch, at, at + needed)
        at += needed
        needed = 5
      }
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error
      this.#fail(error.kind, error.message, error.code ?? undefined)
      return
    }
    if (at < bytes.length) {
      this.#parts = [bytes.subarray(at)]
      this.#partsLength = bytes.length - at
      this.#partsNeeded = needed
    }
    if (batch.positions.length > 0 && this.#state === 'streaming') this.#enqueue(batch)
  }

  #took(batch: Batch): void {
    if (this.#state !== 'streaming') return
    this.#waiting -= cost(batch)
    if (!this.#paused || this.#waiting >= this.#maxWaiting / 2) return
    this.#paused = false
    this.#silentTicks = 0
    this.#socket.resume()
  }

  #enqueue(batch: Batch): void {
    this.#queue.push(batch)
    this.#waiting += cost(batch)
    if (!this.#paused && this.#waiting > this.#maxWaiting) {
      this.#paused = true
      this.#socket.pause()
    }
    this.#wake?.()
  }

  /** One message of the server's, in bytes[at, end). */
  #handle(batch: Batch, at: number, end: number): void {
    const { bytes } = batch
    switch (bytes[at]) {
      case 0x64: // CopyData
        if (this.#state === 'streaming') this.#handleData(batch, at + 5, end)
        return
      case 0x57: // CopyBothResponse
        if (this.#state !== 'starting') break
        this.#state = 'streaming'
        this.#start.resolve()
        return
      case 0x45: // ErrorResponse
        this.#handleError(bytes.subarray(at + 5, end))
        return
      case 0x63: // CopyDone: after ours, or because the server stops
      case 0x43: // CommandComplete
        if (this.#state === 'stopping') return
        throw new ReplicationError('unavailable', 'the server has ended the stream: it is stopping')
      case 0x5a: // ReadyForQuery
        if (this.#state === 'stopping') this.#close()
        return
      case 0x4e: // NoticeResponse
        this.#handleNotice(bytes.subarray(at + 5, end))
        return
      case 0x53: // ParameterStatus
        return
    }
    throw new ReplicationError('protocol', `a message of the server's of kind 0x${(bytes[at] ?? 0).toString(16)}`)
  }

  #handleData(batch: Batch, at: number, end: number): void {
    const { bytes, positions } = batch
    if (bytes[at] === 0x77 && end - at > 25) {
      // XLogData: w, two LSNs that say no more than the messages do, a time
      const message = at + 25
      positions.push(message, end)
      if (bytes[message] === 0x42) this.#unacknowledged.begin()
      else {
        const unit = unitEnd(bytes, message, end)
        if (unit !== null) this.#unacknowledged.unit(unit)
      }
    } else if (bytes[at] === 0x6b && end - at === 18) {
      // keepalive: k, LSN, time, whether to answer at once
      this.#unacknowledged.keepalive(bytes.readBigUInt64BE(at + 1))
      if (bytes[at + 17] === 1) this.#sendStatus()
    } else throw new ReplicationError('protocol', `a replication message of kind 0x${(bytes[at] ?? 0).toString(16)}, ${end - at} bytes`)
  }

  #handleError(fields: Buffer): void {
    const { C: code, M: message = 'no message', D: detail } = errorFields(fields)
    const text = detail ? `${message}: ${detail}` : message
    const lost = code === '55000' && this.#walStatus === 'lost'
    const missing = this.#state === 'starting' ? 'slot missing' : 'publication missing'
    const kind = lost ? 'slot invalidated' : code === '42704' ? missing : kindOf(code)
    this.#fail(kind, `replication slot ${this.#slot}: ${text}`, code)
  }

  /**
   * From PostgreSQL 18 on a publication that is missing is only warned of, and what it would have published is left out: with the next
   * keepalive it would be acknowledged, and lost without a word. Before 18 that was an error, and here it still is.
   */
  #handleNotice(fields: Buffer): void {
    const { C: code, V: severity, M: message = '', D: detail = '' } = errorFields(fields)
    if (severity === 'WARNING' && code === '55000') {
      this.#fail('publication missing', `replication slot ${this.#slot}: ${message}: ${detail}`, code)
    }
  }

  /**
   * Received as written; and what was acknowledged as flushed, then nothing as flushed unless that is everything. A server that is
   * stopping waits until the client has flushed all that was sent, or, if it does not say what it flushed, written: without
   * the second status a consumer that takes its time would hold up `pg_ctl stop`. Nothing (0) leaves the slot where it is.
   */
  #sendStatus(wantReply = false): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    const { flush, received, inFlight } = this.#unacknowledged
    const everything = flush >= received && !inFlight
    if (flush > this.#sentFlush && !everything) this.#send(status(received, flush, false))
    this.#sentFlush = flush
    this.#send(status(received, everything ? flush : 0n, wantReply))
  }

  #query(text: string): void {
    const body = Buffer.from(`${text}\0`)
    const head = Buffer.from([0x51, 0, 0, 0, 0])
    head.writeUInt32BE(body.length + 4, 1)
    this.#send(Buffer.concat([head, body]))
  }

  #send(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  #fail(kind: ReplicationError['kind'], message: string, code?: string, cause?: unknown): void {
    if (this.#state === 'stopping') this.#close() // we wanted no more of it
    if (this.#state === 'ended') return
    this.#failure = new ReplicationError(kind, message, { code, walStatus: this.#walStatus, cause })
    this.#start.reject(this.#failure)
    this.#close()
  }

  #close(reason?: string): void {
    if (this.#state === 'ended') return
    if (reason !== undefined) this.#start.reject(new ReplicationError('failed', reason))
    this.#state = 'ended'
    this.#discard()
    clearInterval(this.#ticks)
    // Terminate, politely; the server may be gone, or not be listening.
    this.#client.end().catch(() => {})
    const timer = setTimeout(() => this.#socket.destroy(), this.#failure ? 0 : STOP_TIMEOUT)
    this.#end.finally(() => clearTimeout(timer))
  }

  #discard(): void {
    clearTimeout(this.#soon)
    this.#queue = []
    this.#waiting = 0
    this.#wake?.()
    this.#paused = false
    this.#socket.resume()
  }
}

/** What a message ends that can be acknowledged, if it does: a commit's end LSN, or the LSN of a message in no transaction. */
function unitEnd(bytes: Buffer, at: number, end: number): bigint | null {
  if (bytes[at] === 0x43) return end - at >= 18 ? bytes.readBigUInt64BE(at + 10) : null
  if (bytes[at] === 0x4d && bytes[at + 1] === 0) return end - at >= 10 ? bytes.readBigUInt64BE(at + 2) : null
  return null
}

function lastEnd({ bytes, positions }: Batch): bigint | null {
  for (let i = positions.length - 2; i >= 0; i -= 2) {
    const end = unitEnd(bytes, positions[i] as number, positions[i + 1] as number)
    if (end !== null) return end
  }
  return null
}

function cost({ bytes, positions }: Batch): number {
  return bytes.length + positions.length * 8 + CHUNK_OVERHEAD
}

const POSTGRES_EPOCH_MS = 946_684_800_000

function status(received: bigint, flush: bigint, wantReply: boolean): Buffer {
  const bytes = Buffer.alloc(39)
  bytes[0] = 0x64 // CopyData
  bytes.writeUInt32BE(38, 1)
  bytes[5] = 0x72 // r
  bytes.writeBigUInt64BE(received, 6) // written
  bytes.writeBigUInt64BE(flush, 14) // flushed
  bytes.writeBigUInt64BE(flush, 22) // applied
  bytes.writeBigInt64BE(BigInt(Date.now() - POSTGRES_EPOCH_MS) * 1000n, 30)
  bytes[38] = wantReply ? 1 : 0
  return bytes
}

function errorFields(bytes: Buffer): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const zero = bytes.indexOf(0, at + 1)
    if (zero < 0) break
    fields[String.fromCharCode(bytes[at] as number)] = bytes.toString('utf8', at + 1, zero)
    at = zero + 1
  }
  return fields
}

/** A string of the replication grammar: it knows no E'', so backslashes are what they are. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
