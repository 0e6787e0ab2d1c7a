// The command line, in this process. test/build/package.test.ts runs it as it is installed.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { scramVerifier } from '../../src/credential/index.ts'

const answer = { stakeholder: 'reporter', schema: 'reporter', credentials: { username: 'reporter', password: 'hunter2' } }
const line = `${JSON.stringify(answer)}\n`
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'integratedb-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Outcome {
  code: number
  out: string
  err: string
}

async function run(args: string[], input: string | Uint8Array | null = null, environment: Record<string, string> = {}): Promise<Outcome> {
  const stdin = Object.assign(Readable.from(input === null ? [] : [Buffer.from(input)]), { isTTY: input === null })
  let [out, err] = ['', '']
  const code = await main(args, {
    environment,
    stdin,
    async print(text) {
      out += text
    },
    tell(text) {
      err += `${text}\n`
    },
  })
  return { code, out, err }
}

describe('integratedb', () => {
  test('tells its commands, its version, and each command its options', async () => {
    const { out, code } = await run(['--help'])
    expect(code).toBe(0)
    for (const name of ['credentials', 'verifier', 'sql']) {
      expect(out).toContain(`integratedb ${name} `)
      expect(await run([name, '--help'])).toMatchObject({ code: 0, out: expect.stringContaining(`integratedb ${name}: `), err: '' })
    }
    expect(await run(['--version'])).toMatchObject({ out: `${JSON.parse(readFileSync('package.json', 'utf8')).version}\n` })
  })

  test.each([
    [[], 'a command is missing'],
    [['constructor'], 'no such command'],
    [['credentials', '--format'], '--format needs a value'],
    [['credentials', '--format', '--host', 'x'], '--format needs a value'],
    [['credentials', '--format', 'hunter2'], '--format has to be one of json, url, env, k8s, vault'],
    [['credentials', '--name', 'x'], 'are for --format k8s'],
    [['credentials', '--host', ''], '--host is empty'],
    [['credentials', '--host', 'a', '--host=b'], '--host is given twice'],
    [['credentials', '--password=hunter2'], 'there is no option --password'],
    [['credentials', '--constructor=hunter2'], 'there is no option --constructor'],
    [['verifier', 'hunter2'], 'there is an argument that belongs to no option'],
    [['verifier', '--', 'hunter2'], 'there is an argument that belongs to no option'],
    [['verifier', '-p', 'hunter2'], 'there is no option -p'],
    [['verifier', '--iterations', 'hunter2'], '--iterations needs a number'],
    [['sql', '--path=hunter2'], '--path takes no value'],
  ])('%j is wrong use: one line that repeats no value, and 2', async (args, problem) => {
    const { code, out, err } = await run(args, line)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^integratedb.*: .*\(see integratedb .*--help\)\n$/)
    expect(err).toContain(problem)
    expect(err).not.toContain('hunter2')
  })

  test.each(['credentials', 'verifier'])('%s reads no secret from a terminal, which would show it', async (name) => {
    expect(await run([name])).toMatchObject({ code: 2, out: '', err: expect.stringContaining('from a pipe or a file') })
  })

  test.each(['credentials', 'verifier'])('%s refuses what is no text or has no end', async (name) => {
    expect(await run([name], Uint8Array.of(0xff))).toMatchObject({
      code: 1,
      out: '',
      err: `integratedb ${name}: standard input is not UTF-8\n`,
    })
    expect(await run([name], 'x'.repeat(1024 * 1024 + 1))).toMatchObject({ code: 1, out: '', err: expect.stringContaining('1 MiB') })
  })
})

