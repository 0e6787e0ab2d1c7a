/** A story, run in a database and written into a page between its marks. `UPDATE_STORIES=1 make test ARGS=test/stories` writes anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { promptFor, readStory, runStep } from '../../src/cli/story.ts'
import type { TestDatabase } from '../support/database.ts'

/** @param owner the prompt of whoever owns the database */
export async function transcriptOf(story: string, database: TestDatabase, owner?: string): Promise<string> {
  const steps: string[] = []
  for (const step of readStory(readFileSync(story, 'utf8'))) {
    const session = step.user === null ? database : await database.connect(step.user)
    const answer = await runStep(session.client, step)
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
