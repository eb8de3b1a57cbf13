-- What officers keep at their seats: how a case stood before they acknowledged it, so that a slip of the hand can be taken
-- back, and their saved views of the queue.

-- One row for each case and account, written over by its next acknowledgement. `pages` are those that it withdrew.
create table acknowledgement_before (
    incident uuid not null references incident,
    user_id uuid not null references app_user,
    version integer not null,
    state text not null,
    next_at timestamptz,
    hold jsonb,
    holder uuid references app_user,
    pages uuid[] not null,
    wall_at timestamptz not null default clock_timestamp(),
    primary key (incident, user_id)
);

create table saved_view (
    user_id uuid not null references app_user,
    name text not null,
    filter jsonb not null,
    saved_at timestamptz not null default clock_now(),
    primary key (user_id, name)
);
