/** One row of the table: a form of a command, what it was tried against, and what comes of it. */
import type { Claims } from './claims.ts'
import type { Command } from './commands.ts'

export interface Outcome {
  /** refused: by PostgreSQL itself, before IntegrateDB has a say. */
  verdict: 'accepted' | 'rejected' | 'refused'
  /** Why it was rejected. */
  codes: string[]
  warnings: string[]
  infos: string[]
  /** What `unmet_claims()` finds afterwards. */
  unmet: string[]
  /** The checks of `doctor()` that complain afterwards, where the row asks for them. */
  doctor: string[]
  /** Can the stakeholder still do what it did? Of a rejected migration: after it was let through. */
  works: boolean
  sqlstate: string | null
}

const idb = (codes: number[]): string[] => codes.map((code) => `IDB${code}`)

export const accepts: Outcome = {
  verdict: 'accepted',
  codes: [],
  warnings: [],
  infos: [],
  unmet: [],
  doctor: [],
  works: true,
  sqlstate: null,
}
export const warns = (...codes: number[]): Outcome => ({ ...accepts, warnings: idb(codes) })
/** The stakeholder could not go on as before, and yet it is let through. */
export const warnsOfFailure = (...codes: number[]): Outcome => ({ ...warns(...codes), works: false })
export const tells = (...codes: number[]): Outcome => ({ ...accepts, infos: idb(codes) })
/** The stakeholder could not go on as before. */
export const rejects = (...codes: number[]): Outcome => ({
  ...accepts,
  verdict: 'rejected',
  codes: idb(codes),
  works: false,
  sqlstate: 'IDB01',
})
/** Its queries still run, but something that it relies on is no longer so: uniqueness, NOT NULL, labels. */
export const rejectsProperty = (...codes: number[]): Outcome => ({ ...rejects(...codes), works: true })
export const refuses = (sqlstate: string): Outcome => ({ ...accepts, verdict: 'refused', sqlstate })
/** Fires no event trigger; `unmet_claims()` tells. */
export const found = (...codes: number[]): Outcome => ({ ...accepts, unmet: idb(codes), works: false })
/** Fires no event trigger; `doctor()` tells. */
export const diagnosed = (...checks: string[]): Outcome => ({ ...accepts, doctor: checks })
/** It breaks the stakeholder, and nothing tells. */
export const unseen: Outcome = { ...accepts, works: false }

export interface Form {
  command: Command
  /** In the manual's words. */
  form: string
  /** Which case of it. */
  when?: string
  claims: Claims
  /** Before the claims are made, in addition to the fixture. */
  setup?: string
  /** What is tried; several, each by itself, where they cannot run in a transaction block. */
  sql: string | string[]
  gives: Outcome
  why: string
  /** What the stakeholder does, if not what its claims say. */
  use?: string[]
  /** What it can do from now on, after what was accepted. */
  newUse?: string[]
  /** The stakeholder sees fewer rows afterwards, and that is fine. */
  fewer?: true
  /** The first PostgreSQL that has it. */
  since?: 16 | 17 | 18
  /** Cannot run in a transaction block. */
  outside?: true
}

type Row = Omit<Form, 'command' | 'claims'> & { claims?: Claims }

/** Forms of one command, tried against the same claims if a row has none of its own. */
export function forms(command: Command, claims: Claims, rows: Row[]): Form[] {
  return rows.map((row) => ({ command, claims, ...row }))
}

/** Of something that was let through: does anything tell? */
export const isTold = ({ warnings, unmet, doctor }: Outcome): boolean => [warnings, unmet, doctor].some((all) => all.length > 0)

/** One line for a person. */
export function tellOutcome(outcome: Outcome): string {
  const { verdict, codes, warnings, infos, unmet, doctor, works, sqlstate } = outcome
  if (verdict === 'refused') return `refused by PostgreSQL (${sqlstate})`
  if (verdict === 'rejected') return `**rejected** ${codes.join(', ')}${works ? ' (statements still run)' : ''}`
  const told = [
    ...(warnings.length > 0 ? [`warning ${warnings.join(', ')}${works ? '' : ' (statements fail)'}`] : []),
    ...(infos.length > 0 ? [`info ${infos.join(', ')}`] : []),
    ...(unmet.length > 0 ? [`\`unmet_claims()\` tells ${unmet.join(', ')}`] : []),
    ...(doctor.length > 0 ? [`\`doctor()\` tells: ${doctor.join(', ')}`] : []),
    ...(!works && !isTold(outcome) ? ['**not seen**'] : []),
  ]
  return ['accepted', ...told].join('; ')
}
