"""The roster against a real database: stand-ins, exchanges, hand-overs that nobody signs, desks that will be vacant."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from responder_world import COUNTY, HEWAN, POSTS, PROVINCE, QINGXI, START, World, open_world, post, viewer

from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.incidents import IncidentState
from responders.arrangements import Stretch
from responders.cases import Desk
from responders.roster_plan import Plan, What
from responders.roster_views import HandOverView, RosterView
from responders.rotations import Rotation
from responders.store import Store
from responders.views import IncidentRow, Role, Shift, User

DESK = Desk(QINGXI, "")
FIRST, SECOND, THIRD = (post(QINGXI, suffix=f"值班{name}岗") for name in "一二三")
CHIEF = post(QINGXI, Role.COMMANDER, "带班室")
GRID = post(QINGXI, Role.GRID, "网格")
DAY = timedelta(days=1)
HALF_DAY = timedelta(hours=12)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county whose township Qingxi has two people that take turns of twelve hours, the first one since two hours.

    The clock stands at 16:00 in the county; hand-overs are at 02:00 and 14:00.
    """
    async with open_world(database, vacant=[QINGXI]) as world:
        await world.store.put_users([FIRST, SECOND, THIRD, CHIEF, GRID, POSTS[QINGXI]])
        await world.store.roster.put(Plan(rotations=(rotation(),)), "test")
        await world.advance()
        yield world


def rotation(crews: tuple[tuple[User, ...], ...] = ((FIRST,), (SECOND,)), hours: int = 12) -> Rotation:
    """Make the township's rotation."""
    ids = tuple(tuple(user.id for user in crew) for crew in crews)
    return Rotation(QINGXI, "", ids, hours, time(14), date(2026, 5, 1))


def stretch(first: float, last: float) -> Stretch:
    """Make a time of hours since the start."""
    return Stretch(START + timedelta(hours=first), START + timedelta(hours=last))


async def outlook(world: World, days: float = 2) -> RosterView:
    """Show the roster to an operator."""
    return await world.store.roster.outlook(world.now, world.now + days * DAY)


async def on_duty(world: World, at: datetime) -> list[str]:
    """Name who is on duty in Qingxi."""
    view = await world.store.roster.outlook(at, at + timedelta(microseconds=1))
    (desk,) = [one for one in view.desks if (one.area, one.post) == (QINGXI, "")]
    return [span.display for span in desk.spans]


async def hand_overs(world: World) -> tuple[HandOverView, ...]:
    """List the hand-overs of Qingxi, oldest first."""
    return tuple(one for one in (await outlook(world)).hand_overs if one.area == QINGXI)[::-1]


async def open_faults(world: World, words: str) -> list[IncidentRow]:
    """List open cases whose sentence holds some words."""
    return [row for row in await world.store.queue(viewer(POSTS[PROVINCE])) if words in row.zh]


async def pages_of(world: World, incident: UUID, reason: str) -> list[str]:
    """Name who was paged about a case on the console for a reason, in the order of paging."""
    pages = (await world.show(incident)).pages
    return [page.recipient for page in pages if page.reason == reason and page.channel == "console"]


async def test_the_rotation_says_whom_a_case_pages(world: World) -> None:
    """Whoever's turn it is gets the page; planned two months ahead, and further as time goes on."""
    incident = await world.raise_alert(category="municipal-service")
    assert "青溪镇值班一岗" in await pages_of(world, incident, "opened")
    await world.advance(hours=13)
    later = await world.raise_alert(category="municipal-service")
    assert "青溪镇值班二岗" in await pages_of(world, later, "opened")
    await world.advance(days=50)
    assert await on_duty(world, world.now + 40 * DAY) == ["青溪镇值班二岗"]
    rows = await asyncpg.connect(world.dsn)
    try:
        planned = await rows.fetchval("select max(ends_at) from shift where planned")
    finally:
        await rows.close()
    assert planned >= world.now + 60 * DAY


