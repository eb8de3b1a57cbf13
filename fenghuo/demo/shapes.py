"""Shapes for areas of which only centres are known: the demo county's map, and maps of any size for benchmarks.

Nothing real: no freely licensed polygons of townships and grid cells were found. Cells are the parts of the plane nearest
to a point beside each centre (Voronoi, 1908), cut to a smooth outline and bent by a smooth field, the same for both sides
of a border, so that all fit. Each holds its centre.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from domain.areas import AreaLevel
from domain.registry import Area
from domain.shapes import AreaShape, Polygon, Ring

SEED = 990101
SIDEWAYS = 0.16
"""How far the point of a cell lies from its centre, as a share of the way to the nearest other centre: less than a quarter,
so that the centre stays nearest to its own."""
BEND = 0.12
"""How far the field bends a border, as a share of the typical width of a cell."""
PIECES = 3
"""A border between two cells is drawn by about so many pieces."""
DIGITS = 5
"""Of a degree: a metre."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bend:
    """A smooth field that moves points a little: a sum of waves, so that it can be told everywhere."""

    waves: Points
    """Rows of: wave vector (2), phase, shift (2)."""

    def of(self, points: Points) -> Points:
        """Move points."""
        phases = points @ self.waves[:, :2].T + self.waves[:, 2]
        moved: Points = points + np.sin(phases) @ self.waves[:, 3:]
        return moved

    def undone(self, points: Points) -> Points:
        """Find the points that are moved to these, by iteration: the field is flat enough for it to settle."""
        found = points
        for _ in range(30):
            found = found + points - self.of(found)
        return found


def make_bend(width: float, seed: int) -> Bend:
    """Make a field for cells of a width: waves of some cells' length, each flat beside its length."""
    random = np.random.default_rng(seed)
    count = 6
    angles = random.uniform(0, 2 * np.pi, count)
    lengths = width * random.uniform(3.0, 9.0, count)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (2 * np.pi / lengths)[:, None]
    ways = random.uniform(0, 2 * np.pi, count)
    shifts = np.stack([np.cos(ways), np.sin(ways)], axis=1) * (BEND * width)
    return Bend(np.column_stack([vectors, random.uniform(0, 2 * np.pi, count), shifts]))


def cell_shapes(centres: Mapping[str, tuple[float, float]], seed: int = SEED) -> tuple[AreaShape, ...]:
    """Draw cells around centres (lon, lat), and their villages, townships and county as what they hold together.

    The same for the same centres and seed. ValueError for fewer than four centres, or two on one spot.
    """
    codes = sorted(centres)
    points = np.array([centres[code] for code in codes], dtype=np.float64)
    if len(points) < 4:
        raise ValueError("four centres are the least that cells can be drawn around")
    nearest = nearest_distances(points)
    if not nearest.min() > 0:
        raise ValueError("two centres lie on one spot")
    width = float(np.median(nearest))
    bend = make_bend(width, seed)
    flat = bend.undone(points)
    random = np.random.default_rng(seed)
    angles = random.uniform(0, 2 * np.pi, len(points))
    beside = flat + np.stack([np.cos(angles), np.sin(angles)], axis=1) * (nearest * SIDEWAYS)[:, None]
    outline = (
        shapely.concave_hull(shapely.MultiPoint(flat), ratio=0.12).buffer(width * 1.6).buffer(-width * 0.6)
    )
    raw = shapely.voronoi_polygons(shapely.MultiPoint(beside), extend_to=outline, ordered=True)
    fine = shapely.segmentize(shapely.intersection(np.array(shapely.get_parts(raw)), outline), width / PIECES)
    bent = shapely.set_precision(shapely.transform(fine, bend.of), 10.0**-DIGITS)
    parts = dict(zip(codes, bent, strict=True))
    shapes = [shape_of(code, cell) for code, cell in parts.items()]
    for level in (AreaLevel.VILLAGE, AreaLevel.TOWNSHIP, AreaLevel.COUNTY):
        groups: dict[str, list[shapely.Geometry]] = {}
        for code, cell in parts.items():
            groups.setdefault(code[:level], []).append(cell)
        parts = {code: shapely.union_all(cells, grid_size=10.0**-DIGITS) for code, cells in groups.items()}
        shapes += [shape_of(code, area) for code, area in parts.items()]
    return tuple(sorted(shapes, key=lambda shape: shape.code))


def nearest_distances(points: Points) -> Points:
    """Tell how far the nearest other point of each lies, in degrees."""
    dots = [shapely.Point(x, y) for x, y in points]
    tree = shapely.STRtree(dots)
    sources, found = tree.query_nearest(dots, exclusive=True, all_matches=False)
    distances = np.zeros(len(points))
    distances[sources] = np.hypot(*(points[sources] - points[found]).T)
    return distances


def shape_of(code: str, geometry: shapely.Geometry) -> AreaShape:
    """Write a geometry as a shape, in whole metres."""
    polygons = [
        part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon) and part.area > 0
    ]
    return AreaShape(code=code, polygons=tuple(_polygon(polygon) for polygon in polygons))


def _polygon(polygon: shapely.Polygon) -> Polygon:
    return tuple(_ring(ring.coords) for ring in (polygon.exterior, *polygon.interiors))


def _ring(points: Sequence[tuple[float, ...]]) -> Ring:
    return tuple((round(point[0], DIGITS), round(point[1], DIGITS)) for point in points)


def county_shapes(areas: Sequence[Area]) -> tuple[AreaShape, ...]:
    """Draw the demo county from the centres of its grid cells."""
    return cell_shapes(
        {
            area.code: (area.lon, area.lat)
            for area in areas
            if len(area.code) == AreaLevel.GRID and area.lon is not None and area.lat is not None
        }
    )


def lattice_centres(cells: int, county: str = "990101", seed: int = SEED) -> dict[str, tuple[float, float]]:
    """Lay out centres of a county of so many grid cells: townships of 100 cells, villages of five."""
    random = np.random.default_rng(seed)
    across = int(np.ceil(np.sqrt(cells / 100)))
    centres = {}
    for number in range(cells):
        township, place = divmod(number, 100)
        x, y = (township % across) * 10 + place % 10, (township // across) * 10 + place // 10
        code = f"{county}{100 + township:03d}{place // 5 + 1:03d}{place % 5 + 1:03d}"
        shift = random.uniform(-0.25, 0.25, 2)
        centres[code] = (110.0 + (x + shift[0]) * 0.01, 30.0 + (y + shift[1]) * 0.01)
    return centres
