-- Several acknowledgements, repeated steps, decided grades, working time, holds, and a mark that tells when the clock leapt.

-- `tries` counts how often the present step was paged. `hold` tells what holds the pages back, as it was when the case was last
-- looked at. `graded_level` is the alert's level when an officer decided the grade: only a graver one may raise it then.
alter table incident add column tries integer not null default 1;
alter table incident add column hold jsonb;
alter table incident add column graded_level integer;
create index incident_held on incident ((hold ->> 'ref')) where hold is not null;
create index incident_open_category on incident (category, place)
    where state not in ('closed', 'reviewed', 'false_alarm', 'merged');

-- 'natural' or 'working': which clock the task's deadlines are measured by.
alter table task add column clock text not null default 'natural';

-- Who acknowledged, from which desk; a grade that was raised asks anew, and what was given before it stands no more.
create table acknowledgement (
    incident uuid not null references incident,
    user_id uuid not null references app_user,
    area text collate "C" not null,
    post text not null,
    level text not null,
    at timestamptz not null default clock_now(),
    via text not null default 'console',
    stands boolean not null default true
);
create unique index acknowledgement_once on acknowledgement (incident, user_id) where stands;

-- A case put aside by officers: in force while enough persons want it, and `until` has not come.
create table shelf (
    id uuid primary key,
    incident uuid not null references incident,
    grade integer not null,
    reason text not null,
    until timestamptz not null,
    asked_by uuid not null references app_user,
    asked_at timestamptz not null default clock_now(),
    consented_by uuid references app_user,
    consented_at timestamptz,
    ended_at timestamptz
);
create unique index shelf_present on shelf (incident) where ended_at is null;

-- Maintenance: what lies in it pages nobody. Empty fields are not named; times may lie ahead.
create table maintenance (
    id uuid primary key,
    area text collate "C" not null,
    category text not null,
    series text not null,
    device text not null,
    reason text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    planned_by uuid not null references app_user,
    planned_at timestamptz not null default clock_now(),
    consented_by uuid references app_user,
    consented_at timestamptz,
    ended_at timestamptz
);
create index maintenance_end on maintenance (ends_at) where ended_at is null;

-- What holds a case back has ended: a worker looks at the case at once, whoever ended it.
create function wake_held() returns trigger language plpgsql as $$
begin
    update incident set next_at = clock_now()
    where hold is not null and hold ->> 'ref' = new.id::text and acknowledged_at is null;
    return null;
end
$$;
create trigger wake_held after update of state on incident for each row
    when (new.state in ('closed', 'reviewed', 'false_alarm', 'merged')
        and old.state not in ('closed', 'reviewed', 'false_alarm', 'merged'))
    execute function wake_held();
create trigger wake_held after update of ended_at on shelf for each row
    when (new.ended_at is not null and old.ended_at is null) execute function wake_held();
create trigger wake_held after update of ended_at on maintenance for each row
    when (new.ended_at is not null and old.ended_at is null) execute function wake_held();

-- The latest times that a worker saw: both clocks only go forward, else somebody set one back.
create table clock_mark (
    one boolean primary key default true check (one),
    wall_at timestamptz not null,
    county_at timestamptz not null
);
