-- How does a call answer that gives credentials?
-- PL/pgSQL, and no query in it: the parameters of a nested query, a SQL function's body too, are what auto_explain
-- writes to the log.
create or replace function integratedb._credentials(stakeholder text, username text, password text, valid_until timestamptz default null)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'stakeholder', stakeholder,
    'schema', stakeholder,
    'credentials', jsonb_strip_nulls(jsonb_build_object('username', username, 'password', password, 'valid_until', valid_until)));
end
$$;

comment on function integratedb._credentials(text, text, text, timestamptz) is
  'internal: {"stakeholder", "schema", "credentials": {"username", "password", "valid_until"}}, without what is null';

-- What is stored of a password: what the client has made of it, or what we make of ours.
create or replace function integratedb._secret(password text, verifier text)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if verifier is null then
    return integratedb._scram_verifier(password, integratedb._random_salt());
  end if;
  -- As Postgres' parse_scram_secret reads it: what that does not read, Postgres takes for a password in clear.
  if octet_length(verifier) <= 512
     and verifier ~ '^SCRAM-SHA-256[$][1-9][0-9]{3,9}:[A-Za-z0-9+/]+={0,2}[$][A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$'
     and length(split_part(split_part(verifier, ':', 2), '$', 1)) % 4 = 0
     and split_part(split_part(verifier, '$', 2), ':', 1)::bigint between 4096 and 2147483647 then
    return verifier;
  end if;
  -- It may be a password: not a character of it is repeated.
  raise exception using
    errcode = 'IDB08',
    message = 'the verifier is not a SCRAM-SHA-256 verifier',
    detail = 'Expected: SCRAM-SHA-256$iterations:salt$stored key:server key. At least 4096 iterations; salt and keys in base64, the keys of 32 bytes; at most 512 characters.',
    hint = 'The npm package integratedb makes one from a password (scramVerifier), as does psql''s \password. If it was the password itself: whatever logs statements has it now. Nothing was changed.';
end
$$;

comment on function integratedb._secret(text, text) is
  'internal: a verifier as pg_authid holds it, from the password or as it was given. IDB08: malformed';

create or replace function integratedb._fingerprint(secret text)
returns text
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return encode(sha256(convert_to(secret, 'UTF8')), 'hex');
end
$$;

comment on function integratedb._fingerprint(text) is 'internal: tells whether a verifier is still the one that was set';
