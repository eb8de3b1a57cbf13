-- The roster: rotations, stand-ins, exchanges, hand-overs, and the watch over desks.

-- name: lock_due_desk
-- Take hold of the desk to be looked at that no other worker holds; after the clock was set back all of them.
select area, post, on_duty, vacant_from, planned_until from desk
where next_at <= clock_now() or looked_at > clock_now()
order by next_at, area, post limit 1 for no key update skip locked;

-- name: lock_desk
-- Take hold of a desk, so that only one change of its roster is made at a time: (area, post).
select planned_until from desk where area = $1 and post = $2 for no key update;

-- name: add_desk
-- Note that there is a desk: (area, post).
insert into desk (area, post) values ($1, $2) on conflict do nothing;

-- name: desk_seen
-- Note what a look at a desk found: (area, post, on duty, told vacancy, looked at, next look).
update desk set on_duty = $3, vacant_from = $4, looked_at = $5, next_at = $6 where area = $1 and post = $2;

-- name: desk_planned
-- Note how far the rotation of a desk is planned: (area, post, until).
update desk set planned_until = $3 where area = $1 and post = $2;

-- name: desks_within
-- List the desks of an area: (area).
select desk.area, desk.post, desk.planned_until, coalesce(area.name, desk.area) as area_name
from desk left join area on area.code = desk.area where starts_with(desk.area, $1) order by desk.area, desk.post;

-- name: shifts_of
-- List the shifts of some desks that touch a time: (areas, since, until).
select shift.area, shift.post, shift.user_id, shift.starts_at, shift.ends_at, shift.planned, app_user.disabled
from shift join app_user on app_user.id = shift.user_id
where shift.area = any($1::text[]) and shift.ends_at > $2 and shift.starts_at < $3
order by shift.area, shift.post, shift.starts_at, app_user.login;

-- name: stand_ins_of
-- List who stands in at some desks in a time: (areas, since, until).
select stand_in.area, stand_in.post, stand_in.away, stand_in.instead, stand_in.starts_at, stand_in.ends_at,
    app_user.disabled
from stand_in join app_user on app_user.id = stand_in.instead
where stand_in.area = any($1::text[]) and stand_in.ends_at > $2 and stand_in.starts_at < $3;

-- name: rotations_of
-- List the rotations of some desks: (areas).
select area, post, starts_on, hand_over, crews, turn_hours from rotation
where area = any($1::text[]) order by area, post, starts_on, hand_over;

-- name: drop_rotations
-- Forget the rotations of a desk that begin on a day or later: (area, post, day).
delete from rotation where area = $1 and post = $2 and starts_on >= $3;

-- name: add_rotation
-- Add a rotation: (area, post, first day, hand-over, crews, hours of a turn).
insert into rotation (area, post, starts_on, hand_over, crews, turn_hours) values ($1, $2, $3, $4, $5::jsonb, $6)
on conflict (area, post, starts_on, hand_over) do update
    set crews = excluded.crews, turn_hours = excluded.turn_hours;

-- name: drop_planned
-- Take back what is planned of a desk from a time on: (area, post, from).
delete from shift where area = $1 and post = $2 and planned and starts_at >= $3;

-- name: cut_planned
-- End the planned shift that runs now: (area, post, now).
update shift set ends_at = $3 where area = $1 and post = $2 and planned and starts_at < $3 and ends_at > $3;

-- name: add_planned
-- Plan a shift of a rotation: (area, post, user, start, end).
insert into shift (area, post, user_id, starts_at, ends_at, planned) values ($1, $2, $3, $4, $5, true)
on conflict (area, post, user_id, starts_at) do update set ends_at = greatest(shift.ends_at, excluded.ends_at);

-- name: drop_shift
-- Take a shift back: (area, post, user, start).
delete from shift where area = $1 and post = $2 and user_id = $3 and starts_at = $4;

-- name: drop_stand_ins
-- Take back who stands in at a desk in a time, to be written anew at once: (area, post, from, until).
delete from stand_in where area = $1 and post = $2 and ends_at > $3 and starts_at < $4;

-- name: add_stand_in
-- Let somebody stand in: (area, post, away, instead, start, end).
insert into stand_in (area, post, away, instead, starts_at, ends_at) values ($1, $2, $3, $4, $5, $6);

-- name: people
-- Read accounts that are in use: (ids).
select id, display, role, area, channels from app_user where id = any($1::uuid[]) and not disabled;

-- name: display_names
-- Name accounts, those no longer in use too: (ids).
select id, display from app_user where id = any($1::uuid[]);

-- name: add_roster_change
-- Put a change on record: (kind, area, post, actor, user, note, before, after).
insert into roster_change (kind, area, post, actor, user_id, note, before, after)
values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb)
returning id, at, kind, area, post, actor, note, before::text, after::text;

-- name: roster_changes
-- List the newest changes of an area: (area, limit).
select id, at, kind, area, post, actor, note, before::text, after::text from roster_change
where starts_with(area, $1) order by id desc limit $2;

