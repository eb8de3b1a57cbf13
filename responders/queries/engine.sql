-- Acknowledgements, grades that officers decide, and clocks that leap.

-- name: add_ack
-- Note that somebody acknowledged: (case, user, area, post, level, via); how many had before, nothing when he himself had.
insert into acknowledgement (incident, user_id, area, post, level, via) values ($1, $2, $3, $4, $5, $6)
on conflict (incident, user_id) where stands do nothing
returning (select count(*) from acknowledgement before where before.incident = $1 and before.stands);

-- name: acks
-- List the acknowledgements of a case that count, in order.
select user_id, area, post, level from acknowledgement where incident = $1 and stands order by at, user_id;

-- name: ack_rows
-- Show the acknowledgements of a case that count.
select acknowledgement.level, app_user.display as by, acknowledgement.at, acknowledgement.via
from acknowledgement join app_user on app_user.id = user_id where incident = $1 and stands order by at, user_id;

-- name: drop_acks
-- Ask for acknowledgements anew: what was given does not count any more.
update acknowledgement set stands = false where incident = $1 and stands;

-- name: withdraw_alarms_of
-- Withdraw pages not yet sent to some people, but those about tasks and about reports that the law asks for: (case, users).
update page set state = 'withdrawn', outcome = 'acknowledged'
where incident = $1 and state = 'due' and task is null and not starts_with(reason, 'legal_') and recipient = any($2::uuid[]);

-- name: post_of
-- Tell the post of an account.
select post from app_user where id = $1;

-- name: policy_of
-- Read the policy that a case goes by now, and whose it is: (case).
select (policies -> grade::text)::text as policy, place, post, drill from incident where id = $1;

-- name: complete_acks
-- Take a case for acknowledged, by whoever was first: (case).
update incident set acknowledged_at = clock_now(), next_at = null, hold = null, version = version + 1, changed_at = clock_now(),
    acknowledged_by = (select user_id from acknowledgement where incident = $1 and stands order by at, user_id limit 1)
where id = $1 and acknowledged_at is null;

-- name: decide_grade
-- Keep a grade that an officer decided, and the level it was decided at: (case, grade, last step of its policy).
update incident set grade = $2, graded_level = level, step = least(step, $3) where id = $1;

-- name: lock_mark
-- Read the clocks and the latest times that a worker saw of them; nothing comes back when another worker looks.
select wall_at, county_at, clock_timestamp() as wall_now, clock_now() as county_now, (select factor from clock) as factor
from clock_mark for no key update skip locked;

-- name: put_mark
-- Keep the latest times: (wall, county).
insert into clock_mark (wall_at, county_at) values ($1, $2)
on conflict (one) do update set wall_at = excluded.wall_at, county_at = excluded.county_at;

-- name: begin_mark
-- Keep the first times, if no worker has.
insert into clock_mark (wall_at, county_at) values (clock_timestamp(), clock_now()) on conflict do nothing;

-- name: timers_back
-- Bring the timers of paging along with a county clock that was set back: (seconds).
update incident set next_at = greatest(next_at - make_interval(secs => $1), clock_now())
where next_at > clock_now();

-- name: pages_back
-- Let pages wait no longer than they would have, when the wall clock was set back.
update page set
    wall_retry_at = least(wall_retry_at, clock_timestamp()),
    wall_lease_until = least(wall_lease_until, clock_timestamp() + interval '1 minute')
where state in ('due', 'sending')
    and (wall_retry_at > clock_timestamp() or wall_lease_until > clock_timestamp() + interval '1 minute');

-- name: page_anew
-- Note with a case that is paged anew how often its step was paged, and what holds it: (case, tries, hold).
update incident set tries = $2, hold = $3::jsonb where id = $1;

-- name: set_task_clock
-- Measure a task's time by another clock: (task, clock).
update task set clock = $2 where id = $1;
