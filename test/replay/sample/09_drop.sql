DROP VIEW sales.per_customer;
ALTER TABLE public.customers DROP COLUMN name;