-- name: add_swap
-- Ask for an exchange: (id, area, post, asker, from, until, other, from, until, note).
insert into swap (id, area, post, asker, asker_from, asker_until, other, other_from, other_until, note)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing;

-- name: lock_swap
-- Take hold of an exchange of an area: (id, area).
select * from swap where id = $1 and starts_with(area, $2) for no key update;

-- name: answer_swap
-- Keep what the other one said: (id, agreed).
update swap set agreed = $2, answered_at = clock_now() where id = $1;

-- name: swap_rows
-- List exchanges of an area, newest first; of one where its id is given: (area, id, limit).
select swap.id, swap.area, swap.post, swap.asker, asker.display as asker_name, swap.asker_from, swap.asker_until,
    swap.other, other.display as other_name, swap.other_from, swap.other_until, swap.note, swap.asked_at, swap.agreed,
    swap.answered_at, swap.agreed is null and least(swap.asker_from, swap.other_from) <= clock_now() as lapsed
from swap join app_user asker on asker.id = swap.asker join app_user other on other.id = swap.other
where starts_with(swap.area, $1) and ($2::uuid is null or swap.id = $2) order by swap.asked_at desc, swap.id limit $3;

-- name: replace_hand_overs
-- Let a new hand-over of a desk replace those that nobody signed: (area, post). Tells how many there were.
with replaced as (
    update hand_over set replaced = true, next_at = null
    where area = $1 and post = $2 and signed_at is null and not replaced returning id
)
select count(*) from replaced;

-- name: add_hand_over
-- Hand a desk over: (id, area, post, at, noticed, outgoing, incoming, note, sign by).
insert into hand_over (id, area, post, at, noticed_at, outgoing, incoming, note, sign_by, next_at)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $9) on conflict do nothing returning id;

-- name: lock_due_hand_over
-- Take hold of the hand-over that should have been signed longest ago and that no other worker holds.
select id, area, post, at, noticed_at, outgoing, incoming, rounds, climbed, incident from hand_over
where next_at <= clock_now() order by next_at limit 1 for no key update skip locked;

-- name: hand_over_told
-- Note who was told of a hand-over that nobody signed: (id, next, levels, case).
update hand_over set rounds = rounds + 1, next_at = $2, climbed = $3, incident = $4 where id = $1;

-- name: lock_hand_over
-- Take hold of a hand-over of an area: (id, area).
select id, area, post, incoming, signed_at, replaced, incident from hand_over
where id = $1 and starts_with(area, $2) for no key update;

-- name: sign_hand_over
-- Sign a hand-over: (id, user, remark).
update hand_over set signed_at = clock_now(), signed_by = $2, remark = $3, next_at = null where id = $1;

-- name: hand_over_rows
-- List hand-overs of an area, newest first; of one where its id is given: (area, id, limit).
select hand_over.id, hand_over.area, hand_over.post, hand_over.at, hand_over.outgoing, hand_over.incoming,
    hand_over.note::text, hand_over.sign_by, hand_over.rounds, hand_over.climbed, hand_over.incident,
    hand_over.signed_at, signer.display as signed_by, hand_over.remark, hand_over.replaced
from hand_over left join app_user signer on signer.id = hand_over.signed_by
where starts_with(hand_over.area, $1) and ($2::uuid is null or hand_over.id = $2)
order by hand_over.at desc, hand_over.id limit $3;

-- name: task_of_case
-- Find the first task of a case: (case).
select id, number from task where incident = $1 order by number limit 1;

-- name: paged_about
-- List who was paged about a case: (case).
select distinct recipient from page where incident = $1;

-- name: note_cases
-- List the open cases that a desk hands over, gravest first: (area, post, whether all posts, limit). `total` counts all.
select id, title, grade, state, acknowledged_at is not null as acknowledged, count(*) over () as total
from incident
where starts_with(place, $1) and ($3 or post = $2)
    and state not in ('closed', 'reviewed', 'false_alarm', 'merged')
order by grade, opened_at, id limit $4;

-- name: note_tasks
-- List the overdue tasks that a desk hands over: (area, post, whether all posts, limit). `total` counts all.
select task.id, task.incident, incident.title, task.due_at, count(*) over () as total
from task join incident on incident.id = task.incident
where starts_with(task.area, $1) and ($3 or task.post = $2) and task.due_at < clock_now()
    and task.state in ('dispatched', 'refused', 'accepted', 'on_site', 'suspended')
order by task.due_at, task.id limit $4;

-- name: note_pages
-- List the pages that have not reached the people who leave: (users, limit). `total` counts all.
select page.id, page.incident, incident.title, page.channel, page.state, count(*) over () as total
from page join incident on incident.id = page.incident
where page.recipient = any($1::uuid[]) and page.state not in ('delivered', 'withdrawn', 'failed')
order by page.created_at, page.id limit $2;
