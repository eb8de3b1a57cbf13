"""Pages to one person against a real database: contacts, falling over, answers by link and SMS, receipts, breakers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import msgspec
import pytest
from responder_world import (
    COUNTY,
    DATA,
    POSTS,
    QINGXI,
    FakeChannel,
    World,
    open_world,
    viewer,
)

from config.breakers import BreakerRule
from domain.errors import NotFound
from domain.incidents import PageState
from domain.levels import Level
from responders.breaker import Guarded
from responders.cases import Cause, Message, Outcome, Result, Rules
from responders.channels.addressed import Addressed
from responders.circuits import tell_circuits
from responders.contacts import Keyring
from responders.dispatch import send_due
from responders.replies import LINK_LIFE, Standing, Via
from responders.views import Role

KEYS = Keyring(bytes(range(32)))
PHONE = "+8613800000000"
CHAIN = ("console", "wecom", "sms", "voice")


def rules() -> Rules:
    """Have every step of every policy use the channels to persons."""
    policies = tuple(
        msgspec.structs.replace(
            policy, steps=tuple(msgspec.structs.replace(step, channels=CHAIN) for step in policy.steps)
        )
        for policy in DATA.policies
    )
    return Rules(msgspec.structs.replace(DATA, policies=policies), CHAIN)


@dataclass
class Phones:
    """Channels to persons that remember what they were given in clear."""

    wecom: FakeChannel
    sms: FakeChannel
    voice: FakeChannel

    def door(self, name: str) -> Addressed:
        """Put the door before one of them."""
        inner: FakeChannel = getattr(self, name)
        return Addressed(inner, KEYS, link_of=lambda token: f"https://duty/a/{token}", replies=name == "sms")


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county whose policies page persons."""
    async with open_world(database) as world:
        world.rules = rules()
        yield world


@pytest.fixture
def phones() -> Phones:
    """Three channels that work."""
    return Phones(*(FakeChannel(name, idempotent=False, outside=True) for name in ("wecom", "sms", "voice")))


async def know(world: World, channel: str, contact: str = PHONE, area: str = QINGXI) -> None:
    """Put a contact of a post down."""
    user = POSTS[area].id
    await world.store.contacts.put(
        user, channel, KEYS.digest(channel, contact), KEYS.seal(contact, user, channel)
    )


async def send_all(world: World, channel: Addressed | Guarded) -> int:
    """Send what is due over a channel until nothing is; how many pages were claimed."""
    claimed = 0
    while sent := await send_due(world.store, channel, pause=0):
        claimed += sent
    return claimed


async def states(world: World, incident: UUID, recipient: str = "青溪镇值班室") -> dict[str, PageState]:
    """Tell where the pages of a person stand, by channel."""
    pages = (await world.show(incident)).pages
    return {page.channel: page.state for page in pages if page.recipient == recipient}


async def texts(world: World, incident: UUID) -> str:
    """Gather all that the record says."""
    entries = (await world.show(incident)).timeline
    return "\n".join(f"{entry.kind} {entry.text} {entry.detail}" for entry in entries)


async def page_over(world: World, phones: Phones) -> tuple[UUID, Message]:
    """Open a case and have the township's officer paged by SMS; the case and what the phone got."""
    await know(world, "sms")
    incident = await world.raise_alert()
    await send_all(world, phones.door("wecom"))
    await send_all(world, phones.door("sms"))
    return incident, next(call for call in phones.sms.calls if call.incident == incident)


async def test_a_channel_without_contact_is_passed_over_at_once(world: World, phones: Phones) -> None:
    """No account at WeCom: the phone gets the page without a pause, in the order of the policy, in clear there alone."""
    incident, sent = await page_over(world, phones)
    assert phones.wecom.calls == []
    assert (sent.contact, sent.recipient) == (PHONE, "青溪镇值班室")
    assert sent.link == f"https://duty/a/{KEYS.token(sent.page, sent.created_at + LINK_LIFE)}"
    assert sent.code == KEYS.code(sent.page)
    assert await states(world, incident) == {
        "console": PageState.DUE,
        "wecom": PageState.FAILED,
        "sms": PageState.DELIVERED,
    }
    record = await texts(world, incident)
    assert "no_contact" in record
    for secret in (PHONE, PHONE[3:], sent.code, sent.link, PHONE[-4:]):
        assert secret not in record


