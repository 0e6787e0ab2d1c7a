/**
 * A project's history of migrations, once without IntegrateDB and once with stakeholders that claim everything; each verdict
 * against what the stakeholders can do then. `make replay FROM=folder` for a real one; without it, a short one of our own.
 */
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { readHistory } from './history.ts'
import { rehearse } from './rehearsal.ts'
import { Replay } from './replay.ts'
import { report } from './report.ts'

const SAMPLE = 'test/replay/sample'
const folder = process.env['REPLAY_FROM'] || SAMPLE
const name = process.env['REPLAY_NAME'] || basename(folder)
const lastFile = Number(process.env['REPLAY_FILES'] || Number.POSITIVE_INFINITY)

test(`each verdict on the history of ${name} is what its stakeholders find`, { timeout: 4 * 60 * 60_000 }, async () => {
  const files = readHistory(folder).slice(0, lastFile)
  const bare = await TestDatabase.create(null)
  const plan = await rehearse(bare, files).finally(() => bare.drop())
  const database = await TestDatabase.create()
  const replay = new Replay(database, files, plan)
  try {
    await replay.run()
  } finally {
    console.log(report(name, files, plan, replay.events))
    if (process.env['REPLAY_REPORT']) writeFileSync(process.env['REPLAY_REPORT'], JSON.stringify(replay.events, null, 1))
    await database.drop()
  }
  expect(replay.events.filter(({ kind }) => kind === 'disagreement').length).toBe(0)
  if (folder === SAMPLE) expect(replay.events.filter(({ kind }) => kind === 'rejected').length).toBe(4)
})
