/**
 * Random histories: whatever DDL runs, after an accepted migration everybody can read what it claims and holds exactly
 * that, and expanding all claims anew changes nothing; a rejected one would have left a claim unmet.
 */
import { expect, test } from 'vitest'
import { TestDatabase } from '../support/database.ts'
import { expectAllWell, stateOf } from '../support/oracle.ts'

const steps = Number(process.env['INTEGRATEDB_HISTORY_STEPS'] ?? 30)

/** mulberry32: the same history from the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

class Dice {
  private readonly random: () => number

  constructor(seed: number) {
    this.random = randomFrom(seed)
  }

  one<T>(all: readonly T[]): T {
    return all[Math.floor(this.random() * all.length)] as T
  }

  some<T>(all: readonly T[]): T[] {
    const chosen = all.filter(() => this.random() < 0.5)
    return chosen.length > 0 ? chosen : [this.one(all)]
  }

  chance(of: number): boolean {
    return this.random() < of
  }
}

const schemas = ['one', '"Two"']
const tables = ['a', 'b', '"C d"']
const columns = ['x', 'y', '"Z"']
const types = ['int', 'bigint', 'text', 'varchar(10)', 'varchar(20)', 'numeric(6,2)', 'numeric(8,2)', 'one_code']

function statement(dice: Dice): string {
  const table = () => `${dice.one(schemas)}.${dice.one(tables)}`
  const column = () => `${dice.one(columns)} ${dice.one(types)}${dice.chance(0.3) ? ' not null' : ''}`
  const cascade = () => (dice.chance(0.5) ? ' cascade' : '')
  return dice.one([
    () =>
      `create table ${table()} (${dice
        .some(columns)
        .map((name) => `${name} ${dice.one(types)}`)
        .join(', ')})`,
    () => `create table ${table()} (${column()}, w int)`,
    () => `create view ${table()} as select * from ${table()}`,
    () => `create materialized view ${table()} as select * from ${table()}`,
    () => `create table ${table()} () inherits (${table()})`,
    () => `drop table ${table()}${cascade()}`,
    () => `drop view ${table()}${cascade()}`,
    () => `alter table ${table()} add ${column()}`,
    () => `alter table ${table()} add ${column()}`,
    () => `alter table ${table()} drop ${dice.one(columns)}${cascade()}`,
    () => `alter table ${table()} rename ${dice.one(columns)} to ${dice.one(columns)}`,
    () => `alter table ${table()} alter ${dice.one(columns)} type ${dice.one(types)} using null`,
    () => `alter table ${table()} alter ${dice.one(columns)} ${dice.one(['set', 'drop'])} not null`,
    () => `alter table ${table()} rename to ${dice.one(tables)}`,
    () => `alter table ${table()} set schema ${dice.one(schemas)}`,
    () => `alter schema ${dice.one(schemas)} rename to ${dice.one(schemas)}`,
    () => `create schema ${dice.one(schemas)}`,
    () => `drop schema ${dice.one(schemas)}${cascade()}`,
    () => `revoke all on all tables in schema ${dice.one(schemas)} from first, second`,
    () => `alter domain one_code ${dice.one(['set', 'drop'])} not null`,
  ])()
}

function fields(dice: Dice): unknown {
  const name = () => dice.one(['x', 'y', 'Z'])
  const field = () =>
    dice.one<() => unknown>([
      name,
      () => ({ name: name(), type: dice.one([...types.slice(0, -1), ['int', 'bigint'], 'varchar', 'numeric']) }),
      () => ({ name: name(), min_length: dice.one([5, 15]) }),
      () => ({ name: name(), is_nullable: dice.chance(0.5) }),
    ])()
  return dice.one<() => unknown>([
    () => '*',
    () => [],
    () => [name()],
    () => [{ name: name(), optional: true }],
    () => [{ alternatives: [...new Set([name(), name()])] }],
    () => [
      {
        alternatives: [
          { name: 'x', type: 'int' },
          { name: 'y', min_length: 12 },
        ],
        optional: true,
      },
      'Z',
    ],
    () => [
      { name: 'x', optional: true, type: dice.one(types.slice(0, -1)) },
      { name: 'y', optional: true, is_nullable: false },
    ],
    () => [field()],
  ])()
}

function matches(dice: Dice): unknown[] {
  const path = () =>
    dice.chance(0.3)
      ? { path: `${dice.one(schemas)}.*`, fields: '*' }
      : { path: `${dice.one(schemas)}.${dice.one(tables)}`, fields: fields(dice) }
  const optional = () => (dice.chance(0.5) ? { optional: true } : {})
  return Array.from({ length: dice.one([1, 2, 3]) }, () =>
    dice.chance(0.4) ? { alternatives: [path(), path()], ...optional() } : { ...path(), ...optional() },
  )
}

test.each([1, 2, 3, 4].map((seed) => Number(process.env['INTEGRATEDB_HISTORY_SEED'] ?? 0) + seed))(
  'history %d: whatever is accepted, the stakeholders can do what they claim; what is rejected breaks something',
  { timeout: 600_000 },
  async (seed) => {
    const dice = new Dice(seed)
    const database = await TestDatabase.create()
    const history: string[] = []
    try {
      await database.rows(`
      select integratedb.add_stakeholder('first'), integratedb.add_stakeholder('second');
      create domain one_code as varchar(7);
      create schema one; create schema "Two";
      create table one.a (x int not null, y text, "Z" varchar(20)); create table one.b (x int, y numeric(6,2));
      create table "Two".a (x int, y varchar(10)); create view "Two".b as select * from one.a`)
      for (let step = 0; step < steps; step++) {
        if (dice.chance(0.2)) {
          const document = JSON.stringify({ match: matches(dice) })
          const stakeholder = dice.one(['first', 'second'])
          const before = await stateOf(database)
          history.push(`set_claims ${stakeholder} ${document}`)
          try {
            await database.rows('select integratedb.set_claims($1, $2)', [stakeholder, document])
          } catch (error) {
            history.push(`refused: ${error}`)
            expect(['IDB02', 'IDB03'], String(error)).toContain((error as { code: string }).code)
            expect(await stateOf(database)).toEqual(before)
          }
          await expectAllWell(database)
          continue
        }
        const ddl = Array.from({ length: dice.one([1, 1, 1, 2, 3]) }, () => statement(dice)).join('; ')
        const before = await stateOf(database)
        const unmetBefore = await database.rows('select * from integratedb.unmet_claims(null)')
        try {
          await database.rows(ddl)
          history.push(ddl)
        } catch (error) {
          const { code } = error as { code: string }
          expect(code, `${error}`).toMatch(/^(IDB01|42|2BP01|0A000|3F|22|23)/)
          expect(await stateOf(database)).toEqual(before)
          if (code === 'IDB01') {
            history.push(`rejected: ${ddl}: ${(error as { detail: string }).detail}`)
            await database.rows(`begin; select integratedb.set_enforcement('warn'); ${ddl}; set constraints all immediate`)
            const unmet = await database.rows('select * from integratedb.unmet_claims(null)')
            await database.rows('rollback')
            expect(unmet).not.toEqual(unmetBefore)
          }
          continue
        }
        // Where another alternative stood in, nobody gives back what was revoked, until somebody asks.
        if (ddl.includes('revoke')) await database.rows('select integratedb.sync()')
        await expectAllWell(database)
      }
    } catch (error) {
      throw new Error(`after:\n${history.join('\n')}`, { cause: error })
    } finally {
      await database.drop()
    }
  },
)