async def test_an_unsigned_hand_over_pages_both_and_then_the_level_above(world: World) -> None:
    """Not signed within a quarter of an hour both sides are paged, after half an hour the county, until somebody signs."""
    await world.raise_alert(category="municipal-service")
    await world.advance(hours=10)
    (one,) = await hand_overs(world)
    assert (one.outgoing, one.incoming, one.rounds) == (("青溪镇值班一岗",), ("青溪镇值班二岗",), 0)
    assert one.at == START + timedelta(hours=10)
    await world.advance(minutes=14)
    assert await open_faults(world, "未签收") == []
    await world.advance(minutes=1)
    (case,) = await open_faults(world, "交接班未签收")
    about = [*await pages_of(world, case.id, "opened"), *await pages_of(world, case.id, "hand_over")]
    assert {"青溪镇值班一岗", "青溪镇值班二岗"} <= set(about)
    assert len(about) == len(set(about))
    await world.store.acknowledge(viewer(POSTS[COUNTY]), case.id, uuid4())
    await world.advance(minutes=15)
    again = await pages_of(world, case.id, "hand_over")
    assert again.count("青溪镇值班一岗") >= 1
    assert again.count("青溪镇值班二岗") >= 1
    assert "示例县值班室" in again
    signed = await world.store.roster.sign(viewer(SECOND), one.id, "已阅", uuid4())
    assert (signed.signed_by, signed.remark) == ("青溪镇值班二岗", "已阅")
    assert (await world.show(case.id)).row.state is IncidentState.CLOSED
    count = len((await world.show(case.id)).pages)
    await world.advance(hours=2)
    assert len((await world.show(case.id)).pages) == count


async def test_the_note_lists_what_is_open_overdue_and_held(world: World) -> None:
    """The people who come read what they take over, as it was at the change."""
    incident = await world.raise_alert(category="municipal-service")
    await world.advance(hours=10)
    (one,) = await hand_overs(world)
    assert (one.note.open_cases, [case.id for case in one.note.cases]) == (1, [incident])
    assert (one.note.overdue_tasks, [task.incident for task in one.note.tasks]) == (1, [incident])
    assert one.note.held_pages == len(one.note.pages) > 0
    assert {page.state for page in one.note.pages} == {"due"}
    await world.store.close(viewer(SECOND), incident, "处置完毕", uuid4())
    await world.advance(hours=12)
    *_, later = await hand_overs(world)
    assert incident not in {case.id for case in later.note.cases}
    assert incident not in {task.incident for task in later.note.tasks}


async def test_a_hand_over_is_signed_once_by_somebody_who_came(world: World) -> None:
    """Not by who left, not from elsewhere, not twice; the same request again is answered again."""
    await world.advance(hours=10)
    (one,) = await hand_overs(world)
    roster = world.store.roster
    for who, error in ((FIRST, NotAllowed), (GRID, NotAllowed), (POSTS[HEWAN], NotFound)):
        with pytest.raises(error):
            await roster.sign(viewer(who), one.id, "", uuid4())
    request = uuid4()
    assert await roster.sign(viewer(SECOND), one.id, "", request) == await roster.sign(
        viewer(SECOND), one.id, "", request
    )
    with pytest.raises(Conflict):
        await roster.sign(viewer(SECOND), one.id, "", uuid4())
    await world.advance(hours=1)
    assert await open_faults(world, "未签收") == []


async def test_after_an_outage_there_is_one_hand_over(world: World) -> None:
    """Nobody looked for three days: who sits there now takes over from who sat there then, and a day later the next."""
    await world.advance(days=3, hours=11)
    assert [one.incoming for one in await hand_overs(world)] == [("青溪镇值班二岗",)]
    await world.advance(hours=12)
    first, second = await hand_overs(world)
    assert (first.replaced, second.replaced) == (True, False)
    assert second.note.unsigned_before == 1
    with pytest.raises(Conflict):
        await world.store.roster.sign(viewer(SECOND), first.id, "", uuid4())


