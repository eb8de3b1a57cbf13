"""How desks are watched: when a hand-over must be signed, who is told otherwise, and how far a roster is looked ahead."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from domain.areas import is_area_code
from domain.errors import Fault

Minutes = Annotated[float, Meta(gt=0, le=24 * 60)]
Hours = Annotated[float, Meta(gt=0, le=24 * 14)]


class DeskRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the desks of an area are watched; the longest prefix wins, and "" stands for all others. County time.

    Not signed within `sign_minutes`, both sides of a hand-over are paged, again every `remind_minutes`; each
    `climb_minutes` one more level above is told. A desk that will be vacant within `ahead_hours` is told of as a fault.
    """

    area: str = ""
    sign_minutes: Minutes = 15.0
    remind_minutes: Minutes = 15.0
    climb_minutes: Minutes = 30.0
    ahead_hours: Hours = 12.0

    def __post_init__(self) -> None:
        if self.area and not is_area_code(self.area):
            raise ValueError("area must be an area code, or empty for everywhere")
        if self.climb_minutes < self.sign_minutes:
            raise ValueError(
                "climb_minutes must not be less than sign_minutes: first those who are concerned"
            )


def check_desk_rules(rules: Sequence[DeskRule]) -> Iterator[Fault]:
    """Find areas that are there twice, and the lack of a rule for all others."""
    for area, count in sorted(Counter(rule.area for rule in rules).items()):
        if count > 1:
            yield Fault("desk", f"{area or 'the rule for everywhere'} is there twice")
    if all(rule.area for rule in rules):
        yield Fault("desk", 'needs a rule with area = "" for all areas that are not named')


def rule_for(rules: Sequence[DeskRule], area: str) -> DeskRule:
    """Find the rule of an area: that of the longest prefix."""
    return max((rule for rule in rules if area.startswith(rule.area)), key=lambda rule: len(rule.area))
