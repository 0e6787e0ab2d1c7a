import { fields } from './fields.ts'
import type { Login } from './login.ts'

/** The call's own shape; where the database is, as far as it is known, stands among the credentials. */
export function json(login: Login): string {
  const { stakeholder, schema, valid_until } = login
  const credentials = { ...fields(login), ...(valid_until === undefined ? {} : { valid_until }) }
  return `${JSON.stringify({ stakeholder, schema, credentials }, null, 2)}\n`
}
