-- Cases and their timers, tasks, pages.

-- name: place_name
-- Name an area.
select name from area where code = $1;

-- name: open_incident
-- Open a case; nothing comes back when there is one (of the alert, or an open one of the same fault).
insert into incident (
    id, alert, fault, domain, category, place, post, title, zh, en, level, grade, state, alert_open, policies,
    step, loop, next_at, received_at, opened_at, changed_at, drill
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb, $16, $17, $18, $19, $20, $20, $21)
on conflict do nothing
returning id;

-- name: add_entry
-- Add a line to the record of a case: (incident, kind, actor, user, text, detail).
insert into incident_entry (incident, kind, actor, user_id, text, detail) values ($1, $2, $3, $4, $5, $6::jsonb);

-- name: add_task
-- Dispatch a task: its clock starts now. (id, incident, number, area, post, state, dispatched, due, next deadline)
insert into task (id, incident, number, area, post, state, dispatched_at, due_at, next_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing;

-- name: add_page
-- Order a page; the same one again is the same one.
insert into page (id, incident, task, step, loop, recipient, channel, fallbacks, reason, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing;

-- name: lock_incident_of_alert
-- Take hold of the case of an alert.
select id, place, post, grade, state, policies, step, loop, next_at, acknowledged_at is not null as acknowledged, version,
    level, alert_open, fault, drill
from incident where id = (select incident from case_alert where alert = $1) for no key update;

-- name: join_case
-- Note which case an alert belongs to: (alert, case).
insert into case_alert (alert, incident) values ($1, $2)
on conflict (alert) do update set incident = excluded.incident;

-- name: lock_due_incident
-- Take hold of the case whose timer ran out longest ago and that no other worker holds.
select id, place, post, grade, state, policies, step, loop, next_at, acknowledged_at is not null as acknowledged, version,
    level, alert_open, fault, drill
from incident
where next_at <= clock_now() order by next_at limit 1 for no key update skip locked;

-- name: set_timer
-- Go on to a step, if the case is still open, unacknowledged and of the version that was decided about.
update incident set step = $3, loop = $4, next_at = $5, version = version + 1, changed_at = clock_now()
where id = $1 and version = $2 and acknowledged_at is null
    and state not in ('closed', 'reviewed', 'false_alarm', 'merged')
returning version;

-- name: stop_timer
-- Page nobody any more about a case.
update incident set next_at = null where id = $1;

-- name: change_alarm
-- Take over what a newer version of the alert says: (incident, level, zh, en, alert open).
update incident set level = $2, zh = $3, en = $4, alert_open = $5, version = version + 1, changed_at = clock_now()
where id = $1;

-- name: raise_grade
-- Make a case graver: it needs a new acknowledgement. (incident, grade, state, step, loop, next)
update incident set grade = $2, state = $3, step = $4, loop = $5, next_at = $6, acknowledged_at = null,
    acknowledged_by = null
where id = $1;

-- name: lock_due_task
-- Take hold of the task whose deadline passed longest ago and that no other worker holds.
select id, incident, number, area, post, state, dispatched_at, due_at, passed
from task
where next_at <= clock_now() order by next_at limit 1 for no key update skip locked;

-- name: get_incident
-- Read a case without holding it.
select id, place, post, grade, state, policies, step, loop, next_at, acknowledged_at is not null as acknowledged, version,
    level, alert_open, fault, drill
from incident where id = $1;

-- name: set_deadline
-- Note which deadline of a task was acted on and which comes next: (task, percent, next).
update task set passed = $2, next_at = $3 where id = $1;

-- name: claim_pages
-- Take a lease on due pages of a channel, and on those whose worker let its lease run out. A page whose case ended, or
-- was acknowledged and is not about a task, is withdrawn instead. (channel, limit, lease in wall seconds)
with ready as (
    select page.id, page.state = 'sending' as lapsed,
        incident.state in ('closed', 'reviewed', 'false_alarm', 'merged')
            or (page.task is null and incident.acknowledged_at is not null) as stale
    from page join incident on incident.id = page.incident
    where channel = $1
        and ((page.state = 'due' and wall_retry_at <= now()) or (page.state = 'sending' and wall_lease_until <= now()))
    order by page.created_at limit $2 for update of page skip locked
)
update page set
    state = case when ready.stale then 'withdrawn' else 'sending' end,
    outcome = case when not ready.stale then '' when ready.lapsed then 'outcome_unknown' else 'no_longer_needed' end,
    attempts = attempts + case when ready.stale then 0 else 1 end,
    wall_lease_until = clock_timestamp() + make_interval(secs => $3)
from ready, incident, app_user
where page.id = ready.id and incident.id = page.incident and app_user.id = page.recipient
returning page.id, page.state, page.attempts, ready.lapsed, page.incident, app_user.display, page.step, page.loop,
    page.reason, incident.title, incident.zh, incident.en, incident.level, incident.grade, incident.place,
    incident.drill, page.created_at, page.received_at,
    (select string_agg(contact.user_id || ' ' || contact.sealed, E'\n' order by contact.digest) from contact
        where contact.user_id = page.recipient and contact.channel = page.channel) as contact;

-- name: announce_page
-- Tell live pages of a page for the console, once: (page, place).
select note_change('page', $1, $2)
where not exists (select from change where kind = 'page' and ref = $1);

-- name: page_delivered
-- Record that a channel confirmed a page: (page, cause).
update page set state = 'delivered', delivered_at = coalesce(delivered_at, clock_now()), outcome = $2,
    wall_lease_until = null
where id = $1
returning incident, recipient, channel, step,
    (select place from incident where incident.id = page.incident) as place,
    (select display from app_user where app_user.id = page.recipient) as display;

-- name: add_delivery
-- Count a confirmed delivery.
insert into delivery (page) values ($1);

-- name: page_retried
-- Hand a page back to be tried later, if the lease is still ours: (page, attempt, cause, pause, least wall seconds).
-- The pause is shorter on a clock that runs fast, or a rehearsal would climb past a dead channel before it falls over.
update page set state = 'due', outcome = $3, wall_lease_until = null,
    wall_retry_at = clock_timestamp()
        + make_interval(secs => greatest($4::float8 / greatest((select factor from clock), 1), $5::float8))
where id = $1 and attempts = $2 and state = 'sending';

-- name: page_released
-- Hand a page back untried, if the lease is still ours: (page, attempt).
update page set state = 'due', attempts = attempts - 1, wall_lease_until = null
where id = $1 and attempts = $2 and state = 'sending';

-- name: page_failed
-- Give a page up, if the lease is still ours: (page, attempt, cause).
update page set state = 'failed', outcome = $3, wall_lease_until = null
where id = $1 and attempts = $2 and state = 'sending'
returning id, incident, task, step, loop, recipient, channel, fallbacks, reason, received_at,
    (select place from incident where incident.id = page.incident) as place,
    (select display from app_user where app_user.id = page.recipient) as display;

-- name: pages_waiting
-- Name the channels that have pages due.
select distinct channel from page where state in ('due', 'sending');

-- name: fault_place
-- List the codes of counties, where faults of the platform itself belong.
select code from area where length(code) = 6 order by code;

-- name: find_fault
-- Find the open case of a fault.
select id, place, alert_open from incident
where fault = $1 and state not in ('closed', 'reviewed', 'false_alarm', 'merged') for no key update;

-- name: set_alarm
-- Note whether the cause of a case lasts: (incident, lasts).
update incident set alert_open = $2, version = version + 1, changed_at = clock_now() where id = $1;

-- name: open_by_grade
-- Count open cases by grade, without drills.
select grade, count(*) as count from incident
where state not in ('closed', 'reviewed', 'false_alarm', 'merged') and not drill group by grade;

-- name: note_change
-- Tell live pages of a change: (kind, ref, area). Last in its transaction.
select note_change($1, $2, $3);
