"""What duty officers may rely on when something happens, told as stories on a steered clock; no broker is needed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from drill_world import LEAK
from msgspec import structs
from officer_world import (
    CITY_DESK,
    COUNTY_DESK,
    PROVINCE_DESK,
    TOWNSHIP_DESK,
    County,
    about,
    open_county,
)
from responder_world import CITY, COUNTY, HEWAN, QINGXI, post, viewer

from config.pacing import Quiet
from domain.errors import Conflict
from domain.incidents import PageState
from domain.levels import Grade, Level
from responders.cases import Cause, Outcome, Result
from responders.dues import ReportKind
from responders.replies import Standing, Via
from responders.roster_plan import Plan
from responders.rotations import Rotation
from responders.store.reports import Written
from responders.views import Kept

LOCAL = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def county(database: str) -> AsyncIterator[County]:
    """A county in which everybody is on duty and each alert is a case of its own."""
    async with open_county(database) as opened:
        yield opened


# Nobody is left alone -----------------------------------------------------------------------------------------------


async def test_the_duty_officer_sleeps_and_fifteen_minutes_later_the_county_knows(county: County) -> None:
    """Nobody answers in the township: the county after 15 minutes, the city 20 later, the province in the end."""
    case = await county.alarm()
    assert await county.told(case) == [TOWNSHIP_DESK]
    await county.after(minutes=10)
    assert await county.told(case) == []
    await county.after(minutes=5)
    assert await county.told(case) == [COUNTY_DESK]
    await county.after(minutes=20)
    assert CITY_DESK in await county.told(case)
    await county.after(minutes=60)
    assert PROVINCE_DESK in await county.told(case)


async def test_the_top_is_told_again_until_somebody_answers(county: County) -> None:
    """With nobody answering anywhere the province hears of it every two hours, and it never ends by itself."""
    case = await county.alarm()
    await county.after(minutes=95)
    await county.told(case)
    for _ in range(3):
        await county.after(hours=2)
        assert "top_repeats" in {message.reason for message in await county.messages(case)}


async def test_nobody_on_duty_means_the_next_tower_at_once(database: str) -> None:
    """An empty desk costs no quarter of an hour, and that it is empty is a case of its own."""
    async with open_county(database, vacant=[QINGXI]) as county:
        case = await county.alarm()
        assert await county.told(case) == [COUNTY_DESK]
        assert "青溪镇生态环境值班无人在岗" in await county.record(case)
        queue = await county.world.store.queue(county.officer(COUNTY).who)
        assert [row.zh for row in queue if row.category == "platform-fault"] == [
            "青溪镇生态环境值班无人在岗，通知已越级"
        ]


async def test_the_gravest_is_known_at_every_tower_in_the_same_moment(county: County) -> None:
    """Red: township, county, city and province, at once."""
    case = await county.alarm(level=Level.RED)
    assert sorted(await county.told(case)) == sorted([TOWNSHIP_DESK, COUNTY_DESK, CITY_DESK, PROVINCE_DESK])


async def test_acknowledged_means_silence(county: County) -> None:
    """Once somebody has it nobody is told of the alarm again; what is told is that the work is not done."""
    case = await county.alarm()
    await county.told(case)
    await county.officer(QINGXI).acknowledges(case)
    await county.after(hours=26)
    reasons = {message.reason for message in await county.messages(case)}
    assert reasons and all(reason.startswith("task_") for reason in reasons)
    assert (await county.look(case)).row.step == 0


async def test_the_officer_answers_from_the_phone_and_the_towers_above_sleep_on(county: County) -> None:
    """One reply is enough: on record who and how, nobody above is told, and the same reply again changes nothing."""
    case = await county.alarm()
    (message,) = await county.messages(case)
    assert (await county.world.store.replies.answer(message.page, Via.SMS))[1] is Standing.DONE
    assert (await county.world.store.replies.answer(message.page, Via.SMS))[1] is Standing.USED
    await county.after(minutes=25)
    assert await county.told(case) == []
    row = (await county.look(case)).row
    assert (row.acknowledged_by, row.holder) == (TOWNSHIP_DESK, TOWNSHIP_DESK)
    assert any("通过短信回复答复通知" in line for line in await county.record(case))


async def test_two_officers_at_once_and_one_has_it(county: County) -> None:
    """The second one learns who was first, and when."""
    case = await county.alarm(level=Level.ORANGE)
    await county.officer(QINGXI).acknowledges(case)
    with pytest.raises(Conflict, match=r"青溪镇值班室已于 2026-05-01 16:00 确认接收"):
        await county.officer(COUNTY).acknowledges(case)
    assert (await county.look(case)).row.holder == TOWNSHIP_DESK


async def test_what_becomes_graver_asks_anew(county: County) -> None:
    """The county makes an acknowledged case grave: everybody up to the city is told, although it had been taken note of."""
    case = await county.alarm()
    await county.officer(QINGXI).acknowledges(case)
    await county.told(case)
    store, rules = county.world.store, county.world.rules
    await store.grades.set(county.officer(COUNTY).who, case, Grade.II, "多村取水口受影响", uuid4(), rules)
    assert sorted(await county.told(case)) == sorted([TOWNSHIP_DESK, COUNTY_DESK, CITY_DESK])
    assert (await county.look(case)).row.acknowledged_at is None


async def test_where_two_levels_must_take_note_one_is_not_enough(county: County) -> None:
    """The county has it; the city, whose word is needed too, is asked again until it has given it, and nobody else is."""
    data = county.world.rules.data
    policies = tuple(structs.replace(one, acknowledged_by=("county", "city")) for one in data.policies)
    county.world.rules = replace(county.world.rules, data=structs.replace(data, policies=policies))
    case = await county.alarm(level=Level.ORANGE)
    await county.officer(COUNTY).acknowledges(case)
    await county.told(case)
    await county.after(minutes=15)
    assert set(await county.told(case)) == {CITY_DESK}
    await county.officer(CITY).acknowledges(case)
    assert (await county.look(case)).row.acknowledged_at == county.now
    await county.after(minutes=60)
    assert "acknowledgement_awaited" not in {message.reason for message in await county.messages(case)}


async def test_after_an_outage_there_is_one_step_and_no_heap_of_old_pages(county: County) -> None:
    """Half an hour without responders: each of ten cases is told once, to the next tower, and the rest waits its turn."""
    cases = [await county.alarm() for _ in range(10)]
    await county.told()
    await county.outage(minutes=30)
    heard = await county.messages()
    assert {message.recipient for message in heard if message.reason == "not_acknowledged"} == {COUNTY_DESK}
    assert [(await county.look(case)).row.step for case in cases] == [1] * 10
    assert len([one for one in heard if one.reason == "not_acknowledged"]) == len(cases)


async def test_a_phone_that_is_dead_does_not_keep_the_city_from_knowing(county: County) -> None:
    """The phone refuses; the same person is reached on the next channel, and the record tells of both."""
    county.phone.answers = [Outcome(Result.REFUSED, Cause.REJECTED)] * 3
    case = await county.alarm(level=Level.ORANGE)
    assert (
        sorted(await county.told(case)).count(CITY_DESK) == 2
    )  # tried by phone, reached by the other channel
    assert CITY_DESK in county.house.recipients
    assert CITY_DESK not in county.phone.recipients
    assert any(line.kind == "page_failed" for line in (await county.look(case)).timeline)


# Nobody is buried ---------------------------------------------------------------------------------------------------


async def test_a_storm_does_not_bury_the_officer(county: County) -> None:
    """Forty yellow cases in one night are a few letters to the county's phone, and the red one among them goes at once."""
    cases = [await county.alarm(f"{QINGXI}{number:03d}", Level.YELLOW) for number in range(1, 41)]
    red = await county.alarm(HEWAN, Level.RED)
    at_once = [one for one in county.phone.calls if one.recipient == COUNTY_DESK and one.incident == red]
    assert len(at_once) == 1
    await county.after(minutes=10)
    letters = [one for one in county.phone.calls if one.recipient == COUNTY_DESK and one.incident != red]
    told = {case for one in letters for case in (one.incident, *(also.incident for also in one.also))}
    assert told >= set(cases)
    assert len(letters) <= 15
    assert max(len(one.also) + 1 for one in letters) >= len(cases) / 2


