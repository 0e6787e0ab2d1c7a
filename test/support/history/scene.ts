/** What there is to make DDL of: it knows no model of the schema, looks at the catalogue, picks what is there, and makes what its pools of names allow. */
import type { Catalogue, Column, Relation } from '../oracle/catalogue.ts'
import { sampleOf } from '../oracle/value.ts'
import type { Dice } from './dice.ts'
import { builtInTypes, composite, domains, enums, functions, outerTypes, relationNames, schemas, sequences } from './pool.ts'

/** Nothing where there is nothing to make it of. */
export type Maker = () => string | undefined

export class Scene {
  protected readonly dice: Dice
  protected readonly catalogue: Catalogue
  protected readonly taken: Set<string>

  constructor(dice: Dice, catalogue: Catalogue) {
    this.dice = dice
    this.catalogue = catalogue
    this.taken = new Set(catalogue.relations.keys())
  }

  /** Mostly one that nothing has. */
  protected newName(within: readonly string[] = schemas): string {
    const names = within.flatMap((schema) => relationNames.map((relation) => `${schema}.${relation}`))
    const free = names.filter((name) => !this.taken.has(name))
    const name = this.dice.one(free.length > 0 && this.dice.chance(0.9) ? free : names)
    this.taken.add(name)
    return name
  }
  protected type = (): string =>
    this.dice.one([
      () => this.dice.one(builtInTypes),
      () => this.dice.one(builtInTypes),
      () => this.dice.one([...enums, ...domains, composite, ...outerTypes, 'int[]', 'text[]', 'shop.state[]', 'int4range']),
    ])()

  protected relations = (kinds: string): Relation[] => [...this.catalogue.relations.values()].filter(({ kind }) => kinds.includes(kind))

  protected on(kinds: string, make: (relation: Relation) => string | undefined): Maker {
    return () => {
      const relation = this.dice.maybe(this.relations(kinds))
      return relation === undefined ? undefined : make(relation)
    }
  }

  protected onColumn(kinds: string, make: (relation: Relation, column: Column) => string | undefined): Maker {
    return this.on(kinds, (relation) => {
      const column = this.dice.maybe(relation.columns)
      return column === undefined ? undefined : make(relation, column)
    })
  }

  protected cascade = (): string => (this.dice.chance(0.4) ? ' cascade' : '')

  protected defaultFor(type: string): string {
    if (/^(int|integer|bigint)$/.test(type))
      return this.dice.one(['0', '1', ...sequences.map((name) => `nextval('${name}')`), ...functions])
    const sample = sampleOf(this.catalogue.types, type, 1)
    return sample === null ? 'null' : `'${sample.replaceAll("'", "''")}'`
  }
}
