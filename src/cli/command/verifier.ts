import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { generatePassword, scramVerifier } from '../../credential/index.ts'
import { InputError } from '../../input-error.ts'
import { command, readInput, UsageError, withoutLineEnd } from '../command.ts'

export const verifier = command({
  summary: 'makes the verifier of a password, so that the server never sees it',
  help: `integratedb verifier: makes the SCRAM-SHA-256 verifier of a password

  integratedb verifier --generate reporter.password
  integratedb verifier < reporter.password

Reads the password on standard input (a line feed at its end is no part of it) or makes one, and prints the verifier:
for add_stakeholder(name, verifier => '…'), rotate_credentials and issue_credentials. Never an argument: those are in ps and
in the shell's history.

  --generate FILE       makes a password of 43 characters and writes it to FILE, which must not exist (mode 600), or is a pipe
  --iterations N        4096 unless given, not fewer; each log-in costs the client as many
`,
  options: { generate: true, iterations: true },
  async run({ generate, iterations }, terminal) {
    if (iterations !== undefined && !/^\d{1,10}$/.test(iterations)) throw new UsageError('--iterations needs a number')
    const options = iterations === undefined ? {} : { iterations: Number(iterations) }
    if (generate === undefined) {
      const password = withoutLineEnd(await readInput(terminal, 'the password'))
      await terminal.print(`${scramVerifier(password, options)}\n`)
      return
    }
    const password = generatePassword()
    const made = scramVerifier(password, options)
    store(password, generate)
    terminal.tell(`The password is in ${generate}.`)
    await terminal.print(`${made}\n`)
  },
})

/** What is there is not written over, nor does it lend its permissions; a pipe is what `>(…)` gives. */
function store(password: string, path: string): void {
  const file = openNew(path) ?? openPipe(path)
  if (file === undefined) throw new InputError(`${path} is there already: a password is not written over what may be one`)
  try {
    writeFileSync(file, password)
  } finally {
    closeSync(file)
  }
}

function openNew(path: string): number | undefined {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
}

function openPipe(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFIFO() || found?.isCharacterDevice() ? openSync(path, 'w') : undefined
}
