"""Shapes drawn around centres: they fit, hold their centres, and are the same each time."""

import pytest
import shapely

from domain.areas import AreaLevel
from domain.shapes import AreaShape
from fenghuo.demo.places import build_places
from fenghuo.demo.shapes import cell_shapes, county_shapes, lattice_centres


@pytest.fixture(scope="module")
def shapes() -> dict[str, AreaShape]:
    """The demo county's."""
    return {shape.code: shape for shape in county_shapes(build_places().areas)}


def geometry(shape: AreaShape) -> shapely.Geometry:
    """Read a shape as a geometry."""
    return shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in shape.polygons])


def test_every_area_of_the_county_has_a_valid_shape(shapes: dict[str, AreaShape]) -> None:
    """From the county down to its 600 grid cells, each of one piece."""
    areas = [area.code for area in build_places().areas if len(area.code) >= AreaLevel.COUNTY]
    assert sorted(areas) == sorted(shapes)
    assert all(geometry(shape).is_valid for shape in shapes.values())
    assert {len(shape.polygons) for shape in shapes.values()} == {1}


def test_each_cell_holds_its_centre(shapes: dict[str, AreaShape]) -> None:
    """What the detectors take for the place of a cell lies where the map shows the cell."""
    for area in build_places().at_level(AreaLevel.GRID):
        assert geometry(shapes[area.code]).contains(shapely.Point(area.lon, area.lat)), area.code


def test_cells_fill_their_township_and_do_not_overlap(shapes: dict[str, AreaShape]) -> None:
    """Borders are the same line from both sides: together the parts are as large as the whole."""
    for level in (AreaLevel.GRID, AreaLevel.VILLAGE, AreaLevel.TOWNSHIP):
        parts = sum(geometry(shape).area for code, shape in shapes.items() if len(code) == level)
        assert parts == pytest.approx(geometry(shapes["990101"]).area, rel=1e-4)
    whole = shapely.union_all(
        [geometry(shape) for code, shape in shapes.items() if len(code) == AreaLevel.GRID]
    )
    assert whole.area == pytest.approx(geometry(shapes["990101"]).area, rel=1e-4)


def test_the_outline_is_smooth(shapes: dict[str, AreaShape]) -> None:
    """No corner of the county's outline turns by more than a right angle."""
    points = shapely.get_coordinates(geometry(shapes["990101"]))[:-1]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        one, other = at - before, after - at
        assert one @ other > 0


def test_always_the_same() -> None:
    """Two machines draw one map."""
    centres = lattice_centres(300)
    assert cell_shapes(centres) == cell_shapes(dict(reversed(centres.items())))
    assert cell_shapes(centres, seed=2) != cell_shapes(centres)


def test_too_few_or_equal_centres_are_told() -> None:
    """What cannot be drawn is said, not drawn wrongly."""
    with pytest.raises(ValueError, match="four centres"):
        cell_shapes({"990101100001001": (110.0, 30.0)})
    with pytest.raises(ValueError, match="one spot"):
        cell_shapes({f"99010110000100{n}": (110.0, 30.0) for n in range(1, 6)})
