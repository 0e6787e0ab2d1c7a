// Is it the verifier that RFC 7677 and Postgres mean? That the server agrees, test/database/credential-format.test.ts shows.

import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { generatePassword, scramVerifier } from '../../src/credential/index.ts'

function parts(verifier: string): { iterations: number; salt: Buffer; storedKey: Buffer; serverKey: Buffer } {
  const match = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/.exec(verifier)
  if (match === null) throw new Error(`not a verifier: ${verifier}`)
  const [salt, storedKey, serverKey] = match.slice(2).map((text) => Buffer.from(text, 'base64')) as [Buffer, Buffer, Buffer]
  return { iterations: Number(match[1]), salt, storedKey, serverKey }
}

test('it is that of RFC 7677', () => {
  const { storedKey, serverKey } = parts(scramVerifier('pencil', { salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64') }))
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`
  const sign = (key: Buffer) => createHmac('sha256', key).update(message).digest()
  expect(sign(serverKey).toString('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  // What the client proves is a key whose hash is stored.
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
  const clientKey = Buffer.from(sign(storedKey).map((byte, i) => byte ^ (proof[i] as number)))
  expect(createHash('sha256').update(clientKey).digest().equals(storedKey)).toBe(true)
})

test('each has 4,096 iterations, and 16 bytes of salt that are its own', () => {
  const [one, other] = [parts(scramVerifier('pencil')), parts(scramVerifier('pencil'))]
  expect([one.iterations, one.salt.length]).toEqual([4096, 16])
  expect(one.salt.equals(other.salt)).toBe(false)
  expect(parts(scramVerifier('pencil', { iterations: 5000 })).iterations).toBe(5000)
})

test.each([
  ['', {}],
  ['größe', {}],
  ['duck🦆', {}],
  ['two\nlines', {}],
  ['secret', { iterations: 4095 }],
  ['secret', { iterations: 4096.5 }],
  ['secret', { iterations: Number.NaN }],
  ['secret', { salt: new Uint8Array() }],
])('%j with %j is refused, and not repeated', (password, options) => {
  let message = ''
  try {
    scramVerifier(password, options)
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).not.toBe('')
  if (password !== '') expect(message).not.toContain(password)
})

test('a password that is made has 256 bits and needs no quoting', () => {
  const made = Array.from({ length: 100 }, generatePassword)
  for (const password of made) expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(new Set(made).size).toBe(100)
})
