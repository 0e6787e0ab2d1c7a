/**
 * The original IntegrateDB, on the same claims: its own SQL, from a folder (`priv/sql` of github.com/integratedb/integrate) that
 * INTEGRATEDB_BENCH_ORIGINAL names. Its tables are made here as its migrations make them. It looks at all claims
 * at every migration, so that its unmet_claims() is what a migration pays there.
 */
import { readFileSync } from 'node:fs'
import { addStakeholder, columns, fill } from './catalogue.ts'
import type { Figure } from './figure.ts'
import type { BenchServer } from './server.ts'
import { type Duration, repeat, type Session, timed } from './stopwatch.ts'

const tables = `
  create schema integratedb;
  create table integratedb.specs (id bigserial primary key);
  create table integratedb.claims (id bigserial primary key, optional boolean not null default false, spec_id bigint not null references integratedb.specs);
  create index on integratedb.claims (optional);
  create index on integratedb.claims (spec_id);
  create table integratedb.claim_alternatives (id bigserial primary key, schema varchar(255) not null, "table" varchar(255) not null,
    claim_id bigint not null references integratedb.claims);
  create index on integratedb.claim_alternatives (schema, "table");
  create index on integratedb.claim_alternatives (claim_id);
  create table integratedb.columns (id bigserial primary key, optional boolean not null default false,
    claim_alternative_id bigint not null references integratedb.claim_alternatives);
  create index on integratedb.columns (optional);
  create index on integratedb.columns (claim_alternative_id);
  create table integratedb.column_alternatives (id bigserial primary key, name varchar(255) not null, type varchar(255) not null, min_length integer,
    is_nullable boolean not null default true, column_id bigint not null references integratedb.columns);
  create index on integratedb.column_alternatives (column_id);
  create index on integratedb.column_alternatives (name);
  create table integratedb.sync (uid uuid not null)`

/** One claim of each of the first so many tables, of all their columns. */
const claims = (count: number): string => `
  insert into integratedb.specs default values;
  insert into integratedb.claims (id, spec_id) select n, 1 from generate_series(1, ${count}) n;
  insert into integratedb.claim_alternatives (id, schema, "table", claim_id) select n, 'public', 't' || n, n from generate_series(1, ${count}) n;
  insert into integratedb.columns (id, claim_alternative_id)
    select row_number() over (), a.id from integratedb.claim_alternatives a, generate_series(1, ${columns.length});
  insert into integratedb.column_alternatives (name, type, is_nullable, column_id)
    select c.column_name, c.data_type, c.is_nullable = 'YES', k.id
      from (select id, claim_alternative_id, row_number() over (partition by claim_alternative_id order by id) as place from integratedb.columns) k
      join integratedb.claim_alternatives a on a.id = k.claim_alternative_id
      join information_schema.columns c on c.table_schema = a.schema and c.table_name = a."table" and c.ordinal_position = k.place;
  analyze`

export interface PeerPlan {
  claims: number[]
  /** How long to wait for the original at most, in seconds. */
  patience: number
  runs: number
}

export const missingPeer =
  'the original is not compared: set INTEGRATEDB_BENCH_ORIGINAL to the folder priv/sql of a checkout of github.com/integratedb/integrate'

export async function measurePeer(server: BenchServer, folder: string, plan: PeerPlan): Promise<Figure[]> {
  const sql = ['integratedb_sync', 'integratedb_unmet_claims'].map((name) => readFileSync(`${folder}/${name}.sql`, 'utf8'))
  const figures: Figure[] = []
  for (const count of plan.claims) {
    console.error(`${count} claims, the original beside`)
    const { theirs, ours } = await server.prepare(async () => {
      const bare = await server.createDatabase(`claims_${count}`)
      const client = await server.connect(bare, { hasty: true })
      await fill(client, count)
      await client.client.end()
      const ours = await server.createDatabase(`ours_${count}`, bare)
      const original = await server.connect(bare, { hasty: true })
      await original.client.query(tables)
      for (const each of sql) await original.client.query(each)
      await original.client.query(claims(count))
      return { theirs: original, ours: await server.connect(ours, { hasty: true }) }
    })
    await server.install(ours)
    const match = Array.from({ length: count }, (_, i) => ({ path: `public.t${i + 1}`, fields: columns.map(({ name }) => name) }))
    await addStakeholder(ours, `claimant_${count}`, { match })
    await ours.client.query('vacuum analyze')

    const mine = await repeat(() => nothingUnmet(ours, 'select * from integratedb.unmet_claims()'), plan.runs + 1)
    await theirs.client.query(`set statement_timeout = '${plan.patience}s'`)
    let isBounded = false
    const bound = () =>
      timed(theirs, async () => {
        try {
          const { rows } = await theirs.client.query('select * from integratedb_unmet_claims()')
          if (rows.length > 0) throw new Error(`the original says that a claim is unmet: ${JSON.stringify(rows[0])}`)
        } catch (error) {
          if ((error as { code?: string }).code !== '57014') throw error
          isBounded = true
        }
      })
    const first = (await bound()).cpu
    const their = isBounded ? Array.from({ length: plan.runs }, () => first) : [first, ...(await repeat(bound, plan.runs - 1))]
    figures.push({
      key: `peer/${count}`,
      what: `integratedb_unmet_claims() of the original against unmet_claims()${isBounded ? ', at least: given up' : ''}`,
      where: `${count.toLocaleString('en-GB')} claims of ${columns.length} columns; CPU`,
      unit: '×',
      runs: their.map((duration, i) => duration / (mine[i + 1] as number)),
      ...(count === 1000 && { goal: { at: 'least' as const, figure: 1000 } }),
      detail: `${(first / 1000).toFixed(2)} s${isBounded ? ' and more' : ''} against ${(mine.at(-1) as number).toFixed(0)} ms`,
    })
    await theirs.client.end()
    await ours.client.end()
  }
  return figures
}

/** All claims are met there: answers would be another measurement. */
async function nothingUnmet(session: Session, sql: string): Promise<Duration> {
  let rows: unknown[] = []
  const duration = await timed(session, async () => {
    rows = (await session.client.query(sql)).rows
  })
  if (rows.length > 0) throw new Error(`claims are unmet: ${JSON.stringify(rows[0])}`)
  return duration
}
