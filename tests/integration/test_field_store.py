"""Reports and tasks from the field in the real database: once for each UUID, by area, on their way to the topic."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import msgspec
import pytest
import pytest_asyncio
from console_world import BAISHI, FEVER, RIVER, RULES, START, USERS, alert, case_of, fill, river_finding

from domain.clock import Clock
from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.incidents import PleaKind, TaskState
from domain.inputs import Report
from domain.levels import Level
from responders.field import Taken, Written, report_id
from responders.migrate import migrate
from responders.pleas import Plea
from responders.store import Store
from responders.views import Viewer

VILLAGE, CELL = "990101101001", "990101101001001"
VILLAGE_CASE = alert(
    "water-pollution", VILLAGE, Level.YELLOW, (river_finding(2, VILLAGE),), "桥头村断面超限", "Over the limit"
)


def viewer(login: str) -> Viewer:
    """Name somebody signed in."""
    (found,) = [user for user in USERS if user.login == login]
    return Viewer(user=found.id, login=found.login, display=found.display, role=found.role, area=found.area)


def written(**changed: Any) -> Written:
    """Write a report as a phone does."""
    fields: dict[str, Any] = {
        "client_id": uuid4(),
        "area": VILLAGE,
        "category": "water-pollution",
        "level": Level.ORANGE,
        "text": "河水发黑，有异味",
    }
    return Written(**(fields | changed))


@pytest_asyncio.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """Fill an empty database."""
    await migrate(database)
    async with Store.open(database, pool_size=4) as opened:
        await fill(opened, factor=0)
        yield opened


async def outbox(dsn: str) -> list[Report]:
    """Read what waits for `feed.reports`, in the order of writing."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "select key, value from outbox where topic = 'feed.reports' order by sequence"
        )
    finally:
        await connection.close()
    found = [msgspec.json.decode(row["value"], type=Report) for row in rows]
    assert [row["key"] for row in rows] == [f"{one.area[:9]}/{one.id}" for one in found]
    return found


async def test_a_report_is_stored_and_on_its_way(store: Store, database: str) -> None:
    """It is in effect at once under the input's id, and waits in the outbox, keyed by township, for `feed.reports`."""
    sent = written()
    taken = await store.field.report(viewer("wangge"), sent, RULES)
    assert taken.id == report_id(sent.client_id)
    assert taken.id in await store.stored_ids()
    (report,) = await outbox(database)
    assert (report.id, report.source, report.category) == (taken.id, "field-app", "water-pollution")
    assert (report.observed_at, report.received_at) == (START, START)
    assert await store.record_reports([report]) == 0  # the responder reads it on the topic again


async def test_the_same_uuid_is_the_same_report(store: Store, database: str) -> None:
    """Sent twenty times at once and again with other words: one report, one message, one answer."""
    sent = written()
    answers = await asyncio.gather(*(store.field.report(viewer("wangge"), sent, RULES) for _ in range(20)))
    assert len(set(answers)) == 1
    again = written(client_id=sent.client_id, text="别的", category="no-such-category", area=BAISHI)
    assert await store.field.report(viewer("wangge"), again, RULES) == answers[0]
    assert len(await outbox(database)) == 1
    with pytest.raises(Conflict):
        await store.field.report(viewer("qingxi"), sent, RULES)


async def test_a_report_that_waited_is_as_old_as_it_is(store: Store) -> None:
    """What a phone kept for two hours was seen two hours ago of county time, which may run faster than the phone's."""
    await store.set_clock(Clock(wall_anchor=START, county_anchor=START, factor=3))
    taken = await store.field.report(viewer("wangge"), written(age=timedelta(hours=2)), RULES)
    assert taken.received_at - taken.observed_at == timedelta(hours=6)


async def test_every_fault_of_a_report_is_told(store: Store, database: str) -> None:
    """Category, place, words and age at once; nothing of it is kept."""
    faulty = written(category="equipment-fault", area=BAISHI, text="  ", age=timedelta(days=31))
    with pytest.raises(InvalidInput) as refused:
        await store.field.report(viewer("wangge"), faulty, RULES)
    assert {fault.field for fault in refused.value.faults} == {"category", "area", "text", "age_seconds"}
    with pytest.raises(InvalidInput, match="registry"):
        await store.field.report(viewer("wangge"), written(area=CELL), RULES)
    with pytest.raises(NotAllowed):
        await store.field.report(viewer("admin"), written(), RULES)
    assert await outbox(database) == []


