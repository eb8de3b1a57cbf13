-- The command centre: shapes of areas for the map, accounts of displays, day logs and special reports.

-- Polygons as GeoJSON has them (polygons of rings of lon, lat), for drawing. An area without a row is drawn by the outline of its
-- record. Apart from `area`, since nothing but the map reads them, and they may be long.
create table area_shape (
    code text collate "C" primary key,
    polygons jsonb not null
);

-- An account of a display on a wall: sees the situation of its area, and nothing else.
alter table app_user drop constraint app_user_role_check;
alter table app_user add constraint app_user_role_check check (role in ('grid', 'officer', 'commander', 'admin', 'display'));

-- What officers note in the log of a day beside what the platform knows (值班记事).
create table day_note (
    id uuid primary key,
    area text collate "C" not null,
    at timestamptz not null default clock_now(),
    text text not null,
    made_by uuid not null references app_user,
    post text not null
);
create index day_note_area on day_note (area, at);
create trigger append_only before update or delete on day_note for each row execute function refuse_change();
create trigger append_only_table before truncate on day_note for each statement execute function refuse_change();

-- Logs of days as they were signed, each for good; `digest` is SHA-256 of the record. The highest number counts.
create table day_log (
    area text collate "C" not null,
    day date not null,
    number integer not null,
    id uuid not null unique,
    record text not null,
    digest bytea not null,
    remark text not null,
    signed_by uuid not null references app_user,
    post text not null,
    at timestamptz not null default clock_now(),
    primary key (area, day, number),
    check (digest = sha256(convert_to(record, 'UTF8')))
);
create trigger append_only before update or delete on day_log for each row execute function refuse_change();
create trigger append_only_table before truncate on day_log for each statement execute function refuse_change();

-- Special reports (信息专报): of one case, or of a theme (`incident` is null). `number` counts those that an area issued in a year,
-- and stands once it is issued; from then on nothing changes.
create table special_report (
    id uuid primary key,
    area text collate "C" not null,
    incident uuid references incident,
    drill boolean not null,
    created_at timestamptz not null default clock_now(),
    year integer,
    number integer,
    issued_at timestamptz,
    issued_by uuid references app_user,
    unique (area, year, number),
    check (num_nulls(year, number, issued_at, issued_by) in (0, 4))
);
create index special_report_area on special_report (area, created_at);

create function keep_special_report() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.issued_at is not null
        or (new.id, new.area, new.incident, new.drill, new.created_at)
            is distinct from (old.id, old.area, old.incident, old.drill, old.created_at)
    then
        raise exception 'a special report stays, and one that was issued never changes' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update or delete on special_report for each row execute function keep_special_report();
create trigger keep_table before truncate on special_report for each statement execute function refuse_change();

-- Every version of its text.
create table special_report_text (
    report uuid not null references special_report,
    version integer not null,
    title text not null,
    situation text not null,
    measures text not null,
    next text not null,
    made_by uuid not null references app_user,
    post text not null,
    at timestamptz not null default clock_now(),
    primary key (report, version)
);
create trigger append_only before update or delete on special_report_text for each row execute function refuse_change();
create trigger append_only_table before truncate on special_report_text
    for each statement execute function refuse_change();
