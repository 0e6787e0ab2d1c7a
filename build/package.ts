/**
 * How does src become the npm package? dist: the command and what `import 'integratedb'` gives, bundled by esbuild, and the types
 * by tsc. Run by `npm pack` and `npm publish` (prepack), not by `npm install`: nothing in this repository needs dist.
 */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`

rmSync(dist, { recursive: true, force: true })

await build({
  absWorkingDir: root,
  entryPoints: { index: 'src/index.ts', integratedb: 'src/cli/integratedb.ts' },
  outdir: 'dist',
  // What both need is one file, beside them: they find dist-sql and package.json by where they are.
  splitting: true,
  chunkNames: '[name]-[hash]',
  bundle: true,
  packages: 'external', // declared as dependencies, not copied
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
})

const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: ['src/index.ts'] }, ts.sys, root)
const program = ts.createProgram([`${root}src/index.ts`], {
  ...options,
  noEmit: false,
  declaration: true,
  emitDeclarationOnly: true,
  rootDir: `${root}src`,
  outDir: dist,
})
const { diagnostics } = program.emit()
if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)))
