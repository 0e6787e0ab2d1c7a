/**
 * Conditions of a notification: `total > 100 and (status in ('paid', 'failed') or changed(status))`.
 *
 *   or      = and { "or" and }
 *   and     = not { "and" not }
 *   not     = "not" not | "(" or ")" | "changed" "(" field ")" | operand ( compare operand | "is" ["not"] "null" | ["not"] "in" "(" literal { "," literal } ")" )
 *   operand = field | literal;  literal = 'text' | number | true | false;  compare = "=" | "<>" | "!=" | "<" | "<=" | ">" | ">="
 *
 * Read here, typed by the columns that it speaks of, and evaluated by the notifier (evaluate.ts). It is never SQL.
 */
import { quoteName } from '../specification/path.ts'

/** How values are compared. padded: text whose spaces at the end mean nothing (`character`). */
export type Class = 'number' | 'text' | 'padded' | 'boolean' | 'time'

/** What the catalogue says of a column. label: equal or not (enum, uuid); other: null or not. */
export type ColumnClass = Class | 'label' | 'other'

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='
type Field = { field: string }
/** As Postgres writes it. */
type Literal = { literal: string }
export type Operand = Field | Literal
export type Condition =
  | ['and' | 'or', ...Condition[]]
  | ['not', Condition]
  | [Comparison, Class, Operand, Operand]
  | ['in', Class, Operand, Literal[]]
  | ['null', Operand]
  | ['changed', string]

const maxLength = 10_000
const maxDepth = 50
const space = /\s*/y
const token =
  /(?:([a-z_\u0080-\uffff][\w$\u0080-\uffff]*)|"((?:[^"]|"")+)"|('(?:[^']|'')*')|(-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,4})?)|(<=|>=|<>|!=|[=<>(),]))/iy
const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,4})?$|^(NaN|[-+]?Infinity)$/i
const time = /^(\d{4,6}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?( ?(Z|[-+]\d\d(:?\d\d)?))?( BC)?|-?infinity)$/i
const keywords = new Set(['and', 'or', 'not', 'in', 'is', 'null', 'true', 'false'])

class Problem {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

interface Token {
  /** A word, a "name", a literal, or a sign as it stands. */
  kind: 'word' | 'name' | 'text' | 'number' | 'sign' | 'end'
  text: string
  at: number
}

function tokens(text: string): Token[] {
  const found: Token[] = []
  for (let at = 0; ; at = token.lastIndex) {
    space.lastIndex = at
    at += space.exec(text)?.[0].length ?? 0
    if (at === text.length) return [...found, { kind: 'end', text: '', at }]
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null) throw new Problem(`cannot be read from character ${at + 1}: ${text.slice(at, at + 20)}`)
    const [, word, name, quoted, digits, sign = ''] = match
    if (word !== undefined) found.push({ kind: 'word', text: word, at })
    else if (name !== undefined) found.push({ kind: 'name', text: name.replace(/""/g, '"'), at })
    else if (quoted !== undefined) found.push({ kind: 'text', text: quoted.slice(1, -1).replace(/''/g, "'"), at })
    else if (digits !== undefined) found.push({ kind: 'number', text: digits, at })
    else found.push({ kind: 'sign', text: sign, at })
  }
}

/** An operand with what it was written as, until its class is known. */
type Written = Operand & { kind?: 'text' | 'number' | 'boolean' }

class Parser {
  private readonly tokens: Token[]
  private next = 0

  constructor(text: string) {
    this.tokens = tokens(text)
  }

  private get token(): Token {
    return this.tokens[this.next] as Token
  }

  private fail(wanted: string): never {
    const { kind, text, at } = this.token
    throw new Problem(
      kind === 'end' ? `ends where ${wanted} should follow` : `has ${text} at character ${at + 1}, where ${wanted} should stand`,
    )
  }

  /** Takes the word or sign, if it is next. */
  private take(text: string): boolean {
    const { kind, text: found } = this.token
    const isNext = (kind === 'word' || kind === 'sign') && found.toLowerCase() === text
    if (isNext) this.next++
    return isNext
  }

  private expect(text: string): void {
    if (!this.take(text)) this.fail(text)
  }

  private name(): string {
    const { kind, text } = this.token
    if (kind !== 'name' && (kind !== 'word' || keywords.has(text.toLowerCase()))) this.fail('a field')
    if (kind === 'word' && /[A-Z]/.test(text)) throw new Problem(`has the name ${text}, which needs double quotes`)
    this.next++
    return text
  }

  private literal(): Written | undefined {
    const { kind, text } = this.token
    if (this.take('true')) return { literal: 't', kind: 'boolean' }
    if (this.take('false')) return { literal: 'f', kind: 'boolean' }
    if (kind !== 'text' && kind !== 'number') return undefined
    this.next++
    return { literal: text, kind }
  }

