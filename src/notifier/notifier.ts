/**
 * The process: slot, session, and again when it ends. Everything that goes wrong with the server is tried again; a second
 * notifier waits until the slot is free.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { InputError } from '../input-error.ts'
import type { ChannelKind, Context } from './channel/sink.ts'
import type { Configuration } from './configuration.ts'
import { Database } from './database.ts'
import { type Log, reasonOf } from './log.ts'
import { addRoutes, type State } from './operation.ts'
import { startReplication } from './replication.ts'
import { ReplicationError } from './replication-error.ts'
import { Server } from './server.ts'
import { Session } from './session.ts'
import { dropSlot, readySlot } from './slot.ts'
import { parseLsn } from './unacknowledged.ts'

/**
 * Nearly all that is made here is garbage a moment later, and what the network gives us lies outside of V8's heap, which V8 hardly counts. Left alone it
 * lets the space for what is young grow to 48 MB, and what has outlived that, most of it dead by then, to twice what it was: kept small both are looked
 * through more often, which costs nothing that can be measured. And undici reads answers with a parser in WebAssembly, which after a while V8 would
 * optimize: that takes 30 MB, which the process keeps, and the parser was never what took the time.
 */
for (const flag of ['--semi-space-growth-factor=1', '--heap-growing-percent=20', '--liftoff-only']) setFlagsFromString(flag)

/** Milliseconds. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 15_000
/** A second notifier looks this often. */
const STANDBY_PAUSE = 1_000
/** When it is told to end, for what has been read. */
const DRAIN = 10_000
/** A session that has lasted this long counts as a success: pauses begin small again. */
const LASTING = 30_000

export interface Options {
  configuration: Configuration
  log: Log
  kinds: Readonly<Record<string, ChannelKind>>
  /** Tells it to end. */
  signal: AbortSignal
  /** The HTTP server has a port. */
  onListening?: (port: number) => void
}

/** Until it is told to end. Throws an InputError if it can never work as it was called. */
export async function notify({ configuration, log, kinds, signal, onListening }: Options): Promise<void> {
  const database = new Database(configuration.connection)
  const server = new Server(log)
  const state: State = {
    phase: 'starting',
    reason: null,
    session: null,
    totals: { units: 0, changes: 0, events: 0 },
    slotsMade: 0,
  }
  addRoutes(server, state)
  const { port } = await server.listen(configuration.host, configuration.port).catch((error) => {
    throw new InputError(`the notifier cannot listen on ${configuration.host}:${configuration.port}: ${reasonOf(error)}`)
  })
  onListening?.(port)
  const instance = randomUUID()
  log.info('the notifier has started', { instance, port })
  try {
    for (let failures = 0, hasWorked = false; !signal.aborted; ) {
      const started = Date.now()
      try {
        await stream()
        hasWorked = true
        failures = 0
      } catch (error) {
        hasWorked ||= state.session !== null
        const lasted = Date.now() - started
        const kind = error instanceof ReplicationError ? error.kind : kindOf(error)
        // What the very first call cannot do is for whoever called it.
        if (!hasWorked && kind === 'not permitted')
          throw new InputError(`the notifier cannot read the database: ${reasonOf(error)}`, { cause: error })
        failures = lasted > LASTING ? 1 : failures + 1
        await recover(kind, error)
        const pause = kind === 'slot active' ? STANDBY_PAUSE : Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
        if (!signal.aborted) await sleep(pause * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {})
      } finally {
        const { session } = state
        state.session = null
        await session?.close()
      }
    }
  } finally {
    state.phase = 'stopping'
    await server.close()
    await database.close()
    log.info('the notifier has ended', { instance })
  }

  /** One session; ends well only when it is told to. */
  async function stream(): Promise<void> {
    const { start, isNew } = await readySlot(configuration.connection, database, log)
    if (isNew) state.slotsMade++
    const stream = await startReplication({ connection: configuration.connection, slot: start.slot, publications: [start.publication] })
    let session: Session | null = null
    const stop = () => void stream.stop()
    try {
      // It is ours now: only we move it.
      const slot = await database.slot(start.slot)
      const flush = slot?.flush ?? '0/0'
      const versions = await database.versions(flush)
      const context: Context = {
        database,
        environment: configuration.environment,
        log,
        server,
        source: start.source,
        allowPrivate: configuration.allowPrivate,
        patience: configuration.patience,
      }
      session = await Session.open({ stream, start, versions, flush: parseLsn(flush), context, kinds, instance, totals: state.totals })
      state.session = session
      state.phase = 'streaming'
      state.reason = null
      log.info('streaming', { slot: start.slot, from: slot?.flush ?? null })
      await until(session.run(), signal)
    } finally {
      if (!session) stop()
    }
    if (!signal.aborted) return
    state.phase = 'stopping'
    log.info('ending: what has been read is delivered', { seconds: DRAIN / 1000 })
    await session.drain(Date.now() + DRAIN)
    await database.report(session.report()).catch(() => {})
  }

  async function recover(kind: ReplicationError['kind'], error: unknown): Promise<void> {
    const reason = reasonOf(error)
    state.phase = kind === 'slot active' ? 'standby' : 'retrying'
    if (state.reason !== reason) {
      if (kind === 'slot active') log.info('another notifier reads the slot: waiting for it', {})
      else log.warn('no stream; trying again', { kind, reason })
    }
    state.reason = reason
    if (kind !== 'publication missing') return
    // What was written before the publication was there can never be read with this slot.
    const { slot, publication } = await database.start()
    if (!(await database.hasPublication(publication))) return
    log.error('the publication was made anew behind the slot: the slot is dropped', { slot })
    await dropSlot(configuration.connection, slot)
  }
}

/** The work, or as soon as it is told to end. */
async function until(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  work.catch(() => {}) // it may end badly when nobody looks any more
  await Promise.race([work, ended])
}

/** Of what the database's functions say. */
function kindOf(error: unknown): ReplicationError['kind'] {
  const code = (error as { code?: string }).code ?? ''
  // No such schema or function, or not for us: not installed, or not this role.
  if (code === '3F000' || code === '42883' || code === '42501' || code.startsWith('28') || code === '3D000') return 'not permitted'
  return 'unavailable'
}
