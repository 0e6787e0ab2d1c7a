// What is a command of `integratedb`? Its options, its help, and a function that prints; one file in command/ each.

import { parseArgs } from 'node:util'
import { InputError } from '../input-error.ts'

/** What a command has of the world, so that tests can give it another. */
export interface Terminal {
  environment: Record<string, string | undefined>
  stdin: AsyncIterable<Uint8Array> & { isTTY?: boolean }
  /** Resolves when it is written. */
  print(text: string): Promise<void>
  /** A line for people, on stderr. */
  tell(line: string): void
}

/** true: takes a value; false: is there or not. */
type Options = Record<string, boolean>

export type Values<O extends Options> = { [name in keyof O]?: O[name] extends true ? string : true }

export interface Command {
  summary: string
  help: string
  run(args: readonly string[], terminal: Terminal): Promise<void>
}

/** Wrong use of the command line: exit code 2. */
export class UsageError extends InputError {
  override name = 'UsageError'
}

export function command<const O extends Options>({
  run,
  options,
  ...texts
}: {
  summary: string
  help: string
  options: O
  run(values: Values<O>, terminal: Terminal): Promise<void>
}): Command {
  return { ...texts, run: (args, terminal) => run(readOptions(args, options), terminal) }
}

/** Errors name options but never repeat a value, which may be a password in the wrong place. */
function readOptions<O extends Options>(args: readonly string[], options: O): Values<O> {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([name, takesValue]) => [name, { type: takesValue ? 'string' : 'boolean' }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values: Record<string, string | true> = {}
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError('there is an argument that belongs to no option')
    if (token.kind === 'option-terminator') continue
    const { name, rawName, value, inlineValue } = token
    const takesValue = Object.hasOwn(options, name) && rawName === `--${name}` ? options[name] : undefined
    if (takesValue === undefined) throw new UsageError(`there is no option ${rawName}`)
    if (Object.hasOwn(values, name)) throw new UsageError(`--${name} is given twice`)
    if (takesValue && (value === undefined || (!inlineValue && value.startsWith('-')))) throw new UsageError(`--${name} needs a value`)
    if (!takesValue && value !== undefined) throw new UsageError(`--${name} takes no value`)
    values[name] = value ?? true
  }
  return values as Values<O>
}

const MOST = 1024 * 1024

/** All of standard input, which has to be a pipe or a file. */
export async function readInput({ stdin }: Terminal, what: string): Promise<string> {
  if (stdin.isTTY) throw new UsageError(`${what} is read from standard input, from a pipe or a file`)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stdin) {
    size += chunk.length
    if (size > MOST) throw new InputError('there is more on standard input than can be meant: over 1 MiB')
    chunks.push(chunk)
  }
  return decode(Buffer.concat(chunks), 'standard input')
}

export function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InputError(`${source} is not UTF-8`)
  }
}

/** Files and `echo` end with a line feed that is no part of the password. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}
