"""What becomes of a case and of the work in it, told as stories on a steered clock; no broker is needed."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from officer_world import (
    CITY_DESK,
    COUNTY_DESK,
    DOWNSTREAM_DESK,
    TOWNSHIP_DESK,
    County,
    open_county,
)
from responder_world import CITY, COUNTY, HEWAN, POSTS, PROVINCE, QINGXI

from config.ownership import Claim, prove
from domain.errors import Conflict, NotAllowed
from domain.incidents import IncidentState, PleaKind, Satisfied, TaskState
from domain.levels import Level
from responders.replies import Standing, Via

LOCAL = ZoneInfo("Asia/Shanghai")
TOWN_WORK = "municipal-service"
"""A kind of matter whose task is the township's."""


@pytest.fixture
async def county(database: str) -> AsyncIterator[County]:
    """A county in which everybody is on duty and each alert is a case of its own."""
    async with open_county(database) as opened:
        yield opened


async def test_each_matter_has_one_owner_by_the_list_of_duties(county: County) -> None:
    """Rising water in a village is the flood desk's of its township; and no matter anywhere is nobody's, or two desks'."""
    case = await county.alarm(f"{QINGXI}001", category="flood")
    assert [task.unit for task in (await county.look(case)).tasks] == ["青溪镇防汛值班"]
    data = county.world.rules.data
    claims = [Claim(category=duty.category, area=duty.area) for duty in data.duties]
    proofs = list(
        prove(claims, tuple(data.categories), [area.code for area in await county.world.store.areas()])
    )
    assert [(proof.gaps, proof.overlaps) for proof in proofs] == [((), ())] * len(POSTS)


async def test_the_township_refuses_and_the_county_decides(county: County) -> None:
    """A refusal cites the list of duties, stops no clock, and is decided above: the new unit has its full time."""
    case = await county.alarm(level=Level.ORANGE, category=TOWN_WORK)
    await county.officer(QINGXI).acknowledges(case)
    await county.told(case)
    due = (await county.officer(QINGXI).task(case)).due_at
    task = await county.officer(QINGXI).refuses(case, "河道归下游镇管理", "配合事项 第12项")
    assert (COUNTY_DESK, "plea") in {(one.recipient, one.reason) for one in await county.messages(case)}
    assert (await county.officer(QINGXI).task(case)).due_at == due
    with pytest.raises(NotAllowed):
        await county.officer(QINGXI).arbitrates(task, PleaKind.REFUSE, granted=True, to=HEWAN)
    await county.after(minutes=10)
    await county.officer(COUNTY).arbitrates(task, PleaKind.REFUSE, granted=True, to=HEWAN, note="属下游河段")
    assert DOWNSTREAM_DESK in await county.told(case)
    moved = await county.officer(HEWAN).task(case)
    assert (moved.id, moved.state, moved.dispatched_at) == (task, TaskState.DISPATCHED, county.now)
    assert any("改派河湾镇值班室" in line for line in await county.record(case))


async def test_the_grid_worker_whose_work_is_not_his_keeps_it_when_the_arbiter_says_so(
    county: County,
) -> None:
    """A refusal that is denied wins no time: the same unit, the same end."""
    case = await county.alarm(level=Level.ORANGE, category=TOWN_WORK)
    await county.officer(COUNTY).acknowledges(case)
    due = (await county.officer(QINGXI).task(case)).due_at
    task = await county.officer(QINGXI).refuses(case, "人手不足", "基本事项 第3项")
    await county.after(minutes=20)
    await county.officer(COUNTY).arbitrates(task, PleaKind.REFUSE, granted=False, note="属基本职责")
    kept = await county.officer(QINGXI).task(case)
    assert (kept.id, kept.state, kept.due_at) == (task, TaskState.DISPATCHED, due)
    with pytest.raises(Conflict):
        await county.officer(QINGXI).refuses(case, "人手不足", "基本事项 第3项")


async def test_what_nobody_decides_is_the_countys(county: County) -> None:
    """In an emergency half an hour after a refusal the task is the county's: work is nobody's for no moment."""
    case = await county.alarm(level=Level.ORANGE, category=TOWN_WORK)
    await county.officer(COUNTY).acknowledges(case)
    await county.officer(QINGXI).refuses(case, "不属本镇", "配合事项 第12项")
    await county.after(minutes=30)
    assert (await county.officer(COUNTY).task(case)).unit == COUNTY_DESK


