-- Tokens for machines: SHA-256 of each, what it may do, for which account and area, until when. A row is never deleted: it tells
-- who made the token, who ended it, and when it was last used (all by wall time, like sessions).
create table token (
    id uuid primary key,
    digest text not null unique,
    name text not null check (name <> ''),
    user_id uuid not null references app_user,
    area text collate "C" not null,
    scopes text[] not null check (cardinality(scopes) > 0),
    made_by text not null,
    wall_made_at timestamptz not null default clock_timestamp(),
    wall_expires_at timestamptz not null,
    wall_ended_at timestamptz,
    ended_by text,
    wall_used_at timestamptz,
    check ((wall_ended_at is null) = (ended_by is null))
);
