-- What units ask about their tasks.

-- name: lock_work
-- Take hold of a task of a case in an area: (task, area).
select task.id, task.incident, task.number, task.area, task.post, task.state, task.dispatched_at, task.due_at, task.passed,
    task.clock, incident.place, incident.fault, incident.grade,
    (select count(*)::int from plea where plea.task = task.id and outcome is not null) as anew
from task join incident on incident.id = task.incident
where task.id = $1 and case_within(incident.id, incident.place, $2) for no key update of task;

-- name: add_plea
-- Ask, once for each kind: (task, kind, item, reason, until, user, answer by); nothing comes back when it was asked before.
insert into plea (task, kind, item, reason, until, asked_by, answer_by) values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing returning task;

-- name: find_plea
-- Read what was asked: (task, kind).
select kind, item, reason, until, answer_by, outcome from plea where task = $1 and kind = $2 for no key update;

-- name: lock_due_plea
-- Take hold of the task whose plea should have been answered longest ago and that no other worker holds.
select plea.task, plea.kind from plea join task on task.id = plea.task
where plea.outcome is null and plea.answer_by <= clock_now()
order by plea.answer_by limit 1 for no key update of task skip locked;

-- name: settle_plea
-- Write what became of a plea: (task, kind, outcome, note, user).
update plea set outcome = $3, note = $4, answered_by = $5, answered_at = clock_now() where task = $1 and kind = $2;

-- name: end_rest
-- Note that a suspension ended before its time: (task).
update plea set until = clock_now() where task = $1 and kind = 'suspend' and until > clock_now();

-- name: put_work
-- Write a task anew: (task, area, post, state, dispatched, due, passed, next).
update task set area = $2, post = $3, state = $4, dispatched_at = $5, due_at = $6, passed = $7, next_at = $8 where id = $1;

-- name: pleas
-- List what was asked about the tasks of a case: (case).
select plea.task, plea.kind, plea.item, plea.reason, plea.until, plea.asked_at, plea.answer_by, plea.outcome, plea.note,
    plea.answered_at
from plea join task on task.id = plea.task where task.incident = $1 order by plea.asked_at, plea.kind;
