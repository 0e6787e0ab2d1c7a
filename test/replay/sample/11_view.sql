ALTER TABLE public.customers RENAME TO people;
CREATE VIEW public.customers AS SELECT id, email, tier FROM public.people;
