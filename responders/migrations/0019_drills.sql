-- Drills (演练): marked from birth, run by timers like everything else, and kept inside the house by the tables themselves.

alter table alert add column drill boolean not null default false;

-- A scenario that is played: `record` is the scenario as it was when the drill began, `places` what its places stand for.
create table drill (
    id uuid primary key,
    scenario text not null,
    county text collate "C" not null,
    record jsonb not null,
    places jsonb not null,
    starts_at timestamptz not null,
    created_at timestamptz not null default clock_now(),
    stopped_at timestamptz
);
create index drill_scenario on drill (scenario, county, starts_at);

-- One step each: `next_at` is its timer, null once it was taken or the drill was stopped. `alert` is what it raises or changes,
-- with its version; a step without one is told to those who take part. Until `silent_until` the desk of `silent_area`
-- does not answer, as the scenario has it.
create table drill_step (
    drill uuid not null references drill,
    number integer not null,
    due_at timestamptz not null,
    next_at timestamptz,
    acted_at timestamptz,
    alert uuid,
    version integer,
    silent_area text collate "C",
    silent_until timestamptz,
    primary key (drill, number)
);
create index drill_step_due on drill_step (next_at) where next_at is not null;
create index drill_step_alert on drill_step (alert) where alert is not null;

create function refuse_mark() returns trigger language plpgsql as $$
begin
    if old.drill is distinct from new.drill then
        raise exception 'the mark of a drill is set at birth and never changes' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger drill_mark before update of drill on alert for each row execute function refuse_mark();
create trigger drill_mark before update of drill on incident for each row execute function refuse_mark();

-- A drill's alert never joins a real case, nor a real alert a drill.
create function refuse_mixture() returns trigger language plpgsql as $$
begin
    if (select drill from alert where id = new.alert) <> (select drill from incident where id = new.incident) then
        raise exception 'a drill and a real case have nothing in common' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger drill_apart before insert or update on case_alert for each row execute function refuse_mixture();

-- Whoever orders it: a drill's page over a channel that leaves the house is withdrawn before any sender sees it. Not an error,
-- since an error would stop the timers of real cases behind it.
create function keep_drill_inside() returns trigger language plpgsql as $$
begin
    if (select drill from incident where id = new.incident) then
        new.state := 'withdrawn';
        new.outcome := 'drill';
    end if;
    return new;
end
$$;
create trigger drill_inside before insert or update of channel on page for each row
    when (new.channel not in ('console', 'file')) execute function keep_drill_inside();
