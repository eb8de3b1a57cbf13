-- What command centres see: the map's shapes, and the situation of an area at once.

-- name: put_shape
-- Keep the shape of an area: (code, polygons).
insert into area_shape (code, polygons) values ($1, $2::jsonb)
on conflict (code) do update set polygons = excluded.polygons;

-- name: shapes_version
-- Name the state of all names and shapes of an area, from the digests that jsonb has of itself: (area).
select count(*) || '-' || to_hex(coalesce(bit_xor(
    jsonb_hash_extended(area.record, hashtextextended(area.code, 0))
    # coalesce(jsonb_hash_extended(area_shape.polygons, hashtextextended(area.code, 1)), 0)
), 0))
from area left join area_shape on area_shape.code = area.code where starts_with(area.code, $1);

-- name: shape_counts
-- Count the areas with a shape within an area, by the length of their codes: (area).
select length(area.code) as level, count(*) as count
from area left join area_shape on area_shape.code = area.code
where starts_with(area.code, $1)
    and (area_shape.code is not null or jsonb_array_length(coalesce(area.record -> 'outline', '[]')) >= 3)
group by 1;

-- name: shapes
-- Read names and shapes of areas of some levels, and of those right below without shapes, as GeoJSON has them: (area, lengths of
-- codes, the length of those right below).
select area.code, area.name, coalesce(area.record ->> 'name_en', '') as name_en, (area.record ->> 'lon')::float8 as lon,
    (area.record ->> 'lat')::float8 as lat,
    coalesce(area_shape.polygons, case
        when jsonb_array_length(coalesce(area.record -> 'outline', '[]')) >= 3
        then jsonb_build_array(jsonb_build_array(area.record -> 'outline'))
    end)::text as polygons
from area left join area_shape on area_shape.code = area.code
where starts_with(area.code, $1) and (length(area.code) = any($2::int[]) or length(area.code) = $3)
order by length(area.code), area.code;

-- name: areas_below
-- Name the areas right below an area, or itself where there are none: (area, digits).
select code, name, coalesce(record ->> 'name_en', '') as name_en from area
where starts_with(code, $1) and length(code) = $2 order by code;

-- name: cases_below
-- Count the open cases of an area by the area right below: (area, digits). Drills are counted apart.
select left(place, $2) as below,
    array_agg(level) filter (where not drill) as levels,
    count(*) filter (where drill) as drills,
    count(*) filter (where acknowledged_at is null and not drill) as unacknowledged,
    count(*) filter (where acknowledged_at is null and not drill and exists (
        select from incident_entry where incident_entry.incident = incident.id and kind = 'escalated'
    )) as climbed,
    min(opened_at) filter (where acknowledged_at is null and not drill) as waiting_since
from incident
where starts_with(place, $1) and state not in ('closed', 'reviewed', 'false_alarm', 'merged') group by 1;

-- name: tasks_below
-- Count the tasks of open cases that are not done, by the area right below: (area, digits).
select left(task.area, $2) as below, count(*) as tasks,
    count(*) filter (where task.due_at < clock_now() and task.state <> 'suspended') as late
from task join incident on incident.id = task.incident
where starts_with(task.area, $1) and task.state in ('dispatched', 'refused', 'accepted', 'on_site', 'suspended')
    and not incident.drill and incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
group by 1;

-- name: owed_reports
-- List the reports that open cases of an area owe and that have a limit or missed it: the missed and nearest ones first: (area,
-- limit).
select report_due.*, incident.title, incident.level, incident.drill, incident.place as of_place,
    coalesce(area.name, incident.place) as place_name, count(*) over () as total
from report_due join incident on incident.id = report_due.incident left join area on area.code = incident.place
where case_within(incident.id, incident.place, $1) and met_at is null and ended_at is null and due_at is not null
    and incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
order by due_at, report_due.incident, report_due.place limit $2;

-- name: joint_cases
-- List the open joint cases that people of an area may see, the gravest first: (area, limit).
select incident.id, incident.title, incident.level, incident.grade, incident.state, incident.drill, incident.opened_at,
    coalesce(area.name, incident.place) as place_name, coalesce(lead.name, joint_case.coordinator) as coordinator,
    array(
        select coalesce(party.name, case_party.area) from case_party left join area party on party.code = case_party.area
        where case_party.incident = incident.id and case_party.left_at is null order by case_party.joined_at, case_party.area
    ) as parties, count(*) over () as total
from joint_case join incident on incident.id = joint_case.incident
left join area on area.code = incident.place left join area lead on lead.code = joint_case.coordinator
where case_within(incident.id, incident.place, $1)
    and incident.state not in ('closed', 'reviewed', 'false_alarm', 'merged')
order by incident.level desc, incident.opened_at limit $2;

-- name: storms_around
-- List the storms of counties in an area or around it: (area).
select storm.county, coalesce(area.name, storm.county) as name, storm.began_at
from storm left join area on area.code = storm.county
where storm.ended_at is null and (starts_with(storm.county, $1) or starts_with($1, storm.county)) order by storm.began_at;

-- name: cases_lately
-- Count the cases that were opened in an area within so many minutes: (area, minutes).
select count(*) from incident
where starts_with(place, $1) and opened_at > clock_now() - make_interval(secs => $2 * 60) and not drill;

-- name: alarm_bins
-- Count by ten minutes what reached the people of an area, and how many of them had a duty then: (area, number of spans, roles).
-- The newest span is the one that ends now. A page counts once, however many channels brought it.
with bin as (
    select number, clock_now() - make_interval(secs => 600 * (number + 1)) as since,
        clock_now() - make_interval(secs => 600 * number) as until
    from generate_series(0, $2 - 1) number
), told as (
    select page.recipient, page.incident, page.step, page.loop, page.task, min(delivery.at) as at
    from delivery join page on page.id = delivery.page join app_user on app_user.id = page.recipient
    where delivery.at > clock_now() - make_interval(secs => 600 * $2) and delivery.at <= clock_now()
        and starts_with(app_user.area, $1) and app_user.role = any($3::text[])
    group by 1, 2, 3, 4, 5
), reached as (
    select recipient, floor(extract(epoch from clock_now() - at) / 600)::int as number, count(*) as count from told group by 1, 2
)
select bin.number, bin.since as at, coalesce(sum(reached.count), 0)::int as alarms, coalesce(max(reached.count), 0)::int as most,
    count(*) filter (where reached.count > 10)::int as flooded,
    greatest(count(reached.recipient), (
        select count(distinct shift.user_id) from shift join app_user on app_user.id = shift.user_id
        where starts_with(shift.area, $1) and shift.starts_at < bin.until and shift.ends_at > bin.since
            and app_user.role = any($3::text[]) and not app_user.disabled
    ))::int as operators
from bin left join reached on reached.number = bin.number
group by bin.number, bin.since, bin.until order by bin.number desc;
