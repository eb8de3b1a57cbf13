-- What officers see of detection: alerts that nobody is paged for, and how well the model that ranks them keeps its word.

-- name: put_calibration
-- Keep the newest calibration of a county: (county, at, record).
insert into calibration (county, at, record) values ($1, $2, $3::jsonb)
on conflict (county) do update set at = excluded.at, record = excluded.record, recorded_at = clock_now()
where calibration.at < excluded.at;

-- name: calibrations
-- List the calibrations of counties that lie in an area or around it: (area, limit).
select record::text as record from calibration
where starts_with(county, $1) or starts_with($1, county) order by county limit $2;

-- name: held_back
-- List alerts of an area that are held back and have no case, those that go on first, the newest first: (area, limit).
-- What was cleared two weeks ago is history.
select
    alert.id, alert.version, alert.change, alert.category, alert.place, coalesce(area.name, alert.place) as place_name,
    alert.level, alert.held_back, alert.chance, alert.opened_at, alert.changed_at, alert.zh, alert.en
from alert
left join area on area.code = alert.place
where alert.held_back is not null and starts_with(alert.place, $1)
    and alert.changed_at > clock_now() - interval '336 hours'
    and not exists (select from case_alert where case_alert.alert = alert.id)
order by alert.change = 'cleared', alert.changed_at desc, alert.id limit $2;

-- name: lock_alert
-- Take hold of an alert of an area, with its case if it has one: (alert, area).
select id, change, domain, category, place, level, zh, en, held_back, chance, drill,
    (select received_at from alert_version where alert = alert.id and version = alert.version) as received_at,
    (select case_alert.incident from case_alert where case_alert.alert = alert.id) as incident
from alert where id = $1 and starts_with(place, $2) for update;

-- name: case_of_alert
-- Name the case of an alert in an area: (alert, area).
select id from incident
where id = (select incident from case_alert where alert = $1) and case_within(id, place, $2);
