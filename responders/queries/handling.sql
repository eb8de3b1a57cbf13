-- How cases were handled, counted.

-- name: climbs_by_level
-- Count by the digits of the recipients' areas how often a case or an overdue task was told to a level: one step at one
-- time counts once, however many people it pages.
select length(app_user.area) as digits, count(distinct (page.incident, page.task, page.step, page.loop)) as count
from page join app_user on app_user.id = page.recipient
where page.reason in ('not_acknowledged', 'top_repeats', 'task_overdue', 'task_long_overdue')
group by 1;

-- name: pleas_by_outcome
-- Count what units asked about their tasks, by kind and by what became of it ('open' while nobody has decided).
select kind, coalesce(outcome, 'open') as outcome, count(*) as count from plea group by 1, 2;

-- name: hand_overs_counted
-- Count hand-overs: all, signed ones, those signed in time, those about which both sides or a level above were paged, and
-- those that the next one replaced.
select count(*) as total, count(signed_at) as signed, count(*) filter (where signed_at <= sign_by) as in_time,
    count(*) filter (where rounds > 0) as paged_both, count(*) filter (where climbed > 0) as told_above,
    count(*) filter (where replaced) as replaced
from hand_over;

-- name: reports_counted
-- Count the reports that the law asks for of real cases: all, made in time, made late, missed and still to be made, still in
-- time, and those that are owed no more without being made.
select count(*) as total, count(*) filter (where missed_at is null and met_at <= due_at) as in_time,
    count(*) filter (where met_at is not null and (missed_at is not null or met_at > due_at)) as late,
    count(*) filter (where met_at is null and ended_at is null and missed_at is not null) as missed,
    count(*) filter (where met_at is null and ended_at is null and missed_at is null) as running,
    count(*) filter (where met_at is null and ended_at is not null) as ended
from report_due join incident on incident.id = report_due.incident where not incident.drill;
