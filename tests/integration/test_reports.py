"""Clocks of the law and their reports against a real database: begun, warned of, missed, met, and kept for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from fault_world import Killed, Life, mortal_store
from msgspec import structs
from responder_world import (
    CITY,
    COUNTY,
    HEWAN,
    LAWFUL,
    POSTS,
    PROVINCE,
    QINGXI,
    START,
    FakeChannel,
    World,
    alert,
    open_world,
    post,
    viewer,
)

from config.data import load_data
from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.identity import incident_id
from domain.incidents import IncidentState, PleaKind, Verdict
from domain.levels import Grade, Level
from responders.cases import Reason, Rules
from responders.casework import Described
from responders.dispatch import act_on_timers
from responders.dues import ReportKind
from responders.pleas import Plea
from responders.store import Store
from responders.store.reports import Written
from responders.views import ClockRow, Kept, ReportRow, Role, Viewer

QINGXI_POST, COUNTY_POST, CITY_POST, HEWAN_POST = (
    viewer(POSTS[area]) for area in (QINGXI, COUNTY, CITY, HEWAN)
)
FIRST, FOLLOW_UP, FINAL = ReportKind


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county on a standing clock in which the clocks of the law run."""
    async with open_world(database) as world:
        world.rules = LAWFUL
        yield world


async def begin(world: World, level: Level = Level.YELLOW, category: str = "water-pollution") -> UUID:
    """Open a case and confirm it."""
    incident = await world.raise_alert(QINGXI, level, category)
    await world.store.decide(COUNTY_POST, incident, Verdict.TRUE, "", uuid4())
    await world.advance(minutes=0)
    return incident


async def clocks(world: World, incident: UUID) -> dict[str, ClockRow]:
    """Read the newest clock of each way: `general first city`."""
    return {f"{one.clock} {one.kind} {one.to}": one for one in (await world.show(incident)).clocks}


async def make(
    world: World,
    incident: UUID,
    to: str = "city",
    kind: ReportKind = FIRST,
    by: Viewer = COUNTY_POST,
    text: str = "青溪河断面氨氮超标，伤亡待核实。",
    request: UUID | None = None,
    form: str = "written",
) -> ReportRow:
    """Make a report."""
    written = Written(kind, to, form, text)
    return await world.store.reports.submit(by, incident, written, request or uuid4(), world.rules)


async def told(world: World, incident: UUID, kind: str) -> list[str]:
    """Read the lines of a kind."""
    return [entry.text for entry in (await world.show(incident)).timeline if entry.kind == kind]


async def paged(world: World, incident: UUID, reason: Reason) -> list[str]:
    """Name who was paged for a reason over the file channel, in order."""
    pages = (await world.show(incident)).pages
    return [page.recipient for page in pages if page.reason == reason and page.channel == "file"]


async def test_clocks_begin_when_a_case_is_confirmed(world: World) -> None:
    """Not before; then each with its limit, and the record says so."""
    incident = await world.raise_alert(QINGXI, Level.YELLOW)
    await world.advance(minutes=30)
    assert (await world.show(incident)).clocks == ()
    await world.store.decide(COUNTY_POST, incident, Verdict.TRUE, "", uuid4())
    await world.advance(minutes=0)
    due = (await clocks(world, incident))["general first city"]
    assert (due.due_at, due.kept) == (world.now + timedelta(hours=2), Kept.RUNNING)
    assert (due.desk, due.addressee) == ("示例县生态环境值班", "示例市人民政府")
    (line,) = await told(world, incident, "report_begun")
    assert "示例县生态环境值班向示例市人民政府首报（书面）5月1日18时30分前" in line


async def test_an_unmade_report_is_warned_of_once_and_missed_once(world: World) -> None:
    """Half an hour before, the desk and its leader; at the limit the next level; later nobody any more."""
    await world.put_on_duty([leader := post(COUNTY, suffix="带班领导")], desk="leader")
    incident = await begin(world)
    township, county, city = (POSTS[area].display for area in (QINGXI, COUNTY, CITY))
    soon: list[str] = []
    missed: list[str] = []
    for minutes, warned, late in (
        (9, [], []),
        (1, [township], []),  # the call, due after 20 minutes
        (10, [township], [county]),  # the letter, due after 40
        (20, [], [county]),
        (49, [], []),
        (1, [county, leader.display], []),  # the county's own report, due after two hours
        (29, [], []),
        (1, [], [city]),
        (10, [], []),
    ):
        await world.advance(minutes=minutes)
        soon, missed = [*soon, *warned], [*missed, *late]
        assert sorted(await paged(world, incident, Reason.LEGAL_SOON)) == sorted(soon)
        assert sorted(await paged(world, incident, Reason.LEGAL_MISSED)) == sorted(missed)
    assert len(await told(world, incident, "report_missed")) == 3
    assert (await clocks(world, incident))["general first city"].kept is Kept.MISSED