async def test_at_night_only_what_is_grave_rings_the_phone(county: County) -> None:
    """At 23:00 a yellow case waits for the morning, though the screen shows it; an orange one rings at once."""
    data = county.world.rules.data
    night = Quiet(policy="larger", starts="22:00", ends="06:30")
    pacing = tuple(structs.replace(one, quiet=(night,)) for one in data.pacing)
    county.world.rules = replace(county.world.rules, data=structs.replace(data, pacing=pacing))
    county.world.now = datetime(2026, 5, 1, 23, tzinfo=LOCAL)
    await county.world.set_clock()
    yellow = await county.alarm(level=Level.YELLOW)
    orange = await county.alarm(HEWAN, Level.ORANGE)
    assert {message.incident for message in county.phone.calls} == {orange}
    assert {page.state for page in (await county.look(yellow)).pages if page.channel == "console"} == {
        PageState.DUE
    }
    await county.after(hours=7, minutes=30)
    assert yellow in {case for message in county.phone.calls for case in about(message)}


async def test_a_case_that_is_put_aside_comes_back(county: County) -> None:
    """While the instrument is calibrated nobody is told; when the time is over the township is, although nobody asked."""
    case = await county.alarm()
    await county.told(case)
    await county.officer(QINGXI).shelves(case, "设备校准", minutes=30)
    await county.after(minutes=25)
    assert await county.told(case) == []
    await county.after(minutes=5)
    heard = await county.messages(case)
    assert {one.recipient for one in heard} == {TOWNSHIP_DESK}
    assert {one.reason for one in heard} == {"hold_over", "task_half_time"}  # the task's time had gone on


