-- Logs of days (值班日志) and special reports (信息专报).

-- name: day_shifts
-- List who had a duty in an area within a span, as far as it lies in it: (area, from, until).
select shift.area, coalesce(area.name, shift.area) as area_name, shift.post, app_user.display,
    greatest(shift.starts_at, $2) as starts_at, least(shift.ends_at, $3) as ends_at
from shift join app_user on app_user.id = shift.user_id left join area on area.code = shift.area
where shift.area = $1 and shift.starts_at < $3 and shift.ends_at > $2 order by shift.post, starts_at, app_user.display;

-- name: day_hand_overs
-- List the hand-overs of an area within a span, by the posts' names: (area, from, until).
select post, at, signed_at, remark,
    array(select display from app_user where id = any(outgoing) order by display) as outgoing,
    array(select display from app_user where id = any(incoming) order by display) as incoming,
    (select display from app_user where id = signed_by) as signed_by
from hand_over where area = $1 and at >= $2 and at < $3 order by at, post;

-- name: day_cases
-- List the cases of an area that were opened before the end of a span and had not ended before it began: (area, from, until).
select incident.id, incident.title, coalesce(area.name, incident.place) as place_name, incident.level, incident.grade,
    incident.state, incident.drill, incident.opened_at, incident.acknowledged_at,
    (select display from app_user where app_user.id = incident.acknowledged_by) as acknowledged_by, ended.at as ended_at,
    incident.opened_at >= $2 as is_new,
    (select count(*) from incident_entry where incident_entry.incident = incident.id and at >= $2 and at < $3) as entries
from incident left join area on area.code = incident.place
left join lateral (
    select max(at) as at from incident_entry
    where incident_entry.incident = incident.id and incident.state in ('closed', 'reviewed', 'false_alarm', 'merged')
        and kind in ('moved', 'merged')
) ended on true
where case_within(incident.id, incident.place, $1) and incident.opened_at < $3 and coalesce(ended.at, $2) >= $2
order by incident.drill, incident.level desc, incident.opened_at, incident.id;

-- name: day_pages
-- Count the pages of an area's cases that were made within a span, by channel and state: (area, from, until).
select page.channel, page.state, count(*) as count
from page join incident on incident.id = page.incident
where starts_with(incident.place, $1) and page.created_at >= $2 and page.created_at < $3 group by 1, 2 order by 1, 2;

-- name: day_reports
-- List the reports of an area's cases that were made within a span: (area, from, until).
select incident.title, case_report.kind, case_report.number, case_report."to", case_report.form, case_report.post, case_report.at
from case_report join incident on incident.id = case_report.incident
where starts_with(incident.place, $1) and case_report.at >= $2 and case_report.at < $3 order by case_report.at;

-- name: day_missed
-- Count the reports of an area's cases whose limit was missed within a span: (area, from, until).
select count(*) from report_due join incident on incident.id = report_due.incident
where starts_with(incident.place, $1) and missed_at >= $2 and missed_at < $3;

-- name: day_notes
-- List what was noted of an area within a span: (area, from, until).
select id, at, text, post from day_note where area = $1 and at >= $2 and at < $3 order by at, id;

-- name: add_day_note
-- Note something of a day: (id, area, text, user, post).
insert into day_note (id, area, text, made_by, post) values ($1, $2, $3, $4, $5) on conflict (id) do nothing;

-- name: day_signatures
-- List the signatures of a day's log, oldest first: (area, day).
select number, post, at, remark, encode(digest, 'hex') as digest from day_log where area = $1 and day = $2 order by number;

-- name: lock_day
-- Become the only one who signs logs of an area until the transaction ends: (area).
select pg_advisory_xact_lock(990122, hashtext($1));

-- name: sign_day
-- Keep the log of a day as it is signed: (area, day, id, record, digest, remark, user, post).
insert into day_log (area, day, number, id, record, digest, remark, signed_by, post)
select $1, $2, 1 + count(*), $3, $4, $5, $6, $7, $8 from day_log where area = $1 and day = $2;

-- name: special_rows
-- List special reports of areas in an area, newest first: (area, limit, report or null).
select special_report.id, special_report.area, coalesce(area.name, special_report.area) as area_name, special_report.incident,
    special_report.drill, special_report.created_at, special_report.year, special_report.number, special_report.issued_at,
    text.version, text.title, text.situation, text.measures, text.next, text.post, text.at as written_at
from special_report
join lateral (
    select * from special_report_text where report = special_report.id order by version desc limit 1
) text on true
left join area on area.code = special_report.area
where starts_with(special_report.area, $1) and ($3::uuid is null or special_report.id = $3)
order by special_report.created_at desc, special_report.id limit $2;

-- name: add_special
-- Begin a special report; nothing comes back when it was begun before: (id, area, case or null, drill).
insert into special_report (id, area, incident, drill) values ($1, $2, $3, $4) on conflict (id) do nothing returning id;

-- name: lock_special
-- Take hold of a special report: (id, area).
select id, area, issued_at, (select max(version) from special_report_text where report = special_report.id) as version
from special_report where id = $1 and starts_with(area, $2) for update;

-- name: add_special_text
-- Keep a version of a text: (report, version, title, situation, measures, next, user, post).
insert into special_report_text (report, version, title, situation, measures, next, made_by, post)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: issue_special
-- Issue a special report under the next number of its area and year: (id, area, year, user).
update special_report set year = $3, issued_at = clock_now(), issued_by = $4,
    number = (select 1 + count(*) from special_report other where other.area = $2 and other.year = $3)
where id = $1;
