"""What units may ask about their tasks, and what follows, by tables of time."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.incidents import PleaKind, PleaOutcome, TaskState
from domain.levels import Grade
from responders.cases import Desk, Work
from responders.pleas import Plea, answer_by, backstop, end_rest, objections, resume, settle

BEIJING = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 5, 7, 9, tzinfo=BEIJING)
HOUR = timedelta(hours=1)
WORK = Work(
    id=uuid4(),
    number=1,
    desk=Desk("990101101", ""),
    state=TaskState.DISPATCHED,
    dispatched_at=BEGIN,
    due_at=BEGIN + 2 * HOUR,
    passed=0,
)
ACCEPTED = replace(WORK, state=TaskState.ACCEPTED)
REFUSAL = Plea(PleaKind.REFUSE, "河道归县水利局管理", item="配合事项 第12项")


@pytest.mark.parametrize(
    ("plea", "work", "fields"),
    [
        (REFUSAL, WORK, []),
        (replace(REFUSAL, item=" "), WORK, ["item"]),
        (replace(REFUSAL, reason="", item="", until=BEGIN), ACCEPTED, ["kind", "reason", "item", "until"]),
        (Plea(PleaKind.SUSPEND, "等水位下降", until=BEGIN + 20 * HOUR), ACCEPTED, []),
        (Plea(PleaKind.SUSPEND, "等水位下降", until=BEGIN + 25 * HOUR), ACCEPTED, ["until"]),
        (Plea(PleaKind.SUSPEND, "等水位下降", until=BEGIN), ACCEPTED, ["until"]),
        (Plea(PleaKind.SUSPEND, "等水位下降", until=BEGIN + HOUR), WORK, ["kind"]),
        (Plea(PleaKind.EXTEND, "人手不足", until=BEGIN + 4 * HOUR), ACCEPTED, []),
        (Plea(PleaKind.EXTEND, "人手不足", until=BEGIN + 5 * HOUR), ACCEPTED, ["until"]),
        (Plea(PleaKind.EXTEND, "人手不足", until=BEGIN + HOUR), ACCEPTED, ["until"]),
        (Plea(PleaKind.EXTEND, "人手不足"), ACCEPTED, ["until"]),
    ],
)
def test_what_speaks_against_a_plea_is_told_at_once(plea: Plea, work: Work, fields: list[str]) -> None:
    """A refusal cites an item and comes before acceptance; a pause and an extension are bounded by the time first given."""
    assert [fault.field for fault in objections(plea, work, BEGIN)] == fields


@pytest.mark.parametrize(
    ("grade", "now", "by"),
    [
        (Grade.II, "2026-05-07T09:00", "2026-05-07T09:30"),
        (Grade.III, "2026-05-07T09:00", "2026-05-08T09:00"),
        (Grade.IV, "2026-05-15T16:30", "2026-05-18T16:30"),  # Friday to Monday
        (Grade.IV, "2026-09-30T10:00", "2026-10-08T10:00"),  # before National Day
        (Grade.IV, "2026-05-08T10:00", "2026-05-09T10:00"),  # a Saturday that is worked (调休)
    ],
)
def test_somebody_above_answers_in_time(grade: Grade, now: str, by: str) -> None:
    """Half an hour in an emergency; else a working day, by the State Council's calendar."""
    at, until = (datetime.fromisoformat(text).replace(tzinfo=BEIJING) for text in (now, by))
    assert answer_by(grade, at).at == until


def test_a_refusal_that_is_denied_wins_no_time() -> None:
    """The task is the unit's as before, and half of its time is over by the clock that ran on."""
    now = BEGIN + 1.5 * HOUR
    settled = settle(REFUSAL, PleaOutcome.DENIED, replace(WORK, state=TaskState.REFUSED, passed=50), now)
    assert settled.work == replace(WORK, passed=50)
    assert settled.next_at == WORK.due_at


def test_a_granted_refusal_gives_the_task_to_another_with_the_same_time() -> None:
    """Two hours from now for the new owner, as the first one was given."""
    now, owner = BEGIN + HOUR, Desk("990101", "flood-duty")
    settled = settle(REFUSAL, PleaOutcome.GRANTED, WORK, now, owner)
    assert (settled.work.desk, settled.work.state) == (owner, TaskState.DISPATCHED)
    assert (settled.work.dispatched_at, settled.work.due_at) == (now, now + 2 * HOUR)
    assert settled.next_at == now + HOUR


