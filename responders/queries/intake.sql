-- What comes from the topics: every write is idempotent by id.

-- name: keep_words
-- Keep the words of tickets that a newer push is about to replace: ids, times of receipt, and what is new. Sealed words
-- differ from push to push by their nonce; of another length they hold something else.
insert into ticket_words (ticket, received_at, replaced_at, text, title, address, sealed)
select
    ticket.id, ticket.changed_at, pushed.received_at, ticket.text, ticket.title, ticket.address, ticket.sealed
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[]) as pushed (
    id, received_at, text, title, address, sealed
)
join ticket on ticket.id = pushed.id
where ticket.changed_at < pushed.received_at
    and (ticket.text, ticket.title, ticket.address, length(ticket.sealed)) is distinct from (
        pushed.text, coalesce(pushed.title, ticket.title), coalesce(pushed.address, ticket.address),
        length(coalesce(pushed.sealed, ticket.sealed))
    )
on conflict do nothing;

-- name: put_ticket
-- Store tickets, no id twice; of one that is known the newest push stands, field by field: what it does not name stays.
-- Place, category and time stay those of the first push: by them it was counted. Comes back with whether it is new.
insert into ticket (
    id, source, order_number, area, category, text, title, address, sealed, observed_at, received_at, changed_at,
    channel, kind, urgency, status, unit, accepted_at, dispatched_at, due_at, closed_at, responded, resolved, satisfaction
)
select
    id, source, order_number, area, category, text, title, address, sealed, observed_at, received_at, received_at,
    channel, kind, urgency, status, unit, accepted_at, dispatched_at, due_at, closed_at, responded, resolved, satisfaction
from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
    $17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[], $21::boolean[], $22::boolean[],
    $23::text[]
) as pushed (
    id, source, order_number, area, category, text, title, address, sealed, observed_at, received_at,
    channel, kind, urgency, status, unit, accepted_at, dispatched_at, due_at, closed_at, responded, resolved, satisfaction
)
order by id -- so that two writers never wait for each other in a circle
on conflict (id) do update set
    text = excluded.text,
    title = coalesce(excluded.title, ticket.title),
    address = coalesce(excluded.address, ticket.address),
    sealed = coalesce(excluded.sealed, ticket.sealed),
    channel = coalesce(excluded.channel, ticket.channel),
    kind = coalesce(excluded.kind, ticket.kind),
    urgency = coalesce(excluded.urgency, ticket.urgency),
    status = coalesce(excluded.status, ticket.status),
    unit = coalesce(excluded.unit, ticket.unit),
    accepted_at = coalesce(excluded.accepted_at, ticket.accepted_at),
    dispatched_at = coalesce(excluded.dispatched_at, ticket.dispatched_at),
    due_at = coalesce(excluded.due_at, ticket.due_at),
    closed_at = coalesce(excluded.closed_at, ticket.closed_at),
    responded = coalesce(excluded.responded, ticket.responded),
    resolved = coalesce(excluded.resolved, ticket.resolved),
    satisfaction = coalesce(excluded.satisfaction, ticket.satisfaction),
    changed_at = excluded.changed_at
where ticket.changed_at <= excluded.changed_at
returning xmax = 0 as is_new;

-- name: put_report
-- Store reports.
insert into report (id, source, client_id, area, category, text, sealed, observed_at, received_at)
select * from unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
    $9::timestamptz[]
)
on conflict do nothing;

