-- What a 12345 order says of itself, and the words that a later push replaced.

-- `received_at` stays that of the first push; `changed_at` is that of the newest one whose state stands here.
alter table ticket
    add column title text,
    add column address text,
    add column channel text,
    add column kind text,
    add column urgency text,
    add column status text,
    add column unit text,
    add column accepted_at timestamptz,
    add column dispatched_at timestamptz,
    add column due_at timestamptz,
    add column closed_at timestamptz,
    add column responded boolean,
    add column resolved boolean,
    add column satisfaction text,
    add column changed_at timestamptz;
update ticket set changed_at = received_at;
alter table ticket alter column changed_at set not null;

-- Words as they were before a later push of the same order brought others; nothing that a caller said is overwritten.
create table ticket_words (
    ticket uuid not null references ticket on delete cascade,
    received_at timestamptz not null,
    replaced_at timestamptz not null,
    text text not null,
    title text,
    address text,
    sealed text,
    primary key (ticket, received_at)
);
