// What `import 'integratedb'` gives.

export {
  type Answer,
  type Connection,
  type Credentials,
  type Format,
  type FormatOptions,
  formatCredentials,
  formats,
  generatePassword,
  readAnswer,
  type ScramOptions,
  scramVerifier,
} from './credential/index.ts'
export { InputError } from './input-error.ts'
export { installFile, uninstallFile } from './sql-file.ts'
