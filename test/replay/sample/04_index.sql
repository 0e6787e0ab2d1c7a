-- Cannot run in a transaction.
CREATE INDEX CONCURRENTLY orders_by_customer ON public.orders (customer_id);
