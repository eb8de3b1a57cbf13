"""The proof that each category of each area has exactly one owner (权责清单): by area, so that a gap has a place."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from domain.areas import covers
from domain.errors import Fault


class Claim(Struct, frozen=True, kw_only=True):
    """That somebody answers for a category wherever a prefix reaches: what the proof needs of a duty."""

    category: str
    area: str


class Proof(Struct, frozen=True, kw_only=True):
    """What was found of one area: how many categories have one owner, which have none, and which have several."""

    area: str
    owned: int
    gaps: tuple[str, ...]
    overlaps: tuple[str, ...]


def prove(claims: Iterable[Claim], categories: Sequence[str], areas: Iterable[str]) -> Iterator[Proof]:
    """Look at every category in every area: of the duties that reach it, those of the longest prefix hold."""
    by_category: dict[str, list[str]] = {}
    for claim in claims:
        by_category.setdefault(claim.category, []).append(claim.area)
    for area in areas:
        gaps: list[str] = []
        overlaps: list[str] = []
        for category in categories:
            reaching = [prefix for prefix in by_category.get(category, ()) if covers(prefix, area)]
            if not reaching:
                gaps.append(category)
            elif reaching.count(max(reaching, key=len)) > 1:
                overlaps.append(category)
        owned = len(categories) - len(gaps) - len(overlaps)
        yield Proof(area=area, owned=owned, gaps=tuple(gaps), overlaps=tuple(overlaps))


def strangers(claims: Iterable[Claim], areas: Iterable[str]) -> Iterator[Fault]:
    """Find duties of areas that there are not: a slip in a code would hide a rule without a word."""
    known = set(areas)
    for area in sorted({claim.area for claim in claims if claim.area} - known):
        yield Fault("duty", f"names the area {area}, which is not among the areas")


def faults_in(proofs: Iterable[Proof]) -> Iterator[Fault]:
    """Tell each gap and each overlap with its area."""
    for proof in proofs:
        yield from (Fault("duty", f"{slug} has no owner in area {proof.area}") for slug in proof.gaps)
        yield from (
            Fault("duty", f"{slug} has several owners in area {proof.area}") for slug in proof.overlaps
        )
