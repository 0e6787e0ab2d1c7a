/** Why is there no stream (any more)? `kind` says what to do about it. */
export type ReplicationErrorKind =
  /** No slot of that name: it has to be made, and whoever was to be told of what happened meanwhile has a gap. */
  | 'slot missing'
  /** Another process reads it: try again, with patience. */
  | 'slot active'
  /** The server gave it up; what it held is gone. See walStatus. */
  | 'slot invalidated'
  /** It is not there, or was not yet when something happened: those changes cannot be read, and going on would skip them. */
  | 'publication missing'
  /** The role may not (log in, replicate, read the database): trying again does not help. */
  | 'not permitted'
  /** The server is not there, stops, starts, or has no connection left: try again. */
  | 'unavailable'
  /** Nothing came for twice the server's own timeout, not even an answer: try again. */
  | 'silent'
  /** What came is not the protocol. */
  | 'protocol'
  /** Anything else that the server said, of a slot, a publication, a decoding plugin. */
  | 'failed'

export class ReplicationError extends Error {
  readonly kind: ReplicationErrorKind
  /** SQLSTATE, if the server said one. */
  readonly code: string | null
  /** pg_replication_slots.wal_status, if the slot was found: lost, unreserved, extended or reserved. */
  readonly walStatus: string | null

  constructor(
    kind: ReplicationErrorKind,
    message: string,
    more: { code?: string | null | undefined; walStatus?: string | null; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.name = 'ReplicationError'
    this.kind = kind
    this.code = more.code ?? null
    this.walStatus = more.walStatus ?? null
  }
}

/** Of an error that the server reported, or that the network did. */
export function kindOf(code: string | undefined): ReplicationErrorKind {
  if (code === undefined) return 'unavailable'
  if (code === '55006') return 'slot active'
  if (code === '42501' || code.startsWith('28')) return 'not permitted'
  // 08: connection, 53: resources, 57P: stops or starts, E…: the network, as Node says it.
  if (/^(08|53|57P|E[A-Z]{3})/.test(code)) return 'unavailable'
  return 'failed'
}
