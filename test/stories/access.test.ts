/** Is the story in docs/access.md what really happens? */
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

test('docs/access.md tells what happens', async () => {
  expectIn('docs/access.md', await transcriptOf('test/stories/access-story.sql', db, 'dba'))
})
