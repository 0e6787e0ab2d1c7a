// Does what docs/notifications.md tells receivers to write work?

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterAll, expect, test } from 'vitest'

const page = readFileSync('docs/notifications.md', 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'integratedb-page-'))
afterAll(() => rmSync(folder, { recursive: true }))

function block(language: string): string {
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? ''
}

test('the secret is one, and the ten lines verify what is signed with it, and nothing else', async () => {
  const [name, secret = ''] = execFileSync('sh', ['-c', block('sh')], { encoding: 'utf8' })
    .trimEnd()
    .split(/=(.*)/)
  expect(name).toMatch(/^INTEGRATEDB_SECRET_[A-Z0-9_]+$/)
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  writeFileSync(join(folder, 'verify.mjs'), block('js'))
  const { verify } = await import(join(folder, 'verify.mjs'))
  const body = '{"id":"1","data":"größer"}'
  const headersAt = (time: Date, ...secrets: string[]) => ({
    'webhook-id': '1',
    'webhook-timestamp': String(Math.floor(time.getTime() / 1000)),
    'webhook-signature': secrets.map((each) => new Webhook(each).sign('1', time, body)).join(' '),
  })
  const now = new Date()
  const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
  expect(verify(body, headersAt(now, secret), secret)).toEqual({ id: '1', data: 'größer' })
  expect(verify(Buffer.from(body), headersAt(now, other, secret), secret)).toEqual({ id: '1', data: 'größer' })
  const wrong = [
    [body, headersAt(now, other), secret],
    [`${body} `, headersAt(now, secret), secret],
    [body, { ...headersAt(now, secret), 'webhook-id': '2' }, secret],
    [body, headersAt(new Date(now.getTime() - 310_000), secret), secret],
    [body, headersAt(new Date(now.getTime() + 310_000), secret), secret],
    [body, {}, secret],
  ] as const
  for (const [bytes, headers, key] of wrong) expect(() => verify(bytes, headers, key)).toThrow(/^not /)
})
