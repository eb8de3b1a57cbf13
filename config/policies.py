"""How cases climb until somebody acknowledges: policies as data, and what is wrong with them."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from domain.areas import AreaLevel
from domain.errors import Fault
from domain.inputs import Slug

TOWERS = {
    "township": AreaLevel.TOWNSHIP,
    "county": AreaLevel.COUNTY,
    "city": AreaLevel.CITY,
    "province": AreaLevel.PROVINCE,
}
"""The towers that a page climbs, lowest first: L1 to L4."""

Clock = Literal["natural", "working"]
"""How time is measured: without pause (自然时间), or in working hours alone (工作时间), which `hours.toml` tells."""

URGENT = frozenset({1, 2})
"""Grades whose waits stop for no night and no holiday."""


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a policy: page the post on duty at a level, `times` times, and wait after each for an acknowledgement."""

    level: str
    wait_minutes: Annotated[float, Meta(gt=0)]
    channels: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    times: Annotated[int, Meta(ge=1, le=20)] = 1
    clock: Clock = "natural"


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an incident of some grades climbs until somebody acknowledges; frozen into the incident when it opens.

    The steps from the lowest up to `entry` are taken at once; each later one after the waits of the one before. After the
    last, paging goes on from `again_from` without end (the last step itself where it is empty): nobody is left alone.
    One acknowledgement ends it, unless each level of `acknowledged_by`, or so many different `desks`, must give theirs.
    """

    slug: Slug
    grades: Annotated[tuple[Annotated[int, Meta(ge=1, le=4)], ...], Meta(min_length=1)]
    categories: tuple[Slug, ...] = ()
    """Empty: all categories that no other policy of the grade names."""
    entry: str = "township"
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]
    again_from: str = ""
    acknowledged_by: tuple[str, ...] = ()
    desks: Annotated[int, Meta(ge=1)] = 1

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the steps, lowest first."""
        return tuple(step.level for step in self.steps)

    @property
    def asks_for_several(self) -> bool:
        """Whether more than one acknowledgement may be needed."""
        return self.desks > 1 or bool(self.acknowledged_by)


def check_policies(policies: Sequence[Policy]) -> Iterator[Fault]:
    """Find every fault of every policy."""
    slugs = [policy.slug for policy in policies]
    for number, policy in enumerate(policies):
        place = f"policy[{number}]"
        if slugs.count(policy.slug) > 1:
            yield Fault(f"{place}.slug", f"{policy.slug} is there twice")
        yield from _level_faults(place, policy)
        yield from _step_faults(place, policy)
        if policy.acknowledged_by and policy.desks > 1:
            yield Fault(f"{place}.desks", "goes without acknowledged_by: name the levels, or count the desks")
        if policy.desks > len(policy.steps):
            yield Fault(
                f"{place}.desks", f"asks for {policy.desks} desks, and the steps page {len(policy.steps)}"
            )


def _level_faults(place: str, policy: Policy) -> Iterator[Fault]:
    levels = policy.levels
    known = f"must be one of {', '.join(TOWERS)}"
    yield from (
        Fault(f"{place}.steps[{number}].level", known)
        for number, level in enumerate(levels)
        if level not in TOWERS
    )
    if [level for level in levels if level in TOWERS] != [tower for tower in TOWERS if tower in levels]:
        yield Fault(f"{place}.steps", "steps must climb: each level once, lowest first")
    if policy.entry not in levels:
        yield Fault(f"{place}.entry", "entry must be the level of a step")
    if policy.again_from and policy.again_from not in levels:
        yield Fault(f"{place}.again_from", "must be the level of a step, or empty for the last")
    for level in dict.fromkeys(policy.acknowledged_by):
        if level not in levels:
            yield Fault(f"{place}.acknowledged_by", f"{level} is the level of no step")
        if policy.acknowledged_by.count(level) > 1:
            yield Fault(f"{place}.acknowledged_by", f"{level} is there twice")


def _step_faults(place: str, policy: Policy) -> Iterator[Fault]:
    urgent = sorted(URGENT.intersection(policy.grades))
    for number, step in enumerate(policy.steps):
        if urgent and step.clock == "working":
            grades = " and ".join(map(str, urgent))
            yield Fault(
                f"{place}.steps[{number}].clock", f"must be natural: grade {grades} stops for no night"
            )
