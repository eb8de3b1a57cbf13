"""Parties of a joint case that answer by link or SMS: on record as having seen it, and nothing of the case stops."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from responder_world import COUNTY, DATA, HEWAN, POSTS, QINGXI, FakeChannel, World, open_world, viewer
from service_world import KEY

from config.settings import Secret
from domain.incidents import PageState, PleaKind, TaskState
from responders.cases import Message, Rules
from responders.channels.addressed import Addressed
from responders.contacts import read_keyring
from responders.dispatch import send_due
from responders.pleas import Plea
from responders.replies import LINK_LIFE, Standing, Via
from responders.views import Party

KEYS = read_keyring(Secret(KEY))
COUNTY_POST, HEWAN_POST = viewer(POSTS[COUNTY]), viewer(POSTS[HEWAN])
PHONE = {QINGXI: "+8613800000001", HEWAN: "+8613800000002", COUNTY: "+8613800000003"}
BY_SMS = tuple(
    structs.replace(
        policy,
        steps=tuple(structs.replace(step, channels=("console", "sms", "file")) for step in policy.steps),
    )
    for policy in DATA.policies
)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county whose posts are reached by SMS."""
    async with open_world(database) as opened:
        opened.rules = Rules(structs.replace(DATA, policies=BY_SMS), ("console", "sms", "file"))
        for area, phone in PHONE.items():
            user = POSTS[area].id
            await opened.store.contacts.put(
                user, "sms", KEYS.digest("sms", phone), KEYS.seal(phone, user, "sms")
            )
        yield opened


async def sent(world: World) -> list[Message]:
    """Send what is due by SMS; what the phones got."""
    phone = FakeChannel("sms", idempotent=False, outside=True)
    door = Addressed(phone, KEYS, link_of=lambda token: f"https://duty/a/{token}", replies=True)
    while await send_due(world.store, door, pause=0):
        pass
    return phone.calls


async def joint(world: World) -> tuple[UUID, Message]:
    """Bring Hewan into a case of Qingxi; the case, and what Hewan's phone got."""
    case = await world.raise_alert(QINGXI)
    await world.store.casework.join(COUNTY_POST, case, HEWAN, "下游受影响", uuid4(), world.rules)
    return case, next(call for call in await sent(world) if call.recipient == "河湾镇值班室")


async def party(world: World, case: UUID) -> Party:
    """Read the only party of a case."""
    (found,) = (await world.show(case)).parties
    return found


@pytest.mark.parametrize("via", list(Via))
async def test_an_answer_of_a_party_says_that_it_has_seen_the_case(world: World, via: Via) -> None:
    """On record with who and when; neither the case is acknowledged by it nor the task accepted, and once is enough."""
    case, message = await joint(world)
    assert message.link and message.code and message.reason == "dispatched"
    assert (await party(world, case)).seen_at is None
    assert (await world.store.replies.see(message.page))[1] is Standing.TO_SEE
    world.now += timedelta(minutes=2)
    await world.set_clock()
    assert (await world.store.replies.answer(message.page, via))[1] is Standing.SEEN
    assert (await world.store.replies.answer(message.page, via))[1] is Standing.USED
    view = await world.show(case)
    found = await party(world, case)
    assert (found.seen_at, found.seen_by) == (world.now, "河湾镇值班室")
    lines = [entry for entry in view.timeline if entry.kind == "seen"]
    assert [(line.actor, line.at) for line in lines] == [("河湾镇值班室", world.now)]
    assert "确认收悉" in lines[0].text
    assert view.row.acknowledged_at is None and view.row.next_at is not None
    assert {task.state for task in view.tasks if task.unit.startswith("河湾镇")} == {TaskState.DISPATCHED}
    assert (await world.store.audit.verify())[1] == []


async def test_the_case_goes_on_asking_those_who_answer_for_it(world: World) -> None:
    """The party has seen it; the county is paged after a quarter of an hour as ever, and the party may still refuse."""
    case, message = await joint(world)
    await world.store.replies.answer(message.page, Via.LINK)
    await world.advance(minutes=15)
    assert [(call.recipient, call.reason) for call in await sent(world) if call.incident == case] == [
        ("示例县值班室", "not_acknowledged")
    ]
    (task,) = [task for task in (await world.show(case)).tasks if task.unit.startswith("河湾镇")]
    refusal = Plea(PleaKind.REFUSE, "不属本镇河段", item="配合事项 第12项")
    refused = await world.store.pleas.ask(HEWAN_POST, task.id, refusal, uuid4(), world.rules)
    assert refused.state is TaskState.REFUSED


async def test_a_party_answers_although_somebody_has_acknowledged(world: World) -> None:
    """The county was first with the case; that says nothing of whether the party knows of it."""
    case, message = await joint(world)
    await world.store.acknowledge(COUNTY_POST, case, uuid4())
    assert (await world.store.replies.answer(message.page, Via.LINK))[1] is Standing.SEEN


async def test_pages_that_were_not_sent_yet_end_with_the_answer(world: World) -> None:
    """Who has seen it is not told the same over the console, too."""
    case, message = await joint(world)
    await world.store.replies.answer(message.page, Via.LINK)
    pages = [page for page in (await world.show(case)).pages if page.recipient == "河湾镇值班室"]
    assert {(page.channel, page.state) for page in pages} == {
        ("console", PageState.WITHDRAWN),
        ("sms", PageState.DELIVERED),
    }


async def test_an_area_that_left_has_nothing_to_say_any_more(world: World) -> None:
    """Its link is worth nothing, and the record stays as it was."""
    case, message = await joint(world)
    await world.store.casework.leave(COUNTY_POST, case, HEWAN, "不在下游", uuid4())
    before = len((await world.show(case)).timeline)
    assert (await world.store.replies.answer(message.page, Via.LINK))[1] is Standing.NOT_ALLOWED
    assert len((await world.show(case)).timeline) == before


async def test_a_link_of_a_party_ends_with_its_day_and_with_the_case(world: World) -> None:
    """As every link does."""
    case, message = await joint(world)
    world.now += LINK_LIFE
    await world.set_clock()
    assert (await world.store.replies.answer(message.page, Via.LINK))[1] is Standing.EXPIRED
    await world.store.close(COUNTY_POST, case, "已处置", uuid4())
    assert (await world.store.replies.answer(message.page, Via.LINK))[1] is Standing.ENDED


async def test_what_a_party_does_says_that_it_has_seen_the_case(world: World) -> None:
    """Who signs for his task at the console need not press a link as well."""
    case, _ = await joint(world)
    (task,) = [task for task in (await world.show(case)).tasks if task.unit.startswith("河湾镇")]
    await world.store.accept_task(HEWAN_POST, task.id, uuid4())
    assert (await party(world, case)).seen_by == "河湾镇值班室"


async def test_a_reply_by_sms_finds_the_page_of_a_task(world: World) -> None:
    """Its code is among those that the number may answer; a reminder's is not."""
    _, message = await joint(world)
    digest = KEYS.digest("sms", PHONE[HEWAN])
    assert await world.store.replies.pages_to("sms", digest) == [message.page]
    await world.advance(hours=2)
    await sent(world)
    assert await world.store.replies.pages_to("sms", digest) == [message.page]
