/** What may refuse a row, or change it, and is no constraint: unique indexes and triggers. The oracle's catalogue looks no closer. */
import type { Session } from '../support/database.ts'

export interface Guard {
  oid: number
  relation: string
  definition: string
  /** null: any. */
  columns: string[] | null
}

const QUERY = `
select i.indexrelid::bigint as oid, format('%I.%I', n.nspname, c.relname) as relation,
       'UNIQUE INDEX' || regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ' USING ') as definition,
       (select jsonb_agg(a.attname) from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
         where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid and d.refobjid = c.oid) as columns
  from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
 where i.indisunique and i.indisvalid and c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'integratedb'
   and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
union all
select t.oid::bigint, format('%I.%I', n.nspname, c.relname), 'TRIGGER ' || t.tgfoid::regprocedure || ' ' || t.tgtype, null
  from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
 where not t.tgisinternal and t.tgenabled <> 'D' and n.nspname !~ '^pg_' and n.nspname <> 'integratedb'`

export async function readGuards(session: Session): Promise<Guard[]> {
  return await session.rows<Guard & Record<string, unknown>>(QUERY)
}
