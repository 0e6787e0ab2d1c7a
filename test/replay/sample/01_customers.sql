CREATE TYPE public.tier AS ENUM ('free', 'paid');

CREATE TABLE public.customers (
  id serial PRIMARY KEY,
  email varchar(80) NOT NULL UNIQUE,
  name text NOT NULL,
  tier public.tier NOT NULL DEFAULT 'free'
);

CREATE TABLE public.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES public.customers (id),
  total numeric(10,2) NOT NULL DEFAULT 0,
  note varchar(200)
);
