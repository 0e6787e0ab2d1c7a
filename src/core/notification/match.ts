/**
 * Who wants a change, and how much of it? From the states of the stakeholders (subscription_version.state), compiled for one relation as
 * it is in the stream. Several subscriptions of one change on one channel make one event, with the union of their fields.
 */
import { compile, type Predicate, type Row } from './evaluate.ts'
import type { Condition } from './where.ts'

export type Operation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'

export interface Subscription {
  relation: number
  path: string
  events: Operation[]
  fields: string[]
  where: Condition | null
  /** Columns of the primary key, if there is one. */
  key?: string[] | null
  /** Their ids. */
  channels: number[]
}

/** Of one stakeholder, from one commit on. */
export interface State {
  stakeholder: string
  channels: ChannelState[]
  subscriptions: Subscription[]
}

export interface ChannelState {
  id: number
  name: string
  kind: string
  alerts: boolean
  max_parked: number
  disabled: boolean
  configuration: Record<string, unknown>
}

/** What one stakeholder wants of one operation on one relation. `T`: what an event of these columns for these channels is made with. */
export class Interest<T> {
  readonly #always: readonly Wish[]
  readonly #conditional: readonly (Wish & { predicate: Predicate })[]
  readonly #make: (columns: number[], channels: number[]) => T
  /** By which conditions hold; a stakeholder's conditions hold in few combinations. */
  readonly #made = new Map<string, readonly T[]>()
  readonly #unconditional: readonly T[]

  /** @param columnOf where a field is in the relation, or -1 */
  constructor(
    subscriptions: readonly Subscription[],
    columnOf: (field: string) => number,
    make: (columns: number[], channels: number[]) => T,
  ) {
    const wish = ({ fields, channels }: Subscription): Wish => ({ columns: fields.map(columnOf).filter((column) => column >= 0), channels })
    this.#always = subscriptions.filter(({ where }) => where === null).map(wish)
    this.#conditional = subscriptions.flatMap((subscription) => {
      const { where } = subscription
      return where === null ? [] : [{ ...wish(subscription), predicate: compile(where, columnOf) }]
    })
    this.#make = make
    this.#unconditional = this.#combine(this.#always)
  }

  /** One for each event that has to be made. `row` null: there is none to look at (TRUNCATE), and conditions do not count. */
  events(row: Row | null): readonly T[] {
    if (this.#conditional.length === 0) return this.#unconditional
    let key = ''
    for (const { predicate } of this.#conditional) key += row === null || predicate(row) ? '1' : '0'
    let events = this.#made.get(key)
    if (!events) {
      if (this.#made.size >= MOST_COMBINATIONS) this.#made.clear()
      events = this.#combine([...this.#always, ...this.#conditional.filter((_, i) => key[i] === '1')])
      this.#made.set(key, events)
    }
    return events
  }

  /** Channels that get the same columns share an event. */
  #combine(wishes: readonly Wish[]): T[] {
    const columnsOf = new Map<number, Set<number>>()
    for (const { columns, channels } of wishes) {
      for (const channel of channels) {
        const all = columnsOf.get(channel) ?? new Set()
        for (const column of columns) all.add(column)
        columnsOf.set(channel, all)
      }
    }
    const shared = new Map<string, { columns: number[]; channels: number[] }>()
    for (const [channel, all] of columnsOf) {
      const columns = [...all].sort((a, b) => a - b)
      const event = shared.get(String(columns)) ?? { columns, channels: [] }
      event.channels.push(channel)
      shared.set(String(columns), event)
    }
    return [...shared.values()].map(({ columns, channels }) => this.#make(columns, channels))
  }
}

const MOST_COMBINATIONS = 256

interface Wish {
  columns: number[]
  channels: number[]
}

/** The subscriptions of one state to one operation on one relation. */
export function subscriptionsTo(state: State, relation: number, operation: Operation): Subscription[] {
  return state.subscriptions.filter((subscription) => subscription.relation === relation && subscription.events.includes(operation))
}
