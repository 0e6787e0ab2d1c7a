// Does the npm package work for somebody who has nothing else? Packed from a copy, installed offline into an empty folder, used.

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { scramVerifier } from '../../src/credential/index.ts'

const root = process.cwd()
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; dependencies: object }
let work: string
let app: string

/** Without what the test's own npm has set in the environment. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

function run(program: string, args: string[], cwd: string, input = ''): string {
  return execFileSync(program, args, { cwd, input, encoding: 'utf8', env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
}

const npm = (cwd: string, ...args: string[]) => run('npm', [...args, '--offline', '--cache', join(work, 'cache'), '--loglevel=error'], cwd)

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'integratedb-package-'))
  const copy = join(work, 'copy')
  mkdirSync(copy)
  for (const path of ['src', 'build', 'dist-sql', 'docs', 'README.md', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, path), join(copy, path), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  npm(copy, 'pack', '--pack-destination', work)

  app = join(work, 'app')
  mkdirSync(app)
  // What it depends on is there already, as links: nothing is asked of a registry.
  const dependencies = Object.fromEntries(Object.keys(manifest.dependencies).map((name) => [name, `file:${root}/node_modules/${name}`]))
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  npm(app, 'install', '--no-audit', '--no-fund', '--ignore-scripts', join(work, `integratedb-${manifest.version}.tgz`))
})
afterAll(() => rmSync(work, { recursive: true }))

/** A database of the test server's. */
function url(database: string): string {
  const found = new URL(inject('serverUrl'))
  found.pathname = database
  return found.href
}

const script = (text: string) => run(process.execPath, ['--input-type=module', '--eval', text], app)
const command = (args: string[], input = '') => run(join(app, 'node_modules/.bin/integratedb'), args, app, input)

test('it holds what is built, the SQL and the docs, and nothing else', () => {
  const files = readdirSync(join(app, 'node_modules/integratedb'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const folder = `${join(app, 'node_modules/integratedb')}/`
  const paths = files.map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder.length)).sort()
  expect(paths.filter((path) => !/^(dist\/.*\.d\.ts|dist\/[a-z]+-\w+\.js|docs\/\w+\.md)$/.test(path))).toEqual([
    'README.md',
    'dist-sql/integratedb.sql',
    'dist-sql/uninstall.sql',
    'dist/index.js',
    'dist/integratedb.js',
    'package.json',
  ])
})

test('it brings nothing but what it declares', () => {
  expect(readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(
    ['integratedb', ...Object.keys(manifest.dependencies)].sort(),
  )
})

test('the command works', () => {
  const answer = '{"stakeholder":"reporter","schema":"reporter","credentials":{"username":"reporter","password":"hunter2"}}\n'
  expect(command(['--version'])).toBe(`${manifest.version}\n`)
  expect(command(['credentials', '--format', 'url', '--host', 'db.example', '--database', 'shop'], answer)).toBe(
    'postgresql://reporter:hunter2@db.example/shop\n',
  )
  expect(command(['verifier'], 'pencil\n')).toMatch(/^SCRAM-SHA-256\$4096:/)
  expect(command(['sql'])).toBe(readFileSync('dist-sql/integratedb.sql', 'utf8'))
  expect(readFileSync(command(['sql', '--path', '--uninstall']).trimEnd(), 'utf8')).toBe(readFileSync('dist-sql/uninstall.sql', 'utf8'))
  expect(command(['notify', '--help'])).toContain('INTEGRATEDB_NOTIFIER_URL')
})

test('the notifier starts, and says why it cannot go on', () => {
  const environment = { ...process.env, INTEGRATEDB_NOTIFIER_LISTEN: '127.0.0.1:0', INTEGRATEDB_NOTIFIER_URL: url('template1') }
  const { status, stderr } = spawnSync(join(app, 'node_modules/.bin/integratedb'), ['notify'], {
    env: environment,
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect({ status, stderr }).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('integratedb notify: the notifier cannot read the database'),
  })
})

test('the command fails as a command does', () => {
  const fails = (args: string[], input?: string): { status: number; stdout: string; stderr: string } => {
    try {
      command(args, input)
    } catch (error) {
      return error as { status: number; stdout: string; stderr: string }
    }
    throw new Error('it did not fail')
  }
  expect(fails(['credentials'], 'hunter2')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^integratedb credentials: .*\n$/),
  })
  expect(fails(['nonsense'])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^integratedb: .*\n$/) })
  // Who reads it has enough: no stack, no message.
  expect(run('sh', ['-c', 'node_modules/.bin/integratedb sql 2>&1 | head -c 14'], app)).toBe('-- IntegrateDB')
})

test('the import works', () => {
  const printed = script(`
    import { readFileSync } from 'node:fs'
    import { createRequire } from 'node:module'
    import * as integratedb from 'integratedb'
    const { scramVerifier, readAnswer, formatCredentials, installFile, uninstallFile } = integratedb
    const answer = readAnswer({ stakeholder: 'reporter', schema: 'reporter', credentials: { username: 'reporter' } })
    console.log(JSON.stringify([
      Object.keys(integratedb).sort(),
      scramVerifier('pencil', { salt: Buffer.from('salt') }),
      formatCredentials('env', answer, { password: 'pencil' }),
      createRequire(import.meta.url).resolve('integratedb/integratedb.sql') === installFile,
      [installFile, uninstallFile].map((path) => readFileSync(path, 'utf8').slice(0, 14)),
    ]))`)
  expect(JSON.parse(printed)).toEqual([
    ['InputError', 'formatCredentials', 'formats', 'generatePassword', 'installFile', 'readAnswer', 'scramVerifier', 'uninstallFile'],
    scramVerifier('pencil', { salt: Buffer.from('salt') }),
    'PGUSER=reporter\nPGPASSWORD=pencil\n',
    true,
    ['-- IntegrateDB', '-- IntegrateDB'],
  ])
})

test('the types are there, and hold', () => {
  writeFileSync(
    join(app, 'app.ts'),
    `import { type Answer, type Format, formatCredentials, readAnswer, scramVerifier } from 'integratedb'
     const answer: Answer = readAnswer('{}')
     const format: Format = 'k8s'
     export const written: string = formatCredentials(format, answer, { name: 'x', connection: { sslmode: 'require' } })
     export const verifier: string = scramVerifier('pencil', { iterations: 5000 })
     // @ts-expect-error: there is no such format
     formatCredentials('xml', answer)
    `,
  )
  const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', target: 'es2022', types: [] }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }))
  const output = (() => {
    try {
      return run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], app)
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  })()
  expect(output).toBe('')
})
