"""The burden meter: what the platform asks of people, against a budget. Pure.

国办函〔2026〕12号 forbids work that exists for the fingertip only: so the platform measures itself. It never ranks
people: an area shows how its accounts fare together, and only where there are several of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from msgspec import Struct

from config.burden import Budget

LEAST_PEOPLE = 3
"""Accounts of an area below which its figures would be somebody's own; such areas are told of together."""
FORMS = (
    "plea:", "report:", "shelve", "maintenance", "split", "open_by_hand", "rate", "substitute", "handover",
)  # fmt: skip
"""Commands that need words, by how their names begin."""
TOGETHER = ""
"""The area under which those with few accounts are told of."""


class Load(Struct, frozen=True, kw_only=True):
    """What one account had on one day; `peak` is the most messages in ten minutes."""

    messages: int = 0
    taps: int = 0
    forms: int = 0
    peak: int = 0


class Spread(Struct, frozen=True, kw_only=True):
    """How something is spread over the accounts of an area."""

    middle: float
    most: int


class AreaBurden(Struct, frozen=True, kw_only=True):
    """How the accounts of an area fared on one day; `over` counts those beyond their budget in anything."""

    area: str
    people: int
    over: int
    messages: Spread
    taps: Spread
    forms: Spread
    peak: Spread


@dataclass(frozen=True, slots=True)
class Borne:
    """The load of one account with what decides its place in the figures; it does not say whose it is."""

    area: str
    role: str
    load: Load


def exceeded(load: Load, budget: Budget) -> tuple[str, ...]:
    """Name what is beyond the budget."""
    return tuple(name for name in Load.__struct_fields__ if getattr(load, name) > getattr(budget, name))


def burden_by_area(borne: Sequence[Borne], budgets: Mapping[str, Budget]) -> tuple[AreaBurden, ...]:
    """Tell how areas fare, ordered by their codes; areas with fewer than LEAST_PEOPLE accounts together, last.

    Where even those together are too few nothing is told of them.
    """
    groups: dict[str, list[Borne]] = {}
    for one in borne:
        groups.setdefault(one.area, []).append(one)
    few = [area for area, group in groups.items() if len(group) < LEAST_PEOPLE]
    together = [one for area in few for one in groups.pop(area)]
    told = [_burden(area, groups[area], budgets) for area in sorted(groups)]
    if len(together) >= LEAST_PEOPLE:
        told.append(_burden(TOGETHER, together, budgets))
    return tuple(told)


def _burden(area: str, group: Sequence[Borne], budgets: Mapping[str, Budget]) -> AreaBurden:
    def spread(name: str) -> Spread:
        values = [getattr(one.load, name) for one in group]
        return Spread(middle=float(median(values)), most=max(values))

    return AreaBurden(
        area=area,
        people=len(group),
        over=sum(bool(exceeded(one.load, budgets[one.role])) for one in group),
        messages=spread("messages"),
        taps=spread("taps"),
        forms=spread("forms"),
        peak=spread("peak"),
    )
