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
    level, alert_open, fault, drill, category, tries, hold, graded_level
from incident where id = (select incident from case_alert where alert = $1) for no key update;

-- name: join_case
-- Note which case an alert belongs to: (alert, case).
insert into case_alert (alert, incident) values ($1, $2)
on conflict (alert) do update set incident = excluded.incident;

-- name: lock_due_incident
-- Take hold of the case whose timer ran out longest ago and that no other worker holds.
select id, place, post, grade, state, policies, step, loop, next_at, acknowledged_at is not null as acknowledged, version,
    level, alert_open, fault, drill, category, tries, hold, graded_level
from incident
where next_at <= clock_now() order by next_at limit 1 for no key update skip locked;

-- name: set_timer
-- Go on to a step, held by nothing, if the case is still open, unacknowledged and of the version that was decided about:
-- (case, version, step, loop, next, tries).
update incident set step = $3, loop = $4, next_at = $5, tries = $6, hold = null, version = version + 1, changed_at = clock_now()
where id = $1 and version = $2 and acknowledged_at is null
    and state not in ('closed', 'reviewed', 'false_alarm', 'merged')
returning version;

-- name: stop_timer
-- Page nobody any more about a case.
update incident set next_at = null, hold = null where id = $1;

-- name: raise_grade
-- Make a case graver: it needs a new acknowledgement. (incident, grade, state, step, loop, next)
update incident set grade = $2, state = $3, step = $4, loop = $5, next_at = $6, acknowledged_at = null,
    acknowledged_by = null
where id = $1;

-- name: lock_due_task
-- Take hold of the task whose deadline passed longest ago and that no other worker holds. `rests_until` is the end of a
-- suspension that is not over yet: its unit has taken the task up before.
select id, incident, number, area, post, state, dispatched_at, due_at, passed, clock,
    (select grade from incident where incident.id = task.incident) as grade,
    (select count(*)::int from plea where plea.task = task.id and outcome is not null) as anew,
    (
        select until from plea
        where plea.task = task.id and kind = 'suspend' and outcome = 'granted' and until > clock_now()
    ) as rests_until
from task
where next_at <= clock_now() order by next_at limit 1 for no key update skip locked;

-- name: get_incident
-- Read a case without holding it.
select id, place, post, grade, state, policies, step, loop, next_at, acknowledged_at is not null as acknowledged, version,
    level, alert_open, fault, drill, category, tries, hold, graded_level
from incident where id = $1;

-- name: set_deadline
-- Note which deadline of a task was acted on (150 and as many as it was brought up again after that), and when it is looked
-- at next: (task, percent, next).
update task set passed = $2, next_at = $3 where id = $1;

-- name: not_announced
-- Name those of some pages that live pages were not told of: (pages).
select ref from unnest($1::text[]) as page (ref)
where not exists (select from change where kind = 'page' and change.ref = page.ref);

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
