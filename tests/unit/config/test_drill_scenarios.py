"""Scenarios of drills: what is wrong with one is told by its place in the file, all at once."""

from typing import Any

import pytest

from config.data import load_data
from config.drills import Drill, check_drills
from domain.decode import convert
from domain.errors import InvalidInput

CATEGORIES = ("flood",)


def scenario(*steps: dict[str, Any], expect: tuple[dict[str, Any], ...] = ()) -> Drill:
    """Make a scenario of steps, whose sentences are given where a test does not care."""
    said = [{"zh": "一", "en": "one", **step} for step in steps]
    names = {"slug": "one", "zh": "一", "en": "One", "goal_zh": "检验", "goal_en": "Examines"}
    return convert(Drill, {**names, "step": said, "expect": list(expect)})


RAISED = {"minute": 0, "alert": "a", "category": "flood", "level": 2, "place": "A"}


def faults(*drills: Drill) -> set[tuple[str, str]]:
    """Tell the faults of scenarios."""
    return {(fault.field, fault.reason) for fault in check_drills(drills, CATEGORIES)}


def test_the_shipped_scenarios_are_well_and_expect_something() -> None:
    """Each may be played as it is, and says what it examines."""
    shipped = load_data().drills
    assert {"river-leak", "wage-gathering", "fever-school"} <= shipped.keys()
    assert all(drill.expect for drill in shipped.values())


def test_a_scenario_that_can_be_played_has_no_faults() -> None:
    """An alert that is raised, changed and over, an inject, a silent desk, and an expectation."""
    steps = (
        RAISED,
        {"minute": 1, "place": "A", "silent": 10, "zh": "{A}不应答，{county}接续"},
        {"minute": 2, "alert": "a", "level": 3, "place": "A"},
        {"minute": 3, "alert": "a", "over": True, "place": "A"},
    )
    assert faults(scenario(*steps, expect=({"alert": "a", "action": "acknowledged", "within": 15},))) == set()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (({**RAISED, "minute": 5}, {"minute": 1}), {("drill[0].step", "must be in the order of minute")}),
        (
            ({**RAISED, "category": None, "level": None},),
            {
                ("drill[0].step[0].category", "must be given where a is raised"),
                ("drill[0].step[0].level", "must be given where a is raised"),
            },
        ),
        (
            ({**RAISED, "category": "plague"},),
            {("drill[0].step[0].category", "names the category 'plague', which there is not")},
        ),
        (
            ({"minute": 0, "alert": "a", "over": True, "category": "flood", "level": 1},),
            {("drill[0].step[0].over", "a was never raised")},
        ),
        (
            (RAISED, {"minute": 1, "alert": "a", "over": True, "place": "A"}, {**RAISED, "minute": 2}),
            {("drill[0].step[2].alert", "a was over before")},
        ),
        (
            (RAISED, {"minute": 1, "alert": "a", "place": "B"}),
            {("drill[0].step[1]", "a keeps the category and place with which it was raised")},
        ),
        (
            ({"minute": 0, "level": 2, "over": True},),
            {
                ("drill[0].step[0].alert", "must name the alert that has a level"),
                ("drill[0].step[0].alert", "must name the alert that is over"),
            },
        ),
        (({**RAISED, "silent": 5},), {("drill[0].step[0].silent", "is for a step without an alert")}),
        (
            ({**RAISED, "zh": "{C}有雨", "en": "rain {"},),
            {
                ("drill[0].step[0].zh", "names {C}, which is no place of the scenario"),
                ("drill[0].step[0].en", "has a brace that does not belong to a place"),
            },
        ),
    ],
)
def test_each_fault_of_a_step_is_told(
    steps: tuple[dict[str, Any], ...], expected: set[tuple[str, str]]
) -> None:
    """By step and field."""
    assert faults(scenario(*steps)) == expected


def test_expectations_name_alerts_that_there_are_once() -> None:
    """Of something that is never raised nothing can be expected; twice the same is a slip."""
    twice = ({"alert": "a", "action": "done", "within": 5}, {"alert": "a", "action": "done", "within": 6})
    other = {"alert": "b", "action": "done", "within": 5}
    assert faults(scenario(RAISED, expect=(*twice, other))) == {
        ("drill[0].expect[1]", "done of a is expected twice"),
        ("drill[0].expect[2].alert", "names 'b', which no step raises"),
    }


def test_two_scenarios_of_one_name_are_told() -> None:
    """A command could not tell them apart."""
    assert faults(scenario(RAISED), scenario(RAISED)) == {("drill[1].slug", "one is there twice")}


def test_what_is_no_scenario_at_all_is_told_field_by_field() -> None:
    """Wrong types and ranges are told before anything else, all at once."""
    with pytest.raises(InvalidInput) as caught:
        scenario({"minute": -1, "place": "a", "level": 9})
    assert {fault.field for fault in caught.value.faults} == {
        "step[0].minute",
        "step[0].place",
        "step[0].level",
    }
