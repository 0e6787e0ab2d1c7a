/** How is it doing? /healthz, /readyz and /metrics. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ChannelRunner, Counts } from './channel/channel.ts'
import { type Server, sendJson } from './server.ts'
import type { Session, Totals } from './session.ts'

type Phase = 'starting' | 'standby' | 'streaming' | 'retrying' | 'stopping'

export interface State {
  phase: Phase
  /** Why it is not streaming. */
  reason: string | null
  session: Session | null
  totals: Totals
  slotsMade: number
}

export function addRoutes(server: Server, state: State): void {
  // It runs; a database that is away is no reason to restart it.
  server.route('GET', '/healthz', (_, response) => sendJson(response, 200, { phase: state.phase }))
  server.route('GET', '/readyz', (_, response) => {
    const { phase, reason, session } = state
    sendJson(response, phase === 'streaming' ? 200 : 503, { phase, reason, channels: session?.channels.map(describe) ?? [] })
  })
  // /readyz/<stakeholder>/<channel>: the truth of one.
  server.route('GET', '/readyz/*', (_, response, url) => answerChannel(response, state, url))
  server.route('GET', '/metrics', (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(metrics(state, Date.now()))
  })
}

function answerChannel(response: ServerResponse, { phase, session }: State, url: URL): void {
  const [stakeholder, name] = url.pathname.split('/').slice(2).map(decodeURIComponent)
  const channel = session?.channels.find((each) => each.stakeholder === stakeholder && each.name === name)
  if (!channel) sendJson(response, phase === 'streaming' ? 404 : 503, { error: 'no such channel', phase })
  else sendJson(response, channel.status.status === 'direct' ? 200 : 503, describe(channel))
}

function describe(channel: ChannelRunner): object {
  const { id: _, ...status } = channel.status
  return { stakeholder: channel.stakeholder, channel: channel.name, ...status }
}

function metrics({ phase, session, totals, slotsMade }: State, now: number): string {
  const lines: string[] = []
  const add = (name: string, type: 'counter' | 'gauge', help: string, values: [labels: string, value: number][]) => {
    if (values.length === 0) return
    lines.push(`# HELP integratedb_${name} ${help}`, `# TYPE integratedb_${name} ${type}`)
    for (const [labels, value] of values) lines.push(`integratedb_${name}${labels} ${value}`)
  }
  const one = (value: number): [string, number][] => [['', value]]
  add('streaming', 'gauge', 'Does this notifier read the slot?', one(phase === 'streaming' ? 1 : 0))
  add('transactions_total', 'counter', 'Transactions read.', one(totals.units))
  add('changes_total', 'counter', 'Changes read.', one(totals.changes))
  add('events_total', 'counter', 'Events handed to channels.', one(totals.events))
  add('slots_made_total', 'counter', 'Slots that this process had to make.', one(slotsMade))
  if (session) {
    const { received, flush, oldest, unacknowledged, waiting } = session.progress
    add(
      'lag_bytes',
      'gauge',
      'Log between what the server has sent and what is acknowledged.',
      one(Number(received > flush ? received - flush : 0n)),
    )
    add(
      'lag_seconds',
      'gauge',
      'Age of the oldest transaction that is not acknowledged.',
      one(oldest === null ? 0 : Math.max(0, now - Number(oldest / 1000n)) / 1000),
    )
    add('unacknowledged_transactions', 'gauge', 'Transactions read and not acknowledged.', one(unacknowledged))
    add('received_lsn', 'gauge', 'How far the server has come.', one(Number(received)))
    add('flush_lsn', 'gauge', 'How far the slot is acknowledged.', one(Number(flush)))
    add('waiting_bytes', 'gauge', 'Received and not yet read.', one(waiting))
    const each = (value: (channel: ChannelRunner) => number): [string, number][] =>
      session.channels.map((channel) => [labelsOf(channel), value(channel)])
    const counted = (what: keyof Counts) => each(({ counts }) => counts[what])
    add('channel_delivered_total', 'counter', 'Events delivered.', counted('delivered'))
    add('channel_retried_total', 'counter', 'Events that have to be tried again.', counted('retried'))
    add('channel_rejected_total', 'counter', 'Events that the receiver refused.', counted('rejected'))
    add('channel_parked_total', 'counter', 'Events set aside in the database.', counted('parked'))
    add('channel_dead_total', 'counter', 'Events that became dead letters.', counted('dead'))
    add(
      'channel_queued',
      'gauge',
      'Events in memory.',
      each(({ status }) => status.queued),
    )
    add(
      'channel_queued_bytes',
      'gauge',
      'Of them and of what is being parked.',
      each(({ queuedBytes }) => queuedBytes),
    )
    add(
      'channel_oldest_seconds',
      'gauge',
      'Since when the oldest of them waits.',
      each(({ status }) => (status.oldest_at === null ? 0 : (now - Date.parse(status.oldest_at)) / 1000)),
    )
    add(
      'channel_up',
      'gauge',
      '1: events go out directly; 0: parked, disabled or broken.',
      each(({ status }) => (status.status === 'direct' ? 1 : 0)),
    )
  }
  return `${lines.join('\n')}\n`
}

function labelsOf({ stakeholder, name }: ChannelRunner): string {
  const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
  return `{stakeholder=${quote(stakeholder)},channel=${quote(name)}}`
}
