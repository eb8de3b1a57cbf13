"""The states of cases and tasks as tables: every one is reached, ends are ends, and no move skips an approval."""

from collections.abc import Iterable
from typing import TypeVar

from domain.incidents import (
    INCIDENT_MOVES,
    MERGES,
    OPEN_STATES,
    REOPENED,
    TASK_ENDS,
    TASK_MOVES,
    TASK_PLEAS,
    TASK_RATED,
    IncidentState,
    TaskState,
)

INCIDENT, TASK = IncidentState, TaskState
S = TypeVar("S", IncidentState, TaskState)


def incident_edges() -> set[tuple[IncidentState, IncidentState]]:
    """Collect every way from one state of a case to another."""
    moves = {(before, after) for before, states in INCIDENT_MOVES.items() for after in states}
    return (
        moves
        | {(before, after) for before, states in MERGES.items() for after in states}
        | set(REOPENED.items())
    )


def task_edges() -> set[tuple[TaskState, TaskState]]:
    """Collect every way from one state of a task to another."""
    moves = {(before, after) for before, states in TASK_MOVES.items() for after in states}
    pleas = {(before, after) for before, states in TASK_PLEAS.items() for after in states}
    return moves | pleas | set(TASK_RATED.items()) | set(TASK_ENDS.items())


def reached(start: S, edges: Iterable[tuple[S, S]]) -> set[S]:
    """Follow the edges from a state."""
    found, edges = {start}, list(edges)
    while new := {after for before, after in edges if before in found} - found:
        found |= new
    return found


def test_every_state_is_reached_from_the_first() -> None:
    """No state stands in a table that no case or task can come to."""
    assert reached(INCIDENT.DETECTED, incident_edges()) == set(INCIDENT)
    assert reached(TASK.DISPATCHED, task_edges()) == set(TASK)


def test_every_open_case_can_be_ended_and_opened_again() -> None:
    """Closed and false alarm are one move away from any open state; what ended goes on to an open one."""
    for state in OPEN_STATES:
        assert {INCIDENT.CLOSED, INCIDENT.FALSE_ALARM} <= set(INCIDENT_MOVES[state])
        assert MERGES[state] == (INCIDENT.MERGED,)
    assert set(REOPENED.values()) <= OPEN_STATES
    assert set(REOPENED) == set(INCIDENT) - OPEN_STATES - {INCIDENT.MERGED}


def test_ends_are_ends() -> None:
    """A merged case and a cancelled task are never anything else again; a rated task is only rated anew."""
    assert not {after for before, after in incident_edges() if before is INCIDENT.MERGED}
    assert not {after for before, after in task_edges() if before is TASK.CANCELLED}
    assert {after for before, after in task_edges() if before is TASK.RATED} == {TASK.RATED}


def test_no_move_skips_an_approval() -> None:
    """What needs somebody above, or answers, or another case, is no state that an officer names."""
    named = {after for states in TASK_MOVES.values() for after in states}
    assert named.isdisjoint({TASK.REFUSED, TASK.SUSPENDED, TASK.RATED, TASK.DISPATCHED})
    assert INCIDENT.MERGED not in {after for states in INCIDENT_MOVES.values() for after in states}
    into_closed = {
        before for before, after in task_edges() if after is TASK.CLOSED and TASK.CLOSED in TASK_MOVES[before]
    }
    assert into_closed == {TASK.VERIFIED}
    assert {before for before, after in incident_edges() if after is INCIDENT.REVIEWED} == {INCIDENT.CLOSED}