async def test_a_report_in_time_ends_its_clock(world: World) -> None:
    """Nobody is warned or told of a miss, the follow-up's time begins, and a final report is owed."""
    incident = await begin(world)
    row = await make(world, incident)
    assert (row.number, row.post, row.digest) == (1, "示例县值班室", sha256(row.text.encode()).hexdigest())
    await world.advance(hours=3)
    held = await clocks(world, incident)
    assert (held["general first city"].kept, held["general first city"].at) == (Kept.MET, START)
    assert held["general follow_up city"].due_at == START + timedelta(hours=24)
    assert held["general final city"].kept is Kept.WAITING
    city_first = [text for text in await told(world, incident, "report_missed") if "向示例市人民政府" in text]
    assert city_first == []


async def test_a_late_report_is_late_for_ever(world: World) -> None:
    """It is kept, and so is the miss."""
    incident = await begin(world)
    await world.advance(hours=2)
    await make(world, incident)
    late = (await clocks(world, incident))["general first city"]
    assert (late.kept, late.at) == (Kept.LATE, world.now)
    (line,) = await told(world, incident, "report_made")
    assert line.endswith("，已逾期")


async def test_nothing_stops_a_clock_but_the_report(world: World) -> None:
    """An acknowledgement, a suspended task, a less grave grade: the limit is missed all the same, and pages go out."""
    commander = post(COUNTY, Role.COMMANDER, "指挥中心")
    await world.store.put_users([commander])
    incident = await begin(world)
    view = await world.show(incident)
    assert view.row.acknowledged_at is not None  # deciding has acknowledged it
    task = view.tasks[0].id
    await world.store.accept_task(QINGXI_POST, task, uuid4())
    plea = Plea(PleaKind.SUSPEND, "等水位下降", until=world.now + timedelta(hours=9))
    await world.store.pleas.ask(QINGXI_POST, task, plea, uuid4(), world.rules)
    await world.store.pleas.answer(
        COUNTY_POST,
        task,
        PleaKind.SUSPEND,
        granted=True,
        note="",
        owner=None,
        request_id=uuid4(),
        rules=world.rules,
    )
    await world.store.grades.set(viewer(commander), incident, Grade.IV, "已缓解", uuid4(), world.rules)
    await world.advance(hours=2)
    assert "示例市值班室" in await paged(world, incident, Reason.LEGAL_MISSED)
    channel = FakeChannel()
    await world.send_all(channel)
    assert [call.recipient for call in channel.calls if call.reason == "legal_missed"].count(
        "示例市值班室"
    ) == 1


async def test_a_shelf_stops_no_clock(world: World) -> None:
    """A case that two persons put aside pages nobody but those who owe a report of it."""
    incident = await world.raise_alert(QINGXI, Level.ORANGE)
    await world.store.holds.shelve(COUNTY_POST, incident, 60, "等待复测结果", uuid4(), world.rules)
    await world.store.holds.consent(QINGXI_POST, incident, uuid4(), world.rules)
    await world.advance(minutes=20)
    view = await world.show(incident)
    assert view.held is not None
    assert await paged(world, incident, Reason.LEGAL_MISSED) == ["示例县值班室"]
    assert await paged(world, incident, Reason.NOT_ACKNOWLEDGED) == []


async def test_an_acknowledgement_withdraws_no_page_about_a_report(world: World) -> None:
    """A page that was ordered and not yet sent goes out after somebody acknowledged."""
    incident = await world.raise_alert(QINGXI, Level.ORANGE)
    await world.advance(minutes=10)
    await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    channel = FakeChannel()
    await world.send_all(channel)
    assert "legal_soon" in {call.reason for call in channel.calls}
    assert "opened" not in {call.reason for call in channel.calls}


