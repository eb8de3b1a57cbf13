-- Reports that the law asks for: what cases owe, and what was made.

-- name: due_looks
-- Take hold of cases that were opened or changed and that no other worker holds, oldest change first: (limit).
select report_look.id as look, report_look.at, report_look.state, report_look.was, report_look.grade, incident.id,
    incident.category, incident.place, incident.post, incident.drill, incident.merged_into
from report_look join incident on incident.id = report_look.incident
order by report_look.id limit $1 for no key update of incident skip locked;

-- name: looks_of
-- List the changes of a case that is held: (case).
select report_look.id as look, report_look.at, report_look.state, report_look.was, report_look.grade, incident.id,
    incident.category, incident.place, incident.post, incident.drill, incident.merged_into
from report_look join incident on incident.id = report_look.incident where incident.id = $1 order by report_look.id;

-- name: looked
-- Be done with changes: (ids).
delete from report_look where id = any($1::bigint[]);

-- name: dues_of
-- List what cases owe and owed: (cases).
select * from report_due where incident = any($1::uuid[]) order by incident, place;

-- name: put_dues
-- Write what cases owe, as JSON.
insert into report_due select * from jsonb_populate_recordset(null::report_due, $1::jsonb)
on conflict (incident, place) do update set
    minutes = excluded.minutes, per_day = excluded.per_day, begun_at = excluded.begun_at, since = excluded.since,
    due_at = excluded.due_at, next_at = excluded.next_at, warned_at = excluded.warned_at, missed_at = excluded.missed_at,
    met_at = excluded.met_at, ended_at = excluded.ended_at, end_reason = excluded.end_reason;

-- name: lock_due_report
-- Take hold of the case with the report whose timer ran out longest ago and that no other worker holds; one whose latest change
-- was not looked at yet comes later.
select report_due.incident, report_due.place as number, incident.place
from report_due join incident on incident.id = report_due.incident
where report_due.next_at <= clock_now()
    and not exists (select from report_look where report_look.incident = report_due.incident)
order by report_due.next_at limit 1 for no key update of incident skip locked;

-- name: lock_ahead
-- Take hold of a case with a report that was owed later than it is now: the clock was set back. (slack in seconds)
select report_due.incident from report_due join incident on incident.id = report_due.incident
where report_due.next_at is not null and report_due.begun_at > clock_now() + make_interval(secs => $1)
order by report_due.begun_at limit 1 for no key update of incident skip locked;

-- name: place_of_case
-- Tell where a case is.
select place from incident where id = $1;

-- name: versions_of
-- List the reports of a case as they were made, oldest first: (case).
select case_report.id, case_report.kind, case_report.number, case_report.by, case_report.area,
    coalesce(area.name, case_report.area) as area_name, case_report."to", case_report.form, case_report.text,
    encode(case_report.digest, 'hex') as digest, case_report.post, case_report.at
from case_report left join area on area.code = case_report.area where incident = $1 order by at, kind, number;

-- name: add_version
-- Keep a report as it was made: (id, case, kind, by, area, to, form, text, digest, user, post); answers its number.
insert into case_report (id, incident, kind, number, by, area, "to", form, text, digest, made_by, post)
select $1, $2, $3, 1 + count(*), $4, $5, $6, $7, $8, $9, $10, $11 from case_report where incident = $2 and kind = $3
returning number;

-- name: alert_begins
-- Tell when the alerts of a case began, and what they rest on: (case).
select alert.opened_at, alert.place, coalesce(area.name, alert.place) as place_name
from case_alert join alert on alert.id = case_alert.alert left join area on area.code = alert.place
where case_alert.incident = $1 order by alert.opened_at;
