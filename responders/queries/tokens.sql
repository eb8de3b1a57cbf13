-- Tokens for machines.

-- name: token_account
-- Find the account that a token is to act for: (login).
select id, login, display, role, area from app_user where login = $1 and not disabled for share;

-- name: add_token
-- Keep a token: (id, digest, name, user, area, scopes, made by, seconds).
insert into token (id, digest, name, user_id, area, scopes, made_by, wall_expires_at)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8))
on conflict (id) do nothing returning id;

-- name: tokens
-- List tokens of accounts and areas within an area, the newest first; of one id where that is given: (area, id).
select token.id, token.name, app_user.login, app_user.display, token.area, token.scopes, token.made_by,
    token.wall_made_at as made_at, token.wall_expires_at as expires_at, token.wall_ended_at as ended_at, token.ended_by,
    token.wall_used_at as used_at
from token join app_user on app_user.id = token.user_id
where starts_with(token.area, $1) and ($2::uuid is null or token.id = $2)
order by token.wall_made_at desc, token.id;

-- name: end_token
-- End a token for good; ending it twice keeps the first: (id, area, who).
update token set wall_ended_at = clock_timestamp(), ended_by = $3
where id = $1 and starts_with(area, $2) and wall_ended_at is null;

-- name: find_token
-- Find who a token stands for: (digest).
select token.id, token.name, token.scopes, token.area as token_area, app_user.id as user, app_user.login, app_user.display,
    app_user.role, app_user.area, app_user.disabled, token.wall_ended_at is not null as ended,
    token.wall_expires_at <= clock_timestamp() as expired,
    token.wall_used_at is null or token.wall_used_at < clock_timestamp() - make_interval(secs => $2) as used_before
from token join app_user on app_user.id = token.user_id where token.digest = $1;

-- name: note_use
-- Note that a token was used: (id).
update token set wall_used_at = clock_timestamp() where id = $1;
