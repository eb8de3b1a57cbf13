"""Random days in a duty room against a real database: whatever happens, the promises hold after each step.

Hypothesis plays alerts, time, workers, channels that fail and die, officers and rosters, and shrinks a day that breaks a
promise to the shortest one that does. The model is small: who has acknowledged what since it was last asked anew.
FENGHUO_TEST_EXAMPLES sets how many days are played (25 unless it is given), FENGHUO_TEST_STEPS how long each is.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

import asyncpg  # type: ignore[import-untyped]  # ships no types
from fault_world import Killed
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs
from responder_world import (
    CITY,
    COUNTY,
    DATA,
    DELIVERED,
    HEWAN,
    POSTS,
    PROVINCE,
    QINGXI,
    SHIPPED,
    START,
    World,
    alert,
    open_world,
    post,
    viewer,
)

from domain.errors import FenghuoError
from domain.findings import Alert, AlertChange
from domain.incidents import (
    INCIDENT_MOVES,
    OPEN_STATES,
    TASK_MOVES,
    IncidentState,
    PageState,
    PleaKind,
    TaskState,
    Verdict,
)
from domain.levels import Grade, Level
from responders.cases import Cause, Desk, Message, Outcome, Result, Rules
from responders.dispatch import act_on_timers, send_due
from responders.pleas import Plea
from responders.replies import Standing, Via
from responders.store import Store
from responders.store.pool import Connection
from responders.views import Role, Shift, Viewer

IDS = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990102")
EXAMPLES = int(os.environ.get("FENGHUO_TEST_EXAMPLES", "25"))
STEPS = int(os.environ.get("FENGHUO_TEST_STEPS", "30"))
CHANNELS = ("console", "file", "webhook")
COMMANDER = post(COUNTY, Role.COMMANDER, "指挥中心")
OFFICERS: dict[str, Viewer] = {area: viewer(user) for area, user in POSTS.items()} | {
    "commander": viewer(COMMANDER)
}
ANSWERS = {
    "delivers": DELIVERED,
    "fails": Outcome(Result.RETRY, Cause.UNREACHABLE),
    "is too fast": Outcome(Result.RETRY, Cause.RATE_LIMITED, 0.0),
    "refuses": Outcome(Result.REFUSED, Cause.REJECTED),
}
DEATHS = ("dies before", "dies after")
LONG = timedelta(days=3650)
WORKING = frozenset({TaskState.DISPATCHED, TaskState.REFUSED, TaskState.ACCEPTED, TaskState.ON_SITE})
ENDED = frozenset(IncidentState) - OPEN_STATES
OTHER_WORK = ("legal_", "hand_over")
"""Begins of reasons for which people are paged about work that no acknowledgement ends, beside tasks."""

_places = st.sampled_from([QINGXI, HEWAN, COUNTY])
_levels = st.sampled_from(list(Level))
_areas = st.sampled_from([COUNTY, CITY, PROVINCE, "commander", COUNTY, QINGXI])
_which = st.integers(0, 20)
has_cases = precondition(lambda day: day.cases)


@dataclass
class Provider:
    """The other side of all channels: counts what really reached people, whatever senders believe."""

    moods: list[str] = field(default_factory=list)
    got: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))

    def channel(self, name: str) -> "ModelChannel":
        """Open a way to it."""
        return ModelChannel(name, self, idempotent=name != "webhook", outside=name == "webhook")


@dataclass
class ModelChannel:
    """A channel of one sender, in the mood that the provider is in."""

    name: str
    provider: Provider
    idempotent: bool
    outside: bool

    async def send(self, message: Message) -> Outcome:
        """Answer by the next mood; delivered when there is none left."""
        mood = self.provider.moods.pop() if self.provider.moods else "delivers"
        if mood == "dies before":
            raise Killed
        if mood in ("delivers", "dies after"):
            self.provider.got[self.name].append(message)
        if mood == "dies after":
            raise Killed
        return ANSWERS[mood]


@dataclass(frozen=True)
class Seen:
    """A case as the database shows it after a step."""

    state: IncidentState
    grade: Grade
    acknowledged: bool
    next_at: Any
    held: bool


async def _read_cases(connection: Connection) -> dict[UUID, Seen]:
    rows = await connection.fetch(
        "select id, state, grade, acknowledged_at is not null as acked, next_at, hold is not null as held from incident"
        " order by opened_at, id"
    )
    return {
        row["id"]: Seen(
            IncidentState(row["state"]), Grade(row["grade"]), row["acked"], row["next_at"], row["held"]
        )
        for row in rows
    }


async def _read_tasks(connection: Connection) -> list[Any]:
    return await connection.fetch(
        "select task.id, incident, task.state, passed, task.next_at, incident.state as case_state"
        " from task join incident on incident.id = incident order by task.dispatched_at, task.id"
    )


async def _read_pages(connection: Connection) -> dict[UUID, Any]:
    rows = await connection.fetch(
        "select page.id, page.incident, page.task, recipient, page.reason, channel, page.state,"
        " (select count(*) from delivery where delivery.page = page.id) as deliveries from page order by page.id"
    )
    return {row["id"]: row for row in rows}


class Days(RuleBasedStateMachine):
    """One day; `template` is the address of a settled county of which each day gets a copy."""

    template = ""

    def __init__(self) -> None:
        """Copy the county."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.name = f"day_{uuid4().hex}"
        self.provider = Provider()
        self.ids = 0
        self.alerts: list[Alert] = []
        self.asked: dict[UUID, set[UUID]] = defaultdict(set)
        """Who has acknowledged a case since it was last asked for."""
        self.cases: dict[UUID, Seen] = {}
        self.told: dict[str, int] = defaultdict(int)
        """How many messages of each channel were looked at."""
        self.run(self._begin())

    def run(self, work: Any) -> Any:
        """Run on the day's own loop."""
        return self.runner.run(work)

    async def _begin(self) -> None:
        source = urlsplit(self.template)
        self.admin = source._replace(path="/postgres").geturl()
        connection = await asyncpg.connect(self.admin)
        await connection.execute(f"create database {self.name} template {source.path[1:]}")
        await connection.close()
        self.dsn = source._replace(path=f"/{self.name}").geturl()
        store = await self.stack.enter_async_context(Store.open(self.dsn, 6))
        self.world = World(store, self.dsn)
        self.world.rules = Rules(DATA, CHANNELS)

    def teardown(self) -> None:
        """Throw the copy away."""
        self.run(self._end())
        self.runner.close()

    async def _end(self) -> None:
        await self.stack.aclose()
        connection = await asyncpg.connect(self.admin)
        await connection.execute(f"drop database {self.name} with (force)")
        await connection.close()

    @property
    def store(self) -> Store:
        """The store of whoever is alive."""
        return self.world.store

    def pick(self, which: int) -> UUID:
        """Pick a case."""
        known = list(self.cases)
        return known[which % len(known)]

    def fresh(self) -> UUID:
        """Make an id that is the same when the same day is played again."""
        self.ids += 1
        return uuid5(IDS, str(self.ids))

    def command(self, what: Callable[[UUID], Awaitable[Any]], which: int, by: str = "") -> None:
        """Do something to a case, in the name of somebody; what is refused changes nothing."""
        incident = self.pick(which)
        with suppress(FenghuoError):
            self.run(_await(what(incident)))
            if by:
                self.asked[incident].add(OFFICERS[by].user)

    @initialize(several=st.booleans(), grouped=st.booleans(), times=st.integers(1, 2), level=_levels)
    def the_day_begins(self, several: bool, grouped: bool, times: int, level: Level) -> None:
        """Choose how the day goes: one acknowledgement or several, steps paged once or twice, cases grouped or not."""
        data = SHIPPED if grouped else DATA
        policies = tuple(
            structs.replace(
                policy,
                acknowledged_by=("county", "city") if several else (),
                steps=tuple(structs.replace(step, times=times) for step in policy.steps),
            )
            for policy in data.policies
        )
        self.world.rules = Rules(structs.replace(data, policies=policies), CHANNELS)
        self.alert_is_raised(QINGXI, level, "municipal-service")
        self.alert_is_raised(HEWAN, Level.BLUE, "water-pollution")

    @rule(place=_places, level=_levels, category=st.sampled_from(["water-pollution", "municipal-service"]))
    def alert_is_raised(self, place: str, level: Level, category: str) -> None:
        """Something is found."""
        one = alert(place, level, category=category, at=self.world.now, identity=self.fresh())
        self.alerts.append(one)
        self.run(self.store.record_alert(one, self.world.rules))

    @has_cases
    @rule(which=_which, level=_levels, cleared=st.booleans(), again=st.booleans())
    def alert_changes(self, which: int, level: Level, cleared: bool, again: bool) -> None:
        """An alert becomes graver or less grave, or is over; its message may come twice."""
        if not self.alerts:
            return
        number = which % len(self.alerts)
        before = self.alerts[number]
        newer = structs.replace(
            before,
            version=before.version + 1,
            change=AlertChange.CLEARED if cleared else AlertChange.CHANGED,
            level=level,
            changed_at=self.world.now,
            received_at=self.world.now,
        )
        self.alerts[number] = newer
        for _ in range(2 if again else 1):
            self.run(self.store.record_alert(newer, self.world.rules))

    @rule(minutes=st.sampled_from([15, 20, 61]), channel=st.sampled_from(CHANNELS))
    def a_while_passes(self, minutes: int, channel: str) -> None:
        """Time goes on, a worker acts and sends."""
        self.time_passes(minutes)
        self.timers_are_acted_on(1)
        self.pages_are_sent(channel, [], 1, True)

    @rule(minutes=st.sampled_from([1, 5, 15, 20, 30, 60, 121, 720]))
    def time_passes(self, minutes: int) -> None:
        """The clock goes on; nobody acts."""
        self.world.now += timedelta(minutes=minutes)
        self.run(self.world.set_clock())

    @rule(workers=st.integers(1, 4))
    def timers_are_acted_on(self, workers: int) -> None:
        """One or several workers act on what is due, until nothing is."""

        async def act() -> None:
            await asyncio.gather(*(act_on_timers(self.store, self.world.rules) for _ in range(workers)))
            await act_on_timers(self.store, self.world.rules)

        self.run(act())
        now = self.world.now
        late = [
            case for case, seen in self._look().items() if seen.next_at is not None and seen.next_at <= now
        ]
        assert not late, f"timers that nobody acted on: {late}"
        tasks = [task for task in self._tasks() if task["next_at"] is not None and task["next_at"] <= now]
        assert not tasks, f"deadlines that nobody acted on: {tasks}"

    @rule(
        channel=st.sampled_from(CHANNELS),
        moods=st.lists(st.sampled_from([*ANSWERS, *DEATHS]), max_size=5),
        workers=st.integers(1, 2),
        paced=st.booleans(),
    )
    def pages_are_sent(self, channel: str, moods: list[str], workers: int, paced: bool) -> None:
        """A worker sends what is due, perhaps for the last time; then the next one looks what was left."""
        self.provider.moods = moods
        pacing = self.world.rules.data.pacing if paced else None

        async def send() -> None:
            with suppress(Killed):
                await send_due(self.store, self.provider.channel(channel), pacing, lease_seconds=0, pause=0)

        for _ in range(workers):
            self.run(send())
        self.provider.moods = []

    @has_cases
    @rule(which=_which, by=_areas)
    def somebody_acknowledges(self, which: int, by: str) -> None:
        """Somebody takes note of a case."""
        self.command(lambda case: self.store.acknowledge(OFFICERS[by], case, self.fresh()), which, by)

    @has_cases
    @rule(which=_which, by=_areas)
    def somebody_takes_over(self, which: int, by: str) -> None:
        """Somebody becomes the holder of a case."""
        self.command(lambda case: self.store.take_over(OFFICERS[by], case, self.fresh()), which, by)

    @has_cases
    @rule(which=st.integers(0, 200), via=st.sampled_from(list(Via)))
    def somebody_answers(self, which: int, via: Via) -> None:
        """Somebody answers a page from the phone, of whatever kind it is and whatever has become of it meanwhile."""
        pages = list(self._pages().values())
        if not pages:
            return
        page = pages[which % len(pages)]
        with suppress(FenghuoError):
            _, standing = self.run(self.store.replies.answer(page["id"], via))
            if standing is Standing.DONE:
                self.asked[page["incident"]].add(page["recipient"])

    @has_cases
    @rule(which=_which, by=_areas, verdict=st.sampled_from(list(Verdict)))
    def somebody_decides(self, which: int, by: str, verdict: Verdict) -> None:
        """Somebody says what it was."""
        self.command(lambda case: self.store.decide(OFFICERS[by], case, verdict, "", self.fresh()), which, by)

    @has_cases
    @rule(which=_which, by=_areas, move=st.integers(0, 3))
    def somebody_moves(self, which: int, by: str, move: int) -> None:
        """Somebody moves a case on, ends it, or brings it back."""

        async def go(case: UUID) -> None:
            moves = INCIDENT_MOVES[self.cases[case].state] or (IncidentState.CLOSED,)
            await self.store.move(OFFICERS[by], case, moves[move % len(moves)], "", self.fresh())

        self.command(go, which, by)

    @has_cases
    @rule(which=_which, by=_areas)
    def somebody_reopens(self, which: int, by: str) -> None:
        """Somebody opens an ended case again."""
        rules = self.world.rules
        self.command(
            lambda case: self.store.casework.reopen(OFFICERS[by], case, "", self.fresh(), rules), which
        )

    @has_cases
    @rule(which=_which, into=_which, by=_areas)
    def somebody_merges(self, which: int, into: int, by: str) -> None:
        """Somebody makes two cases one."""
        other, rules = self.pick(into), self.world.rules
        self.command(
            lambda case: self.store.casework.merge(OFFICERS[by], case, other, "", self.fresh(), rules), which
        )

    @has_cases
    @rule(which=_which, by=_areas, area=st.sampled_from([QINGXI, HEWAN]), leave=st.booleans())
    def somebody_joins(self, which: int, by: str, area: str, leave: bool) -> None:
        """A township joins a case, or leaves it."""
        casework, rules = self.store.casework, self.world.rules
        if leave:
            self.command(lambda case: casework.leave(OFFICERS[by], case, area, "", self.fresh()), which)
        else:
            self.command(lambda case: casework.join(OFFICERS[by], case, area, "", self.fresh(), rules), which)

    @has_cases
    @rule(which=_which, by=_areas, grade=st.sampled_from(list(Grade)))
    def somebody_grades(self, which: int, by: str, grade: Grade) -> None:
        """Somebody decides how grave a case is."""
        rules = self.world.rules
        self.command(
            lambda case: self.store.grades.set(OFFICERS[by], case, grade, "现场核实", self.fresh(), rules),
            which,
        )

    @has_cases
    @rule(which=_which, by=_areas, minutes=st.sampled_from([10, 30, 120]), what=st.integers(0, 2))
    def somebody_shelves(self, which: int, by: str, minutes: int, what: int) -> None:
        """Somebody puts a case aside, stands behind that, or ends it."""
        holds, rules, who = self.store.holds, self.world.rules, OFFICERS[by]
        acts: tuple[Callable[[UUID], Awaitable[Any]], ...] = (
            lambda case: holds.shelve(who, case, minutes, "设备校准", self.fresh(), rules),
            lambda case: holds.consent(who, case, self.fresh(), rules),
            lambda case: holds.unshelve(who, case, self.fresh()),
        )
        self.command(acts[what], which)

    @has_cases
    @rule(which=_which, by=_areas, move=st.integers(0, 3))
    def a_task_moves(self, which: int, by: str, move: int) -> None:
        """Somebody moves a task."""
        tasks = self._tasks()
        task = tasks[which % len(tasks)]
        moves = TASK_MOVES[TaskState(task["state"])] or (TaskState.ACCEPTED,)
        with suppress(FenghuoError):
            self.run(
                self.store.move_task(OFFICERS[by], task["id"], moves[move % len(moves)], "", self.fresh())
            )

    @has_cases
    @rule(
        which=_which, by=_areas, kind=st.sampled_from(list(PleaKind)), minutes=st.sampled_from([30, 90, 300])
    )
    def a_unit_pleads(self, which: int, by: str, kind: PleaKind, minutes: int) -> None:
        """A unit refuses its task, or asks for time."""
        tasks = self._tasks()
        task = tasks[which % len(tasks)]["id"]
        refuses = kind is PleaKind.REFUSE
        until = None if refuses else self.world.now + timedelta(minutes=minutes)
        plea = Plea(kind, "人手不足", "第12项" if refuses else "", until)
        with suppress(FenghuoError):
            self.run(self.store.pleas.ask(OFFICERS[by], task, plea, self.fresh(), self.world.rules))

    @has_cases
    @rule(which=_which, by=_areas, kind=st.sampled_from(list(PleaKind)), granted=st.booleans())
    def a_plea_is_answered(self, which: int, by: str, kind: PleaKind, granted: bool) -> None:
        """Somebody above decides."""
        tasks = self._tasks()
        owner = Desk(HEWAN, "") if kind is PleaKind.REFUSE and granted else None
        with suppress(FenghuoError):
            self.run(
                self.store.pleas.answer(
                    OFFICERS[by],
                    tasks[which % len(tasks)]["id"],
                    kind,
                    granted=granted,
                    note="",
                    owner=owner,
                    request_id=self.fresh(),
                    rules=self.world.rules,
                )
            )

    @rule(area=st.sampled_from(sorted(POSTS)), present=st.booleans())
    def the_roster_changes(self, area: str, present: bool) -> None:
        """Somebody goes off duty, or comes back."""
        ends_at = START + LONG if present else self.world.now
        shift = Shift(area=area, post="", user=POSTS[area].id, starts_at=START - LONG, ends_at=ends_at)
        self.run(self.store.put_shifts([shift]))

    @rule()
    def everything_starts_again(self) -> None:
        """All processes stop and start."""

        async def restart() -> None:
            await self.stack.aclose()
            self.world.store = await self.stack.enter_async_context(Store.open(self.dsn, 6))

        self.run(restart())

    @rule()
    def a_day_without_responders_ends_well(self) -> None:
        """Everybody is on duty, channels deliver, and all that is open and unacknowledged is told to somebody."""
        for area in POSTS:
            self.the_roster_changes(area, True)
        waiting = {case for case, seen in self._look().items() if self._waits(seen)}
        before = {name: len(got) for name, got in self.provider.got.items()}
        self.time_passes(1500)
        self.timers_are_acted_on(1)
        for _ in range(6):  # four tries, the last channel, and a look that finds nothing
            for channel in ("webhook", "file", "console"):
                self.pages_are_sent(channel, [], 1, False)
        heard = {
            case
            for name, got in self.provider.got.items()
            for message in got[before.get(name, 0) :]
            for case in (message.incident, *(also.incident for also in message.also))
        }
        still = {case for case, seen in self._look().items() if self._waits(seen)}
        assert waiting & still <= heard, f"left alone: {waiting & still - heard}"
        stuck = [page for page in self._pages().values() if page["state"] in ("due", "sending")]
        assert not stuck, f"pages that never went out: {stuck}"

    @staticmethod
    def _waits(seen: Seen) -> bool:
        return seen.state in OPEN_STATES and not seen.acknowledged and not seen.held

    def _look(self) -> dict[UUID, Seen]:
        found: dict[UUID, Seen] = self.run(self.store._database.read(_read_cases))
        return found

    def _tasks(self) -> list[Any]:
        found: list[Any] = self.run(self.store._database.read(_read_tasks))
        return found

    def _pages(self) -> dict[UUID, Any]:
        found: dict[UUID, Any] = self.run(self.store._database.read(_read_pages))
        return found

    @invariant()
    def promises_hold(self) -> None:
        """Nobody is paged after acknowledging, nothing is lost, nothing twice, and nothing is without a next moment."""
        pages = self._pages()
        self._nobody_is_paged_in_vain(pages)
        self._nothing_goes_twice(pages)
        self._take_note_of_cases()
        for case, seen in self.cases.items():
            if seen.state in OPEN_STATES:
                assert seen.acknowledged or seen.next_at is not None, f"{case} is left alone"
                assert not seen.held or seen.next_at is not None, f"{case} is held without end"
            else:
                assert seen.next_at is None, f"{case} has ended and keeps a timer"
        for task in self._tasks():
            state = TaskState(task["state"])
            if IncidentState(task["case_state"]) in OPEN_STATES:
                if state in WORKING:
                    assert task["next_at"] is not None, f"nobody is reminded any more: {task}"
                assert state is not TaskState.SUSPENDED or task["next_at"] is not None, f"suspended: {task}"
            else:
                assert task["next_at"] is None, f"a task of an ended case keeps a timer: {task}"
        assert self.run(self.store.audit.verify())[1] == []

    def _nobody_is_paged_in_vain(self, pages: dict[UUID, Any]) -> None:
        """Look at what went out in this step by what was known before it."""
        for name, got in self.provider.got.items():
            for message in got[self.told[name] :]:
                for page in (message.page, *(also.page for also in message.also)):
                    row = pages[page]
                    seen = self.cases.get(row["incident"])
                    if seen is None or row["task"] is not None or row["reason"].startswith(OTHER_WORK):
                        continue
                    assert seen.state in OPEN_STATES, f"paged about an ended case: {row}"
                    assert not seen.acknowledged, f"paged after the acknowledgement: {row}"
                    assert row["recipient"] not in self.asked[row["incident"]], (
                        f"paged in spite of his own: {row}"
                    )
            self.told[name] = len(got)

    def _nothing_goes_twice(self, pages: dict[UUID, Any]) -> None:
        for name, got in self.provider.got.items():
            sent = [page for m in got for page in (m.page, *(also.page for also in m.also))]
            if name == "webhook":  # the other side drops no repetitions
                assert len(sent) == len(set(sent)), "a page went out twice"
            for page in set(sent):
                assert pages[page]["deliveries"] <= 1, f"delivered twice: {pages[page]}"
        for row in pages.values():
            delivered = row["state"] == PageState.DELIVERED
            assert delivered == (row["deliveries"] > 0), f"on record otherwise: {row}"

    def _take_note_of_cases(self) -> None:
        """Forget acknowledgements of what has become graver or was opened again."""
        before, self.cases = self.cases, self._look()
        for case, seen in self.cases.items():
            was = before.get(case)
            if was and (seen.grade < was.grade or (was.state in ENDED and seen.state in OPEN_STATES)):
                self.asked[case].clear()


async def _await(work: Awaitable[Any]) -> Any:
    return await work


@contextmanager
def template_of(postgres: str) -> Iterator[str]:
    """Settle a county once, in a database of which copies are made."""
    name = f"county_{uuid4().hex}"
    dsn = urlsplit(postgres)._replace(path=f"/{name}").geturl()

    async def execute(*statements: str) -> None:
        connection = await asyncpg.connect(postgres)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    async def settle() -> None:
        await execute(f"create database {name}")
        async with open_world(dsn) as world:
            await world.store.put_users([COMMANDER])

    asyncio.run(settle())
    try:
        yield dsn
    finally:
        asyncio.run(execute(f"drop database {name} with (force)"))


def test_whatever_happens_the_promises_hold(postgres: str) -> None:
    """No page after the acknowledgement, none lost, none twice, and every open case has a next moment."""
    profile = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize="FENGHUO_TEST_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        database=None,
    )
    with template_of(postgres) as template:
        run_state_machine_as_test(type("Days", (Days,), {"template": template}), settings=profile)
