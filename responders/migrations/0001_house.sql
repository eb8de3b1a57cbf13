-- The house as tables: clock, registry, inputs, cases, pages, outbox, changes. PostgreSQL 15 and later, no extensions.
-- Times are on the county clock (clock_now()), except columns named wall_…, which measure the real world.

-- Clock: the same straight line as domain/clock.py. -------------------------------------------------------------------
create table clock (
    one boolean primary key default true check (one),
    wall_anchor timestamptz not null,
    county_anchor timestamptz not null,
    factor double precision not null check (factor >= 0)
);
insert into clock values (true, 'epoch', 'epoch', 1);

-- Seconds, not days: `timestamptz + days` would depend on the session's time zone. Stable, so that indices may be used.
create function clock_now() returns timestamptz language sql stable as $$
    select county_anchor
        + make_interval(secs => extract(epoch from greatest(clock_timestamp() - wall_anchor, interval '0'))::float8 * factor)
    from clock
$$;

-- Registry: what responders own and publish. -----------------------------------------------------------------------
create table area (
    code text collate "C" primary key,
    name text not null,
    record jsonb not null
);

create table series (
    id text primary key,
    area text collate "C" not null,
    record jsonb not null
);

create table source (
    slug text primary key,
    record jsonb not null
);

-- Compacted like the topics that it feeds: one row per key, newest value; `sequence` tells which value was published.
create table outbox (
    topic text not null,
    key text not null,
    value text not null,
    sequence bigint generated always as identity,
    published boolean not null default false,
    primary key (topic, key)
);
create index outbox_unpublished on outbox (sequence) where not published;

create function publish(of_topic text, of_key text, new_value text) returns void language sql as $$
    insert into outbox (topic, key, value) values (of_topic, of_key, new_value)
    on conflict (topic, key) do update set value = excluded.value, sequence = default, published = false
$$;

-- People: accounts are posts; the roster tells who is on duty. -----------------------------------------------------
create table app_user (
    id uuid primary key,
    login text not null unique,
    display text not null,
    role text not null check (role in ('grid', 'officer', 'commander', 'admin')),
    area text collate "C" not null,
    post text not null default '',
    channels text[] not null default '{console}',
    password_hash text not null default '',
    disabled boolean not null default false
);

create table session (
    token_sha256 text primary key,
    user_id uuid not null references app_user on delete cascade,
    wall_created_at timestamptz not null default clock_timestamp(),
    wall_expires_at timestamptz not null
);
create index session_expiry on session (wall_expires_at);

create table shift (
    area text collate "C" not null,
    post text not null,
    user_id uuid not null references app_user on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    primary key (area, post, user_id, starts_at)
);

-- Reading personal data is on record: who, when, what, why.
create table personal_access (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_now(),
    user_id uuid not null references app_user,
    subject_kind text not null,
    subject uuid not null,
    reason text not null
);

-- Inputs in effect. --------------------------------------------------------------------------------------------------
create table ticket (
    id uuid primary key,
    source text not null,
    order_number text not null,
    area text collate "C" not null,
    category text,
    text text not null,
    sealed text,
    observed_at timestamptz not null,
    received_at timestamptz not null,
    recorded_at timestamptz not null default clock_now()
);
create index ticket_place on ticket (area, observed_at);

create table report (
    id uuid primary key,
    source text not null,
    client_id uuid not null,
    area text collate "C" not null,
    category text,
    text text not null,
    sealed text,
    observed_at timestamptz not null,
    received_at timestamptz not null,
    recorded_at timestamptz not null default clock_now()
);
create index report_place on report (area, observed_at);

create table bulletin (
    id uuid primary key,
    source text not null,
    own_id text not null,
    category text not null,
    level integer not null,
    areas text[] not null,
    headline text not null,
    text text not null,
    effective_at timestamptz not null,
    expires_at timestamptz not null,
    received_at timestamptz not null,
    recorded_at timestamptz not null default clock_now()
);

-- A series' name is long and a minute is short: roll-ups refer to a number.
create table series_number (
    number integer generated always as identity primary key,
    series text not null unique
);

create table rollup (
    series integer not null,
    minute integer not null,
    count integer not null,
    good integer not null,
    total double precision not null,
    low double precision not null,
    high double precision not null,
    last double precision not null,
    primary key (series, minute)
);

create table late_reading (
    series text not null,
    observed_at timestamptz not null,
    value double precision not null,
    quality integer not null,
    recorded_at timestamptz not null default clock_now(),
    primary key (series, observed_at)
);

create table rejected (
    id uuid primary key,
    stage text not null,
    feed text not null,
    source text,
    rejected_at timestamptz not null,
    reason text not null,
    faults text[] not null,
    item text not null,
    encoding text not null,
    size bigint not null,
    sha256 text not null,
    ids uuid[] not null,
    recorded_at timestamptz not null default clock_now()
);

create table heartbeat (
    component text not null,
    instance text not null,
    wall_at timestamptz not null,
    detail text not null,
    primary key (component, instance)
);

-- Cases. -------------------------------------------------------------------------------------------------------------
create table alert (
    id uuid primary key,
    version integer not null,
    change text not null,
    domain text not null,
    category text not null,
    county text not null,
    place text collate "C" not null,
    level integer not null,
    reason text not null,
    opened_at timestamptz not null,
    changed_at timestamptz not null,
    evidence jsonb not null,
    zh text not null,
    en text not null
);

