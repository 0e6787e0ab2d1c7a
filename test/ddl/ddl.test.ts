/**
 * Every form of every command of the manual, and what IntegrateDB says of it. docs/ddl.md is written from what is observed here:
 * `UPDATE_DDL=1 make test ARGS=test/ddl`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { commands, notConcerned } from './commands.ts'
import { fixture } from './fixture.ts'
import { type Form, type Outcome, tellOutcome } from './form.ts'
import { allForms } from './forms/all.ts'
import { page, type Result } from './page.ts'
import { tryInside, tryOutside } from './runner.ts'

const file = 'docs/ddl.md'
let template: TestDatabase
let shared: TestDatabase
let version: number
const results: Result[] = []

beforeAll(async () => {
  template = await TestDatabase.create()
  version = Math.floor((await template.value<number>(`select current_setting('server_version_num')::integer`)) / 10_000)
  await template.rows(fixture)
  await template.end() // so that it can be copied
  shared = await TestDatabase.create(template.name)
})

afterAll(async () => {
  await shared.drop()
  await template.drop()
})

async function observe(form: Form): Promise<Result> {
  if (form.outside !== true) return { form, outcome: await tryInside(shared, form) }
  const own = await TestDatabase.create(template.name)
  try {
    return { form, outcome: await tryOutside(own, form) }
  } finally {
    await own.drop()
  }
}

/** As on the page, and whether the stakeholder can go on. */
const told = (outcome: Outcome): string => `${tellOutcome(outcome)}; its use ${outcome.works ? 'still works' : 'fails or differs'}`

const named = allForms.map((form) => ({
  title: `${form.command}: ${form.form}${form.when === undefined ? '' : `, ${form.when}`} (${form.claims.name})`,
  form,
}))

for (const { title, form } of named) {
  test(title, async ({ skip }) => {
    skip(form.since !== undefined && form.since > version, `PostgreSQL ${form.since} or later`)
    const result = await observe(form)
    results.push(result)
    expect(told(result.outcome)).toBe(told(form.gives))
  })
}

describe('the table', () => {
  test('has every command of the manual', () => {
    const covered = new Set([...allForms.map(({ command }) => command), ...notConcerned.flatMap((group) => group.commands)])
    expect([...covered].sort()).toEqual([...commands].sort())
    const both = notConcerned.flatMap((group) => group.commands).filter((command) => allForms.some((form) => form.command === command))
    expect(both).toEqual([])
  })

  test('says each thing once', () => {
    expect(named.map(({ title }) => title).filter((title, at, titles) => titles.indexOf(title) !== at)).toEqual([])
  })

  test('is what docs/ddl.md says', () => {
    if (version < 18) return // the page is PostgreSQL 18's
    expect(results.length, 'all rows have to run').toBe(allForms.length)
    const written = page(results)
    if (process.env['UPDATE_DDL'] === '1') writeFileSync(file, written)
    else expect(existsSync(file) ? readFileSync(file, 'utf8') : '', 'run: UPDATE_DDL=1 make test ARGS=test/ddl').toBe(written)
  })
})
