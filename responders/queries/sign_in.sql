-- Signing in: attempts, what is half done, second factors, passkeys, sessions with their limits.

-- name: lock_attempt_key
-- Let attempts with the same keys be counted one after the other: (key). Keys are locked in their order.
select pg_advisory_xact_lock(990102, hashtext(encode($1::bytea, 'hex')));

-- name: recent_sign_in_attempts
-- Read how many attempts there were within some seconds, and how old the oldest one that counts is: (key, seconds, limit).
select count(*) as count, coalesce(extract(epoch from clock_timestamp() - min(wall_at)), 0)::float8 as age_seconds
from (
    select wall_at from attempt where key = $1 and wall_at > clock_timestamp() - make_interval(secs => $2)
    order by wall_at desc limit $3
) recent;

-- name: add_sign_in_attempt
-- Count an attempt: (key).
insert into attempt (key) values ($1);

-- name: forgive_sign_in_attempts
-- Forget the attempts of somebody who has signed in: (key).
delete from attempt where key = $1;

-- name: prune_sign_in_attempts
-- Forget attempts older than some seconds of wall time.
delete from attempt where wall_at < clock_timestamp() - make_interval(secs => $1);

-- name: prune_steps
-- Forget half-done sign-ins that have ended.
delete from sign_in_step where wall_expires_at < clock_timestamp();

-- name: sign_in_facts
-- Read what is known of an account that signs in: (user).
select role, password_given,
    exists (select from second_factor where user_id = app_user.id and confirmed_at is not null) as has_code,
    (select count(*) from passkey where user_id = app_user.id) as passkeys
from app_user where id = $1 and not disabled;

-- name: add_step
-- Begin a step of a sign-in: (token digest, kind, user, detail, seconds).
insert into sign_in_step (token_sha256, kind, user_id, detail, wall_expires_at)
values ($1, $2, $3, $4::jsonb, clock_timestamp() + make_interval(secs => $5));

-- name: find_step
-- Find a step that has not ended, of an account in use: (token digest).
select kind, user_id, detail::text as detail, login, display
from sign_in_step left join app_user on app_user.id = user_id
where token_sha256 = $1 and wall_expires_at > clock_timestamp() and not coalesce(app_user.disabled, false);

-- name: take_step
-- End a step; only one can: (token digest).
delete from sign_in_step where token_sha256 = $1 and wall_expires_at > clock_timestamp()
returning kind, user_id, detail::text as detail;

-- name: put_secret
-- Keep an authenticator's secret until a first code confirms it; one in force stays: (user, sealed).
insert into second_factor (user_id, sealed) values ($1, $2)
on conflict (user_id) do update set sealed = excluded.sealed, last_step = 0 where second_factor.confirmed_at is null;

-- name: read_secret
-- Read an authenticator's secret: (user).
select sealed, last_step, confirmed_at is not null as confirmed from second_factor where user_id = $1;

-- name: take_code_step
-- Take the code of a period; none is taken twice, nor one before it: (user, period).
update second_factor set last_step = $2 where user_id = $1 and last_step < $2 and confirmed_at is not null
returning user_id;

-- name: confirm_secret
-- Put an authenticator in force by its first code: (user, period).
update second_factor set last_step = $2, confirmed_at = clock_now() where user_id = $1 and confirmed_at is null
returning user_id;

-- name: add_recovery
-- Keep the digest of a recovery code: (user, digest).
insert into recovery_code (user_id, digest) values ($1, $2) on conflict do nothing;

-- name: take_recovery
-- Use a recovery code up: (user, digest).
update recovery_code set used_at = clock_now() where user_id = $1 and digest = $2 and used_at is null returning user_id;

-- name: recovery_left
-- Count the recovery codes that are left: (user).
select count(*) from recovery_code where user_id = $1 and used_at is null;

-- name: choose_password
-- Let an account have the password that its people chose: (user, hash).
update app_user set password_hash = $2, password_given = false where id = $1 and not disabled returning login, area;

-- name: add_passkey
-- Keep a passkey: (id, user, public key, count, name).
insert into passkey (id, user_id, public_key, sign_count, name) values ($1, $2, $3, $4, $5) on conflict (id) do nothing
returning id;

-- name: passkeys_of
-- List the passkeys of an account: (user).
select id, user_id, public_key, sign_count, name, added_at, used_at from passkey where user_id = $1 order by added_at;

-- name: find_passkey
-- Find a passkey of an account in use: (id).
select passkey.id, user_id, public_key, sign_count, name, added_at, used_at
from passkey join app_user on app_user.id = user_id where passkey.id = $1 and not app_user.disabled;

-- name: use_passkey
-- Note that a passkey was used, and its count: (id, count).
update passkey set sign_count = $2, used_at = clock_now() where id = $1;

-- name: remove_passkey
-- Remove a passkey of an account: (id, user).
delete from passkey where id = $1 and user_id = $2 returning name;

-- name: begin_session
-- Begin a session: (token digest, user, seconds, idle seconds or null, way, client); answers the account it is for.
insert into session (token_sha256, user_id, wall_expires_at, idle_seconds, way, client)
select $1, id, clock_timestamp() + make_interval(secs => $3), $4, $5, $6 from app_user where id = $2 and not disabled
returning user_id;

-- name: live_session
-- Find who a live session belongs to, and whether its sign of life is due: (token digest).
select app_user.id as user, app_user.login, app_user.display, app_user.role, app_user.area,
    wall_seen_at < clock_timestamp() - interval '30 seconds' as due
from session join app_user on app_user.id = session.user_id
where token_sha256 = $1 and wall_expires_at > clock_timestamp() and not app_user.disabled
    and (idle_seconds is null or wall_seen_at > clock_timestamp() - make_interval(secs => idle_seconds));

-- name: touch_session
-- Note a sign of life of a session: (token digest).
update session set wall_seen_at = clock_timestamp() where token_sha256 = $1;

-- name: gone_sessions
-- Name those of some sessions that have ended: (token digests).
select wanted.token from unnest($1::text[]) as wanted (token)
left join session on session.token_sha256 = wanted.token and wall_expires_at > clock_timestamp()
left join app_user on app_user.id = session.user_id and not app_user.disabled
where app_user.id is null;

-- name: own_sessions
-- List the live sessions of an account: (user).
select session.id, app_user.login, app_user.display, session.way, session.client, session.wall_created_at as began_at,
    session.wall_seen_at as seen_at, session.wall_expires_at as ends_at, session.token_sha256
from session join app_user on app_user.id = session.user_id
where session.user_id = $1 and session.wall_expires_at > clock_timestamp()
    and (idle_seconds is null or wall_seen_at > clock_timestamp() - make_interval(secs => idle_seconds))
order by session.wall_seen_at desc;

-- name: end_other_sessions
-- End all sessions of an account but one; answers their tokens' digests: (user, token digest to keep).
delete from session where user_id = $1 and token_sha256 <> $2 returning token_sha256;

-- name: login_in_use
-- Find an account in use by its login: (login).
select id from app_user where login = $1 and not disabled;

-- name: login_of
-- Tell the login of an account: (user).
select login from app_user where id = $1;
