"""Days of work and rest in China."""

from datetime import date

import pytest

from detectors.counts.calendar import DayKind, is_after_break, is_known, kind_of, weekday_like


@pytest.mark.parametrize(
    ("day", "kind", "like", "after"),
    [
        (date(2024, 2, 9), DayKind.WORKDAY, 4, False),  # New Year's Eve was worked in 2024
        (date(2024, 2, 13), DayKind.HOLIDAY, 6, False),
        (date(2024, 2, 17), DayKind.HOLIDAY, 6, False),
        (date(2024, 2, 18), DayKind.MAKEUP, 0, True),  # a Sunday, the first day after eight off
        (date(2024, 2, 19), DayKind.WORKDAY, 0, False),
        (date(2024, 5, 11), DayKind.MAKEUP, 4, False),  # a Saturday
        (date(2024, 6, 15), DayKind.WEEKEND, 5, False),
        (date(2024, 6, 17), DayKind.WORKDAY, 0, False),  # after an ordinary weekend
        (date(2024, 10, 8), DayKind.WORKDAY, 1, True),
        (date(2031, 10, 1), DayKind.WORKDAY, 2, False),  # no notice of that year
        (date(2031, 10, 4), DayKind.WEEKEND, 5, False),
        (date(1980, 1, 1), DayKind.WORKDAY, 1, False),
    ],
)
def test_days_are_what_the_notice_says(day: date, kind: DayKind, like: int, after: bool) -> None:
    """Holidays, weekend days that are worked, and days after a break are known by their notice, else by the weekend."""
    assert (kind_of(day), weekday_like(day), is_after_break(day)) == (kind, like, after)


def test_it_says_which_years_it_knows() -> None:
    """A year without a notice is told apart from one with it."""
    assert is_known(date(2024, 1, 1))
    assert not is_known(date(2031, 1, 1))
    assert not is_known(date(1999, 1, 1))