async def test_a_task_that_was_put_off_comes_back_by_itself(county: County) -> None:
    """A flooded road stops the work for six hours; then the unit hears that it goes on, with the time that was left."""
    case = await county.alarm(category=TOWN_WORK)
    township = county.officer(QINGXI)
    await township.acknowledges(case)
    await township.moves_task(case, TaskState.ACCEPTED)
    due = (await township.task(case)).due_at
    task = await township.asks_for_a_pause(case, "道路中断", hours=6)
    await county.officer(COUNTY).arbitrates(task, PleaKind.SUSPEND, granted=True)
    await county.told(case)
    await county.after(hours=5)
    assert await county.told(case) == []
    await county.after(hours=1)
    assert "resumed" in {message.reason for message in await county.messages(case)}
    resumed = await township.task(case)
    assert (resumed.state, resumed.due_at) == (TaskState.ACCEPTED, due + timedelta(hours=6))


async def test_a_late_task_is_told_upwards_and_then_each_working_day(county: County) -> None:
    """Half-time the unit, the end the county, half as much again the city; then each working day, until it is done."""
    county.world.now = datetime(2026, 5, 18, 8, 30, tzinfo=LOCAL)  # a Monday
    await county.world.set_clock()
    case = await county.alarm(category=TOWN_WORK)
    township = county.officer(QINGXI)
    await township.acknowledges(case)
    await township.moves_task(case, TaskState.ACCEPTED)
    await county.told(case)
    await county.after(hours=9)
    assert [(one.reason, one.recipient) for one in await county.messages(case)] == [
        ("task_half_time", TOWNSHIP_DESK),
        ("task_overdue", COUNTY_DESK),
        ("task_long_overdue", CITY_DESK),
    ]
    for _ in range(2):
        await county.after(days=1)
        assert sorted(await county.told(case)) == sorted([TOWNSHIP_DESK, CITY_DESK])
    await township.moves_task(case, TaskState.ON_SITE, TaskState.DONE)
    await county.after(days=2)
    assert await county.told(case) == []


async def test_a_case_over_a_boundary_is_led_by_what_both_have_in_common(county: County) -> None:
    """The river flows on: the next township has its own task, the county leads, and only the county ends it."""
    case = await county.alarm(category=TOWN_WORK)
    await county.officer(QINGXI).acknowledges(case)
    await county.told(case)
    await county.officer(QINGXI).brings_in(case, HEWAN, "污染带已到下游")
    heard = {(one.recipient, one.reason) for one in await county.messages(case)}
    assert heard >= {(DOWNSTREAM_DESK, "dispatched"), (COUNTY_DESK, "coordinates")}
    assert (await county.officer(HEWAN).task(case)).state is TaskState.DISPATCHED
    with pytest.raises(NotAllowed, match="示例县"):
        await county.officer(QINGXI).closes(case)
    await county.officer(COUNTY).closes(case)
    assert (await county.look(case)).row.state is IncidentState.CLOSED


async def test_a_township_that_was_brought_in_says_that_it_has_seen_it(county: County) -> None:
    """It answers from the phone: on record as seen, while the case goes on asking those who answer for it."""
    case = await county.alarm(category=TOWN_WORK)
    await county.officer(COUNTY).brings_in(case, HEWAN, "下游取水口")
    message = next(one for one in await county.messages(case) if one.recipient == DOWNSTREAM_DESK)
    assert (await county.world.store.replies.answer(message.page, Via.LINK))[1] is Standing.SEEN
    view = await county.look(case)
    assert [(party.area, party.seen_by) for party in view.parties] == [(HEWAN, DOWNSTREAM_DESK)]
    assert view.row.acknowledged_at is None
    await county.after(minutes=15)
    assert COUNTY_DESK in await county.told(case)


async def test_who_was_not_helped_opens_the_case_again(county: County) -> None:
    """The call-back tells that it stinks as before: the case is open, paged and has a task, and the record says why."""
    case = await county.alarm(category=TOWN_WORK)
    await county.officer(QINGXI).acknowledges(case)
    await county.officer(COUNTY).closes(case)
    await county.told(case)
    await county.after(hours=20)
    await county.officer(COUNTY).calls_back(case, Satisfied.NO, "河水仍有异味")
    view = await county.look(case)
    assert view.row.state not in (IncidentState.CLOSED, IncidentState.REVIEWED)
    assert TOWNSHIP_DESK in await county.told(case)
    assert (await county.officer(QINGXI).task(case)).state is TaskState.DISPATCHED
    assert any("河水仍有异味" in line for line in await county.record(case))


