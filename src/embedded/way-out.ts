// What can somebody do whose machine cannot run the embedded server? Every such error ends with this.
export const WAY_OUT =
  'use Docker instead (`docker compose up -d`, then set INTEGRATEDB_TEST_URL), ' +
  'or set INTEGRATEDB_TEST_URL to a server of your own that has plv8 or pljs'
