"""Zones of near cells, over which counts are pooled: who is near whom, and which sets of cells are looked at together.

Circles are those of Kulldorff's scan (Prospective time periodic geographical disease surveillance, JRSS A 164, 2001): a
cell and its nearest ones. Clusters have other shapes too, along a road or a brook, so that each cell is also the seed of
irregular zones, which grow by a random neighbour at a time. They are drawn once, from the codes alone: the same cells
have the same zones in every process.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.areas import AreaLevel, is_area_code, township_of, up_to

CIRCLES = (1, 2, 3, 5, 8, 12)
"""Cells in the circles around each cell."""
IRREGULAR: tuple[int, ...] = ()
"""Cells in the irregular zones grown from each cell."""
NEXT = 1.6
"""Cells touch up to so many times a cell's usual distance to its nearest; the corners of a grid's squares do at √2."""
MOST_NEXT = 8
VILLAGE_GAP = 2.0
"""Where only codes are known, cells are a step apart and villages so many more."""
METRES_PER_DEGREE = 111_320.0
Indices = NDArray[np.int64]
Place = tuple[float, float]


@dataclass(frozen=True)
class Zones:
    """Cells and the sets of them that are looked at together, as arrays for the kernels.

    A zone belongs to the group (township) of the cell it was made around, and may reach across its border. `members` holds
    the cells of zone z at `starts[z]` to `starts[z + 1]`; `holders` the zones of cell c at `holder_starts[c]` to
    `holder_starts[c + 1]`. Zones are sorted by group: those of group g are `group_starts[g]` to `group_starts[g + 1]`.
    """

    cells: tuple[str, ...]
    groups: tuple[str, ...]
    group_starts: Indices
    starts: Indices
    members: Indices
    holder_starts: Indices
    holders: Indices
    group_of_zone: Indices
    group_of_cell: Indices

    @property
    def size(self) -> int:
        """The number of zones."""
        return len(self.starts) - 1

    def cells_of(self, zone: int) -> tuple[str, ...]:
        """Name the cells of a zone, in the order of codes."""
        return tuple(self.cells[cell] for cell in self.members[self.starts[zone] : self.starts[zone + 1]])


def zones_of(
    cells: Iterable[str],
    places: Mapping[str, Place] | None = None,
    *,
    circles: Sequence[int] = CIRCLES,
    irregular: Sequence[int] = IRREGULAR,
) -> Zones:
    """Make the zones of cells (codes of villages or grid cells, each once).

    `places` gives latitude and longitude in degrees of those whose place is known: they are near by distance, also across
    the borders of townships. The others are near by the order of codes within their township, as codes are given out along
    the ground. ValueError for a code or place that is none, for no cells, and for sizes below 1.
    """
    codes = sorted(set(cells))
    known = dict(places or {})
    _check(codes, known, (*circles, *irregular))
    groups = sorted({township_of(code) for code in codes})
    number = {code: index for index, code in enumerate(codes)}
    made: list[list[tuple[int, ...]]] = [[] for _ in groups]
    seen: set[tuple[int, ...]] = set()
    for part in _parts(codes, known):
        indices = [number[code] for code, _, _ in part]
        points = np.array([(x, y) for _, x, y in part])
        near, touching = _near(points, max((*circles, *irregular, MOST_NEXT)))
        for row, (code, _, _) in enumerate(part):
            group = groups.index(township_of(code))
            drawn = [near[row][:size] for size in circles]
            chance = random.Random(code)
            drawn += [_grow(row, size, touching, chance) for size in irregular]
            for rows in drawn:
                zone = tuple(sorted(indices[one] for one in rows))
                if zone not in seen:
                    seen.add(zone)
                    made[group].append(zone)
    return _pack(tuple(codes), tuple(groups), made)


def _check(codes: Sequence[str], places: Mapping[str, Place], sizes: Sequence[int]) -> None:
    if not codes:
        raise ValueError("cells: none is given, and zones need at least one")
    for code in codes:
        if not is_area_code(code) or len(code) < AreaLevel.TOWNSHIP:
            raise ValueError(f"cells: {code!r} is no code of a township, village or grid cell")
    for code, (lat, lon) in places.items():
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
            raise ValueError(f"places: {lat}, {lon} of {code} is no latitude and longitude")
    if not sizes or min(sizes) < 1:
        raise ValueError("circles, irregular: at least one size is needed, and none below 1")


def _parts(codes: Sequence[str], places: Mapping[str, Place]) -> list[list[tuple[str, float, float]]]:
    """Lay cells out in planes within which distances mean something: all with a place in one, the others by township."""
    parts: dict[str, list[tuple[str, float, float]]] = {}
    placed = [code for code in codes if code in places]
    if placed:
        middle = math.radians(sum(places[code][0] for code in placed) / len(placed))
        east = METRES_PER_DEGREE * math.cos(middle)
        parts["placed"] = [
            (code, places[code][1] * east, places[code][0] * METRES_PER_DEGREE) for code in placed
        ]
    for code in codes:
        if code in places:
            continue
        line = parts.setdefault(township_of(code), [])
        along = 0.0
        if line:
            before, along, _ = line[-1]
            same = up_to(before, AreaLevel.VILLAGE) == up_to(code, AreaLevel.VILLAGE)
            along += 1.0 if same or len(code) < AreaLevel.GRID else VILLAGE_GAP
        line.append((code, along, 0.0))
    return list(parts.values())


def _near(points: NDArray[np.float64], most: int) -> tuple[list[list[int]], list[list[int]]]:
    """List for each point the `most` nearest, itself first and ties by number, and those that it touches."""
    near, touching, reach = [], [], []
    for row, point in enumerate(points):
        square = np.round(((points - point) ** 2).sum(axis=1), 6)
        square[row] = -1.0  # first in its own list, whatever else lies at its place
        order = np.argsort(square, kind="stable")[: most + 1].tolist()
        near.append(order)
        reach.append(math.dist(point, points[order[1]]) if len(order) > 1 else 0.0)
    usual = float(np.median(reach))
    for row, order in enumerate(near):
        limit = NEXT * max(reach[row], usual) * 1.000001
        close = [one for one in order[1:] if math.dist(points[row], points[one]) <= limit]
        touching.append(close[:MOST_NEXT])
    return near, touching


def _grow(seed: int, size: int, touching: Sequence[Sequence[int]], chance: random.Random) -> list[int]:
    """Grow a connected set of at most `size` by one random neighbour after the other."""
    grown, rim = [seed], list(touching[seed])
    while rim and len(grown) < size:
        taken = rim.pop(chance.randrange(len(rim)))
        grown.append(taken)
        rim += [one for one in touching[taken] if one not in grown and one not in rim]
    return grown


def _pack(
    cells: tuple[str, ...], groups: tuple[str, ...], made: Sequence[Sequence[tuple[int, ...]]]
) -> Zones:
    zones = [zone for group in made for zone in group]
    held: list[list[int]] = [[] for _ in cells]
    for number, zone in enumerate(zones):
        for cell in zone:
            held[cell].append(number)
    return Zones(
        cells=cells,
        groups=groups,
        group_starts=_starts([len(group) for group in made]),
        starts=_starts([len(zone) for zone in zones]),
        members=np.array([cell for zone in zones for cell in zone], np.int64),
        holder_starts=_starts([len(numbers) for numbers in held]),
        holders=np.array([number for numbers in held for number in numbers], np.int64),
        group_of_zone=np.repeat(np.arange(len(groups)), [len(group) for group in made]).astype(np.int64),
        group_of_cell=np.array([groups.index(township_of(code)) for code in cells], np.int64),
    )


def _starts(lengths: Sequence[int]) -> Indices:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