async def test_several_workers_tell_once(world: World) -> None:
    """Five at once over many cases: each limit is warned of once, and missed once."""
    incidents = [await begin(world) for _ in range(4)]
    for minutes in (90, 30):
        world.now += timedelta(minutes=minutes)
        await world.set_clock()
        await asyncio.gather(*(act_on_timers(world.store, world.rules) for _ in range(5)))
    await act_on_timers(world.store, world.rules)
    for incident in incidents:
        lines = await told(world, incident, "report_soon")
        assert len(lines) == len(set(lines)) == 1  # the township's were over when it was first looked at
        missed = await told(world, incident, "report_missed")
        assert len(missed) == len(set(missed)) == 3


async def test_two_workers_begin_clocks_once(world: World) -> None:
    """Changes that two workers look at together owe each report once."""
    incidents = [await world.raise_alert(QINGXI, Level.RED, "fire-hazard") for _ in range(20)]
    await asyncio.gather(*(world.store.clocks.plan_next(world.rules) for _ in range(5)))
    while await world.store.clocks.plan_next(world.rules):
        pass
    for incident in incidents:
        ways = [
            (one.clock, one.kind, one.by, one.to, one.form) for one in (await world.show(incident)).clocks
        ]
        assert len(ways) == len(set(ways)) == 8
        assert len(await told(world, incident, "report_begun")) == 1


async def came_to(world: World, incident: UUID) -> list[object]:
    """Tell everything about a case's reports that anybody can see, without ids."""
    view = await world.show(incident)
    shown = await world.store.reports.show(COUNTY_POST, incident, world.rules)
    return [
        view.clocks,
        [(entry.kind, entry.text) for entry in view.timeline],
        sorted((page.reason, page.recipient, page.channel, page.step) for page in view.pages),
        [(one.kind, one.number, one.text) for one in shown.versions],
    ]


async def begins(world: World) -> tuple[UUID, Callable[[Store], Awaitable[object]]]:
    """A major case was opened."""
    incident = await world.raise_alert(QINGXI, Level.ORANGE, "fire-hazard")
    return incident, lambda store: store.clocks.plan_next(world.rules)


async def misses(world: World) -> tuple[UUID, Callable[[Store], Awaitable[object]]]:
    """The call was due."""
    incident = await world.raise_alert(QINGXI, Level.ORANGE)
    await world.store.clocks.plan_next(world.rules)
    world.now += timedelta(minutes=20)
    await world.set_clock()

    async def act(store: Store) -> None:
        while await store.clocks.act_next(world.rules) is not None:
            pass

    return incident, act


async def reports(world: World) -> tuple[UUID, Callable[[Store], Awaitable[object]]]:
    """The county reports, before any worker looked at the case."""
    incident, request = await world.raise_alert(QINGXI, Level.ORANGE), uuid4()
    written = Written(FIRST, "city", "written", "青溪河断面氨氮超标")
    return incident, lambda store: store.reports.submit(COUNTY_POST, incident, written, request, world.rules)


async def closes(world: World) -> tuple[UUID, Callable[[Store], Awaitable[object]]]:
    """A case is closed with a reason."""
    incident, request = await world.raise_alert(QINGXI, Level.ORANGE), uuid4()
    await world.store.clocks.plan_next(world.rules)
    return incident, lambda store: store.close(COUNTY_POST, incident, "误接采样管", request)


@pytest.mark.parametrize("way", [begins, misses, reports, closes])
async def test_who_dies_at_any_await_changes_nothing_in_the_end(
    world: World, way: Callable[[World], Awaitable[tuple[UUID, Callable[[Store], Awaitable[object]]]]]
) -> None:
    """Killed before any statement, the commit, or what follows: whoever does it again comes to the same."""
    start = world.now
    incident, go = await way(world)
    await go(world.store)
    expected = await came_to(world, incident)
    awaits = 0
    while True:
        world.now = start
        await world.set_clock()
        incident, go = await way(world)
        life = Life(awaits)
        with suppress(Killed):
            await go(mortal_store(world, life))
        await go(world.store)
        assert await came_to(world, incident) == expected, life.end
        if not life.dead:
            break
        awaits += 1
    assert awaits > 5


async def test_after_an_outage_only_the_miss_is_told(world: World) -> None:
    """The clock leapt past warning and limit: one page each, and no stale warning."""
    incident = await begin(world)
    await world.advance(hours=30)
    assert await told(world, incident, "report_soon") == []
    assert len(await told(world, incident, "report_missed")) == 4


