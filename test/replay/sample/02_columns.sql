ALTER TABLE public.orders ADD COLUMN placed_at timestamp NOT NULL DEFAULT now();
ALTER TABLE public.orders ADD COLUMN "Shipped To" text;
COMMENT ON TABLE public.orders IS 'what was ordered; nothing else';