  private primary(depth: number): Condition {
    if (this.take('(')) {
      const inner = this.or(depth)
      this.expect(')')
      return inner
    }
    const { kind, text } = this.token
    if (kind === 'word' && text.toLowerCase() === 'changed' && this.tokens[this.next + 1]?.text === '(') {
      this.next += 2
      const field = this.name()
      this.expect(')')
      return ['changed', field]
    }
    const left = this.literal() ?? { field: this.name() }
    if (this.take('is')) {
      const not = this.take('not')
      this.expect('null')
      return negated(not, ['null', left])
    }
    const not = this.take('not')
    if (not || this.token.text.toLowerCase() === 'in') {
      this.expect('in')
      this.expect('(')
      const list: Literal[] = []
      do list.push((this.literal() ?? this.fail('a literal')) as Literal)
      while (this.take(','))
      this.expect(')')
      return negated(not, ['in', 'text', left, list])
    }
    const comparison = ['=', '<>', '!=', '<=', '<', '>=', '>'].find((each) => this.take(each)) ?? this.fail('a comparison')
    if (this.token.text.toLowerCase() === 'null' && this.token.kind === 'word')
      throw new Problem('compares with null, which is never true; write "is null"')
    const right = this.literal() ?? { field: this.name() }
    return [(comparison === '!=' ? '<>' : comparison) as Comparison, 'text', left, right]
  }

  private not(depth: number): Condition {
    if (depth > maxDepth) throw new Problem(`is nested deeper than ${maxDepth} levels`)
    return this.take('not') ? ['not', this.not(depth + 1)] : this.primary(depth + 1)
  }

  private list(operator: 'and' | 'or', operand: () => Condition): Condition {
    const operands = [operand()]
    while (this.take(operator)) operands.push(operand())
    return operands.length === 1 ? (operands[0] as Condition) : [operator, ...operands]
  }

  or(depth: number): Condition {
    return this.list('or', () => this.list('and', () => this.not(depth)))
  }

  all(): Condition {
    const condition = this.or(0)
    if (this.token.kind !== 'end') this.fail('"and", "or" or the end')
    return condition
  }
}

function negated(not: boolean, condition: Condition): Condition {
  return not ? ['not', condition] : condition
}

/** What a condition says, not yet typed; or what is wrong with it. */
export function parseWhere(text: string): Condition | string {
  if (text.length > maxLength) return `is longer than ${maxLength} characters`
  try {
    return new Parser(text).all()
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
}

/** Fields that a condition speaks of; of changed() apart, because it needs the value before. */
export function fieldsOf(condition: Condition): { valued: string[]; changed: string[] } {
  const [operator, ...operands] = condition
  if (operator === 'changed') return { valued: [], changed: [condition[1]] }
  if (operator === 'and' || operator === 'or' || operator === 'not') {
    const inner = (operands as Condition[]).map(fieldsOf)
    return { valued: inner.flatMap(({ valued }) => valued), changed: inner.flatMap(({ changed }) => changed) }
  }
  return {
    valued: (operands as Operand[]).flatMap((each) => (typeof each === 'object' && 'field' in each ? [each.field] : [])),
    changed: [],
  }
}

/** Why a literal cannot be of this class, or null. */
function literalProblem({ literal, kind }: Written & Literal, of: ColumnClass): string | null {
  const shown = kind === 'text' ? `'${literal}'` : kind === 'boolean' ? (literal === 't' ? 'true' : 'false') : literal
  if (of === 'number') return kind !== 'boolean' && number.test(literal) ? null : `${shown}, which is not a number`
  if (of === 'boolean') return kind === 'boolean' ? null : `${shown}, which is not true or false`
  if (kind !== 'text') return `${shown}, which must be in single quotes: the field is no ${kind}`
  return of === 'time' && !time.test(literal) ? `${shown}, which is not a date or time like '2026-11-26' or '2026-11-26 19:00:00+00'` : null
}

/**
 * The condition with the class of each comparison, by the classes of its fields.
 *
 * @param report is told of each problem
 */
export function typed(
  condition: Condition,
  classOf: (field: string) => ColumnClass | undefined,
  report: (message: string) => void,
): Condition {
  const [operator, ...operands] = condition
  if (operator === 'changed') return condition
  if (operator === 'and' || operator === 'or' || operator === 'not') {
    return [operator, ...(operands as Condition[]).map((each) => typed(each, classOf, report))] as Condition
  }
  const all = (operands.flat() as (string | Written)[]).filter((each): each is Written => typeof each === 'object')
  const fields = all.filter((each): each is Field => 'field' in each)
  const classes = fields.map(({ field }) => classOf(field) ?? 'other')
  const [first, second = first] = classes
  if (first === undefined) {
    report('compares nothing with a field')
    return condition
  }
  if (operator === 'null') return condition
  const name = (at: number): string => quoteName(fields[at]?.field ?? '')
  const both = first === second ? first : [first, second].every((each) => each === 'text' || each === 'padded') ? 'padded' : undefined
  if (both === undefined) report(`compares ${name(0)} with ${name(1)}, which is of another kind`)
  else if (both === 'other') report(`compares ${name(0)}, of a type that can only be null or not, or changed`)
  else if (both === 'label' && /[<>]=|^[<>]$/.test(operator))
    report(`asks for the order of ${name(0)}, of a type that has none here: use =, <> or in`)
  for (const each of all) {
    const problem = 'literal' in each && both !== undefined && both !== 'other' ? literalProblem(each, both) : null
    if (problem !== null) report(`compares ${name(0)} with ${problem}`)
  }
  const plain = (operand: unknown): unknown =>
    Array.isArray(operand) ? operand.map(plain) : 'literal' in (operand as Operand) ? { literal: (operand as Literal).literal } : operand
  const of = both === undefined || both === 'label' || both === 'other' ? 'text' : both
  return [operator, of, ...operands.slice(1).map(plain)] as Condition
}
