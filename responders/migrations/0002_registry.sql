-- Devices, what gateways saw of them, and who changed the registry. An outbox value may be empty: the key is gone.

alter table outbox alter column value drop not null;

-- Deferred, so that two devices may change places within one import.
create table device (
    id text primary key,
    protocol text not null,
    address text not null,
    area text collate "C" not null,
    record jsonb not null,
    unique (protocol, address) deferrable initially deferred
);
create index device_area on device (area);
create index series_area on series (area);
create index series_device on series ((record ->> 'device'));

-- The newest word of each gateway; `seen_at` is county time, `wall_at` is when we heard of it.
create table sighting (
    protocol text not null,
    address text not null,
    gateway text not null,
    device text,
    peer text not null,
    seen_at timestamptz not null,
    packets bigint not null,
    readings bigint not null,
    refused bigint not null,
    connected boolean not null,
    problem text not null,
    clock_offset_seconds double precision,
    channels text[] not null,
    wall_at timestamptz not null default clock_timestamp(),
    primary key (protocol, address, gateway)
);

-- A device as all gateways together see it: counts are summed, the rest is of the newest word. A device whose gateway
-- gives no sign of life is connected to nobody.
create view seen_device as
select distinct on (protocol, address)
    protocol, address, gateway, peer, seen_at, problem, clock_offset_seconds, channels,
    (sum(packets) over each)::bigint as packets,
    (sum(readings) over each)::bigint as readings,
    (sum(refused) over each)::bigint as refused,
    bool_or(connected and coalesce(heartbeat.wall_at > clock_timestamp() - interval '30 seconds', false)) over each
        as connected
from sighting left join heartbeat on heartbeat.component = 'gateway' and heartbeat.instance = sighting.gateway
window each as (partition by protocol, address)
order by protocol, address, seen_at desc, sighting.wall_at desc;

-- Who changed what; `fields` holds [before, after] by field, never a secret.
create table registry_change (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_now(),
    wall_at timestamptz not null default clock_timestamp(),
    actor text not null,
    user_id uuid references app_user,
    kind text not null check (kind in ('device', 'series')),
    ref text not null,
    area text collate "C" not null,
    action text not null check (action in ('added', 'changed', 'removed')),
    fields jsonb not null
);
create index registry_change_ref on registry_change (kind, ref, id);

create function refuse_registry_change() returns trigger language plpgsql as $$
begin
    raise exception 'the record of the registry is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger append_only before update or delete on registry_change
    for each row execute function refuse_registry_change();
create trigger append_only_table before truncate on registry_change
    for each statement execute function refuse_registry_change();
