/** Who wants a change, and what do they get? For each relation as it is in the stream, made once and kept until it or a subscription changes. */
import { Interest, type Operation, type Row, type State, subscriptionsTo } from '../core/index.ts'
import type { ChannelRunner } from './channel/channel.ts'
import { EventWriter, isDifferent } from './event.ts'
import { type Delete, type Insert, NOT_SENT, type Relation, type Tuple, UNCHANGED, type Update } from './pgoutput.ts'

/** One event, and whom it is for. */
interface Target {
  writer: EventWriter
  channels: ChannelRunner[]
}

export type Routes = Record<Operation, Interest<Target>[]>

interface World {
  states: Iterable<State>
  channels: ReadonlyMap<number, ChannelRunner>
  source: string
  secret: string
}

export function routesOf(relation: Relation, { states, channels, source, secret }: World): Routes {
  const routes: Routes = { INSERT: [], UPDATE: [], DELETE: [], TRUNCATE: [] }
  const columnOf = (field: string) => relation.columns.findIndex(({ name }) => name === field)
  for (const state of states) {
    for (const operation of ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const) {
      const subscriptions = subscriptionsTo(state, relation.oid, operation)
      if (subscriptions.length === 0) continue
      const key = keyOf(relation, subscriptions[0]?.key ?? null)
      const { stakeholder } = state
      routes[operation].push(
        new Interest(subscriptions, columnOf, (columns, ids) => ({
          writer: new EventWriter({ source, stakeholder, operation, relation, key, columns, secret }),
          channels: ids.flatMap((id) => channels.get(id) ?? []),
        })),
      )
    }
  }
  return routes
}

/** With FULL every column is marked, so that the primary key has to be told; without one there is none. */
function keyOf({ identity, columns }: Relation, primaryKey: readonly string[] | null): number[] {
  const marked = columns.flatMap(({ key }, column) => (key ? [column] : []))
  if (identity !== 'full') return marked
  const named = primaryKey?.map((field) => columns.findIndex(({ name }) => name === field)) ?? []
  return named.includes(-1) ? [] : named
}

/** A change as conditions look at it. One is enough: it is set, and looked at. */
export class ChangedRow implements Row {
  #relation!: Relation
  #row!: Tuple
  #before: Tuple | null = null
  /** Of an UPDATE. */
  #isUpdate = false
  #isWhole = false

  set(relation: Relation, change: Insert | Update | Delete): this {
    this.#relation = relation
    this.#isUpdate = change.kind === 'update'
    if (change.kind === 'delete') {
      this.#row = (change.old ?? change.key) as Tuple
      this.#before = null
      this.#isWhole = change.old !== null
    } else {
      this.#row = change.row
      this.#before = change.kind === 'update' ? (change.old ?? change.key) : null
      this.#isWhole = change.kind === 'insert' || change.old !== null
    }
    return this
  }

  value(column: number): string | null | undefined {
    const isKey = this.#relation.columns[column]?.key === true
    // Of a DELETE there is the key, and the others look like null.
    if (!this.#isUpdate && !this.#isWhole && !isKey) return undefined
    let value = this.#row.value(column)
    if (value === UNCHANGED && this.#before && (this.#isWhole || isKey)) value = this.#before.value(column)
    return value === UNCHANGED ? undefined : value
  }

  changed(column: number): boolean | undefined {
    if (!this.#isUpdate) return true
    if (this.#row.start(column) === NOT_SENT) return false
    const isKey = this.#relation.columns[column]?.key === true
    if (this.#before && (this.#isWhole || isKey)) return isDifferent(this.#before, this.#row, column)
    return isKey ? false : undefined
  }
}