async def test_a_clock_set_back_gives_nobody_longer(world: World) -> None:
    """A case that was confirmed at a wrong time, an hour ahead, is due two hours after the right one."""
    world.now += timedelta(hours=1)
    await world.set_clock()
    incident = await begin(world)
    world.now -= timedelta(hours=1)
    await world.set_clock()
    await act_on_timers(world.store, world.rules)
    due = (await clocks(world, incident))["general first city"]
    assert (due.since, due.due_at) == (START, START + timedelta(hours=2))


async def test_a_graver_grade_in_the_middle_asks_for_more(world: World) -> None:
    """A fire of grade IV that becomes major is owed to the State Council as well."""
    incident = await begin(world, Level.BLUE, "fire-hazard")
    assert {one.to for one in (await world.show(incident)).clocks} == {"county", "city"}
    await make(world, incident)
    world.now += timedelta(hours=10)
    await world.set_clock()
    await world.store.grades.set(COUNTY_POST, incident, Grade.II, "火势扩大", uuid4(), world.rules)
    await world.advance(minutes=0)
    held = await clocks(world, incident)
    assert held["work-safety first province"].due_at == world.now + timedelta(hours=2)
    assert held["work-safety first nation"].addressee == "国务院应急管理部门"
    assert held["work-safety follow_up city"].due_at == world.now + timedelta(hours=12)


async def test_a_case_ends_with_its_reports_made(world: World) -> None:
    """What is missing is named; with all of it made nothing stands against closing."""
    incident = await begin(world)
    for to, by in (("county", QINGXI_POST), ("city", COUNTY_POST)):
        await make(world, incident, to, by=by)
    with pytest.raises(Conflict, match="示例县生态环境值班向示例市人民政府终报"):
        await world.store.move(COUNTY_POST, incident, IncidentState.CLOSED, "", uuid4())
    for to, by in (("county", QINGXI_POST), ("city", COUNTY_POST)):
        await make(world, incident, to, FINAL, by)
    row = await world.store.move(COUNTY_POST, incident, IncidentState.CLOSED, "", uuid4())
    assert row.state is IncidentState.CLOSED
    assert await told(world, incident, "report_waived") == []
    await world.advance(hours=1)
    held = await clocks(world, incident)
    assert (held["general follow_up city"].kept, held["general follow_up city"].end_reason) == (
        Kept.ENDED,
        "closed",
    )
    assert held["general first province"].kept is Kept.RUNNING  # the city owes it all the same


async def test_a_reason_on_record_ends_a_case_without_its_reports(world: World) -> None:
    """What was not made says so for ever, and no timer of it is left; what was missed stays missed."""
    incident = await begin(world)
    await world.advance(minutes=30)
    await world.store.move(COUNTY_POST, incident, IncidentState.CLOSED, "企业自测误差，市局已知", uuid4())
    (line,) = await told(world, incident, "report_waived")
    assert line.endswith("原因：企业自测误差，市局已知") and "首报" in line
    await world.advance(hours=9)
    held = await clocks(world, incident)
    assert held["general first city"].end_reason == "waived"
    assert held["township-practice first county"].kept is Kept.ENDED
    missed = await told(world, incident, "report_missed")
    assert [("电话" in text or "县人民政府" in text, "省人民政府" in text) for text in missed] == [
        (True, False),
        (False, True),
    ]


async def test_a_final_report_is_owed_after_the_closing_by_the_levels_above(world: World) -> None:
    """The city had reported on to the province: its final report has three hours from the closing, and is paged about."""
    incident = await begin(world)
    await make(world, incident, "province", by=CITY_POST)
    await world.advance(minutes=15)
    await world.store.move(COUNTY_POST, incident, IncidentState.CLOSED, "企业自测误差", uuid4())
    closed_at = world.now
    await world.advance(minutes=0)
    final = (await clocks(world, incident))["general final province"]
    assert final.due_at == closed_at + timedelta(hours=3)
    await world.advance(minutes=150)
    channel = FakeChannel()
    await world.send_all(channel)
    assert [call.recipient for call in channel.calls if call.reason == "legal_soon"][-1] == "示例市值班室"
    await make(world, incident, "province", FINAL, CITY_POST)
    await world.advance(hours=5)
    assert (await clocks(world, incident))["general final province"].kept is Kept.MET


