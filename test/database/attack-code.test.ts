/**
 * Does code of an attacker run with somebody else's rights because IntegrateDB looks at what the attacker made?
 * Whatever can hold code is made by `evil`, says who it runs as, and is then claimed, judged, looked at and audited.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Session, TestDatabase } from '../support/database.ts'
import { setClaims } from '../support/oracle.ts'

let db: TestDatabase
let evil: Session
beforeAll(async () => {
  db = await TestDatabase.create()
  await db.rows(`
    create role evil login; create role admin login; grant integratedb_admin to admin;
    create schema shop authorization evil; select integratedb.add_stakeholder('reporter')`)
  evil = await db.connect('evil')
  // What runs as anybody but evil leaves a row, too: a warning could be swallowed by an exception's handler.
  await evil.rows(`
    create table shop.caught (who name);
    grant insert on shop.caught to public; grant usage on schema shop to public`)
})
afterAll(() => db.drop())

const shout = `begin if current_user <> 'evil' then raise warning 'EVIL as %', current_user; insert into shop.caught values (current_user); end if; `

const made: [what: string, sql: string][] = [
  [
    'casts of a type',
    `create type shop.money_like as (amount int);
     create function shop.to_json(shop.money_like) returns json language plpgsql as $$ ${shout} return '1'; end $$;
     create function shop.to_text(shop.money_like) returns text language plpgsql as $$ ${shout} return 'x'; end $$;
     create function shop.to_bigint(shop.money_like) returns bigint language plpgsql as $$ ${shout} return 1; end $$;
     create function shop.from_text(text) returns shop.money_like language plpgsql as $$ ${shout} return row(1); end $$;
     create cast (shop.money_like as json) with function shop.to_json(shop.money_like) as implicit;
     create cast (shop.money_like as text) with function shop.to_text(shop.money_like) as implicit;
     create cast (shop.money_like as bigint) with function shop.to_bigint(shop.money_like) as implicit;
     create cast (text as shop.money_like) with function shop.from_text(text) as implicit;
     create table shop.cast_table (id int primary key, m shop.money_like default row(1), t text default (row(1)::shop.money_like)::text);
     insert into shop.cast_table values (1)`,
  ],
  [
    'operators and an operator class',
    `create type shop.odd as enum ('a', 'b');
     create function shop.odd_lt(shop.odd, shop.odd) returns boolean language plpgsql immutable as $$ ${shout} return true; end $$;
     create function shop.odd_cmp(shop.odd, shop.odd) returns int language plpgsql immutable as $$ ${shout} return 0; end $$;
     create function shop.odd_name(name, text) returns boolean language plpgsql immutable as $$ ${shout} return true; end $$;
     create operator shop.<# (leftarg = shop.odd, rightarg = shop.odd, function = shop.odd_lt);
     create operator shop.= (leftarg = name, rightarg = text, function = shop.odd_name);
     create view shop.compared as select id from shop.cast_table where 'a'::shop.odd operator(shop.<#) 'b'`,
  ],
  [
    'a range type with a difference, and an exclusion constraint',
    `create function shop.diff(float8, float8) returns float8 language plpgsql immutable as $$ ${shout} return 1; end $$;
     create type shop.span as range (subtype = float8, subtype_diff = shop.diff);
     create table shop.spans (id int primary key, s shop.span, exclude using gist (s with &&)); insert into shop.spans values (1, '[1,2]'), (2, '[4,5]')`,
  ],
  [
    'domains, defaults, checks, generated columns',
    `create function shop.ok(int) returns boolean language plpgsql immutable as $$ ${shout} return true; end $$;
     create function shop.one(int) returns int language plpgsql immutable as $$ ${shout} return 1; end $$;
     create domain shop.d as int default shop.one(1) check (shop.ok(value));
     create domain shop.dd as shop.d[] check (shop.ok(array_length(value, 1)));
     create table shop.checked (id int primary key default shop.one(2), d shop.d, dd shop.dd, g int generated always as (shop.one(id)) stored, check (shop.ok(id)));
     insert into shop.checked (id, d) values (1, 1)`,
  ],
  [
    'triggers and rules',
    `create function shop.fire() returns trigger language plpgsql as $$ ${shout} return new; end $$;
     create table shop.fired (id int primary key, v text); insert into shop.fired values (1, 'x');
     create trigger a before insert or update or delete on shop.fired for each row execute function shop.fire();
     create trigger b after truncate on shop.fired execute function shop.fire();
     create constraint trigger c after insert or update on shop.fired deferrable initially deferred for each row when (shop.one(new.id) = 1) execute function shop.fire();
     create rule r as on update to shop.fired where shop.ok(old.id) do also select shop.one(3)`,
  ],
  [
    'views, with barriers, over each other, with folded constants',
    `create view shop.v1 with (security_barrier) as select id, shop.one(4) as o from shop.checked where shop.ok(5);
     create view shop.v2 with (security_invoker) as select id from shop.v1 where shop.ok(6) order by shop.one(7);
     create recursive view shop.v3 (n) as select shop.one(1) union all select n + 1 from v3 where n < shop.one(3);
     create materialized view shop.m as select id from shop.checked where shop.ok(8);
     create function shop.instead() returns trigger language plpgsql as $$ ${shout} return new; end $$;
     create view shop.v4 as select id, d from shop.checked; create trigger i instead of update on shop.v4 for each row execute function shop.instead()`,
  ],
  [
    'policies, indexes, statistics, partitions, an aggregate, a collation',
    `create table shop.hidden (id int primary key, v text); alter table shop.hidden enable row level security, force row level security;
     create policy p on shop.hidden using (shop.ok(id)) with check (shop.ok(id));
     create table shop.parted (id int, v text) partition by list (shop.one(id)); create table shop.part_1 partition of shop.parted for values in (1);
     create index on shop.hidden (shop.one(id)) where shop.ok(id); create statistics shop.st on (shop.one(id)), v from shop.hidden;
     create index on shop.hidden ((shop.one(10))) where shop.ok(11); create statistics shop.constant on (shop.one(12)), (shop.one(13)) from shop.hidden;
     create aggregate shop.sum (int) (sfunc = int4pl, stype = int, finalfunc = shop.one); create collation shop.c from "C";
     create view shop.agg as select shop.sum(id) as s from shop.checked`,
  ],
  [
    'functions that run as evil, of every kind, with settings',
    `create function shop.secdef() returns name language plpgsql security definer set search_path = shop as $$ begin return current_user; end $$;
     create procedure shop.proc() language plpgsql security definer as $$ ${shout} end $$;
     create function shop.support(internal) returns int language plpgsql as $$ ${shout} return 1; end $$`,
  ],
]

test.each(made)('%s', async (what, sql) => {
  if (what.startsWith('functions')) sql = sql.replace(/;\s*create function shop.support[\s\S]*$/, '') // Postgres refuses internal
  await evil.rows(sql)
  const admin = await db.connect('admin')
  const superuser = await db.connect()
  for (const session of [admin, superuser]) {
    await setClaims(session, 'reporter', [{ path: 'shop.*', fields: '*' }])
    await setClaims(session, 'reporter', [{ path: 'shop.*', fields: '*', access: ['select', 'insert', 'update', 'delete'] }])
    await session.rows(`
      select * from integratedb.check_claims('{"match": [{"path": "shop.*", "fields": "*"}]}');
      select * from integratedb.claims; select * from integratedb.stakeholders; select * from integratedb.migrations;
      select * from integratedb.dependents('shop.caught');
      select * from integratedb.unmet_claims(); select * from integratedb.sync();
      select * from integratedb.doctor(); select * from integratedb.audit_access(); select * from integratedb.audit_access('reporter')`)
  }
  // Judged in evil's own transactions, with the installer's rights.
  const tables = await evil.rows<{ path: string; kind: string }>(
    `select oid::regclass::text as path, relkind as kind from pg_class where relnamespace = 'shop'::regnamespace and relkind in ('r', 'p', 'v', 'm') and not relispartition`,
  )
  evil.notices.length = 0
  for (const { path, kind } of tables) {
    if (kind === 'r' || kind === 'p')
      await evil
        .rows(`alter table ${path} add column more int; alter table ${path} add constraint k check (more > 0) not valid`)
        .catch(() => {})
    await evil.client.query(`comment on table ${path} is 'x'; alter table ${path} rename to gone`).catch(() => {})
    await evil.client.query(`create or replace view ${path} as select 1 as other`).catch(() => {})
  }
  await evil.client.query('alter schema shop rename to shop_2').catch(() => {})
  await setClaims(superuser, 'reporter', []).catch(() => superuser.rows(`select integratedb.remove_claims('reporter')`))
  for (const session of [admin, superuser, evil]) expect(session.notices.filter(({ message }) => message.startsWith('EVIL'))).toEqual([])
  expect(await db.rows('select who from shop.caught')).toEqual([])
  await admin.end()
  await superuser.end()
  for (const { path, kind } of tables)
    if (kind === 'r' || kind === 'p') await evil.client.query(`alter table ${path} drop constraint if exists k`)
})
