/**
 * Every code a user can meet, in one place.
 *
 * Two kinds: an *error* stops a call and is its SQLSTATE; a *finding* is one thing that does not fit a claim.
 * `test/database/errors.test.ts` compares this table with the SQL; docs/errors.md is generated from it.
 */

/** SQLSTATE → what it stands for, and what to do about it. */
export const errors = {
  IDB01: {
    means: 'migration rejected: it breaks claims',
    remedy:
      'DETAIL has a line for each broken claim, with a code from the second table. Change the migration, or talk to the stakeholders that it names. `integratedb.check_migration(ddl)` tells beforehand.',
  },
  IDB02: {
    means: 'invalid document',
    remedy:
      'DETAIL has a line for each problem, with a JSON pointer into the document. `integratedb.check_claims(document)` tells beforehand.',
  },
  IDB03: {
    means: 'claim cannot be met',
    remedy: 'The document is right, the database has not what it claims. Create what is missing, or mark it `"optional": true`.',
  },
  IDB04: {
    means: 'no such stakeholder or credential',
    remedy: 'DETAIL lists the ones there are. A missing role comes back with `pg_dumpall --roles-only`.',
  },
  IDB05: {
    means: 'name invalid or taken',
    remedy: 'Choose another name. A role or schema that exists already is never adopted.',
  },
  IDB06: {
    means: 'cannot grant',
    remedy:
      'IntegrateDB acts as the role that installed it: DETAIL says what it may not do, HINT who could let it. Or the caller has no say in what it approves, rejects or allows: DETAIL says whose it is.',
  },
  IDB07: {
    means: 'engine or installation trouble',
    remedy: '`integratedb.doctor()` says what is wrong or missing, each with the fix.',
  },
  IDB08: {
    means: 'invalid argument',
    remedy: 'DETAIL says what the call takes.',
  },
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
  IDB211: 'a required column that the claim does not fill',
  IDB212: 'column no longer accepts null',
  IDB213: 'no longer writable',
  IDB214: 'default dropped',
  IDB301: 'unique dropped',
  IDB302: 'constraint, trigger or rule added',
  IDB303: 'enum label renamed or removed',
  IDB304: 'view, generated expression or collation changed',
  IDB401: 'privilege revoked',
  IDB402: 'schema usage revoked',
  IDB403: 'row level security hides rows',
  IDB404: "the view's owner lost its rights",
  IDB501: 'can no longer be published',
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

/** One of the problems of a failure, with what a finding would say of it. */
export interface FailureProblem {
  line: string
  path?: string | null
  field?: string | null
  expected?: string | null
  actual?: string | null
}

/** Carries a failure out of nested calls to the one place (`operate`) that turns it into `{"error": …}`. */
export class OperationError extends Error {
  readonly failure: Failure
  readonly problems: readonly FailureProblem[]

  constructor(failure: Omit<Failure, 'detail'>, problems: readonly FailureProblem[]) {
    super(failure.message)
    this.failure = { ...failure, detail: lines(problems.map(({ line }) => line)) }
    this.problems = problems
  }
}

/** Ends the operation, if there are problems. */
export function failAt(problems: readonly FailureProblem[], code: ErrorCode, what: string, hint: string): void {
  if (problems.length > 0) throw new OperationError({ code, message: `${what}: ${count(problems.length, 'problem')}`, hint }, problems)
}

/** `1 claim`, `2 claims`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** `"a", "b"` */
export function listed(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ')
}

/** One thing, one line: a name may hold a line break, and a document may hold a key of a megabyte. */
export function oneLine(text: string): string {
  const most = 1000
  const characters = text.length <= most ? text : `${[...text.slice(0, most)].slice(0, -1).join('')}…`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  return characters.replace(/[\u0000-\u001f\u007f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** At most 20 lines, then how many more: what DETAIL can carry and a person can read. */
export function lines(all: readonly string[]): string {
  const most = 20
  const shown = all.slice(0, most).map(oneLine)
  if (all.length > most) shown.push(`… and ${all.length - most} more`)
  return shown.join('\n')
}
