-- Official warnings that end, and what our own alerts said at each version: what CAP messages are made of.

-- A cancellation names what it ends and may say nothing else. `part_of` names the message that held several warnings;
-- `ended_by` is the warning that replaced or cancelled this one, `ended_at` when, in the sender's words.
alter table bulletin
    alter column category drop not null,
    alter column level drop not null,
    add column status text not null default 'in_force' check (status in ('in_force', 'cancelled')),
    add column supersedes text[] not null default '{}',
    add column part_of text,
    add column exercise boolean not null default false,
    add column restricted boolean not null default false,
    add column ended_at timestamptz,
    add column ended_by uuid;
create index bulletin_own_id on bulletin (source, own_id);
create index bulletin_part_of on bulletin (source, part_of) where part_of is not null;

-- Of versions before this one only the newest is known in words; the others are not sent as messages.
alter table alert_version
    add column zh text,
    add column en text,
    add column evidence jsonb;
update alert_version set zh = alert.zh, en = alert.en, evidence = alert.evidence
from alert where alert.id = alert_version.alert and alert.version = alert_version.version;
create index alert_version_newest on alert_version (changed_at desc) where zh is not null;