async def test_the_persons_own_order_comes_first(world: World, phones: Phones) -> None:
    """Who prefers the phone call is called, whatever stands first in the policy."""
    await world.store.put_users([msgspec.structs.replace(POSTS[QINGXI], channels=("voice", "sms"))])
    await know(world, "voice")
    incident = await world.raise_alert()
    await send_all(world, phones.door("voice"))
    assert [call.contact for call in phones.voice.calls] == [PHONE]
    assert set(await states(world, incident)) == {"console", "voice"}


async def test_no_clear_contact_is_in_the_database(world: World, phones: Phones, database: str) -> None:
    """Neither number, link nor code stands anywhere in it."""
    _, sent = await page_over(world, phones)
    connection = await asyncpg.connect(database)
    try:
        tables = [
            row["tablename"]
            for row in await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        ]
        for table in tables:
            rows = "\n".join(str(row) for row in await connection.fetch(f'select t::text from "{table}" t'))
            for secret in (PHONE[3:], sent.code, sent.link.rpartition("/")[2]):
                assert secret not in rows, table
    finally:
        await connection.close()


async def test_a_contact_that_was_moved_reaches_nobody(world: World, phones: Phones, database: str) -> None:
    """Whoever writes another person's row into the table does not redirect a page; the next channel is used."""
    await know(world, "sms", area=COUNTY)
    connection = await asyncpg.connect(database)
    await connection.execute("update contact set user_id = $1", POSTS[QINGXI].id)
    await connection.close()
    incident = await world.raise_alert()
    for name in ("wecom", "sms", "voice"):
        await send_all(world, phones.door(name))
    assert phones.sms.calls == phones.voice.calls == []
    assert (await states(world, incident))["sms"] is PageState.FAILED


async def test_the_link_acknowledges_once_as_the_recipient(world: World, phones: Phones) -> None:
    """Looking changes nothing; the first press is the post's acknowledgement, and the second one is told so."""
    incident, sent = await page_over(world, phones)
    read = KEYS.read_token(sent.link.rpartition("/")[2])
    assert read is not None and read[0] == sent.page
    replies = world.store.replies
    assert (await replies.see(*read))[1] is Standing.OPEN
    assert (await world.show(incident)).row.acknowledged_at is None
    assert (await replies.answer(read[0], Via.LINK, read[1]))[1] is Standing.DONE
    row = (await world.show(incident)).row
    assert (row.acknowledged_by, row.holder) == ("青溪镇值班室", "青溪镇值班室")
    assert (await replies.answer(read[0], Via.LINK, read[1]))[1] is Standing.USED
    assert (await replies.see(*read))[1] is Standing.USED
    answered = [entry for entry in (await world.show(incident)).timeline if entry.kind == "answered"]
    assert [(entry.actor, entry.detail["via"], entry.detail["channel"]) for entry in answered] == [
        ("青溪镇值班室", "link", "sms")
    ]
    await world.advance(hours=3)
    assert await send_due(world.store, phones.door("voice"), pause=0) == 0


async def test_two_presses_at_once_are_one(world: World, phones: Phones) -> None:
    """However many fingers: one acknowledgement, one line of the record."""
    incident, sent = await page_over(world, phones)
    told = await asyncio.gather(*(world.store.replies.answer(sent.page, via) for via in (*Via, *Via, *Via)))
    standings = [standing for _, standing in told]
    assert standings.count(Standing.DONE) == 1
    assert set(standings) <= {Standing.DONE, Standing.USED, Standing.FIRST}
    kinds = [entry.kind for entry in (await world.show(incident)).timeline]
    assert (kinds.count("answered"), kinds.count("acknowledged")) == (1, 1)


async def test_somebody_was_first(world: World, phones: Phones) -> None:
    """The link says who; it is not used up by that."""
    incident, sent = await page_over(world, phones)
    await world.store.acknowledge(viewer(POSTS[COUNTY]), incident, uuid4())
    seen, standing = await world.store.replies.answer(sent.page, Via.LINK)
    assert (standing, seen.acknowledged_by) == (Standing.FIRST, "示例县值班室")
    assert not (await world.store.replies.see(sent.page))[0].answered


async def test_a_link_ends_with_its_day_and_with_its_case(world: World, phones: Phones) -> None:
    """Expired after 24 hours of the county's time; ended when the case was closed."""
    incident, sent = await page_over(world, phones)
    world.now += LINK_LIFE
    await world.set_clock()
    assert (await world.store.replies.answer(sent.page, Via.LINK))[1] is Standing.EXPIRED
    world.now -= timedelta(hours=1)
    await world.set_clock()
    await world.store.close(viewer(POSTS[COUNTY]), incident, "", uuid4())
    assert (await world.store.replies.answer(sent.page, Via.LINK))[1] is Standing.ENDED


