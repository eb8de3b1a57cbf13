-- What grid workers report from their phones. The report itself is in `report`, as one from any other source; here is what
-- only the field app knows of it. One row for each UUID that a phone made: the same again is the same report.
create table field_report (
    report uuid primary key,
    client_id uuid not null unique,
    user_id uuid not null references app_user,
    level integer not null check (level between 1 and 4),
    masked boolean not null,
    at timestamptz not null default clock_now()
);
create index field_report_user on field_report (user_id, at);
create index field_report_at on field_report (at);

-- A photo of a report, small and without metadata (dashboards/photos.py); compressed already, so that PostgreSQL need not try.
create table report_photo (
    report uuid primary key references field_report,
    jpeg bytea not null check (octet_length(jpeg) <= 1048576),
    width integer not null,
    height integer not null,
    at timestamptz not null default clock_now()
);
alter table report_photo alter column jpeg set storage external;

-- Cases ask for the reports about them by category and place.
create index report_of_category on report (category, area, observed_at) where source = 'field-app';
