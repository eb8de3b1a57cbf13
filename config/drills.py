"""Scenarios of drills (演练脚本): what happens when and where, what is played besides, and what people should do.

A scenario names no real place: `county`, or letters that stand for places of the county in which it is played. The form
follows the master scenario events list of ISO 22398:2013 and of GB/T 38209-2019 (演练脚本): events with their times,
injects, expected actions.
"""

import re
from collections.abc import Container, Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault
from domain.inputs import Slug
from domain.levels import Level

COUNTY = "county"
MOST_MINUTES = 7 * 24 * 60
Minutes = Annotated[float, Meta(ge=0, le=MOST_MINUTES)]
Words = Annotated[str, Meta(min_length=1, max_length=500)]
_NAMED = re.compile(r"\{([^{}]*)\}")


class Action(StrEnum):
    """What is expected of those who take part; each leaves a line in the record of its case."""

    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    DONE = "done"
    FIRST_REPORT = "first_report"
    CONTROLLED = "controlled"
    CLOSED = "closed"


class DrillStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event: an alert with its `category` and `level`, or without them an inject that those who take part are told.

    The first step that names `alert` raises it, later ones change it, `over` ends it. `silent` asks for a desk that does not
    answer for so many minutes: the general desk of `place` cannot act on the drill's cases.
    """

    minute: Minutes
    zh: Words
    en: Words
    place: Annotated[str, Meta(pattern=r"^(county|[A-Z])$")] = COUNTY
    alert: Slug | None = None
    category: Slug | None = None
    level: Level | None = None
    over: bool = False
    silent: Annotated[float, Meta(gt=0, le=MOST_MINUTES)] | None = None


class Expectation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should be done about the case of an alert, in minutes from the step that raised it."""

    alert: Slug
    action: Action
    within: Annotated[float, Meta(gt=0, le=MOST_MINUTES)]


class Drill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scenario; `goal` is what it examines."""

    slug: Slug
    zh: Annotated[str, Meta(min_length=1, max_length=80)]
    en: Annotated[str, Meta(min_length=1, max_length=120)]
    goal_zh: Words
    goal_en: Words
    step: Annotated[tuple[DrillStep, ...], Meta(min_length=1, max_length=100)]
    expect: Annotated[tuple[Expectation, ...], Meta(max_length=100)] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """Name the places that must be filled in, in order."""
        return tuple(sorted({step.place for step in self.step} - {COUNTY}))


def check_drills(drills: Sequence[Drill], categories: Container[str]) -> Iterator[Fault]:
    """Find scenarios that cannot be played, each by its place in the file."""
    slugs = [drill.slug for drill in drills]
    for number, drill in enumerate(drills):
        place = f"drill[{number}]"
        if slugs.index(drill.slug) != number:
            yield Fault(f"{place}.slug", f"{drill.slug} is there twice")
        yield from _check_steps(drill, place, categories)
        yield from _check_expectations(drill, place)


def _check_steps(drill: Drill, place: str, categories: Container[str]) -> Iterator[Fault]:
    minutes = [step.minute for step in drill.step]
    if minutes != sorted(minutes):
        yield Fault(f"{place}.step", "must be in the order of minute")
    raised: dict[str, DrillStep] = {}
    over: set[str] = set()
    for number, step in enumerate(drill.step):
        where = f"{place}.step[{number}]"
        yield from _check_words(drill, step, where)
        if step.alert is None:
            for name in ("category", "level"):
                if getattr(step, name) is not None:
                    yield Fault(f"{where}.alert", f"must name the alert that has a {name}")
            if step.over:
                yield Fault(f"{where}.alert", "must name the alert that is over")
            continue
        if step.silent is not None:
            yield Fault(f"{where}.silent", "is for a step without an alert")
        first = raised.setdefault(step.alert, step)
        if step.alert in over:
            yield Fault(f"{where}.alert", f"{step.alert} was over before")
        if first is step:
            if step.over:
                yield Fault(f"{where}.over", f"{step.alert} was never raised")
            for name in ("category", "level"):
                if getattr(step, name) is None:
                    yield Fault(f"{where}.{name}", f"must be given where {step.alert} is raised")
        elif (step.category, step.place) not in ((None, first.place), (first.category, first.place)):
            yield Fault(where, f"{step.alert} keeps the category and place with which it was raised")
        if step.category is not None and step.category not in categories:
            yield Fault(f"{where}.category", f"names the category {step.category!r}, which there is not")
        over |= {step.alert} if step.over else set()


def _check_words(drill: Drill, step: DrillStep, where: str) -> Iterator[Fault]:
    known = {COUNTY, *drill.letters}
    for name in ("zh", "en"):
        text: str = getattr(step, name)
        unknown = sorted(set(_NAMED.findall(text)) - known)
        if unknown:
            yield Fault(f"{where}.{name}", f"names {{{unknown[0]}}}, which is no place of the scenario")
        if re.search(r"[{}]", _NAMED.sub("", text)):
            yield Fault(f"{where}.{name}", "has a brace that does not belong to a place")


def _check_expectations(drill: Drill, place: str) -> Iterator[Fault]:
    alerts = {step.alert for step in drill.step if step.alert is not None}
    seen: set[tuple[str, Action]] = set()
    for number, expected in enumerate(drill.expect):
        where = f"{place}.expect[{number}]"
        if expected.alert not in alerts:
            yield Fault(f"{where}.alert", f"names {expected.alert!r}, which no step raises")
        if (expected.alert, expected.action) in seen:
            yield Fault(where, f"{expected.action.value} of {expected.alert} is expected twice")
        seen.add((expected.alert, expected.action))
