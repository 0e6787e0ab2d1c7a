/** A project's migrations, as files in the order of their names. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MigrationFile {
  name: string
  text: string
  /** One by one, for what cannot run in a transaction. */
  statements: string[]
}

export function readHistory(folder: string): MigrationFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      // The transaction is ours.
      const isTransactionControl = /^(begin|commit|start\s+transaction|end)(\s+(work|transaction))?$/i
      const all = splitStatements(readFileSync(join(folder, name), 'utf8').replace(/^\uFEFF/, ''))
      const statements = all.filter((statement) => !isTransactionControl.test(withoutComments(statement)))
      return { name, text: statements.join('\n;\n'), statements }
    })
}

/** Does a statement change rows, or which table they are in? Then constraints meet other values, and readers see other rows. */
export function changesRows(statement: string): boolean {
  const text = withoutComments(statement)
  return (
    /^(insert|update|delete|truncate|merge|copy|do|call|with|select|refresh)\b/i.test(text) ||
    /^alter\s+table\b.*(\b(attach|detach)\s+partition\b|\binherit\b|\busing\b(?!\s+index))/is.test(text)
  )
}

const TOKEN =
  /--[^\n]*|\/\*|\*\/|'|"|\$(?:[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff]*)?\$|;|\bbegin\s+atomic\b|\bcase\b|\bend\b|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/gi

/** At the semicolons, except those in strings, quoted names, comments, dollar quotes and BEGIN ATOMIC bodies. */
function splitStatements(text: string): string[] {
  const statements: string[] = []
  let start = 0
  let depth = 0
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const token = match[0].toLowerCase()
    if (token === '/*') TOKEN.lastIndex = endOfComment(text, match.index)
    else if (token === "'") TOKEN.lastIndex = endOfString(text, match.index)
    else if (token === '"') TOKEN.lastIndex = after(text, '"', match.index + 1)
    else if (token.startsWith('$')) TOKEN.lastIndex = after(text, match[0], match.index + token.length)
    else if (token.startsWith('begin') && token.endsWith('atomic')) depth = 1
    else if (token === 'case' && depth > 0) depth++
    else if (token === 'end' && depth > 0) depth--
    else if (token === ';' && depth === 0) {
      statements.push(text.slice(start, match.index))
      start = match.index + 1
    }
  }
  statements.push(text.slice(start))
  return statements.map((statement) => statement.trim()).filter((statement) => withoutComments(statement) !== '')
}

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from)
  return at === -1 ? text.length : at + end.length
}

function endOfString(text: string, at: number): number {
  const isEscaped = /(^|[^A-Za-z0-9_])e$/i.test(text.slice(Math.max(0, at - 2), at))
  for (let index = at + 1; index < text.length; index++) {
    if (isEscaped && text[index] === '\\') index++
    else if (text[index] === "'") return index + 1
  }
  return text.length
}

function endOfComment(text: string, at: number): number {
  let depth = 0
  for (let index = at; index < text.length - 1; index++) {
    const two = text.slice(index, index + 2)
    if (two === '/*') depth++
    else if (two === '*/' && --depth === 0) return index + 2
    if (two === '/*' || two === '*/') index++
  }
  return text.length
}

function withoutComments(statement: string): string {
  return statement
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/--[^\n]*/g, '')
    .trim()
}