async def test_a_photo_belongs_to_its_report(store: Store) -> None:
    """The first one stays; officers above see it, another township does not; none without a report, or for another's."""
    sent = written()
    with pytest.raises(NotFound):
        await store.field.add_photo(viewer("wangge"), sent.client_id, b"one", 4, 3)
    taken = await store.field.report(viewer("wangge"), sent, RULES)
    for jpeg in (b"one", b"two"):
        assert await store.field.add_photo(viewer("wangge"), sent.client_id, jpeg, 4, 3) == taken.id
    for login in ("wangge", "qingxi", "county"):
        assert await store.field.photo(viewer(login), taken.id) == b"one"
    for login in ("baishi",):
        with pytest.raises(NotFound):
            await store.field.photo(viewer(login), taken.id)
    with pytest.raises(Conflict):
        await store.field.add_photo(viewer("qingxi"), sent.client_id, b"three", 4, 3)


async def test_a_case_shows_what_the_field_says(store: Store) -> None:
    """Reports of its category in its place; a party of a joint case sees them and their photos, nobody else outside."""
    await store.record_alerts([RIVER, FEVER], RULES)
    sent = written()
    taken = await store.field.report(viewer("wangge"), sent, RULES)
    await store.field.report(viewer("wangge"), written(category="flood"), RULES)
    await store.set_clock(Clock(wall_anchor=datetime.now(UTC), county_anchor=START, factor=1))
    await store.field.report(viewer("wangge"), written(age=timedelta(days=2)), RULES)
    await store.field.add_photo(viewer("wangge"), sent.client_id, b"jpeg", 4, 3)
    listed = await store.field.of_case(viewer("qingxi"), case_of(RIVER))
    assert (listed[0].id, listed[0].level, listed[0].photo) == (taken.id, Level.ORANGE, True)
    assert {one.category for one in listed} == {"water-pollution"}
    with pytest.raises(NotFound):
        await store.field.of_case(viewer("baishi"), case_of(RIVER))
    county = viewer("county")
    await store.casework.join(county, case_of(RIVER), BAISHI, "下游", uuid4(), RULES)
    assert await store.field.of_case(viewer("baishi"), case_of(RIVER)) == listed
    assert await store.field.photo(viewer("baishi"), taken.id) == b"jpeg"


async def task_of(store: Store) -> UUID:
    """Give the village a task of its own."""
    await store.record_alert(VILLAGE_CASE, RULES)
    await store.casework.dispatch(
        viewer("qingxi"), case_of(VILLAGE_CASE), VILLAGE, "", "请到现场核实", uuid4(), RULES
    )
    (own,) = [task for task in (await store.field.day(viewer("wangge"))).tasks if task.own]
    return own.id


async def test_the_day_of_a_grid_worker(store: Store) -> None:
    """His places, his tasks with what they are about, what he has asked, and what he has reported."""
    task = await task_of(store)
    await store.field.report(viewer("wangge"), written(), RULES)
    day = await store.field.day(viewer("wangge"))
    assert [area.code for area in day.areas] == [VILLAGE]
    (shown,) = [one for one in day.tasks if one.id == task]
    assert (shown.state, shown.category, shown.place_name) == (
        TaskState.DISPATCHED,
        "water-pollution",
        "青溪镇桥头村",
    )
    assert [report.area_name_en for report in day.reports] == ["Qiaotou"]
    assert (await store.field.day(viewer("baishi"))).tasks == ()
    with pytest.raises(NotAllowed):
        await store.field.day(viewer("admin"))


async def test_a_grid_worker_pleads(store: Store) -> None:
    """He refuses with an item of the list of duties, and later reads what became of it; not for another unit's task."""
    task = await task_of(store)
    plea = Plea(PleaKind.REFUSE, "不在本村", "属地事项 第3项")
    row = await store.pleas.ask(viewer("wangge"), task, plea, uuid4(), RULES)
    assert row.state is TaskState.REFUSED
    ((asked,),) = [one.pleas for one in (await store.field.day(viewer("wangge"))).tasks if one.id == task]
    assert (asked.kind, asked.outcome) == (PleaKind.REFUSE, None)
    seen = await store.incident(viewer("wangge"), case_of(VILLAGE_CASE))
    (other,) = [one for one in seen.tasks if one.id != task]
    with pytest.raises(NotAllowed):
        await store.pleas.ask(viewer("wangge"), other.id, plea, uuid4(), RULES)


async def test_old_copies_leave_the_outbox(store: Store, database: str) -> None:
    """A published report leaves the outbox after a week and stays in effect; one that waits for the broker stays."""
    first = await store.field.report(viewer("wangge"), written(), RULES)
    connection = await asyncpg.connect(database)
    await connection.execute("update outbox set published = true where topic = 'feed.reports'")
    second = await store.field.report(viewer("wangge"), written(), RULES)
    await store.set_clock(Clock(wall_anchor=START, county_anchor=START + timedelta(days=8), factor=0))
    await store.workers.prune()
    await connection.close()
    assert [report.id for report in await outbox(database)] == [second.id]
    assert {first.id, second.id} <= await store.stored_ids()


def test_answers_are_plain() -> None:
    """What a phone hears holds no words of the report, so that it may be kept."""
    assert set(Taken.__struct_fields__) == {"id", "client_id", "observed_at", "received_at", "masked"}
