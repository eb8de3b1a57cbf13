"""Working time by tables of the State Council's calendar, and its laws by random instants."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.data import load_data
from config.hours import HolidayNotice
from responders.hours import ROUND_THE_CLOCK, Hours, after, between, hours_of, next_working_day, unknown_years

BEIJING = ZoneInfo("Asia/Shanghai")
HOURS = Hours(((time(8, 30), time(12)), (time(14), time(17, 30))))
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=1_060)).map(lambda span: FIRST + span)
SPANS = st.timedeltas(timedelta(minutes=1), timedelta(days=5))


def at(text: str) -> datetime:
    """Read a time in Asia/Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        ("2026-05-07T09:00", 60, "2026-05-07T10:00"),
        ("2026-05-07T11:30", 60, "2026-05-07T14:30"),  # over noon
        ("2026-05-07T11:30", 30, "2026-05-07T12:00"),  # the end of a stretch is still in time
        ("2026-05-07T12:30", 1, "2026-05-07T14:01"),
        ("2026-05-07T17:00", 60, "2026-05-08T09:00"),  # over the night
        ("2026-05-08T17:00", 60, "2026-05-09T09:00"),  # to a Saturday that is worked (调休)
        ("2026-05-09T17:00", 60, "2026-05-11T09:00"),  # and from it over Sunday
        ("2026-09-30T17:00", 60, "2026-10-08T09:00"),  # over National Day
        ("2026-05-07T03:00", 420, "2026-05-07T17:30"),  # a whole day
    ],
)
def test_working_time_passes_in_working_hours_alone(start: str, minutes: int, expected: str) -> None:
    """Nights, noons, weekends and days off stand still; weekend days that are worked do not."""
    reckoned = after(HOURS, at(start), timedelta(minutes=minutes))
    assert (reckoned.at, reckoned.unknown) == (at(expected), ())


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        ("2026-05-07T09:00", "2026-05-07T15:00", 240),
        ("2026-05-07T20:00", "2026-05-08T08:30", 0),
        ("2026-05-01T00:00", "2026-05-06T00:00", 0),
        ("2026-05-07T15:00", "2026-05-07T09:00", 0),
        ("2026-05-08T00:00", "2026-05-12T00:00", 3 * 420),
    ],
)
def test_working_time_is_measured(since: str, until: str, minutes: int) -> None:
    """What lies between two instants counts where people work."""
    assert between(HOURS, at(since), at(until)) == timedelta(minutes=minutes)


def test_a_year_without_a_notice_is_told() -> None:
    """New Year 2027 is reckoned as an ordinary Friday, and the year is named; a notice as data makes it known."""
    start = at("2026-12-31T17:00")
    reckoned = after(HOURS, start, timedelta(hours=1))
    assert (reckoned.at, reckoned.unknown) == (at("2027-01-01T09:00"), (2027,))
    notice = HolidayNotice(year=2027, off=(date(2027, 1, 1),), work=(date(2027, 1, 2),), source="a notice")
    known = hours_of(load_data().hours, (notice,), "990101")
    assert after(known, start, timedelta(hours=1)).at == at("2027-01-02T09:00")
    assert after(known, start, timedelta(hours=1)).unknown == ()
    assert next_working_day(HOURS, start).unknown == (2027,)


@pytest.mark.parametrize(
    ("today", "told", "unknown"),
    [
        (date(2026, 11, 1), (), ()),
        (date(2026, 11, 2), (), (2027,)),
        (date(2026, 11, 2), (2027,), ()),
        (date(2027, 3, 1), (), (2027,)),
        (date(2027, 12, 1), (2027,), (2028,)),
        (date(2027, 12, 1), (), (2027, 2028)),
    ],
)
def test_years_whose_days_off_are_unknown_are_named_ahead(
    today: date, told: tuple[int, ...], unknown: tuple[int, ...]
) -> None:
    """The next year is asked for from two months before it begins, not while nobody can know it."""
    notices = tuple(HolidayNotice(year=year, source="a notice") for year in told)
    assert unknown_years(notices, today) == unknown


def test_the_longest_area_has_its_own_hours() -> None:
    """A county's entry goes before the one for everywhere; without any, time does not pause."""
    shipped = load_data().hours[0]
    own = type(shipped)(area="990101", stretches=shipped.stretches[:1], source="own")
    assert hours_of((shipped, own), (), "990101101").stretches == ((time(8, 30), time(12)),)
    assert len(hours_of((shipped, own), (), "990202").stretches) == 2
    assert hours_of((own,), (), "990202") == ROUND_THE_CLOCK


@given(INSTANTS, SPANS)
def test_what_was_added_is_measured_again(start: datetime, span: timedelta) -> None:
    """Between an instant and the one after so much working time lies just so much of it."""
    assert between(HOURS, start, after(HOURS, start, span).at) == span
    assert after(ROUND_THE_CLOCK, start, span).at == start + span


@given(INSTANTS, INSTANTS, SPANS)
def test_who_begins_later_is_never_due_earlier(one: datetime, other: datetime, span: timedelta) -> None:
    """Working time keeps the order of what it is counted from."""
    first, second = sorted((one, other))
    assert after(HOURS, first, span).at <= after(HOURS, second, span).at
