/**
 * Every code a user can meet, in one place.
 *
 * Two kinds: an *error* stops a call and is its SQLSTATE; a *finding* is one thing that does not fit a claim.
 * `test/database/errors.test.ts` compares this table with the SQL; docs/errors.md is generated from it.
 */

/** SQLSTATE → what it stands for. */
export const errors = {
  IDB01: 'migration rejected: it breaks claims',
  IDB02: 'invalid document',
  IDB03: 'claim cannot be met',
  IDB04: 'no such stakeholder or credential',
  IDB05: 'name invalid or taken',
  IDB06: 'cannot grant',
  IDB07: 'engine or installation trouble',
  IDB08: 'invalid argument',
} as const

export type ErrorCode = keyof typeof errors

/** Finding code → what it stands for. */
export const findings = {
  IDB101: 'relation dropped',
  IDB102: 'relation renamed',
  IDB103: 'relation moved to another schema',
  IDB104: 'another kind of object has the name',
  IDB201: 'column dropped',
  IDB202: 'column renamed',
  IDB203: 'column type changed',
  IDB204: 'column narrowed',
  IDB205: 'column may now be null',
  IDB401: 'privilege revoked',
  IDB402: 'schema usage revoked',
} as const

export type FindingCode = keyof typeof findings

/** What an operation answers when it cannot do what was asked. Errors are values here; PL/pgSQL raises them. */
export interface Failure {
  code: ErrorCode
  message: string
  /** One line per problem. */
  detail: string
  hint: string
}

/** Carries a failure out of nested calls to the one place (`operate`) that turns it into `{"error": …}`. */
export class OperationError extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** `1 claim`, `2 claims`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** At most 20 lines, then how many more: what DETAIL can carry and a person can read. */
export function lines(all: readonly string[]): string {
  const most = 20
  const shown = all.slice(0, most)
  if (all.length > most) shown.push(`… and ${all.length - most} more`)
  return shown.join('\n')
}