-- name: put_bulletin
-- Store a bulletin.
insert into bulletin (
    id, source, own_id, category, level, areas, headline, text, effective_at, expires_at, received_at, status, supersedes,
    part_of, exercise, restricted
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict do nothing
returning id;

-- name: end_bulletins
-- Note which warnings ended, when one has come in that ends others or that was ended before it came: (id). What came with
-- it in one message, which may name itself to be replaced, is not meant.
update bulletin set ended_at = ender.effective_at, ended_by = ender.id
from bulletin ender
where $1 in (bulletin.id, ender.id) and ender.id <> bulletin.id and ender.source = bulletin.source
    and bulletin.ended_by is null and not bulletin.exercise and not ender.exercise
    and (
        bulletin.own_id = any(ender.supersedes)
        or bulletin.part_of = any(ender.supersedes)
            and (bulletin.part_of is distinct from ender.part_of or bulletin.received_at < ender.received_at)
    );

-- name: put_rejected
-- Store what was turned away.
insert into rejected (
    id, stage, feed, source, rejected_at, reason, faults, item, encoding, size, sha256, ids
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict do nothing
returning id;

-- name: put_heartbeat
-- Keep the newest sign of life: (component, instance, wall time, detail). A clock that runs ahead is not believed.
insert into heartbeat (component, instance, wall_at, detail) values ($1, $2, least($3, clock_timestamp()), $4)
on conflict (component, instance) do update set wall_at = excluded.wall_at, detail = excluded.detail
where heartbeat.wall_at < excluded.wall_at;

-- name: stage_rollups
-- Make the table into which COPY writes; it empties itself at the end of each transaction.
create temp table if not exists rollup_stage (
    series text, minute integer, count integer, good integer,
    total double precision, low double precision, high double precision, last double precision
) on commit delete rows;

-- name: number_series
-- Give a number to every series that is new here.
insert into series_number (series)
select distinct series from rollup_stage where series not in (select series from series_number)
order by series
on conflict do nothing;

-- name: merge_rollups
-- Move staged roll-ups into place: of one series and minute the greater count stands. Ordered, so that two writers
-- never wait for each other in a circle.
insert into rollup
select distinct on (series_number.number, stage.minute)
    series_number.number, stage.minute, stage.count, stage.good, stage.total, stage.low, stage.high, stage.last
from rollup_stage stage join series_number on series_number.series = stage.series
order by series_number.number, stage.minute, stage.count desc
on conflict (series, minute) do update set
    count = excluded.count, good = excluded.good, total = excluded.total, low = excluded.low, high = excluded.high,
    last = excluded.last
where excluded.count > rollup.count;

-- name: put_late
-- Store late readings.
insert into late_reading (series, observed_at, value, quality)
select * from unnest($1::text[], $2::timestamptz[], $3::float8[], $4::integer[])
on conflict do nothing;

-- name: put_alert_versions
-- Store versions of alerts, no alert twice; those that are new come back.
insert into alert_version (
    alert, version, change, level, reason, opened_at, changed_at, received_at, zh, en, evidence, chance, held_back,
    explanation
)
select id, version, change, level, reason, opened_at, changed_at, received_at, zh, en, evidence::jsonb, chance, held_back,
    explanation::jsonb
from unnest(
    $1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::float8[], $13::text[], $14::text[]
) as told (
    id, version, change, level, reason, opened_at, changed_at, received_at, zh, en, evidence, chance, held_back, explanation
)
order by id -- so that two writers never wait for each other in a circle
on conflict do nothing
returning alert;

-- name: put_alerts
-- Bring alerts to newer versions, no alert twice; those come back that had none as new, and are a drill if this is one.
insert into alert (
    id, version, change, level, reason, opened_at, changed_at, zh, en, evidence, chance, held_back, explanation, domain,
    category, county, place, drill
)
select id, version, change, level, reason, opened_at, changed_at, zh, en, evidence::jsonb, chance, held_back,
    explanation::jsonb, domain, category, county, place, drill
from unnest(
    $1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[],
    $9::text[], $10::text[], $11::float8[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
    $18::boolean[]
) as told (
    id, version, change, level, reason, opened_at, changed_at, zh, en, evidence, chance, held_back, explanation, domain,
    category, county, place, drill
)
order by id
on conflict (id) do update set
    version = excluded.version, change = excluded.change, level = excluded.level, reason = excluded.reason,
    changed_at = excluded.changed_at, evidence = excluded.evidence, zh = excluded.zh, en = excluded.en,
    chance = excluded.chance, held_back = excluded.held_back, explanation = excluded.explanation
where alert.version < excluded.version and alert.drill = excluded.drill
returning id;

-- name: alerts_with_cases
-- Name those of some alerts that belong to a case: (alerts).
select alert from case_alert where alert = any($1::uuid[]);
