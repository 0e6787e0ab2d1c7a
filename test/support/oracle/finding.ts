/** Is it really so? Each line of a rejection against what was observed and what is there. */
import type { Catalogue, Column, Relation } from './catalogue.ts'
import { allBehind, allReadWith, relationsBehind } from './catalogue.ts'
import type { Flaw } from './promise.ts'
import { fillsItself } from './promise.ts'

export interface Line {
  code: string
  stakeholder: string
  relation: string
  field: string | null
  text: string
}

/** `IDB201 reporter needs public.orders.total (numeric): the column was dropped`; what is not of this form is not a finding. */
export function readLine(text: string, relations: readonly string[]): Line | null {
  const [, code, stakeholder, rest] = /^(IDB[1-4]\d\d) (\S+) (?:needs|and) (.*)$/.exec(text) ?? []
  if (code === undefined || stakeholder === undefined || rest === undefined) return null
  const path = relations.filter((name) => rest.startsWith(name)).sort((one, other) => other.length - one.length)[0]
  if (path === undefined) return { code, stakeholder, relation: rest, field: null, text }
  const [, quoted] = /^\.("(?:[^"]|"")+"|[^ :]+)/.exec(rest.slice(path.length)) ?? []
  return { code, stakeholder, relation: path, field: quoted ?? null, text }
}

/** Does it say that somebody lacks a privilege on this relation, or on a column of it? */
export const isForbidden = ({ text }: Line, name: string): boolean => {
  const [, rest = ''] = / may not \w+ (.*)/.exec(text) ?? []
  return rest.startsWith(name) && /^([., ]|$)/.test(rest.slice(name.length))
}

/** Postgres never comes to ask for what the line says is missing (docs/limits.md). */
export const isNeverAsked = (line: Line, catalogue: Catalogue): boolean =>
  [isAnnulled, isPutOut, isBesideNothing].some((isSo) => isSo(line, catalogue))

/** A rule DO INSTEAD NOTHING, here or behind it, leaves nothing of the statement. */
function isAnnulled({ code, relation, text }: Line, catalogue: Catalogue): boolean {
  if (code !== 'IDB401' && code !== 'IDB404') return false
  const [access] = /(?<= \()\w+(?=\): )|(?<= may not )\w+(?= )/.exec(text) ?? []
  return allBehind(catalogue, relation).some(({ annulled }) => annulled.some((one) => one === access))
}

/** What is always true, also because of a column (`c is null or c is not null`), the planner puts out, with the query beside it. */
function isPutOut(line: Line, catalogue: Catalogue): boolean {
  const isAlwaysTrue = (text: string, { columns }: Relation): boolean =>
    text.includes(' OR true') ||
    columns.some(
      ({ quoted, generated, isNotNull }) =>
        (generated || isNotNull) && ['NULL', 'NOT NULL'].every((what) => text.includes(`(${quoted} IS ${what})`)),
    )
  return allBehind(catalogue, line.relation).some((relation) =>
    [relation.definition, ...relation.policies.flatMap(({ using, check }) => [using, check])].some(
      (text) =>
        text &&
        isAlwaysTrue(text, relation) &&
        [...relation.reads, ...relation.policiesRead].some(
          (read) => text.includes(read) && [...relationsBehind(catalogue, read)].some((name) => isForbidden(line, name)),
        ),
    ),
  )
}

/** Where row level security shows nothing of a table, the planner puts out what an outer join adds to it. */
function isBesideNothing(line: Line, catalogue: Catalogue): boolean {
  const behind = allBehind(catalogue, line.relation)
  const isHidden = ({ rowSecurity, policies }: Relation): boolean =>
    rowSecurity !== 'off' && !policies.some(({ permissive, command }) => permissive && (command === 'select' || command === 'all'))
  return (
    line.code === 'IDB404' &&
    behind.some(({ definition }) => definition?.includes(' LEFT JOIN ')) &&
    behind.some((relation) => isHidden(relation) && !isForbidden(line, relation.name))
  )
}

