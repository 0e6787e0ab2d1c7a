/** A story, run in a database and written into a page between its marks. `UPDATE_STORIES=1 make test ARGS=test/stories` writes anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import pg from 'pg'
import { expect } from 'vitest'
import { promptFor, readStory, runStep, type Step } from '../../src/cli/story.ts'
import { StoryNotifier } from '../../src/cli/story-notifier.ts'
import type { TestDatabase } from '../support/database.ts'

/** Further logins have random names: the story calls them `reporter_1`, `reporter_2`, in the order that they were made in. */
class Names {
  private readonly real: string[] = []

  known(text: string): string {
    return text.replace(/\b(\w+)_(\d)\b/g, (alias, _, number) => this.real[Number(number) - 1] ?? alias)
  }

  told(text: string): string {
    // What is shown as wide as the real name was, is: " reporter_abcdefghij |".
    return text.replace(/\b([a-z]+)_[a-z2-7]{10}\b( *)/g, (name, stakeholder, space) => {
      const login = name.trimEnd()
      if (!this.real.includes(login)) this.real.push(login)
      const alias = `${stakeholder}_${this.real.indexOf(login) + 1}`
      return space === '' ? alias : alias.padEnd(name.length)
    })
  }
}

async function perform(step: Step, database: TestDatabase, notifier: StoryNotifier): Promise<string> {
  if (step.run !== null) return await notifier.run(database.url('notifier'))
  if (step.receive !== null) return await notifier.receive()
  if (step.user === null) return await runStep(database.client, step)
  try {
    return await runStep((await database.connect(step.user)).client, step)
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    return `FATAL:  ${error.code}: ${error.message}`
  }
}

/** What is different each time, as the page has it. */
const CHANGING: [RegExp, string][] = [
  [/("password": ")[\w-]{43}"/g, '$1(43 characters)"'],
  [/[0-9A-F]{16}-00000000/g, '00000000016B3748-00000000'],
  [/(v1,)[\w+/]{43}=/g, '$1K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4='],
  [/("time":\s?")[^"]+"/g, '$12026-11-26T19:00:00.123456Z"'],
  [/("source": "\/integratedb\/)[^"]+"/g, '$1shop"'],
  [/("transaction": \{"id":)\d+,"lsn":"[0-9A-F/]+"/g, '$1731,"lsn":"0/16B3700"'],
  [/("slot":"integratedb_)\d+","from":"[0-9A-F/]+"/g, '$116384","from":"0/16B3000"'],
]

/** @param owner the prompt of whoever owns the database */
export async function transcriptOf(story: string, database: TestDatabase, owner?: string): Promise<string> {
  const names = new Names()
  const notifier = await StoryNotifier.start()
  const steps: string[] = []
  try {
    for (const step of readStory(readFileSync(story, 'utf8'))) {
      const real = { ...step, user: step.user && names.known(step.user), sql: notifier.known(names.known(step.sql)) }
      const answer = notifier.told(names.told(await perform(real, database, notifier)))
      const prompt = promptFor(step, owner)
      steps.push([...step.narration.map((line) => `-- ${line}`), ...(prompt === null ? [] : [prompt]), answer].join('\n'))
    }
  } finally {
    await notifier.stop()
  }
  const transcript = CHANGING.reduce((text, [real, told]) => text.replace(real, told), steps.join('\n\n'))
  expect(transcript).toContain('(43 characters)')
  return transcript
}

export function expectIn(page: string, transcript: string): void {
  const text = readFileSync(page, 'utf8')
  const updated = text.replace(/(?<=<!-- story -->\n```text\n)[\s\S]*?(?=```\n<!-- \/story -->)/, () => `${transcript}\n`)
  expect(updated).toContain(transcript)
  if (process.env['UPDATE_STORIES'] === '1') writeFileSync(page, updated)
  else expect(text, 'run: UPDATE_STORIES=1 make test ARGS=test/stories').toBe(updated)
}
