-- The life of cases beyond opening and closing: merged, split and joint ones, groups of alerts, and call-backs.

-- Which open case this one went into. The alerts and tasks of a merged case are the other's, so nothing asks it any more.
alter table incident add column merged_into uuid references incident;
create index incident_merged on incident (merged_into) where merged_into is not null;

-- An alert that is split off takes its case's place at the head of another one, so it may head two, one of them ended. A
-- case of an alert is opened once all the same: its id is derived from the alert.
alter table incident drop constraint incident_alert_key;
create index incident_alert on incident (alert);

-- The areas that deal with a case together (联合处置): its own place is none of them. Who has left sees it no more.
create table case_party (
    incident uuid not null references incident,
    area text collate "C" not null,
    joined_at timestamptz not null default clock_now(),
    left_at timestamptz,
    primary key (incident, area)
);
create index case_party_area on case_party (area) where left_at is null;

-- The area that coordinates a joint case: the nearest one that holds its place and all its parties.
create table joint_case (
    incident uuid primary key references incident,
    coordinator text collate "C" not null
);

-- Apart, since a query inlines `case_within` only without a query inside: most cases are seen by their place alone.
create function has_party_within(of_incident uuid, of_area text) returns boolean language sql stable as $$
    select exists (
        select from case_party
        where case_party.incident = of_incident and case_party.left_at is null and starts_with(case_party.area, of_area)
    )
$$;

-- Say whether people of an area see a case: its place lies in the area, or that of one of its parties does.
create function case_within(incident uuid, place text, area text) returns boolean language sql stable as $$
    select starts_with(place, area) or has_party_within(incident, area)
$$;

-- The case that the newest alert of a key opened or joined, which the next one joins if the rules let it. No reference:
-- the row is written before its case.
create table case_group (
    key text primary key,
    incident uuid not null,
    since timestamptz not null,
    members integer not null
);

-- What was asked of the people concerned after a task or a case was closed (回访): `task` is nil for the whole case. The
-- highest number counts; a correction is a row of its own. What a hotline says of its own order stays with the order.
create table rating (
    incident uuid not null references incident,
    task uuid not null default '00000000-0000-0000-0000-000000000000',
    number integer not null,
    reached boolean not null,
    responded boolean,
    resolved boolean,
    satisfied text not null check (satisfied in ('yes', 'no', 'not_asked')),
    note text not null,
    rated_by uuid not null references app_user,
    rated_at timestamptz not null default clock_now(),
    primary key (incident, task, number)
);
