-- A shop's database. The shop owns the tables; other applications read them directly.
create table public.orders (
  id bigint generated always as identity primary key,
  customer text not null,
  total numeric(10,2) not null
);
create table public.shipments (
  id bigint primary key,
  shipped_on date
);
insert into public.orders (customer, total) values ('Ada', 120.00), ('Grace', 80.50);

-- 1. The reporting application becomes a stakeholder: a role, a schema of its own, and a password that is shown once.
select jsonb_pretty(integratedb.add_stakeholder('reporter')) as answer;

-- 2. It claims what it depends on, and is granted exactly that: two columns of the orders and not the customer's
-- name; of the shipments everything, whatever columns may come.
select path, field, type, status
from integratedb.set_claims('reporter', '{
  "match": [
    {"path": "public.orders", "fields": ["id", "total"]},
    {"path": "public.shipments", "fields": "*"}
  ]
}');

-- As the reporter: what was claimed can be read …
-- as: reporter
select id, total from public.orders order by id;

-- … and nothing else.
-- as: reporter
select customer from public.orders;

-- 3. A migration that would break the claim is rejected, in its own transaction, whoever runs it.
alter table public.orders drop column total;

-- What would a migration break? Ask, without doing it.
select code, path, field, message
from integratedb.check_migration('alter table public.orders rename column total to amount');

-- 4. A migration that breaks nobody just works: nobody claims the customer.
alter table public.orders rename column customer to customer_name;

-- A new column is granted to whoever claims all of them, in the migration's own transaction.
alter table public.shipments add column carrier text;

-- as: reporter
select carrier from public.shipments;

-- The table can even change its name, when a view takes its place in the same transaction.
begin;
alter table public.orders rename to orders_v2;
create view public.orders as select id, total from public.orders_v2;
commit;

-- The reporter notices nothing: the grant moved to the view at the commit.
-- as: reporter
select id, total from public.orders order by id;

-- Who changed what, and how it was judged.
select commands, touched, verdict from integratedb.migrations order by id;

-- 5. The reporter wants to be told what happens to what it claims. The secret that signs is in the notifier's environment.
select path, events, channels
from integratedb.set_notifications('reporter', '{
  "match": [{"path": "public.shipments", "events": ["*"], "channels": ["hook"]}],
  "channels": [{"name": "hook", "kind": "WEBHOOK", "url": "http://127.0.0.1:8400/hook", "secrets": ["INTEGRATEDB_SECRET_REPORTER"]}]
}');

-- One small process beside the database reads what is committed, as a role that may read no table.
select integratedb.add_notifier('notifier') -> 'notifier' as notifier;

-- run: integratedb notify

-- The shop ships something …
insert into public.shipments (id, carrier) values (7, 'Royal Mail');

-- … and at the reporter's a signed webhook arrives.
-- receive: webhook
