/** Is the story in the README what really happens? `UPDATE_README=1 make test ARGS=test/stories` writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { promptFor, readStory, runStep } from '../../src/cli/story.ts'
import { TestDatabase } from '../support/database.ts'

let db: TestDatabase

beforeAll(async () => {
  db = await TestDatabase.create()
})

afterAll(async () => {
  await db.drop()
})

test('the README tells what happens', async () => {
  const steps: string[] = []
  for (const step of readStory(readFileSync('src/cli/reporter-story.sql', 'utf8'))) {
    const session = step.user === null ? db : await db.connect(step.user)
    const answer = await runStep(session.client, step)
    steps.push([...step.narration.map((line) => `-- ${line}`), promptFor(step), answer].join('\n'))
  }
  const transcript = steps.join('\n\n').replace(/("password": ")[\w-]{43}"/, '$1(43 characters)"')
  expect(transcript).toContain('(43 characters)')

  const readme = readFileSync('README.md', 'utf8')
  const updated = readme.replace(/(?<=<!-- story -->\n```text\n)[\s\S]*?(?=```\n<!-- \/story -->)/, () => `${transcript}\n`)
  expect(updated).toContain(transcript)
  if (process.env['UPDATE_README'] === '1') writeFileSync('README.md', updated)
  else expect(readme, 'run: UPDATE_README=1 make test ARGS=test/stories').toBe(updated)
})
