"""Clocks of the law as data: who must report a case to whom, within what time, how often again, and who says so."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from config.policies import TOWERS
from domain.areas import covers, is_area_code
from domain.errors import Fault
from domain.inputs import Slug
from domain.levels import EventClass

UNIT, NATION = "unit", "nation"
LADDER = (UNIT, *TOWERS, NATION)
"""Who reports to whom, lowest first. A `unit` is where it happened; the township's desk speaks for it."""
RANK = {level: rank for rank, level in enumerate(LADDER)}

Start = Literal["detected", "confirmed"]
Form = Literal["written", "phone"]
Grade = Annotated[int, Meta(ge=1, le=4)]
Minutes = Annotated[float, Meta(gt=0, le=30 * 24 * 60)]
Times = Annotated[int, Meta(ge=0, le=24)]


class Leg(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a report: from level `by` to level `to` in `minutes` of natural time, for cases of `grades`.

    `post` is who reports; None is the post that has the case. `office` completes the name of whom it is addressed to: 示例市
    and 人民政府; for the nation it is the whole name.
    """

    by: str
    to: str
    minutes: Minutes
    office: Annotated[str, Meta(min_length=1, max_length=40)]
    grades: Annotated[tuple[Grade, ...], Meta(min_length=1)] = (1, 2, 3, 4)
    form: Form = "written"
    post: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What names a leg within its clock."""
        return self.by, self.to, self.form


class ReportClock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one law or notice demands of cases of some classes (or of some categories of them) in an area.

    The time runs from when the case `starts`: from its opening, or from when somebody confirmed it; for the grades `at_once`
    from its opening in any case. `per_day` is how often at least a follow-up is due in 24 hours, for grades Ⅰ to Ⅳ.
    `mark` is s for what was seen in a public source, m for what must be confirmed before anybody relies on it.
    """

    slug: Slug
    zh: Annotated[str, Meta(min_length=1, max_length=40)]
    en: Annotated[str, Meta(min_length=1, max_length=80)]
    area: str = ""
    classes: Annotated[tuple[EventClass, ...], Meta(min_length=1)]
    categories: tuple[Slug, ...] = ()
    """Empty: all of the classes but those `without`."""
    without: tuple[Slug, ...] = ()
    starts: Start = "confirmed"
    at_once: tuple[Grade, ...] = ()
    per_day: tuple[Times, Times, Times, Times] = (0, 0, 0, 0)
    final: bool = False
    warn_minutes: Minutes = 30.0
    source: Annotated[str, Meta(min_length=1)]
    mark: Literal["s", "m"]
    note: str = ""
    legs: Annotated[tuple[Leg, ...], Meta(min_length=1)]

    def concerns(self, category: str, event_class: EventClass | None, place: str) -> bool:
        """Say whether a case of a category and class at a place is one that it speaks of."""
        named = category in self.categories if self.categories else category not in self.without
        return named and event_class in self.classes and covers(self.area, place)


class Classed(Protocol):
    """A category as far as clocks know it."""

    @property
    def event_class(self) -> EventClass:
        """Its statutory class."""


def check_clocks(clocks: Sequence[ReportClock], categories: Mapping[str, Classed]) -> Iterator[Fault]:
    """Find every fault of every clock, each by its place in the file."""
    slugs = [clock.slug for clock in clocks]
    for number, clock in enumerate(clocks):
        place = f"clock[{number}]"
        if slugs.index(clock.slug) != number:
            yield Fault(f"{place}.slug", f"{clock.slug} is there twice")
        if clock.area and not is_area_code(clock.area):
            yield Fault(f"{place}.area", f"{clock.area!r} is no area code")
        yield from _subject_faults(place, clock, categories)
        yield from _time_faults(place, clock)
        yield from _leg_faults(place, clock)


def _subject_faults(place: str, clock: ReportClock, categories: Mapping[str, Classed]) -> Iterator[Fault]:
    if clock.categories and clock.without:
        yield Fault(f"{place}.without", "goes without categories: name those meant, or those left out")
    for name in ("categories", "without"):
        slugs: Collection[str] = getattr(clock, name)
        for slug in dict.fromkeys(slugs):
            if slug not in categories:
                yield Fault(f"{place}.{name}", f"names the category {slug!r}, which there is not")
            elif categories[slug].event_class not in clock.classes:
                yield Fault(f"{place}.{name}", f"{slug} is of none of the classes named")
    meant = [slug for slug, one in categories.items() if clock.concerns(slug, one.event_class, clock.area)]
    if not meant:
        yield Fault(f"{place}.classes", "with categories they leave no category over: the clock never runs")


def _time_faults(place: str, clock: ReportClock) -> Iterator[Fault]:
    if clock.starts == "detected" and clock.at_once:
        yield Fault(f"{place}.at_once", "is for clocks that start when a case is confirmed")
    if list(clock.per_day) != sorted(clock.per_day, reverse=True):
        yield Fault(
            f"{place}.per_day", "must not ask more of a less grave case: grades Ⅰ to Ⅳ, in this order"
        )
    written = any(leg.form == "written" for leg in clock.legs)
    if (any(clock.per_day) or clock.final) and not written:
        yield Fault(f"{place}.legs", "needs a written one: follow-ups and final reports are written")


def _leg_faults(place: str, clock: ReportClock) -> Iterator[Fault]:
    keys = [leg.key for leg in clock.legs]
    known = f"must be one of {', '.join(LADDER)}"
    for number, leg in enumerate(clock.legs):
        where = f"{place}.legs[{number}]"
        wrong = [name for name in ("by", "to") if getattr(leg, name) not in RANK]
        yield from (Fault(f"{where}.{name}", known) for name in wrong)
        if keys.index(leg.key) != number:
            yield Fault(where, f"{leg.by} to {leg.to}, {leg.form}, is there twice")
        if len(set(leg.grades)) != len(leg.grades):
            yield Fault(f"{where}.grades", "names a grade twice")
        if leg.by == NATION:
            yield Fault(f"{where}.by", "nobody is above the nation")
        if wrong:
            continue
        if RANK[leg.to] < RANK[leg.by]:
            yield Fault(f"{where}.to", f"{leg.to} lies below {leg.by}: reports go up")
        elif leg.to == leg.by and leg.post in (None, ""):
            yield Fault(f"{where}.post", f"must name who of the {leg.by} reports to its own government")
        elif leg.to in (UNIT, "township") and leg.by == UNIT:
            yield Fault(f"{where}.to", "must lie above the township, which speaks for the unit")
