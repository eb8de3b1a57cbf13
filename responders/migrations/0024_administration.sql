-- Administration and sign-in: the record of who changed accounts and opened personal data, second factors, passkeys, sessions
-- that can be revoked, and attempts that every console process counts together.

-- One chain for the house: `digest` is SHA-256 over the digest of the line before it and the line's text as `admin_text` writes
-- it; responders/admin_record.py reckons the same without the database.
create table admin_entry (
    number bigint primary key,
    at timestamptz not null default clock_now(),
    kind text not null,
    actor text not null,
    user_id uuid references app_user,
    area text collate "C" not null,
    subject text not null,
    text text not null,
    detail jsonb not null default '{}',
    digest bytea not null
);
create index admin_entry_area on admin_entry (area, number);

create function admin_text(entry admin_entry) returns text language sql stable as $$
    select json_build_array(
        entry.number::text,
        (extract(epoch from entry.at) * 1000000)::bigint::text,
        entry.kind,
        entry.actor,
        coalesce(entry.user_id::text, ''),
        entry.area,
        entry.subject,
        entry.text,
        entry.detail::text
    )::text
$$;

create function chain_admin_entry() returns trigger language plpgsql as $$
declare
    before admin_entry;
begin
    perform pg_advisory_xact_lock(990101, 24);
    select * into before from admin_entry order by number desc limit 1;
    new.number := coalesce(before.number, 0) + 1;
    new.digest := sha256(coalesce(before.digest, ''::bytea) || convert_to(admin_text(new), 'UTF8'));
    return new;
end
$$;
create trigger chain before insert on admin_entry for each row execute function chain_admin_entry();

create function refuse_admin_change() returns trigger language plpgsql as $$
begin
    raise exception 'the record of administration is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger append_only before update or delete on admin_entry for each row execute function refuse_admin_change();
create trigger append_only_table before truncate on admin_entry for each statement execute function refuse_admin_change();

-- Each reading of personal data is a line of that chain; this table counts them by person and day.
alter table personal_access add column entry bigint references admin_entry;
create index personal_access_user on personal_access (user_id, at);
create trigger append_only before update or delete on personal_access for each row execute function refuse_admin_change();
create trigger append_only_table before truncate on personal_access
    for each statement execute function refuse_admin_change();

-- `idle_seconds` is null for seats that may stand untouched; `way` tells how somebody proved who he is, `client` which browser.
alter table session
    add column id uuid not null unique default gen_random_uuid(),
    add column wall_seen_at timestamptz not null default clock_timestamp(),
    add column idle_seconds double precision,
    add column way text not null default 'password',
    add column client text not null default '';
create index session_of_user on session (user_id);

-- A password that an administrator has given holds for one sign-in, at which another one is chosen.
alter table app_user add column password_given boolean not null default false;

-- `sealed` is the secret of the authenticator, under a key derived from FENGHUO_CONTACT_KEY; `last_step` the period of the last
-- code that was taken: none counts twice. It is not in force before a first code has confirmed it.
create table second_factor (
    user_id uuid primary key references app_user on delete cascade,
    sealed text not null,
    last_step bigint not null default 0,
    confirmed_at timestamptz
);

create table recovery_code (
    user_id uuid not null references app_user on delete cascade,
    digest bytea not null,
    used_at timestamptz,
    primary key (user_id, digest)
);

create table passkey (
    id bytea primary key,
    user_id uuid not null references app_user on delete cascade,
    public_key bytea not null,
    sign_count bigint not null,
    name text not null,
    added_at timestamptz not null default clock_now(),
    used_at timestamptz
);
create index passkey_user on passkey (user_id);

-- A sign-in that is half done, behind a token of its own: what is still asked for, and what the answer is compared with.
create table sign_in_step (
    token_sha256 text primary key,
    kind text not null,
    user_id uuid references app_user on delete cascade,
    detail jsonb not null default '{}',
    wall_expires_at timestamptz not null
);

-- Attempts by digests of what they are limited by (account and address, address, account), so that no address is kept.
create table attempt (
    id bigint generated always as identity primary key,
    key bytea not null,
    wall_at timestamptz not null default clock_timestamp()
);
create index attempt_key on attempt (key, wall_at);
create index attempt_age on attempt (wall_at);
