/** A finding: one thing that does not fit a claim. The rows that users see (`integratedb.finding`). */
import type { ErrorCode, FindingCode } from '../errors.ts'
import { quoteName } from '../specification/path.ts'

export interface Finding {
  code: FindingCode | ErrorCode
  /** breaking: a claim that was met no longer is. */
  severity: 'breaking' | 'warning' | 'info'
  stakeholder: string | null
  path: string | null
  field: string | null
  expected: string | null
  actual: string | null
  /** What happened, as the end of "… needs public.orders.total (numeric): ". */
  message: string
  /** What to do about it. */
  hint: string
}

/** `needs public.orders.total (numeric): the column was dropped` */
export function needOf({ path, field, expected, message }: Finding): string {
  const what = field === null ? path : `${path}.${quoteName(field)}`
  return `needs ${what}${expected === null ? '' : ` (${expected})`}: ${message}`
}

/** `IDB201 reporter needs public.orders.total (numeric): the column was dropped` */
export function findingLine(finding: Finding): string {
  const who = finding.stakeholder === null ? 'somebody' : quoteName(finding.stakeholder)
  return `${finding.code} ${who} ${needOf(finding)}`
}
