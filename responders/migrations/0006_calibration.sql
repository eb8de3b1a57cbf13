-- What the fusion's model promised of each county's alerts, and what became of them: the newest word of each county.
create table calibration (
    county text collate "C" primary key,
    at timestamptz not null,
    record jsonb not null,
    recorded_at timestamptz not null default clock_now()
);
