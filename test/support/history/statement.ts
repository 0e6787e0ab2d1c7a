/**
 * Random DDL of every kind. It knows no model of the schema: it looks at the catalogue, picks what is there, and makes what its pools of names
 * allow. A statement that Postgres refuses is no harm.
 */
import type { Catalogue, Column, Relation } from '../oracle/catalogue.ts'
import { sampleOf } from '../oracle/value.ts'
import type { Dice } from './dice.ts'

export const schemas = ['shop', 'crm', '"Order Desk"']
/** Who owns things, beside the superuser. */
export const owners = ['history_shop', 'history_crm']
export const stakeholders = ['first', 'second', 'third']

const relationNames = ['orders', 'customer', '"Order Items"', '"select"', 'entry']
const columnNames = ['id', 'name', 'total', '"Net Total"', '"user"', 'state', 'data']
const builtInTypes = [
  'int',
  'bigint',
  'text',
  'varchar(10)',
  'varchar(20)',
  'numeric(6,2)',
  'numeric(8,2)',
  'boolean',
  'date',
  'timestamptz',
  'uuid',
  'jsonb',
]
const enums = ['shop.state', 'crm.grade']
const domains = ['shop.code', 'shop.amount']
const composite = 'shop.address'
const labels = ['new', 'paid', 'sent', 'low', 'high', "it's"]
const sequences = ['shop.counter', 'crm.counter']
const functions = ['shop.next()', 'crm.next()']
/** Types made of the types above. */
const outerTypes = ['shop.parcel', 'shop.states', 'crm.span']
/**
 * They are true of everything that a history writes, whoever replaces them: what a function does inside nobody sees. Not in SQL: Postgres puts what
 * such a function says in its place and asks nobody, depending on who was first in a session.
 */
const predicates = ['shop.holds(text)', 'crm.fits(anyelement)']
/** A trigger's own function is called by whoever writes, with no right to it. */
const called = [...functions, ...predicates, ...predicates, 'shop.pass()']
/** Of the whole database: a history takes away those of the one before. */
export const publications = ['history_all', 'history_schema', 'history_one', 'history_two']

/** What each history begins with: schemas and types of every kind; relations come from `creation`. */
export const beginning = [
  ...schemas.map((schema) => `create schema ${schema}`),
  `grant usage, create on schema ${schemas.join(', ')} to ${owners.join(', ')}`,
  `create type shop.state as enum ('new', 'paid', 'sent')`,
  `create type crm.grade as enum ('low', 'high')`,
  'create domain shop.code as varchar(10)',
  'create domain shop.amount as numeric(8,2) check (value > -1000)',
  'create type shop.address as (street text, zip int)',
  'create sequence shop.counter start 1000',
  'create sequence crm.counter start 1000',
  'create function shop.next() returns int language sql as $$ select 7 $$',
  'create function crm.next() returns int language sql as $$ select 8 $$',
  'create type shop.parcel as (state shop.state, home shop.address, n int)',
  'create domain shop.states as shop.state[]',
  'create type crm.span as range (subtype = shop.amount)',
  'create function shop.holds(text) returns boolean immutable language plpgsql as $$ begin return true; end $$',
  'create function crm.fits(anyelement) returns boolean immutable language plpgsql as $$ begin return true; end $$',
  "create function shop.pass() returns trigger language plpgsql as $$ begin if tg_op = 'DELETE' then return old; end if; return new; end $$",
]

type Maker = () => string | undefined

const schemaOf = ({ schema }: Relation): string => schemas.find((name) => name.replaceAll('"', '') === schema) ?? schema
const isWatched = ({ triggers }: Relation): boolean => triggers.some((trigger) => / TRIGGER watch /.test(trigger))

class Statements {
  private readonly dice: Dice
  private readonly catalogue: Catalogue
  private readonly taken: Set<string>

  constructor(dice: Dice, catalogue: Catalogue) {
    this.dice = dice
    this.catalogue = catalogue
    this.taken = new Set(catalogue.relations.keys())
  }

