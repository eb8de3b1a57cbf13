-- What grid workers see and send in the field app.

-- name: field_areas
-- List an area and what lies in it, two levels down: (area).
select code, name, coalesce(record ->> 'name_en', '') as name_en from area
where starts_with(code, $1) and length(code) <= length($1) + 6 order by code;

-- name: field_tasks
-- List tasks in an area that are not over, of open cases, by deadline: (area, limit).
select task.id, task.incident, task.area, task.post, coalesce(area.name, task.area) as area_name, task.state,
    task.dispatched_at, task.due_at, incident.category, incident.level, incident.grade, incident.title, incident.zh, incident.en,
    coalesce(place.name, incident.place) as place_name, coalesce(place.record ->> 'name_en', '') as place_name_en, incident.drill
from task
join incident on incident.id = task.incident
left join area on area.code = task.area
left join area place on place.code = incident.place
where starts_with(task.area, $1) and case_within(incident.id, incident.place, $1)
    and task.state in ('dispatched', 'refused', 'accepted', 'on_site', 'suspended', 'done')
    and incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
order by task.state = 'done', task.due_at, task.id limit $2;

-- name: field_pleas
-- List what was asked about some tasks: (tasks).
select task, kind, until, outcome, note from plea where task = any($1::uuid[]) order by asked_at, kind;

-- name: has_terminal
-- Say whether a grid worker's account belongs to an area, which can then be given tasks.
select exists (select from app_user where role = 'grid' and area = $1 and not disabled);

-- name: find_field_report
-- Find a report that was taken: (report).
select field_report.report as id, field_report.client_id, field_report.user_id, field_report.masked, report.observed_at,
    report.received_at
from field_report join report on report.id = field_report.report where field_report.report = $1;

-- name: add_field_report
-- Keep what only the field app knows; nothing comes back when the report is there: (report, client, user, level, masked).
insert into field_report (report, client_id, user_id, level, masked) values ($1, $2, $3, $4, $5)
on conflict do nothing returning report;

-- name: own_field_reports
-- List the newest reports of an account: (user, limit).
select report.id, report.area, coalesce(area.name, report.area) as area_name,
    coalesce(area.record ->> 'name_en', '') as area_name_en, report.category, field_report.level, report.text,
    report.observed_at, report.received_at, report_photo.report is not null as photo
from field_report
join report on report.id = field_report.report
left join area on area.code = report.area
left join report_photo on report_photo.report = field_report.report
where field_report.user_id = $1 order by field_report.at desc, report.id limit $2;

-- name: case_field_reports
-- List reports from the field about a case that is seen: its category, in its place, from a day before it opened until it
-- ended: (case, area, limit).
select report.id, report.area, coalesce(area.name, report.area) as area_name,
    coalesce(area.record ->> 'name_en', '') as area_name_en, report.category, field_report.level, report.text,
    report.observed_at, report.received_at, report_photo.report is not null as photo
from incident
join report on report.source = 'field-app' and report.category = incident.category
    and starts_with(report.area, incident.place) and report.observed_at >= incident.opened_at - interval '24 hours'
    and (
        incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged') or report.observed_at <= incident.changed_at
    )
join field_report on field_report.report = report.id
left join area on area.code = report.area
left join report_photo on report_photo.report = report.id
where incident.id = $1 and case_within(incident.id, incident.place, $2)
order by report.observed_at desc, report.id limit $3;

-- name: add_photo
-- Keep the photo of a report; nothing comes back when it has one: (report, JPEG, width, height).
insert into report_photo (report, jpeg, width, height) values ($1, $2, $3, $4)
on conflict do nothing returning report;

-- name: photo_size
-- Tell how large the photo of a report is.
select width, height from report_photo where report = $1;

-- name: find_photo
-- Read a photo that people of an area may see: its report lies there, or it is one of a joint case that they have part in:
-- (report, area).
select report_photo.jpeg from report_photo join report on report.id = report_photo.report
where report_photo.report = $1 and (
    starts_with(report.area, $2)
    or exists (
        select from case_party join incident on incident.id = case_party.incident
        where case_party.left_at is null and starts_with(case_party.area, $2) and incident.category = report.category
            and starts_with(report.area, incident.place) and report.observed_at >= incident.opened_at - interval '24 hours'
            and (
                incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
                or report.observed_at <= incident.changed_at
            )
    )
);

-- name: prune_field_outbox
-- Forget published copies of reports from the field that every reader has had time for; they stay in `report`: (seconds).
delete from outbox using field_report, report
where outbox.topic = 'feed.reports' and outbox.published and report.id = field_report.report
    and field_report.at < clock_now() - make_interval(secs => $1)
    and outbox.key = left(report.area, 9) || '/' || report.id;
