-- What the fusion says of an alert beside its evidence: the chance that it is true, why nobody is paged for it, and why it was
-- raised. An alert that is held back has a row and no incident until a version that is not, or an officer, opens one.
alter table alert add column chance double precision;
alter table alert add column held_back text;
alter table alert add column explanation jsonb;

alter table alert_version add column chance double precision;
alter table alert_version add column held_back text;
alter table alert_version add column explanation jsonb;

create index alert_held_back on alert (county, changed_at) where held_back is not null;