  /** Mostly one that nothing has. */
  private newName(within: readonly string[] = schemas): string {
    const names = within.flatMap((schema) => relationNames.map((relation) => `${schema}.${relation}`))
    const free = names.filter((name) => !this.taken.has(name))
    const name = this.dice.one(free.length > 0 && this.dice.chance(0.9) ? free : names)
    this.taken.add(name)
    return name
  }
  private type = (): string =>
    this.dice.one([
      () => this.dice.one(builtInTypes),
      () => this.dice.one(builtInTypes),
      () => this.dice.one([...enums, ...domains, composite, ...outerTypes, 'int[]', 'text[]', 'shop.state[]', 'int4range']),
    ])()

  private relations = (kinds: string): Relation[] => [...this.catalogue.relations.values()].filter(({ kind }) => kinds.includes(kind))

  private on(kinds: string, make: (relation: Relation) => string | undefined): Maker {
    return () => {
      const relation = this.dice.maybe(this.relations(kinds))
      return relation === undefined ? undefined : make(relation)
    }
  }

  private onColumn(kinds: string, make: (relation: Relation, column: Column) => string | undefined): Maker {
    return this.on(kinds, (relation) => {
      const column = this.dice.maybe(relation.columns)
      return column === undefined ? undefined : make(relation, column)
    })
  }

  private cascade = (): string => (this.dice.chance(0.4) ? ' cascade' : '')

  private defaultFor(type: string): string {
    if (/^(int|integer|bigint)$/.test(type))
      return this.dice.one(['0', '1', ...sequences.map((name) => `nextval('${name}')`), ...functions])
    const sample = sampleOf(this.catalogue.types, type, 1)
    return sample === null ? 'null' : `'${sample.replaceAll("'", "''")}'`
  }

  private columnDefinition(name: string): string {
    const type = this.type()
    const { dice } = this
    return dice.one<() => string>([
      () => `${name} ${type}`,
      () => `${name} ${type}`,
      () => `${name} ${type}`,
      () => `${name} ${type} not null default ${this.defaultFor(type)}`,
      () => `${name} ${type} default ${this.defaultFor(type)}`,
      () => `${name} ${type} not null`,
      () => `${name} ${type} unique`,
      () => `${name} ${dice.one(['int', 'bigint'])} generated ${dice.one(['always', 'by default'])} as identity (start 1000)`,
      () => `${name} int generated always as (${dice.one(['1', '2 + 3'])}) ${dice.one(['stored', 'virtual'])}`,
    ])()
  }

  private keyDefinition = (): string =>
    this.dice.one([
      'id int primary key',
      'id bigint primary key',
      'id int not null',
      'id serial primary key',
      'id bigint generated always as identity (start 1000) primary key',
      'id bigint generated by default as identity (start 1000) primary key',
      'id uuid primary key',
    ])

  private tableDefinition(): string {
    const others = this.dice.some(columnNames.slice(1), 0.4).map((name) => this.columnDefinition(name))
    return `create table ${this.newName()} (${[this.keyDefinition(), ...others].join(', ')})`
  }

  private condition = (relation: Relation, column: Column): string =>
    this.dice.one([
      `num_nulls(${relation.name.replace(/^.*\.(?=[^.]+$)/, '')}) < 2`,
      `${column.quoted} is not null`,
      `${column.quoted} is null or ${column.quoted}::text <> '13'`,
      `length(${column.quoted}::text) < 200`,
    ])

  private viewQuery = this.on('rpvm', (relation) => {
    const columns = this.dice.some(relation.columns, 0.8).map(({ quoted }) => quoted)
    const list = this.dice.chance(0.3) ? '*' : columns.join(', ') || '*'
    return this.dice.one([
      `select ${list} from ${relation.name}`,
      `select ${list} from ${relation.name}`,
      `select ${list} from ${relation.name} where true`,
      `select distinct ${list} from ${relation.name}`,
      `select ${list === '*' ? '*' : list}, shop.next() as computed from ${relation.name}`,
    ])
  })

