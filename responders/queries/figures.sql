-- How areas respond, and what people are burdened with. No figure of these is of one person, but one's own.

-- name: order_figures
-- Count what callers said of 12345 orders, and people of our own call-backs, in an area and span by the area below: (area,
-- from, until, digits of the areas below). Of a call-back its last correction counts; what is not known counts on no side.
with said as (
    select area, true as is_order, responded, resolved, satisfaction in ('very-satisfied', 'satisfied') as satisfied,
        satisfaction is not null and satisfaction <> 'not-rated' as is_rated
    from ticket where starts_with(area, $1) and observed_at >= $2 and observed_at < $3
    union all
    select coalesce(task.area, incident.place), false, rating.responded, rating.resolved, rating.satisfied = 'yes',
        rating.satisfied <> 'not_asked'
    from rating
    join incident on incident.id = rating.incident
    left join task on task.id = rating.task
    where starts_with(coalesce(task.area, incident.place), $1) and rated_at >= $2 and rated_at < $3
        and not incident.drill and not exists (
            select from rating later
            where later.incident = rating.incident and later.task = rating.task and later.number > rating.number
        )
)
select left(area, $4) as below, count(*) filter (where is_order) as orders, count(*) as asked,
    count(*) filter (where responded) as responded, count(responded) as responded_known,
    count(*) filter (where resolved) as resolved, count(resolved) as resolved_known,
    count(*) filter (where satisfied and is_rated) as satisfied, count(*) filter (where is_rated) as satisfied_known
from said group by 1;

-- name: case_figures
-- Count cases opened in an area in a span, and how long they waited: (area, from, until, digits). Drills count nowhere, nor
-- does what is wrong with the platform itself.
select left(place, $4) as below, count(*) as cases,
    count(*) filter (
        where acknowledged_at is null and state not in ('closed', 'reviewed', 'false_alarm', 'merged')
    ) as unacknowledged,
    count(acknowledged_at) as acknowledge_count,
    percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from acknowledged_at - opened_at)::float8)
        as acknowledge,
    count(ended.at) as close_count,
    percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from ended.at - opened_at)::float8) as close
from incident
left join lateral (
    select min(at) as at from incident_entry
    where incident_entry.incident = incident.id and kind = 'moved' and detail ->> 'to' in ('closed', 'false_alarm')
) ended on true
where starts_with(place, $1) and opened_at >= $2 and opened_at < $3 and not drill and fault is null group by 1;

-- name: task_figures
-- Count tasks dispatched to an area in a span, and how long units took to arrive: (area, from, until, digits).
select left(task.area, $4) as below, count(*) as tasks,
    count(*) filter (
        where coalesce(finished.at, case when task.state <> 'cancelled' then clock_now() end) > task.due_at
    ) as late_tasks,
    count(arrived.at) as arrive_count,
    percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from arrived.at - dispatched_at)::float8)
        as arrive
from task join incident on incident.id = task.incident
left join lateral (
    select min(at) as at from incident_entry
    where incident_entry.incident = task.incident and kind = 'task_on_site' and detail ->> 'task' = task.id::text
) arrived on true
left join lateral (
    select min(at) as at from incident_entry
    where incident_entry.incident = task.incident and kind = 'task_done' and detail ->> 'task' = task.id::text
) finished on true
where starts_with(task.area, $1) and dispatched_at >= $2 and dispatched_at < $3 and not incident.drill
    and incident.fault is null
group by 1;

-- name: names_of_areas
-- Name areas: (codes).
select code, name from area where code = any($1::text[]);

-- name: loads
-- Count what accounts of an area had in a span: (area, from, until, digits of the areas below, one account or null, how
-- commands that need words begin). A page counts once, however many channels brought it.
with told as (
    select page.recipient, page.incident, page.step, page.loop, page.task, min(delivery.at) as at
    from delivery join page on page.id = delivery.page
    where delivery.at >= $2 and delivery.at < $3 group by 1, 2, 3, 4, 5
), ten as (
    select recipient, count(*) as count
    from told group by recipient, floor(extract(epoch from at) / 600)
), messages as (
    select recipient, sum(count)::bigint as messages, max(count) as peak from ten group by recipient
), commands as (
    select user_id, count(*) as taps,
        count(*) filter (where exists (select from unnest($6::text[]) form where starts_with(action, form))) as forms
    from request where at >= $2 and at < $3 group by user_id
)
select left(app_user.area, $4) as below, app_user.role, coalesce(messages, 0) as messages, coalesce(taps, 0) as taps,
    coalesce(forms, 0) as forms, coalesce(peak, 0) as peak
from app_user
left join messages on messages.recipient = app_user.id
left join commands on commands.user_id = app_user.id
where starts_with(app_user.area, $1) and not app_user.disabled and app_user.role not in ('admin', 'display')
    and ($5::uuid is null or app_user.id = $5);
