"""Working time: how long people work between two instants, and when so much of it will have passed; pure.

Two clocks run in casework (GB/T 30428, 数字城管): natural time, and working hours with days off and weekend days that are
worked (调休) by the State Council's notices. A year whose notice is not known is reckoned by its weekends, and every answer
names such years, so that whoever shows it can say so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.hours import HolidayNotice, WorkingHours
from detectors.counts import calendar
from domain.areas import covers

BEIJING = ZoneInfo("Asia/Shanghai")
LAST_YEAR = 2200
"""Nothing waits for longer; a search for working time ends here, with a ValueError."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When people work: `stretches` of each working day in Asia/Shanghai; none at all means that time never pauses."""

    stretches: tuple[tuple[time, time], ...] = ()
    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    known: frozenset[int] = frozenset()
    """Years whose notice came as data."""


NOTICE_DUE = timedelta(days=60)
"""From two months before a year on its notice should be known: those of 2024, 2025 and 2026 came from late October to
mid-November of the year before."""
ROUND_THE_CLOCK = Hours()
"""Natural time."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """An instant (UTC), and the years whose days off were not known when it was reckoned."""

    at: datetime
    unknown: tuple[int, ...] = ()


def hours_of(hours: Iterable[WorkingHours], notices: Iterable[HolidayNotice], area: str) -> Hours:
    """Find the working hours of an area: the longest prefix wins; around the clock where no entry holds."""
    own = [one for one in hours if covers(one.area, area)]
    if not own:
        return ROUND_THE_CLOCK
    notices = tuple(notices)
    return Hours(
        tuple((one.since, one.until) for one in max(own, key=lambda one: len(one.area)).stretches),
        frozenset(day for notice in notices for day in notice.off),
        frozenset(day for notice in notices for day in notice.work),
        frozenset(notice.year for notice in notices),
    )


def works_on(hours: Hours, day: date) -> bool:
    """Say whether people work on a day: the data first, then the calendar package, else the weekend."""
    return day in hours.work or (day not in hours.off and not calendar.is_off(day))


def is_known(hours: Hours, day: date) -> bool:
    """Say whether the notice on days off of the day's year is known."""
    return day.year in hours.known or calendar.is_known(day)


def unknown_years(notices: Iterable[HolidayNotice], today: date) -> tuple[int, ...]:
    """Name this year and, from NOTICE_DUE before it begins, the next one, where their days off are not known."""
    told = {notice.year for notice in notices}
    years = dict.fromkeys((today.year, (today + NOTICE_DUE).year))
    return tuple(year for year in years if year not in told and not calendar.is_known(date(year, 1, 1)))


def after(hours: Hours, start: datetime, span: timedelta) -> Reckoned:
    """Tell when so much working time after `start` will have passed: natural time where hours never pause."""
    if not hours.stretches:
        return Reckoned(start.astimezone(UTC) + span)
    unknown: set[int] = set()
    left = span
    for begin, end in _stretches(hours, start.astimezone(UTC), unknown):
        if left <= end - begin:
            return Reckoned(begin + left, tuple(sorted(unknown)))
        left -= end - begin
    raise ValueError(f"no working time before the end of {LAST_YEAR}")


def between(hours: Hours, since: datetime, until: datetime) -> timedelta:
    """Measure the working time between two instants; nothing where the second is not later."""
    if until <= since:
        return timedelta(0)
    if not hours.stretches:
        return until - since
    total = timedelta(0)
    for begin, end in _stretches(hours, since.astimezone(UTC), set()):
        if begin >= until:
            break
        total += min(end, until) - begin
    return total


def next_working_day(hours: Hours, now: datetime) -> Reckoned:
    """Tell the same time of day on the next working day."""
    local = now.astimezone(BEIJING) + timedelta(days=1)
    unknown: set[int] = set()
    while not _notes(hours, local.date(), unknown):
        local += timedelta(days=1)
    return Reckoned(local.astimezone(UTC), tuple(sorted(unknown)))


def _notes(hours: Hours, day: date, unknown: set[int]) -> bool:
    if not is_known(hours, day):
        unknown.add(day.year)
    return works_on(hours, day)


def _stretches(hours: Hours, start: datetime, unknown: set[int]) -> Iterator[tuple[datetime, datetime]]:
    """Give what is left of each stretch of working time from `start` on, in UTC, noting the years not known."""
    day = start.astimezone(BEIJING).date()
    while day.year <= LAST_YEAR:
        if _notes(hours, day, unknown):
            for since, until in hours.stretches:
                begin, end = (datetime.combine(day, at, BEIJING).astimezone(UTC) for at in (since, until))
                if start < end:
                    yield max(begin, start), end
        day += timedelta(days=1)