async def test_a_false_alarm_ends_its_clocks(world: World) -> None:
    """Nobody is paged about it any more; what had been reported must be corrected by a final report, or a reason."""
    quiet = await begin(world)
    await world.store.decide(COUNTY_POST, quiet, Verdict.FALSE, "", uuid4())
    reported = await begin(world)
    await make(world, reported)
    with pytest.raises(Conflict, match="终报"):
        await world.store.decide(COUNTY_POST, reported, Verdict.FALSE, "", uuid4())
    await world.store.decide(COUNTY_POST, reported, Verdict.FALSE, "复测正常，已电话更正", uuid4())
    await world.advance(hours=9)
    for incident in (quiet, reported):
        assert await told(world, incident, "report_missed") == []
    assert {one.end_reason for one in (await world.show(quiet)).clocks} == {"false_alarm"}


async def test_a_merged_case_leaves_its_limits_to_the_other(world: World) -> None:
    """The other one owes them by the earlier limit; nobody is paged about the merged one."""
    first = await begin(world)
    await world.advance(minutes=10)
    second = await world.raise_alert(QINGXI, Level.YELLOW)
    await world.store.casework.merge(COUNTY_POST, first, second, "同一污染源", uuid4(), world.rules)
    await world.advance(minutes=0)
    assert {one.end_reason for one in (await world.show(first)).clocks if one.kept is Kept.ENDED} == {
        "merged"
    }
    assert (await clocks(world, second))["general first city"].due_at == START + timedelta(hours=2)
    with pytest.raises(Conflict):
        await make(world, first)
    await world.advance(hours=2)
    assert not [text for text in await told(world, first, "report_missed") if "示例市" in text]
    assert [text for text in await told(world, second, "report_missed") if "示例市" in text]


async def test_a_report_is_made_once_for_one_request(world: World) -> None:
    """Sent again it is the same one; the id for something else is refused."""
    incident, request = await begin(world), uuid4()
    rows = [await make(world, incident, request=request) for _ in range(3)]
    assert rows[0] == rows[1] == rows[2]
    shown = await world.store.reports.show(COUNTY_POST, incident, world.rules)
    assert len(shown.versions) == 1
    with pytest.raises(Conflict):
        await make(world, incident, kind=FOLLOW_UP, request=request)


async def test_two_at_once_get_two_numbers(world: World) -> None:
    """A correction beside the report: both are kept, in an order."""
    incident = await begin(world)
    rows = await asyncio.gather(*(make(world, incident, text=f"第{n}稿") for n in range(4)))
    assert sorted(row.number for row in rows) == [1, 2, 3, 4]
    assert (await clocks(world, incident))["general first city"].kept is Kept.MET


async def test_who_may_report(world: World) -> None:
    """The level that owes it, in its own area; nobody learns of cases elsewhere."""
    grid = post(QINGXI, Role.GRID, "网格")
    await world.store.put_users([grid])
    incident = await begin(world)
    for by, to, error in (
        (HEWAN_POST, "county", NotFound),
        (viewer(grid), "county", NotAllowed),
        (QINGXI_POST, "city", NotAllowed),
        (CITY_POST, "city", InvalidInput),
        (COUNTY_POST, "county", InvalidInput),
    ):
        with pytest.raises(error):
            await make(world, incident, to, by=by)
    assert (await world.store.reports.show(COUNTY_POST, incident, world.rules)).versions == ()


async def test_every_fault_of_a_report_is_told(world: World) -> None:
    """Where it goes, how, and what it says; what comes before the first report waits for it."""
    incident = await begin(world)
    with pytest.raises(InvalidInput) as caught:
        await make(world, incident, "township", FOLLOW_UP, text=" ", form="phone")
    assert [fault.field for fault in caught.value.faults] == ["to", "form", "text"]
    with pytest.raises(InvalidInput, match="10000 are the most"):
        await make(world, incident, text="长" * 10_001)
    with pytest.raises(InvalidInput, match="NUL"):
        await make(world, incident, text="断\x00面")
    for kind in (FOLLOW_UP, FINAL):
        with pytest.raises(Conflict, match="尚未报送首报"):
            await make(world, incident, kind=kind)


async def test_a_report_before_any_worker_looked_counts(world: World) -> None:
    """Whoever reports in the second after the confirmation has reported in time."""
    incident = await world.raise_alert(QINGXI, Level.RED)
    await make(world, incident)
    assert (await clocks(world, incident))["general first city"].kept is Kept.MET


