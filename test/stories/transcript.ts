/** A story, run in a database and written into a page between its marks. `UPDATE_STORIES=1 make test ARGS=test/stories` writes anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import pg from 'pg'
import { expect } from 'vitest'
import { promptFor, readStory, runStep, type Step } from '../../src/cli/story.ts'
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

async function perform(step: Step, database: TestDatabase): Promise<string> {
  if (step.user === null) return await runStep(database.client, step)
  try {
    return await runStep((await database.connect(step.user)).client, step)
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    return `FATAL:  ${error.code}: ${error.message}`
  }
}

/** @param owner the prompt of whoever owns the database */
export async function transcriptOf(story: string, database: TestDatabase, owner?: string): Promise<string> {
  const names = new Names()
  const steps: string[] = []
  for (const step of readStory(readFileSync(story, 'utf8'))) {
    const real = { ...step, user: step.user && names.known(step.user), sql: names.known(step.sql) }
    const answer = names.told(await perform(real, database))
    steps.push([...step.narration.map((line) => `-- ${line}`), promptFor(step, owner), answer].join('\n'))
  }
  const transcript = steps.join('\n\n').replace(/("password": ")[\w-]{43}"/, '$1(43 characters)"')
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
