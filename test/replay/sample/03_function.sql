CREATE SCHEMA sales;

CREATE FUNCTION public.total_of(customer integer) RETURNS numeric LANGUAGE plpgsql STABLE AS $body$
BEGIN
  RETURN (SELECT sum(total) FROM public.orders WHERE customer_id = customer); -- a semicolon; in a body
END
$body$;

CREATE VIEW sales.per_customer AS SELECT c.id, c.name, public.total_of(c.id) AS total FROM public.customers c;