create table alert_version (
    alert uuid not null,
    version integer not null,
    change text not null,
    level integer not null,
    reason text not null,
    opened_at timestamptz not null,
    changed_at timestamptz not null,
    received_at timestamptz not null,
    recorded_at timestamptz not null default clock_now(),
    primary key (alert, version)
);

-- `policies` holds the policy of each grade as it was when the case opened. `next_at` is the one timer of paging: null
-- means nobody needs to be paged any more. `fault` names what is wrong with the platform itself, one open case each.
create table incident (
    id uuid primary key,
    alert uuid unique references alert,
    fault text,
    domain text not null,
    category text not null,
    place text collate "C" not null,
    post text not null,
    title text not null,
    zh text not null,
    en text not null,
    level integer not null,
    grade integer not null,
    state text not null,
    drill boolean not null default false,
    alert_open boolean not null,
    policies jsonb not null,
    step integer not null,
    loop integer not null default 0,
    next_at timestamptz,
    version integer not null default 1,
    opened_at timestamptz not null default clock_now(),
    changed_at timestamptz not null default clock_now(),
    received_at timestamptz not null,
    acknowledged_at timestamptz,
    acknowledged_by uuid references app_user,
    holder uuid references app_user,
    verdict text
);
create index incident_due on incident (next_at) where next_at is not null;
create index incident_queue on incident (opened_at desc);
create index incident_place on incident (place);
create unique index incident_fault on incident (fault)
    where fault is not null and state not in ('closed', 'reviewed', 'false_alarm', 'merged');

create table incident_entry (
    id bigint generated always as identity primary key,
    incident uuid not null references incident,
    at timestamptz not null default clock_now(),
    kind text not null,
    actor text not null,
    user_id uuid references app_user,
    text text not null,
    detail jsonb not null default '{}'
);
create index incident_entry_incident on incident_entry (incident, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the record of an incident is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger append_only before update or delete on incident_entry for each row execute function refuse_change();
create trigger append_only_table before truncate on incident_entry for each statement execute function refuse_change();

-- `next_at` is the next deadline to act on (50, 100, 150 % of the time), `passed` the last one acted on.
create table task (
    id uuid primary key,
    incident uuid not null references incident,
    number integer not null,
    area text collate "C" not null,
    post text not null,
    state text not null,
    dispatched_at timestamptz not null default clock_now(),
    due_at timestamptz not null,
    next_at timestamptz,
    passed integer not null default 0,
    holder uuid references app_user,
    unique (incident, number)
);
create index task_due on task (next_at) where next_at is not null;

-- `fallbacks` are the recipient's next channels should this one fail. Leases and retries measure the real network: wall.
create table page (
    id uuid primary key,
    incident uuid not null references incident,
    task uuid references task,
    step integer not null,
    loop integer not null,
    recipient uuid not null references app_user,
    channel text not null,
    fallbacks text[] not null,
    reason text not null,
    state text not null default 'due',
    attempts integer not null default 0,
    outcome text not null default '',
    created_at timestamptz not null default clock_now(),
    received_at timestamptz not null,
    delivered_at timestamptz,
    wall_retry_at timestamptz not null default clock_timestamp(),
    wall_lease_until timestamptz
);
create index page_incident on page (incident);
create index page_due on page (channel, wall_retry_at) where state = 'due';
create index page_sending on page (channel, wall_lease_until) where state = 'sending';

-- One row per delivery that a channel confirmed: counted for the promise that nobody is paged twice within one step.
create table delivery (
    id bigint generated always as identity primary key,
    page uuid not null references page,
    at timestamptz not null default clock_now()
);
create index delivery_page on delivery (page);

-- Requests of officers, so that the same one again gives the same answer.
create table request (
    id uuid primary key,
    user_id uuid not null references app_user,
    action text not null,
    subject uuid not null,
    answer jsonb not null,
    wall_at timestamptz not null default clock_timestamp()
);
create index request_age on request (wall_at);

-- Changes for live pages. ----------------------------------------------------------------------------------------------
create table change (
    id bigint generated always as identity primary key,
    kind text not null,
    ref text not null,
    area text collate "C" not null,
    at timestamptz not null default clock_now(),
    wall_at timestamptz not null default clock_timestamp()
);
create index change_age on change (wall_at);

-- Takes a lock until commit, so that ids become visible in order and a reader who resumes after one misses none.
-- Call it last in a transaction: whoever holds the lock must not wait for rows.
create function note_change(of_kind text, of_ref text, of_area text) returns bigint language plpgsql as $$
declare
    new_id bigint;
begin
    perform pg_advisory_xact_lock(990101, 1);
    insert into change (kind, ref, area) values (of_kind, of_ref, of_area) returning id into new_id;
    perform pg_notify('fenghuo_changes', new_id::text);
    return new_id;
end
$$;

-- A case as a line of the queue; the console reads nothing else of it.
create view incident_row as
select
    incident.id, incident.version, incident.alert, incident.category, incident.domain, incident.place,
    coalesce(area.name, incident.place) as place_name, incident.level, incident.grade, incident.state, incident.title,
    incident.zh, incident.en,
    incident.opened_at, incident.changed_at, incident.acknowledged_at, acknowledger.display as acknowledged_by,
    holder.display as holder, incident.next_at, incident.step, incident.alert_open, incident.drill
from incident
left join area on area.code = incident.place
left join app_user acknowledger on acknowledger.id = incident.acknowledged_by
left join app_user holder on holder.id = incident.holder;
