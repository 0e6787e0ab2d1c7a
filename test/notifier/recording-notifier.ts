/** A notifier that can be killed: a process of its own, whose channels write what they get to standard output, a line each. Arguments: URL, milliseconds a delivery takes. */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelKind, Event, Outcome } from '../../src/notifier/channel/sink.ts'
import { notify } from '../../src/notifier/notifier.ts'

const [url = '', delay = '0', detail = 'all'] = process.argv.slice(2)

/** Not by a stream: what a process has delivered when it is killed must have left it. */
function tell(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

let count = 0
const kind: ChannelKind = {
  async open({ name }) {
    return {
      concurrency: 4,
      maxBatch: 100,
      maxBatchBytes: 1 << 20,
      async deliver(events: readonly Event[]): Promise<Outcome> {
        if (delay !== '0') await sleep(Number(delay))
        count += events.length
        if (detail === 'all') for (const { body } of events) tell(`event ${name} ${body}`)
        return { outcome: 'delivered' }
      },
      async close() {},
    }
  },
}

const ending = new AbortController()
process.once('SIGTERM', () => ending.abort())
function tellCount(): void {
  if (detail === 'count') tell(`count ${count} ${process.resourceUsage().maxRSS} ${JSON.stringify(process.cpuUsage())}`)
}
if (detail === 'count') setInterval(tellCount, 100).unref()
await notify({
  configuration: {
    connection: { connectionString: url },
    host: '127.0.0.1',
    port: 0,
    allowPrivate: true,
    patience: 60_000,
    environment: {},
  },
  log: {
    info: (message) => {
      // What its start took is not what the stream takes.
      tellCount()
      tell(`log ${message}`)
    },
    warn: (message, more) => tell(`log ${message} ${JSON.stringify(more)}`),
    error: (message, more) => tell(`log ${message} ${JSON.stringify(more)}`),
  },
  kinds: { WEBHOOK: kind },
  signal: ending.signal,
  onListening: (port) => tell(`port ${port}`),
})