  private view(word: string): string | undefined {
    const query = this.viewQuery()
    return query === undefined
      ? undefined
      : `create ${word} ${this.newName()} ${word.includes('materialized') || this.dice.chance(0.7) ? '' : 'with (security_invoker = true) '}as ${query}`
  }

  /** What makes relations. */
  readonly creations: Maker[] = [
    () => this.tableDefinition(),
    () => this.tableDefinition(),
    () => this.tableDefinition(),
    () => this.view('view'),
    () => this.view('view'),
    () => this.view('materialized view'),
    () => {
      const name = this.newName()
      const [schema] = name.split('.')
      return `create table ${name} (id int not null, name varchar(20), total numeric(6,2)) partition by range (id); create table ${schema}.part_${this.dice.between(1, 9)} partition of ${name} for values from (minvalue) to (maxvalue)`
    },
    this.on('r', (parent) => `create table ${this.newName()} (note text) inherits (${parent.name})`),
  ]

  /** What gives relations a meaning beyond their columns. */
  readonly refinements: Maker[] = [
    this.onColumn(
      'rp',
      (relation, column) =>
        `alter table ${relation.name} add check (${this.condition(relation, column)})${this.dice.chance(0.3) ? ' not valid' : ''}`,
    ),
    this.onColumn('rp', (relation, column) => {
      const isKeyed = relation.constraints.some(({ definition }) => definition.startsWith('PRIMARY KEY'))
      return `alter table ${relation.name} add ${isKeyed ? 'unique' : this.dice.one(['unique', 'primary key'])} (${column.quoted})`
    }),
    this.onColumn('rp', (relation, column) => {
      const to = this.dice.maybe(
        this.relations('r').flatMap((one) =>
          one.columns.filter((key) => key.isUnique && key.type === column.type).map((key) => ({ one, key })),
        ),
      )
      return (
        to &&
        `alter table ${relation.name} add foreign key (${column.quoted}) references ${to.one.name} (${to.key.quoted})${this.dice.one(['', '', ' not valid', ' on delete cascade', ...(column.identity === 'always' ? [] : [' on delete set null', ' on update cascade'])])}`
      )
    }),
    this.onColumn('rp', (relation, column) => `create ${this.dice.one(['unique index', 'index'])} on ${relation.name} (${column.quoted})`),
    this.on(
      'rp',
      (relation) =>
        `create trigger watch before ${this.dice.one(['insert', 'update', 'delete', 'insert or update'])} on ${relation.name} for each row execute function shop.pass()`,
    ),
    this.on(
      'v',
      (relation) =>
        `create trigger watch instead of ${this.dice.one(['insert', 'update', 'delete'])} on ${relation.name} for each row execute function shop.pass()`,
    ),
    this.on(
      'rpv',
      (relation) => `create rule watch as on ${this.dice.one(['insert', 'update', 'delete'])} to ${relation.name} do also nothing`,
    ),
    this.on(
      'rp',
      (relation) =>
        `alter table ${relation.name} ${this.dice.one(['enable', 'disable', 'force', 'no force', 'enable'])} row level security`,
    ),
    this.onColumn('rp', (relation, column) => {
      const to = this.dice.one(['public', ...stakeholders])
      const command = this.dice.one(['all', 'select', 'insert', 'update'])
      const condition = this.dice.one(['true', 'true', `${column.quoted} is not null`, 'false'])
      const clauses = command === 'insert' ? `with check (${condition})` : `using (${condition})`
      return `create policy seen_${this.dice.between(1, 3)} on ${relation.name} as ${this.dice.one(['permissive', 'permissive', 'restrictive'])} for ${command} to ${to} ${clauses}`
    }),
    this.onColumn(
      'rpv',
      (relation, column) => `alter table ${relation.name} alter ${column.quoted} set default ${this.defaultFor(column.type)}`,
    ),
    this.on('rpvm', (relation) => `alter table ${relation.name} owner to ${this.dice.one([...owners, 'current_user', ...stakeholders])}`),
    this.on('rpvm', (relation) => `grant select on ${relation.name} to ${this.dice.one(owners)}`),
  ]

