-- Personal data: what a case's callers and reporters said, masked; opening it for a reason, which is on record.

-- name: sources_of_case
-- List tickets and reports of a case's place and categories about the time of it, newest first, masked as they are kept:
-- (incident, area of the viewer, categories, limit).
with about as (
    select incident.place, incident.opened_at - interval '3 days' as since,
        coalesce((select max(at) from incident_entry where incident_entry.incident = incident.id), clock_now()) as until
    from incident where id = $1 and case_within(id, place, $2)
)
select 'ticket' as kind, ticket.id, ticket.area, coalesce(area.name, ticket.area) as area_name, ticket.category,
    ticket.text, ticket.address, ticket.observed_at, ticket.sealed is not null as sealed
from about join ticket on starts_with(ticket.area, about.place) and ticket.category = any($3::text[])
    and ticket.observed_at between about.since and about.until
left join area on area.code = ticket.area
where starts_with(ticket.area, $2)
union all
select 'report', report.id, report.area, coalesce(area.name, report.area), report.category, report.text, null,
    report.observed_at, report.sealed is not null
from about join report on starts_with(report.area, about.place) and report.category = any($3::text[])
    and report.observed_at between about.since and about.until
left join area on area.code = report.area
where starts_with(report.area, $2)
order by observed_at desc, id limit $4;

-- name: sealed_ticket
-- Read what is sealed with a ticket of an area: (ticket, area).
select sealed, area, text from ticket where id = $1 and starts_with(area, $2);

-- name: sealed_report
-- Read what is sealed with a report of an area: (report, area).
select sealed, area, text from report where id = $1 and starts_with(area, $2);

-- name: add_personal_access
-- Put a reading of personal data on record: (user, kind, subject, reason, line of the record of administration).
insert into personal_access (user_id, subject_kind, subject, reason, entry) values ($1, $2, $3, $4, $5);

-- name: personal_reads_today
-- Count a person's readings of personal data since the county's midnight: (user).
select count(*) from personal_access
where user_id = $1 and at >= (date_trunc('day', clock_now() at time zone 'Asia/Shanghai') at time zone 'Asia/Shanghai');
