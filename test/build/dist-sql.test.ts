// Is what is checked in what the sources say, on whatever machine and from whatever folder it is built?

import { execFile } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = process.cwd()
const outputs = ['dist-sql/integratedb.sql', 'dist-sql/uninstall.sql', 'docs/errors.md']
let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'integratedb-build-'))
  for (const path of ['src', 'build', 'dist-sql', 'docs', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, path), join(copy, path), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})
afterAll(() => rmSync(copy, { recursive: true }))

async function build(folder: string, from: string, ...args: string[]): Promise<{ code: number; complaint: string }> {
  return await new Promise((resolve) => {
    execFile(join(root, 'node_modules/.bin/tsx'), [join(folder, 'build/build.ts'), ...args], { cwd: from }, (error, _, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), complaint: stderr }),
    )
  })
}

test('what is checked in is fresh', async () => {
  expect(await build(root, root, '--check')).toEqual({ code: 0, complaint: '' })
})

test('another folder, and another working directory, make no difference', async () => {
  expect(await build(copy, tmpdir())).toEqual({ code: 0, complaint: '' })
  for (const path of outputs) expect(readFileSync(join(copy, path), 'utf8'), path).toBe(readFileSync(join(root, path), 'utf8'))
})

test('what is stale is told of, with the command that refreshes it', async () => {
  for (const path of outputs) appendFileSync(join(copy, path), '-- edited by hand\n')
  const { code, complaint } = await build(copy, copy, '--check')
  expect(code).toBe(1)
  expect(complaint).toBe(outputs.map((path) => `${path} is not what src says. Run: npm run build\n`).join(''))
})

test('it is ASCII: a database in another encoding gets to say that it needs UTF8', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
  for (const path of outputs.slice(0, 2)) expect(readFileSync(path, 'utf8').match(/[^\x00-\x7f]/g)).toBeNull()
})
