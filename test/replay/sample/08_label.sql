ALTER TYPE public.tier ADD VALUE 'trial';
UPDATE public.customers SET tier = 'trial' WHERE email = '';
