"""Rivers: how fast their water carries something from one station to the next."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault

Velocity = Annotated[float, Meta(gt=0, le=10)]


class River(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The range of a river's velocity in m/s; the slug is that of `Series.river`, or "" for all that have no entry."""

    slug: Annotated[str, Meta(max_length=80)]
    slowest: Velocity
    fastest: Velocity

    def __post_init__(self) -> None:
        if self.slowest >= self.fastest:
            raise ValueError("slowest must be less than fastest")


def check_rivers(rivers: Sequence[River]) -> Iterator[Fault]:
    """Find rivers that are there twice, and the lack of one for all others."""
    slugs = [river.slug for river in rivers]
    yield from (
        Fault("river", f"{slug or 'the one for all others'} is there twice")
        for slug in sorted({slug for slug in slugs if slugs.count(slug) > 1})
    )
    if "" not in slugs:
        yield Fault("river", 'needs an entry with slug = "" for all rivers that are not named')