async def test_many_workers_hand_over_once(world: World) -> None:
    """Of several workers at the same moment one notices the change, and one pages about it."""
    world.now += timedelta(hours=10)
    await world.set_clock()
    stores = [world.store] * 4

    async def work(store: Store) -> None:
        while await store.roster.watch_next(world.rules):
            pass
        while await store.roster.remind_hand_over_next(world.rules):
            pass

    await asyncio.gather(*map(work, stores))
    assert len(await hand_overs(world)) == 1
    world.now += timedelta(minutes=15)
    await world.set_clock()
    await asyncio.gather(*map(work, stores))
    (one,) = await hand_overs(world)
    assert one.rounds == 1
    (case,) = await open_faults(world, "交接班未签收")
    pages = [*await pages_of(world, case.id, "opened"), *await pages_of(world, case.id, "hand_over")]
    assert pages.count("青溪镇值班一岗") == pages.count("青溪镇值班二岗") == 1


async def test_a_stand_in_changes_whom_the_next_step_pages(world: World) -> None:
    """Somebody takes over in mid-escalation, at the county: the step that comes then pages him, not who was to be."""
    night = post(COUNTY, suffix="夜班")
    await world.store.put_users([night])
    incident = await world.raise_alert(category="municipal-service")
    change = await world.store.roster.substitute(
        viewer(POSTS[PROVINCE]),
        Desk(COUNTY, ""),
        POSTS[COUNTY].id,
        night.id,
        stretch(0, 24),
        "临时外出",
        uuid4(),
    )
    assert (change.kind, change.before[0]["who"], change.after[0]["who"]) == (
        "substituted",
        "示例县值班室",
        "示例县夜班",
    )
    await world.advance(minutes=15)
    paged = await pages_of(world, incident, "not_acknowledged")
    assert "示例县夜班" in paged
    assert "示例县值班室" not in paged


async def test_a_person_disabled_in_mid_escalation_is_passed_over(world: World) -> None:
    """Nobody is left at the county's desk: the case goes on to the city at once, and the vacancy is a case of its own."""
    incident = await world.raise_alert(category="municipal-service")
    rows = await asyncpg.connect(world.dsn)
    try:
        await rows.execute("update app_user set disabled = true where id = $1", POSTS[COUNTY].id)
    finally:
        await rows.close()
    await world.advance(minutes=15)
    assert "示例市值班室" in await pages_of(world, incident, "not_acknowledged")
    assert await open_faults(world, "示例县值班室") != []


async def test_who_may_arrange_a_stand_in(world: World) -> None:
    """The commander, the level above, and whoever takes it upon himself; nobody gives his duty to his equal."""
    roster = world.store.roster
    for who, allowed in (
        (CHIEF, True),
        (POSTS[COUNTY], True),
        (THIRD, True),
        (FIRST, False),
        (SECOND, False),
    ):
        asked = roster.substitute(
            viewer(who), DESK, FIRST.id, THIRD.id, stretch(0, 2), "", request_id=uuid4()
        )
        if allowed:
            await asked
            await roster.substitute(
                viewer(CHIEF), DESK, THIRD.id, FIRST.id, stretch(0, 2), "", request_id=uuid4()
            )
        else:
            with pytest.raises(NotAllowed):
                await asked
    for who, error in ((POSTS[HEWAN], NotFound), (GRID, NotAllowed)):
        with pytest.raises(error):
            await roster.substitute(viewer(who), DESK, FIRST.id, THIRD.id, stretch(0, 2), "", uuid4())
    assert await on_duty(world, world.now) == ["青溪镇值班一岗"]


async def test_every_objection_is_told(world: World) -> None:
    """Who is not there, who cannot be, and times that are none, all at once."""
    roster = world.store.roster

    async def faults(away: UUID, instead: UUID, time: Stretch) -> list[str]:
        with pytest.raises(InvalidInput) as caught:
            await roster.substitute(viewer(CHIEF), DESK, away, instead, time, "", uuid4())
        return [fault.field for fault in caught.value.faults]

    assert await faults(THIRD.id, POSTS[HEWAN].id, stretch(0, 2)) == ["instead", "away"]
    assert await faults(FIRST.id, GRID.id, stretch(2, 0)) == ["ends_at", "instead"]
    assert await faults(FIRST.id, uuid4(), stretch(-3, -2)) == ["ends_at", "instead"]
    assert await faults(FIRST.id, FIRST.id, stretch(0, 2)) == ["instead", "instead"]
    both = Plan(rotations=(rotation(((FIRST, SECOND), (THIRD,))),))
    await roster.put(both, "test")
    assert await faults(FIRST.id, SECOND.id, stretch(0, 2)) == ["instead"]


