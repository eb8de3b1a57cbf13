-- How persons are reached, what they answered, what the channels' own sides say later.

-- name: find_login
-- Find an account by its login: (login).
select id, display from app_user where login = $1 and not disabled;

-- name: put_contact
-- Put a contact down: (user, channel, digest, sealed).
insert into contact (user_id, channel, digest, sealed) values ($1, $2, $3, $4)
on conflict (user_id, channel, digest) do update set sealed = excluded.sealed, set_at = clock_now();

-- name: remove_contacts
-- Remove a person's contacts for a channel, but one: (user, channel, digest of the one that stays or null).
delete from contact where user_id = $1 and channel = $2 and digest is distinct from $3;

-- name: remove_contact
-- Remove one contact of a person: (user, channel, digest).
delete from contact where user_id = $1 and channel = $2 and digest = $3;

-- name: forget_contact
-- Remove a contact whoever it belongs to: (channel, digest).
delete from contact where channel = $1 and digest = $2;

-- name: trim_contacts
-- Keep the newest contacts of a person for a channel: (user, channel, how many).
delete from contact where user_id = $1 and channel = $2 and digest not in (
    select digest from contact where user_id = $1 and channel = $2 order by set_at desc, digest limit $3
);

-- name: list_contacts
-- List all contacts, sealed as they are, by login: (login or null for all).
select app_user.login, app_user.display, contact.channel, contact.user_id, contact.sealed, contact.set_at
from contact join app_user on app_user.id = contact.user_id
where $1::text is null or app_user.login = $1
order by app_user.login, contact.channel, contact.set_at, contact.digest;

-- name: contacts_of
-- Gather a person's contacts for a channel as a claimed page carries them: (user, channel).
select string_agg(user_id || ' ' || sealed, E'\n' order by digest) from contact where user_id = $1 and channel = $2;

-- name: see_page
-- Read what the link of a page shows; of pages about tasks those have one that give work: (page, their reasons). One of a task,
-- or to a place beside the case's, acknowledges nothing.
select page.id as page, page.incident, page.created_at, page.channel, page.recipient as user_id, app_user.login,
    app_user.display as recipient, app_user.role, app_user.area, incident.title, incident.zh, incident.en, incident.level,
    incident.grade, incident.drill, incident.state, incident.place, incident.acknowledged_at,
    (select display from app_user where app_user.id = incident.acknowledged_by) as acknowledged_by,
    exists (select from page_answer where page_answer.page = page.id) as answered, page.task,
    page.task is null and starts_with(incident.place, app_user.area) as acknowledges
from page join incident on incident.id = page.incident join app_user on app_user.id = page.recipient
where page.id = $1 and (page.task is null or page.reason = any($2::text[]));

-- name: pages_told_with
-- List a page and what else its letter told of and asks an answer for, the page first: (page, reasons of pages that give work).
select page.id from page
where page.id in (select $1::uuid union select id from page where letter = (select letter from page where id = $1))
    and (page.task is null or page.reason = any($2::text[]))
order by page.id <> $1, page.grade, page.created_at, page.id;

-- name: withdraw_seen
-- Withdraw what was not sent yet of pages that somebody has seen: (case, task or null, user, reasons of pages that give work).
update page set state = 'withdrawn', outcome = 'acknowledged'
where incident = $1 and task is not distinct from $2 and recipient = $3 and state = 'due'
    and (reason = any($4::text[]) or task is null and not starts_with(reason, 'legal_'));

-- name: add_answer
-- Note that a page was answered, once: (page, via).
insert into page_answer (page, via) values ($1, $2) on conflict do nothing returning page;

-- name: pages_to_number
-- List pages that went to a number over a channel and ask for an answer, newest first: (channel, digest, since, reasons).
select page.id from page
where page.recipient in (select user_id from contact where channel = $1 and digest = $2) and page.channel = $1
    and (page.task is null or page.reason = any($4::text[])) and page.created_at >= $3
order by page.created_at desc, page.id limit 5000;

-- name: add_receipt
-- Note what a channel's own side says of a page; nothing comes back when it said so before: (page, reached).
insert into page_receipt (page, reached) values ($1, $2)
on conflict (page) do update set reached = excluded.reached, at = clock_now() where page_receipt.reached <> excluded.reached
returning page;

-- name: pages_sent_over
-- Read the page of a channel, or all pages of a letter, and take hold of their cases: (page or letter, channel).
select page.id, page.incident, page.channel, page.step, incident.place,
    (select display from app_user where app_user.id = page.recipient) as display
from page join incident on incident.id = page.incident
where (page.id = $1 or page.letter = $1) and page.channel = $2
order by incident.id, page.id for no key update of incident;

-- name: page_undelivered
-- Give up a page that a channel took and that reached nobody: (page, cause).
update page set state = 'failed', outcome = $2, wall_lease_until = null
where id = $1 and state in ('sending', 'delivered')
returning id, incident, task, step, loop, recipient, channel, fallbacks, reason, received_at,
    (select place from incident where incident.id = page.incident) as place,
    (select display from app_user where app_user.id = page.recipient) as display;

-- name: add_attempts
-- Begin to count the replies of a number: (channel, digest).
insert into reply_attempt (channel, digest) values ($1, $2) on conflict do nothing;

-- name: lock_attempts
-- Take hold of the replies of a number: (channel, digest).
select wall_times, clock_timestamp() as wall_now from reply_attempt where channel = $1 and digest = $2 for update;

-- name: put_attempts
-- Keep the replies of a number: (channel, digest, when they came).
update reply_attempt set wall_times = $3 where channel = $1 and digest = $2;

-- name: forget_attempts
-- Forget the replies of a number: (channel, digest).
delete from reply_attempt where channel = $1 and digest = $2;

-- name: prune_attempts
-- Forget numbers whose last reply came longer ago than some seconds of wall time.
delete from reply_attempt
where not exists (select from unnest(wall_times) at where at > clock_timestamp() - make_interval(secs => $1));
