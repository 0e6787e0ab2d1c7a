/** Random DDL of every kind: that of relation.ts, and that of what is beside relations (functions, publications, rules). A statement that Postgres refuses is no harm. */
import type { Catalogue, Column, Relation } from '../oracle/catalogue.ts'
import { sampleOf } from '../oracle/value.ts'
import type { Dice } from './dice.ts'
import { called, columnNames, domains, owners, predicates, schemas, stakeholders } from './pool.ts'
import { RelationStatements, schemaOf } from './relation.ts'
import type { Maker } from './scene.ts'

class Statements extends RelationStatements {
  /** A predicate of the column that runs with the rights of whoever reads or writes. */
  private called = ({ quoted, type }: Column): string =>
    this.dice.one([
      `crm.fits(${quoted})`,
      /^(text|character|name)/.test(type) ? `shop.holds(${quoted})` : `crm.fits(${quoted})`,
      `shop.holds(${quoted}::text)`,
    ])

  /** A question about another relation, or about the same: Postgres then goes round in circles. */
  private question = (column: Column): string | undefined => {
    const other = this.dice.maybe(this.relations('rpvm'))
    const key = other && this.dice.maybe(other.columns.filter(({ type }) => type === column.type))
    if (other === undefined) return undefined
    return key === undefined || this.dice.chance(0.3)
      ? `exists (select from ${other.name}) or ${column.quoted} is null or ${column.quoted} is not null`
      : `${column.quoted} in (select x.${key.quoted} from ${other.name} x) or ${column.quoted} is not null or ${column.quoted} is null`
  }

  /** Mostly one that something calls. */
  private routine(): string {
    const inUse = [...this.catalogue.relations.values()].flatMap(({ calls }) => calls.map(({ name }) => name))
    return this.dice.one(inUse.length > 0 && this.dice.chance(0.7) ? inUse : called)
  }

  private policy(relation: Relation, condition: string): string {
    const command = this.dice.one(['all', 'all', 'select', 'insert', 'update', 'delete'])
    const clauses = command === 'insert' ? `with check (${condition})` : `using (${condition})`
    const name = `seen_${this.dice.between(1, 3)}`
    return `create policy ${name} on ${relation.name} as ${this.dice.one(['permissive', 'permissive', 'restrictive'])} for ${command} to ${this.dice.one(['public', ...stakeholders])} ${clauses}`
  }

  /** A relation that is only named, or read as a whole: nothing in the view says which of its columns. */
  private namingView = this.on('rpvm', (relation) => {
    const name = this.newName()
    const each = `shop.each_${this.dice.between(1, 3)}`
    return this.dice.one([
      `create view ${name} as select t::text as row from ${relation.name} t`,
      `create view ${name} as select to_jsonb(t) as row from ${relation.name} t`,
      `create view ${name} as select t as row from ${relation.name} t`,
      `create view ${name} as select '${relation.name}'::regclass::text as name`,
      `create view ${name} as select null::${relation.name} as row`,
      `create function ${each}() returns setof ${relation.name} language plpgsql as $$ begin return; end $$; create view ${name} as select * from ${each}()`,
    ])
  })

  private publicationFor = (): string =>
    this.dice.one([
      () => 'create publication history_all for all tables',
      () => `create publication history_schema for tables in schema ${this.dice.one(schemas)}`,
      ...['history_one', 'history_two'].map((name) => () => {
        const relation = this.dice.maybe(this.relations('rp'))
        if (relation === undefined) return `create publication ${name}`
        const columns = this.dice.some(relation.columns, 0.7).map(({ quoted }) => quoted)
        const list = this.dice.chance(0.2) ? ` (${columns.join(', ')})` : ''
        const where = this.dice.chance(0.15) ? ` where (${this.dice.one(columns)} is not null)` : ''
        return `create publication ${name} for table ${relation.name}${list}${where}`
      }),
    ])()

