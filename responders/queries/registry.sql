-- The clock, the registry, the outbox, accounts and the roster.

-- name: set_clock
-- Set the county clock.
update clock set wall_anchor = $1, county_anchor = $2, factor = $3;

-- name: get_clock
-- Read the county clock.
select wall_anchor, county_anchor, factor from clock;

-- name: county_now
-- Tell county time.
select clock_now();

-- name: publish
-- Put a record into the outbox in place of the earlier one of its key; null removes the key: (topic, key, value).
select publish($1, $2, $3);

-- name: put_area
-- Add or replace an area: (code, name, record).
insert into area (code, name, record) values ($1, $2, $3::jsonb)
on conflict (code) do update set name = excluded.name, record = excluded.record;

-- name: put_series
-- Add or replace a series: (id, area, record).
insert into series (id, area, record) values ($1, $2, $3::jsonb)
on conflict (id) do update set area = excluded.area, record = excluded.record;

-- name: put_source
-- Add or replace a source: (slug, record).
insert into source (slug, record) values ($1, $2::jsonb)
on conflict (slug) do update set record = excluded.record;

-- name: list_areas
-- List the records of all areas.
select record from area order by code;

-- name: list_series
-- List the records of all series.
select record from series order by id;

-- name: put_user
-- Add or replace an account by its login; an empty password hash keeps the present one.
insert into app_user (id, login, display, role, area, post, channels, password_hash)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (login) do update set
    display = excluded.display, role = excluded.role, area = excluded.area, post = excluded.post,
    channels = excluded.channels, disabled = false,
    password_hash = case when excluded.password_hash = '' then app_user.password_hash else excluded.password_hash end;

-- name: list_users
-- List all accounts without their password hashes.
select id, login, display, role, area, post, channels from app_user where not disabled order by login;

-- name: put_shift
-- Add a shift: (area, post, user, start, end).
insert into shift (area, post, user_id, starts_at, ends_at) values ($1, $2, $3, $4, $5)
on conflict (area, post, user_id, starts_at) do update set ends_at = excluded.ends_at;

-- name: on_duty
-- Find who is on duty at the desks of some areas at a time, those who stand in for others put in: (areas, at). A village or a
-- grid cell has no shifts: its grid workers have it for good.
select shift.area, shift.post, app_user.id, app_user.display, app_user.channels, shift.starts_at, app_user.login
from shift
left join stand_in on stand_in.area = shift.area and stand_in.post = shift.post and stand_in.away = shift.user_id
    and stand_in.starts_at <= $2 and $2 < stand_in.ends_at
join app_user on app_user.id = coalesce(stand_in.instead, shift.user_id)
where shift.area = any($1::text[]) and shift.starts_at <= $2 and $2 < shift.ends_at and not app_user.disabled
union all
select area, '', id, display, channels, null, login from app_user
where role = 'grid' and length(area) > 9 and area = any($1::text[]) and not disabled
order by area, post, starts_at, login;

-- name: lock_outbox
-- Become the only publisher until the transaction ends; false when another one is at it.
select pg_try_advisory_xact_lock(990101, 2);

-- name: unpublished
-- List what is not published, in the order of writing: (limit).
select topic, key, value, sequence from outbox where not published order by sequence limit $1;

-- name: mark_published
-- Mark a value as published, unless a newer one took its place meanwhile: (topic, key, sequence).
update outbox set published = true where topic = $1 and key = $2 and sequence = $3;

-- name: published_topics
-- Name the topics of which something was published.
select distinct topic from outbox where published;

-- name: publish_again
-- Have everything of a topic published again: (topic).
update outbox set published = false where topic = $1 and published;

-- name: credentials
-- Find the account of a login.
select id, login, display, role, area, post, channels, password_hash from app_user where login = $1 and not disabled;

-- name: create_session
-- Begin a session: (token digest, user, seconds).
insert into session (token_sha256, user_id, wall_expires_at)
values ($1, $2, clock_timestamp() + make_interval(secs => $3))
on conflict (token_sha256) do nothing;

-- name: find_session
-- Find who a session belongs to.
select app_user.id as user, app_user.login, app_user.display, app_user.role, app_user.area
from session join app_user on app_user.id = session.user_id
where session.token_sha256 = $1 and session.wall_expires_at > clock_timestamp() and not app_user.disabled;

-- name: end_session
-- End a session.
delete from session where token_sha256 = $1;

-- name: prune_sessions
-- Forget sessions that ended.
delete from session where wall_expires_at < clock_timestamp();

-- name: prune_changes
-- Forget changes for live pages older than some seconds of wall time; the newest always stays, ids go on from it.
delete from change
where wall_at < clock_timestamp() - make_interval(secs => $1) and id < (select max(id) from change);

-- name: prune_requests
-- Forget requests older than some seconds of wall time: nobody sends those again.
delete from request where wall_at < clock_timestamp() - make_interval(secs => $1);
