import { expect, test } from 'vitest'
import { readAnswer } from '../../src/credential/index.ts'

const answer = {
  stakeholder: 'reporter',
  schema: 'reporter',
  credentials: { username: 'reporter_k3', password: 'hunter2', valid_until: '2026-11-22T20:00:00+00:00' },
}
const line = JSON.stringify(answer)

test.each([
  ['as a driver gives it', answer],
  ['as text', line],
  ['as jsonb_pretty writes it', JSON.stringify(answer, null, 4)],
  ['as psql -At prints it', `${line}\n`],
  ['with what psql says without -q', `SET\r\nBEGIN\r\n${line}\r\nCOMMIT\r\n`],
  ['with its heading', ` add_stakeholder \n-----\n ${line}\n(1 row)\n`],
  ['with a mark of byte order', `\uFEFF${line}`],
])('an answer is read %s', (_, given) => {
  expect(readAnswer(given)).toEqual(answer)
})

test('what is not there is not made up, and what is not known is left out', () => {
  const [password, valid_until] = [null, undefined]
  expect(readAnswer({ ...answer, later: 1, credentials: { username: 'reporter', password, valid_until, later: 2 } })).toEqual({
    stakeholder: 'reporter',
    schema: 'reporter',
    credentials: { username: 'reporter' },
  })
})

const withCredentials = (changes: object) => ({ ...answer, credentials: { ...answer.credentials, ...changes } })

test.each<[unknown, RegExp]>([
  ['', /nothing to read/],
  [' \n', /nothing to read/],
  ['hunter2', /not JSON/],
  [line.slice(0, -1), /not JSON/],
  [`${line}\n${line}`, /2 answers/],
  ['"hunter2"', /not a string/],
  ['["hunter2"]', /not an array/],
  ['null', /not nothing/],
  [{ password: 'hunter2' }, /no object "credentials"/],
  [{ ...answer, credentials: 'hunter2' }, /no object "credentials"/],
  [{ stakeholder: 'reporter', schema: 'reporter' }, /left those that there were/],
  [{ ...answer, stakeholder: undefined }, /"stakeholder" of the answer/],
  [{ ...answer, schema: '' }, /"schema" of the answer/],
  [withCredentials({ username: undefined }), /"credentials.username"/],
  [withCredentials({ password: ['hunter2'] }), /"credentials.password"/],
  [withCredentials({ password: '' }), /"credentials.password"/],
  [withCredentials({ password: 'hunter2\0' }), /"credentials.password"/],
  [withCredentials({ username: 'hunter2\uD83E' }), /"credentials.username"/],
  [withCredentials({ valid_until: 1 }), /"credentials.valid_until"/],
])('%j is told of in one line that does not repeat it', (given, problem) => {
  let message = ''
  try {
    readAnswer(given)
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toMatch(problem)
  expect(message).not.toMatch(/hunter2|\n/)
})
