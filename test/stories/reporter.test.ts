/** Is the story in the README what really happens? */
import { afterAll, beforeAll, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectIn, transcriptOf } from './transcript.ts'

let db: TestDatabase

beforeAll(async () => {
  db = await TestDatabase.create()
})

afterAll(async () => {
  await db.drop()
})

test('the README tells what happens', async () => {
  expectIn('README.md', await transcriptOf('src/cli/reporter-story.sql', db))
})
