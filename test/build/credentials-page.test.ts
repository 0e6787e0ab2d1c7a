// Do the pipes of docs/credentials.md work as they are written? With our own command, and others that note what they are given.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'

const page = readFileSync('docs/credentials.md', 'utf8')
const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
let folder: string

function put(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'integratedb-page-'))
  put('integratedb', `cd '${process.cwd()}' && exec '${process.execPath}' --import tsx src/cli/integratedb.ts "$@"`)
  // An answer with a password, unless the password stays with the caller: then psql gets a verifier, and SQL on its standard input.
  put(
    'psql',
    `for arg; do case "$arg" in
       verifier=SCRAM-SHA-256*) grep -q "verifier => :'verifier'" || exit 3; password= ;;
       *_credentials*|*add_stakeholder*) password=',"password":"hunter2"' ;;
     esac; done
     echo '{"stakeholder":"reporter","schema":"reporter","credentials":{"username":"reporter"'"$password"'}}'`,
  )
  for (const name of ['kubectl', 'vault', 'curl']) put(name, `echo "${name} $*" > '${folder}/told'; cat >> '${folder}/told'`)
})
afterAll(() => rmSync(folder, { recursive: true }))

function run(block: string): { command: string; input: string } {
  const told = join(folder, 'told')
  // The page's relative paths are in the caller's folder.
  const text = block
    .replaceAll('reporter.password', join(folder, 'reporter.password'))
    .replaceAll('reporter.env', join(folder, 'reporter.env'))
  rmSync(told, { force: true })
  const environment = { PATH: `${folder}:${process.env['PATH']}`, VAULT_ADDR: 'https://vault.example' }
  execFileSync('sh', ['-e', '-c', text], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  if (!existsSync(told)) return { command: '', input: '' }
  const [command = '', ...input] = readFileSync(told, 'utf8').split('\n')
  return { command, input: input.join('\n') }
}

test('there are these', () => {
  expect(blocks).toHaveLength(5)
})

test('Kubernetes gets a Secret', () => {
  const { command, input } = run(blocks[0] as string)
  expect(command).toBe('kubectl apply -f -')
  expect(parse(input)).toMatchObject({
    kind: 'Secret',
    metadata: { name: 'reporter-db', namespace: 'reports' },
    stringData: { password: 'hunter2', uri: 'postgresql://reporter:hunter2@db.example/shop?sslmode=verify-full' },
  })
})

test('Vault gets the body of a write, from its command or from curl', () => {
  for (const [block, expected] of [
    [blocks[1], 'vault write secret/data/reporter -'],
    [blocks[2], 'curl --fail --silent --show-error -X PUT -H @vault-header --data @- https://vault.example/v1/secret/data/reporter'],
  ] as const) {
    const { command, input } = run(block as string)
    expect(command).toBe(expected)
    expect(JSON.parse(input)).toMatchObject({ data: { username: 'reporter', password: 'hunter2' } })
  }
})

test('an env file is written', () => {
  run(blocks[3] as string)
  expect(readFileSync(join(folder, 'reporter.env'), 'utf8')).toBe(
    'PGHOST=db.example\nPGDATABASE=shop\nPGUSER=reporter\nPGPASSWORD=hunter2\n',
  )
})

test('a password that was made here reaches the Secret, and psql its verifier alone', () => {
  const { command, input } = run(blocks[4] as string)
  expect(command).toBe('kubectl apply -f -')
  expect(parse(input).stringData).toEqual({ username: 'reporter', password: expect.stringMatching(/^[\w-]{43}$/) })
  expect(existsSync(join(folder, 'reporter.password'))).toBe(false)
})
