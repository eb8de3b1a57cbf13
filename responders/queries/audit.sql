-- The record of cases as evidence.

-- name: lock_record
-- Wait until no line is being added, and let none be added, and nobody else seal, until the end of the transaction.
lock table incident_entry in share row exclusive mode;

-- name: newest_seal
-- Read the newest seal.
select number, at, last_entry, entries, digest from seal order by number desc limit 1;

-- name: add_seal
-- Write a seal: (number, last entry, entries, digest); answers its time.
insert into seal (number, last_entry, entries, digest) values ($1, $2, $3, $4) returning at;

-- name: seals
-- List all seals.
select number, at, last_entry, entries, digest from seal order by number;

-- name: digests_after
-- List the digests of the lines after an id, in the order of ids: (id, most).
select id, digest from incident_entry where id > $1 order by id limit $2;

-- name: lines_after
-- List lines of cases after a place in the order of case and number: (incident, number, most).
select id, incident, number, (extract(epoch from at) * 1000000)::bigint as at, kind, actor,
    coalesce(user_id::text, '') as user_id, text, detail::text as detail, digest
from incident_entry where (incident, number) > ($1, $2) order by incident, number limit $3;
