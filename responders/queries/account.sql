-- Counting what is stored.

-- name: count_rows
-- Count the rows of each table that somebody asks about.
select 'ticket' as name, count(*) from ticket
union all select 'report', count(*) from report
union all select 'bulletin', count(*) from bulletin
union all select 'rollup', count(*) from rollup
union all select 'late_reading', count(*) from late_reading
union all select 'rejected', count(*) from rejected
union all select 'alert', count(*) from alert
union all select 'alert_version', count(*) from alert_version
union all select 'incident', count(*) from incident
union all select 'task', count(*) from task
union all select 'page', count(*) from page
union all select 'delivery', count(*) from delivery;

-- name: count_readings
-- Count the readings in effect, without late ones.
select coalesce(sum(count), 0) from rollup;

-- name: alert_versions
-- List all versions of all alerts that somebody was told of; what is held back pages nobody and counts as no alert, nor does
-- a drill.
select alert, alert_version.version, alert_version.change, domain, category, place, alert_version.level,
    alert_version.opened_at, alert_version.changed_at, alert_version.received_at, alert_version.recorded_at
from alert_version join alert on alert.id = alert_version.alert
where alert_version.held_back is null and not alert.drill
order by alert_version.changed_at, alert, version;

-- name: incidents_by_state
-- Count cases by state, without drills.
select state as name, count(*) from incident where not drill group by state;

-- name: tasks_by_state
-- Count tasks by state, without those of drills.
select task.state as name, count(*) from task join incident on incident.id = task.incident where not drill group by 1;

-- name: pages_by_state
-- Count pages by state.
select state as name, count(*) from page group by state;

-- name: pages_by_channel
-- Count delivered pages by channel.
select channel as name, count(*) from page where state = 'delivered' group by channel;

-- name: repeated_pages
-- Count (incident, step, loop, recipient, channel) that were delivered more than once.
select count(*) from (
    select from page join delivery on delivery.page = page.id
    group by page.incident, page.step, page.loop, page.recipient, page.channel having count(*) > 1
) repeated;

-- name: escalations
-- Count climbs and repeats after the first pages of a case, and reminders beyond a task's own unit.
select count(*) from incident_entry where kind in ('escalated', 'task_escalated');

-- name: alert_latency
-- Measure wall milliseconds from receipt to the alert's row, since the clock runs as it does now.
select percentile_cont(array[0.5, 0.99]) within group (
    order by extract(epoch from alert_version.recorded_at - alert_version.received_at) * 1000 / (select nullif(factor, 0) from clock)
) from alert_version join alert on alert.id = alert_version.alert
where alert_version.change = 'raised' and not drill and alert_version.received_at > (select county_anchor from clock);

-- name: page_latency
-- Measure wall milliseconds from receipt to the first delivered page of a new case.
select percentile_cont(array[0.5, 0.99]) within group (order by milliseconds) from (
    select extract(epoch from min(delivered_at) - min(received_at)) * 1000 / (select nullif(factor, 0) from clock)
        as milliseconds
    from page where reason = 'opened' and state = 'delivered' and received_at > (select county_anchor from clock)
        and incident in (select id from incident where alert is not null and not drill)
    group by incident
) measured;

-- name: stored_minutes
-- Count readings in effect by series and minute, late ones included.
select series, minute, sum(count)::bigint as count from (
    select series_number.series, minute, count from rollup join series_number on number = rollup.series
    union all
    select series, floor(extract(epoch from observed_at) / 60)::integer, count(*) from late_reading group by 1, 2
) counted group by 1, 2;

-- name: stored_ids
-- Collect the ids of inputs in effect, and of accepted inputs that were rejected later.
select id from ticket union all select id from report union all select id from bulletin
union all select unnest(ids) from rejected;
