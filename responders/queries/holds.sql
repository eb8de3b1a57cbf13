-- What holds back the pages of cases: graver cases near by, shelving, maintenance.

-- name: windows_around
-- List the maintenance in force that may concern a place, one row each: (place, now).
select maintenance.id, maintenance.area, category, series, device, reason, starts_at, ends_at,
    app_user.display as by, case when consented_by is null then 1 else 2 end as persons
from maintenance join app_user on app_user.id = planned_by
where ended_at is null and ends_at > $2 and starts_at <= $2
    and (starts_with($1, maintenance.area) or ((series <> '' or device <> '') and starts_with(maintenance.area, $1)));

-- name: sources_around
-- List open cases of categories that may hold a case back: (case, its drill mark, categories, least levels, areas).
select distinct incident.id, incident.category, incident.level, incident.place, incident.title
from unnest($3::text[], $4::int[], $5::text[]) as rule (category, level, area)
join incident on incident.category = rule.category and incident.level >= rule.level
    and (starts_with(rule.area, incident.place) or starts_with(incident.place, rule.area))
where incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
    and incident.id <> $1 and incident.drill = $2
order by incident.id;

-- name: shelves_of
-- Read the shelf that a case lies on: (case).
select shelf.id, shelf.grade, reason, until, app_user.display as by, case when consented_by is null then 1 else 2 end as persons
from shelf join app_user on app_user.id = asked_by where incident = $1 and ended_at is null;

-- name: evidence_of_case
-- Read the evidence of the alerts of a case that go on: (case, an alert that is about to open it).
select evidence from alert
where change <> 'cleared' and (id = $2 or id in (select alert from case_alert where incident = $1));

-- name: devices_of_series
-- Tell the device of each series: (series).
select id, record ->> 'device' as device from series where id = any($1::text[]);

-- name: subject_of
-- Read what of a case is not in its timer: (case).
select category, level, fault from incident where id = $1;

-- name: hold_case
-- Hold a case's pages back, or go on doing so: (case, hold, next look). A new hold is a change of the case.
update incident set hold = $2::jsonb, next_at = $3,
    version = version + case when hold is distinct from $2::jsonb then 1 else 0 end,
    changed_at = case when hold is distinct from $2::jsonb then clock_now() else changed_at end
where id = $1 and acknowledged_at is null and state not in ('closed', 'reviewed', 'false_alarm', 'merged')
returning version;

-- name: look_at_held
-- Have a worker look at a held case at once, since something about it changed: (case).
update incident set next_at = clock_now() where id = $1 and hold is not null and acknowledged_at is null;

-- name: wake_case
-- Have a worker look at a case that nobody has acknowledged: (case).
update incident set next_at = clock_now() where id = $1 and acknowledged_at is null;

-- name: add_shelf
-- Put a case aside: (id, case, grade, reason, until, user); nothing comes back when it is already.
insert into shelf (id, incident, grade, reason, until, asked_by) values ($1, $2, $3, $4, $5, $6)
on conflict (incident) where ended_at is null do nothing returning id;

-- name: present_shelf
-- Take hold of the shelf of a case: (case).
select id, grade, reason, until, asked_by, consented_by from shelf where incident = $1 and ended_at is null for no key update;

-- name: consent_to_shelf
-- Stand behind a shelf as the second person: (shelf, user).
update shelf set consented_by = $2, consented_at = clock_now() where id = $1;

-- name: end_shelf
-- End a shelf: (shelf).
update shelf set ended_at = clock_now() where id = $1 and ended_at is null;

-- name: add_maintenance
-- Plan maintenance: (id, area, category, series, device, reason, starts, ends, user).
insert into maintenance (id, area, category, series, device, reason, starts_at, ends_at, planned_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing;

-- name: lock_maintenance
-- Take hold of maintenance of an area: (id, area).
select id, planned_by, consented_by, ends_at, ended_at from maintenance
where id = $1 and starts_with(area, $2) for no key update;

-- name: consent_to_maintenance
-- Stand behind maintenance as the second person: (id, user).
update maintenance set consented_by = $2, consented_at = clock_now() where id = $1;

-- name: end_maintenance
-- End maintenance now, or take it back: (id).
update maintenance set ended_at = clock_now() where id = $1 and ended_at is null;

-- name: maintenance_row
-- Read maintenance: (id).
select maintenance.id, maintenance.area, coalesce(area.name, maintenance.area) as area_name, category, series, device, reason,
    starts_at, ends_at, ended_at, planner.display as planned_by, second.display as consented_by
from maintenance join app_user planner on planner.id = planned_by
left join app_user second on second.id = maintenance.consented_by
left join area on area.code = maintenance.area
where maintenance.id = $1;

-- name: list_maintenance
-- List maintenance of an area, the present and the coming: (area).
select maintenance.id, maintenance.area, coalesce(area.name, maintenance.area) as area_name, category, series, device, reason,
    starts_at, ends_at, ended_at, planner.display as planned_by, second.display as consented_by
from maintenance join app_user planner on planner.id = planned_by
left join app_user second on second.id = maintenance.consented_by
left join area on area.code = maintenance.area
where ended_at is null and ends_at > clock_now()
    and (starts_with(maintenance.area, $1) or starts_with($1, maintenance.area))
order by starts_at, maintenance.id;

-- name: series_in
-- Say whether a series, or a device, is registered in an area: (series, device, area).
select
    ($1 = '' or exists (select from series where id = $1 and starts_with(area, $3))) as series,
    ($2 = '' or exists (select from series where record ->> 'device' = $2 and starts_with(area, $3))) as device;

-- name: held_of
-- Read what holds a case back: (case).
select hold from incident where id = $1 and hold is not null and acknowledged_at is null
    and state not in ('closed', 'reviewed', 'false_alarm', 'merged');

-- name: held_cases
-- List held cases that people of an area see, the longest held first: (area).
select id, title, category, place, grade, level, hold from incident
where hold is not null and acknowledged_at is null and case_within(id, place, $1)
    and state not in ('closed', 'reviewed', 'false_alarm', 'merged')
order by changed_at, id;

-- name: shelves_waiting
-- List shelves that one person wants so far, of cases that people of an area see: (area).
select incident.id, incident.title, shelf.reason, shelf.until, app_user.display as by, shelf.asked_at
from shelf join incident on incident.id = shelf.incident join app_user on app_user.id = asked_by
where shelf.ended_at is null and consented_by is null and until > clock_now() and incident.hold is null
    and incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
    and case_within(incident.id, incident.place, $1)
order by shelf.asked_at, shelf.id;
