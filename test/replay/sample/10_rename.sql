ALTER TABLE public.orders RENAME COLUMN "Shipped To" TO shipped_to;
ALTER TABLE public.orders RENAME TO purchases;
