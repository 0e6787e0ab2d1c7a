// The only door to credentials outside of the database: verifiers, and the ways out for a secret.

export { type Answer, type Credentials, readAnswer } from './answer.ts'
export { type Connection, connectionFrom, sslmodes } from './connection.ts'
export { type Format, type FormatOptions, formatCredentials, formats } from './format/index.ts'
export { generatePassword, type ScramOptions, scramVerifier } from './verifier.ts'
