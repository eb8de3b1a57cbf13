-- Administration: accounts with what hangs on them, sessions, contacts, and the record of who did what.

-- name: lock_accounts
-- Let only one change of accounts be made at a time, so that two cannot leave a gap together.
select pg_advisory_xact_lock(990101, 25);

-- name: accounts_of
-- List the accounts of an area, those out of use last: (area, login or null).
select app_user.id, app_user.login, app_user.display, app_user.role, app_user.area, app_user.post, app_user.channels,
    app_user.disabled, app_user.password_given, coalesce(area.name, app_user.area) as area_name,
    (select count(*) from session where session.user_id = app_user.id and wall_expires_at > clock_timestamp()
        and (idle_seconds is null or wall_seen_at > clock_timestamp() - make_interval(secs => idle_seconds))) as sessions,
    exists (select from second_factor where second_factor.user_id = app_user.id and confirmed_at is not null) as has_code,
    (select count(*) from passkey where passkey.user_id = app_user.id) as passkeys,
    array(select distinct channel from contact where contact.user_id = app_user.id order by channel) as contacts
from app_user left join area on area.code = app_user.area
where starts_with(app_user.area, $1) and ($2::text is null or app_user.login = $2)
order by app_user.disabled, app_user.area, app_user.post, app_user.login;

-- name: login_taken
-- Say whether there is an account of a login, wherever it is: (login).
select exists (select from app_user where login = $1);

-- name: open_cases_within
-- Count the open cases of an area: (area, open states).
select count(*) from incident where starts_with(place, $1) and state = any($2::text[]);

-- name: hangs_on
-- Count what an account holds: (user, open states of cases, open states of tasks).
select (select count(*) from incident where holder = $1 and state = any($2::text[])) as held,
    (select count(*) from task where holder = $1 and state = any($3::text[])) as tasks;

-- name: others_at
-- Count the other accounts in use at a desk, and the other administrators of an area: (user, area, post).
select
    (select count(*) from app_user where id <> $1 and not disabled and role in ('officer', 'commander')
        and area = $2 and post = $3) as peers,
    (select count(*) from app_user where id <> $1 and not disabled and role = 'admin'
        and starts_with($2, area)) as administrators;

-- name: set_account
-- Add an account or change it by its login; an empty hash keeps the password:
-- (id, login, display, role, area, post, channels, disabled, password hash).
insert into app_user (id, login, display, role, area, post, channels, disabled, password_hash, password_given)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9 <> '')
on conflict (login) do update set
    display = excluded.display, role = excluded.role, area = excluded.area, post = excluded.post,
    channels = excluded.channels, disabled = excluded.disabled;

-- name: give_password
-- Give an account a password that holds for one sign-in: (user, password hash).
update app_user set password_hash = $2, password_given = true where id = $1;

-- name: end_sessions_of
-- End all sessions of an account; answers their tokens' digests: (user).
delete from session where user_id = $1 returning token_sha256;

-- name: forget_factors
-- Forget the authenticator of an account: (user).
delete from second_factor where user_id = $1;

-- name: forget_recovery
-- Forget the recovery codes of an account: (user).
delete from recovery_code where user_id = $1;

-- name: forget_passkeys
-- Forget the passkeys of an account: (user).
delete from passkey where user_id = $1;

-- name: sessions_within
-- List the live sessions of an area: (area).
select session.id, app_user.login, app_user.display, session.way, session.client, session.wall_created_at as began_at,
    session.wall_seen_at as seen_at, session.wall_expires_at as ends_at, session.token_sha256
from session join app_user on app_user.id = session.user_id
where starts_with(app_user.area, $1) and session.wall_expires_at > clock_timestamp()
    and (idle_seconds is null or wall_seen_at > clock_timestamp() - make_interval(secs => idle_seconds))
order by session.wall_seen_at desc;

-- name: end_session_within
-- End a session of an area; answers whose it was and its token's digest: (session, area).
delete from session using app_user
where app_user.id = session.user_id and session.id = $1 and starts_with(app_user.area, $2)
returning app_user.login, app_user.area, session.token_sha256;

-- name: add_admin_entry
-- Add a line to the record: (kind, actor, user, area, subject, text, detail); answers its number.
insert into admin_entry (kind, actor, user_id, area, subject, text, detail)
values ($1, $2, $3, $4, $5, $6, $7::jsonb) returning number;

-- name: admin_entries
-- List lines of an area, newest first: (area, kind or null, before a number or null, limit).
select number, at, kind, actor, area, subject, text, detail::text as detail from admin_entry
where starts_with(area, $1) and ($2::text is null or kind = $2) and ($3::bigint is null or number < $3)
order by number desc limit $4;

-- name: admin_lines_after
-- List lines after a number, in order: (number, limit).
select number, (extract(epoch from at) * 1000000)::bigint as at, kind, actor, coalesce(user_id::text, '') as user_id,
    area, subject, text, detail::text as detail, digest
from admin_entry where number > $1 order by number limit $2;

-- name: admin_head
-- Read number and digest of the newest line.
select number, digest from admin_entry order by number desc limit 1;

-- name: cases_by_policy
-- Count open cases by category and grade, in an area: (area, open states).
select category, grade, count(*) from incident
where starts_with(place, $1) and state = any($2::text[]) group by category, grade;

-- name: cases_by_desk
-- Count open cases by category and place, in an area: (area, open states).
select category, place, count(*) from incident
where starts_with(place, $1) and state = any($2::text[]) group by category, place;
