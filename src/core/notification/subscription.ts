/** From the matches of a notifications document to subscriptions: which changes of which tables, as the claims are now. */
import { groupBy, keyOf } from '../catalog/catalog.ts'
import type { Claim } from '../claim/claim.ts'
import { type FailureProblem, failAt } from '../errors.ts'
import type { Finding } from '../migration/finding.ts'
import { publicationHint } from '../migration/hint.ts'
import { type Verdict, verdictOf } from '../migration/judge.ts'
import { issueLine } from '../specification/issue.ts'
import { formatPath, quoteName } from '../specification/path.ts'
import type { Notification } from './document.ts'
import { type ColumnClass, type Condition, fieldsOf, parseWhere, typed } from './where.ts'

/** A relation that a stakeholder claims, with the fields that it may read. */
interface Readable {
  stakeholder: string
  schema_name: string
  relation_name: string
  relid: number
  fields: string[]
}

/** What there is to know of publishing a relation. */
export interface Publishing {
  relation: number
  /** Neither a table nor a partitioned one, or a partition, whose changes come as its parent's. */
  is_table: boolean
  /** Why it cannot be published. */
  problem: string | null
  /** Stakeholders to whom row level security does not show every row. */
  hidden_from?: string[] | null
  /** Columns of its replica identity; null: all. */
  identity: string[] | null
  /** Oids of the indexes that the identity rests on. */
  indexes: number[]
  /** By name; missing: not in the stream. */
  columns: Record<string, ColumnClass>
  /** Is it in the publication? */
  is_published: boolean
}

export interface Subscription {
  stakeholder: string
  match: number
  schema_name: string
  relation_name: string
  relid: number | null
  fields: string[]
  condition: Condition | null
  indexes: number[]
  status: 'met' | 'unmet'
  reason: string | null
}

/** An expanded match, and what keeps it from being met. cause: whether the claim, or the table, is not as it has to be. */
interface Subscribed {
  subscription: Subscription
  problems: { pointer: string; message: string; cause: 'claim' | 'table' }[]
}

/** Of claims as they are: what may be read. */
function readablesOf(claims: readonly Claim[]): Readable[] {
  const readable = claims.filter(
    ({ status, access, relation_name }) => status === 'met' && relation_name !== '' && access.includes('select'),
  )
  const ofRelations = groupBy(readable, ({ stakeholder, schema_name, relation_name }) => keyOf(stakeholder, schema_name, relation_name))
  return [...ofRelations.values()].map((group) => {
    const { stakeholder, schema_name, relation_name, relid } = group[0]
    const fields = group.flatMap((each) => each.fields.filter(({ status }) => status === 'met').map(({ name }) => name))
    return { stakeholder, schema_name, relation_name, relid: relid as number, fields: [...new Set(fields)] }
  })
}

/** A match on one relation: what is wrong with it, told by pointer within the match. */
function subscribe(notification: Notification, readable: Readable, publishing: Publishing | undefined): Subscribed {
  const { stakeholder, schema_name, relation_name, relid } = readable
  const { match, events, where } = notification
  const problems: Subscribed['problems'] = []
  const tell = (pointer: string, cause: 'claim' | 'table', message: string): void => void problems.push({ pointer, cause, message })
  const { problem = 'it is not there', identity = null, indexes = [], columns = {} } = publishing ?? {}
  if (problem !== null) tell('/path', 'table', problem)
  if (publishing?.hidden_from?.includes(stakeholder))
    tell('/path', 'table', `row level security hides rows from ${quoteName(stakeholder)}, and events would tell of them`)

  const claimed = new Set(readable.fields)
  const streamed = new Map(Object.entries(columns))
  const check = (field: string, pointer: string): boolean => {
    if (!claimed.has(field)) tell(pointer, 'claim', `${quoteName(stakeholder)} does not claim ${quoteName(field)}`)
    else if (!streamed.has(field)) tell(pointer, 'table', `${quoteName(field)} is generated, and not in the stream of this server`)
    return claimed.has(field) && streamed.has(field)
  }
  const fields =
    notification.fields?.filter((field, index) => check(field, `/fields/${index}`)) ?? readable.fields.filter((each) => streamed.has(each))

  let condition: Condition | null = null
  const parsed = where === null ? null : parseWhere(where)
  if (parsed !== null && typeof parsed !== 'string') {
    const { valued, changed } = fieldsOf(parsed)
    const known = [...new Set([...valued, ...changed])].filter((field) => check(field, '/where'))
    condition = typed(
      parsed,
      (field) => streamed.get(field),
      (message) => known.length > 0 && tell('/where', 'table', message),
    )
    const needed = [...(events.includes('DELETE') ? valued : []), ...(events.includes('UPDATE') ? changed : [])]
    const uncovered = known.filter((field) => needed.includes(field) && identity !== null && !identity.includes(field))
    if (uncovered.length > 0)
      tell(
        '/where',
        'table',
        `"where" needs the value before of ${uncovered.map(quoteName).join(', ')}, which the replica identity does not cover`,
      )
  }
  const isMet = problems.length === 0
  const reason = isMet ? null : problems.map(({ message }) => message).join('; ')
  const subscription = { stakeholder, match, schema_name, relation_name, fields, condition, indexes: isMet ? indexes : [], reason }
  return { subscription: { ...subscription, relid: isMet ? relid : null, status: isMet ? 'met' : 'unmet' }, problems }
}

