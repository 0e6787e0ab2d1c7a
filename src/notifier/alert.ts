/**
 * What a stakeholder has to hear of that is no change of a row. Everybody may put messages into the stream, so ours are signed:
 * `<hex HMAC-SHA-256 of the rest> <JSON>`.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Event } from './channel/sink.ts'

export const ALERT = 'integratedb.alert'

export interface Alert {
  stakeholder: string
  type: string
  data: unknown
}

/** null: not by us. */
export function readAlert(content: Buffer, secret: string): Alert | null {
  const space = content.indexOf(0x20)
  if (space !== 64) return null
  const rest = content.subarray(space + 1)
  const signature = Buffer.from(content.toString('latin1', 0, space), 'hex')
  const expected = createHmac('sha256', secret).update(rest).digest()
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return null
  return JSON.parse(rest.toString()) as Alert
}

/** Without a time: a message outside of a transaction has none, and the event is to be the same each time. */
export function alertEvent(source: string, id: string, { stakeholder, type, data }: Alert, time?: string): Event {
  const body = {
    specversion: '1.0',
    id,
    source,
    type,
    ...(time !== undefined && { time }),
    datacontenttype: 'application/json',
    data: { stakeholder, ...(data as object) },
  }
  return { id, key: null, body: Buffer.from(JSON.stringify(body)) }
}