async def test_what_was_made_and_missed_cannot_be_changed(world: World) -> None:
    """The database refuses: versions, what became of a limit, and a limit that moves away."""
    incident = await begin(world)
    await make(world, incident)
    await world.advance(hours=6)
    connection = await asyncpg.connect(world.dsn)
    try:
        for statement in (
            "update case_report set text = '改'",
            "delete from case_report",
            "truncate case_report",
            "update report_due set missed_at = null where missed_at is not null",
            "update report_due set met_at = now() where met_at is not null",
            "update report_due set due_at = due_at + interval '1 minute'",
            "update report_due set per_day = per_day - 1 where per_day > 0",
            "delete from report_due",
            "truncate report_due",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(statement)
    finally:
        await connection.close()
    _, breaks = await world.store.audit.verify()
    assert breaks == []
    row = (await world.store.reports.show(COUNTY_POST, incident, world.rules)).versions[0]
    line = next(entry for entry in (await world.show(incident)).timeline if entry.kind == "report_made")
    assert line.detail["digest"] == row.digest


async def test_nobody_on_duty_at_the_next_level(database: str) -> None:
    """The level above it hears, and the record says who was not there."""
    async with open_world(database, vacant=(CITY,)) as world:
        world.rules = LAWFUL
        incident = await begin(world)
        await world.advance(hours=2)
        assert "示例省值班室" in await paged(world, incident, Reason.LEGAL_MISSED)
        assert any(
            "示例市生态环境值班无人在岗" in text for text in await told(world, incident, "report_missed")
        )


async def test_a_case_opened_by_hand_has_its_clocks(world: World) -> None:
    """However a case was opened or confirmed."""
    described = Described("fire-hazard", QINGXI, Level.RED, "化工园区起火")
    row = await world.store.casework.open(COUNTY_POST, described, uuid4(), world.rules)
    await world.advance(minutes=0)
    assert {one.clock for one in (await world.show(row.id)).clocks} == {
        "work-safety",
        "general",
        "township-practice",
    }


async def test_a_drill_has_clocks_that_end_with_it(world: World) -> None:
    """Its drafts and its reports say so, its pages stay inside, and when it is over nothing of it is owed."""
    played = structs.replace(alert(QINGXI, Level.ORANGE, at=world.now), drill=True, zh="【演练】氨氮超标")
    await world.store.record_alert(played, world.rules)
    incident = incident_id(played.id)
    await world.advance(minutes=10)
    assert await paged(world, incident, Reason.LEGAL_SOON) == ["青溪镇值班室"]
    (draft,) = (await world.store.reports.show(COUNTY_POST, incident, world.rules)).drafts
    assert draft.text.startswith("【演练】《青溪镇水环境污染事件信息报告》")
    assert (await make(world, incident, "province", by=CITY_POST)).text.startswith("【演练】")
    await world.store.move(COUNTY_POST, incident, IncidentState.CLOSED, "演练结束", uuid4())
    await world.advance(hours=9)
    assert not [
        one for one in (await world.show(incident)).clocks if one.kept in (Kept.RUNNING, Kept.WAITING)
    ]
    assert await told(world, incident, "report_missed") == []


async def test_a_fault_of_the_platform_owes_nothing(world: World) -> None:
    """It is no emergency of the county."""
    assert await world.store.workers.open_fault(
        "stream-worker", "检测进程停止", "A worker stopped", world.rules
    )
    assert await world.store.clocks.plan_next(world.rules) == 0


async def test_a_category_that_is_gone_stops_no_worker(world: World) -> None:
    """Local data changed since: its cases owe nothing more, and others' clocks run."""
    await world.raise_alert(QINGXI, Level.RED, "flood")
    other = await world.raise_alert(QINGXI, Level.RED)
    data = load_data()
    categories = {slug: one for slug, one in data.categories.items() if slug != "flood"}
    rules = Rules(structs.replace(data, categories=categories), LAWFUL.channels)
    while await world.store.clocks.plan_next(rules):
        pass
    assert (await world.show(other)).clocks


async def test_the_review_tells_each_limit(world: World) -> None:
    """Met, missed and to come stand among the clocks of the case's review."""
    incident = await begin(world)
    await make(world, incident)
    await world.advance(hours=1)
    case = await world.store.reviews.case(incident, viewer(POSTS[PROVINCE]))
    kept = {clock.of: clock.kept.value for clock in case.clocks if clock.what == "report"}
    assert kept["示例县生态环境值班首报（报示例市人民政府，书面）"] == "met"
    assert kept["青溪镇生态环境值班首报（报示例县人民政府，书面）"] == "missed"
    assert kept["示例市生态环境值班首报（报示例省人民政府，书面）"] == "open"
