// The only door to the embedded server: a real PostgreSQL 18 with pljs for the demo, the tests and the benches.

export type { EmbeddedServer, EmbeddedServerOptions } from './server.ts'
export { startEmbeddedServer } from './server.ts'
