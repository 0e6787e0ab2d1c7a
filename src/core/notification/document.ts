/**
 * The notifications document: what may be written in it, and what it says.
 *
 *   document = { "match": [ match, … ], "channels": [ channel, … ] }
 *   match    = { "path", "events", "channels", "fields"?, "where"? }
 *   events   = ["*"] | any of "INSERT", "UPDATE", "DELETE", "TRUNCATE"
 *   channels = ["*"] | names or kinds of channels
 *   fields   = "*" (default) | ["*"] | [ "name", … ]
 *   channel  = { "name", "kind", "alerts"?, "max_parked"?, … what its kind takes }
 *
 * As of claims, every issue is reported with its pointer, and nothing here looks at a database.
 */
import { listed } from '../errors.ts'
import { columnName, readText } from '../specification/document.ts'
import {
  anything,
  array,
  flag,
  isObject,
  nonEmpty,
  type Place,
  type Reader,
  type Readers,
  readMembers,
  setOf,
  string,
  wholeNumber,
} from '../specification/issue.ts'
import { nameProblem, parsePath } from '../specification/path.ts'
import { parseWhere } from './where.ts'

/** A match of the document, as `integratedb.notification` keeps it. */
export interface Notification {
  stakeholder: string
  match: number
  schema_name: string
  /** '' for `schema.*`. */
  relation_name: string
  events: string[]
  /** null: all that are claimed. */
  fields: string[] | null
  /** Names. */
  channels: string[]
  where: string | null
}

interface Channel {
  name: string
  kind: string
  alerts: boolean
  max_parked: number
  /** What its kind takes, as it was written. */
  configuration: Record<string, unknown>
}

const eventNames = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']

function oneOf(choices: readonly string[]): Reader<string> {
  return (value, at) => choices.find((each) => each === value) ?? at.report(`must be one of ${listed(choices)}`)
}

function matching(pattern: RegExp, what: string, most = 2000): Reader<string> {
  return (value, at) => (typeof value === 'string' && value.length <= most && pattern.test(value) ? value : at.report(`must be ${what}`))
}

const secretName = matching(
  /^INTEGRATEDB_SECRET_[A-Z0-9_]+$/,
  'the name of a variable of the notifier, INTEGRATEDB_SECRET_ and capitals',
  200,
)
const headerName = /^[a-z0-9-]{1,100}$/i
/** The notifier's own. */
const reservedHeader = /^(host|connection|content-.*|transfer-.*|webhook-.*|expect|upgrade|te|trailer|keep-alive|proxy-.*)$/i

const secretNames = setOf(nonEmpty, secretName)
const secrets: Reader<string[]> = (value, at) => {
  const found = secretNames(value, at)
  return found !== undefined && found.length > 5 ? at.report('must not have more than 5: two are enough to change one') : found
}

const headers: Reader<unknown> = (value, at) => {
  if (!isObject(value)) return at.report('must be an object: names of headers, each with the name of a variable')
  for (const [name, variable] of Object.entries(value)) {
    const here = at.child(name)
    if (!headerName.test(name)) here.report('is not the name of a header')
    else if (reservedHeader.test(name)) here.report('is a header that the notifier sets itself')
    else secretName(variable, here)
  }
  return value
}

