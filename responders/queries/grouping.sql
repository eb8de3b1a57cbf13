-- Groups of alerts and the cases that they are.

-- name: claim_group
-- Take hold of a key: (key, case, since). With the case given where the key is new; others of the key wait until commit.
insert into case_group (key, incident, since, members) values ($1, $2, $3, 1)
on conflict (key) do update set members = case_group.members
returning incident, since, members;

-- name: put_group
-- Say which case the next alert of a key joins: (key, case, since, members).
update case_group set incident = $2, since = $3, members = $4 where key = $1;

-- name: lock_incident
-- Take hold of a case, whoever asks, with what became of it.
select id, place, post, grade, state, policies, step, loop, next_at, acknowledged_at is not null as acknowledged, version,
    level, alert_open, fault, drill, merged_into, category, tries, hold, graded_level
from incident where id = $1 for no key update;

-- name: ended_at
-- Tell when a case was closed last.
select max(at) from incident_entry
where incident = $1 and kind = 'moved' and detail ->> 'to' = 'closed';

-- name: alarm_of_alerts
-- Bring a case to what its alerts say now, if the alert still is one of them: (case, alert). What goes on and is gravest
-- leads. A case that an officer described keeps his words and is as grave as he said at least; no alert says that it is over.
-- Comes back with how many go on.
update incident set
    level = case when incident.alert is null then greatest(incident.level, lead.level) else lead.level end,
    zh = case when incident.alert is null then incident.zh else lead.zh end,
    en = case when incident.alert is null then incident.en else lead.en end,
    alert_open = incident.alert is null or lead.change <> 'cleared',
    version = incident.version + 1, changed_at = clock_now()
from (
    select alert.level, alert.zh, alert.en, alert.change
    from case_alert join alert on alert.id = case_alert.alert
    where case_alert.incident = $1
    order by alert.change = 'cleared', alert.level desc, alert.changed_at desc, alert.id limit 1
) lead
where incident.id = $1 and exists (select from case_alert where alert = $2 and case_alert.incident = $1)
returning (
    select count(*) from case_alert join alert on alert.id = case_alert.alert
    where case_alert.incident = $1 and alert.change <> 'cleared'
);

-- name: reopen_incident
-- Open a case anew, to be acknowledged again: (case, grade, state, step, loop, next).
update incident set grade = $2, state = $3, step = $4, loop = $5, next_at = $6, acknowledged_at = null,
    acknowledged_by = null, holder = null, version = version + 1, changed_at = clock_now()
where id = $1;

-- name: next_task_number
-- Number the next task of a case that is held.
select coalesce(max(number), 0) + 1 from task where incident = $1;

-- name: case_alerts
-- List the alerts of a case, those that go on and are gravest first.
select alert.id, alert.version, alert.change, alert.category, alert.place, coalesce(area.name, alert.place) as place_name,
    alert.level, alert.zh, alert.en, alert.opened_at, alert.changed_at
from case_alert join alert on alert.id = case_alert.alert left join area on area.code = alert.place
where case_alert.incident = $1
order by alert.change = 'cleared', alert.level desc, alert.changed_at desc, alert.id;