  /** What is beside relations and says what becomes of their rows: functions, publications, rules, policies and views that lead elsewhere. */
  private readonly furtherRefinements: Maker[] = [
    this.onColumn('rp', (relation, column) => `alter table ${relation.name} add check (${this.called(column)})`),
    this.onColumn('rp', (relation, column) =>
      this.dice.one([
        `create index on ${relation.name} ((${this.called(column)}))`,
        `create index on ${relation.name} (${column.quoted}) where ${this.called(column)}`,
      ]),
    ),
    this.onColumn(
      'rp',
      (relation, column) =>
        `create trigger watch before ${this.dice.one(['insert', 'update', 'insert or update'])} on ${relation.name} for each row when (${this.called({ ...column, quoted: `new.${column.quoted}` })}) execute function shop.pass()`,
    ),
    () => `alter domain ${this.dice.one(domains)} add check (${this.dice.one(['shop.holds(value::text)', 'crm.fits(value)'])})`,
    this.onColumn(
      'rp',
      (relation, column) =>
        `alter table ${relation.name} add ${this.dice.one(columnNames)} boolean generated always as (${this.called(column)}) stored`,
    ),
    this.onColumn(
      'rpvm',
      (relation, column) =>
        `create view ${this.newName()} as select ${column.quoted}, ${this.dice.one([`${this.called(column)} as held from ${relation.name}`, `1 as one from ${relation.name} where ${this.called(column)}`])}`,
    ),
    ...[this.called, this.question, this.question].map((condition) =>
      this.onColumn('rp', (relation, column) => {
        const applied = condition(column)
        return (
          applied && `${this.policy(relation, applied)}${this.dice.one(['', `; alter table ${relation.name} enable row level security`])}`
        )
      }),
    ),
    this.namingView,
    this.namingView,
    () =>
      `${this.publicationFor()}${this.dice.one(['', '', ` with (publish = '${this.dice.one(['insert', 'update', 'delete', 'insert, update', 'update, delete', 'insert, truncate'])}')`])}`,
    this.on('rp', (relation) => {
      const index = this.dice.maybe(relation.indexes)
      return `alter table ${relation.name} replica identity ${this.dice.one(['full', 'nothing', 'default', index === undefined ? 'full' : `using index ${index}`])}`
    }),
    this.on(
      'rpv',
      (relation) =>
        `create rule ${this.dice.one(['watch', 'aside'])} as on ${this.dice.one(['insert', 'update', 'delete'])} to ${relation.name}${this.dice.one(['', ' where false', ' where 1 > 2'])} do ${this.dice.one(['also', 'instead'])} nothing`,
    ),
    this.onColumn('rpv', (relation, column) => {
      const other = this.dice.maybe(this.relations('rp').filter((one) => one !== relation))
      const into = other && this.dice.maybe(other.columns.filter(({ type, isInsertable }) => type === column.type && isInsertable))
      return (
        into &&
        `create rule aside as on insert to ${relation.name}${this.dice.one(['', ` where new.${column.quoted} is null`])} do also insert into ${other.name} (${into.quoted}) values (new.${column.quoted})`
      )
    }),
  ]

