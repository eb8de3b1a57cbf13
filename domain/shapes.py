"""Shapes of areas as the map draws them: polygons with holes, in WGS-84 degrees."""

from itertools import pairwise

from msgspec import Struct

from domain.inputs import AreaCode

Point = tuple[float, float]
"""lon, lat in degrees."""
Ring = tuple[Point, ...]
Polygon = tuple[Ring, ...]
"""The outer ring first, then holes, as in GeoJSON (RFC 7946)."""

MOST_POINTS = 200_000
"""Points of one area: a coast at a scale that no screen shows has fewer."""


class AreaShape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The polygons of one area; several where it has islands or exclaves."""

    code: AreaCode
    polygons: tuple[Polygon, ...]

    def __post_init__(self) -> None:
        rings = [ring for polygon in self.polygons for ring in polygon]
        if not self.polygons or not all(self.polygons):
            raise ValueError("polygons must hold one polygon with one ring at least")
        if any(len(ring) < 4 or ring[0] != ring[-1] for ring in rings):
            raise ValueError("polygons: a ring needs four points or more, and ends where it begins")
        if sum(map(len, rings)) > MOST_POINTS:
            raise ValueError(f"polygons have more than {MOST_POINTS} points")
        if not all(-180 <= lon <= 180 and -90 <= lat <= 90 for ring in rings for lon, lat in ring):
            raise ValueError("polygons: a point must be lon, lat in degrees (WGS-84)")

    @property
    def outline(self) -> Ring:
        """The outer ring of the largest polygon: what stands for the area where there is room for one ring only."""
        return max((polygon[0] for polygon in self.polygons), key=ring_area)


def ring_area(ring: Ring) -> float:
    """Reckon the area of a ring in square degrees, by the shoelace formula; good for comparing neighbours only."""
    return abs(sum(x * other_y - other_x * y for (x, y), (other_x, other_y) in pairwise(ring))) / 2
