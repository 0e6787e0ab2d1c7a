ALTER TABLE public.orders ALTER COLUMN note TYPE text;
DROP VIEW sales.per_customer;
ALTER TABLE public.orders ALTER COLUMN total TYPE numeric(14,2);
CREATE VIEW sales.per_customer AS SELECT c.id, c.name, public.total_of(c.id) AS total FROM public.customers c;