  private readonly furtherAlterations: Maker[] = [
    () => `revoke execute on function ${this.routine()} from ${this.dice.one(['public', 'public', ...stakeholders])}`,
    () => `revoke execute on function ${this.routine()} from public`,
    () => `grant execute on function ${this.routine()} to ${this.dice.one(['public', ...stakeholders])}`,
    () => `alter function ${this.routine()} owner to ${this.dice.one([...owners, 'current_user', ...stakeholders])}`,
    () =>
      this.dice.one([
        'create or replace function shop.holds(text) returns boolean immutable language plpgsql as $$ begin return $1 is null or length($1) < 1000; end $$',
        'create or replace function crm.fits(anyelement) returns boolean immutable language plpgsql as $$ begin return $1 is null or $1 is not null or true; end $$',
      ]),
    () => `drop function ${this.routine()}${this.cascade()}`,
    () =>
      `alter function ${this.dice.one(predicates)} ${this.dice.one(['rename to renamed', `set schema ${this.dice.one(schemas)}`, 'cost 3', 'security definer'])}`,
    () => {
      const name = this.dice.maybe(this.catalogue.publications)
      const relation = this.dice.maybe(this.relations('rp'))
      return (
        name &&
        relation &&
        `alter publication ${name} ${this.dice.one([
          `add table ${relation.name}`,
          `set table ${relation.name}`,
          `drop table ${relation.name}`,
          `add tables in schema ${this.dice.one(schemas)}`,
          `set (publish = '${this.dice.one(['insert', 'insert, update, delete', 'delete'])}')`,
        ])}`
      )
    },
    () => {
      const name = this.dice.maybe(this.catalogue.publications)
      return name && `drop publication ${name}`
    },
    this.on('rp', (relation) => {
      const index = this.dice.maybe(relation.indexes)
      return index && `drop index ${schemaOf(relation)}.${index}`
    }),
    this.on('rpv', (relation) => `drop rule ${this.dice.one(['watch', 'aside'])} on ${relation.name}`),
    () =>
      `alter type shop.parcel ${this.dice.one(['add attribute weight numeric cascade', 'drop attribute state cascade', 'drop attribute n cascade', 'alter attribute n type bigint cascade', 'rename attribute n to number cascade'])}`,
    () =>
      `alter domain shop.states ${this.dice.one(['set not null', 'drop not null', 'add check (cardinality(value) < 100)', `set schema ${this.dice.one(schemas)}`])}`,
    () => `drop ${this.dice.one(['type shop.parcel', 'domain shop.states', 'type crm.span'])} cascade`,
    this.onColumn('rp', (relation, column) => this.harmless(relation, column)),
  ]

  /** How rows are kept and found is nobody's business. */
  private harmless(relation: Relation, column: Column): string {
    const index = this.dice.maybe(relation.indexes)
    return `alter table ${relation.name} ${this.dice.one([
      index === undefined ? 'set without cluster' : `cluster on ${index}`,
      `alter ${column.quoted} set statistics 10`,
      `alter ${column.quoted} set storage main`,
      `alter ${column.quoted} set (n_distinct = 5)`,
    ])}`
  }

  /** Of a schema with nothing in it there is nothing to alter: then something is created. */
  private pick(makers: readonly Maker[]): string {
    const left = [...makers]
    while (left.length > 0) {
      const at = this.dice.between(0, left.length - 1)
      const made = left[at]?.()
      if (made !== undefined) return made
      left.splice(at, 1)
    }
    return this.pick(this.creations)
  }

  creation = (): string => this.pick(this.creations)
  refinement = (): string => this.pick(this.dice.chance(0.25) ? this.furtherRefinements : [...this.creations, ...this.refinements])
  statement = (): string =>
    this.pick(
      this.dice.chance(0.25)
        ? this.dice.one([this.furtherRefinements, this.furtherAlterations])
        : this.dice.one([this.alterations, this.alterations, this.alterations, this.refinements, this.refinements, this.creations]),
    )

  /** Rows for tables that can take them. */
  rows = (): string | undefined =>
    this.on('rp', (relation) => {
      const columns = relation.columns.filter(({ isInsertable }) => isInsertable)
      const n = this.dice.between(1, 9)
      const values = columns.map(({ type }) => sampleOf(this.catalogue.types, type, n))
      return columns.length === 0
        ? undefined
        : `insert into ${relation.name} (${columns.map(({ quoted }) => quoted).join(', ')}) values (${values.map((value) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`)).join(', ')})`
    })()
}

export function statementsFor(dice: Dice, catalogue: Catalogue): Statements {
  return new Statements(dice, catalogue)
}
