/**
 * Why does a statement not end? One connection that looks at what the server is doing, and says so in the run's log: once
 * for each statement that has taken too long, with whoever it waits for. The session itself may be past telling: one that has used
 * pljs obeys no timeout and no signal.
 */
import { readFileSync } from 'node:fs'
import pg from 'pg'

/** In seconds. No test takes a statement this long, but tests time out soon after. */
const patience = 45

interface Activity {
  pid: number
  who: string
  state: string
  seconds: number
  doing: string
  waits_for: number[]
  started: string
  stuck: boolean
}

const activity = `
  with activity as (
    select a.pid, concat_ws(' ', a.backend_type, a.usename, 'in', a.datname) as who,
           concat_ws(' ', a.state, a.wait_event_type, a.wait_event) as state,
           extract(epoch from clock_timestamp() - a.state_change)::integer as seconds,
           left(regexp_replace(a.query, '\\s+', ' ', 'g'), 300) as doing,
           pg_blocking_pids(a.pid) as waits_for, a.query_start::text as started,
           a.backend_type = 'client backend' and a.state = 'active' and a.query_start < clock_timestamp() - make_interval(secs => $1) as stuck,
           a.datname, a.xact_start
      from pg_stat_activity a
     where a.pid <> pg_backend_pid()
  )
  select * from activity a
   where stuck or xact_start is not null or exists (select from activity s where s.stuck and (s.datname = a.datname or a.pid = any (s.waits_for)))
   order by stuck desc, pid`

const locks = `
  select format('%s %s waits for %s on %s', l.pid, l.virtualtransaction, l.mode,
           concat_ws(' ', l.locktype, case when l.relation is not null then 'relation ' || l.relation end, l.page, l.tuple, l.virtualxid, l.transactionid,
             l.classid::regclass, l.objid)) as line
    from pg_locks l where not l.granted
  union all
  select format('prepared %s in %s since %s', gid, database, prepared) from pg_prepared_xacts`

/** @returns how to end it */
export async function startWatchdog(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url, application_name: 'watchdog' })
  client.on('error', () => {}) // the server is gone: there is nothing to look at
  await client.connect()
  const told = new Set<string>()

  const look = async () => {
    const { rows } = await client.query<Activity>(activity, [patience])
    const news = rows.filter(({ stuck, pid, started }) => stuck && !told.has(`${pid} ${started}`))
    if (news.length === 0) return
    for (const { pid, started } of news) told.add(`${pid} ${started}`)
    const lines = rows.map(
      ({ stuck, pid, who, state, seconds, waits_for, doing }) =>
        `${stuck ? '*' : ' '} ${pid} ${who}: ${state} for ${seconds} s${waits_for.length > 0 ? `, waits for ${waits_for.join(' and ')}` : ''}${processOf(pid)}: ${doing}`,
    )
    const waiting = (await client.query<{ line: string }>(locks)).rows.map(({ line }) => `  ${line}`)
    console.log([`a statement (*) has taken more than ${patience} s:`, ...lines, ...waiting].join('\n'))
  }
  const timer = setInterval(() => look().catch(() => {}), 15_000)
  return async () => {
    clearInterval(timer)
    await client.end()
  }
}

/** What the kernel says of a process of the embedded server: one that computes and one that sleeps look alike from inside. */
function processOf(pid: number): string {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres')) return ''
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    const seconds = (Number(fields[10]) + Number(fields[11])) / 100 // utime and stime, in ticks
    const where = readFileSync(`/proc/${pid}/wchan`, 'utf8')
    return ` (process ${state}, ${seconds} s of CPU, in ${where === '0' ? 'its own code' : where})`
  } catch {
    return '' // another machine, or another system
  }
}
