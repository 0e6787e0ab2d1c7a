// Which command, and how does it end? 0: done; 1: it cannot be done; 2: wrongly called.

import { InputError } from '../input-error.ts'
import { version } from '../version.ts'
import { credentials } from './command/credentials.ts'
import { notify } from './command/notify.ts'
import { sql } from './command/sql.ts'
import { verifier } from './command/verifier.ts'
import { type Command, type Terminal, UsageError } from './command.ts'

const commands: Record<string, Command> = { credentials, verifier, notify, sql }

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  return `integratedb: several applications share one Postgres database, directly and safely

${Object.entries(commands)
  .map(([name, { summary }]) => `  integratedb ${name.padEnd(width)}  ${summary}\n`)
  .join('')}
integratedb COMMAND --help tells more. Exit codes: 0 done, 1 it cannot be done, 2 wrongly called.
`
}

export async function main(args: readonly string[], terminal: Terminal): Promise<0 | 1 | 2> {
  const [name, ...rest] = args
  const chosen = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  const complain = (problem: string) => terminal.tell(`${chosen ? `integratedb ${name}` : 'integratedb'}: ${problem}`)
  try {
    if (chosen !== undefined) {
      if (rest.includes('--help') || rest.includes('-h')) await terminal.print(chosen.help)
      else await chosen.run(rest, terminal)
    } else if (name === '--help' || name === '-h') await terminal.print(help())
    else if (name === '--version') await terminal.print(`${version}\n`)
    else
      throw new UsageError(
        `${name === undefined ? 'a command is missing' : 'there is no such command'}: ${Object.keys(commands).join(', ')}`,
      )
    return 0
  } catch (error) {
    // Whoever reads our output has enough of it (`| head`).
    if (isSystemError(error) && error.code === 'EPIPE') return 1
    if (error instanceof UsageError) {
      complain(`${error.message} (see ${chosen ? `integratedb ${name}` : 'integratedb'} --help)`)
      return 2
    }
    if (!(error instanceof InputError || isSystemError(error))) throw error
    complain(error.message)
    return 1
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
