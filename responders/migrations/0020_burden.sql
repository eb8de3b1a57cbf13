-- When a command was given, on the county clock: the burden meter counts by county days.
alter table request add column at timestamptz not null default clock_now();
create index request_at on request (at);
create index delivery_at on delivery (at);
