-- What officers keep at their seats: acknowledgements that can be taken back, saved views; and cases related to a case.

-- name: due_pages
-- List the pages of a case that are not sent yet: (case).
select id from page where incident = $1 and state = 'due' order by id;

-- name: keep_before
-- Keep how a case stood before it was acknowledged: (case, user, version after it, state, next, hold, holder, due pages).
insert into acknowledgement_before (incident, user_id, version, state, next_at, hold, holder, pages)
select $1, $2, $3, $4, $5, $6::jsonb, $7, coalesce(array_agg(page.id), '{}')
from page where incident = $1 and page.id = any($8::uuid[]) and page.state = 'withdrawn'
on conflict (incident, user_id) do update set version = excluded.version, state = excluded.state,
    next_at = excluded.next_at, hold = excluded.hold, holder = excluded.holder, pages = excluded.pages,
    wall_at = excluded.wall_at;

-- name: timer_of
-- Read how a case is paged: (case).
select version, state, next_at, hold::text as hold, holder from incident where id = $1;

-- name: before_of
-- Read how a case stood before an account acknowledged it: (case, user).
select version, state, next_at, hold::text as hold, holder, pages,
    extract(epoch from clock_timestamp() - wall_at)::float8 as age_seconds
from acknowledgement_before where incident = $1 and user_id = $2;

-- name: undo_acknowledgement
-- Put a case back to how it stood: (case, state, next, hold, holder).
update incident set state = $2, next_at = $3, hold = $4::jsonb, holder = $5, acknowledged_at = null, acknowledged_by = null
where id = $1;

-- name: undo_ack
-- Take one acknowledgement off those that count: (case, user).
update acknowledgement set stands = false where incident = $1 and user_id = $2 and stands;

-- name: undo_withdrawal
-- Let pages that were withdrawn be sent after all: (pages).
update page set state = 'due', outcome = '' where id = any($1::uuid[]) and state = 'withdrawn' and outcome = 'acknowledged';

-- name: drop_before
-- Forget how a case stood: (case, user).
delete from acknowledgement_before where incident = $1 and user_id = $2;

-- name: saved_views
-- List the saved views of an account by name: (user).
select name, filter::text as filter, saved_at from saved_view where user_id = $1 order by name;

-- name: lock_account
-- Take hold of an account, so that two of its windows do not both add the last view: (user).
select id from app_user where id = $1 for no key update;

-- name: put_saved_view
-- Keep a view, or write it over: (user, name, filter).
insert into saved_view (user_id, name, filter) values ($1, $2, $3::jsonb)
on conflict (user_id, name) do update set filter = excluded.filter, saved_at = excluded.saved_at;

-- name: drop_saved_view
-- Forget a view: (user, name).
delete from saved_view where user_id = $1 and name = $2;

-- name: cases_near
-- List cases of an area opened around the same time in any of some townships, the closest in time first:
-- (case, area, townships, from, until, limit).
select row.id, row.category, row.place, row.place_name, row.level, row.state, row.title, row.zh, row.en, row.opened_at,
    row.drill
from incident_row row join incident own on own.id = $1
where row.id <> $1 and row.drill = own.drill and row.state <> 'merged' and row.opened_at between $4 and $5
    and left(row.place, 9) = any($3::text[]) and case_within(row.id, row.place, $2)
order by abs(extract(epoch from row.opened_at - own.opened_at)), row.id limit $6;

-- name: cases_like
-- List ended cases of the same category and county before a case, with the words of their alerts:
-- (case, area, category, county, opened, limit).
select row.id, row.place, row.place_name, row.level, row.grade, row.state, row.title, row.zh, row.en, row.opened_at,
    row.changed_at as ended_at, incident.verdict, coalesce(alert.evidence, '[]'::jsonb)::text as evidence,
    coalesce((
        select coalesce(nullif(detail ->> 'note', ''), '') from incident_entry
        where incident_entry.incident = row.id and kind in ('decided', 'moved') and coalesce(detail ->> 'note', '') <> ''
        order by id desc limit 1
    ), '') as note
from incident_row row join incident on incident.id = row.id join incident own on own.id = $1
left join alert on alert.id = incident.alert
where row.id <> $1 and row.category = $3 and starts_with(row.place, $4) and row.opened_at < $5 and row.drill = own.drill
    and row.state in ('closed', 'reviewed', 'false_alarm') and case_within(row.id, row.place, $2)
order by row.opened_at desc, row.id limit $6;

-- name: outlines_within
-- Read the townships of an area with their outlines: (area).
select record::text as record from area where starts_with(code, $1) and length(code) = 9 order by code;

-- name: rivers_of
-- Tell which townships of a county measure at which river: (county).
select distinct left(area, 9) as township, record ->> 'river' as river
from series where starts_with(area, $1) and length(area) >= 9 and coalesce(record ->> 'river', '') <> '';

-- name: places_of
-- List the areas within an area by code, down to a level: (area, digits of the level).
select code, name from area where starts_with(code, $1) and length(code) <= $2 order by code;

-- name: colleagues_of
-- List the accounts of an area that are not disabled, by post: (area, roles).
select id, display from app_user where starts_with(area, $1) and role = any($2::text[]) and not disabled
order by area, display, id;