async def test_the_same_substitution_again_is_answered_again(world: World) -> None:
    """One line of the record for a request that was sent twice; the id may be used for nothing else."""
    request = uuid4()
    asked = (viewer(CHIEF), DESK, FIRST.id, THIRD.id, stretch(0, 2), "")
    first = await world.store.roster.substitute(*asked, request)
    assert await world.store.roster.substitute(*asked, request) == first
    changes = [one for one in (await outlook(world)).changes if one.kind == "substituted"]
    assert len(changes) == 1
    with pytest.raises(Conflict):
        await world.store.roster.substitute(
            viewer(CHIEF), DESK, FIRST.id, THIRD.id, stretch(0, 3), "", request
        )


async def test_an_exchange_that_nobody_agreed_to_has_no_effect(world: World) -> None:
    """Asked, and declined or not answered in time, it leaves everybody where he was."""
    roster, mine, theirs = world.store.roster, stretch(22, 34), stretch(34, 46)
    asked = await roster.ask_swap(viewer(FIRST), DESK, mine, SECOND.id, theirs, "家中有事", uuid4())
    assert asked.agreed is None
    assert await on_duty(world, mine.starts_at) == ["青溪镇值班一岗"]
    for who in (FIRST, CHIEF, THIRD):
        with pytest.raises(NotAllowed):
            await roster.answer_swap(viewer(who), asked.id, agreed=True, request_id=uuid4())
    declined = await roster.answer_swap(viewer(SECOND), asked.id, agreed=False, request_id=uuid4())
    assert declined.agreed is False
    with pytest.raises(Conflict):
        await roster.answer_swap(viewer(SECOND), asked.id, agreed=True, request_id=uuid4())
    late = await roster.ask_swap(viewer(FIRST), DESK, mine, SECOND.id, theirs, "", uuid4())
    await world.advance(hours=22)
    with pytest.raises(Conflict):
        await roster.answer_swap(viewer(SECOND), late.id, agreed=True, request_id=uuid4())
    assert await on_duty(world, mine.starts_at) == ["青溪镇值班一岗"]
    assert [one.lapsed for one in (await outlook(world)).swaps if one.id == late.id] == [True]


async def test_an_exchange_that_was_agreed_to_is_in_force(world: World) -> None:
    """Each has the other one's time, both lines are on record, and the rest of the plan is as it was."""
    roster, mine, theirs = world.store.roster, stretch(22, 34), stretch(34, 46)
    asked = await roster.ask_swap(viewer(FIRST), DESK, mine, SECOND.id, theirs, "", uuid4())
    request = uuid4()
    for _ in range(2):
        answer = await roster.answer_swap(viewer(SECOND), asked.id, agreed=True, request_id=request)
        assert answer.agreed is True
    assert await on_duty(world, mine.starts_at) == ["青溪镇值班二岗"]
    assert await on_duty(world, theirs.starts_at) == ["青溪镇值班一岗"]
    assert await on_duty(world, theirs.ends_at) == ["青溪镇值班一岗"]
    kinds = [one.kind for one in (await outlook(world)).changes]
    assert kinds.count("swapped") == 2
    assert kinds.count("swap_asked") == 1


async def test_an_exchange_that_no_longer_fits_is_refused(world: World) -> None:
    """The roster changed between asking and agreeing: nothing is exchanged, and the reason is told."""
    roster, mine, theirs = world.store.roster, stretch(22, 34), stretch(34, 46)
    asked = await roster.ask_swap(viewer(FIRST), DESK, mine, SECOND.id, theirs, "", uuid4())
    await roster.substitute(viewer(CHIEF), DESK, FIRST.id, THIRD.id, mine, "", uuid4())
    with pytest.raises(Conflict, match="mine"):
        await roster.answer_swap(viewer(SECOND), asked.id, agreed=True, request_id=uuid4())
    assert await on_duty(world, mine.starts_at) == ["青溪镇值班三岗"]
    for mine_, theirs_ in ((stretch(20, 34), theirs), (mine, stretch(30, 46)), (stretch(-1, 3), theirs)):
        with pytest.raises(InvalidInput):
            await roster.ask_swap(viewer(FIRST), DESK, mine_, SECOND.id, theirs_, "", uuid4())


