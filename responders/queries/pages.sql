-- Pages on their way: claimed under a lease, paced, and what became of them.

-- name: ready_pages
-- Take hold of pages of a channel that could go out, the gravest first: new ones, those whose time of waiting is over with what
-- else waits for the same people, those whose worker let its lease run out, and letters that must be sent again, whose id it
-- is then. (channel, limit, the gravest only, people)
-- What is asked of them is another statement: by their ids its plan is good however many pages there are.
with fresh as (
    select id from page
    where channel = $1 and state = 'due' and hold_until is null and letter is null and wall_retry_at <= now()
        and grade <= case when $3 then 2 else 4 end
    order by grade, wall_retry_at limit $2 for update skip locked
), lapsed as (
    select id from page
    where channel = $1 and state = 'sending' and letter is null and wall_lease_until <= now()
        and grade <= case when $3 then 2 else 4 end
    order by grade limit $2 for update skip locked
), released as (
    select id from page
    where channel = $1 and state = 'due' and hold_until is not null and not $3
        and recipient in (
            select recipient from page
            where channel = $1 and state = 'due' and hold_until <= clock_now()
            group by recipient order by min(hold_until) limit $4
        )
    for update skip locked
), again as (
    select id from letter where channel = $1 and wall_next_at <= now() order by wall_next_at limit $2 for update skip locked
)
select id, false as lapsed, false as is_letter from fresh
union all select id, true, false from lapsed
union all select id, false, false from released
union all select id, false, true from again;

-- name: pages_to_send
-- Read what is asked of pages that are held: (ids, lapsed, reasons of alarms).
select page.id, page.attempts, ready.lapsed, page.incident, page.recipient, app_user.display, app_user.area, page.step, page.loop,
    page.reason, incident.title, incident.zh, incident.en, incident.level, incident.grade, incident.place,
    incident.drill, page.created_at, page.received_at, page.task, page.hold, page.hold_until,
    (select string_agg(contact.user_id || ' ' || contact.sealed, E'\n' order by contact.digest) from contact
        where contact.user_id = page.recipient and contact.channel = page.channel) as contact,
    incident.policies -> incident.grade::text ->> 'slug' as policy,
    incident.state in ('closed', 'reviewed', 'false_alarm', 'merged') as ended,
    incident.acknowledged_at is not null or exists (
        select from acknowledgement where acknowledgement.incident = page.incident and user_id = page.recipient and stands
    ) as acknowledged,
    exists (
        select from page newer
        where newer.incident = page.incident and newer.recipient = page.recipient and newer.channel = page.channel
            and newer.reason = any($3::text[]) and newer.state in ('due', 'sending')
            and (newer.loop, newer.step) > (page.loop, page.step)
    ) as superseded,
    case when page.hold is null and page.created_at < clock_now() - interval '1 minute' then (
        select min(later.created_at) from page later
        where later.incident = page.incident and later.reason = any($3::text[])
            and (later.loop, later.step) > (page.loop, page.step)
            and later.created_at > page.created_at + interval '1 minute'
    ) end as climbed_at
from unnest($1::uuid[], $2::boolean[]) as ready (id, lapsed) join page using (id) join incident on incident.id = page.incident join app_user on app_user.id = page.recipient
order by page.grade, page.created_at, page.id;

-- name: pages_of_letters
-- Read what is left of letters to be sent: (letters).
select page.letter, page.id, page.attempts, page.state = 'sending' as lapsed, page.incident, page.recipient, app_user.display,
    app_user.area, page.step, page.loop, page.reason, incident.title, incident.zh, incident.en, incident.level, incident.grade,
    incident.place, incident.drill, page.created_at, page.received_at, page.task,
    (select string_agg(contact.user_id || ' ' || contact.sealed, E'\n' order by contact.digest) from contact
        where contact.user_id = page.recipient and contact.channel = page.channel) as contact,
    incident.state in ('closed', 'reviewed', 'false_alarm', 'merged') as ended,
    incident.acknowledged_at is not null or exists (
        select from acknowledgement where acknowledgement.incident = page.incident and user_id = page.recipient and stands
    ) as acknowledged, false as superseded, null::timestamptz as climbed_at