async def test_an_account_that_may_not_is_told_so(world: World, phones: Phones) -> None:
    """The rights are those of the account as it is now: a post that became a grid worker's acknowledges nothing."""
    incident, sent = await page_over(world, phones)
    await world.store.put_users([msgspec.structs.replace(POSTS[QINGXI], role=Role.GRID)])
    assert (await world.store.replies.answer(sent.page, Via.LINK))[1] is Standing.NOT_ALLOWED
    assert (await world.show(incident)).row.acknowledged_at is None
    assert not (await world.store.replies.see(sent.page))[0].answered


async def test_no_page_and_a_page_about_a_task_have_no_link(world: World, phones: Phones) -> None:
    """A reminder of a deadline asks for the task to be done, not for the case to be acknowledged."""
    with pytest.raises(NotFound):
        await world.store.replies.see(uuid4())
    for area in POSTS:
        await know(world, "sms", area=area)
    incident, _ = await page_over(world, phones)
    await world.store.acknowledge(viewer(POSTS[COUNTY]), incident, uuid4())
    await world.advance(days=2)
    for name in ("wecom", "sms"):
        await send_all(world, phones.door(name))
    reminders = [call for call in phones.sms.calls if call.reason.startswith("task_")]
    assert reminders and all((call.link, call.code) == ("", "") for call in reminders)
    with pytest.raises(NotFound):
        await world.store.replies.see(reminders[0].page)


async def test_pages_are_found_by_the_number_they_went_to(world: World, phones: Phones) -> None:
    """By the keyed digest, for a day, over that channel; another number finds nothing."""
    _, sent = await page_over(world, phones)
    assert await world.store.replies.pages_to("sms", KEYS.digest("sms", PHONE)) == [sent.page]
    assert await world.store.replies.pages_to("sms", KEYS.digest("sms", "+8613900000000")) == []
    assert await world.store.replies.pages_to("voice", KEYS.digest("sms", PHONE)) == []
    world.now += LINK_LIFE + timedelta(seconds=1)
    await world.set_clock()
    assert await world.store.replies.pages_to("sms", KEYS.digest("sms", PHONE)) == []


async def test_a_receipt_of_failure_falls_over(world: World, phones: Phones) -> None:
    """The gateway took it and the handset was off: the next channel is used, once however often it is said."""
    incident, sent = await page_over(world, phones)
    await know(world, "voice")
    assert await world.store.replies.receive(sent.page, "sms", reached=False)
    assert not await world.store.replies.receive(sent.page, "sms", reached=False)
    await send_all(world, phones.door("voice"))
    assert [call.contact for call in phones.voice.calls] == [PHONE]
    assert await states(world, incident) == {
        "console": PageState.DUE,
        "wecom": PageState.FAILED,
        "sms": PageState.FAILED,
        "voice": PageState.DELIVERED,
    }
    assert "not_received" in await texts(world, incident)


async def test_a_receipt_of_a_letter_is_one_of_all_its_pages(
    world: World, phones: Phones, database: str
) -> None:
    """Several cases in one SMS that reached nobody: each falls over."""
    first, sent = await page_over(world, phones)
    second, _ = await page_over(world, phones)
    await know(world, "voice")
    letter = uuid4()
    connection = await asyncpg.connect(database)
    await connection.execute(
        "update page set letter = $1 where channel = 'sms' and recipient = $2", letter, POSTS[QINGXI].id
    )
    await connection.close()
    assert await world.store.replies.receive(letter, "sms", reached=False)
    assert not await world.store.replies.receive(sent.page, "sms", reached=False)
    await send_all(world, phones.door("voice"))
    assert {call.incident for call in phones.voice.calls} == {first, second}
    for incident in (first, second):
        assert (await states(world, incident))["sms"] is PageState.FAILED


async def test_a_receipt_of_success_is_on_record(world: World, phones: Phones) -> None:
    """And one that names a page of another channel is of none."""
    incident, sent = await page_over(world, phones)
    assert await world.store.replies.receive(sent.page, "sms", reached=True)
    assert "已送达青溪镇值班室" in await texts(world, incident)
    with pytest.raises(NotFound):
        await world.store.replies.receive(sent.page, "voice", reached=True)
    with pytest.raises(NotFound):
        await world.store.replies.receive(uuid4(), "sms", reached=True)