describe('credentials', () => {
  test('writes json unless told otherwise', async () => {
    const { code, out, err } = await run(['credentials'], line, { PGHOST: 'localhost', PGDATABASE: 'shop' })
    expect([code, err, JSON.parse(out)]).toEqual([0, '', answer])
  })

  test('takes from the environment, for url and env, what is not given', async () => {
    const environment = { PGHOST: 'localhost', PGPORT: '6432', PGDATABASE: 'shop', PGSSLMODE: 'require', PGUSER: 'admin', PGPASSWORD: 'no' }
    expect((await run(['credentials', '--format', 'url'], line, environment)).out).toBe(
      'postgresql://reporter:hunter2@localhost:6432/shop?sslmode=require\n',
    )
    expect((await run(['credentials', '--format=url', '--host=db.example', '--port=1', '--sslmode=disable'], line, environment)).out).toBe(
      'postgresql://reporter:hunter2@db.example:1/shop?sslmode=disable\n',
    )
    expect((await run(['credentials', '--format', 'env'], line, environment)).out).toContain('PGHOST=localhost\n')
  })

  test.each(['json', 'k8s', 'vault'])('%s goes elsewhere: where the admin connects is not where the application does', async (format) => {
    const { out } = await run(['credentials', '--format', format], line, { PGHOST: 'localhost', PGPORT: '1', PGDATABASE: 'shop' })
    expect(out).toContain('hunter2')
    expect(out).not.toMatch(/localhost|shop/)
    expect((await run(['credentials', '--format', format, '--host', 'db.example', '--database', 'shop'], line)).out).toContain(
      'postgresql://reporter:hunter2@db.example/shop',
    )
  })

  test('takes the password from a file where the call was given a verifier', async () => {
    const file = join(folder, 'own.password')
    writeFileSync(file, 'own secret\n')
    const given = JSON.stringify({ ...answer, credentials: { username: 'reporter' } })
    expect((await run(['credentials', '--format', 'env', '--password-file', file], given)).out).toBe(
      "PGUSER=reporter\nPGPASSWORD='own secret'\n",
    )
    expect(await run(['credentials', '--format', 'env'], given)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('--password-file'),
    })
    expect(await run(['credentials', '--password-file', join(folder, 'none')], given)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('ENOENT'),
    })
  })

  test.each(['hunter2', '', '{"password": "hunter2"}', `${line}${line}`])(
    'of %j it makes nothing, and says so without it',
    async (input) => {
      const { code, out, err } = await run(['credentials', '--format', 'k8s'], input)
      expect([code, out]).toEqual([1, ''])
      expect(err).toMatch(/^integratedb credentials: .+\n$/)
      expect(err).not.toContain('hunter2')
    },
  )
})

describe('verifier', () => {
  /** What verifies a password is what it makes again with the same salt. */
  const verifies = (verifier: string, password: string) => {
    const [, iterations, salt = ''] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$[^:]+:\S+\n$/.exec(verifier) ?? []
    return `${scramVerifier(password, { iterations: Number(iterations), salt: Buffer.from(salt, 'base64') })}\n` === verifier
  }

  test.each(['pencil', 'pencil\n', 'pencil\r\n'])('of %j', async (input) => {
    const { code, out, err } = await run(['verifier', '--iterations', '4100'], input)
    expect([code, err, verifies(out, 'pencil')]).toEqual([0, '', true])
    expect(out).toMatch(/^SCRAM-SHA-256\$4100:/)
  })

  test('a space is part of a password', async () => {
    expect(verifies((await run(['verifier'], ' pencil \n')).out, ' pencil ')).toBe(true)
  })

  test('--generate writes the password for its owner alone, and over nothing', async () => {
    const file = join(folder, 'generated')
    const { code, out, err } = await run(['verifier', '--generate', file])
    const password = readFileSync(file, 'utf8')
    expect([code, err, verifies(out, password)]).toEqual([0, `The password is in ${file}.\n`, true])
    expect(password).toMatch(/^[\w-]{43}$/)
    expect(out).not.toContain(password)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await run(['verifier', '--generate', file])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('is there already'),
    })
    expect(readFileSync(file, 'utf8')).toBe(password)
  })

  test('--generate writes into a pipe', () => {
    const script = `"$0" --import tsx src/cli/integratedb.ts verifier --generate /dev/fd/9 9>&1 >&2 | cat`
    const password = execFileSync('sh', ['-c', script, process.execPath], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    expect(password).toMatch(/^[\w-]{43}$/)
  })
})

describe('sql', () => {
  test.each([
    [[], 'dist-sql/integratedb.sql'],
    [['--uninstall'], 'dist-sql/uninstall.sql'],
  ])('%j is %s', async (args, file) => {
    expect(await run(['sql', ...args])).toEqual({ code: 0, out: readFileSync(file, 'utf8'), err: '' })
    expect(await run(['sql', '--path', ...args])).toEqual({ code: 0, out: `${join(process.cwd(), file)}\n`, err: '' })
  })
})
