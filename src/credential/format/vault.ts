import { fields } from './fields.ts'
import type { Login } from './login.ts'

/** The body of a write to Vault's KV engine, version 2: /v1/secret/data/… */
export function vault(login: Login): string {
  const { valid_until } = login
  return `${JSON.stringify({ data: { ...fields(login), ...(valid_until === undefined ? {} : { valid_until }) } }, null, 2)}\n`
}
