/**
 * Which way may imports point? The core is pure and has one door; what talks to Postgres is at the edges.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: 'core-is-pure',
      comment: 'The core runs inside the database: it imports the core and nothing else (no Node, no pg, no library).',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/core/' },
    },
    {
      name: 'core-has-one-door',
      comment: "Outside of the core's own tests, import src/core/index.ts: what it exports is the core's contract.",
      severity: 'error',
      from: { pathNot: ['^src/core/', '^test/core/'] },
      to: { path: '^src/core/', pathNot: '^src/core/index[.]ts$' },
    },
    {
      name: 'pg-at-the-edges',
      comment: 'Only what is outside the database talks to it: notifier, command line, embedded server, build, tests and benches.',
      severity: 'error',
      from: { pathNot: '^(src/(notifier|cli|embedded)|build|test|bench)/' },
      to: { path: '^node_modules/(@types/)?pg/' },
    },
    {
      name: 'the-bundle-is-the-core',
      comment: "What goes into the database is the core's door and nothing beside it.",
      severity: 'error',
      from: { path: '^src/in-database/' },
      to: { pathNot: ['^src/in-database/', '^src/core/index[.]ts$'] },
    },
    {
      name: 'source-does-not-know-its-tests',
      severity: 'error',
      from: { path: '^(src|build)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports and that is no entry is dead.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: ['^[.]dependency-cruiser[.]cjs$', '[.]d[.]ts$', '[.]test[.]ts$', '^test/support/count-reporter[.]ts$'],
      },
      to: {},
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types count: a type of pg in the core would tie it to pg.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
