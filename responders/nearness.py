"""Which townships lie beside one another, by their outlines or, where these are not known, by their centres. Pure."""

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from domain.registry import Area

TOUCHING_DEGREES = 0.002
"""Outlines of two sources that share a border seldom fit better: about 200 m."""
CENTRES_FACTOR = 1.6
"""Without outlines, whoever is not much further than the nearest one counts: a lattice's diagonal is 1.41 of its side."""

Point = tuple[float, float]


def adjoining(code: str, areas: Iterable[Area]) -> frozenset[str]:
    """Name the areas of the same level whose border touches that of `code`; empty where its place is not known."""
    known = {area.code: area for area in areas}
    own = known.get(code)
    if own is None:
        return frozenset()
    others = [area for area in known.values() if area.code != code and len(area.code) == len(code)]
    drawn = [area for area in others if area.outline]
    if own.outline and drawn:
        return frozenset(area.code for area in drawn if _touch(own.outline, area.outline))
    return _nearest(own, others)


def along_rivers(code: str, rivers: Mapping[str, AbstractSet[str]]) -> frozenset[str]:
    """Name the townships that measure at a river at which `code` measures; `rivers` maps townships to their rivers."""
    own = rivers.get(code, frozenset())
    return frozenset(other for other, theirs in rivers.items() if other != code and own & theirs)


def _nearest(own: Area, others: Iterable[Area]) -> frozenset[str]:
    away = {area.code: distance for area in others if (distance := _between(own, area)) is not None}
    if not away:
        return frozenset()
    most = min(away.values()) * CENTRES_FACTOR
    return frozenset(code for code, distance in away.items() if distance <= most)


def _between(one: Area, other: Area) -> float | None:
    """Measure between two centres in degrees of latitude: flat is exact enough within a county."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return None
    narrow = math.cos(math.radians(one.lat))
    return math.hypot(one.lat - other.lat, (one.lon - other.lon) * narrow)


def _touch(one: tuple[Point, ...], other: tuple[Point, ...]) -> bool:
    """Say whether a corner of either outline lies at an edge of the other."""
    if not _boxes_meet(one, other):
        return False
    return _corner_at_edge(one, other) or _corner_at_edge(other, one)


def _boxes_meet(one: tuple[Point, ...], other: tuple[Point, ...]) -> bool:
    for axis in (0, 1):
        ours, theirs = [point[axis] for point in one], [point[axis] for point in other]
        if min(ours) > max(theirs) + TOUCHING_DEGREES or min(theirs) > max(ours) + TOUCHING_DEGREES:
            return False
    return True


def _corner_at_edge(corners: tuple[Point, ...], outline: tuple[Point, ...]) -> bool:
    edges = list(zip(outline, (*outline[1:], outline[0]), strict=True))
    return any(_away(corner, start, end) <= TOUCHING_DEGREES for corner in corners for start, end in edges)


def _away(point: Point, start: Point, end: Point) -> float:
    """Measure from a point to an edge."""
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    share = 0.0
    if length:
        share = ((point[0] - start[0]) * along[0] + (point[1] - start[1]) * along[1]) / length
    share = min(1.0, max(0.0, share))
    return math.dist(point, (start[0] + share * along[0], start[1] + share * along[1]))
