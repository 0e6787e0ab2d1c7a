-- The channel kind SOCKET: the last events are kept, for clients that come back, and clients log in with a token or with
-- what they log in to the database with.
create table if not exists integratedb.kept (
  channel bigint not null references integratedb.channel on delete cascade,
  id text collate "C" not null,
  body text not null,
  primary key (channel, id)
);

comment on table integratedb.kept is 'The last events of SOCKET channels, as many as each retains';

create or replace function integratedb._keep(channel bigint, ids text[], bodies text[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  locked constant integratedb.channel := integratedb._lock_channel(channel);
  retention constant bigint := coalesce((locked.configuration->>'retention')::bigint, 10000);
  added bigint;
  surplus bigint;
begin
  insert into integratedb.kept (channel, id, body)
  select _keep.channel, u.id, u.body from unnest(ids, bodies) u (id, body)
  on conflict on constraint kept_pkey do nothing;
  get diagnostics added = row_count;
  surplus := locked.kept + added - retention;
  if surplus > 0 then
    delete from integratedb.kept p
     where p.channel = _keep.channel
       and p.id <= (select o.id from integratedb.kept o where o.channel = _keep.channel order by o.id offset surplus - 1 limit 1);
    get diagnostics surplus = row_count;
    added := added - surplus;
  end if;
  update integratedb.channel k set kept = k.kept + added where k.id = _keep.channel and added <> 0;
end
$$;

comment on function integratedb._keep(bigint, text[], text[]) is 'internal: for the notifier: events of a SOCKET, the oldest make room. IDB08: no such channel';

create or replace function integratedb._kept(channel bigint, after text, most integer)
returns table (id text, body text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select p.id, p.body
    from integratedb.kept p
   where p.channel = _kept.channel and (after is null or p.id > after collate "C")
   order by p.id
   limit least(most, 10000)
$$;

comment on function integratedb._kept(bigint, text, integer) is 'internal: for the notifier: kept events in order';

create or replace function integratedb._kept_from(channel bigint)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select min(p.id) from integratedb.kept p where p.channel = _kept_from.channel
$$;

comment on function integratedb._kept_from(bigint) is 'internal: for the notifier: the oldest id that is kept';

create table if not exists integratedb.access_token (
  hash text primary key,
  stakeholder text not null references integratedb.stakeholder on update cascade on delete cascade,
  username text not null,
  role_id bigint not null,
  valid_until timestamptz not null
);

create index if not exists access_token_over on integratedb.access_token (valid_until);

comment on table integratedb.access_token is 'SHA-256 of the tokens that stakeholders connect to sockets with; good while the login is that asked for them';

create or replace function integratedb._issue_socket_token(stakeholder text, ttl interval)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  token constant text := integratedb._random_password();
  until timestamptz;
  login integratedb.credential;
begin
  if coalesce(ttl not between interval '1 second' and interval '1 day', true) then
    raise exception using
      errcode = 'IDB08',
      message = format('a socket token cannot be valid for %s', coalesce(quote_literal(ttl), 'null')),
      detail = 'Its ttl is 1 second to 1 day.',
      hint = 'For example: SELECT integratedb.issue_socket_token(''1 hour''); Nothing was changed.';
  end if;
  -- Who has put on the stakeholder's role logged in as somebody.
  select c.* into login from integratedb.credential c
   where c.username = session_user and c.stakeholder = _issue_socket_token.stakeholder and c.revoked_at is null;
  if not found then
    raise exception using
      errcode = 'IDB04',
      message = format('%I is no login of %I', session_user, stakeholder),
      detail = 'A token is good while the login is that asked for it.',
      hint = 'Log in as the stakeholder. Nothing was changed.';
  end if;
  until := least(clock_timestamp() + ttl, login.valid_until);
  delete from integratedb.access_token t where t.valid_until < clock_timestamp();
  insert into integratedb.access_token (hash, stakeholder, username, role_id, valid_until)
  values (encode(sha256(convert_to(token, 'UTF8')), 'hex'), _issue_socket_token.stakeholder, login.username, login.role_id, until);
  return jsonb_build_object('stakeholder', stakeholder, 'token', token, 'valid_until', until);
end
$$;

comment on function integratedb._issue_socket_token(text, interval) is 'internal: {"stakeholder", "token", "valid_until"}. IDB04, IDB08';

create or replace function integratedb.issue_socket_token(ttl interval default '1 hour')
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  result jsonb;
begin
  insert into integratedb._queue_act (call, duration) values ('issue_socket_token', ttl) returning answer into result;
  return result;
end
$$;

comment on function integratedb.issue_socket_token(interval) is
  'For a stakeholder, logged in as itself: {"stakeholder", "token", "valid_until"} to connect to its sockets with, for at most a day, and no longer than its login lasts. It is shown once and stored nowhere. IDB04: the caller is not a stakeholder; IDB08: a wrong ttl';

create or replace function integratedb._sockets_of(stakeholder text, valid_until timestamptz)
returns jsonb
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'stakeholder', _sockets_of.stakeholder,
    'channels', coalesce((
      select jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name) order by k.id)
        from integratedb.channel k where k.stakeholder = _sockets_of.stakeholder and k.kind = 'SOCKET'), '[]'),
    'valid_until', valid_until)
$$;

comment on function integratedb._sockets_of(text, timestamptz) is 'internal: {"stakeholder", "channels", "valid_until"}';

create or replace function integratedb._socket_login(username text)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select integratedb._sockets_of(c.stakeholder, c.valid_until)
    from integratedb.credential c join pg_roles r on r.oid = c.role_id::oid and r.rolname = c.username
   where c.username = _socket_login.username and c.revoked_at is null and coalesce(c.valid_until, 'infinity') > clock_timestamp() and r.rolcanlogin
$$;

comment on function integratedb._socket_login(text) is 'internal: for the notifier, which has tried the password: what may this login connect to? null: nothing';

create or replace function integratedb._socket_token(token text)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select integratedb._sockets_of(t.stakeholder, t.valid_until)
    from integratedb.access_token t
    join integratedb.credential c on c.username = t.username and c.role_id = t.role_id and c.stakeholder = t.stakeholder
    join pg_roles r on r.oid = c.role_id::oid
   where t.hash = encode(sha256(convert_to(token, 'UTF8')), 'hex') and t.valid_until > clock_timestamp()
     and c.revoked_at is null and coalesce(c.valid_until, 'infinity') > clock_timestamp() and r.rolcanlogin
$$;

comment on function integratedb._socket_token(text) is 'internal: for the notifier: whose token is this? null: nobody''s, or no longer';
