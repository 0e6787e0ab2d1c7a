// A server without a JavaScript language: the installation stops, says what to do, and leaves nothing.

import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/embedded/index.ts'
import { Session } from '../support/database.ts'
import { installFile, schemasAndRoles } from '../support/installation.ts'

let server: EmbeddedServer | undefined
let session: Session | undefined
afterEach(async () => {
  await session?.end()
  await server?.stop()
})

test.each([
  [
    'that has no package for one',
    { extension_control_path: '$system', dynamic_library_path: '$libdir' },
    /^Neither extension is available on this server\.$/,
  ],
  [
    'where its library is missing',
    { dynamic_library_path: '$libdir' },
    /^Tried as role postgres\. pljs: could not access file "[^"]*pljs": No such file or directory\.$/,
  ],
])('on a server %s', { timeout: 120_000 }, async (_, settings, detail) => {
  server = await startEmbeddedServer({ settings })
  session = new Session(new pg.Client(server.url))
  await session.client.connect()
  const before = await schemasAndRoles(session)
  const error = await session.failure(installFile)
  expect([error.code, error.message]).toEqual([
    'IDB07',
    'IntegrateDB needs the JavaScript language plv8 (or pljs), and this database has neither for it to use',
  ])
  expect(error.detail).toMatch(detail)
  expect(error.hint).toMatch(/nstall the package of the extension plv8.* on the server.*Nothing was installed\.$/)
  expect(await schemasAndRoles(session)).toEqual(before)
  expect(before.map(({ name }) => name)).not.toContain('integratedb_admin')
})
