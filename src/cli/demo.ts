/** `make demo`: a real Postgres, IntegrateDB installed into it, and the reporter's story. Leaves nothing behind. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { startEmbeddedServer } from '../embedded/index.ts'
import { promptFor, readStory, runStep, type Step } from './story.ts'
import { StoryNotifier } from './story-notifier.ts'

const color = process.stdout.isTTY
const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[0m` : text)
const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[0m` : text)
const red = (text: string): string => (color ? `\u001b[31m${text}\u001b[0m` : text)

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

function as(url: string, user: string): string {
  const target = new URL(url)
  target.username = user
  return target.href
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

async function perform(step: Step, owner: pg.Client, url: string, notifier: StoryNotifier): Promise<string> {
  if (step.run !== null) return await notifier.run(as(url, 'notifier'))
  if (step.receive !== null) return await notifier.receive()
  if (step.user === null) return await runStep(owner, step)
  const client = await connect(as(url, step.user))
  const answer = await runStep(client, step)
  await client.end()
  return answer
}

async function tell(url: string, notifier: StoryNotifier): Promise<void> {
  const owner = await connect(url)
  console.log(`\n${bold('psql -f dist-sql/integratedb.sql')}`)
  owner.on('notice', ({ message, hint }) => console.log(`NOTICE:  ${message}\n${hint ? `HINT:  ${hint}\n` : ''}`))
  await owner.query(read('../../dist-sql/integratedb.sql'))
  for (const told of readStory(read('./reporter-story.sql'))) {
    const step = { ...told, sql: notifier.known(told.sql) }
    if (step.narration.length > 0) console.log(bold(step.narration.join('\n')))
    const prompt = promptFor(step)
    if (prompt !== null) console.log(dim(prompt))
    const answer = await perform(step, owner, url, notifier)
    console.log(`${answer.startsWith('ERROR') ? red(answer) : answer}\n`)
  }
  await owner.end()
  console.log(
    'That is all: Postgres, and one small process for whoever wants to be told. README.md says how to install it on a server of your own.',
  )
}

try {
  const server = await startEmbeddedServer({ onProgress: (line) => console.log(dim(line)) })
  const notifier = await StoryNotifier.start()
  try {
    await tell(server.url, notifier)
  } finally {
    await notifier.stop()
    await server.stop()
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
