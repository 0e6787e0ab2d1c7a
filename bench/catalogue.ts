/**
 * What is in the databases that are measured: so many relations of 20 columns in public, a few tables that nobody claims, a shop
 * of which one stakeholder claims some columns, and so many stakeholders. Of these one in 40, and at least one, claims
 * everything in public, whatever it is; the others name 20 relations and all their columns.
 */
import type { Session } from './stopwatch.ts'

const types = ['bigint', 'integer', 'varchar(40)', 'numeric(10,2)', 'date', 'boolean', 'timestamptz', 'uuid', 'varchar(20)', 'smallint']
export const columns = Array.from({ length: 20 }, (_, i) => ({ name: i === 0 ? 'id' : `c${i}`, type: types[i % types.length] as string }))

export async function fill({ client }: Session, relations: number): Promise<void> {
  const list = columns.map(({ name, type }) => `${name} ${type} ${name === 'id' ? 'primary key' : 'not null'}`).join(', ')
  await client.query(`do $$ begin
    for i in 1..${relations} loop
      execute format('create table public.t%s (${list})', i);
      if i % 500 = 0 then commit; end if;
    end loop;
  end $$`)
  await client.query(`
    create schema other;
    create table other.thing (id bigint primary key, name text, price numeric(10,2), noted date);
    create schema shop;
    create table shop.orders (id bigint primary key, customer text not null, total numeric(10,2) not null, remark text, unclaimed text);
    analyze`)
}

interface Match {
  path: string
  fields: string | string[]
}

/** The document of the k-th of so many. */
export function documentOf(k: number, relations: number): { match: Match[] } {
  if (isWildcard(k)) return { match: [{ path: 'public.*', fields: '*' }] }
  const named = Array.from({ length: Math.min(20, relations) }, (_, i) => ((k * 20 + i) % relations) + 1)
  return { match: named.map((n) => ({ path: `public.t${n}`, fields: columns.map(({ name }) => name) })) }
}

export function isWildcard(k: number): boolean {
  return k % 40 === 1
}

export async function addStakeholder({ client }: Session, name: string, document: unknown): Promise<void> {
  await client.query('select integratedb.add_stakeholder($1)', [name])
  await client.query('select count(*) from integratedb.set_claims($1, $2)', [name, JSON.stringify(document)])
}
