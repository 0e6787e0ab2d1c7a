/** `integratedb notify` as it is run: a process of its own, that can be killed. Bundled once, because it is started often. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { build } from 'esbuild'

let command: Promise<string> | undefined

/** Where the command is, when it is built: beside node_modules, in which it finds what it needs. */
function buildCommand(): Promise<string> {
  command ??= (async () => {
    const folder = `${process.cwd()}/node_modules/.cache/integratedb`
    await build({
      absWorkingDir: process.cwd(),
      entryPoints: { integratedb: 'src/cli/integratedb.ts' },
      outdir: `${folder}/dist`,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
    })
    for (const path of ['package.json', 'dist-sql']) cpSync(path, `${folder}/${path}`, { recursive: true })
    return `${folder}/dist/integratedb.mjs`
  })()
  return command
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export interface LogLine {
  level: string
  message: string
  [field: string]: unknown
}

export class Notifier {
  readonly child: ChildProcess
  readonly origin: string
  readonly lines: LogLine[] = []
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Kilobytes, the most that was seen resident. */
  peak = 0
  readonly #watch: NodeJS.Timeout

  private constructor(child: ChildProcess, port: number) {
    this.child = child
    this.origin = `http://127.0.0.1:${port}`
    let rest = ''
    const read = (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.lines.push(line.startsWith('{') ? JSON.parse(line) : { level: 'raw', message: line })
    }
    child.stdout?.setEncoding('utf8').on('data', read)
    child.stderr?.setEncoding('utf8').on('data', read)
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
    this.#watch = setInterval(() => this.#look(), 100)
    void this.exited.then(() => clearInterval(this.#watch))
  }

  static async start(url: string, environment: Record<string, string> = {}): Promise<Notifier> {
    const program = await buildCommand()
    const port = await freePort()
    const child = spawn(process.execPath, [program, 'notify'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        INTEGRATEDB_NOTIFIER_URL: url,
        INTEGRATEDB_NOTIFIER_LISTEN: `127.0.0.1:${port}`,
        INTEGRATEDB_NOTIFIER_ALLOW_PRIVATE: '1',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return new Notifier(child, port)
  }

  /** Status and body; null while it does not listen. */
  async ask(path: string): Promise<{ status: number; body: string } | null> {
    try {
      const response = await fetch(this.origin + path)
      return { status: response.status, body: await response.text() }
    } catch {
      return null
    }
  }

  async ready(): Promise<this> {
    for (const end = Date.now() + 30_000; (await this.ask('/readyz'))?.status !== 200; ) {
      if (this.child.exitCode !== null || Date.now() > end) throw new Error(`the notifier is not ready:\n${this.tail()}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return this
  }

  /** A metric's value. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = (await this.ask('/metrics'))?.body ?? ''
    const line = text.split('\n').find((each) => each.startsWith(name) && each.includes(labels) && !each.startsWith('#'))
    return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ')))
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    await this.exited
  }

  tail(count = 20): string {
    return this.lines
      .slice(-count)
      .map((line) => JSON.stringify(line))
      .join('\n')
  }

  #look(): void {
    try {
      const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8')
      this.peak = Math.max(this.peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
    } catch {
      // gone, or not Linux
    }
  }
}
