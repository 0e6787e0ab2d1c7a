/** What happens in a history, step by step, as data: it can be run again, made shorter, and read as a script. */
import type { Catalogue } from '../oracle/catalogue.ts'
import type { Document } from '../oracle/document.ts'
import type { Dice } from './dice.ts'
import { documentFor } from './document.ts'
import { owners, stakeholders } from './pool.ts'
import { statementsFor } from './statement.ts'

export type Step =
  /** One transaction: judged. `warned`: under enforcement `warn`. */
  | { kind: 'migration'; by: string | null; warned: boolean; statements: string[] }
  /** Two transactions at once: the second begins before the first ends. */
  | { kind: 'race'; first: string[]; second: string[] }
  /** Rows, and nothing else. */
  | { kind: 'rows'; statements: string[] }
  | { kind: 'set_claims'; stakeholder: string; document: Document }
  | { kind: 'remove_claims' | 'add_stakeholder' | 'remove_stakeholder'; stakeholder: string }
  | { kind: 'set_check_timing'; timing: 'commit' | 'statement' }

const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** As a script for psql. */
export function scriptOf(step: Step): string {
  switch (step.kind) {
    case 'migration': {
      const script =
        step.statements.length === 1
          ? `${step.statements[0]};`
          : ['begin;', ...step.statements.map((one) => `${one};`), 'commit;'].join('\n')
      const as = step.by === null ? script : `set role ${step.by};\n${script}\nreset role;`
      return step.warned ? `select integratedb.set_enforcement('warn');\n${as}\nselect integratedb.set_enforcement('enforce');` : as
    }
    case 'race': {
      const lines = ['-- first session', 'begin', ...step.first, '-- second session', 'begin', ...step.second]
      lines.push('-- first session', 'commit', '-- second session', 'commit')
      return lines.map((line) => (line.startsWith('--') ? line : `${line};`)).join('\n')
    }
    case 'rows':
      return step.statements.map((one) => `${one};`).join('\n')
    case 'set_claims':
      return `select from integratedb.set_claims('${step.stakeholder}', ${literal(JSON.stringify(step.document))});`
    case 'remove_stakeholder':
      return `select integratedb.remove_stakeholder('${step.stakeholder}', false);`
    case 'set_check_timing':
      return `select integratedb.set_check_timing('${step.timing}');`
    default:
      return `select integratedb.${step.kind}('${step.stakeholder}');`
  }
}

/** Several statements, now and then with savepoints, kept or undone. */
function transaction(dice: Dice, statement: () => string): string[] {
  const statements = Array.from({ length: dice.between(2, 4) }, statement)
  if (dice.chance(0.7)) return statements
  return [statement(), 'savepoint sp', ...statements, dice.one(['rollback to sp', 'release sp']), statement()]
}

/** Relations, then what rests on them, then rows. */
export async function* beginningOf(dice: Dice, catalogue: () => Promise<Catalogue>): AsyncIterable<string> {
  const [first, second, last] = [dice.between(3, 4), dice.between(2, 6), dice.between(3, 8)]
  const creations = statementsFor(dice, await catalogue())
  for (let made = 0; made < first; made++) yield creations.creation()
  const refinements = statementsFor(dice, await catalogue())
  for (let made = 0; made < second; made++) yield refinements.refinement()
  const rows = statementsFor(dice, await catalogue())
  for (let made = 0; made < last; made++) yield rows.rows() ?? 'select'
}

/** What a role can change: mostly what it owns. */
function ownedBy(owner: string, catalogue: Catalogue): Catalogue {
  return { ...catalogue, relations: new Map([...catalogue.relations].filter(([, relation]) => relation.owner === owner)) }
}

/** Two stakeholders claim first of all. */
export function nextStep(dice: Dice, at: number, catalogue: Catalogue, timing: 'commit' | 'statement'): Step {
  const by = (dice.chance(0.15) && dice.maybe(owners.filter((owner) => ownedBy(owner, catalogue).relations.size > 0))) || null
  const { statement: any, rows } = statementsFor(dice, by === null ? catalogue : ownedBy(by, catalogue))
  const statement = (): string => {
    // Judged statement by statement, several in one would not be what is tried again.
    for (;;) {
      const made = any()
      if (timing === 'commit' || !made.includes('; ')) return made
    }
  }
  const several = timing === 'commit' && dice.chance(0.35)
  const roll = dice.between(1, 100)
  if (at < 2 || roll <= 12) {
    return {
      kind: 'set_claims',
      stakeholder: at < 2 ? (stakeholders[at] as string) : dice.one(stakeholders),
      document: documentFor(dice, catalogue),
    }
  }
  if (roll <= 17) {
    const row = rows()
    if (row !== undefined) return { kind: 'rows', statements: [row] }
  }
  if (roll <= 18) return { kind: 'remove_claims', stakeholder: dice.one(stakeholders) }
  if (roll <= 19) return { kind: dice.one(['add_stakeholder', 'remove_stakeholder']), stakeholder: dice.one(stakeholders) }
  if (roll <= 21) return { kind: 'set_check_timing', timing: timing === 'commit' ? 'statement' : 'commit' }
  if (roll <= 24) return { kind: 'race', first: [statement()], second: [statement(), statement()] }
  return {
    kind: 'migration',
    by,
    warned: dice.chance(0.04),
    statements: several ? transaction(dice, statement) : [statement()],
  }
}