async def test_a_dead_channel_is_left_alone_and_told_once(world: World, phones: Phones) -> None:
    """Pages fall over at once; the platform's desk has one case, which is asked to be closed when the channel works."""
    for area in POSTS:
        await know(world, "sms", area=area)
        await know(world, "voice", area=area)
    phones.sms.answers = [Outcome(Result.RETRY, Cause.TIMEOUT)] * 2
    now = 0.0
    rule = BreakerRule(failures=2, pause_seconds=30, longest_seconds=30)
    guarded = Guarded(phones.door("sms"), rule, lambda: now)
    await world.raise_alert(level=Level.RED)
    await send_all(world, phones.door("wecom"))
    await send_all(world, guarded)
    assert len(phones.sms.calls) == 2 and guarded.is_open
    await send_all(world, phones.door("voice"))
    assert {call.recipient for call in phones.voice.calls} >= {"青溪镇值班室", "示例县值班室", "示例市值班室"}
    for _ in range(2):
        await tell_circuits(world.store, world.rules, [guarded])
    queue = await world.store.queue(viewer(POSTS[COUNTY]))
    (told,) = [row for row in queue if row.category == "platform-fault"]
    assert "sms" in told.zh and told.alert_open
    now = 30.0
    await send_all(world, phones.door("wecom"))
    assert await send_all(world, guarded) and not guarded.is_open
    await tell_circuits(world.store, world.rules, [guarded])
    assert not (await world.show(told.id)).row.alert_open


async def test_another_process_ends_what_a_dead_one_told(world: World, phones: Phones) -> None:
    """A responder that was killed while a channel was down leaves no case that says so for ever."""
    await know(world, "sms")
    assert await world.store.workers.open_fault("channel:sms", "坏了", "It is down", world.rules)
    guarded = Guarded(phones.door("sms"), BreakerRule())
    await tell_circuits(world.store, world.rules, [guarded])
    (told,) = [r for r in await world.store.queue(viewer(POSTS[COUNTY])) if r.category == "platform-fault"]
    assert told.alert_open
    incident = await world.raise_alert()
    await send_all(world, phones.door("wecom"))
    await send_all(world, guarded)
    await tell_circuits(world.store, world.rules, [guarded])
    assert not (await world.show(told.id)).row.alert_open
    assert (await states(world, incident))["sms"] is PageState.DELIVERED


async def test_contacts_come_and_go(world: World) -> None:
    """One for each channel, replaced by the next; those of somebody who is not there are not found."""
    contacts = world.store.contacts
    user = await contacts.find(POSTS[QINGXI].login)
    await know(world, "sms")
    await know(world, "sms", "+8613900000000")
    (row,) = await contacts.list(POSTS[QINGXI].login)
    assert KEYS.open_all(row.sealed, "sms") == ("+8613900000000",)
    assert "139" not in repr(row.sealed)
    assert (await contacts.remove(user, "sms"), await contacts.remove(user, "sms")) == (1, 0)
    assert await contacts.list() == [] and await contacts.of(user, "sms") == ""
    with pytest.raises(NotFound):
        await contacts.find("nobody")


async def test_browsers_of_one_account(world: World) -> None:
    """Ten at most, the newest; a browser where somebody else signs in is theirs from then on."""
    contacts, one, other = world.store.contacts, viewer(POSTS[QINGXI]), viewer(POSTS[COUNTY])
    for number in range(12):
        world.now += timedelta(seconds=1)
        await world.set_clock()
        clear = f"browser {number}"
        await contacts.subscribe(one, "push", KEYS.digest("push", clear), KEYS.seal(clear, one.user, "push"))
    opened = KEYS.open_all(await contacts.of(one.user, "push"), "push")
    assert sorted(opened) == sorted(f"browser {number}" for number in range(2, 12))
    digest = KEYS.digest("push", "browser 11")
    await contacts.subscribe(other, "push", digest, KEYS.seal("browser 11", other.user, "push"))
    assert len((await contacts.of(one.user, "push")).splitlines()) == 9
    await contacts.unsubscribe(one, "push", digest)
    assert len((await contacts.of(other.user, "push")).splitlines()) == 1
    await contacts.forget("push", digest)
    assert await contacts.of(other.user, "push") == ""
