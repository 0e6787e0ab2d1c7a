/** What to do about a finding: the safe way to make the same change, or the way to give the claim up. */
import type { ErrorCode, FindingCode } from '../errors.ts'
import { quoteName } from '../specification/path.ts'
import type { Finding } from './finding.ts'

type Subject = Pick<Finding, 'stakeholder' | 'path' | 'field' | 'expected'>

function nameOf(stakeholder: string | null): string {
  return stakeholder === null ? 'the stakeholder' : quoteName(stakeholder)
}

export function hintFor(code: FindingCode | ErrorCode, { stakeholder, path, field, expected }: Subject): string {
  const who = nameOf(stakeholder)
  const column = field === null ? 'the column' : quoteName(field)
  const orRelease = `, or let ${who} give it up first (integratedb.set_claims)`
  const atOnce = ` in the same transaction${orRelease}`
  const underItsName = `Create a view ${path} over the relation's new name${atOnce}.`
  const hints: Partial<Record<FindingCode | ErrorCode, string>> = {
    IDB101: `Keep ${path} (or bring it back), put a view of that name in its place${atOnce}.`,
    IDB102: underItsName,
    IDB103: underItsName,
    IDB104: expected === 'data' ? `Refresh the materialized view with data${atOnce}.` : `Give ${path} back to a table or view${atOnce}.`,
    IDB201: `Keep ${column} (or bring it back) until nobody claims it${orRelease}.`,
    IDB202: `Add the new name beside ${column} (a generated column, or a view ${path} that shows both)${orRelease}.`,
    IDB203: `Add a new column of the new type beside ${column} and move readers over${orRelease}; a claim can list both types.`,
    IDB204: `Keep room for ${expected}${orRelease}.`,
    IDB205: `Keep ${column} not null, or let ${who} accept null ("is_nullable": true) in its claims first. A view's columns are never known to be not null.`,
    IDB211: `Give ${column} a default, or let it be null, until ${who} fills it and claims it (integratedb.set_claims), then make it required.`,
    IDB212: `Keep ${column} nullable, or let ${who} say that either will do ("is_nullable": true) in its claims first.`,
    IDB213:
      field === null
        ? `Keep ${path} writable (a view: one that Postgres can update, or with INSTEAD OF triggers)${orRelease}.`
        : `Keep ${column} an ordinary column ("by default" instead of "always" for an identity), add the generated one beside it${orRelease}.`,
    IDB214: `Keep a default on ${column}${orRelease}.`,
    IDB301: `Keep a unique constraint on ${column} alone (the new one beside it), or let ${who} say that it need not be unique ("unique": false) first.`,
    IDB302: `Let ${who} know before it writes; where rows are refused already, repair them first.`,
    IDB303: `Add the new label beside the old one (ALTER TYPE ... ADD VALUE), or let ${who} name the labels that it needs ("values") without this one first.`,
    IDB304: `Tell ${who} that it means something else now.`,
    IDB401: `Grant it back${atOnce}; integratedb.sync() restores what claims need.`,
    IDB402: `Grant usage of the schema to ${who}${atOnce}.`,
    IDB403: `Create a policy for ${who} that shows what it saw (CREATE POLICY ... TO ${who} USING (...))${atOnce}; set_claims takes what it sees now as what it needs.`,
    IDB404: `Grant it in the same transaction, or give the view an owner that may${orRelease}.`,
  }
  return hints[code] ?? ''
}

/** Of IDB501, which only the notifications' core finds. */
export function publicationHint({ stakeholder, path }: Pick<Subject, 'stakeholder' | 'path'>): string {
  const who = nameOf(stakeholder)
  return `Give ${path} a primary key or another replica identity (ALTER TABLE ... REPLICA IDENTITY FULL), leave the publication integratedb to IntegrateDB, and let policies show ${who} every row, in the same transaction, or let ${who} give its notifications up first (integratedb.set_notifications).`
}
