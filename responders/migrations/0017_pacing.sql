-- When pages go out (docs/how-to/storms.md): letters that carry several pages, pages that wait, storms, quiet hours.

-- `grade` is that of the case, so that the gravest are claimed first. A page that waits has `hold` (why) and `hold_until` (on the
-- county clock) and is `due` all the same. `letter` is what it was sent in, where letters are counted.
alter table page
    add column grade smallint not null default 4,
    add column hold text,
    add column hold_until timestamptz,
    add column letter uuid;
update page set grade = incident.grade from incident where incident.id = page.incident and page.state in ('due', 'sending');

drop index page_due, page_sending;
create index page_due on page (channel, grade, wall_retry_at) where state = 'due' and hold_until is null and letter is null;
create index page_held on page (channel, hold_until) where state = 'due' and hold_until is not null;
create index page_held_for on page (channel, recipient) where state = 'due' and hold_until is not null;
create index page_sending on page (channel, wall_lease_until) where state = 'sending' and letter is null;
create index page_letter on page (letter) where letter is not null;

create function grade_page() returns trigger language plpgsql as $$
begin
    select grade into new.grade from incident where id = new.incident;
    return new;
end
$$;
create trigger grade before insert on page for each row execute function grade_page();

-- What became graver goes out at once where it may.
create function grade_pages() returns trigger language plpgsql as $$
begin
    update page set grade = new.grade, hold = null, hold_until = null
    where incident = new.id and state = 'due' and letter is null;
    return null;
end
$$;
create trigger grade after update of grade on incident for each row when (old.grade is distinct from new.grade)
    execute function grade_pages();

-- A letter with pages of grades III and IV over an outside channel. `at` is on the county clock: by it letters are counted.
-- `wall_next_at` is when a worker may take it (again): the end of a lease, or of a pause; null when it is done with.
create table letter (
    id uuid primary key,
    recipient uuid not null references app_user,
    channel text not null,
    at timestamptz not null default clock_now(),
    pages integer not null,
    wall_next_at timestamptz
);
create index letter_recent on letter (recipient, channel, at);
create index letter_due on letter (channel, wall_next_at) where wall_next_at is not null;

-- Storms by county: one that lasts has no end.
create table storm (
    id bigint generated always as identity primary key,
    county text collate "C" not null,
    began_at timestamptz not null default clock_now(),
    ended_at timestamptz
);
create unique index storm_now on storm (county) where ended_at is null;

-- The quiet hours of an account, wall time of Asia/Shanghai as HH:MM.
create table quiet_hours (
    user_id uuid primary key references app_user on delete cascade,
    starts text not null,
    ends text not null
);

-- Several changes at once, told by the newest: whoever listens reads all since the last he knows.
create function note_changes(kinds text[], refs text[], areas text[]) returns bigint language plpgsql as $$
declare
    newest bigint;
begin
    perform pg_advisory_xact_lock(990101, 1);
    with noted as (
        insert into change (kind, ref, area)
        select kind, ref, area from unnest(kinds, refs, areas) with ordinality as note (kind, ref, area, place) order by place
        returning id
    )
    select max(id) into newest from noted;
    if newest is not null then
        perform pg_notify('fenghuo_changes', newest::text);
    end if;
    return newest;
end
$$;
