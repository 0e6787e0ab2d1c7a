-- Two teams own the data of one database: sales, with ann among its members, and billing.
create role sales;
create role ann login in role sales;
create role billing login;
create schema shop authorization sales;
create table shop.orders (id bigint primary key, customer text not null, total numeric(10,2) not null);
create table shop.invoices (id bigint primary key, paid_on date);
alter table shop.orders owner to sales;
alter table shop.invoices owner to billing;
grant usage on schema shop to billing;

-- 1. The reporting application is a stakeholder, and may read nothing yet.
select jsonb_pretty(integratedb.add_stakeholder('reporter')) as answer;

-- It may look at what it would get: no rows, so nothing is wrong with this document.
-- as: reporter
select * from integratedb.check_claims('{"match": [{"path": "shop.orders", "fields": ["id", "total"]}]}');

-- 2. It asks, and says why. What it asks for has two owners.
-- as: reporter
select integratedb.request_claims('{
  "match": [
    {"path": "shop.orders", "fields": ["id", "total"]},
    {"path": "shop.invoices", "fields": "*"}
  ]
}', 'revenue by month') as answer;

-- A pending request grants nothing …
-- as: reporter
select id, total from shop.orders;

-- … and is in nobody's way.
-- as: ann
alter table shop.orders add column note text;

-- 3. Ann sees what waits for sales.
-- as: ann
select request, stakeholder, reason, waiting_for, document->'match'->0->>'path' as path from integratedb.pending_claims();

-- She approves what she has looked at: the number, so that nothing can be put in its place meanwhile.
-- as: ann
select integratedb.approve_claims('reporter', 1) as answer;

-- Billing has a say in the same request, and says no.
-- as: billing
select integratedb.reject_claims('reporter', 'only what is needed: not all fields') as answer;

-- as: reporter
select request, status, rejected_because from integratedb.my_requests();

-- 4. So it asks for less. It is another request: sales looks at it again.
-- as: reporter
select integratedb.request_claims('{
  "match": [
    {"path": "shop.orders", "fields": ["id", "total"]},
    {"path": "shop.invoices", "fields": ["id", "paid_on"]}
  ]
}', 'revenue by month') as answer;

-- as: billing
select integratedb.approve_claims('reporter', 2) as answer;

-- With the last approval it is what the reporter claims, and exactly that is granted.
-- as: ann
select integratedb.approve_claims('reporter', 2) as answer;

-- as: reporter
select path, field, type, status from integratedb.my_claims();

-- as: reporter
select customer from shop.orders;

-- From now on nobody can break it, its owners least of all by accident.
-- as: billing
alter table shop.invoices drop column paid_on;

-- 5. Sales does not want to be asked each time the reporter reads something more of theirs.
-- as: ann
select integratedb.allow_claims('sales', 'reporter', 'shop.*');

-- as: reporter
select integratedb.request_claims('{
  "match": [
    {"path": "shop.orders", "fields": ["id", "total", "note"]},
    {"path": "shop.invoices", "fields": ["id", "paid_on"]}
  ]
}', 'notes help to tell returns from sales') as answer;

-- Billing's say is billing's. An administrator could have approved for all.
-- as: billing
select integratedb.approve_claims('reporter', 3) as answer;

-- 6. Who has decided what, and why: this is kept.
select request, decision, owners, decided_by, coalesce(path, reason) as what from integratedb.decisions order by id;

-- 7. The nightly job does not get the reporter's password, but a login of its own, for an hour. Its name is random.
select integratedb.issue_credentials('reporter', '1 hour')->'credentials'->>'username' as username;

-- Whoever logs in with it is the reporter: it may what the reporter may, and what it makes is the reporter's.
-- as: reporter_1
create table reporter.month as select date '2026-11-01' as month, sum(total) as total from shop.orders;
select session_user, current_user, tableowner from pg_tables where schemaname = 'reporter';

-- It needs more time. (Up to the stakeholder's option max_ttl, 32 days if nobody sets it.)
select integratedb.renew_credentials('reporter_1', '2 hours')->'credentials'->>'username' as username;

-- 8. The reporter's own password changes every quarter. The new login works at once, the old one for another day.
select integratedb.rotate_credentials('reporter', grace => '1 day')->'credentials'->>'username' as username;

select username, kind, valid_until > now() + interval '23 hours' as ends_tomorrow, valid_until < now() + interval '3 hours' as ends_today
  from integratedb.credentials order by issued_at;

-- 9. Somebody has seen the job's password. Its login ends now, and so do its sessions.
select integratedb.revoke_credentials('reporter_1');

-- as: reporter_1
select 1;

-- The rest of the reporter goes on.
-- as: reporter_2
select count(*) from reporter.month;

-- 10. Every minute (pg_cron, the notifier, or you) what is over goes, with its role.
select * from integratedb.expire_credentials();

select username, kind from integratedb.credentials order by issued_at;
