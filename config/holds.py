"""What may hold back pages of a case, as data: cases that explain others, and how long officers may shelve one."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from config.policies import TOWERS
from domain.errors import Fault
from domain.inputs import Slug
from domain.levels import Level


class Inhibition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """While a case of `source` of at least `level` is open in the same area of level `within`, the targets page nobody.

    Never those of grades Ⅰ and Ⅱ. `reason` is what officers read, in Chinese.
    """

    source: Slug
    level: Level
    targets: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    within: str
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class Shelving(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long at most a case of a grade may be shelved, and how many persons must want it."""

    grade: Annotated[int, Meta(ge=1, le=4)]
    most_minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)]
    persons: Annotated[int, Meta(ge=1, le=2)] = 1


def check_holds(
    inhibitions: Sequence[Inhibition], shelvings: Sequence[Shelving], categories: Collection[str]
) -> Iterator[Fault]:
    """Find unknown categories and levels of area, circles, doubles, and grades without a bound."""
    edges: dict[str, set[str]] = {}
    for number, one in enumerate(inhibitions):
        place = f"inhibition[{number}]"
        if one.within not in TOWERS:
            yield Fault(f"{place}.within", f"must be one of {', '.join(TOWERS)}")
        for name, slugs in (("source", (one.source,)), ("targets", one.targets)):
            yield from (
                Fault(f"{place}.{name}", f"names the category {slug!r}, which there is not")
                for slug in slugs
                if slug not in categories
            )
        edges.setdefault(one.source, set()).update(one.targets)
    for source in sorted(edges):
        if source in _reached(source, edges):
            yield Fault("inhibition", f"{source} would hold itself back, over other categories or at once")
    grades = Counter(shelving.grade for shelving in shelvings)
    yield from (
        Fault("shelving", f"grade {grade} is there {grades[grade]} times, must be once")
        for grade in range(1, 5)
        if grades[grade] != 1
    )
    if any(one.grade == 1 and one.persons < 2 for one in shelvings):
        yield Fault("shelving", "grade 1 needs two persons: nobody holds back a red case alone")


def _reached(source: str, edges: dict[str, set[str]]) -> set[str]:
    """Find what a source holds back, over whatever stands between."""
    found: set[str] = set()
    coming = list(edges.get(source, ()))
    while coming:
        slug = coming.pop()
        if slug not in found:
            found.add(slug)
            coming += edges.get(slug, ())
    return found