  private alterations: Maker[] = [
    this.on('rp', (relation) => `alter table ${relation.name} add ${this.columnDefinition(this.dice.one(columnNames))}`),
    this.on('rp', (relation) => `alter table ${relation.name} add ${this.columnDefinition(this.dice.one(columnNames))}`),
    this.onColumn('rp', (relation, column) => `alter table ${relation.name} drop ${column.quoted}${this.cascade()}`),
    this.onColumn('rpvm', (relation, column) => `alter table ${relation.name} rename ${column.quoted} to ${this.dice.one(columnNames)}`),
    this.onColumn('rp', (relation, column) => `alter table ${relation.name} alter ${column.quoted} type ${this.type()} using null`),
    this.onColumn('rp', (relation, column) => {
      const wider = this.dice.one(['varchar(30)', 'text', 'numeric(9,2)', 'numeric(7,2)', 'varchar(5)', 'bigint'])
      return `alter table ${relation.name} alter ${column.quoted} type ${wider} using ${column.quoted}::text::${wider}`
    }),
    this.onColumn('rp', (relation, column) => `alter table ${relation.name} alter ${column.quoted} set not null`),
    this.onColumn('rp', (relation, column) => `alter table ${relation.name} alter ${column.quoted} drop not null`),
    this.onColumn('rpv', (relation, column) => `alter table ${relation.name} alter ${column.quoted} drop default`),
    this.onColumn('rp', (relation, column) => {
      const what = column.generated ? 'expression' : column.identity !== null ? 'identity' : undefined
      return what && `alter table ${relation.name} alter ${column.quoted} drop ${what}`
    }),
    this.onColumn('rp', (relation, column) => {
      const way = this.dice.one(['always', 'by default'])
      const what = column.identity === null ? `add generated ${way} as identity` : `set generated ${way}`
      return column.identity !== null || /^(integer|bigint)$/.test(column.type)
        ? `alter table ${relation.name} alter ${column.quoted} ${what}`
        : undefined
    }),
    this.on(
      'rpvm',
      (relation) => `alter table ${relation.name} rename to ${this.newName([schemaOf(relation)]).slice(schemaOf(relation).length + 1)}`,
    ),
    this.on('rpvm', (relation) => `alter table ${relation.name} set schema ${this.dice.one(schemas)}`),
    this.on('rpvm', (relation) => `drop ${kindWords[relation.kind]} ${relation.name}${this.cascade()}`),
    this.on('v', (relation) => {
      const query = this.viewQuery()
      return query?.includes(relation.name) ? undefined : query && `create or replace view ${relation.name} as ${query}`
    }),
    this.on('v', (relation) => `alter view ${relation.name} set (security_invoker = ${this.dice.one(['true', 'false'])})`),
    this.on('m', (relation) => `refresh materialized view ${relation.name}${this.dice.one([' with no data', ''])}`),
    this.on('rp', (relation) => this.onConstraint(relation)),
    this.on('rp', (relation) => this.onConstraint(relation)),
    this.on('rpv', (relation) => `drop ${isWatched(relation) ? 'trigger' : 'rule'} watch on ${relation.name}`),
    this.on('rpv', (relation) => (isWatched(relation) ? `drop trigger watch on ${relation.name}` : undefined)),
    this.on('rp', (relation) =>
      isWatched(relation)
        ? `alter table ${relation.name} ${this.dice.one(['enable', 'disable', 'enable always', 'enable replica'])} trigger watch`
        : undefined,
    ),
    this.on('rp', (relation) => {
      const policy = this.dice.maybe(relation.policies)
      return (
        policy &&
        this.dice.one([
          `drop policy ${policy.name} on ${relation.name}`,
          `alter policy ${policy.name} on ${relation.name} ${policy.using === null ? 'with check' : 'using'} (${this.dice.one(['true', 'false'])})`,
        ])
      )
    }),
    this.on(
      'p',
      (relation) =>
        `create table ${relation.schema === 'Order Desk' ? 'shop' : relation.schema}.part_${this.dice.between(1, 9)} partition of ${relation.name} default`,
    ),
    this.on('r', (relation) => {
      const [parent] = relation.parents
      return (
        parent &&
        (relation.isPartition
          ? `alter table ${parent} detach partition ${relation.name}`
          : `alter table ${relation.name} no inherit ${parent}`)
      )
    }),
    () =>
      `alter type ${this.dice.one(enums)} add value '${this.dice.one(labels).replaceAll("'", "''")}'${this.dice.one(['', ` before 'paid'`])}`,
    () => {
      const name = this.dice.one(enums)
      const label = this.dice.maybe(this.catalogue.types.labels(name) ?? [])
      return label && `alter type ${name} rename value '${label.replaceAll("'", "''")}' to '${this.dice.one(labels.slice(0, 5))}'`
    },
    () =>
      `alter domain ${this.dice.one(domains)} ${this.dice.one(['set not null', 'drop not null', 'set default 1', 'drop default', "add check (value::text <> 'x')", 'add constraint shorter check (length(value::text) < 5) not valid', 'drop constraint shorter'])}`,
    () =>
      `alter type ${composite} ${this.dice.one(['add attribute city text cascade', 'drop attribute zip cascade', 'alter attribute zip type bigint cascade', 'rename attribute street to road cascade'])}`,
    () => `drop ${this.dice.one([`type ${this.dice.one([...enums, composite])}`, `domain ${this.dice.one(domains)}`])} cascade`,
    () =>
      `alter type ${this.dice.one([...enums, composite, ...outerTypes])} ${this.dice.one([`set schema ${this.dice.one(schemas)}`, 'rename to renamed'])}`,
    () => `drop sequence ${this.dice.one(sequences)} cascade`,
    () => `alter schema ${this.dice.one(schemas)} rename to ${this.dice.one([...schemas, 'attic'])}`,
    () => `drop schema ${this.dice.one(schemas)}${this.cascade()}`,
    () => {
      const missing = this.dice.maybe(schemas.filter((schema) => !this.catalogue.schemas.has(schema.replaceAll('"', ''))))
      return missing && `create schema ${missing}`
    },
    () => `revoke all on all tables in schema ${this.dice.one(schemas)} from ${this.dice.one([...stakeholders, ...owners])}`,
    this.onColumn(
      'rpv',
      (relation, column) =>
        `revoke ${this.dice.one(['select', 'insert', 'update'])} (${column.quoted}) on ${relation.name} from ${this.dice.one(stakeholders)}`,
    ),
    this.on(
      'rpv',
      (relation) =>
        `revoke ${this.dice.one(['delete', 'select', 'all'])} on ${relation.name} from ${this.dice.one([...stakeholders, ...owners, relation.owner])}`,
    ),
    () => `revoke usage on schema ${this.dice.one(schemas)} from ${this.dice.one([...stakeholders, ...owners])}`,
    () => `revoke usage on sequence ${this.dice.one(sequences)} from ${this.dice.one(stakeholders)}`,
    this.on('rpvm', (relation) => `comment on ${kindWords[relation.kind]} ${relation.name} is 'seen'`),
    this.on(
      'rp',
      (relation) =>
        `alter table ${relation.name} rename to moved; create view ${relation.name} as select * from ${relation.name.replace(/\.("[^"]*"|[^.]*)$/, '.moved')}`,
    ),
    this.onColumn(
      'r',
      (relation, column) =>
        `alter table ${relation.name} drop ${column.quoted}; alter table ${relation.name} add ${column.quoted} ${column.type}`,
    ),
  ]

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

  private onConstraint(relation: Relation): string | undefined {
    const name = this.dice.maybe(relation.constraints.filter(({ isForeign }) => !isForeign))?.name
    return name && `alter table ${relation.name} ${this.dice.one(['drop', 'validate'])} constraint ${name}`
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

const kindWords: Record<Relation['kind'], string> = { r: 'table', p: 'table', v: 'view', m: 'materialized view', f: 'foreign table' }

export function statementsFor(dice: Dice, catalogue: Catalogue): Statements {
  return new Statements(dice, catalogue)
}