from page join incident on incident.id = page.incident join app_user on app_user.id = page.recipient
where page.letter = any($1::uuid[]) and page.state in ('due', 'sending')
order by page.letter, page.grade, page.created_at, page.id
for update of page;

-- name: lock_recipients
-- Become the only one who decides about people's letters on a channel until the transaction ends: (channel, people).
select one.recipient from unnest($2::uuid[]) as one (recipient)
where pg_try_advisory_xact_lock(990117, hashtext($1 || one.recipient::text));

-- name: recent_letters
-- List letters to people over a channel of the last minutes: (channel, people, minutes).
select recipient, at from letter
where channel = $1 and recipient = any($2::uuid[]) and at > clock_now() - make_interval(secs => $3 * 60) order by at;

-- name: storms
-- Name the counties in a storm.
select county from storm where ended_at is null;

-- name: quiet_hours_of
-- List the quiet hours of people: (people).
select user_id, starts, ends from quiet_hours where user_id = any($1::uuid[]);

-- name: lease_pages
-- Lease pages: (ids, letters or null, wall seconds).
update page set
    state = 'sending', outcome = '', attempts = attempts + 1, hold = null, hold_until = null, letter = leased.letter,
    wall_lease_until = clock_timestamp() + make_interval(secs => $3)
from unnest($1::uuid[], $2::uuid[]) as leased (id, letter)
where page.id = leased.id;

-- name: lease_letters
-- Lease letters, new ones and those sent before: (ids, people, channel, pages, wall seconds).
insert into letter (id, recipient, channel, pages, wall_next_at)
select id, recipient, $3, pages, clock_timestamp() + make_interval(secs => $5)
from unnest($1::uuid[], $2::uuid[], $4::integer[]) as leased (id, recipient, pages)
on conflict (id) do update set wall_next_at = excluded.wall_next_at;

-- name: hold_pages
-- Have pages wait: (ids, until on the county clock, why).
update page set hold_until = held.until, hold = held.why, state = 'due', wall_lease_until = null
from unnest($1::uuid[], $2::timestamptz[], $3::text[]) as held (id, until, why)
where page.id = held.id;

-- name: withdraw_stale
-- Withdraw pages: (ids, why).
update page set state = 'withdrawn', outcome = gone.why, hold = null, hold_until = null, wall_lease_until = null
from unnest($1::uuid[], $2::text[]) as gone (id, why)
where page.id = gone.id;

-- name: end_letters
-- Be done with letters: (ids).
update letter set wall_next_at = null where id = any($1::uuid[]);

-- name: retry_letters
-- Have letters sent again: (ids, wall times).
update letter set wall_next_at = retried.at from unnest($1::uuid[], $2::timestamptz[]) as retried (id, at)
where letter.id = retried.id;

-- name: end_letters_sent
-- Be done with letters, those of which nothing is left to be sent: (ids).
update letter set wall_next_at = null
where id = any($1::uuid[])
    and not exists (select from page where page.letter = letter.id and page.state in ('due', 'sending'));

-- name: pages_delivered
-- Record that a channel confirmed pages, and count the deliveries: (ids, causes). First pages of new cases come back with the
-- wall seconds since the gateway's receipt.
with told as (
    insert into delivery (page) select page from unnest($1::uuid[]) as done (page)
)
update page set
    state = 'delivered', delivered_at = coalesce(delivered_at, clock_now()), outcome = done.cause, wall_lease_until = null,
    hold = null, hold_until = null
from unnest($1::uuid[], $2::text[]) as done (id, cause), incident, app_user
where page.id = done.id and incident.id = page.incident and app_user.id = page.recipient
returning page.id, page.incident, page.recipient, page.channel, page.step, page.letter, incident.place, app_user.display,
    case when page.reason = 'opened' and not incident.drill then
        greatest(extract(epoch from page.delivered_at - page.received_at), 0)::float8 / (select nullif(factor, 0) from clock)
    end as waited;

