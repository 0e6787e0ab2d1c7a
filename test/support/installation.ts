/** The two files that users run, and ways to see what they leave behind. */
import { readFileSync } from 'node:fs'
import type { Row, Session } from './database.ts'

export const installFile = readFileSync('dist-sql/integratedb.sql', 'utf8')
export const uninstallFile = readFileSync('dist-sql/uninstall.sql', 'utf8')

/** Everything in the schema integratedb and around it, one line each: two equal lists are two equal installations. */
export async function inventory(session: Session): Promise<string[]> {
  // None is the default, and a dump and restore makes it that.
  const acl = (value: string, kind: string, owner: string) =>
    `(select string_agg(a::text, ' ' order by a::text) from unnest(coalesce(${value}, acldefault(${kind}, ${owner}))) a)`
  const rows = await session.rows<{ line: string }>(`
    select concat_ws(' | ', 'schema', pg_get_userbyid(nspowner), ${acl('nspacl', "'n'", 'nspowner')}, obj_description(oid)) as line
      from pg_namespace where nspname = 'integratedb'
    union all
    select concat_ws(' | ', 'function', oid::regprocedure, pg_get_userbyid(proowner), prokind, provolatile, prosecdef, proisstrict,
             pg_get_function_result(oid), proconfig::text, ${acl('proacl', "'f'", 'proowner')}, md5(prosrc), obj_description(oid))
      from pg_proc where pronamespace = to_regnamespace('integratedb')
    union all
    select concat_ws(' | ', 'relation', relkind, relname, pg_get_userbyid(relowner), ${acl('relacl', "case relkind when 'S' then 's' else 'r' end::\"char\"", 'relowner')}, obj_description(oid),
             case relkind when 'v' then pg_get_viewdef(oid) when 'i' then pg_get_indexdef(oid) end)
      from pg_class where relnamespace = to_regnamespace('integratedb')
    union all
    select concat_ws(' | ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
             pg_get_expr(d.adbin, d.adrelid), col_description(attrelid, attnum))
      from pg_attribute a join pg_class c on c.oid = attrelid left join pg_attrdef d on adrelid = attrelid and adnum = attnum
     where relnamespace = to_regnamespace('integratedb') and attnum > 0 and relkind <> 'i'
    union all
    select concat_ws(' | ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = to_regnamespace('integratedb') and contype <> 'n'
    union all
    select concat_ws(' | ', 'trigger', pg_get_triggerdef(t.oid), tgenabled, obj_description(t.oid))
      from pg_trigger t join pg_class c on c.oid = tgrelid where relnamespace = to_regnamespace('integratedb') and not tgisinternal
    union all
    select concat_ws(' | ', 'event trigger', evtname, evtevent, evtfoid::regproc, evttags::text, evtenabled, pg_get_userbyid(evtowner))
      from pg_event_trigger
    union all
    select concat_ws(' | ', 'language', lanname, lanpltrusted, ${acl('lanacl', "'l'", 'lanowner')}) from pg_language
    union all
    select concat_ws(' | ', 'extension', extname, extversion) from pg_extension
    order by 1`)
  return rows.map(({ line }) => line)
}

/** What an installation must leave alone or lose: the rows of our own tables. */
export async function settings(session: Session): Promise<Record<string, string>> {
  const rows = await session.rows<{ name: string; value: string }>('select name, value from integratedb.setting')
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
}

export async function schemasAndRoles(session: Session): Promise<Row[]> {
  return await session.rows(`
    select 'schema' as kind, nspname as name from pg_namespace where nspname !~ '^pg_(toast_)?temp'
    union all select 'role', rolname from pg_roles
    union all select 'extension', extname from pg_extension
    union all select 'event trigger', evtname from pg_event_trigger
    order by 1, 2`)
}

export async function engineOf(session: Session): Promise<'plv8' | 'pljs'> {
  return await session.value("select component from integratedb.version() where component in ('plv8', 'pljs')")
}

/** One row of doctor(). */
export async function diagnosis(session: Session, check: string): Promise<{ status: string; detail: string; fix: string | null }> {
  const [row] = await session.rows<{ status: string; detail: string; fix: string | null }>(
    'select status, detail, fix from integratedb.doctor() where check_name = $1',
    [check],
  )
  if (row === undefined) throw new Error(`doctor() has no check ${check}`)
  return row
}

/** The checks of doctor() that are not ok. */
export async function complaints(session: Session): Promise<string[]> {
  const rows = await session.rows<{ line: string }>(
    "select check_name || ': ' || status as line from integratedb.doctor() where status <> 'ok'",
  )
  return rows.map(({ line }) => line)
}

/** What a stakeholder was granted, column by column, and what it claims: the two must be the same. */
export async function grantsAndClaims(session: Session, stakeholder: string): Promise<{ granted: string[]; claimed: string[] }> {
  const granted = await session.rows<{ line: string }>(
    `select format('%I.%I.%I', n.nspname, c.relname, a.attname) as line
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace, aclexplode(a.attacl) x
      where x.grantee = $1::regrole and not a.attisdropped
     union all
     select format('%I.%I: %s', n.nspname, c.relname, x.privilege_type)
       from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
      where x.grantee = $1::regrole and c.relowner <> $1::regrole
      order by 1`,
    [stakeholder],
  )
  const claimed = await session.rows<{ line: string }>(
    `select distinct format('%s.%I', path, field) as line from integratedb.claims where stakeholder = $1 and field is not null and status = 'met' order by 1`,
    [stakeholder],
  )
  return { granted: granted.map(({ line }) => line), claimed: claimed.map(({ line }) => line) }
}
