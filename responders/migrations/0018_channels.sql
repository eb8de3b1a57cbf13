-- How persons are reached, what came back from them, and what a channel's own side says of a message that it took.

-- `sealed` is the phone number, account, address or subscription, under FENGHUO_CONTACT_KEY; `digest` its keyed digest, by which
-- the number of a reply is found. A person has one contact for a channel, or one for each browser that is subscribed.
create table contact (
    user_id uuid not null references app_user on delete cascade,
    channel text not null,
    digest bytea not null,
    sealed text not null,
    set_at timestamptz not null default clock_now(),
    primary key (user_id, channel, digest)
);
create index contact_digest on contact (channel, digest);

-- A page that was answered by its link or its code, once for ever.
create table page_answer (
    page uuid primary key references page,
    via text not null,
    at timestamptz not null default clock_now()
);

-- The last word of a channel's own side on a message: whether it reached the handset.
create table page_receipt (
    page uuid primary key references page,
    reached boolean not null,
    at timestamptz not null default clock_now()
);
create index page_of_recipient on page (recipient, created_at);
