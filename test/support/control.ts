/** Stops and starts an embedded server as its operator would; it keeps its data and its port. */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { findAccount } from '../../src/embedded/account.ts'
import { findBinaries } from '../../src/embedded/binaries.ts'

/** pg_ctl on this data directory. Answers how many milliseconds it took. */
export function control(data: string, ...args: string[]): Promise<number> {
  const bin = findBinaries()
  const [program = '', ...rest] = [...findAccount(bin, bin, '/tmp'), join(bin, 'pg_ctl'), ...args, '-D', data, '-w', '-t', '20']
  const started = Date.now()
  return new Promise((resolve, reject) => {
    // Not spawnSync: our own timers have to run meanwhile.
    const child = spawn(program, [...rest, '-l', join(dirname(data), 'log')], { cwd: '/', stdio: 'ignore' })
    child.on('exit', (code) => (code === 0 ? resolve(Date.now() - started) : reject(new Error(`pg_ctl ${args} ended with ${code}`))))
  })
}
