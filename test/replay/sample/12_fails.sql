-- By itself: a replay skips it.
ALTER TABLE public.nowhere ADD COLUMN nothing text;
