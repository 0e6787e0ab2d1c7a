-- What does Postgres store of a password? A SCRAM-SHA-256 verifier (RFC 5802, RFC 7677), made here so that the
-- password itself is never part of a statement, which a log could hold. Written with the server's own sha256():
-- a hashing library would take a quarter of the bundle's budget, and 8,192 rounds in the engine cannot be cancelled.
-- Expressions only, no queries: auto_explain logs the parameters of nested queries, and the salted password is as
-- good as the password. No backslashes: what they mean is for the caller to SET (standard_conforming_strings).
create or replace function integratedb._hmac_sha256(key bytea, message bytea)
returns bytea
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  inner_pad bytea := decode(repeat('36', 64), 'hex');
  outer_pad bytea := decode(repeat('5c', 64), 'hex');
begin
  if length(key) > 64 then
    key := sha256(key);
  end if;
  for i in 0 .. length(key) - 1 loop
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  end loop;
  return sha256(outer_pad || sha256(inner_pad || message));
end
$$;

comment on function integratedb._hmac_sha256(bytea, bytea) is 'internal: HMAC-SHA-256 (RFC 2104)';

create or replace function integratedb._scram_verifier(password text, salt bytea, iterations integer default 4096)
returns text
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key constant bytea := case when octet_length(password) > 64 then sha256(convert_to(password, 'UTF8')) else convert_to(password, 'UTF8') end;
  inner_pad bytea := decode(repeat('36', 64), 'hex');
  outer_pad bytea := decode(repeat('5c', 64), 'hex');
  round bytea := integratedb._hmac_sha256(key, salt || decode('00000001', 'hex'));
  sum bit(256) := ('x' || encode(round, 'hex'))::bit(256);
  salted bytea := decode(repeat('00', 32), 'hex');
begin
  -- PBKDF2 with the pads of its 4,096 HMACs made once.
  for i in 0 .. length(key) - 1 loop
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  end loop;
  for i in 2 .. iterations loop
    round := sha256(outer_pad || sha256(inner_pad || round));
    sum := sum # ('x' || encode(round, 'hex'))::bit(256);
  end loop;
  for i in 0 .. 31 loop
    salted := set_byte(salted, i, substring(sum from i * 8 + 1 for 8)::integer);
  end loop;
  return format('SCRAM-SHA-256$%s:%s$%s:%s',
    iterations,
    encode(salt, 'base64'),
    encode(sha256(integratedb._hmac_sha256(salted, 'Client Key')), 'base64'),
    encode(integratedb._hmac_sha256(salted, 'Server Key'), 'base64'));
end
$$;

comment on function integratedb._scram_verifier(text, bytea, integer) is
  'internal: the verifier of an ASCII password, as pg_authid.rolpassword holds it';

create or replace function integratedb._random_password()
returns text
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- gen_random_uuid() draws on the operating system's strong random numbers: 4 x 122 bits, hashed to 256.
  select translate(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '+/=', '-_')
$$;

comment on function integratedb._random_password() is 'internal: 43 characters that need no quoting in a URL or shell';

create or replace function integratedb._random_salt()
returns bytea
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select substring(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) for 16)
$$;

comment on function integratedb._random_salt() is 'internal: 16 random bytes';