async def test_nobody_holds_back_a_red_case_alone(county: County) -> None:
    """One officer wants it put aside: the pages go on until a second one stands behind it."""
    case = await county.alarm(level=Level.RED)
    await county.told(case)
    await county.officer(COUNTY).shelves(case, "设备校准", minutes=20)
    await county.after(minutes=20)
    assert PROVINCE_DESK in await county.told(case)


# The law, the change of shifts, exercises ---------------------------------------------------------------------------


async def test_a_legal_deadline_nears_and_the_draft_is_there(database: str) -> None:
    """Half an hour before the limit the county is told, finds the report written from the record, and sends it."""
    async with open_county(database, law=True) as county:
        case = await county.alarm(level=Level.YELLOW)
        await county.officer(COUNTY).acknowledges(case)
        await county.officer(COUNTY).confirms(case)
        await county.after(minutes=85)
        await county.told(case)
        await county.after(minutes=5)
        assert (COUNTY_DESK, "legal_soon") in {
            (one.recipient, one.reason) for one in await county.messages(case)
        }
        store, rules, desk = county.world.store, county.world.rules, county.officer(COUNTY).who
        shown = await store.reports.show(desk, case, rules)
        text = next(draft.text for draft in shown.drafts if draft.kind is ReportKind.FIRST)
        assert "青溪河断面氨氮超标" in text and COUNTY_DESK in text
        await store.reports.submit(
            desk, case, Written(ReportKind.FIRST, "city", "written", text), uuid4(), rules
        )
        await county.after(hours=1)
        clock = next(
            one
            for one in (await county.look(case)).clocks
            if (one.clock, one.kind, one.to) == ("general", ReportKind.FIRST, "city")
        )
        assert clock.kept is Kept.MET
        assert "legal_missed" not in {
            one.reason for one in await county.messages(case) if one.recipient == CITY_DESK
        }


async def test_an_acknowledgement_stops_no_clock_of_the_law(database: str) -> None:
    """Everybody has taken note and nobody has reported: the city hears that the county's report is missing."""
    async with open_county(database, law=True) as county:
        case = await county.alarm(level=Level.YELLOW)
        await county.officer(COUNTY).acknowledges(case)
        await county.officer(COUNTY).confirms(case)
        await county.after(hours=2)
        assert (CITY_DESK, "legal_missed") in {
            (one.recipient, one.reason) for one in await county.messages(case)
        }


async def test_a_hand_over_is_signed_or_both_sides_hear_of_it(database: str) -> None:
    """Nobody signs: after a quarter of an hour both sides are told, after half an hour the county, until one signs."""
    first, second = (post(QINGXI, suffix=f"值班{name}岗") for name in "一二")
    async with open_county(database, vacant=[QINGXI]) as county:
        store = county.world.store
        await store.put_users([first, second])
        begins = (county.now + timedelta(hours=1)).astimezone(LOCAL)
        rotation = Rotation(
            QINGXI, "", ((first.id,), (second.id,)), 12, begins.time(), begins.date() - timedelta(days=1)
        )
        await store.roster.put(Plan(rotations=(rotation,)), "值班表")
        await county.after(minutes=60)
        await county.told()
        await county.after(minutes=15)
        both = {first.display, second.display}
        assert both <= set(await county.told())
        await county.after(minutes=15)
        assert COUNTY_DESK in await county.told()
        outlook = await store.roster.outlook(county.now - timedelta(hours=2), county.now)
        (change,) = [one for one in outlook.hand_overs if one.area == QINGXI]
        came = next(one for one in (first, second) if one.display in change.incoming)
        signed = await store.roster.sign(viewer(came), change.id, "已阅，在办事项清楚", uuid4())
        assert signed.signed_by == came.display
        await county.after(hours=2)
        assert await county.told() == []


async def test_a_drill_reaches_nobody_outside(county: County) -> None:
    """A spill is exercised through the real way: the house hears of it marked as a drill, no phone outside ever rings."""
    await county.world.store.drills.start(uuid4(), LEAK, COUNTY, {})
    await county.after(hours=3)
    drilled = [message for message in county.house.calls if message.drill]
    assert {TOWNSHIP_DESK, COUNTY_DESK, CITY_DESK} <= {message.recipient for message in drilled}
    assert all("演练" in message.title for message in drilled)
    assert [message for message in county.phone.calls if message.drill] == []


async def test_a_real_alarm_during_a_drill_is_a_case_of_its_own(county: County) -> None:
    """The same river, the same hour: the real one rings phones, and ends nothing of the drill."""
    await county.world.store.drills.start(uuid4(), LEAK, COUNTY, {})
    await county.after(minutes=5)
    real = await county.alarm(level=Level.RED)
    assert {COUNTY_DESK, CITY_DESK, PROVINCE_DESK} <= set(await county.told(real))
    assert real in {message.incident for message in county.phone.calls}
    assert not (await county.look(real)).row.drill
