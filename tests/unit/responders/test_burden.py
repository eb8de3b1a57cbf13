"""The burden meter: what counts as too much, and that nobody can be picked out."""

import pytest

from config.burden import Budget, check_budgets
from config.data import load_data
from responders.burden import LEAST_PEOPLE, TOGETHER, Borne, Load, Spread, burden_by_area, exceeded
from responders.response import Rate

BUDGET = Budget(role="grid", messages=20, taps=60, forms=5, peak=5, source="test")
BUDGETS = {"grid": BUDGET}


@pytest.mark.parametrize(
    ("load", "over"),
    [
        (Load(), ()),
        (Load(messages=20, taps=60, forms=5, peak=5), ()),
        (Load(messages=21, forms=6), ("messages", "forms")),
        (Load(peak=6), ("peak",)),
    ],
)
def test_a_budget_is_exceeded_by_more_than_it_allows(load: Load, over: tuple[str, ...]) -> None:
    """What is just allowed is allowed."""
    assert exceeded(load, BUDGET) == over


def grid(area: str, *messages: int) -> list[Borne]:
    """Make accounts of an area with so many messages each."""
    return [Borne(area, "grid", Load(messages=count)) for count in messages]


def test_areas_are_told_of_by_their_middle() -> None:
    """Areas come by code, whatever they bore; an account beyond its budget counts once."""
    told = burden_by_area([*grid("2", 1, 2, 30), *grid("1", 50, 60, 70)], BUDGETS)
    assert [(area.area, area.people, area.over, area.messages) for area in told] == [
        ("1", 3, 3, Spread(middle=60.0, most=70)),
        ("2", 3, 1, Spread(middle=2.0, most=30)),
    ]


def test_few_accounts_are_told_of_together_or_not_at_all() -> None:
    """An area's figures are never those of one or two people."""
    told = burden_by_area([*grid("1", 9), *grid("2", 5, 7), *grid("3", 1, 1, 1)], BUDGETS)
    assert [(area.area, area.people) for area in told] == [("3", 3), (TOGETHER, 3)]
    assert burden_by_area(grid("1", *range(LEAST_PEOPLE - 1)), BUDGETS) == ()


def test_every_role_needs_one_budget() -> None:
    """A gap and a double are both told; what is shipped has neither."""
    faults = [fault.reason for fault in check_budgets([BUDGET, BUDGET])]
    assert faults == [
        "grid has 2 budgets, needs one",
        "officer has 0 budgets, needs one",
        "commander has 0 budgets, needs one",
    ]
    assert set(load_data().budgets) == {"grid", "officer", "commander"}


def test_what_is_not_known_counts_on_no_side() -> None:
    """A rate is of those who answered."""
    assert Rate.of(3, 4, 10).share == 0.75
    assert Rate.of(0, 0, 10).share is None
