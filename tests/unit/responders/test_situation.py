"""What the command centre decides without a database: the alarm load's verdict, and which levels a map draws."""

from datetime import UTC, datetime, timedelta

import pytest

from responders.mapping import MOST_SHAPES, choose_levels
from responders.situation import AlarmBin, LoadVerdict, judge_load

START = datetime(2026, 3, 2, tzinfo=UTC)


def day(*most: int, operators: int = 1) -> list[AlarmBin]:
    """Make a day of ten-minute spans that ends with these, each the load of one operator."""
    loads = [0] * (144 - len(most)) + list(most)
    return [
        AlarmBin(
            at=START + timedelta(minutes=10 * number),
            alarms=load,
            most=load,
            flooded=int(load > 10),
            operators=operators,
        )
        for number, load in enumerate(loads)
    ]


@pytest.mark.parametrize(
    ("bins", "verdict"),
    [
        (day(), LoadVerdict.CALM),
        (day(10), LoadVerdict.STEADY),  # ten in ten minutes are no flood yet
        (day(*[1] * 144), LoadVerdict.STEADY),  # one in ten minutes all day long
        (day(*[1] * 143, 2), LoadVerdict.BUSY),
        (day(11, 0), LoadVerdict.BUSY),  # a flood of ten minutes in a day: less than a hundredth
        (day(11, 11, 0), LoadVerdict.OVERLOADED),
        (day(*[2] * 143, 3), LoadVerdict.OVERLOADED),
        (day(11), LoadVerdict.FLOOD),  # and it lasts
        (day(*[2] * 144, operators=2), LoadVerdict.STEADY),  # two share it
        ([], LoadVerdict.CALM),
    ],
)
def test_the_load_is_judged_by_the_standards(bins: list[AlarmBin], verdict: LoadVerdict) -> None:
    """One alarm in ten minutes in the long run, ten in ten minutes at most, floods in less than 1 % of the time."""
    assert judge_load(bins).verdict is verdict


def test_nobody_on_duty_divides_nothing() -> None:
    """A county without a roster has a mean of nought, not an error."""
    assert judge_load(day(operators=0)).mean == 0.0


@pytest.mark.parametrize(
    ("own", "counts", "drawn", "left_out"),
    [
        ("990101", {6: 1, 9: 12, 12: 200, 15: 600}, (6, 9, 15), {}),
        ("990101", {6: 1, 9: 12, 12: 200}, (6, 9, 12), {}),  # cells have no shapes: villages are the finest
        ("990101101", {9: 1, 12: 16, 15: 48}, (9, 15), {}),
        ("99", {2: 1, 4: 10, 6: 100, 9: 1_500, 12: 30_000, 15: 100_000}, (2, 6, 9), {15: 100_000}),
        ("", {6: 2_800, 9: 40_000}, (6,), {9: 40_000}),
        ("990101101001001", {15: 1}, (15,), {}),
        ("990101", {}, (), {}),
    ],
)
def test_a_map_is_as_fine_as_a_browser_holds(
    own: str, counts: dict[int, int], drawn: tuple[int, ...], left_out: dict[int, int]
) -> None:
    """What is too much is left out, and said so."""
    levels = choose_levels(own, counts)
    assert (levels.drawn, levels.left_out) == (drawn, left_out)
    assert sum(counts[level] for level in drawn) <= MOST_SHAPES
