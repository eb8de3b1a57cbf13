"""Which alerts are one case: by what they have in common, bound in time and number; and for how long a case recurs."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from domain.areas import county_of, township_of
from domain.errors import Fault
from domain.findings import Alert
from domain.inputs import Slug


class KeyField(StrEnum):
    """What two alerts may have in common; a place above the township or county that is asked for stands for itself."""

    CATEGORY = "category"
    DOMAIN = "domain"
    COUNTY = "county"
    TOWNSHIP = "township"
    PLACE = "place"


KINDS = frozenset({KeyField.CATEGORY, KeyField.DOMAIN})
AREAS = frozenset({KeyField.COUNTY, KeyField.TOWNSHIP, KeyField.PLACE})


class Grouping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule by which a new alert joins an open case, or reopens a closed one; `version` changes with `fields`.

    An alert joins when it came at most `minutes` after the first of the group and the group has fewer than `members`. It
    reopens a case that was closed at most `recurs_days` ago; so does somebody concerned who was not satisfied when asked at
    most `unsatisfied_days` after the end.
    """

    slug: Slug
    version: Annotated[int, Meta(ge=1)]
    fields: Annotated[tuple[KeyField, ...], Meta(min_length=1)]
    categories: tuple[Slug, ...] = ()
    """Empty: all categories that no other rule names."""
    minutes: Annotated[float, Meta(gt=0, le=7 * 1440)]
    members: Annotated[int, Meta(ge=2, le=1000)]
    recurs_days: Annotated[float, Meta(ge=0, le=366)]
    unsatisfied_days: Annotated[float, Meta(ge=0, le=366)]

    def key(self, alert: Alert) -> str:
        """Write what the alert has in common with others of its group; drills and what is real never meet."""
        return self.key_of(alert.category, alert.domain.value, alert.place, drill=alert.drill)

    def key_of(self, category: str, domain: str, place: str, *, drill: bool) -> str:
        """Write the key of a case of a category at a place."""
        values = {
            KeyField.CATEGORY: category,
            KeyField.DOMAIN: domain,
            KeyField.COUNTY: county_of(place),
            KeyField.TOWNSHIP: township_of(place),
            KeyField.PLACE: place,
        }
        parts = [f"{field.value}={values[field]}" for field in sorted(self.fields)]
        return "|".join([f"{self.slug}.{self.version}", *(["drill"] if drill else []), *parts])


def rule_of(rules: Sequence[Grouping], category: str) -> Grouping:
    """Find the rule of a category: one that names it, else the general one, which `check_grouping` proves to be there."""
    named = [rule for rule in rules if category in rule.categories]
    return (named or [rule for rule in rules if not rule.categories])[0]


def check_grouping(rules: Sequence[Grouping]) -> Iterator[Fault]:
    """Find rules that would swallow everything or nothing, rules that meet, and categories without one."""
    general = [rule.slug for rule in rules if not rule.categories]
    if len(general) != 1:
        yield Fault(
            "grouping", f"needs one rule without categories, for all others; there are {len(general)}"
        )
    slugs = [rule.slug for rule in rules]
    named = [category for rule in rules for category in rule.categories]
    for number, rule in enumerate(rules):
        place = f"grouping[{number}]"
        if slugs.count(rule.slug) > 1:
            yield Fault(f"{place}.slug", f"{rule.slug} is there twice")
        for category in sorted({each for each in rule.categories if named.count(each) > 1}):
            yield Fault(f"{place}.categories", f"{category} is named twice")
        fields = set(rule.fields)
        if len(fields) < len(rule.fields):
            yield Fault(f"{place}.fields", "names a field twice")
        if not fields & KINDS:
            yield Fault(
                f"{place}.fields", "needs category or domain: else a fever would be a case with a flood"
            )
        if not fields & AREAS:
            yield Fault(
                f"{place}.fields", "needs place, township or county: else the nation would be one case"
            )
