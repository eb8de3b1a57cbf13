"""What becomes of a task that is not done after 150 % of its time (催办): who hears of it, when, and how far up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from config.data import load_data
from config.reminders import Reminder
from domain.incidents import IncidentState, PleaKind, PleaOutcome, TaskState
from domain.levels import Grade
from responders.cases import Case, Desk, Person, Reason, Roster, Work
from responders.deadlines import LAST_SHARE, TASK_LOOPS, next_look, remind
from responders.hours import hours_of
from responders.pleas import Plea, settle

DATA = load_data()
NOW = datetime(2026, 5, 8, 8, tzinfo=UTC)  # a Friday, 16:00 in Asia/Shanghai
NAMES = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990104")
TOWN, COUNTY, CITY, PROVINCE = "990101101", "990101", "9901", "99"
WORKING = hours_of(DATA.hours, DATA.notices, TOWN)
TWICE = Reminder(grades=(1, 2, 3, 4), every_minutes=60, rounds=2)


def person(name: str) -> Person:
    """Make somebody on duty."""
    return Person(uuid5(NAMES, name), name)


ALL = {Desk(area, ""): (person(area),) for area in (TOWN, COUNTY, CITY, PROVINCE)}
LEADER = {Desk(CITY, "leader"): (person("leader"),)}


def work(passed: int = LAST_SHARE, rule: Reminder = TWICE, area: str = TOWN) -> Work:
    """Make a task of an hour that was dispatched a day ago."""
    since = NOW - timedelta(days=1)
    return Work(
        id=uuid5(NAMES, "task"),
        number=1,
        desk=Desk(area, "ecology-duty"),
        state=TaskState.ACCEPTED,
        dispatched_at=since,
        due_at=since + timedelta(hours=1),
        passed=passed,
        reminder=rule,
        between_reminders=WORKING,
    )


CASE = Case(
    id=uuid5(NAMES, "case"),
    place=TOWN,
    post="ecology-duty",
    grade=Grade.IV,
    state=IncidentState.RESPONDING,
    policies={number: DATA.policy("water-pollution", number) for number in range(1, 5)},
    step=0,
    loop=0,
    next_at=None,
    acknowledged=True,
)


def urged(given: Work, on_duty: dict[Desk, tuple[Person, ...]]) -> list[str]:
    """Remind of a task; who hears of it."""
    decision = remind(given, CASE, Roster(on_duty), NOW, ("console",))
    assert decision.reason is Reason.STILL_OVERDUE
    return [order.person.display for order in decision.orders]


@pytest.mark.parametrize(
    ("before", "on_duty", "area", "rule", "heard"),
    [
        (0, ALL, TOWN, TWICE, [TOWN, CITY]),
        (1, ALL, TOWN, TWICE, [TOWN, CITY]),
        (2, ALL, TOWN, TWICE, [TOWN, PROVINCE]),
        (500, ALL, TOWN, TWICE, [TOWN, PROVINCE]),
        (0, ALL | LEADER, TOWN, TWICE, [TOWN, "leader"]),
        (500, ALL, TOWN, Reminder(grades=(4,), every_minutes=60, highest="city"), [TOWN, CITY]),
        (500, ALL, TOWN, Reminder(grades=(4,), every_minutes=60, highest="township"), [TOWN, COUNTY]),
        (0, {Desk(PROVINCE, ""): (person(PROVINCE),)}, TOWN, TWICE, [PROVINCE]),
        (
            500,
            {Desk(PROVINCE, ""): (person(PROVINCE),)},
            TOWN,
            Reminder(grades=(4,), every_minutes=60, highest="city"),
            [PROVINCE],
        ),
        (9, {Desk(COUNTY, ""): (person(COUNTY),)}, TOWN, TWICE, [COUNTY]),
        (0, ALL, COUNTY, TWICE, [COUNTY, PROVINCE]),
        (9, ALL, PROVINCE, TWICE, [PROVINCE]),
        (0, {}, TOWN, TWICE, []),
    ],
)
def test_unit_and_one_level_above_are_reminded(
    before: int, on_duty: dict[Desk, tuple[Person, ...]], area: str, rule: Reminder, heard: list[str]
) -> None:
    """Each level so many times, its leader first, then the next one up to the highest; an empty desk passes it on."""
    assert urged(work(LAST_SHARE + before, rule, area), on_duty) == heard


def test_each_reminder_is_another_page() -> None:
    """By its loop, so that the second one is no repetition of the first; and so after the time was set anew."""
    once = [remind(work(LAST_SHARE + n), CASE, Roster(ALL), NOW, ("console",)) for n in range(3)]
    assert [(one.step, one.loop) for one in once] == [(1150, 1), (1150, 2), (1150, 3)]
    again = remind(replace(work(), anew=1), CASE, Roster(ALL), NOW, ("console",))
    assert (again.step, again.loop) == (1150, TASK_LOOPS + 1)


def test_reminders_rest_outside_working_hours() -> None:
    """From Friday 16:00 three working hours later is Monday 10:00; a grave case's goes on through the night."""
    calm = Reminder(grades=(4,), every_minutes=180)
    assert next_look(work(rule=calm), NOW) == datetime(
        2026, 5, 9, 2, tzinfo=UTC
    )  # a Saturday that is worked (调休)
    later = NOW + timedelta(days=7)
    assert next_look(work(rule=calm), later) == datetime(2026, 5, 18, 2, tzinfo=UTC)
    grave = replace(work(), between_reminders=hours_of((), (), TOWN))
    assert next_look(grave, NOW) == NOW + timedelta(hours=1)


@pytest.mark.parametrize("grade", list(Grade))
def test_no_task_is_ever_left_alone(grade: Grade) -> None:
    """Whatever the grade, the shipped rules bring it up again within three days, emergencies within an hour."""
    rule = DATA.reminders[grade]
    given = replace(
        work(rule=rule), between_reminders=WORKING if rule.clock == "working" else hours_of((), (), TOWN)
    )
    for n in range(40):
        decision = remind(replace(given, passed=LAST_SHARE + n), CASE, Roster(ALL), NOW, ("console",))
        assert decision.next_at is not None
        most = timedelta(hours=1) if grade <= Grade.II else timedelta(days=3)
        assert NOW < decision.next_at <= NOW + most
        assert decision.orders


@pytest.mark.parametrize("kind", [PleaKind.SUSPEND, PleaKind.EXTEND])
def test_a_plea_that_is_denied_leaves_the_reminders_on(kind: PleaKind) -> None:
    """A no wins no silence, and brings none up in the same moment."""
    plea = Plea(kind, "等", until=NOW + timedelta(hours=3))
    settled = settle(plea, PleaOutcome.DENIED, work(LAST_SHARE + 3), NOW)
    assert (settled.work.passed, settled.next_at) == (LAST_SHARE + 3, NOW + timedelta(hours=1))


def test_an_extension_ends_the_reminders_until_its_own_end() -> None:
    """With a new end the task is not overdue any more, and is watched from the beginning."""
    plea = Plea(PleaKind.EXTEND, "人手不足", until=NOW + timedelta(hours=2))
    settled = settle(plea, PleaOutcome.GRANTED, work(LAST_SHARE + 3), NOW)
    assert settled.work.passed == 50
    assert settled.next_at == NOW + timedelta(hours=2)
