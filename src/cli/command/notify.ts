import { configurationFrom } from '../../notifier/configuration.ts'
import { jsonLog } from '../../notifier/log.ts'
import { command } from '../command.ts'

export const notify = command({
  summary: 'delivers events to the channels that stakeholders have asked for',
  help: `integratedb notify: reads the database's replication slot and delivers events to webhooks, sockets and queues

  INTEGRATEDB_NOTIFIER_URL=postgresql://notifier:password@host/database integratedb notify

The login is one of select integratedb.add_notifier('notifier'). Runs until SIGTERM or SIGINT, and then delivers what it has
read, for at most 10 seconds. Several may run: one reads, the others wait. Writes a JSON object a line to standard output.

  INTEGRATEDB_NOTIFIER_URL            where the database is; without it PGHOST, PGUSER, …
  INTEGRATEDB_NOTIFIER_LISTEN         host:port of /healthz, /readyz, /metrics and the sockets (default 127.0.0.1:8080)
  INTEGRATEDB_NOTIFIER_ALLOW_PRIVATE  1: webhooks may go to private addresses
  INTEGRATEDB_NOTIFIER_PATIENCE       seconds that an event waits for its channel before it is set aside in the database (default 10)
  INTEGRATEDB_SECRET_…                what channels name as their secrets
`,
  options: {},
  async run(_, terminal) {
    const ending = new AbortController()
    const end = () => ending.abort()
    process.once('SIGTERM', end)
    process.once('SIGINT', end)
    try {
      // Only this command needs its libraries.
      const [{ notify: run }, { kinds }] = await Promise.all([
        import('../../notifier/notifier.ts'),
        import('../../notifier/deliver/index.ts'),
      ])
      const configuration = configurationFrom(terminal.environment)
      // Nobody waits for a line: a pipe that is full is the reader's affair.
      const log = jsonLog((line) => void terminal.print(line).catch(() => {}))
      await run({ configuration, log, kinds, signal: ending.signal })
    } finally {
      process.off('SIGTERM', end)
      process.off('SIGINT', end)
    }
  },
})
