-- Cases that are merged, split, dealt with jointly, or followed by a call-back.

-- name: parties_now
-- List the parties of a case, with who of each did something there first: what somebody acts on he has seen. (case)
select case_party.area, coalesce(area.name, case_party.area) as area_name, case_party.joined_at, first.at as seen_at,
    first.by as seen_by
from case_party left join area on area.code = case_party.area left join lateral (
    select incident_entry.at, app_user.display as by
    from incident_entry join app_user on app_user.id = incident_entry.user_id
    where incident_entry.incident = case_party.incident and incident_entry.at >= case_party.joined_at
        and starts_with(app_user.area, case_party.area)
    order by incident_entry.number limit 1
) first on true
where case_party.incident = $1 and case_party.left_at is null order by case_party.joined_at, case_party.area;

-- name: add_party
-- Make an area a party of a case; nothing comes back when it is one: (case, area).
insert into case_party (incident, area) values ($1, $2)
on conflict (incident, area) do update set joined_at = clock_now(), left_at = null where case_party.left_at is not null
returning area;

-- name: end_party
-- Let a party leave; nothing comes back when it is none: (case, area).
update case_party set left_at = clock_now() where incident = $1 and area = $2 and left_at is null returning area;

-- name: coordinator
-- Name who coordinates a joint case.
select coordinator from joint_case where incident = $1;

-- name: put_coordinator
-- Keep who coordinates a joint case: (case, area).
insert into joint_case (incident, coordinator) values ($1, $2)
on conflict (incident) do update set coordinator = excluded.coordinator;

-- name: end_joint
-- Note that a case is nobody's but its place's.
delete from joint_case where incident = $1;

-- name: has_open_task
-- Say whether a desk has an open task of a case: (case, area, post).
select exists (
    select from task where incident = $1 and area = $2 and post = $3 and state not in ('closed', 'rated', 'cancelled')
);

-- name: cancel_tasks_in
-- Cancel the open tasks of a case in an area: (case, area).
update task set state = 'cancelled', next_at = null
where incident = $1 and starts_with(area, $2) and state not in ('done', 'verified', 'closed', 'rated', 'cancelled')
returning id;

-- name: withdraw_task_pages
-- Withdraw pages about tasks that are not yet sent: (tasks).
update page set state = 'withdrawn', outcome = 'ended' where task = any($1::uuid[]) and state = 'due';

-- name: mark_merged
-- End a case as part of another one: (case, other).
update incident set state = 'merged', merged_into = $2, next_at = null, version = version + 1, changed_at = clock_now()
where id = $1;

-- name: move_alerts
-- Make the alerts of a case another's: (from, to).
update case_alert set incident = $2 where incident = $1 returning alert;

-- name: move_tasks
-- Make the open tasks of a case another's, numbered on from a number: (from, to, last number there).
update task set incident = $2, number = $3 + moved.place
from (
    select id, row_number() over (order by number) as place from task
    where incident = $1 and state not in ('closed', 'rated', 'cancelled')
) moved
where task.id = moved.id returning task.id;

-- name: move_task_pages
-- Let pages about tasks that are not yet sent tell of the case that has them now: (case, tasks).
update page set incident = $1 where task = any($2::uuid[]) and state in ('due', 'sending');

-- name: alerts_of_case
-- Read the alerts of a case, those that go on and are gravest first: (case).
select alert.id, alert.category, alert.domain, alert.place, alert.level, alert.zh, alert.en, alert.change
from case_alert join alert on alert.id = case_alert.alert where case_alert.incident = $1
order by alert.change = 'cleared', alert.level desc, alert.changed_at desc, alert.id;

-- name: set_lead
-- Name the alert at the head of a case: (case, alert).
update incident set alert = $2 where id = $1;

-- name: lock_task_of_case
-- Take hold of a task of a case that is held: (task).
select id, incident, area, post, state from task where id = $1 for no key update;

-- name: case_of_task
-- Name the case of a task.
select incident from task where id = $1;

-- name: rated_times
-- Count the call-backs of a task, or of a case (nil): (case, task).
select coalesce(max(number), 0) from rating where incident = $1 and task = $2;

-- name: add_rating
-- Keep a call-back: (case, task, number, reached, responded, resolved, satisfied, note, user).
insert into rating (incident, task, number, reached, responded, resolved, satisfied, note, rated_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: set_rated
-- Note that a task was followed by a call-back.
update task set state = 'rated' where id = $1;

-- name: ratings
-- List the call-backs of a case, oldest first; of each task the one with the highest number counts.
select nullif(rating.task, '00000000-0000-0000-0000-000000000000') as task, rating.number, rating.reached,
    rating.responded, rating.resolved, rating.satisfied, rating.note, app_user.display as rated_by, rating.rated_at
from rating join app_user on app_user.id = rating.rated_by where rating.incident = $1
order by rating.rated_at, rating.task, rating.number;

-- name: case_links
-- Read what a case was merged into: (case).
select merged_into, (select coordinator from joint_case where joint_case.incident = incident.id) as coordinator
from incident where id = $1;

-- name: knows_area
-- Say whether the registry knows an area.
select exists (select from area where code = $1);
