/**
 * A story in SQL, told step by step: what a person would see in psql.
 *
 * The file is cut at blank lines. In each step the comments tell what happens, `-- as: name` says who runs it, and
 * the rest is the SQL. Or there is no SQL: `-- run: integratedb notify` starts it, and `-- receive: webhook` waits for one.
 */
import type { Client, DatabaseError, QueryResult } from 'pg'

export interface Step {
  narration: string[]
  user: string | null
  sql: string
  /** Instead of SQL. */
  run: string | null
  receive: string | null
}

export function readStory(text: string): Step[] {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((chunk) => {
      const lines = chunk.split('\n')
      const start = lines.findIndex((line) => !line.startsWith('--'))
      const comments = lines.slice(0, start === -1 ? lines.length : start).map((line) => line.replace(/^-- ?/, ''))
      const directive = (name: string) => comments.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null
      return {
        narration: comments.filter((line) => !/^(as|run|receive): /.test(line)),
        user: directive('as'),
        run: directive('run'),
        receive: directive('receive'),
        sql: start === -1 ? '' : lines.slice(start).join('\n'),
      }
    })
}

/** The SQL as it is typed: who runs it stands at its prompt. Null: nobody types anything. */
export function promptFor({ user, sql, run, receive }: Step, owner = 'shop'): string | null {
  if (run !== null) return `$ ${run}`
  if (receive !== null) return null
  const prompt = `${user ?? owner}> `
  return prompt + sql.replace(/\n/g, `\n${' '.repeat(prompt.length)}`)
}

/** Rows as psql shows them. */
function formatRows({ fields, rows }: QueryResult<unknown[]>): string {
  const cells = [fields.map((field) => field.name), ...rows.map((row) => row.map((value) => (value === null ? '' : String(value))))]
  const heights = cells.map((row) => row.map((cell) => cell.split('\n')))
  const widths = fields.map((_, column) => Math.max(...heights.flatMap((row) => (row[column] ?? []).map((line) => line.length))))
  const formatted = heights.flatMap((row) => {
    const height = Math.max(...row.map((cell) => cell.length))
    return Array.from({ length: height }, (_, line) =>
      ` ${row.map((cell, column) => (cell[line] ?? '').padEnd(widths[column] ?? 0)).join(' | ')}`.trimEnd(),
    )
  })
  const [head = '', ...body] = formatted
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+')
  return [head, rule, ...body, `(${rows.length} row${rows.length === 1 ? '' : 's'})`].join('\n')
}

function formatError({ code, message, detail, hint }: DatabaseError): string {
  return [
    `ERROR:  ${code}: ${message}`,
    ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
    ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
  ].join('\n')
}

/** Runs one step and answers what psql would print. Values as the server writes them, not as JavaScript reads them. */
export async function runStep(client: Client, { sql }: Step): Promise<string> {
  const types = { getTypeParser: () => (value: string | Buffer) => String(value) }
  try {
    const result: unknown = await client.query({ text: sql, rowMode: 'array', types })
    const results = (Array.isArray(result) ? result : [result]) as QueryResult<unknown[]>[]
    return results
      .map((each) => (each.fields.length > 0 ? formatRows(each) : each.command + (each.command === 'INSERT' ? ` 0 ${each.rowCount}` : '')))
      .join('\n')
  } catch (error) {
    if (!(error instanceof Error && 'severity' in error)) throw error
    return formatError(error as DatabaseError)
  }
}