/** Matches expanded on claims; of claims that are not here nothing is said. */
function expandNotifications(
  notifications: readonly Notification[],
  claims: readonly Claim[],
  publishing: readonly Publishing[],
): Subscribed[] {
  const readables = readablesOf(claims)
  const published = new Map(publishing.map((each) => [each.relation, each]))
  return notifications.flatMap((notification) => {
    const { stakeholder, schema_name, relation_name, match } = notification
    const isWildcard = relation_name === ''
    const isOf = (each: { stakeholder: string; schema_name: string; relation_name: string }): boolean =>
      each.stakeholder === stakeholder && each.schema_name === schema_name && (isWildcard || each.relation_name === relation_name)
    const here = readables.filter((each) => isOf(each) && (!isWildcard || published.get(each.relid)?.is_table !== false))
    if (here.length > 0) return here.map((each) => subscribe(notification, each, published.get(each.relid)))
    // A wildcard takes in what will come, if the stakeholder claims it.
    if (isWildcard && claims.some(isOf)) return []
    const what = formatPath(schema_name, isWildcard ? null : relation_name)
    const message = claims.some(isOf) ? 'its claim is not met' : `${quoteName(stakeholder)} does not claim ${what} with select`
    const subscription: Subscription = {
      ...{ stakeholder: stakeholder, match, schema_name, relation_name, relid: null, fields: [] },
      ...{ condition: null, indexes: [], status: 'unmet', reason: message },
    }
    return [{ subscription, problems: [{ pointer: '/path', cause: 'claim', message }] }]
  })
}

/**
 * What a document's matches come to now.
 *
 * @throws OperationError IDB03, if they are being declared and there is anything that cannot be met
 */
export function subscriptionsOf(input: {
  notifications: Notification[]
  claims: Claim[]
  publishing: Publishing[]
  is_declared: boolean
}): Subscription[] {
  const subscribed = expandNotifications(input.notifications, input.claims, input.publishing)
  const problems = subscribed.flatMap(({ subscription: { match, schema_name, relation_name }, problems }): FailureProblem[] =>
    problems.map(({ pointer, message }) => {
      const path = formatPath(schema_name, relation_name === '' ? null : relation_name)
      return { line: issueLine({ pointer: `/match/${match}${pointer}`, message: `${path}: ${message}` }), path }
    }),
  )
  if (input.is_declared) {
    failAt(
      problems,
      'IDB03',
      'notifications cannot be met',
      'Each line starts with a JSON pointer into the document. A table needs a primary key or another replica identity (ALTER TABLE ... REPLICA IDENTITY FULL), the stakeholder has to claim what it is told of, and row level security has to show it every row (CREATE POLICY ... FOR SELECT TO it USING (true)). Nothing was changed.',
    )
  }
  return subscribed.map(({ subscription }) => subscription)
}

function keyOfSubscription({ stakeholder, match, schema_name, relation_name }: Subscription): string {
  return keyOf(stakeholder, match, schema_name, relation_name)
}

/**
 * A migration judged once more, by the notifications that it touched.
 *
 * @param claims as they are after it, of the relations that it touched
 * @param findings what was found of the claims
 */
export function judgeNotifications(input: {
  notifications: Notification[]
  subscriptions: Subscription[]
  claims: Claim[]
  publishing: Publishing[]
  findings: Finding[]
}): Verdict & { subscriptions: Subscription[] } {
  const { notifications, claims, publishing } = input
  const subscribed = expandNotifications(notifications, claims, publishing)
  const before = new Map(input.subscriptions.map((each) => [keyOfSubscription(each), each]))
  const after = new Map(subscribed.map((each) => [keyOfSubscription(each.subscription), each]))
  const found = (of: Subscription, severity: Finding['severity'], message: string): Finding => {
    const path = formatPath(of.schema_name, of.relation_name === '' ? null : of.relation_name)
    const subject = { stakeholder: of.stakeholder, path, field: null, expected: 'notifications' }
    return { code: 'IDB501', severity, ...subject, actual: null, message, hint: publicationHint(subject) }
  }
  const ofTable = ({ problems }: Subscribed): string =>
    problems
      .filter(({ cause }) => cause === 'table')
      .map(({ message }) => message)
      .join('; ')

  const lost = input.subscriptions
    .filter(({ status }) => status === 'met')
    .flatMap((was): Finding[] => {
      const is = after.get(keyOfSubscription(was))
      if (is === undefined) return [found(was, 'info', 'it is no longer claimed, and nothing is told of it')]
      if (is.subscription.status === 'met') {
        const isTakenOut =
          is.subscription.relid === was.relid && publishing.some((each) => each.relation === was.relid && !each.is_published)
        return isTakenOut ? [found(was, 'breaking', 'it was taken out of the publication integratedb')] : []
      }
      const problem = ofTable(is)
      return [problem === '' ? found(was, 'info', `nothing is told of it: ${is.subscription.reason}`) : found(was, 'breaking', problem)]
    })
  const unfit = subscribed
    .filter((each) => !before.has(keyOfSubscription(each.subscription)) && ofTable(each) !== '')
    .map((each) => found(each.subscription, 'warning', ofTable(each)))
  return { ...verdictOf([...input.findings, ...lost, ...unfit], claims), subscriptions: subscribed.map(({ subscription }) => subscription) }
}
