-- The reaper. Each credential by itself: what cannot go now is told, and tried again. At most 500 in a call, because
-- each takes locks until the end of the transaction.
create or replace function integratedb.expire_credentials()
returns table (username text, stakeholder text, problem text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
  due integratedb.credential[];
  credential integratedb.credential;
  role record;
  problems text[] := '{}';
  ending oid[] := '{}';
  reason text;
  patience constant timestamptz := clock_timestamp() + interval '2 seconds';
  number bigint;
begin
  if integratedb._is_restored() then
    -- The oids are another cluster's: whose roles are these?
    problem := 'this database is restored from a dump: SELECT * FROM integratedb.sync() first';
    return next;
    return;
  end if;

  -- Who slipped in.
  delete from integratedb.tombstone where dropped_at < clock_timestamp() - interval '1 day';
  begin
    perform pg_terminate_backend(a.pid)
       from pg_stat_activity a
      where a.usesysid in (select t.role_id::oid from integratedb.tombstone t)
        and not exists (select from pg_roles r where r.oid = a.usesysid and r.rolcanlogin)
        and a.pid <> pg_backend_pid();
  exception when insufficient_privilege then
    null; -- an installer that is no superuser, and the role that would have let it is gone: what is left dies with its session
  end;

  due := array(
    select c from integratedb.credential c
     where c.revoked_at is not null or c.valid_until <= clock_timestamp()
     order by c.problem is not null, coalesce(c.revoked_at, c.valid_until), c.username
     limit 500
       for no key update skip locked);

  -- First every door is shut, then all of them are waited for together.
  for i in 1 .. cardinality(due) loop
    credential := due[i];
    problems[i] := null;
    select r.rolname, r.rolvaliduntil into role from pg_roles r where r.oid = credential.role_id::oid;
    if found and credential.revoked_at is null and coalesce(role.rolvaliduntil, 'infinity') > clock_timestamp() then
      -- In a copy of this database, perhaps, which has renewed it. Only who may alter the role can have done that.
      problems[i] := format('somebody let its role be valid until %s: ALTER ROLE %I VALID UNTIL ''now''', coalesce(role.rolvaliduntil, 'infinity'), role.rolname);
    else
      begin
        perform integratedb._close_login(credential.username);
        ending := ending || credential.role_id::oid;
      exception when others then
        problems[i] := sqlerrm;
      end;
    end if;
  end loop;
  loop
    perform pg_stat_clear_snapshot();
    exit when clock_timestamp() > patience
      or not exists (select from pg_stat_activity a where a.usesysid = any (ending) and a.pid <> pg_backend_pid());
    perform pg_sleep(0.02);
  end loop;

  for i in 1 .. cardinality(due) loop
    -- Each may wait for locks of others. What is left cannot log in, and is the next call's.
    exit when clock_timestamp() > patience + interval '20 seconds';
    credential := due[i];
    username := credential.username;
    stakeholder := credential.stakeholder;
    problem := problems[i];
    select count(*) into number from pg_stat_activity a where a.usesysid = credential.role_id::oid and a.pid <> pg_backend_pid();
    if problem is null and number > 0 then
      -- On pljs, a session that has used the engine obeys no signal.
      problem := format('%s of its sessions do not end', number);
    end if;
    if problem is null then
      begin
        if credential.kind = 'own' then
          -- The role stays: it is the stakeholder, and the group of its logins.
          insert into integratedb.tombstone as t (role_id, username) values (credential.role_id, credential.username)
          on conflict on constraint tombstone_pkey do update set dropped_at = excluded.dropped_at;
        else
          perform integratedb._drop_login(credential.role_id, credential.stakeholder);
        end if;
        delete from integratedb.credential c where c.username = credential.username;
      exception when others then
        get stacked diagnostics problem = message_text, reason = pg_exception_detail;
        problem := concat_ws(': ', problem, nullif(reason, ''));
      end;
    end if;
    if problem is not null then
      update integratedb.credential c set problem = expire_credentials.problem where c.username = credential.username;
    end if;
    return next;
  end loop;
end
$$;

comment on function integratedb.expire_credentials() is
  'Removes the logins whose time is over or that were revoked: ends their sessions, hands what they own to their stakeholder and drops their roles; a stakeholder''s own role loses its login and stays. Rows of (username, stakeholder, problem): problem is null if it is gone; otherwise it cannot log in, and the next call tries again. To be called every minute or so, by pg_cron, the notifier or hand; at most 500 in a call';
