-- Devices, series and their limits: what operators change, and what gateways saw of devices.

-- name: lock_registry
-- Become the only one who changes devices and series until the transaction ends.
select pg_advisory_xact_lock(990101, 3);

-- name: put_device
-- Add or replace a device: (id, protocol, address, area, record).
insert into device (id, protocol, address, area, record) values ($1, $2, $3, $4, $5::jsonb)
on conflict (id) do update set
    protocol = excluded.protocol, address = excluded.address, area = excluded.area, record = excluded.record;

-- name: remove_devices
-- Remove devices; comes back with those that were there: (ids).
delete from device where id = any($1::text[]) returning id;

-- name: remove_series
-- Remove series; comes back with those that were there: (ids).
delete from series where id = any($1::text[]) returning id;

-- name: list_devices
-- List the records of all devices.
select record from device order by id;

-- name: list_sources
-- List the records of all sources.
select record from source order by slug;

-- name: area_codes
-- List the codes of all areas.
select code from area;

-- name: put_sighting
-- Keep the newest word of a gateway on a device. One that lies ahead of the clock was told on another clock.
insert into sighting (
    protocol, address, gateway, device, peer, seen_at, packets, readings, refused, connected, problem,
    clock_offset_seconds, channels
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (protocol, address, gateway) do update set
    device = excluded.device, peer = excluded.peer, seen_at = excluded.seen_at, packets = excluded.packets,
    readings = excluded.readings, refused = excluded.refused, connected = excluded.connected,
    problem = excluded.problem, clock_offset_seconds = excluded.clock_offset_seconds, channels = excluded.channels,
    wall_at = clock_timestamp()
where sighting.seen_at <= excluded.seen_at or sighting.seen_at > clock_now();

-- name: list_sightings
-- List what each gateway saw of each device.
select protocol, address, device, gateway, peer, seen_at, packets, readings, refused, connected, problem,
    clock_offset_seconds, channels
from sighting order by protocol, address, gateway;

-- name: prune_sightings
-- Forget what gateways said that are long gone: (seconds of wall time for what a newer one replaced, and for all).
delete from sighting
where wall_at < clock_timestamp() - make_interval(secs => $2)
    or (wall_at < clock_timestamp() - make_interval(secs => $1) and exists (
        select from sighting newer
        where (newer.protocol, newer.address) = (sighting.protocol, sighting.address) and newer.wall_at > sighting.wall_at
    ));

-- name: add_registry_change
-- Write down who changed what: (actor, user, kind, ref, area, action, fields).
insert into registry_change (actor, user_id, kind, ref, area, action, fields)
values ($1, $2, $3, $4, $5, $6, $7::jsonb);

-- name: aqi_series
-- List the records of series with a limit that is stated as an air quality index.
select record from series where record @? '$.limits[*].aqi ? (@ != null)' order by id;

-- name: registry_changes
-- List changes of an area, newest first: (area, kind or null, ref or null, limit, before an id or null).
select id, at, actor, kind, ref, area, action, fields from registry_change
where starts_with(area, $1) and ($2::text is null or kind = $2) and ($3::text is null or ref = $3)
    and ($5::bigint is null or id < $5)
order by id desc limit $4;

-- name: devices_of
-- List devices of an area with what was seen of them: (area, words, area prefix, source, id or null, only problems,
-- limit). A device has a problem that is away, was never seen, had its newest packet refused or has a clock a minute off.
with found as (
    select device.id, device.protocol, device.address, device.area, coalesce(area.name, device.area) as area_name,
        device.record ->> 'name' as name, device.record ->> 'station' as station, device.record ->> 'source' as source,
        (device.record ->> 'sealed') is not null as secrets, (device.record ->> 'lat')::float8 as lat,
        (device.record ->> 'lon')::float8 as lon, seen.seen_at, coalesce(seen.connected, false) as connected,
        coalesce(seen.packets, 0) as packets, coalesce(seen.readings, 0) as readings,
        coalesce(seen.refused, 0) as refused, coalesce(seen.problem, '') as problem, seen.clock_offset_seconds,
        coalesce(seen.peer, '') as peer, coalesce(seen.channels, '{}') as channels,
        (select count(*) from series where series.record ->> 'device' = device.id) as series
    from device
    left join seen_device seen on seen.protocol = device.protocol and seen.address = device.address
    left join area on area.code = device.area
    where starts_with(device.area, $1) and starts_with(device.area, $3)
        and ($4::text = '' or device.record ->> 'source' = $4) and ($5::text is null or device.id = $5)
)
select *, count(*) over () as total from found
where ($2::text[] = '{}' or lower(concat_ws(' ', id, name, station, address, area_name, area)) like all ($2))
    and (not $6 or not connected or problem <> '' or seen_at is null or abs(coalesce(clock_offset_seconds, 0)) > 60)
order by area, station, id limit $7;

-- name: unregistered
-- List devices that nobody registered, newest first: (words, limit).
select seen.protocol, seen.address, seen.gateway, seen.peer, seen.seen_at, seen.connected, seen.packets, seen.readings,
    seen.refused, seen.problem, seen.clock_offset_seconds, seen.channels, count(*) over () as total
from seen_device seen
where not exists (select from device where (device.protocol, device.address) = (seen.protocol, seen.address))
    and ($1::text[] = '{}' or lower(concat_ws(' ', seen.protocol, seen.address, seen.peer)) like all ($1))
order by seen.seen_at desc, seen.address limit $2;

-- name: series_rows
-- List series of an area with their newest minute: (area, words, area prefix, source, id or null, device or null,
-- only problems, limit). A series has a problem that sent nothing for five intervals, and a quarter of an hour at least.
with found as (
    select series.id, series.record, coalesce(area.name, series.area) as area_name, newest.minute, newest.last, newest.good,
        coalesce(
            to_timestamp(newest.minute::bigint * 60) < clock_now() - make_interval(
                secs => greatest(900, 5 * (series.record ->> 'interval_seconds')::float8)), true
        ) as silent
    from series
    left join area on area.code = series.area
    left join series_number on series_number.series = series.id
    left join lateral (
        select minute, last, good from rollup where rollup.series = series_number.number order by minute desc limit 1
    ) newest on true
    where starts_with(series.area, $1) and starts_with(series.area, $3)
        and ($4::text = '' or series.record ->> 'source' = $4) and ($5::text is null or series.id = $5)
        and ($6::text is null or series.record ->> 'device' = $6)
        and ($2::text[] = '{}' or lower(concat_ws(' ', series.id, series.record ->> 'name', series.record ->> 'quantity',
            series.record ->> 'device', series.area, area.name)) like all ($2))
)
select id, record, area_name, minute, last, good, silent, count(*) over () as total from found
where not $7 or silent
order by id limit $8;

-- name: areas_of
-- List code and name of the areas of an area: (area, limit).
select code, name from area where starts_with(code, $1) order by code limit $2;
