-- Which case an alert belongs to: its own, or one that it joined.
create table case_alert (
    alert uuid primary key references alert,
    incident uuid not null references incident
);
create index case_alert_incident on case_alert (incident);
insert into case_alert (alert, incident) select alert, id from incident where alert is not null;
