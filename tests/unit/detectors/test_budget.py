"""The week's budget: how many are told, which of them, and what a graver one may do."""

from datetime import timedelta
from uuid import UUID

from alert_world import START
from hypothesis import given
from hypothesis import strategies as st

from detectors.fusion.budget import MOST_KEPT, WEEK, Ledger, worth_of
from domain.levels import Level

BUDGET = 3


def ask(ledger: Ledger, number: int, level: Level, worth: float, hours: float) -> bool:
    """Ask for room, and write down the answer."""
    now = START + timedelta(hours=hours)
    told = ledger.has_room(UUID(int=number), level, worth, BUDGET, now)
    ledger.enter(UUID(int=number), level, worth, BUDGET, now, told=told)
    return told


def test_the_week_has_room_for_so_many_and_then_again() -> None:
    """When the budget is spent alerts of the same level wait; after seven days there is room again."""
    ledger = Ledger()
    assert [ask(ledger, n, Level.YELLOW, 0.5, n) for n in range(5)] == [True] * 3 + [False] * 2
    assert ask(ledger, 5, Level.YELLOW, 0.5, 24 * 7 + 0.5)
    assert not ask(ledger, 6, Level.YELLOW, 0.5, 24 * 7 + 0.6)


def test_blue_and_what_is_above_do_not_take_each_others_room() -> None:
    """A flood of blue alerts leaves the yellow ones theirs."""
    ledger = Ledger()
    assert sum(ask(ledger, n, Level.BLUE, 0.5, n) for n in range(20)) == BUDGET
    assert sum(ask(ledger, n, Level.YELLOW, 0.5, 20 + n) for n in range(100, 103)) == BUDGET


def test_a_graver_one_is_always_told_and_takes_the_room_of_the_least() -> None:
    """Orange comes through a spent budget of yellow, and once it is all orange, only red does."""
    ledger = Ledger()
    assert all(ask(ledger, n, Level.YELLOW, 0.1 * (n + 1), n) for n in range(3))
    assert all(ask(ledger, n, Level.ORANGE, 0.01, n) for n in range(3, 6))
    assert [entry.alert.int for entry in ledger.entries if entry.displaced] == [0, 1, 2]
    assert not ask(ledger, 6, Level.YELLOW, 2.0, 6)
    assert not ask(ledger, 7, Level.ORANGE, 4.0, 7)
    assert ask(ledger, 8, Level.RED, 0.01, 8)


def test_where_more_ask_than_there_is_room_for_the_least_worth_waits() -> None:
    """After weeks in which too many asked, room is kept for those that are among the best of them."""
    ledger = Ledger()
    for number in range(40):  # two a day, worth 0.0, 0.1 … 0.9 over and over
        ask(ledger, number, Level.YELLOW, (number % 10) / 10, number * 12)
    later = 24 * 27.5
    assert not ask(ledger, 100, Level.YELLOW, 0.3, later)
    assert ask(ledger, 101, Level.YELLOW, 0.9, later + 1)
    assert ask(ledger, 102, Level.ORANGE, 0.0, later + 2)


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(list(Level)), st.floats(0, 8), st.floats(0, 30)),
        min_size=1,
        max_size=120,
    )
)
def test_no_seven_days_bring_more_than_the_budgets(asked: list[tuple[int, Level, float, float]]) -> None:
    """Whatever asks, rises or falls: blue at most once its budget, above it once for each level, as it may be displaced.

    Alerts that were told as blue and rose are not told anew: they are among the blue ones.
    """
    ledger, hours = Ledger(), 0.0
    told: dict[int, tuple[float, Level]] = {}
    for number, level, worth, pause in asked:
        hours += pause
        now = START + timedelta(hours=hours)
        known = ledger.find(UUID(int=number))
        is_told = number in told or ledger.has_room(UUID(int=number), level, worth, BUDGET, now)
        ledger.enter(UUID(int=number), level, worth, BUDGET, now, told=is_told)
        if is_told and (known is None or not known.told):
            told[number] = hours, level
    for begin, _ in told.values():
        week = [level for at, level in told.values() if 0 <= at - begin < WEEK / timedelta(hours=1)]
        assert sum(level is Level.BLUE for level in week) <= BUDGET
        assert sum(level is not Level.BLUE for level in week) <= 3 * BUDGET


def test_the_ledger_is_bounded_and_keeps_what_the_budget_went_to() -> None:
    """Thousands that ask in vain do not make it forget whom it told."""
    ledger = Ledger()
    told = sum(ask(ledger, n, Level.YELLOW, 0.5, n / 100) for n in range(3 * MOST_KEPT))
    assert told == BUDGET
    assert len(ledger.entries) <= MOST_KEPT
    assert sum(entry.told for entry in ledger.entries) == BUDGET


def test_worth_is_chance_times_what_a_level_weighs() -> None:
    """A level more is worth as much as twice the chance."""
    assert worth_of(0.5, Level.BLUE) == 0.5
    assert worth_of(0.25, Level.RED) == 2.0
