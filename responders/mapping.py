"""Which levels of the area tree a map draws: as fine as a browser holds, told where it is coarser. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.areas import AreaLevel

MOST_SHAPES = 12_000
"""Shapes that a duty room's PC draws without a GPU at 30 frames a second and more (`fenghuo bench map`)."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The lengths of codes that are drawn, coarse ones first, and how many shapes of which length are too many."""

    drawn: tuple[int, ...]
    left_out: dict[int, int]


def choose_levels(own: str, counts: Mapping[int, int], most: int = MOST_SHAPES) -> Levels:
    """Choose what to draw of an area, given how many areas with a shape lie in it by the length of their code.

    The area itself, counties and townships within it, and the finest level that there is: villages are left to their grid
    cells, and drawn where cells have no shapes. A level that would make it more than `most` is left out, and said so.
    """
    kept = {len(own), int(AreaLevel.COUNTY), int(AreaLevel.TOWNSHIP)}
    fine = [level for level in (AreaLevel.GRID, AreaLevel.VILLAGE) if counts.get(level)]
    kept |= {int(level) for level in fine[:1]}
    drawn: list[int] = []
    left_out: dict[int, int] = {}
    total = 0
    for level in sorted(level for level in kept if level >= len(own) and counts.get(level)):
        if total + counts[level] > most:
            left_out[level] = counts[level]
            continue
        total += counts[level]
        drawn.append(level)
    return Levels(tuple(drawn), left_out)
