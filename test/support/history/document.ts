/** Random documents about what is there, mostly right: what is refused says little. */
import type { Catalogue, Column, Relation } from '../oracle/catalogue.ts'
import type { Access, Document } from '../oracle/document.ts'
import type { Dice } from './dice.ts'
import { schemas } from './pool.ts'

function fieldOf(dice: Dice, column: Column): unknown {
  const { name, type } = column
  return dice.one<() => unknown>([
    () => name,
    () => name,
    () => ({ name, type: dice.one([type, [type, 'timestamptz'], [type, 'smallint']]) }),
    () => ({ name, min_length: 5 }),
    () => ({ name, is_nullable: !column.isNotNull }),
    () => ({ name, unique: column.isUnique }),
    () => (column.labels === null ? { name } : { name, values: dice.some(column.labels) }),
    () => ({ name, optional: true }),
  ])()
}

function fieldsOf(dice: Dice, { columns }: Relation): unknown {
  return dice.one<() => unknown>([
    () => '*',
    () => '*',
    () => [],
    () => dice.some(columns, 0.7).map((column) => fieldOf(dice, column)),
    () => dice.some(columns, 0.7).map((column) => fieldOf(dice, column)),
    () => dice.some(columns, 0.7).map((column) => fieldOf(dice, column)),
    () => {
      const [one, other, ...more] = columns
      if (one === undefined || other === undefined) return '*'
      const alternatives = [{ name: one.name }, { name: other.name, ...(dice.chance(0.5) ? { type: other.type } : {}) }]
      // Alone, it shows what becomes of the choice; whatever else is claimed breaks sooner.
      const others = dice.chance(0.5) ? more.map(({ name }) => name) : []
      return [{ alternatives, ...(dice.chance(0.3) ? { optional: true } : {}) }, ...others]
    },
    () => [...dice.some(columns, 0.7).map(({ name }) => name), { name: 'later', optional: true }],
  ])()
}

function accessOf(dice: Dice): { access?: Access[] } {
  return dice.one<{ access?: Access[] }>([
    {},
    { access: ['select'] },
    { access: ['insert'] },
    { access: ['select', 'insert'] },
    { access: ['select', 'update'] },
    { access: ['select', 'insert', 'update', 'delete'] },
    { access: ['select', 'insert', 'update', 'delete'] },
    { access: ['update', 'delete'] },
  ])
}

export function documentFor(dice: Dice, catalogue: Catalogue): Document {
  // Two paths of a match, or of two matches without alternatives, must not be the same.
  const left = new Set(catalogue.relations.values())
  const leftSchemas = new Set(schemas)
  const path = (): { path: string; fields: unknown } => {
    const relation = dice.maybe([...left])
    if (relation !== undefined && (dice.chance(0.85) || leftSchemas.size === 0)) {
      left.delete(relation)
      return { path: relation.name, fields: fieldsOf(dice, relation) }
    }
    const schema = dice.one([...leftSchemas])
    leftSchemas.delete(schema)
    return { path: `${schema}.*`, fields: '*' }
  }
  const match = Array.from({ length: dice.between(1, 4) }, () => {
    const paths = dice.chance(0.25) ? [path(), path()] : [path()]
    const [first] = paths
    // Without columns there is nothing to write.
    const access = paths.every(({ fields }) => String(fields) !== '') ? accessOf(dice) : {}
    const optional = dice.chance(0.2) ? { optional: true } : {}
    return { ...(paths.length > 1 ? { alternatives: paths } : (first as { path: string })), ...optional, ...access }
  })
  return { match }
}