/** What a channel of each kind must have, and what it may. */
const kinds: Readonly<Record<string, { required: string[]; members: Readers }>> = {
  WEBHOOK: {
    required: ['url', 'secrets'],
    members: {
      url: matching(/^https?:\/\/[^\s/?#@\\]+([/?#][^\s\\]*)?$/, 'a URL that starts with http:// or https:// and holds no credentials'),
      secrets,
      batch: wholeNumber(1, 1000),
      concurrency: wholeNumber(1, 32),
      timeout: wholeNumber(1, 60),
      headers,
    },
  },
  SOCKET: { required: [], members: { retention: wholeNumber(1, 1_000_000) } },
  QUEUE: { required: [], members: {} },
}
const kindNames = Object.keys(kinds)

const channelName: Reader<string> = (value, at) => {
  const written = string(value, at)
  if (written === undefined) return undefined
  if (written === '*' || kindNames.includes(written)) return at.report('must not be "*" or a kind, or nobody could tell which is meant')
  const problem = nameProblem(written)
  return problem === null ? written : at.report(`is a name that ${problem}`)
}

function readChannel(value: unknown, at: Place, seen: Map<string, Place>): Channel | undefined {
  const given = isObject(value) ? value['kind'] : undefined
  const kind = given === undefined ? undefined : oneOf(kindNames)(given, at.child('kind'))
  if (given !== undefined && kind === undefined) return undefined // nobody knows what else it takes
  const { required, members } = kinds[kind ?? ''] ?? { required: [], members: {} }
  const common = { name: channelName, kind: anything, alerts: flag, max_parked: wholeNumber(1, 10_000_000) }
  const own: Record<string, unknown> | undefined = readMembers<Readers>(['name', 'kind', ...required], { ...members, ...common }, value, at)
  if (own === undefined || own['name'] === undefined || kind === undefined) return undefined
  const { name, alerts = true, max_parked = 100_000 } = own as { name: string; alerts?: boolean; max_parked?: number }
  at.child('name').reportDuplicate(seen, name)
  const configuration = Object.fromEntries(Object.keys(members).flatMap((key) => (own[key] === undefined ? [] : [[key, own[key]]])))
  return { name, kind, alerts, max_parked, configuration }
}

/** `["*"]`, or some of what there is. */
function isAll(value: unknown): boolean {
  return value === '*' || (Array.isArray(value) && value.length === 1 && value[0] === '*')
}

const eventSet = setOf(nonEmpty, oneOf(eventNames))
const fieldSet = setOf(nonEmpty, columnName)

function readMatch(value: unknown, at: Place, match: number, channels: readonly Channel[]): Omit<Notification, 'stakeholder'> | undefined {
  const channel: Reader<string> = (name, here) =>
    channels.some((each) => each.name === name || each.kind === name) ? (name as string) : here.report('is no channel of this document')
  const members = {
    path: string,
    events: (given: unknown, here: Place) => (isAll(given) ? eventNames : eventSet(given, here)),
    fields: (given: unknown, here: Place) => (isAll(given) ? null : fieldSet(given, here)),
    channels: (given: unknown, here: Place) => (isAll(given) ? ['*'] : setOf(nonEmpty, channel)(given, here)),
    where: string,
  }
  const own = readMembers(['path', 'events', 'channels'], members, value, at)
  if (own === undefined) return undefined
  const { path: written, events = [], fields = null, channels: chosen = [], where = null } = own
  const condition = where === null ? null : parseWhere(where)
  if (typeof condition === 'string') at.child('where').report(condition)
  if (written === undefined) return undefined
  const path = parsePath(written)
  if (typeof path === 'string') return at.child('path').report(path)
  if (path.relation === null) {
    for (const key of ['fields', 'where'] as const)
      if (own[key]) at.child(key).report('cannot be with a path of "schema.*", whose tables have different fields')
  }
  const names = channels
    .filter(({ name, kind }) => chosen.some((each) => each === '*' || each === name || each === kind))
    .map(({ name }) => name)
  return { match, schema_name: path.schema, relation_name: path.relation ?? '', events, fields, channels: names, where }
}

/**
 * Reads a notifications document, given as JSON text.
 *
 * @throws OperationError IDB02 with every issue of the document
 */
export function readNotifications(text: string): { notifications: Omit<Notification, 'stakeholder'>[]; channels: Channel[] } {
  return readText('notifications', text, (document, at) => {
    const { match = [], channels: written = [] } = readMembers(['match', 'channels'], { match: array, channels: array }, document, at) ?? {}
    const seen = new Map<string, Place>()
    const channels = written.map((each, index) => readChannel(each, at.child('channels').child(index), seen))
    // A match may name a channel that is wrong: that is told there.
    const named = channels.map((each, index) => each ?? { kind: '', ...(isObject(written[index]) ? written[index] : {}) }) as Channel[]
    const notifications = match.map((each, index) => readMatch(each, at.child('match').child(index), index, named))
    return {
      notifications: notifications.filter((each) => each !== undefined),
      channels: channels.filter((each) => each !== undefined),
    }
  })
}
