// Is the core in the database the core of the tests? On the same inputs, the same bytes.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { operate, operations } from '../../src/core/index.ts'
import { type Question, random, recorded } from '../core/corpus.ts'
import { TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
})
afterAll(async () => {
  await database.drop()
})

async function answers(questions: readonly Question[]): Promise<string[]> {
  const rows = await database.rows<{ answer: string }>(
    `select case when operation like '%notifications' then integratedb._notification_core(operation, input)
              else integratedb._core(operation, input) end as answer
       from unnest($1::text[], $2::text[]) with ordinality q (operation, input, place)
      order by place`,
    [questions.map(({ operation }) => operation), questions.map(({ input }) => input)],
  )
  return rows.map(({ answer }) => answer)
}

test('every operation is among the recorded inputs', () => {
  expect(new Set(recorded.map(({ operation }) => operation))).toEqual(new Set(Object.keys(operations)))
})

test('recorded inputs', async () => {
  expect(await answers(recorded)).toEqual(recorded.map(({ operation, input }) => operate(operation, input)))
})

test('random documents', async () => {
  const seed = Number(process.env['INTEGRATEDB_TEST_SEED'] ?? 1)
  const questions = random(2000, seed)
  expect(await answers(questions), `INTEGRATEDB_TEST_SEED=${seed}`).toEqual(
    questions.map(({ operation, input }) => operate(operation, input)),
  )
})

test('the largest document that is read', async () => {
  const fields = Array.from({ length: 10_000 }, (_, index) => ({ name: `column_${index}` }))
  const question = { operation: 'read_specification', input: JSON.stringify({ match: [{ path: 'public.wide', fields }] }) }
  expect(await answers([question])).toEqual([operate(question.operation, question.input)])
})

test('an operation that there is not', async () => {
  const { message, detail } = await database.failure(`select integratedb._core('constructor', '{}')`)
  expect(`${message} ${detail}`).toMatch(/IntegrateDB has no operation constructor/)
})