-- name: pages_retried
-- Hand pages back to be tried later, where the lease is still ours: (ids, attempts, causes, pauses, least wall seconds).
-- The pause is shorter on a clock that runs fast, or a rehearsal would climb past a dead channel before it falls over.
update page set
    state = 'due', outcome = tried.cause, wall_lease_until = null,
    wall_retry_at = clock_timestamp()
        + make_interval(secs => greatest(tried.pause / greatest((select factor from clock), 1), tried.least_wall))
from unnest($1::uuid[], $2::integer[], $3::text[], $4::float8[], $5::float8[]) as tried (id, attempts, cause, pause, least_wall)
where page.id = tried.id and page.attempts = tried.attempts and page.state = 'sending'
returning page.letter, page.wall_retry_at;

-- name: page_released
-- Hand a page back untried, if the lease is still ours: (page, attempt).
update page set state = 'due', attempts = attempts - 1, wall_lease_until = null
where id = $1 and attempts = $2 and state = 'sending';

-- name: pages_failed
-- Give pages up, where the lease is still ours: (ids, attempts, causes).
update page set state = 'failed', outcome = tried.cause, wall_lease_until = null
from unnest($1::uuid[], $2::integer[], $3::text[]) as tried (id, attempts, cause), incident, app_user
where page.id = tried.id and page.attempts = tried.attempts and page.state = 'sending'
    and incident.id = page.incident and app_user.id = page.recipient
returning page.id, page.incident, page.task, page.step, page.loop, page.recipient, page.channel, page.fallbacks, page.reason,
    page.received_at, page.outcome, page.letter, incident.place, app_user.display;

-- name: add_entries
-- Add lines to the records of cases, each by the system: (incidents, kinds, texts, details).
insert into incident_entry (incident, kind, actor, text, detail)
select incident, kind, 'system', text, detail::jsonb
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) with ordinality as line (incident, kind, text, detail, place)
order by incident, place;

-- name: note_changes
-- Tell live pages of changes: (kinds, refs, areas). Last in its transaction.
select note_changes($1, $2, $3);

-- name: opened_lately
-- Count the real cases opened in the last minutes by county: (minutes).
select left(place, 6) as county, count(*) as cases from incident
where opened_at > clock_now() - make_interval(secs => $1 * 60) and length(place) >= 6 and not drill
group by 1;

-- name: begin_storm
-- Note that a storm begins: (county). Nothing comes back when somebody else did. What waits since its recipient got many letters
-- is decided about anew: a storm's own interval bounds them.
with begun as (
    insert into storm (county) values ($1) on conflict do nothing returning id
), woken as (
    update page set hold_until = clock_now() from incident
    where incident.id = page.incident and starts_with(incident.place, $1) and page.state = 'due' and page.hold = 'throttled'
        and page.hold_until > clock_now() and exists (select from begun)
)
select id from begun;

-- name: end_storm
-- Note that a storm is over: (county). Nothing comes back when somebody else did.
update storm set ended_at = clock_now() where county = $1 and ended_at is null returning id;

-- name: set_quiet_hours
-- Set the quiet hours of an account by its login: (login, starts, ends).
insert into quiet_hours (user_id, starts, ends) select id, $2, $3 from app_user where login = $1 and not disabled
on conflict (user_id) do update set starts = excluded.starts, ends = excluded.ends
returning user_id;

-- name: clear_quiet_hours
-- Take the quiet hours of an account away by its login; answers whether there is such an account: (login).
with gone as (delete from quiet_hours where user_id in (select id from app_user where login = $1))
select exists (select from app_user where login = $1 and not disabled);

-- name: place_names
-- Name areas: (codes).
select name, code from area where code = any($1::text[]);

-- name: is_maintained
-- Say whether any maintenance is in force: (now).
select exists (select from maintenance where ended_at is null and ends_at > $1 and starts_at <= $1);