def test_a_refusal_that_nobody_answers_goes_to_the_county() -> None:
    """A task is nobody's for no moment."""
    settled = settle(REFUSAL, PleaOutcome.LAPSED, WORK, BEGIN + HOUR)
    assert settled.work.desk == backstop(WORK.desk) == Desk("990101", "")
    assert backstop(Desk("99", "flood-duty")) == Desk("99", "")


def test_a_pause_moves_the_end_and_ends_by_itself() -> None:
    """What was left of the time is left after the pause."""
    now, until = BEGIN + HOUR, BEGIN + 6 * HOUR
    plea = Plea(PleaKind.SUSPEND, "等水位下降", until=until)
    settled = settle(plea, PleaOutcome.GRANTED, replace(ACCEPTED, passed=50), now)
    assert settled.work.state is TaskState.SUSPENDED
    assert settled.next_at == settled.resumes_at == until
    again = resume(settled.work, until)
    assert (again.work.state, again.work.due_at) == (TaskState.ACCEPTED, BEGIN + 7 * HOUR)
    assert again.work.passed == 50
    assert again.next_at == BEGIN + 7 * HOUR


@pytest.mark.parametrize(
    ("due", "taken_up", "due_then"),
    [(2.0, 1.5, 2.5), (2.0, 3.0, 4.0), (2.0, 6.0, 7.0), (0.5, 1.5, 1.0), (1.0, 2.0, 2.0)],
)
def test_a_pause_that_ends_early_gives_no_time_away(due: float, taken_up: float, due_then: float) -> None:
    """Put off after an hour until the sixth: the time that was left goes on from when it is taken up, late as it was."""
    until = BEGIN + 6 * HOUR
    work = replace(ACCEPTED, due_at=BEGIN + due * HOUR)
    paused = settle(
        Plea(PleaKind.SUSPEND, "等水位下降", until=until), PleaOutcome.GRANTED, work, BEGIN + HOUR
    ).work
    settled = end_rest(replace(paused, state=TaskState.ON_SITE), until, BEGIN + taken_up * HOUR)
    assert (settled.work.state, settled.work.due_at) == (TaskState.ON_SITE, BEGIN + due_then * HOUR)


def test_a_pause_that_is_granted_after_its_end_is_none() -> None:
    """The answer came too late: the task goes on as it is."""
    plea = Plea(PleaKind.SUSPEND, "等水位下降", until=BEGIN + HOUR)
    settled = settle(plea, PleaOutcome.GRANTED, ACCEPTED, BEGIN + 1.5 * HOUR)
    assert settled.work == ACCEPTED


def test_an_extension_makes_deadlines_come_again() -> None:
    """A task that was overdue is not overdue any more, and its new end is watched."""
    plea = Plea(PleaKind.EXTEND, "人手不足", until=BEGIN + 4 * HOUR)
    settled = settle(plea, PleaOutcome.GRANTED, replace(ACCEPTED, passed=100), BEGIN + 2.5 * HOUR)
    assert settled.work.passed == 50
    assert settled.next_at == BEGIN + 4 * HOUR


@pytest.mark.parametrize("kind", [PleaKind.SUSPEND, PleaKind.EXTEND])
@pytest.mark.parametrize("outcome", [PleaOutcome.DENIED, PleaOutcome.LAPSED])
def test_what_nobody_agreed_to_changes_nothing(kind: PleaKind, outcome: PleaOutcome) -> None:
    """Neither a no nor silence puts anything off."""
    plea = Plea(kind, "等", until=BEGIN + 3 * HOUR)
    assert settle(plea, outcome, ACCEPTED, BEGIN + HOUR).work == ACCEPTED


@given(
    st.sampled_from(PleaKind),
    st.sampled_from([PleaOutcome.GRANTED, PleaOutcome.DENIED, PleaOutcome.LAPSED]),
    st.floats(0, 10),
    st.sampled_from([0, 50, 100]),
    st.floats(0.1, 2),
)
def test_a_task_always_has_an_owner_and_a_deadline(
    kind: PleaKind, outcome: PleaOutcome, hours: float, passed: int, more: float
) -> None:
    """Whatever was asked and answered, and whenever, the task belongs to a desk and its next deadline is known."""
    state = TaskState.REFUSED if kind is PleaKind.REFUSE else TaskState.ACCEPTED
    until = None if kind is PleaKind.REFUSE else WORK.due_at + more * HOUR
    plea = Plea(kind, "原因", item="第1项", until=until)
    now = BEGIN + hours * HOUR
    settled = settle(plea, outcome, replace(WORK, state=state, passed=passed), now)
    assert settled.work.desk.area
    assert settled.next_at is not None
    assert settled.work.state is not TaskState.REFUSED
