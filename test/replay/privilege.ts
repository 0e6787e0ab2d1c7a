/** What should a role hold on what others own, by its claims and Postgres's own catalogue; and what does it hold? */
import type { Session } from '../support/database.ts'
import type { Claims } from './document.ts'

const SHOULD = `
with recursive claim as (
  select to_regclass(c ->> 'path')::oid as relation, c -> 'fields' as fields, c -> 'access' as access
    from jsonb_array_elements($1::jsonb) c where to_regclass(c ->> 'path') is not null
), target as (
  select claim.*, c.relkind, n.nspname as schema, format('%I.%I', n.nspname, c.relname) as path, c.relowner,
         pg_relation_is_updatable(c.oid, true) as events,
         exists (select from pg_inherits i where i.inhparent = c.oid) as has_parts
    from claim join pg_class c on c.oid = claim.relation join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f')
), field as (
  select t.*, a.attname, pg_column_is_updatable(t.relation, a.attnum, true) and a.attgenerated = '' and a.attidentity <> 'a' and t.relkind <> 'm' as is_writable
    from target t join pg_attribute a on a.attrelid = t.relation and a.attnum > 0 and not a.attisdropped
   where t.fields = '"*"' or t.fields ? a.attname
), granted as (
  select 'SELECT' as privilege, path, attname, schema, relation from field where access ? 'select'
  union all
  select 'INSERT', path, attname, schema, relation from field
   where access ? 'insert' and is_writable and events & 8 <> 0 and (relkind <> 'p' or has_parts)
  union all
  select 'UPDATE', path, attname, schema, relation from field where access ? 'update' and is_writable and events & 4 <> 0
), behind as (
  select distinct relation, relation as table_behind from granted where privilege = 'INSERT'
  union
  select b.relation, d.refobjid from behind b
    join pg_class v on v.oid = b.table_behind and v.relkind = 'v'
    join pg_rewrite w on w.ev_class = v.oid and w.ev_type = '1'
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
), sequence as (
  select distinct q.relname, n.nspname
    from behind b
    join pg_attrdef f on f.adrelid = b.table_behind
    join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_class'::regclass
    join pg_class q on q.oid = d.refobjid and q.relkind = 'S'
    join pg_namespace n on n.oid = q.relnamespace
)
select format('%s on %s.%I', privilege, path, attname) as privilege from granted
union
select format('DELETE on %s', path) from field where access ? 'delete' and events & 16 <> 0 and relkind <> 'm'
union
select format('USAGE on %I.%I', nspname, relname) from sequence
union
select format('USAGE on schema %I', schema) from granted
union
select format('USAGE on schema %I', nspname) from sequence
order by 1`

const HOLDS = `
select format('%s on %I.%I.%I', x.privilege_type, n.nspname, c.relname, a.attname) as privilege
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace, aclexplode(a.attacl) x
 where x.grantee = to_regrole($1) and c.relowner <> x.grantee and not a.attisdropped
union
select format('%s on %I.%I', x.privilege_type, n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
 where x.grantee = to_regrole($1) and c.relowner <> x.grantee
union
select format('%s on schema %I', x.privilege_type, n.nspname)
  from pg_namespace n, aclexplode(n.nspacl) x where x.grantee = to_regrole($1) and n.nspowner <> x.grantee
union
select format('%s on function %s', x.privilege_type, p.oid::regprocedure) from pg_proc p, aclexplode(p.proacl) x
 where x.grantee = to_regrole($1) and p.proowner <> x.grantee
union
select format('%s on type %s', x.privilege_type, t.oid::regtype) from pg_type t, aclexplode(t.typacl) x
 where x.grantee = to_regrole($1) and t.typowner <> x.grantee
order by 1`

/** One line for each privilege that is missing or should not be there. */
export async function privilegeTrouble(
  session: Session,
  { stakeholder, wildcard, paths }: Claims,
  all: Iterable<string>,
): Promise<string[]> {
  const claimed = wildcard
    ? [...all].map((path) => ({ path, fields: '*', access: ['select'] }))
    : [...paths.values()].map(({ path, all: isAll, fields, alternatives, access }) => ({
        path,
        fields: isAll ? '*' : [...fields.map(({ name }) => name), ...alternatives.flat()],
        access,
      }))
  const list = async (sql: string, value: string) =>
    (await session.rows<{ privilege: string }>(sql, [value])).map(({ privilege }) => privilege)
  const should = await list(SHOULD, JSON.stringify(claimed))
  const holds = await list(HOLDS, stakeholder)
  return [
    ...should.filter((privilege) => !holds.includes(privilege)).map((privilege) => `has not ${privilege}`),
    ...holds.filter((privilege) => !should.includes(privilege)).map((privilege) => `has ${privilege}`),
  ]
}
