-- The record of a case is a chain of digests, and seals bind all records together: see docs/how-to/audit.md.

-- `number` counts the lines of one case from 1. `digest` is SHA-256 over the digest of the line before it (nothing for the
-- first) and the line's own text as `entry_text` writes it; responders/audit.py reckons the same without the database.
alter table incident_entry add column number integer, add column digest bytea;

create function entry_text(entry incident_entry) returns text language sql stable as $$
    select json_build_array(
        entry.incident::text,
        entry.number::text,
        (extract(epoch from entry.at) * 1000000)::bigint::text,
        entry.kind,
        entry.actor,
        coalesce(entry.user_id::text, ''),
        entry.text,
        entry.detail::text
    )::text
$$;

create function chain_entry() returns trigger language plpgsql as $$
declare
    before incident_entry;
begin
    -- whoever adds a line changes the case as well: this takes its lock a little earlier, so that chains do not fork
    perform from incident where id = new.incident for no key update;
    select * into before from incident_entry where incident = new.incident order by number desc limit 1;
    new.number := coalesce(before.number, 0) + 1;
    new.digest := sha256(coalesce(before.digest, ''::bytea) || convert_to(entry_text(new), 'UTF8'));
    return new;
end
$$;

alter table incident_entry disable trigger append_only;
do $$
declare
    line incident_entry;
    before incident_entry;
begin
    for line in select * from incident_entry order by incident, id loop
        if before.incident is distinct from line.incident then
            before := null;
        end if;
        line.number := coalesce(before.number, 0) + 1;
        line.digest := sha256(coalesce(before.digest, ''::bytea) || convert_to(entry_text(line), 'UTF8'));
        update incident_entry set number = line.number, digest = line.digest where id = line.id;
        before := line;
    end loop;
end
$$;
alter table incident_entry enable trigger append_only;

alter table incident_entry
    alter column number set not null,
    alter column digest set not null,
    add constraint incident_entry_number unique (incident, number);
create trigger chain before insert on incident_entry for each row execute function chain_entry();

-- A seal covers the lines with ids above the one before it up to `last_entry`: SHA-256 over the digest of the seal before it
-- and their digests in the order of ids. Whoever keeps a seal outside the house can prove later that nothing before it changed.
create table seal (
    number bigint primary key,
    at timestamptz not null default clock_now(),
    last_entry bigint not null,
    entries bigint not null,
    digest bytea not null
);
create trigger append_only before update or delete on seal for each row execute function refuse_change();
create trigger append_only_table before truncate on seal for each statement execute function refuse_change();
