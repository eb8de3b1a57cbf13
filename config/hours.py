"""Working hours of areas, and notices of days off that the calendar package does not know yet: data."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault


class Stretch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of a working day in Asia/Shanghai, `until` is not in it."""

    since: time
    until: time


class WorkingHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When people of an area work on a working day; the longest area prefix wins, the empty one is everywhere."""

    area: Annotated[str, Meta(pattern=r"^\d{0,15}$")] = ""
    stretches: Annotated[tuple[Stretch, ...], Meta(min_length=1)]
    source: str


class HolidayNotice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A year's notice on days off (放假安排): `off` are free weekdays, `work` weekend days that are worked (调休).

    With it the year counts as known. What it says of a day goes before what the calendar package says.
    """

    year: Annotated[int, Meta(ge=2004, le=2200)]
    off: tuple[date, ...] = ()
    work: tuple[date, ...] = ()
    source: str


def check_hours(hours: Sequence[WorkingHours], notices: Sequence[HolidayNotice]) -> Iterator[Fault]:
    """Find areas with two entries, everywhere without one, stretches that are no time or overlap, days of another year."""
    areas = Counter(one.area for one in hours)
    if "" not in areas:
        yield Fault("hours", "needs an entry with the empty area: it holds wherever no other does")
    yield from (
        Fault("hours", f"area {area or 'everywhere'} is there twice") for area, n in areas.items() if n > 1
    )
    for number, one in enumerate(hours):
        place = f"hours[{number}].stretches"
        for stretch in one.stretches:
            if stretch.since >= stretch.until:
                yield Fault(place, f"{stretch.since} must come before {stretch.until}")
        for before, after in pairwise(one.stretches):
            if after.since < before.until:
                yield Fault(place, f"{after.since} begins before {before.until}: in order, without overlap")
    years = Counter(notice.year for notice in notices)
    for number, notice in enumerate(notices):
        place = f"notice[{number}]"
        if years[notice.year] > 1:
            yield Fault(f"{place}.year", f"{notice.year} is there twice")
        for name, days in (("off", notice.off), ("work", notice.work)):
            for day in days:
                if day.year != notice.year:
                    yield Fault(f"{place}.{name}", f"{day} is no day of {notice.year}")
        for day in sorted({*notice.off} & {*notice.work}):
            yield Fault(f"{place}.work", f"{day} is off, too")
