-- Reports that the law asks for (法定信息报告): which a case owes and by when, and every version that was made of them.

-- What cases became, for the workers that tell what they owe by it. A row for each opening and each change of state or grade,
-- written by the table itself, so that whoever opens or changes a case need not know of the law. Neither key nor reference: two
-- changes of one case never wait for each other here, and opening one stays cheap (about 30 µs).
create table report_look (
    id bigint generated always as identity primary key,
    incident uuid not null,
    at timestamptz not null,
    state text not null,
    was text,
    grade smallint not null
);

create function look_at_reports() returns trigger language plpgsql as $$
begin
    insert into report_look (incident, at, state, was, grade)
    values (new.id, clock_now(), new.state, case when tg_op = 'UPDATE' then old.state end, new.grade);
    return null;
end
$$;
create trigger reports_begin after insert on incident for each row when (new.fault is null)
    execute function look_at_reports();
create trigger reports_change after update of state, grade on incident for each row
    when (new.fault is null and (old.state, old.grade) is distinct from (new.state, new.grade))
    execute function look_at_reports();

-- Cases that are open when this is installed: their clocks begin now.
insert into report_look (incident, at, state, grade)
select id, clock_now(), state, grade from incident
where fault is null and state not in ('closed', 'reviewed', 'false_alarm', 'merged');

-- A report that a case owes, with the terms of its clock as they were when it became owed; `responders/legal.py` tells what each
-- column means. `next_at` is its one timer: before the limit, then at the limit, then none.
create table report_due (
    incident uuid not null references incident,
    place integer not null,
    clock text not null,
    zh text not null,
    en text not null,
    source text not null,
    "by" text not null,
    "to" text not null,
    form text not null,
    kind text not null check (kind in ('first', 'follow_up', 'final')),
    number integer not null,
    post text not null,
    office text not null,
    minutes double precision not null,
    per_day integer not null,
    final boolean not null,
    warn_minutes double precision not null,
    begun_at timestamptz not null,
    since timestamptz not null,
    due_at timestamptz,
    next_at timestamptz,
    warned_at timestamptz,
    missed_at timestamptz,
    met_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    primary key (incident, place),
    unique (incident, clock, by, "to", form, kind, number),
    check (kind = 'final' or due_at is not null),
    check ((ended_at is null) = (end_reason is null)),
    check (next_at is null or (met_at is null and missed_at is null and ended_at is null))
);
create index report_due_timer on report_due (next_at) where next_at is not null;
create index report_due_begun on report_due (begun_at) where next_at is not null;

-- What became of a report is on record for ever, and nobody gets longer for one than he had.
create function keep_report_due() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'a report that was owed stays on record' using errcode = 'restrict_violation';
    end if;
    if old.warned_at is distinct from new.warned_at and old.warned_at is not null
        or old.missed_at is distinct from new.missed_at and old.missed_at is not null
        or old.met_at is distinct from new.met_at and old.met_at is not null
        or old.ended_at is distinct from new.ended_at and old.ended_at is not null
        or new.due_at > old.due_at or (new.due_at is null and old.due_at is not null)
        or new.per_day < old.per_day
        or (new.incident, new.place, new.clock, new."by", new."to", new.form, new.kind, new.number)
            is distinct from (old.incident, old.place, old.clock, old."by", old."to", old.form, old.kind, old.number)
    then
        raise exception 'what became of a report stays, and its limit only comes nearer' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update or delete on report_due for each row execute function keep_report_due();
create trigger keep_table before truncate on report_due for each statement execute function refuse_change();

-- Versions of reports as they were made, each for good. `number` counts those of a kind within the case; `digest` is SHA-256 of
-- the text, and stands in the case's chained record too.
create table case_report (
    id uuid primary key,
    incident uuid not null references incident,
    kind text not null check (kind in ('first', 'follow_up', 'final')),
    number integer not null,
    "by" text not null,
    area text collate "C" not null,
    "to" text not null,
    form text not null check (form in ('written', 'phone')),
    text text not null,
    digest bytea not null,
    made_by uuid not null references app_user,
    post text not null,
    at timestamptz not null default clock_now(),
    unique (incident, kind, number),
    check (digest = sha256(convert_to(text, 'UTF8')))
);
create trigger append_only before update or delete on case_report for each row execute function refuse_change();
create trigger append_only_table before truncate on case_report for each statement execute function refuse_change();
