import type { Connection } from '../connection.ts'

/** What a format writes down: an answer with its password, and where the database is. */
export interface Login {
  stakeholder: string
  schema: string
  username: string
  password: string
  valid_until?: string
  connection: Connection
}
