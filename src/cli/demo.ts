/** `make demo`: a real Postgres, IntegrateDB installed into it, and the reporter's story. Leaves nothing behind. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { startEmbeddedServer } from '../embedded/index.ts'
import { promptFor, readStory, runStep } from './story.ts'

const color = process.stdout.isTTY
const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[0m` : text)
const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[0m` : text)
const red = (text: string): string => (color ? `\u001b[31m${text}\u001b[0m` : text)

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

async function connect(url: string, user?: string): Promise<pg.Client> {
  const target = new URL(url)
  if (user !== undefined) target.username = user
  const client = new pg.Client({ connectionString: target.href })
  await client.connect()
  return client
}

async function tell(url: string): Promise<void> {
  const owner = await connect(url)
  console.log(`\n${bold('psql -f dist-sql/integratedb.sql')}`)
  owner.on('notice', ({ message, hint }) => console.log(`NOTICE:  ${message}\n${hint ? `HINT:  ${hint}\n` : ''}`))
  await owner.query(read('../../dist-sql/integratedb.sql'))
  for (const step of readStory(read('./reporter-story.sql'))) {
    if (step.narration.length > 0) console.log(bold(step.narration.join('\n')))
    console.log(dim(promptFor(step)))
    const client = step.user === null ? owner : await connect(url, step.user)
    const answer = await runStep(client, step)
    console.log(`${answer.startsWith('ERROR') ? red(answer) : answer}\n`)
    if (client !== owner) await client.end()
  }
  await owner.end()
  console.log('That is all: no process but Postgres. README.md says how to install it on a server of your own.')
}

try {
  const server = await startEmbeddedServer({ onProgress: (line) => console.log(dim(line)) })
  try {
    await tell(server.url)
  } finally {
    await server.stop()
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
