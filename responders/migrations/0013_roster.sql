-- Who is on duty when: rotations, which are planned ahead as shifts, people who stand in for others, exchanges of turns,
-- hand-overs with their receipts, and the record of every change.

-- `crews` lists the crews in their order, each a list of accounts. Date and time are wall time of Asia/Shanghai. A rotation
-- holds until the next one of its desk begins.
create table rotation (
    area text collate "C" not null,
    post text not null,
    starts_on date not null,
    hand_over time not null,
    crews jsonb not null,
    turn_hours integer not null check (turn_hours > 0),
    primary key (area, post, starts_on, hand_over)
);

-- `planned` shifts come from a rotation and are made anew when it changes.
alter table shift add column planned boolean not null default false;
create index shift_current on shift (area, ends_at);

-- Whenever `away` would be on duty at the desk in this time, `instead` is. Times of one person do not overlap.
create table stand_in (
    area text collate "C" not null,
    post text not null,
    away uuid not null references app_user on delete cascade,
    instead uuid not null references app_user on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    primary key (area, post, away, starts_at)
);

-- Two people exchange turns; nothing changes before the other one agrees (`agreed` is null until he answers).
create table swap (
    id uuid primary key,
    area text collate "C" not null,
    post text not null,
    asker uuid not null references app_user,
    asker_from timestamptz not null,
    asker_until timestamptz not null check (asker_until > asker_from),
    other uuid not null references app_user,
    other_from timestamptz not null,
    other_until timestamptz not null check (other_until > other_from),
    note text not null,
    asked_at timestamptz not null default clock_now(),
    agreed boolean,
    answered_at timestamptz
);
create index swap_desk on swap (area, post);

-- A desk as it was last looked at: who sat there, the vacancy ahead that was told, how far its rotation is planned, and when
-- to look again.
create table desk (
    area text collate "C" not null,
    post text not null,
    on_duty uuid[],
    vacant_from timestamptz,
    planned_until timestamptz,
    looked_at timestamptz,
    next_at timestamptz not null default '-infinity',
    primary key (area, post)
);
create index desk_due on desk (next_at);
insert into desk (area, post) select distinct area, post from shift;

-- `note` is what the incoming people take over. Not signed by `next_at`, both sides are paged, about the case `incident`;
-- `rounds` counts how often, `climbed` how many levels above were told. `replaced` hand-overs were never signed: the next came.
create table hand_over (
    id uuid primary key,
    area text collate "C" not null,
    post text not null,
    at timestamptz not null,
    noticed_at timestamptz not null,
    outgoing uuid[] not null,
    incoming uuid[] not null,
    note jsonb not null,
    sign_by timestamptz not null,
    next_at timestamptz,
    rounds integer not null default 0,
    climbed integer not null default 0,
    incident uuid references incident,
    signed_at timestamptz,
    signed_by uuid references app_user,
    remark text not null default '',
    replaced boolean not null default false
);
create index hand_over_due on hand_over (next_at) where next_at is not null;
create index hand_over_desk on hand_over (area, post, at);

-- Who changed what, with the people on duty before and after as their posts are called.
create table roster_change (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_now(),
    kind text not null,
    area text collate "C" not null,
    post text not null,
    actor text not null,
    user_id uuid references app_user,
    note text not null default '',
    before jsonb not null,
    after jsonb not null
);
create index roster_change_area on roster_change (area, id);

create function refuse_roster_change() returns trigger language plpgsql as $$
begin
    raise exception 'the record of the roster is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger append_only before update or delete on roster_change
    for each row execute function refuse_roster_change();
create trigger append_only_table before truncate on roster_change
    for each statement execute function refuse_roster_change();

-- Whoever changes the roster, a worker looks at the desks of the area at once: the general desk stands in for the others.
create function look_at_desks() returns trigger language plpgsql as $$
declare
    changed record := coalesce(new, old);
begin
    insert into desk (area, post) values (changed.area, changed.post) on conflict do nothing;
    update desk set next_at = '-infinity' where area = changed.area and next_at <> '-infinity';
    return null;
end
$$;
create trigger look after insert or update or delete on shift for each row execute function look_at_desks();
create trigger look after insert or update or delete on stand_in for each row execute function look_at_desks();
create trigger look after insert or update or delete on rotation for each row execute function look_at_desks();

create function look_at_desks_of() returns trigger language plpgsql as $$
begin
    update desk set next_at = '-infinity' where area in (
        select area from shift where user_id = new.id and ends_at > clock_now()
        union all select area from stand_in where instead = new.id and ends_at > clock_now()
    );
    return null;
end
$$;
create trigger look after update on app_user for each row when (old.disabled is distinct from new.disabled)
    execute function look_at_desks_of();