async def test_a_vacancy_is_told_ahead_and_once(world: World) -> None:
    """A post whose shift is the last: told twelve hours before, not again, over when somebody is put on duty."""
    shift = Shift(
        area=HEWAN, post="", user=POSTS[HEWAN].id, starts_at=START - 3650 * DAY, ends_at=START + DAY
    )
    await world.store.put_shifts([shift])
    await world.advance(hours=11)
    assert await open_faults(world, "无人值班") == []
    await world.advance(hours=1)
    (case,) = await open_faults(world, "河湾镇值班室05月02日16:00起无人值班")
    await world.store.close(viewer(POSTS[COUNTY]), case.id, "知悉", uuid4())
    for _ in range(3):
        await world.advance(hours=6)
    assert await open_faults(world, "无人值班") == []
    gaps = await world.store.roster.gaps(world.now, world.now + DAY)
    assert [desk.area for desk in gaps] == [HEWAN]
    await world.store.put_shifts(
        [Shift(area=HEWAN, post="", user=POSTS[HEWAN].id, starts_at=world.now, ends_at=world.now + 9 * DAY)]
    )
    await world.advance()
    assert await world.store.roster.gaps(world.now, world.now + DAY) == {}


async def test_a_new_plan_replaces_what_lies_ahead(world: World) -> None:
    """Rotations and shifts of a file: what has passed stays, what lies ahead is the file's, who stands in stays."""
    roster = world.store.roster
    await roster.substitute(viewer(CHIEF), DESK, FIRST.id, CHIEF.id, stretch(24, 48), "", uuid4())
    same = await roster.put(Plan(rotations=(rotation(),)), "test")
    assert [one.what for one in same] == [What.SAME]
    new = Plan(rotations=(rotation(((THIRD,), (FIRST,)), 24),))
    would = await roster.put(new, "test", check=True)
    assert ([one.what for one in would], await on_duty(world, START + HALF_DAY)) == (
        [What.CHANGED],
        ["青溪镇值班二岗"],
    )
    await world.advance(hours=1)
    await roster.put(new, "test")
    assert await on_duty(world, START) == ["青溪镇值班一岗"]
    assert await on_duty(world, START + HALF_DAY) == ["青溪镇值班三岗"]
    assert await on_duty(world, START + timedelta(hours=30)) == ["青溪镇带班室"]
    single = Shift(
        area=QINGXI, post="flood-duty", user=FIRST.id, starts_at=START + DAY, ends_at=START + 2 * DAY
    )
    other = Shift(
        area=QINGXI, post="flood-duty", user=SECOND.id, starts_at=START + DAY, ends_at=START + 2 * DAY
    )
    (first,) = await roster.put(Plan(shifts=(single,)), "test")
    (second,) = await roster.put(Plan(shifts=(other,)), "test")
    assert [(one.added, one.removed) for one in (first, second)] == [(1, 0), (1, 1)]
    changes = [one for one in (await outlook(world)).changes if one.kind == "planned"]
    assert len(changes) == 4
    assert changes[0].before["shifts"][0]["who"] == "青溪镇值班一岗"


async def test_the_record_of_the_roster_cannot_be_changed(world: World) -> None:
    """The database refuses, whoever asks."""
    rows = await asyncpg.connect(world.dsn)
    try:
        for statement in (
            "delete from roster_change",
            "update roster_change set actor = ''",
            "truncate roster_change",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await rows.execute(statement)
    finally:
        await rows.close()


async def test_everybody_sees_his_own_area_alone(world: World) -> None:
    """A township sees its desks; another one's is not found; an administrator sees no roster."""
    roster, until = world.store.roster, world.now + DAY
    own = await roster.show(viewer(FIRST), world.now, until)
    assert {desk.area for desk in own.desks} == {QINGXI}
    assert {change.area for change in own.changes} == {QINGXI}
    with pytest.raises(NotFound):
        await roster.show(viewer(FIRST), world.now, until, HEWAN)
    county = await roster.show(viewer(POSTS[COUNTY]), world.now, until, HEWAN)
    assert {desk.area for desk in county.desks} == {HEWAN}
