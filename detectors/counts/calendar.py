"""Which days people in mainland China work, rest and catch up, by the State Council's notices (package chinesecalendar).

A notice of each autumn names the next year's days off and the weekend days that are worked instead (调休). Years that the
package does not know follow the weekend alone; `is_known` says so, and whoever shows a result may tell it.
"""

from datetime import date, timedelta
from enum import Enum
from functools import lru_cache

import chinese_calendar  # type: ignore[import-untyped]  # it has no types

SATURDAY = 5
"""As `date.weekday` counts; 6 is Sunday."""
LONG_BREAK = 3
"""Days off in a row from which the first day of work is unlike others: ordinary weekends have two."""
LONGEST_BREAK = 10
"""Days looked back for the begin of a break; none was ever longer than nine."""


class DayKind(Enum):
    """What sort of day it is for those who go to work, to a doctor or to the phone."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    """A day off that is a legal holiday or was moved beside one."""
    MAKEUP = "makeup"
    """A Saturday or Sunday that is worked (调休)."""


def is_known(day: date) -> bool:
    """Say whether the year's notice is known; else `kind_of` goes by the weekend alone."""
    return day.year in _YEARS


@lru_cache(maxsize=4_096)
def kind_of(day: date) -> DayKind:
    """Tell the kind of a day."""
    weekend = day.weekday() >= SATURDAY
    if is_known(day):
        rests = chinese_calendar.is_holiday(day)
        if rests and (not weekend or chinese_calendar.get_holiday_detail(day)[1] is not None):
            return DayKind.HOLIDAY
        if weekend and not rests:
            return DayKind.MAKEUP
    return DayKind.WEEKEND if weekend else DayKind.WORKDAY


def is_off(day: date) -> bool:
    """Say whether most people are free."""
    return kind_of(day) in (DayKind.HOLIDAY, DayKind.WEEKEND)


@lru_cache(maxsize=4_096)
def is_after_break(day: date) -> bool:
    """Say whether it is the first day of work after a break of LONG_BREAK days or more."""
    if is_off(day):
        return False
    length = 0
    while length < LONGEST_BREAK and is_off(day - timedelta(days=length + 1)):
        length += 1
    return length >= LONG_BREAK


def weekday_like(day: date) -> int:
    """Tell the day of week (0 Monday … 6 Sunday) that a day is most like.

    A holiday is like a Sunday. A Saturday that is worked is like a Friday, a Sunday that is worked like a Monday.
    """
    match kind_of(day):
        case DayKind.HOLIDAY:
            return 6
        case DayKind.MAKEUP:
            return 4 if day.weekday() == SATURDAY else 0
        case DayKind.WORKDAY | DayKind.WEEKEND:
            return day.weekday()


_YEARS = {int(day.year) for day in chinese_calendar.constants.holidays}
