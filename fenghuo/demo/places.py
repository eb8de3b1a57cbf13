"""The area tree of the demo county: townships, villages and grid cells on a jittered lattice, all outlines fitting."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.areas import AreaLevel
from domain.registry import Area

DATA = Path(__file__).parent / "data"
COLUMNS = 4
"""Townships in a row of the lattice."""
JITTER = 0.18
"""How far a corner of a township may lie from the lattice, as a share of its width."""

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


def read_data(name: str) -> dict[str, Any]:
    """Read one of the demo's data files."""
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class River:
    """A river with the grid cells of its stations in downstream order, and how many km from its source each lies."""

    slug: str
    name: str
    cells: tuple[str, ...]
    km: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """All areas of the demo county; `cells` are the codes of its grid cells in order."""

    county: str
    areas: tuple[Area, ...]
    cells: tuple[str, ...]
    rivers: tuple[River, ...]

    def name_of(self, code: str) -> str:
        """Name an area; KeyError when there is none."""
        return next(area.name for area in self.areas if area.code == code)

    def cells_in(self, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        """List the grid cells that lie in any of the areas."""
        return tuple(cell for cell in self.cells if cell.startswith(prefixes))

    def at_level(self, level: AreaLevel) -> tuple[Area, ...]:
        """List the areas of a level."""
        return tuple(area for area in self.areas if len(area.code) == level)


def build_places() -> Places:
    """Build the demo county's places; always the same."""
    data = read_data("places.toml")
    corners = _corners(data)
    areas = [
        Area(code=data[above]["code"], name=data[above]["name"], name_en=data[above]["name_en"])
        for above in ("province", "city")
    ]
    townships: list[Area] = []
    lower: list[Area] = []
    for number, township in enumerate(data["township"]):
        row, column = divmod(number, COLUMNS)
        quad = _quad(corners, row, column)
        code = data["code"] + township["code"]
        townships.append(_area(code, township["name"], township["name_en"], quad))
        lower.extend(_villages(code, township, quad, data, number))
    border = _border(corners)
    areas.append(_area(data["code"], data["name"], data["name_en"], border))
    areas += [*townships, *lower]
    cells = tuple(area.code for area in areas if len(area.code) == AreaLevel.GRID)
    return Places(county=data["code"], areas=tuple(areas), cells=cells, rivers=_rivers(data, cells))


def _corners(data: dict[str, Any]) -> NDArray[np.float64]:
    """Lay out the lattice's corners as (row, column, (lon, lat)), row 0 in the north; shared corners fit by birth."""
    rows = len(data["township"]) // COLUMNS
    random = np.random.default_rng(990101)
    lattice = np.stack(np.meshgrid(np.arange(COLUMNS + 1), np.arange(rows, -1, -1)), axis=-1).astype(float)
    lattice += random.uniform(-JITTER, JITTER, lattice.shape)
    corners: NDArray[np.float64] = (
        np.array([data["west"], data["south"]]) + lattice * data["township_degrees"]
    )
    return corners


def _point(corners: NDArray[np.float64], row: int, column: int) -> Point:
    return float(corners[row, column, 0]), float(corners[row, column, 1])


def _quad(corners: NDArray[np.float64], row: int, column: int) -> Quad:
    """Take the corners of a township: north-west, north-east, south-east, south-west."""
    return (
        _point(corners, row, column),
        _point(corners, row, column + 1),
        _point(corners, row + 1, column + 1),
        _point(corners, row + 1, column),
    )


def _border(corners: NDArray[np.float64]) -> tuple[Point, ...]:
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    way = [(0, c) for c in range(columns)] + [(r, columns) for r in range(rows)]
    way += [(rows, c) for c in range(columns, 0, -1)] + [(r, 0) for r in range(rows, 0, -1)]
    return tuple(_point(corners, row, column) for row, column in way)


def _within(quad: Quad, east: float, down: float) -> Point:
    """Find the point at shares of the way east and south inside a quadrilateral."""
    (nw, ne, se, sw) = (np.array(corner) for corner in quad)
    lon, lat = (nw * (1 - east) + ne * east) * (1 - down) + (sw * (1 - east) + se * east) * down
    return float(lon), float(lat)


def _cut(quad: Quad, columns: int, rows: int, column: int, row: int) -> Quad:
    west, east, top, bottom = column / columns, (column + 1) / columns, row / rows, (row + 1) / rows
    return (
        _within(quad, west, top),
        _within(quad, east, top),
        _within(quad, east, bottom),
        _within(quad, west, bottom),
    )


def _villages(
    code: str, township: dict[str, Any], quad: Quad, data: dict[str, Any], number: int
) -> list[Area]:
    columns, rows = township["villages"]
    heads, tails, grids = data["heads"], data["tails"], data["grids_per_village"]
    areas = []
    for index in range(columns * rows):
        row, column = divmod(index, columns)
        piece = _cut(quad, columns, rows, column, row)
        head, tail = (
            heads[(index + number) % len(heads)],
            tails[(index * 3 + index // 10 + number) % len(tails)],
        )
        village = f"{code}{index + 1:03d}"
        areas.append(_area(village, f"{head[0]}{tail[0]}村", f"{head[1]}{tail[1]} Village", piece))
        areas += [
            _area(
                f"{village}{grid + 1:03d}",
                f"{head[0]}{tail[0]}村第{'一二三四五六'[grid]}网格",
                f"{head[1]}{tail[1]} grid {grid + 1}",
                _cut(piece, grids, 1, grid, 0),
            )
            for grid in range(grids)
        ]
    return areas


def _area(code: str, name: str, name_en: str, outline: tuple[Point, ...]) -> Area:
    closed = tuple((round(lon, 5), round(lat, 5)) for lon, lat in (*outline, outline[0]))
    return Area(
        code=code,
        name=name,
        name_en=name_en,
        lon=round(sum(lon for lon, _ in outline) / len(outline), 5),
        lat=round(sum(lat for _, lat in outline) / len(outline), 5),
        outline=closed,
    )


def _rivers(data: dict[str, Any], cells: tuple[str, ...]) -> tuple[River, ...]:
    """Put each station of a river's course into a cell of its township, later ones further east."""
    rivers = []
    for river in data["river"]:
        course = [data["code"] + township for township in river["course"]]
        found = []
        for number, township in enumerate(course):
            own = [cell for cell in cells if cell.startswith(township)]
            share = (course[:number].count(township) + 1) / (course.count(township) + 1)
            found.append(own[int(share * len(own))])
        rivers.append(River(river["slug"], river["name"], tuple(found), tuple(river["km"])))
    return tuple(rivers)