/** Why a line is not true; null if it is, or if the oracle cannot tell. */
export function untruth(line: Line, before: Catalogue, after: Catalogue, flaws: readonly Flaw[]): string | null {
  const then = before.relations.get(line.relation)
  const now = after.relations.get(line.relation)
  const column = (relation: Relation | undefined): Column | undefined =>
    relation?.columns.find(({ quoted, name }) => quoted === line.field || name === line.field)
  const [columnThen, columnNow] = [column(then), column(now)]
  const tried = flaws.some(({ code, relation }) => code === 'attempt' && relation === line.relation)
  const isFlawedBy = (wanted: string) => flaws.some(({ code, relation }) => code === wanted && relation === line.relation)
  const isFlawed = isFlawedBy(line.code)
  const isReadable = (name: string): boolean => allReadWith(after, name).every(({ isPopulated }) => isPopulated !== false)
  const requiresBehind = (name: string): boolean =>
    allBehind(after, name).some(({ columns }) => columns.some((one) => one.refusesNull && !fillsItself(one)))
  const isFilteredBehind = (name: string): boolean => allReadWith(after, name).some(({ rowSecurity }) => rowSecurity !== 'off')
  // Let through, what was taken is given again for the sake of a relation that is new.
  const isGivenAgain = [...after.relations.values()].some(
    ({ name, sequences }) =>
      !before.relations.has(name) && sequences.some((sequence) => line.text.includes(`the sequence ${sequence.name} was revoked`)),
  )
  const unless = (isSo: boolean, what: string): string | null => (isSo ? null : what)
  switch (line.code) {
    case 'IDB101':
    case 'IDB102':
    case 'IDB103':
      return unless(now === undefined, 'the relation is there')
    case 'IDB104':
      return unless(now === undefined || !isReadable(line.relation), 'the relation is there and can be read')
    case 'IDB201':
    case 'IDB202':
      return unless(now !== undefined && columnNow === undefined, 'the column is there, or the whole relation is not')
    case 'IDB203':
    case 'IDB204':
      return unless(
        columnThen === undefined || columnThen.type !== columnNow?.type || columnThen.behind !== columnNow.behind,
        'the type is as it was',
      )
    case 'IDB205':
      return unless(columnNow?.showsNoNull === false, 'the column is NOT NULL')
    case 'IDB211':
      // A partition may refuse what the whole takes, also behind a view; which column of what is behind a view is which, the oracle does not know.
      return unless(
        tried || columnNow?.refusesNull === true || isFlawedBy('IDB212') || (now?.kind === 'v' && requiresBehind(line.relation)),
        'an INSERT that does not name the column works',
      )
    case 'IDB212':
      return unless(tried || columnNow?.refusesNull === true || columnNow?.keepsNullOut === true || isFlawed, 'null goes in')
    case 'IDB213':
      return unless(
        tried || columnNow?.isInsertable === false || columnNow?.isUpdatable === false || Object.values(now?.accepts ?? {}).includes(false),
        'it can be written',
      )
    case 'IDB214':
      return unless(tried || isFlawed || (columnNow !== undefined && !fillsItself(columnNow)), 'the column fills itself')
    case 'IDB301':
      return unless(columnNow?.isUnique === false, 'the column is unique')
    case 'IDB303':
      return unless(
        String([columnThen?.labels, columnThen?.innerLabels]) !== String([columnNow?.labels, columnNow?.innerLabels]),
        'the labels are as they were',
      )
    case 'IDB402':
      return unless(
        tried || (now !== undefined && after.schemas.get(now.schema)?.users.includes(line.stakeholder) === false),
        'it has usage of the schema',
      )
    case 'IDB401':
    case 'IDB404':
      return unless(tried || isFlawed || isGivenAgain || isNeverAsked(line, after), 'everything that was tried still works')
    case 'IDB403':
      return unless(tried || now === undefined || isFilteredBehind(line.relation), 'no policy hides a row')
    default:
      return null
  }
}
