-- What units ask about their tasks (退单, 缓办, 延期), each kind once for each task, and who answered by when.
create table plea (
    task uuid not null references task,
    kind text not null,
    item text not null,
    reason text not null,
    until timestamptz,
    asked_by uuid not null references app_user,
    asked_at timestamptz not null default clock_now(),
    answer_by timestamptz not null,
    outcome text,
    note text not null default '',
    answered_by uuid references app_user,
    answered_at timestamptz,
    primary key (task, kind)
);
create index plea_due on plea (answer_by) where outcome is null;
