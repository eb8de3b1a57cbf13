"""Rotations: whoever is on duty, somebody is, and nobody twice; hand-overs stay at their time of day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.rotations import SHANGHAI, Rotation, crew_at, plan, turns

NAMES = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990101")
A, B, C = (uuid5(NAMES, name) for name in "abc")


def rotation(
    crews: int = 3,
    hours: int = 24,
    hand_over: time = time(8),
    starts_on: date = date(2026, 5, 1),
) -> Rotation:
    """Make a rotation of crews of one."""
    return Rotation("990101101", "", tuple((one,) for one in (A, B, C)[:crews]), hours, hand_over, starts_on)


rotations = st.builds(
    rotation,
    crews=st.integers(1, 3),
    hours=st.one_of(st.integers(1, 200), st.sampled_from([8, 12, 24, 7 * 24, 31 * 24])),
    hand_over=st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None)),
    # from before the summer times of 1986 to 1991 until far ahead
    starts_on=st.dates(date(1985, 12, 1), date(2092, 1, 1)),
)
spans = st.integers(0, 500 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(rotations, spans, spans)
def test_turns_leave_no_gap_and_do_not_overlap(one: Rotation, after: timedelta, length: timedelta) -> None:
    """Any stretch after the first hand-over is covered by turns that meet, across ends of months and years."""
    since = one.starts_at + after
    until = since + min(length, timedelta(hours=one.turn_hours * 40)) + timedelta(minutes=1)
    found = list(turns(one, since, until))
    assert found[0].starts_at <= since < found[0].ends_at
    assert found[-1].starts_at < until <= found[-1].ends_at
    for before, following in pairwise(found):
        assert before.ends_at == following.starts_at
    assert all(turn.starts_at < turn.ends_at for turn in found)


@given(rotations, spans)
def test_who_is_on_duty_is_whose_turn_it_is(one: Rotation, after: timedelta) -> None:
    """At every instant exactly the crew of the one turn in which it lies; just before the first hand-over nobody."""
    at = one.starts_at + after
    (turn,) = turns(one, at, at + timedelta(microseconds=1))
    assert crew_at(one, at) == turn.crew
    assert crew_at(one, turn.starts_at) == turn.crew
    assert crew_at(one, one.starts_at - timedelta(microseconds=1)) == ()


@given(rotations, st.integers(0, 400))
def test_hand_overs_stay_at_their_time_of_day(one: Rotation, number: int) -> None:
    """Turns of whole days hand over at the same wall time, but in the hour that a change of the clock skips."""
    days, rest = divmod(one.turn_hours, 24)
    wall = datetime.combine(one.starts_on + timedelta(days=days * number), one.hand_over)
    exists = wall.replace(tzinfo=SHANGHAI).astimezone(UTC).astimezone(SHANGHAI).replace(tzinfo=None) == wall
    if not rest and exists:
        assert one.beginning(number).astimezone(SHANGHAI).replace(tzinfo=None) == wall


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-05-01T07:59", ()),
        ("2026-05-01T08:00", (A,)),
        ("2026-05-02T07:59", (A,)),
        ("2026-05-02T08:00", (B,)),
        ("2026-05-31T23:59", (A,)),
        ("2026-06-01T07:59", (A,)),
        ("2026-06-01T08:00", (B,)),
        ("2026-12-31T23:59", (B,)),
        ("2027-01-01T00:00", (B,)),
        ("2027-01-01T08:00", (C,)),
        ("2028-02-29T12:00", (A,)),
    ],
)
def test_a_day_at_a_time_through_the_year(at: str, who: tuple[UUID, ...]) -> None:
    """Three crews, handing over at eight: counted by hand over ends of months, the year and a leap day."""
    assert crew_at(rotation(), datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)) == who


def test_summer_time_makes_a_turn_shorter_and_no_gap() -> None:
    """On 1986-05-04 the clock of China went forward: the night's turn has eleven hours, and it still ends at eight."""
    one = rotation(crews=2, hours=12, hand_over=time(20), starts_on=date(1986, 5, 3))
    night, day = list(turns(one, one.starts_at, one.starts_at + timedelta(hours=20)))
    assert night.ends_at - night.starts_at == timedelta(hours=11)
    assert day.starts_at == night.ends_at
    assert day.starts_at.astimezone(SHANGHAI).hour == 8


def test_a_rotation_holds_until_the_next_one_of_its_desk() -> None:
    """The later one takes over at its first hand-over in the middle of a turn; nothing is planned twice."""
    first = rotation(crews=1)
    second = Rotation("990101101", "", ((B, C),), 24, time(20), date(2026, 5, 3))
    since, until = first.starts_at - timedelta(days=1), first.starts_at + timedelta(days=4)
    found = list(plan([second, first], since, until))
    assert [turn.crew for turn in found] == [(A,), (A,), (A,), (B, C), (B, C)]
    assert found[0].starts_at == first.starts_at
    assert found[2].ends_at == second.starts_at == found[3].starts_at
    assert found[-1].ends_at == until
    assert list(plan([], since, until)) == []


def test_a_rotation_without_crews_ends_the_one_before_it() -> None:
    """The turn in which the end lies is cut, nobody's follows, and a rotation after the end is in force again."""
    first = rotation(crews=1)
    end = Rotation("990101101", "", (), 24, time(20), date(2026, 5, 3))
    again = Rotation("990101101", "", ((C,),), 24, time(8), date(2026, 5, 5))
    since, until = first.starts_at, first.starts_at + timedelta(days=6)
    found = list(plan([again, end, first], since, until))
    assert [turn.crew for turn in found] == [(A,), (A,), (A,), (C,), (C,)]
    assert (found[2].ends_at, found[3].starts_at) == (end.starts_at, again.starts_at)
    assert crew_at(end, end.starts_at) == ()
