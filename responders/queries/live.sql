-- What the hub of live pages reads, once for all of them.

-- name: changes_after
-- List the ids of changes after one: (id, limit).
select id from change where id > $1 order by id limit $2;

-- name: news
-- Read changes with the areas of their cases' parties: (ids).
select change.id, change.kind, change.ref, change.area, change.at, array(
    select case_party.area from case_party
    where case_party.left_at is null and case_party.incident = case change.kind
        when 'incident' then change.ref::uuid
        when 'page' then (select page.incident from page where page.id = change.ref::uuid)
    end
) as parties
from change where change.id = any($1::bigint[]) order by change.id;

-- name: rows_of_news
-- Read the cases that changed: (ids).
select * from incident_row where id = any($1::uuid[]);

-- name: watchers
-- Read the accounts that watch, as they are now; a disabled one is not among them: (ids).
select id, role, area from app_user where id = any($1::uuid[]) and not disabled;
