"""One answer for a letter: its link or code acknowledges every case that it told of and that is still to be acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from responder_world import COUNTY, DATA, POSTS, QINGXI, FakeChannel, World, alert, open_world, viewer

from config.pacing import Pacing
from domain.identity import incident_id
from domain.levels import Level
from responders.cases import Message, Rules
from responders.dispatch import act_on_timers, send_due
from responders.replies import LINK_LIFE, Standing, Via

DESK = "示例县值班室"
PACING = Pacing(
    letters=3,
    minutes=10,
    storm_cases=2,
    storm_minutes=10,
    calm_cases=1,
    gather_seconds=5,
    digest_minutes=5,
    stale_minutes=10,
)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county whose pages are gathered from the third case on."""
    async with open_world(database) as opened:
        opened.rules = Rules(structs.replace(DATA, pacing=(PACING,)), ("console", "file", "webhook"))
        yield opened


async def send_letter(world: World, count: int = 3) -> tuple[list[UUID], Message]:
    """Open cases in a storm and send their one letter; the cases and the letter."""
    cases = []
    for number in range(count):
        raised = alert(f"{QINGXI}{number + 1:03d}", Level.YELLOW, at=world.now)
        await world.store.record_alert(raised, world.rules)
        cases.append(incident_id(raised.id))
    await world.advance(seconds=0)
    await act_on_timers(world.store, world.rules)
    channel = FakeChannel("webhook", outside=True)
    await send_due(world.store, channel, world.rules.data.pacing, pause=0)
    await world.advance(seconds=5)
    await send_due(world.store, channel, world.rules.data.pacing, pause=0)
    (letter,) = [call for call in channel.calls if call.recipient == DESK]
    assert {letter.incident, *(one.incident for one in letter.also)} == set(cases)
    return cases, letter


async def acknowledged_by(world: World, cases: list[UUID]) -> list[str | None]:
    """Tell who acknowledged each case."""
    return [(await world.show(case)).row.acknowledged_by for case in cases]


@pytest.mark.parametrize("via", Via)
async def test_one_answer_acknowledges_every_case_of_a_letter(world: World, via: Via) -> None:
    """Looking changes nothing; each case has its line of the record, and a second answer changes nothing more."""
    cases, letter = await send_letter(world)
    replies = world.store.replies
    seen = await replies.see_letter(letter.page)
    assert [standing for _, standing in seen] == [Standing.OPEN] * 3
    assert seen[0][0].incident == letter.incident
    assert await acknowledged_by(world, cases) == [None] * 3
    told = await replies.answer_letter(letter.page, via)
    assert {one.incident for one, _ in told} == set(cases)
    assert [standing for _, standing in told] == [Standing.DONE] * 3
    assert await acknowledged_by(world, cases) == [DESK] * 3
    assert {standing for _, standing in await replies.answer_letter(letter.page, via)} == {Standing.USED}
    for case in cases:
        kinds = [line.kind for line in (await world.show(case)).timeline]
        assert (kinds.count("answered"), kinds.count("acknowledged")) == (1, 1)


async def test_what_somebody_else_did_is_told_for_each_and_stops_none(world: World) -> None:
    """The township was first with the case that leads the letter: the others are acknowledged all the same."""
    cases, letter = await send_letter(world)
    await world.store.acknowledge(viewer(POSTS[QINGXI]), letter.incident, uuid4())
    told = await world.store.replies.answer_letter(letter.page, Via.SMS)
    assert [standing for _, standing in told] == [Standing.FIRST, Standing.DONE, Standing.DONE]
    assert told[0][0].acknowledged_by == "青溪镇值班室"
    assert sorted(map(str, await acknowledged_by(world, cases))) == sorted([DESK, DESK, "青溪镇值班室"])


async def test_fingers_at_once_acknowledge_each_case_once(world: World) -> None:
    """Link and code at the same moment: every case once, and nobody is told otherwise."""
    cases, letter = await send_letter(world)
    answers = await asyncio.gather(
        *(world.store.replies.answer_letter(letter.page, via) for via in (*Via, *Via))
    )
    for case in cases:
        standings = [standing for told in answers for seen, standing in told if seen.incident == case]
        assert standings.count(Standing.DONE) == 1
        assert set(standings) <= {Standing.DONE, Standing.USED, Standing.FIRST}


async def test_the_rest_of_a_letter_is_answered_after_a_crash(world: World) -> None:
    """Only the first page's answer was stored: the same link is still good for the others, as long as it says."""
    cases, letter = await send_letter(world)
    await world.store.replies.answer(letter.page, Via.LINK)
    ends = world.now + timedelta(hours=1)
    told = await world.store.replies.see_letter(letter.page, ends)
    assert [standing for _, standing in told] == [Standing.USED, Standing.OPEN, Standing.OPEN]
    late = await world.store.replies.see_letter(letter.page, world.now)
    assert [standing for _, standing in late] == [Standing.USED, Standing.EXPIRED, Standing.EXPIRED]
    await world.store.replies.answer_letter(letter.page, Via.LINK, ends)
    assert await acknowledged_by(world, cases) == [DESK] * 3


async def test_a_letter_ends_with_its_first_page(world: World) -> None:
    """After its day neither link nor code does anything for any of its cases."""
    cases, letter = await send_letter(world)
    world.now += LINK_LIFE
    await world.set_clock()
    told = await world.store.replies.answer_letter(letter.page, Via.SMS)
    assert {standing for _, standing in told} == {Standing.EXPIRED}
    assert await acknowledged_by(world, cases) == [None] * 3


async def test_who_may_not_acknowledge_any_more_does_not(world: World) -> None:
    """An account that was moved away since is refused case by case."""
    cases, letter = await send_letter(world)
    await world.store.put_users([structs.replace(POSTS[COUNTY], area="990202")])
    told = await world.store.replies.answer_letter(letter.page, Via.LINK)
    assert not {standing for _, standing in told} & {Standing.DONE, Standing.SEEN}
    assert await acknowledged_by(world, cases) == [None] * 3


async def test_a_page_by_itself_is_answered_by_itself(world: World) -> None:
    """What went out in no letter brings no other page along."""
    cases, letter = await send_letter(world)
    page = next(one for one in (await world.show(cases[0])).pages if one.channel == "console")
    told = await world.store.replies.see_letter(page.id)
    assert [seen.page for seen, _ in told] == [page.id]
    assert letter.page not in {seen.page for seen, _ in told}
