"""Cases in the store: rights, commands, requests sent twice, two officers at once, the record."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from msgspec import structs
from responder_world import (
    CITY,
    COUNTY,
    HEWAN,
    POSTS,
    PROVINCE,
    QINGXI,
    RULES,
    FakeChannel,
    World,
    alert,
    open_world,
    post,
    viewer,
)

from domain.errors import Conflict, NotAllowed, NotFound
from domain.findings import AlertChange, Explanation, HeldBack
from domain.identity import incident_id
from domain.incidents import IncidentState, PageState, TaskState, Verdict
from domain.levels import Grade, Level
from domain.topics import DISPOSITIONS
from responders.cases import Recorded
from responders.store.workers import Pending
from responders.views import Role

QINGXI_POST, COUNTY_POST = viewer(POSTS[QINGXI]), viewer(POSTS[COUNTY])
DEADLOCK_SECONDS = 30


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county."""
    async with open_world(database) as opened:
        yield opened


async def test_an_alert_opens_one_case_with_policy_task_and_pages(world: World) -> None:
    """The case carries its frozen policy; the same message again changes nothing."""
    raised = alert()
    assert await world.store.record_alert(raised, RULES) is Recorded.OPENED
    assert await world.store.record_alert(raised, RULES) is Recorded.REPEATED
    view = await world.show(incident_id(raised.id))
    assert (view.row.grade, view.row.state, view.row.title) == (
        Grade.IV,
        IncidentState.DETECTED,
        "水环境污染 · 青溪镇",
    )
    assert [(task.unit, task.state) for task in view.tasks] == [("青溪镇生态环境值班", TaskState.DISPATCHED)]
    assert sorted((page.recipient, page.channel) for page in view.pages) == [
        ("青溪镇值班室", "console"),
        ("青溪镇值班室", "file"),
    ]
    assert [entry.kind for entry in view.timeline] == ["opened", "task_dispatched", "paged"]


async def test_two_responders_that_record_one_alert_open_one_case(world: World) -> None:
    """A redelivery to another process at the same moment has one effect."""
    raised = alert(level=Level.ORANGE)
    told = await asyncio.gather(*(world.store.record_alert(raised, RULES) for _ in range(4)))
    assert sorted(told) == [Recorded.OPENED, *[Recorded.REPEATED] * 3]
    account = await world.store.account()
    assert (account.rows["incident"], account.rows["page"]) == (1, 6)


async def test_versions_out_of_order_do_not_turn_an_alert_back(world: World) -> None:
    """An older version that comes late is kept for the account and changes nothing."""
    first = alert()
    second = structs.replace(first, version=2, change=AlertChange.CLEARED)
    assert await world.store.record_alert(second, RULES) is Recorded.OPENED
    assert await world.store.record_alert(first, RULES) is Recorded.REPEATED
    assert not (await world.show(incident_id(first.id))).row.alert_open


async def test_a_graver_level_pages_anew_even_after_an_acknowledgement(world: World) -> None:
    """What somebody acknowledged as Ⅳ needs a new acknowledgement as Ⅱ; a lower level later lowers nothing."""
    first = alert()
    await world.store.record_alert(first, RULES)
    incident = incident_id(first.id)
    await world.store.acknowledge(QINGXI_POST, incident, uuid4())
    graver = structs.replace(first, version=2, change=AlertChange.CHANGED, level=Level.ORANGE)
    assert await world.store.record_alert(graver, RULES) is Recorded.RAISED
    view = await world.show(incident)
    assert (view.row.grade, view.row.acknowledged_at, view.row.holder) == (Grade.II, None, "青溪镇值班室")
    assert {page.recipient for page in view.pages if page.state is PageState.DUE} == {
        "青溪镇值班室",
        "示例县值班室",
        "示例市值班室",
    }
    lower = structs.replace(first, version=3, change=AlertChange.CHANGED, level=Level.BLUE)
    assert await world.store.record_alert(lower, RULES) is Recorded.CHANGED
    assert (await world.show(incident)).row.grade is Grade.II


async def test_a_cleared_alert_asks_to_close_and_closes_nothing(world: World) -> None:
    """Paging goes on until somebody has looked."""
    first = alert()
    await world.store.record_alert(first, RULES)
    cleared = structs.replace(first, version=2, change=AlertChange.CLEARED)
    assert await world.store.record_alert(cleared, RULES) is Recorded.CLEARED
    view = await world.show(incident_id(first.id))
    assert (view.row.alert_open, view.row.state) == (False, IncidentState.DETECTED)
    assert view.row.next_at is not None
    assert view.timeline[-1].kind == "alert_cleared"


