-- Drills: their steps as timers, what came of them, and what a review reads.

-- name: alert_is_drill
-- Tell whether an alert is a drill: (alert).
select drill from alert where id = $1;

-- name: put_drill
-- Begin a drill; nothing comes back when it was begun before: (id, scenario, county, record, places, start).
insert into drill (id, scenario, county, record, places, starts_at) values ($1, $2, $3, $4::jsonb, $5::jsonb, $6)
on conflict do nothing returning id;

-- name: put_drill_step
-- Set the timer of a step: (drill, number, due, alert, version, silent area, silent until).
insert into drill_step (drill, number, due_at, next_at, alert, version, silent_area, silent_until)
values ($1, $2, $3, $3, $4, $5, $6, $7);

-- name: lock_due_step
-- Take hold of the step that should have been taken longest ago, and of its drill, so that steps of one drill follow each
-- other, unless another worker holds either.
select drill.id, drill.county, drill.record::text as record, drill.places::text as places, drill.starts_at,
    drill_step.number, drill_step.due_at, drill_step.alert, drill_step.version, drill_step.silent_area,
    drill_step.silent_until,
    (select acted_at from drill_step first where first.drill = drill.id and first.alert = drill_step.alert
        and first.version = 1) as began_at
from drill_step join drill on drill.id = drill_step.drill
where drill_step.next_at <= clock_now() and drill.stopped_at is null
order by drill_step.next_at, drill_step.number limit 1
for no key update of drill_step, drill skip locked;

-- name: step_taken
-- Note that a step was taken: (drill, number).
update drill_step set next_at = null, acted_at = clock_now() where drill = $1 and number = $2;

-- name: lock_drill
-- Take hold of a drill: (drill).
select id, county, stopped_at from drill where id = $1 for no key update;

-- name: stop_drill
-- Stop a drill: (drill).
update drill set stopped_at = clock_now() where id = $1;

-- name: stop_steps
-- Take away the timers of a drill: (drill).
update drill_step set next_at = null where drill = $1;

-- name: drill_of_alert
-- Name the drill of an alert: (alert).
select drill from drill_step where alert = $1 limit 1;

-- name: drill_is_stopped
-- Tell whether the drill of an alert was stopped, and hold it until this is committed: (alert).
select drill.stopped_at is not null from drill
where id = (select drill from drill_step where alert = $1 limit 1) for share;

-- name: lock_drill_cases
-- Take hold of the open cases of a drill, and, where no other goes on in the county, of what drills found there:
-- (drill, county).
select id, place, state from incident
where drill and state not in ('closed', 'reviewed', 'false_alarm', 'merged') and (
    id in (
        select case_alert.incident from drill_step join case_alert on case_alert.alert = drill_step.alert
        where drill_step.drill = $1
    )
    or fault is not null and starts_with(place, $2) and not exists (
        select from drill join drill_step on drill_step.drill = drill.id
        where drill.id <> $1 and starts_with(drill.county, $2) and drill_step.next_at is not null
    )
)
order by id for no key update;

-- name: silent_desk
-- Tell until when a desk does not answer in a drill: (case, area).
select max(quiet.silent_until) from case_alert
join drill_step own on own.alert = case_alert.alert
join drill on drill.id = own.drill and drill.stopped_at is null
join drill_step quiet on quiet.drill = drill.id
where case_alert.incident = $1 and quiet.silent_area = $2 and quiet.acted_at is not null
    and quiet.silent_until > clock_now();

-- name: drill_rows
-- List drills that people of an area may see, newest first: (area, limit, drill or null).
select drill.id, drill.scenario, drill.county, coalesce(area.name, drill.county) as county_name,
    drill.record ->> 'zh' as zh, drill.record ->> 'en' as en, drill.starts_at, drill.stopped_at,
    count(drill_step.number) as steps, count(drill_step.acted_at) as taken,
    (
        select count(distinct incident.id) from drill_step own
        join case_alert on case_alert.alert = own.alert join incident on incident.id = case_alert.incident
        where own.drill = drill.id
    ) as cases,
    (
        select count(distinct incident.id) from drill_step own
        join case_alert on case_alert.alert = own.alert join incident on incident.id = case_alert.incident
        where own.drill = drill.id and incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
    ) as open
from drill
join drill_step on drill_step.drill = drill.id
left join area on area.code = drill.county
where (starts_with(drill.county, $1) or starts_with($1, drill.county)) and ($3::uuid is null or drill.id = $3)
group by drill.id, area.name order by drill.starts_at desc, drill.id limit $2;

-- name: drill_record
-- Read what a drill plays: (drill).
select id, county, record::text as record, places::text as places, starts_at from drill where id = $1;

-- name: drill_steps
-- Read the steps of a drill: (drill).
select number, due_at, acted_at, next_at, alert, version from drill_step where drill = $1 order by number;

-- name: drill_cases
-- Name the cases of a drill's alerts, in the order of its steps: (drill, area).
select drill_step.alert, case_alert.incident, incident.state, min(drill_step.number) as number
from drill_step join case_alert on case_alert.alert = drill_step.alert
join incident on incident.id = case_alert.incident
where drill_step.drill = $1 and case_within(incident.id, incident.place, $2) group by 1, 2, 3 order by 4;

-- name: drill_of_case
-- Name the drill that a case belongs to, if it belongs to one: (case).
select drill_step.drill from drill_step join case_alert on case_alert.alert = drill_step.alert
where case_alert.incident = $1 limit 1;

-- name: earlier_drills
-- Name earlier drills of a scenario in a county that were not stopped, newest first: (scenario, county, before, limit).
select id, starts_at from drill
where scenario = $1 and county = $2 and starts_at < $3 and stopped_at is null order by starts_at desc limit $4;

-- name: review_pages
-- Read what became of the pages of a case, channel by channel: (case).
select app_user.display as recipient, page.step, page.loop, page.channel, page.state, page.outcome, page.attempts,
    page.created_at, page.delivered_at
from page join app_user on app_user.id = page.recipient where incident = $1 order by created_at, page.id;

-- name: review_tasks
-- Read the tasks of a case for its review: (case).
select task.id, task.area, task.post, coalesce(area.name, task.area) as area_name, task.state, task.dispatched_at,
    task.due_at
from task left join area on area.code = task.area where incident = $1 order by number;
