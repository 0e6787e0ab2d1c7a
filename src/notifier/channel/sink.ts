/** What the notifier and a kind of channel (deliver/) agree on. */

import type { Database } from '../database.ts'
import type { Log } from '../log.ts'
import type { Server } from '../server.ts'

export interface Event {
  /** Commit end LSN and index: sorts as the stream does, and is the same on every retry. */
  id: string
  /** Events of one key go out in order. null: after all before it, before all behind it. */
  key: string | null
  /** One CloudEvent, JSON in one line. Written once, shared by all that get it: not to be changed. */
  body: Buffer
}

export type Outcome =
  | { outcome: 'delivered' }
  /** Try again; `after` so many milliseconds, if the other side said when. */
  | { outcome: 'retry'; reason: string; after?: number }
  /** It was understood and is not wanted: after some tries a dead letter. */
  | { outcome: 'rejected'; reason: string }
  /** Nobody is there, for good: the channel is disabled. */
  | { outcome: 'gone'; reason: string }

export interface Sink {
  /** How many deliver() may run at a time. 1: everything in the order of the ids. */
  readonly concurrency: number
  readonly maxBatch: number
  readonly maxBatchBytes: number
  /** A throw means retry. `signal` ends it when the notifier stops or starts anew. */
  deliver(events: readonly Event[], signal: AbortSignal): Promise<Outcome>
  close(): Promise<void>
}

export interface Channel {
  id: number
  name: string
  kind: string
  stakeholder: string
  /** The other members of the channel in the document. */
  configuration: Record<string, unknown>
}

export interface ChannelKind {
  /** Throws: the channel is broken, its events are parked, and it is tried again. */
  open(channel: Channel, context: Context): Promise<Sink>
}

/** What a kind may use of the world. */
export interface Context {
  database: Database
  environment: Record<string, string | undefined>
  log: Log
  /** The one HTTP server. */
  server: Server
  /** Of events: /integratedb/<database> */
  source: string
  /** May a webhook go to a private address? */
  allowPrivate: boolean
  /** Milliseconds that an event waits for its channel before it is parked. */
  patience: number
}