async def test_a_false_alarm_whose_alert_grows_graver_is_opened_again(world: World) -> None:
    """An officer's early word does not silence what comes later."""
    first = alert()
    await world.store.record_alert(first, RULES)
    await world.store.decide(QINGXI_POST, incident_id(first.id), Verdict.FALSE, "", uuid4())
    graver = structs.replace(first, version=2, change=AlertChange.CHANGED, level=Level.RED)
    assert await world.store.record_alert(graver, RULES) is Recorded.RAISED
    view = await world.show(incident_id(first.id))
    assert (view.row.state, view.row.acknowledged_at) == (IncidentState.VERIFYING, None)


async def test_nobody_sees_or_touches_an_area_outside_their_own(world: World) -> None:
    """Every way to a case of another township answers that there is none."""
    incident = await world.raise_alert(QINGXI)
    task = (await world.show(incident)).tasks[0].id
    other, store = viewer(POSTS[HEWAN]), world.store
    assert await store.queue(other) == []
    for attempt in (
        store.incident(other, incident),
        store.acknowledge(other, incident, uuid4()),
        store.take_over(other, incident, uuid4()),
        store.decide(other, incident, Verdict.FALSE, "", uuid4()),
        store.move(other, incident, IncidentState.CONFIRMED, "", uuid4()),
        store.close(other, incident, "", uuid4()),
        store.accept_task(other, task, uuid4()),
        store.move_task(other, task, TaskState.DONE, "", uuid4()),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await store.changes_since(other, 0) == []
    assert [row.id for row in await store.queue(COUNTY_POST)] == [incident]
    assert (await world.show(incident)).row.acknowledged_at is None


async def test_the_account_counts_and_not_what_a_session_once_said(world: World) -> None:
    """A viewer with a wider area or a higher role than the account has gets what the account has."""
    incident = await world.raise_alert(QINGXI)
    forged = structs.replace(viewer(POSTS[HEWAN]), area="", role=Role.COMMANDER)
    assert await world.store.queue(forged) == []
    with pytest.raises(NotFound):
        await world.store.acknowledge(forged, incident, uuid4())
    narrower = structs.replace(COUNTY_POST, area=HEWAN)
    assert await world.store.queue(narrower) == []
    connection = await asyncpg.connect(world.dsn)
    await connection.execute("update app_user set disabled = true where id = $1", COUNTY_POST.user)
    await connection.close()
    with pytest.raises(NotAllowed):
        await world.store.queue(COUNTY_POST)


async def test_each_role_does_what_it_may(world: World) -> None:
    """Grid workers see and work on tasks up to done; administrators have no cases."""
    grid, admin = post(QINGXI, Role.GRID, "网格"), post(COUNTY, Role.ADMIN, "管理")
    await world.store.put_users([grid, admin])
    incident = await world.raise_alert()
    task = (await world.show(incident)).tasks[0].id
    assert len(await world.store.queue(viewer(grid))) == 1
    for forbidden in (
        world.store.acknowledge(viewer(grid), incident, uuid4()),
        world.store.close(viewer(grid), incident, "", uuid4()),
        world.store.queue(viewer(admin)),
        world.store.incident(viewer(admin), incident),
    ):
        with pytest.raises(NotAllowed):
            await forbidden
    await world.store.accept_task(viewer(grid), task, uuid4())
    done = await world.store.move_task(viewer(grid), task, TaskState.DONE, "已处理", uuid4())
    assert done.state is TaskState.DONE
    with pytest.raises(NotAllowed):
        await world.store.move_task(viewer(grid), task, TaskState.VERIFIED, "", uuid4())
    assert (
        await world.store.move_task(QINGXI_POST, task, TaskState.VERIFIED, "", uuid4())
    ).state is TaskState.VERIFIED


async def test_acknowledging_stops_paging_and_withdraws_pages(world: World) -> None:
    """After it nobody is paged about the alert, however long it lasts; task deadlines go on."""
    incident = await world.raise_alert()
    row = await world.store.acknowledge(QINGXI_POST, incident, uuid4())
    assert (row.acknowledged_by, row.holder, row.state, row.next_at) == (
        "青溪镇值班室",
        "青溪镇值班室",
        IncidentState.VERIFYING,
        None,
    )
    channel = FakeChannel()
    await world.advance(minutes=29)
    await world.send_all(channel)
    assert channel.recipients == []
    assert {page.state for page in (await world.show(incident)).pages} == {PageState.WITHDRAWN}
    await world.advance(days=100)
    await world.send_all(channel)
    reasons = {message.reason for message in channel.calls}
    assert reasons == {"task_long_overdue"}


async def test_the_second_officer_learns_who_was_first_and_when(world: World) -> None:
    """Of two at once one succeeds, the other gets post and time."""
    incident = await world.raise_alert()
    answers = await asyncio.gather(
        world.store.acknowledge(QINGXI_POST, incident, uuid4()),
        world.store.acknowledge(COUNTY_POST, incident, uuid4()),
        return_exceptions=True,
    )
    conflicts = [answer for answer in answers if isinstance(answer, Conflict)]
    rows = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert (len(conflicts), len(rows)) == (1, 1)
    assert rows[0].acknowledged_by in str(conflicts[0])
    assert "2026-05-01 16:00" in str(conflicts[0])


async def test_the_same_request_again_gives_the_same_answer(world: World) -> None:
    """A repeated request changes nothing, also at the same moment; its id serves for nothing else."""
    incident = await world.raise_alert()
    request = uuid4()
    answers = await asyncio.gather(
        *(world.store.acknowledge(QINGXI_POST, incident, request) for _ in range(4))
    )
    assert len({answer.version for answer in answers}) == 1
    await world.store.move(QINGXI_POST, incident, IncidentState.CONFIRMED, "", uuid4())
    assert await world.store.acknowledge(QINGXI_POST, incident, request) == answers[0]
    kinds = [entry.kind for entry in (await world.show(incident)).timeline]
    assert kinds.count("acknowledged") == 1
    with pytest.raises(Conflict):
        await world.store.close(QINGXI_POST, incident, "", request)
    with pytest.raises(Conflict):
        await world.store.acknowledge(COUNTY_POST, incident, request)


async def test_taking_over_changes_the_holder_and_tells_so(world: World) -> None:
    """The record names from whom a case was taken."""
    incident = await world.raise_alert()
    await world.store.acknowledge(QINGXI_POST, incident, uuid4())
    row = await world.store.take_over(COUNTY_POST, incident, uuid4())
    assert (row.holder, row.acknowledged_by) == ("示例县值班室", "青溪镇值班室")
    last = (await world.show(incident)).timeline[-1]
    assert (last.kind, last.actor, last.detail["from"]) == ("taken_over", "示例县值班室", "青溪镇值班室")


async def test_a_case_moves_only_where_it_may_and_from_the_version_seen(world: World) -> None:
    """Moves follow the table; a page that shows an old version cannot overwrite a newer one."""
    incident = await world.raise_alert()
    seen = (await world.show(incident)).row.version
    with pytest.raises(Conflict):
        await world.store.move(QINGXI_POST, incident, IncidentState.CONTROLLED, "", uuid4())
    await world.store.move(QINGXI_POST, incident, IncidentState.CONFIRMED, "现场核实", uuid4(), seen)
    with pytest.raises(Conflict):
        await world.store.close(QINGXI_POST, incident, "", uuid4(), seen)
    view = await world.show(incident)
    assert IncidentState.RESPONDING in view.moves


async def test_closing_ends_paging_and_tasks(world: World) -> None:
    """A closed case pages nobody and leaves no task open; it can be opened again."""
    incident = await world.raise_alert()
    await world.store.close(QINGXI_POST, incident, "已处置", uuid4())
    channel = FakeChannel()
    await world.advance(days=10)
    await world.send_all(channel)
    view = await world.show(incident)
    assert channel.calls == []
    assert [task.state for task in view.tasks] == [TaskState.CANCELLED]
    with pytest.raises(Conflict):
        await world.store.acknowledge(QINGXI_POST, incident, uuid4())
    assert await world.store.queue(QINGXI_POST) == []
    row = await world.store.move(QINGXI_POST, incident, IncidentState.RESPONDING, "复发", uuid4())
    assert row.state is IncidentState.RESPONDING


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (Verdict.TRUE, IncidentState.CONFIRMED),
        (Verdict.FALSE, IncidentState.FALSE_ALARM),
        (Verdict.DUPLICATE, IncidentState.MERGED),
        (Verdict.DRILL, IncidentState.DETECTED),
    ],
)
async def test_a_verdict_moves_the_case_and_teaches_the_fusion(
    world: World, verdict: Verdict, state: IncidentState
) -> None:
    """What an officer decides is published under the alert's id, without naming anybody."""
    incident = await world.raise_alert()
    row = await world.store.decide(COUNTY_POST, incident, verdict, "见附件", uuid4())
    assert row.state is state
    assert row.acknowledged_by == "示例县值班室"
    sent: list[Pending] = []

    async def send(pending: list[Pending]) -> None:
        sent.extend(one for one in pending if one.topic == DISPOSITIONS.name)

    await world.store.workers.publish_pending(100, send)
    assert [one.key for one in sent] == [str(row.alert)]
    assert f'"{verdict.value}"'.encode() in sent[0].value
    assert "值班室".encode() not in sent[0].value


