-- What the console shows and does; every statement takes the area of the viewer's account.

-- name: actor
-- Find the account of a viewer as it is now.
select id, display, role, area from app_user where id = $1 and not disabled;

-- name: queue
-- List cases of an area, newest first: (area, states, limit, before). Joint ones are collected once, not looked up in each row.
select * from incident_row
where (starts_with(place, $1) or id = any(array(
        select incident from case_party where left_at is null and starts_with(area, $1)
    ))) and state = any($2::text[]) and ($4::timestamptz is null or opened_at < $4)
order by opened_at desc, id limit $3;

-- name: incident_row
-- Read a case of an area: (incident, area).
select * from incident_row where id = $1 and case_within(id, place, $2);

-- name: incident_text
-- Read what an incident's page says: the latest sentences, and the evidence of the alert that leads.
select incident.zh, incident.en, incident.verdict, alert.evidence, alert.chance, alert.held_back,
    alert.explanation::text as explanation
from incident
left join alert on alert.id = coalesce((
    select own.id from case_alert join alert own on own.id = case_alert.alert where case_alert.incident = incident.id
    order by own.change = 'cleared', own.level desc, own.changed_at desc, own.id limit 1
), incident.alert)
where incident.id = $1;

-- name: timeline
-- Read the record of a case.
select id, at, kind, actor, text, detail from incident_entry where incident = $1 order by id;

-- name: tasks
-- Read the tasks of a case.
select task.id, task.area, task.post, coalesce(area.name, task.area) as area_name, task.state, task.dispatched_at,
    task.due_at
from task left join area on area.code = task.area where incident = $1 order by number;

-- name: pages
-- Read the pages of a case.
select page.id, page.step, app_user.display as recipient, page.channel, page.state, page.attempts, page.reason,
    page.created_at, page.delivered_at
from page join app_user on app_user.id = page.recipient where incident = $1 order by created_at, page.id;

-- name: series_of
-- Read a series of an area: (series, area).
select record from series where id = $1 and starts_with(area, $2);

-- name: curve
-- Read the newest roll-ups of a series between two Unix minutes: (series, from, to, limit).
select minute, good, total, low, high from rollup
where series = (select number from series_number where series_number.series = $1) and minute >= $2 and minute < $3
order by minute desc limit $4;

-- name: lock_case
-- Take hold of a case of an area: (incident, area). Names are subqueries, since a row that waited for its lock is read
-- anew but a joined one is not: who was second would not learn who was first.
select id, alert, category, place, state, grade, version, drill, acknowledged_at, acknowledged_by, holder,
    (select display from app_user where app_user.id = incident.acknowledged_by) as acknowledger,
    (select display from app_user where app_user.id = incident.holder) as holder_name,
    starts_with(place, $2) as within, merged_into, drill, fault, domain
from incident
where id = $1 and case_within(id, place, $2) for no key update;

-- name: find_request
-- Find what a request was answered: (request).
select user_id, action, subject, answer from request where id = $1;

-- name: add_request
-- Keep what a request was answered: (request, user, action, subject, answer).
insert into request (id, user_id, action, subject, answer) values ($1, $2, $3, $4, $5::jsonb);

-- name: acknowledge
-- Stop paging: (incident, user).
update incident set acknowledged_at = coalesce(acknowledged_at, clock_now()),
    acknowledged_by = coalesce(acknowledged_by, $2), next_at = null, hold = null
where id = $1;

-- name: withdraw_alarms
-- Withdraw pages not yet sent, but those about tasks and about reports that the law asks for.
update page set state = 'withdrawn', outcome = 'acknowledged'
where incident = $1 and state = 'due' and task is null and not starts_with(reason, 'legal_');

-- name: withdraw_pages
-- Withdraw all pages not yet sent.
update page set state = 'withdrawn', outcome = 'ended' where incident = $1 and state = 'due';

-- name: end_tasks
-- End the tasks of a case: what was done is closed, what was not is cancelled.
update task set next_at = null, state = case when state in ('done', 'verified') then 'closed' else 'cancelled' end
where incident = $1 and state not in ('closed', 'rated', 'cancelled');

-- name: set_holder
-- Give a case to somebody: (incident, user).
update incident set holder = $2 where id = $1;

-- name: set_state
-- Move a case: (incident, state).
update incident set state = $2 where id = $1;

-- name: set_verdict
-- Keep what the officer decided: (incident, verdict).
update incident set verdict = $2 where id = $1;

-- name: touch_incident
-- Count a change of a case.
update incident set version = version + 1, changed_at = clock_now() where id = $1;

-- name: lock_task
-- Take hold of a task of a case in an area: (task, area). Whoever is only a party of the case has no task but its own.
select task.id, task.incident, task.state, task.area, task.post, incident.place, incident.drill
from task join incident on incident.id = task.incident
where task.id = $1 and (
    starts_with(incident.place, $2) or starts_with(task.area, $2) and case_within(incident.id, incident.place, $2)
) for no key update of task;

-- name: set_task_state
-- Move a task: (task, state, user, whether deadlines go on). One that rested is looked at at once: its time goes on earlier.
update task set state = $2, holder = $3,
    next_at = case when $4 then case when state = 'suspended' then clock_now() else next_at end end
where id = $1;

-- name: task_row
-- Read a task.
select task.id, task.area, task.post, coalesce(area.name, task.area) as area_name, task.state, task.dispatched_at,
    task.due_at
from task left join area on area.code = task.area where id = $1;

-- name: changes_since
-- List changes of an area after an id: (id, area, limit, whether cases may be seen). Heartbeats concern everybody, changes
-- of a joint case each of its parties.
select id, kind, ref, area, at from change
where id > $1 and (kind = 'heartbeat' or ($4 and (
    starts_with(area, $2)
    or case kind
        when 'incident' then has_party_within(ref::uuid, $2)
        when 'page' then has_party_within((select incident from page where page.id = ref::uuid), $2)
        else false
    end
))) order by id limit $3;

-- name: newest_change
-- Tell the newest id.
select coalesce(max(id), 0) from change;

-- name: oldest_change
-- Tell the oldest id kept.
select coalesce(min(id), 0) from change;

-- name: heartbeat_ages
-- Tell how long ago each component was heard of.
select component, instance, wall_at as at, detail,
    greatest(extract(epoch from clock_timestamp() - wall_at), 0)::float8 as age_seconds
from heartbeat order by component, instance;
