/** What to do about a finding: the safe way to make the same change, or the way to give the claim up. */
import type { ErrorCode, FindingCode } from '../errors.ts'
import { quoteName } from '../specification/path.ts'
import type { Finding } from './finding.ts'

type Subject = Pick<Finding, 'stakeholder' | 'path' | 'field' | 'expected'>

export function hintFor(code: FindingCode | ErrorCode, { stakeholder, path, field, expected }: Subject): string {
  const who = stakeholder === null ? 'the stakeholder' : quoteName(stakeholder)
  const release = `or let ${who} give it up first (integratedb.set_claims)`
  const column = field === null ? 'the column' : quoteName(field)
  switch (code) {
    case 'IDB101':
      return `Keep ${path} (or bring it back), put a view of that name in its place in the same transaction, ${release}.`
    case 'IDB102':
    case 'IDB103':
      return `Create a view ${path} over the relation's new name in the same transaction, ${release}.`
    case 'IDB104':
      return `Give ${path} back to a table or view in the same transaction, ${release}.`
    case 'IDB201':
      return `Keep ${column} (or bring it back) until nobody claims it, ${release}.`
    case 'IDB202':
      return `Add the new name beside ${column} (a generated column, or a view ${path} that shows both), ${release}.`
    case 'IDB203':
      return `Add a new column of the new type beside ${column} and move readers over, ${release}; a claim can list both types.`
    case 'IDB204':
      return `Keep room for ${expected}, ${release}.`
    case 'IDB205':
      return `Keep ${column} not null, or let ${who} accept null ("is_nullable": true) in its claims first. A view's columns are never known to be not null.`
    case 'IDB401':
      return `Grant it back in the same transaction, ${release}; integratedb.sync() restores what claims need.`
    case 'IDB402':
      return `Grant usage of the schema to ${who} in the same transaction, ${release}.`
    default:
      return ''
  }
}
