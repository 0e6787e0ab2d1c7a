// What does Postgres store of a password? A SCRAM-SHA-256 verifier (RFC 5802, RFC 7677), made here so that the server
// never sees the password. The same as integratedb._scram_verifier makes for the same salt.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { InputError } from '../input-error.ts'

export interface ScramOptions {
  /** 4,096 unless told otherwise, as Postgres does; not fewer. Each log-in costs the client as many. */
  iterations?: number
  /** 16 random bytes unless given. */
  salt?: Uint8Array
}

/**
 * For `add_stakeholder(name, verifier => …)`, `rotate_credentials` and `issue_credentials`, and for
 * `create role … password '…'`.
 *
 * Printable ASCII only: other passwords mean different bytes to different clients (SASLprep).
 */
export function scramVerifier(password: string, { iterations = 4096, salt = randomBytes(16) }: ScramOptions = {}): string {
  if (typeof password !== 'string' || password === '') throw new InputError('the password is empty')
  if (!/^[ -~]*$/.test(password)) {
    throw new InputError('the password has characters other than printable ASCII, which clients do not all send alike: choose another')
  }
  if (!Number.isInteger(iterations) || iterations < 4096 || iterations > 2 ** 31 - 1) {
    throw new InputError('iterations have to be a whole number from 4096 to 2147483647')
  }
  if (salt.length === 0) throw new InputError('the salt is empty')
  const hmac = (key: Uint8Array, message: string): Buffer => createHmac('sha256', key).update(message).digest()
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  const serverKey = hmac(salted, 'Server Key')
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`
}

/** 256 random bits as 43 characters that need no quoting in a URL, a shell or YAML; as the server makes them. */
export function generatePassword(): string {
  return randomBytes(32).toString('base64url')
}