async def test_the_record_of_a_case_is_append_only(world: World) -> None:
    """Not even the owner of the database changes or empties it in passing."""
    await world.raise_alert()
    connection = await asyncpg.connect(world.dsn)
    for statement in (
        "update incident_entry set text = 'nothing happened'",
        "delete from incident_entry",
        "truncate incident_entry",
        "truncate incident cascade",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute(statement)
    await connection.close()


async def test_changes_are_read_in_order_and_without_a_gap(world: World) -> None:
    """Ids become visible in the order of commit: a reader that resumes after any id misses nothing."""
    seen: list[int] = []

    async def read() -> None:
        while len(seen) < 24:
            seen.extend(
                change.id for change in await world.store.changes_since(COUNTY_POST, max(seen, default=0))
            )

    reading = asyncio.create_task(read())
    await asyncio.gather(*(world.raise_alert(place) for place in [QINGXI, HEWAN] * 12))
    await asyncio.wait_for(reading, DEADLOCK_SECONDS)
    everything = [change.id for change in await world.store.changes_since(viewer(POSTS[CITY]), 0)]
    assert seen == everything == sorted(everything)


async def test_the_queue_is_paged_from_the_newest(world: World) -> None:
    """`before` goes on where the last page ended."""
    opened = []
    for _ in range(5):
        opened.append(await world.raise_alert())
        await world.advance(seconds=1)
    first = await world.store.queue(COUNTY_POST, limit=2)
    rest = await world.store.queue(COUNTY_POST, before=first[-1].opened_at)
    assert [row.id for row in [*first, *rest]] == opened[::-1]


async def test_an_unknown_category_is_invalid_input(world: World) -> None:
    """An alert that no duty answers for is refused before anything is written."""
    from domain.errors import InvalidInput

    with pytest.raises(InvalidInput, match="category"):
        await world.store.record_alert(structs.replace(alert(), category="unheard-of"), RULES)
    assert (await world.store.account()).rows["alert_version"] == 0


async def test_a_policy_changed_later_does_not_touch_open_cases(world: World) -> None:
    """The policy is frozen into the case when it opens."""
    incident = await world.raise_alert()
    policies = tuple(
        structs.replace(
            policy, steps=tuple(structs.replace(step, wait_minutes=9999) for step in policy.steps)
        )
        for policy in RULES.data.policies
    )
    world.now += (await world.show(incident)).row.next_at - world.now  # type: ignore[operator]  # it has a timer
    await world.set_clock()
    decision = await world.store.workers.escalate_next(
        replace(RULES, data=structs.replace(RULES.data, policies=policies))
    )
    assert decision is not None
    assert decision.next_at is not None
    assert (decision.next_at - world.now).total_seconds() == 20 * 60


async def test_the_province_sees_everything(world: World) -> None:
    """Rights go by prefix."""
    await world.raise_alert(QINGXI)
    await world.raise_alert(HEWAN)
    assert len(await world.store.queue(viewer(POSTS[PROVINCE]))) == 2


async def test_an_alert_that_is_held_back_is_on_record_and_pages_nobody(world: World) -> None:
    """The row says why and how likely it is; there is no case until a version that is not held back, which opens one."""
    explanation = Explanation(decisive=uuid4(), nearby=("ammonia-2",), quiet=2)
    held = structs.replace(alert(), chance=0.04, held_back=HeldBack.CHANCE, explanation=explanation)
    assert await world.store.record_alert(held, RULES) is Recorded.HELD_BACK
    assert await world.store.record_alert(held, RULES) is Recorded.REPEATED
    account = await world.store.account()
    assert (account.rows["alert"], account.rows["incident"], account.rows["page"]) == (1, 0, 0)
    assert account.alerts == ()
    connection = await asyncpg.connect(world.dsn)
    row = await connection.fetchrow("select chance, held_back, explanation from alert")
    await connection.close()
    assert (row["chance"], row["held_back"]) == (0.04, "chance")
    assert msgspec.json.decode(row["explanation"], type=Explanation) == explanation

    opened = structs.replace(
        held, version=2, change=AlertChange.CHANGED, level=Level.YELLOW, held_back=None, chance=0.6
    )
    assert await world.store.record_alert(opened, RULES) is Recorded.OPENED
    view = await world.show(incident_id(held.id))
    assert (view.row.grade, [entry.kind for entry in view.timeline]) == (
        Grade.III,
        ["opened", "task_dispatched", "paged"],
    )


async def test_an_alert_that_is_over_before_anybody_was_told_opens_no_case(world: World) -> None:
    """Held back, changed, cleared: three versions on record, and no case."""
    held = structs.replace(alert(), held_back=HeldBack.BUDGET)
    for version, change in enumerate((AlertChange.RAISED, AlertChange.CHANGED, AlertChange.CLEARED), 1):
        said = structs.replace(held, version=version, change=change)
        assert await world.store.record_alert(said, RULES) is Recorded.HELD_BACK
    account = await world.store.account()
    assert (account.rows["alert"], account.rows["incident"]) == (1, 0)