async def test_two_cases_of_one_matter_are_made_one(county: County) -> None:
    """The officer sees that it is the same spill: one case is left, with both tasks, and only it goes on asking."""
    one = await county.alarm(HEWAN, category=TOWN_WORK)
    other = await county.alarm(category=TOWN_WORK)
    await county.told()
    store, rules = county.world.store, county.world.rules
    await store.casework.merge(county.officer(COUNTY).who, one, other, "同一起泄漏", uuid4(), rules)
    assert (await county.look(one)).row.state is IncidentState.MERGED
    assert len((await county.look(other)).tasks) == 2
    await county.after(minutes=30)
    assert await county.told(one) == []


async def test_what_comes_back_within_a_week_is_the_same_case(database: str) -> None:
    """Closed, and found again two days later: the old case is open, with all that is known of it, and is told anew."""
    async with open_county(database, grouped=True) as county:
        case = await county.alarm(category=TOWN_WORK)
        await county.officer(QINGXI).acknowledges(case)
        await county.officer(COUNTY).closes(case)
        await county.told()
        county.world.now += timedelta(days=2)
        await county.world.set_clock()
        await county.alarm(category=TOWN_WORK)
        assert (await county.look(case)).row.state not in (IncidentState.CLOSED, IncidentState.REVIEWED)
        assert TOWNSHIP_DESK in await county.told(case)


async def test_two_reports_of_one_matter_are_one_case(database: str) -> None:
    """The sensor and the callers mean the same river: one case, one page, and both alerts can be found in it."""
    async with open_county(database, grouped=True) as county:
        first = await county.alarm()
        await county.after(minutes=5)
        await county.told()
        await county.alarm()
        assert await county.told() == []
        assert len((await county.look(first)).alerts) == 2


# Afterwards ---------------------------------------------------------------------------------------------------------


async def test_the_record_tells_who_did_what_and_cannot_be_changed(county: County) -> None:
    """From the first page to the last word, in order, chained, and without anybody's number."""
    case = await county.alarm(level=Level.ORANGE, category=TOWN_WORK)
    await county.officer(QINGXI).acknowledges(case)
    await county.after(minutes=30)
    await county.officer(QINGXI).moves_task(case, TaskState.ACCEPTED, TaskState.ON_SITE, TaskState.DONE)
    await county.officer(COUNTY).closes(case)
    kinds = [line.kind for line in (await county.look(case)).timeline]
    wanted = [
        "opened",
        "task_dispatched",
        "paged",
        "acknowledged",
        "task_accepted",
        "task_on_site",
        "task_done",
    ]
    assert [kind for kind in kinds if kind in wanted] == wanted
    lines, breaks = await county.world.store.audit.verify()
    assert lines >= len(kinds)
    assert breaks == []


async def test_figures_are_of_areas_and_a_persons_load_is_his_own(county: County) -> None:
    """The county sees how townships respond, never who; what the day cost an officer only that officer sees."""
    case = await county.alarm(category=TOWN_WORK)
    await county.after(minutes=10)
    await county.officer(QINGXI).acknowledges(case)
    since, until = county.now - timedelta(days=1), county.now + timedelta(minutes=1)
    figures = await county.world.store.figures.response(county.officer(COUNTY).who, since, until)
    township = next(one for one in figures if one.area == QINGXI)
    assert (township.cases, township.unacknowledged) == (1, 0)
    names = {user.display for user in POSTS.values()}
    assert not any(getattr(one, field) in names for one in figures for field in one.__struct_fields__)
    day = county.now.astimezone(LOCAL).date()
    own = await county.world.store.figures.own_load(county.officer(QINGXI).who, day)
    assert (own.messages, own.taps) == (1, 1)
    other = await county.world.store.figures.own_load(county.officer(PROVINCE).who, day)
    assert (other.messages, other.taps) == (0, 0)


async def test_nobody_sees_what_happens_elsewhere(county: County) -> None:
    """A township's case is in its own queue and those above; the next township has never heard of it."""
    case = await county.alarm()
    store = county.world.store
    for area, sees in ((QINGXI, True), (COUNTY, True), (CITY, True), (HEWAN, False)):
        rows = await store.queue(county.officer(area).who)
        assert (case in {row.id for row in rows}) is sees
